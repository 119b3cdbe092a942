"""Slices whose length depends on an index: kept where that is right, and otherwise unrolled."""

from __future__ import annotations

import linecache
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.lifting.trace import recorded
from tests.lifting import slice_forms
from tests.lifting.slice_generation import slice_program
from tests.lifting.slice_kernels import NATIVE, SLICED

X = np.linspace(0.05, 0.95, 10)
OTHER = np.array([0.45, 0.1, -0.2, 0.55, 0.3, 0.7, -0.4, 0.2, 0.6, 0.05])
SIX = np.array([0.3017, -0.2083, 0.5141, 0.1029, -0.4067, 0.2511])


def name(f: Any) -> str:
    return str(f.__name__)


def require_equal(f: Any, graph: Any, *points: Any, rtol: float = 1e-10) -> None:
    for x in points:
        value, gradient = pb.value_and_grad(f)(x)
        found, derivative = graph(x)
        np.testing.assert_allclose(found, value, rtol=rtol)
        np.testing.assert_allclose(derivative, gradient, rtol=100 * rtol, atol=rtol)


@pytest.mark.parametrize("f", slice_forms.LIFTED, ids=name)
def test_what_is_kept_is_right_and_recorded_once(f: Any) -> None:
    """Value and gradient at another point than that of the recording; no loop is unrolled."""
    with np.errstate(all="ignore"):
        graph, unrolled = recorded(pb.value_and_grad(f), X)
        assert unrolled == ()
        require_equal(f, graph, X, OTHER)


@pytest.mark.parametrize("f", slice_forms.UNROLLED, ids=name)
def test_what_is_not_proven_right_is_unrolled_with_the_users_line(f: Any) -> None:
    graph, unrolled = recorded(pb.value_and_grad(f), X)
    (reason,) = [each.reason for each in unrolled]
    assert slice_forms.UNROLLED[f] in reason
    assert reason.startswith("line ") or slice_forms.UNROLLED[f] == "shape"
    require_equal(f, graph, X, OTHER)


@pytest.mark.parametrize("kernel", SLICED)
def test_a_kernel_stays_loops(kernel: str) -> None:
    """Forward and reverse against eager; native, too, for some."""
    f, args, most = SLICED[kernel]
    both = pb.value_and_grad(f, argnums=tuple(range(len(args))))
    value, gradients = both(*args)
    plain, unrolled = recorded(f, *args)
    assert unrolled == ()
    assert len(plain.equations) <= most
    found = [pb.trace(both, *args, lift=True)(*args)]
    if kernel in NATIVE:
        found.append(pb.compile(both, lift=True)(*args))
    for got, derivatives in found:
        np.testing.assert_allclose(got, value, rtol=1e-11)
        for one, other in zip(derivatives, gradients, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-11)
    dots = tuple(np.cos(np.arange(np.size(x))).reshape(np.shape(x)) for x in args)
    tangent = pb.pushforward(plain, args, dots)[1]
    wanted = sum(np.sum(x * y) for x, y in zip(dots, gradients, strict=True))
    np.testing.assert_allclose(tangent, wanted, rtol=1e-8)


def outcome(seed: int) -> str:
    """What becomes of the random program of a seed, in a word."""
    text, path = slice_program(seed, 2), f"/generated/slices_{seed}.py"
    linecache.cache[path] = (len(text), None, text.splitlines(True), path)
    space: dict[str, Any] = {"np": np}
    exec(compile(text, path, "exec"), space)
    f = space["program"]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            f(SIX)
        except (ValueError, IndexError):
            return "not a program"
        try:
            graph, unrolled = recorded(pb.value_and_grad(f), SIX)
        except pb.DataDependenceError:
            return "refused"
        require_equal(f, graph, SIX, rtol=1e-9)
    return "unrolled" if unrolled else "kept"


def test_random_programs() -> None:
    outcomes = Counter(map(outcome, range(1600, 1680)))
    assert outcomes["kept"] >= 60
    # Its reverse sweep needs a value that was not kept, and says so.
    assert outcome(930125) in ("refused", "kept")


def test_other_dtypes_are_kept_as_they_are() -> None:
    def f(x):
        y = x.copy()
        for i in range(1, 10):
            y[:i] += x[:i] / i * 0.5 + np.mean(x[:i]) - np.zeros(i, x.dtype)
            y[i] = len(x[:i]) * np.std(x[i - 1 :]) / x[i:].size
        return np.sum(y * y)

    x = X.astype(np.float32)
    graph, unrolled = recorded(pb.value_and_grad(f), x)
    value, gradient = graph(x)
    assert unrolled == ()
    assert value.dtype == gradient.dtype == np.float32
    (loop,) = [each for each in pb.trace(f, x, lift=True).equations if each.graphs]
    made = [y.dtype for each in loop.graphs["body"].equations for y in each.outputs]
    assert np.dtype(float) not in made
    require_equal(f, graph, x, rtol=1e-5)

    def counts(x):
        n = np.arange(10)
        for i in range(1, 10):
            n[i:] += n[:i].sum() % 5 + np.max(n[:i])
        return np.sum(x * n)

    require_equal(counts, pb.trace(pb.value_and_grad(counts), X, lift=True), X)


def test_bounds_may_be_arguments() -> None:
    """The extents are those of the arrays then; there is none for an array that is made."""

    def f(x, n):
        s, y = 0.0, x.copy()
        for i in range(n):
            for j in range(i, n):
                y[i:j] *= 0.9
                s += np.sum(y[: j + 1]) + y[i:j] @ x[i:j]
        return s

    graph, unrolled = recorded(f, X, 3)
    assert unrolled == ()
    native = pb.compile(f, lift=True)
    for n in (0, 1, 7, 10):
        assert graph(X, n) == pytest.approx(f(X, n))
        assert native(X, n) == pytest.approx(f(X, n))

    def makes(x, n):
        s = 0.0
        for i in range(n):
            s += np.sum(np.zeros(i)) + x[i]
        return s

    with pytest.raises(pb.DataDependenceError, match="an array whose extent may be anything"):
        pb.trace(makes, X, 3, lift=True)


def test_a_window_of_known_length_says_where_it_leaves_the_array() -> None:
    """Where it isn't known that it does, and so is as long as it is."""

    def f(x, n):
        s = 0.0
        for i in range(n):
            s += x[i : i + 3] @ x[:3]
        return s

    graph, unrolled = recorded(f, X, 5)
    assert unrolled == ()
    assert graph(X, 8) == pytest.approx(f(X, 8))
    with pytest.raises(IndexError, match="a slice of length 3"):
        graph(X, 9)


def test_the_graph_has_the_same_form_for_every_extent() -> None:
    """A factorisation of another size has as many equations, and so has its gradient."""
    f, (A,), _ = SLICED["lu_of_any_size"]
    sizes = [pb.trace(pb.grad(f), A[:n, :n], lift=True) for n in (5, 7)]
    assert len({len(graph.equations) for graph in sizes}) == 1
