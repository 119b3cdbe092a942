"""The benchmarks of growth: what their processes measure, and what is reported of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.growth import command, plot, worker
from benchmarks.growth.command import QUESTIONS, QUICK, Scale
from benchmarks.growth.table import Figures, as_text, in_use, per_sample, spread
from benchmarks.native.problem import OURS
from benchmarks.native.processes import WorkerError

ROOT = Path(__file__).parents[1]

ANSWERS: dict[str, Figures] = {
    "samples": {
        f"{OURS}, 1 thread": {"1000": [3e-3, 1e-3, 2e-3], "4000": [9e-3] * 3},
        f"{OURS}, 2 threads": {"1000": [1e-3] * 3, "4000": [4.4e-3] * 3},
        "JAX, 2 threads": {"1000": [1e-3] * 3, "4000": [8e-3] * 3},
    },
    "depth": {
        OURS: {
            "3": {"first": 0.1, "lower": 0.03, "emit": 0.01, "machine code": 0.03},
            "20": {"first": 0.3, "lower": 0.1, "emit": 0.02, "machine code": 0.04},
        },
        "JAX": {"3": {"first": 0.4}, "20": {"first": 0.6}},
    },
    "memory": {
        OURS: {"400": {"inputs": 9e6, "outputs": 1e6, "grown": 2e6}},
        "JAX": {"400": {"inputs": 9e6, "outputs": 1e6, "grown": 91e6}},
    },
}
TABLES = {
    "samples": """\
residual net, d = 4, K = 20: time a sample
                       m = 1,000  m = 4,000  longest ÷ shortest  at most
  pullback, 1 thread        2 µs    2.25 µs                1.12     1.20  reached
  pullback, 2 threads       1 µs     1.1 µs                1.10     1.20  reached
  JAX, 2 threads            1 µs       2 µs                2.00""",
    "depth": """\
residual net, d = 4, m = 1,000, K layers: time to the first result
            ours  of it compiling  ÷ that of K = 3     JAX  ours ÷ JAX  at most
  K = 3   100 ms            40 ms             1.00  400 ms        0.25     0.40  reached
  K = 20  300 ms            60 ms             1.50  600 ms        0.50     0.40   missed""",
    "memory": """\
residual net, d = 4, K = 20, m = 400: memory in use in a call, at most
            arguments  results  grown by  in use ÷ both  at most
  pullback     9.0 MB   1.0 MB    2.0 MB           1.10     1.20  reached
  JAX          9.0 MB   1.0 MB   91.0 MB          10.00""",
}


def test_the_time_of_a_call_is_taken_for_each_number_of_samples() -> None:
    found = worker.samples(OURS, [5, 8], rounds=2)
    assert {m: len(every) for m, every in found.items()} == {"5": 2, "8": 2}
    assert all(seconds > 0 for every in found.values() for seconds in every)


def test_the_first_result_takes_longer_than_its_stages() -> None:
    found = worker.depth(OURS, 2)
    first = found.pop("first")
    assert {"lower", "fuse", "emit", "machine code"} <= set(found)
    assert 0 < sum(found.values()) < first


PROGRAM = """
import json, numpy as np
from benchmarks.growth import worker

def call():
    np.ones(8_000_000).sum()
    return worker.net(1_000).arguments[1]

worker._prepared = lambda side, problem: call
print(json.dumps(worker.memory("pullback", 1_000)))
"""


def test_memory_that_a_call_has_in_use_is_seen() -> None:
    """Of a call that takes 64 MB beside its arguments and gives them back."""
    line = [sys.executable, "-c", PROGRAM]
    completed = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    found = json.loads(completed.stdout)
    values = 20 * (16 + 4) + 4 + 1 + 1_000 * (4 + 1)
    assert (found["inputs"], found["outputs"]) == (8 * values, 8 * 4_000)
    assert 60e6 < found["grown"] < 90e6


def test_ours_is_compiled_for_all_numbers_of_samples_before_memory_is_measured() -> None:
    problem = worker.net(11)
    value, gradient = worker._prepared(OURS, problem)()
    np.testing.assert_allclose(value, problem.loss(*problem.arguments))
    assert len(gradient["W"]) == worker.LAYERS


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_has_a_table(question: str) -> None:
    lines = as_text(question, ANSWERS[question]).splitlines()
    assert [line.split() for line in lines] == [x.split() for x in TABLES[question].splitlines()]


def test_figures() -> None:
    ours = ANSWERS["samples"][f"{OURS}, 1 thread"]
    assert per_sample(ours) == pytest.approx({1000: 2e-6, 4000: 2.25e-6})
    assert spread(ours) == pytest.approx(1.125)
    assert in_use(ANSWERS["memory"][OURS]["400"]) == pytest.approx(1.1)


def test_the_command_asks_processes_writes_and_draws(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, ...]] = []

    def run(module: str, arguments: list[str], variables: dict[str, str]) -> Any:
        question, _, side, *_ = arguments
        sizes = arguments[arguments.index("--sizes") + 1 :]
        asked.append((question, side, variables["PULLBACK_NUM_THREADS"], *sizes))
        if side == "PyTorch":
            raise WorkerError("not installed")
        if question == "samples":
            return {m: [1e-9 * int(m)] * 3 for m in sizes}
        if question == "depth":
            return {"first": 0.2, "emit": 0.1}
        return {"inputs": 1e6, "outputs": 0.0, "grown": 1e6}

    monkeypatch.setattr(command, "run_worker", run)
    figures, picture = tmp_path / "figures.json", tmp_path / "growth.svg"
    files = ["--json", str(figures), "--plot", str(picture)]
    assert command.main([*QUESTIONS, "--quick", *files]) == 1
    sizes = tuple(map(str, QUICK.samples))
    assert asked[:2] == [("samples", OURS, "1", *sizes), ("samples", OURS, "2", *sizes)]
    assert ("depth", "JAX", "2", "20") in asked
    assert ("memory", OURS, "2", str(QUICK.memory)) in asked
    output = " ".join(capsys.readouterr().out.split())
    assert "1.00 1.20 reached" in output and "2.00 1.20 missed" in output
    assert "memory, PyTorch failed: not installed" in output
    record = json.loads(figures.read_text(encoding="utf-8"))
    assert set(record) == {"machine", *QUESTIONS, "failed"}
    assert record["failed"] == dict.fromkeys(
        ["samples, PyTorch, 2 threads", "memory, PyTorch"], "not installed"
    )
    drawn = picture.read_text(encoding="utf-8")
    assert all(title in drawn for title in ("seconds a sample", "first result", "memory in use"))


def test_memory_is_not_part_of_a_quick_run(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        command, "measure", lambda question, scale: (asked.append(question), ({}, {}))[1]
    )
    monkeypatch.setattr(command, "as_text", lambda question, figures: "")
    assert command.main(["--quick"]) == 0
    assert asked == ["samples", "depth"]
    assert command.main([]) == 0
    assert asked[2:] == list(QUESTIONS)
    with pytest.raises(SystemExit):
        command.main(["width"])


def test_the_full_scale_reaches_the_promised_sizes() -> None:
    scale = Scale()
    assert (scale.samples[0], scale.samples[-1]) == (1_000, 4_000_000) and scale.depth[0] == 3
    assert scale.memory == 4_000_000


def test_the_picture_has_what_was_asked(tmp_path: Path) -> None:
    path = tmp_path / "growth.svg"
    plot.draw(ANSWERS, path)
    drawn = path.read_text(encoding="utf-8")
    assert all(side in drawn for side in (OURS, "JAX"))
