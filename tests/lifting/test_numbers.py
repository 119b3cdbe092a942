"""Python numbers in what is kept decide on no dtype, and loops that aren't worth keeping."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.compiler.arguments import recorded

X = np.linspace(0.1, 1.0, 10).astype(np.float32)


def counts(x):
    s = 0
    for i in range(10):
        s += i
    return s * x


def decays(x):
    s, t = 0.0 * x[0], 1.0
    for i in range(10):
        t = t * 0.5 + (0.25 if x[i] > 0.5 else 0.125)
        s = s + t * x[i]
    return s, t * x


def chooses(x):
    if x[1] > 0:  # noqa: SIM108
        scale = 2
    else:
        scale = 1.5
    return x * scale * (2.0 if x[0] > 5 else 3.0)


def multiplies(x):
    t = 1.0
    for each in x:
        t = t * each
    return t, t * np.float64(2.0)


def searches(x):
    k = 0
    while x[k] < 0.5:
        k += 1
    return x * k, x**k


def becomes_a_scalar(x):
    t = 1.0
    if x[0] > 0:
        t = np.float64(2.0)
    return x * t


@pytest.mark.parametrize("f", [counts, decays, chooses, multiplies, searches, becomes_a_scalar])
def test_dtypes_are_those_of_python(f: Any) -> None:
    graph = pb.trace(f, X, lift=True)
    assert len(graph.equations) < 25
    expected, found = f(X), graph(X)
    if not isinstance(expected, tuple):
        expected, found = (expected,), (found,)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_compile_unrolls_short_loops_that_have_no_loop_inside() -> None:
    def innermost(x, n):
        s = 0.0
        for i in range(n):
            s += np.sin(x[i])
        return s

    def nested(x, n):
        s = 0.0
        for i in range(n):
            for j in range(n):
                s += np.sin(x[i] * x[j])
        return s

    def loops(f: Any, n: int) -> int:
        graph, _ = recorded(lambda x: f(x, n), "f", (X,), {}, lift=pb.compile(f).lift)
        return sum(each.primitive.name == "scan" for each in graph.equations)

    assert [loops(innermost, n) for n in (7, 8)] == [0, 1]
    assert [loops(nested, n) for n in (3, 4)] == [0, 1]
