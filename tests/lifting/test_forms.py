"""All forms of loops and conditions of the language, kept where they can be."""

from __future__ import annotations

import copy
import traceback
import warnings
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.lifting.trace import recorded
from tests.lifting import forms

X = np.linspace(0.05, 0.95, 10)
OTHER = np.array([0.45, 0.1, -0.2, 0.55, 0.3, 0.7, -0.4, 0.2, 0.6, 0.05])
MOST = 25
"""Equations of a function all loops of which are kept."""


def name(f: Any) -> str:
    return str(f.__name__)


def require_equal(f: Any, graph: Any, *points: Any) -> None:
    for x in points:
        value, gradient = pb.value_and_grad(f)(x)
        found, derivative = graph(x)
        np.testing.assert_allclose(found, value, rtol=1e-12)
        np.testing.assert_allclose(derivative, gradient, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("f", forms.LIFTED, ids=name)
def test_what_is_kept_is_right_and_recorded_once(f: Any) -> None:
    """Value and gradient at another point than that of the recording; no loop is unrolled."""
    graph, unrolled = recorded(pb.value_and_grad(f), X)
    assert unrolled == ()
    require_equal(f, graph, X, OTHER)
    assert len(pb.trace(f, X, lift=True).equations) <= MOST


@pytest.mark.parametrize("f", forms.UNROLLED, ids=name)
def test_what_is_unrolled_is_right_and_said(f: Any) -> None:
    graph, unrolled = recorded(pb.value_and_grad(f), X)
    assert [each.iterations for each in unrolled]
    require_equal(f, graph, X, OTHER)


@pytest.mark.parametrize("f", forms.REFUSED, ids=name)
def test_what_is_refused_names_the_line(f: Any) -> None:
    with pytest.raises(pb.DataDependenceError, match=rf"trace of {name(f)}.*forms.py, line \d+"):
        pb.trace(f, X, lift=True)


def test_without_lift_nothing_changes() -> None:
    assert len(pb.trace(forms.swaps, X).equations) > MOST
    with pytest.raises(pb.DataDependenceError):
        pb.trace(forms.tests_both, X)


def test_kinds_of_callables_are_rewritten() -> None:
    """Methods, partial functions, objects that are called, lambdas, compiled functions."""

    class Sum:
        rate = 2.0

        def total(self, x):
            s = 0.0
            for i in range(50):
                s += self.rate * x[i % 10]
            return s

        __call__ = total

    made = Sum()
    compiled = pb.compile(forms.swaps)
    choice = lambda x: x[0] if x[1] > 0 else x[2]  # noqa: E731
    for f in (made.total, made, lambda x: made.total(x), compiled, choice, copy.copy(made)):
        graph = pb.trace(f, X, lift=True)
        assert len(graph.equations) <= 10
        np.testing.assert_allclose(graph(OTHER), f(OTHER))


def test_functions_that_stay_as_they_are() -> None:
    """Without source, with `super`, or a generator: they run, and unroll."""
    space: dict[str, Any] = {"np": np}
    exec("def f(x):\n    s = 0.0\n    for i in range(10): s += x[i]\n    return s", space)

    class Base:
        def value(self, x):
            return x * 2

    class Derived(Base):
        def value(self, x):
            return sum(super(Derived, self).value(x[i]) for i in range(10))

    def generates(x):
        for i in range(10):
            yield x[i]

    for f in (space["f"], Derived().value, lambda x: sum(generates(x))):
        graph = pb.trace(f, X, lift=True)
        assert len(graph.equations) >= 10
        np.testing.assert_allclose(graph(OTHER), f(OTHER))


def test_tracebacks_point_into_the_users_file() -> None:
    def fails(x):
        for i in range(10):
            if i > 3:
                x = x @ np.ones(3)
        return x

    try:
        pb.trace(fails, X, lift=True)
    except ValueError as error:
        frames = traceback.extract_tb(error.__traceback__)
        assert any(
            each.filename == __file__ and "np.ones(3)" in (each.line or "") for each in frames
        )
    else:
        pytest.fail("no error")


def test_an_index_out_of_bounds_is_an_error_when_the_graph_runs() -> None:
    def reads(x):
        s = 0.0
        for i in range(12):
            s += x[i]
        return s

    for f in (pb.trace(reads, X, lift=True), pb.compile(reads, lift=True)):
        with pytest.raises(IndexError, match="out of bounds"):
            f(X)


def test_zero_iterations() -> None:
    """The number of iterations is an argument, zero too."""

    def counted(x, n):
        s, k = 0.5, -1
        for k in range(n):
            s += x[k]
        return s * (k + 2)

    graph = pb.trace(counted, X, 3, lift=True)
    native = pb.compile(counted, lift=True)
    for n in (0, 1, 9):
        assert graph(X, n) == pytest.approx(counted(X, n))
        assert native(X, n) == pytest.approx(counted(X, n))


def test_short_loops_and_lists_are_left_to_python() -> None:
    def short(x):
        s = 0.0
        for i in range(3):
            s += x[i]
        for v in [x[0], x[1], x[2], x[3], x[4]]:
            s += v
        return s

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph, unrolled = recorded(short, X)
    assert unrolled == ()
    assert {each.primitive.name for each in graph.equations} == {"index", "add"}
