"""The benchmarks run, compare like with like, and report what they measured; not how fast."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import estimators
from benchmarks.measure import Timing, measure
from benchmarks.report import as_json, as_markdown, as_text, targets
from benchmarks.workload import Workload
from benchmarks.workloads.loops import PROGRAMS as LOOPS
from benchmarks.workloads.tracing import PROGRAMS, tracing
from pullback.lifting.trace import recorded

ROOT = Path(__file__).parents[1]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    environment.pop("OMP_NUM_THREADS", None)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("name", LOOPS)
def test_programs_with_loops_keep_them(name: str) -> None:
    program = LOOPS[name]()
    graph, unrolled = recorded(program.function, *program.arguments)
    assert unrolled == ()
    assert len(graph.equations) < 100


def test_the_command_measures_and_writes(tmp_path: Path) -> None:
    names = ("two-layer", "residual", "scalars", "l2-10", "vector", "constants")
    figures, tables = tmp_path / "figures.json", tmp_path / "tables.md"
    files = ("--json", str(figures), "--markdown", str(tables))
    completed = run(*names, "--rounds", "2", "--seconds", "0.001", *files)
    assert completed.returncode == 0, completed.stderr
    assert "; threads 1; Python 3." in completed.stdout
    assert "pullback ÷ it: below 1 where pullback is faster" in completed.stdout
    for name, workload in json.loads(figures.read_text(encoding="utf-8"))["workloads"].items():
        assert name.startswith(names)
        assert workload["title"] in completed.stdout
        assert f"### {workload['title']}" in tables.read_text(encoding="utf-8")
        assert {"by hand", "pullback"} <= set(workload["seconds"])
        assert all(len(samples) == 2 for samples in workload["seconds"].values())


def test_the_command_names_what_there_is() -> None:
    completed = run("two-lawyer")
    assert completed.returncode == 2
    assert "no benchmark is called 'two-lawyer'; there are: two-layer, residual" in completed.stderr


def workload(**contenders: float) -> Workload:
    """Contenders that return a number."""
    functions = {
        name: (lambda value=value: [np.array(value)]) for name, value in contenders.items()
    }
    return Workload("numbers", "a number", functions)


def test_contenders_that_differ_are_not_compared() -> None:
    workload(first=1.0, second=1.0 + 1e-12).verify()
    with pytest.raises(AssertionError, match="array 0 of second against first"):
        workload(first=1.0, second=1.0 + 1e-6).verify()


@pytest.mark.parametrize("other", [np.ones(1), np.float32(1.0)], ids=["shape", "dtype"])
def test_contenders_of_another_shape_or_precision_are_not_compared(other: np.ndarray) -> None:
    functions = {"first": lambda: [np.array(1.0)], "second": lambda: [other]}
    with pytest.raises(AssertionError, match=r"second returns .*, first .*dtype\('float64'\)"):
        Workload("kinds", "another kind", functions).verify()


def test_contenders_take_turns() -> None:
    turns: list[str] = []
    functions = {name: (lambda name=name: turns.append(name) or []) for name in "ABC"}
    timings = measure(Workload("order", "the order", functions), rounds=3, seconds=1e-6)
    assert {name: len(timing.samples) for name, timing in timings.items()} == {
        "A": 3,
        "B": 3,
        "C": 3,
    }
    changes = [name for name, before in itertools.pairwise(reversed(turns)) if name != before]
    assert "".join(changes).startswith("CBACBAC")


TIMINGS = {
    "by hand": Timing((1e-6, 2e-6, 9e-6)),
    "pullback": Timing((50e-6, 40e-6, 60e-6)),
    "autograd": Timing((100e-6, 100e-6, 100e-6)),
    "PyTorch": Timing((80e-6, 70e-6, 200e-6)),
}


TABLE = """\
a number
            median        min – max  pullback ÷ it
  by hand     2 µs      1 µs – 9 µs          25.00
  pullback   50 µs    40 µs – 60 µs
  autograd  100 µs  100 µs – 100 µs           0.50
  PyTorch    80 µs   70 µs – 200 µs           0.62
"""


def test_the_table_shows_medians_ranges_and_ratios() -> None:
    assert as_text([(workload(), TIMINGS)]).startswith(TABLE)
    assert "| autograd | 100 µs | 100 µs – 100 µs | 0.50 |" in as_markdown([(workload(), TIMINGS)])
    figures = json.loads(as_json([(workload(), TIMINGS)]))
    assert figures["workloads"]["numbers"]["seconds"]["pullback"] == [50e-6, 40e-6, 60e-6]
    assert figures["machine"]["Python"]


def test_the_targets_are_against_the_slower_and_the_faster_peer() -> None:
    assert targets(workload(), TIMINGS) == [
        "target, against autograd, the slower: at most 1.0, is 0.50: reached",
        "target, against PyTorch, the faster: aim 0.6, is 0.62: missed",
    ]
    assert targets(workload(), {"pullback": Timing((1.0,))}) == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_libraries_record_the_same_program(name: str) -> None:
    workload = tracing(name, 60)
    workload.verify()
    graph = workload.contenders["pullback, traced only"]()
    assert (40 if "gradient" not in name else 100) <= len(graph.equations) <= 320


def test_estimators_are_compared_with_scikit_learns(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    arguments = ["wine-softmax", "--rounds", "2", "--folds", "2", "--json", str(figures)]
    assert estimators.main(arguments) == 0
    (found,) = json.loads(figures.read_text(encoding="utf-8"))
    assert (found["ours"], found["theirs"]) == ("SoftmaxRegression", "LogisticRegression")
    assert min(found["score"], found["their_score"]) > 0.9
    assert len(found["seconds"]) == len(found["their_seconds"]) == 2
    assert set(estimators._pairs()) == set(estimators.PAIRS)
