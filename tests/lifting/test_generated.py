"""Random programs of loops, conditions and writes: as Python runs them, or refused."""

from __future__ import annotations

import linecache
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from tests.lifting.generation import program
from tests.lifting.shared_generation import shared_program

X = np.array([0.3, -0.2, 0.5, 0.1, -0.4, 0.25])
OTHER = np.array([-0.45, 0.31, 0.12, -0.05, 0.6, -0.3])


def function_of(seed: int, made: Callable[[int], str] = program) -> Any:
    """The function of a program, whose source is where `inspect` looks for it."""
    text, path = made(seed), f"/generated/{made.__name__}_{seed}.py"
    linecache.cache[path] = (len(text), None, text.splitlines(True), path)
    space: dict[str, Any] = {"np": np}
    exec(compile(text, path, "exec"), space)
    return space["program"]


def outcome(seed: int, made: Callable[[int], str] = program, *, native: bool = False) -> str:
    """What becomes of the program of a seed, recorded or `native`, in a word."""
    f = pb.value_and_grad(function_of(seed, made))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            expected = [f(x) for x in (X, OTHER)]
        except (pb.PullbackError, IndexError, UnboundLocalError):
            return "no program"
        try:
            kept = pb.compile(f) if native else pb.trace(f, X, lift=True)
            found = [kept(x) for x in (X, OTHER)]
        except (pb.DataDependenceError, pb.AliasError):
            return "refused"
    for (value, slope), (wanted, gradient) in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-9, atol=1e-12, err_msg=made(seed))
        np.testing.assert_allclose(slope, gradient, rtol=1e-7, atol=1e-10, err_msg=made(seed))
    return "right"


def test_random_programs() -> None:
    # The last ones bind an array anew in one block of a condition, and write to it in the other.
    outcomes = Counter(map(outcome, [*range(1000, 1060), 30013, 30022, 30071]))
    assert outcomes["right"] >= 45


def test_programs_whose_state_is_shared() -> None:
    outcomes = Counter(outcome(seed, shared_program) for seed in range(24))
    assert outcomes["right"] >= 8
    assert outcome(3, shared_program, native=True) != "no program"
