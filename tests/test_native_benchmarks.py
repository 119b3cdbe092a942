"""The benchmarks of compiled derivatives: their frame, and what they report."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest

import pullback as pb
from benchmarks.native import command, plot, processes, worker
from benchmarks.native.problem import BEST, COPY, OURS, Problem, Threads
from benchmarks.native.processes import Effort, WorkerError, environment
from benchmarks.native.results import comparisons, first_results, speed_up
from benchmarks.native.samples import differ, first_calls, sample
from benchmarks.native.sides import Side, arrays, compiles, make
from benchmarks.native.table import as_text, summary, verdicts
from benchmarks.native.workloads import WORKLOADS
from tests.test_native_workloads import small

ROOT = Path(__file__).parents[1]

# -- the frame ---------------------------------------------------------------------------------


def quadratic(**others: Any) -> Problem:
    return Problem(
        "a quadratic function",
        lambda x: np.sum(x * x),
        (np.array([1.0, 2.0]),),
        jax=lambda jax: lambda x: jax.numpy.sum(x * x),
        derivative="gradient",
        **others,
    )


def test_values_of_the_sides_are_compared_before_they_are_timed() -> None:
    right = quadratic(by_hand=lambda x: [2 * x])
    sides, notes = first_calls(right, ["by hand", OURS])
    assert list(sides) == ["by hand", OURS]
    assert notes == {"left out": {}, "differ": {"by hand": 0.0, OURS: 0.0}}
    wrong = quadratic(by_hand=lambda x: [2 * x + 1e-6])
    with pytest.raises(AssertionError, match=r"pullback are not those of by hand: they differ by"):
        first_calls(wrong, ["by hand", OURS])
    undefined = quadratic(by_hand=lambda x: [x * np.nan])
    with pytest.raises(AssertionError, match="differ by nan"):
        first_calls(undefined, ["by hand", OURS])
    with pytest.raises(AssertionError, match="other shapes or dtypes"):
        differ([np.float32(1.0)], [np.float64(1.0)])


def test_a_side_that_takes_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.native.samples.PATIENCE", 0.02)
    slow = quadratic(by_hand=lambda x: time.sleep(10.0))
    sides, notes = first_calls(slow, ["by hand", OURS])
    assert list(sides) == [OURS]
    assert notes["left out"] == {"by hand": "over 0.02 s a call"}


def test_blocks_of_the_sides_alternate() -> None:
    called: list[str] = []
    sides = {name: Side(lambda name=name: called.append(name)) for name in "AB"}
    samples = sample(sides, rounds=3, seconds=1e-6)
    assert {name: len(blocks) for name, blocks in samples.items()} == {"A": 3, "B": 3}
    blocks = "".join(b for a, b in zip(" " + "".join(called), called, strict=False) if a != b)
    assert blocks.endswith("ABABAB")


def test_the_copy_moves_what_is_donated() -> None:
    problem = small("l2-reused")
    assert problem.sides == (OURS, "JAX", COPY)
    side = make(problem, COPY)
    assert side.call() is None and not side.compared


def test_a_compiler_is_used_as_soon_as_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions are compiled, donated arguments are the last results, first calls are timed."""
    asked: list[Any] = []

    def identity(f: Any, donate: Any = ()) -> Any:
        asked.append(donate)
        return f

    monkeypatch.setattr(pb, "compile", identity, raising=False)
    assert compiles()
    problem = small("l2-reused")
    side = make(problem, OURS)
    once, again = arrays(side.call()), arrays(side.call())
    for first, second in zip(once, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert asked == [(0, 1)] and side.patient
    assert 0.0 < worker.first_result("vector", OURS, perf_counter)["seconds"] < 5.0
    assert asked == [(0, 1), (), ()]


def test_who_was_left_out_with_one_thread_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, list[str]] = {}

    def run(arguments: list[str], variables: dict[str, str]) -> dict[str, Any]:
        sides = arguments[arguments.index("--sides") + 1 :]
        asked[f"{variables['PULLBACK_NUM_THREADS']}:{variables['OMP_NUM_THREADS']}"] = sides
        slow = {"JAX": "not installed"} if "JAX" in sides else {}
        seconds = {side: [1e-6] for side in sides if side not in slow}
        return {"seconds": seconds, "left out": slow, "differ": dict.fromkeys(seconds, 0.0)}

    monkeypatch.setattr(processes, "compiles", lambda: False)
    monkeypatch.setattr(processes, "_run", run)
    figures = processes.measure("vector", WORKLOADS["vector"](), Effort())
    assert asked == {
        "1:1": ["by hand", OURS, "JAX", "PyTorch"],
        "1:2": ["by hand", OURS, "PyTorch"],
    }
    assert figures["left out"] == {"JAX": "not installed"} and figures["first"] == {}
    assert {threads: list(found) for threads, found in figures["seconds"].items()} == {
        "1:1": asked["1:2"],
        "1:2": asked["1:2"],
    }


def test_where_ours_shares_its_work_the_peers_have_the_better_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, ...]] = []

    def run(arguments: list[str], variables: dict[str, str]) -> dict[str, Any]:
        names = ("PULLBACK_NUM_THREADS", "OMP_NUM_THREADS", "NPROC")
        asked.append(tuple(variables[name] for name in names))
        return {"seconds": {OURS: [1e-3]}, "left out": {}, "differ": {}}

    monkeypatch.setattr(processes, "compiles", lambda: False)
    monkeypatch.setattr(processes, "_run", run)
    problem = quadratic(two_threads=0.5)
    thorough = processes.measure("a", problem, Effort())
    assert asked == [("1", "1", "1"), ("2", "2", "2"), ("2", "1", "1")]
    assert list(thorough["seconds"]) == ["1:1", "2:2", "2:1"]
    assert list(processes.measure("a", problem, Effort(thorough=False))["seconds"]) == [
        "1:1",
        "2:2",
    ]
    busy = Effort(clock="processor")
    assert list(processes.measure("a", problem, busy)["seconds"]) == ["1:1"]


def test_first_results_with_an_empty_and_a_warm_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[tuple[str, str]] = []

    def run(arguments: list[str], variables: dict[str, str]) -> dict[str, float]:
        side, caches = arguments[-1], ("PULLBACK_CACHE", "JAX_COMPILATION_CACHE_DIR")
        runs.append((side, variables.get(caches[side == "JAX"], "none")))
        return {"seconds": float(len(runs))}

    monkeypatch.setattr(processes, "compiles", lambda: True)
    monkeypatch.setattr(processes, "_run", run)
    vector, sides = WORKLOADS["vector"](), [OURS, "JAX", "PyTorch"]
    assert processes._first_results("vector", sides, vector, Effort(firsts=2)) == {
        OURS: {"empty": [2.0, 6.0], "warm": [3.0, 7.0]},
        "JAX": {"empty": [4.0, 8.0], "warm": [5.0, 9.0]},
    }
    (_, filled), *rounds = runs
    ours = [cache for side, cache in rounds if side == OURS]
    assert ours[0] == ours[1] != ours[2] == ours[3]
    assert [cache for side, cache in rounds if side == "JAX"] == ["none", filled] * 2
    runs.clear()
    quick = processes._first_results("vector", sides, vector, Effort(firsts=1, thorough=False))
    assert quick == {OURS: {"empty": [1.0], "warm": [2.0]}, "JAX": {"empty": [3.0]}}


def test_numpy_has_one_thread_whatever_the_peers_have() -> None:
    two = environment(Threads(1, 2))
    assert two["PULLBACK_NUM_THREADS"] == "1"
    assert (two["OPENBLAS_NUM_THREADS"], two["OMP_NUM_THREADS"], two["NPROC"]) == ("1", "2", "2")
    assert "multi_thread_eigen=false" in environment(Threads(2, 1))["XLA_FLAGS"]
    assert two["XLA_FLAGS"] == ""


# -- what is reported --------------------------------------------------------------------------

TWO = quadratic(
    bounds={BEST: 0.5, "by hand": 1.0},
    by_hand=lambda x: [2 * x],
    torch=lambda torch: lambda x: torch.sum(x * x),
    other={"unrolled": lambda jax: lambda x: jax.numpy.sum(x * x)},
)
FIGURES: dict[str, Any] = {
    "seconds": {
        "1:1": {
            OURS: [3e-6, 1e-6, 2e-6],
            "by hand": [1e-6] * 3,
            "JAX": [10e-6] * 3,
            "JAX, unrolled": [5e-6] * 3,
            "PyTorch": [40e-6] * 3,
        },
        "1:2": {
            OURS: [4e-6] * 3,
            "by hand": [2e-6] * 3,
            "JAX": [16e-6] * 3,
            "PyTorch": [70e-6] * 3,
        },
    },
    "left out": {},
    "differ": {},
    "first": {
        OURS: {"empty": [0.1, 0.3, 0.2], "warm": [0.01] * 3},
        "JAX": {"empty": [0.4] * 3, "warm": [0.2] * 3},
    },
}
TABLE = """\
a quadratic function  (gradient; values within 1e-09)
                                            ours  theirs  ours ÷ theirs  at most
  compiled ÷ by hand                        2 µs    1 µs          2.000     1.00   missed
  compiled ÷ JAX, 2 threads                 4 µs   16 µs          0.250
  compiled ÷ JAX, unrolled, 1 thread        2 µs    5 µs          0.400     0.50  reached
  compiled ÷ PyTorch, 2 threads             4 µs   70 µs          0.057
  first result, empty cache ÷ JAX without  200 ms  400 ms          0.500     0.50  reached
"""


def test_the_bound_stands_at_the_strongest_side_with_its_best_threads() -> None:
    found = {c.side: c for c in comparisons(TWO, FIGURES)}
    assert {side: c.threads.theirs for side, c in found.items() if side != "by hand"} == {
        "JAX": 2,
        "JAX, unrolled": 1,
        "PyTorch": 2,
    }
    assert found["JAX, unrolled"].ratio == pytest.approx(0.4)
    assert {side: c.reached for side, c in found.items()} == {
        "by hand": False,
        "JAX": None,
        "JAX, unrolled": True,
        "PyTorch": None,
    }
    first = first_results(FIGURES)
    assert first is not None and first.ratio("empty") == pytest.approx(0.5)
    assert first.reached("empty", TWO) and first.reached("warm", TWO)
    assert verdicts(TWO, FIGURES) == [False, True, True, True]
    assert summary([(TWO, FIGURES)]).startswith("3 of 4 bounds reached, 0 not measured.")


def test_a_bound_may_be_for_one_spelling_or_for_the_best_of_a_library() -> None:
    for whom, at in {"JAX": "JAX, unrolled", "JAX, unrolled": "JAX, unrolled"}.items():
        problem = quadratic(bounds={whom: 0.1}, other=TWO.other)
        bounds = {c.side: c.bound for c in comparisons(problem, FIGURES)}
        assert bounds == {"JAX": None, "JAX, unrolled": None, at: 0.1}


SHARED: dict[str, Any] = {
    "seconds": {
        "1:1": {OURS: [6e-3] * 3, "JAX": [10e-3] * 3, "PyTorch": [20e-3] * 3},
        "2:2": {OURS: [3e-3] * 3, "JAX": [12e-3] * 3, "PyTorch": [11e-3] * 3},
        "2:1": {OURS: [4e-3] * 3, "JAX": [10e-3] * 3, "PyTorch": [20e-3] * 3},
    },
    "left out": {},
    "differ": {},
    "first": {},
}


def test_with_two_threads_the_bound_is_another_and_the_gain_is_known() -> None:
    problem = quadratic(bounds={BEST: 0.5}, two_threads=0.45, torch=TWO.torch, first=0.4)
    found = [(c.side, *c.threads, round(c.ratio, 3), c.bound) for c in comparisons(problem, SHARED)]
    assert found == [
        ("JAX", 1, 1, 0.6, 0.5),
        ("PyTorch", 1, 1, 0.3, None),
        ("JAX", 2, 1, 0.4, 0.45),
        ("PyTorch", 2, 2, 0.273, None),
    ]
    twice = speed_up(SHARED)
    assert twice is not None and twice.ratio == 0.5 and twice.reached
    assert verdicts(problem, SHARED) == [False, True, True]
    text = as_text(problem, SHARED, "compiled")
    assert "compiled, 1 thread ÷ JAX, 1 thread " in text
    assert "compiled, 2 threads ÷ 1 thread " in text
    short = {"seconds": {name: {OURS: [1e-3]} for name in ("1:1", "2:2")}}
    assert speed_up(short).bound is None and speed_up({"seconds": {}}) is None  # type: ignore[union-attr]
    late = SHARED | {"first": {OURS: {"empty": [0.18], "warm": [0.01]}, "JAX": {"empty": [0.4]}}}
    assert verdicts(problem, late)[-2:] == [False, True]
    assert "0.450     0.40   missed" in as_text(problem, late, "compiled")


def test_the_table_says_what_is_reached_and_who_was_left_out() -> None:
    lines = as_text(TWO, FIGURES, "compiled").splitlines()
    words = [line.split() for line in lines]
    assert [line.split() for line in TABLE.splitlines()] == words[: len(TABLE.splitlines())]
    without = {
        "seconds": {"1:1": {"JAX": [1e-6]}},
        "left out": {OURS: "over 5 s a call"},
        "first": {},
    }
    text = as_text(TWO, without, "eager")
    assert "pullback left out: over 5 s a call" in text
    assert math.isnan(comparisons(TWO, without)[0].ratio)
    assert verdicts(TWO, without) == [] and "missed" not in text
    assert summary([(TWO, without)]).startswith("0 of 0 bounds reached, 1 not measured.")


def test_the_command_measures_writes_and_draws(tmp_path: Path) -> None:
    """In processes of its own: without other libraries, what there is is measured."""
    figures, picture = tmp_path / "figures.json", tmp_path / "ratios.png"
    files = ("--json", str(figures), "--plot", str(picture))
    line = [sys.executable, "-m", "benchmarks", "native", "vector", "--quick", "--busy", *files]
    completed = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    assert WORKLOADS["vector"]().title in completed.stdout
    record = json.loads(figures.read_text(encoding="utf-8"))
    workload = record["workloads"]["vector"]
    assert workload["bounds"] == {BEST: 0.35, "by hand": 1.0}
    assert record["clock"] == "processor" and set(workload["seconds"]) == {"1:1"}
    assert all(len(blocks) == 3 for blocks in workload["seconds"]["1:1"].values())
    assert {OURS, "by hand"} <= set(workload["seconds"]["1:1"])
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_picture_has_a_row_for_each_problem(tmp_path: Path) -> None:
    path = tmp_path / "ratios.svg"
    plot.draw([(TWO, FIGURES), (quadratic(), FIGURES)], "compiled", path)
    written = path.read_text(encoding="utf-8")
    words = (TWO.title, "compiled", "JAX", "PyTorch", "by hand", "at most", "empty", "warm")
    assert all(word in written for word in words)
    assert written.count(TWO.title) == 2


def test_a_failing_problem_is_named(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    def fail(*_: Any) -> Any:
        raise WorkerError("vector: the values differ")

    monkeypatch.setattr(command, "measure", fail)
    assert command.main(["vector"]) == 1
    assert "failed: vector: the values differ" in capsys.readouterr().out
