"""Random programs of loops, conditions and writes: as Python runs them, or refused."""

from __future__ import annotations

import linecache
import warnings
from collections import Counter
from typing import Any

import numpy as np

import pullback as pb
from tests.lifting.generation import program

X = np.array([0.3, -0.2, 0.5, 0.1, -0.4, 0.25])


def function_of(seed: int) -> Any:
    """The function of a program, whose source is where `inspect` looks for it."""
    text, path = program(seed), f"/generated/program_{seed}.py"
    linecache.cache[path] = (len(text), None, text.splitlines(True), path)
    space: dict[str, Any] = {"np": np}
    exec(compile(text, path, "exec"), space)
    return space["program"]


def outcome(seed: int) -> str:
    """What becomes of the program of a seed, in a word."""
    f = pb.value_and_grad(function_of(seed))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            value, gradient = f(X)
        except pb.PullbackError:
            return "not differentiated"
        try:
            found, derivative = pb.trace(f, X, lift=True)(X)
        except pb.DataDependenceError:
            return "refused"
    np.testing.assert_allclose(found, value, rtol=1e-9, atol=1e-12, err_msg=program(seed))
    np.testing.assert_allclose(derivative, gradient, rtol=1e-7, atol=1e-10, err_msg=program(seed))
    return "right"


def test_random_programs() -> None:
    # The last ones bind an array anew in one block of a condition, and write to it in the other.
    outcomes = Counter(map(outcome, [*range(1000, 1060), 30013, 30022, 30071]))
    assert outcomes["right"] >= 45
