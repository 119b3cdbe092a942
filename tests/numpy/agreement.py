"""What every function of NumPy's surface is held to: NumPy's own result, and its derivative.

The oracle for a value is NumPy, called with plain arrays. The oracle for the derivative of a linear
function is the function itself; for an analytic one it is the complex step, Im f(x + ihv)/h, which
is right to the last bits; for any other one, extrapolated central differences.
"""

from __future__ import annotations

import numpy as np

import pullback as pb
from pullback.core import trees

__all__ = ["assert_analytic", "assert_constant", "assert_derivative", "assert_linear"]

COMPLEX_STEP = 1e-40


def leaves(tree):
    return trees.flatten(tree)[0]


def whole_numbers(rng, x):
    """Small whole numbers of the shape and dtype of `x`: their sums and products are exact."""
    values = rng.integers(-9, 10, np.shape(x)).astype(float)
    if np.iscomplexobj(x):
        values = values + 1j * rng.integers(-9, 10, np.shape(x))
    return np.asarray(values).astype(np.result_type(x))


def directions(rng, x):
    values = rng.uniform(-1, 1, np.shape(x))
    if np.iscomplexobj(x):
        values = values + 1j * rng.uniform(-1, 1, np.shape(x))
    return np.asarray(values).astype(np.result_type(x))


def inner(xs, ys):
    return sum(np.sum(np.real(np.conj(x) * y)) for x, y in zip(xs, ys, strict=True))


def assert_same(got, expected, rtol):
    """Equal in structure, shapes, dtypes and values."""
    got, expected = leaves(got), leaves(expected)
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.result_type(a) == np.result_type(b)
        if np.all(a == b):  # so nearly always, and `assert_allclose` takes its time
            continue
        scale = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * scale)


def assert_linear(function, *primals):
    """`function` rearranges or adds elements: everything about it is exact."""
    rng = np.random.default_rng(0)
    primals = tuple(whole_numbers(rng, x) for x in primals)
    expected = function(*primals)
    out, push = pb.linearize(function, *primals)
    assert_same(out, expected, 0)
    dots = tuple(whole_numbers(rng, x) for x in primals)
    moved = function(*dots)
    assert_same(push(*dots), moved, 0)
    assert_same(pb.pushforward(function, primals, dots), (expected, moved), 0)
    bars = trees.map_tree(lambda y: whole_numbers(rng, y), expected)
    _, pulled = pb.pullback(function, primals, bars)
    assert inner(leaves(moved), leaves(bars)) == inner(dots, pulled)


def assert_analytic(function, *primals, rtol=1e-13):
    """`function` is analytic, and NumPy evaluates it at complex arguments."""
    rng = np.random.default_rng(0)
    dots = tuple(directions(rng, x) for x in primals)
    moved = [x + 1j * COMPLEX_STEP * x_dot for x, x_dot in zip(primals, dots, strict=True)]
    expected = trees.map_tree(lambda y: np.imag(y) / COMPLEX_STEP, function(*moved))
    _check(function, primals, dots, expected, rtol, rtol)


def assert_derivative(function, *primals, rtol=1e-13, step=1e-3):
    """`function` is smooth within a few steps of the primals."""
    rng = np.random.default_rng(0)
    dots = tuple(directions(rng, x) for x in primals)

    def slope(h):
        ahead = leaves(function(*(x + h * dot for x, dot in zip(primals, dots, strict=True))))
        behind = leaves(function(*(x - h * dot for x, dot in zip(primals, dots, strict=True))))
        return [(a - b) / (2 * h) for a, b in zip(ahead, behind, strict=True)]

    expected = []
    for d0, d1, d2 in zip(slope(step), slope(step / 4), slope(step / 16), strict=True):
        e1, e2 = d1 + (d1 - d0) / 15, d2 + (d2 - d1) / 15
        expected.append(e2 + (e2 - e1) / 255)
    _check(function, primals, dots, expected, rtol, 1e-8)


def _check(function, primals, dots, expected_dots, rtol, derivative_rtol):
    rng = np.random.default_rng(1)
    plain = function(*primals)
    out, push = pb.linearize(function, *primals)
    assert_same(out, plain, rtol)
    pushed = leaves(push(*dots))
    for got, expected in zip(pushed, leaves(expected_dots), strict=True):
        assert np.shape(got) == np.shape(expected)
        scale = max(np.max(np.abs(expected), initial=0.0), 1.0)
        np.testing.assert_allclose(
            got, expected, rtol=derivative_rtol, atol=derivative_rtol * scale
        )
    bars = trees.map_tree(lambda y: directions(rng, y), plain)
    again, pulled = pb.pullback(function, primals, bars)
    assert_same(again, plain, rtol)
    for x_bar, x in zip(pulled, primals, strict=True):
        assert np.shape(x_bar) == np.shape(x)
        assert x_bar.dtype == np.result_type(x)
    forward, reverse = inner(pushed, leaves(bars)), inner(dots, pulled)
    scale = np.sqrt(inner(pushed, pushed) * inner(leaves(bars), leaves(bars)))
    scale = max(scale, np.sqrt(inner(dots, dots) * inner(pulled, pulled)), 1e-3)
    assert abs(forward - reverse) <= 1e-13 * scale


def assert_constant(function, *primals):
    """`function` gives NumPy's values, as plain values, and stops the derivative."""
    plain = function(*primals)
    seen = []

    def probe(*xs):
        seen.append(function(*xs))
        return sum(np.sum(x) for x in xs)

    pb.grad(probe)(*primals)
    for got, expected in zip(leaves(seen[0]), leaves(plain), strict=True):
        np.testing.assert_array_equal(got, expected)
        assert np.result_type(got) == np.result_type(expected)
