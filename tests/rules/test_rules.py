"""Every primitive of the rule book, at every point that `tests.rules.cases` gives.

The checks are written out here rather than taken from `pullback.check`, so that the two confirm
each other. The independent oracle is the function itself, through Richardson-extrapolated central
differences; in single precision it is the double-precision derivative at the same point.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import pullback as pb
from pullback.core.primitive import registry
from tests.grouping import for_each
from tests.rules.cases import CASES

POINTS = [
    pytest.param(name, case, dtype, id=f"{name}-{number}-{dtype}")
    for name, cases in sorted(CASES.items())
    for number, case in enumerate(cases)
    for dtype in case.dtypes
]


def primitive_and_dtype(identifier):
    name, _, dtype = identifier.rsplit("-", 2)
    return f"{name}-{dtype}"


each_point = for_each(POINTS, primitive_and_dtype)

COMPLEX_OF = {"float64": np.complex128, "float32": np.complex64}
STEP = 2.0**-9

DETACHING = {"stop_gradient"}
"""Primitives whose derivative is zero by decree; `tests.transforms` has their tests."""


def test_every_primitive_has_test_inputs_and_every_input_a_primitive():
    assert set(registry) - DETACHING == set(CASES)
    assert all(CASES.values())


def ufunc_of(name):
    """The ufunc of NumPy or SciPy that a primitive is named after, if there is one."""
    function = getattr(np, name, getattr(scipy.special, name, None))
    return function if isinstance(function, np.ufunc) else None


@pytest.mark.parametrize("name", sorted(filter(ufunc_of, CASES)))
def test_primitives_named_after_ufuncs_have_their_values(name):
    for case in CASES[name]:
        expected = ufunc_of(name)(*case.args, **case.params)
        got = registry[name].value(*case.args, **case.params)
        for a, b in zip(np.atleast_1d(got), np.atleast_1d(expected), strict=True):
            np.testing.assert_array_equal(a, b)


# -- a case as a function of the arguments that are differentiated -------------------------------


class Point:
    """A case at a precision: the function of its inexact arguments, and random directions."""

    def __init__(self, name, case, dtype):
        self.primitive = registry[name]
        self.params = case.params
        self.args = [convert(arg, dtype) for arg in case.args]
        self.varying = [i for i, arg in enumerate(self.args) if np.result_type(arg).kind in "fc"]
        self.primals = tuple(self.args[i] for i in self.varying)
        self.rng = np.random.default_rng([ord(c) for c in name])

    def __call__(self, *primals):
        args = list(self.args)
        for i, primal in zip(self.varying, primals, strict=True):
            args[i] = primal
        out = self.primitive(*args, **self.params)
        return tuple(out) if self.primitive.multiple else (out,)

    def in_double(self):
        """The same point, the same values, in double precision."""
        point = object.__new__(Point)
        point.__dict__.update(self.__dict__)
        point.args = [widen(arg) for arg in self.args]
        point.primals = tuple(point.args[i] for i in point.varying)
        return point

    def tangents(self):
        return tuple(random_like(x, self.rng) for x in self.primals)

    def cotangents(self):
        return tuple(
            random_like(y, self.rng) if np.result_type(y).kind in "fc" else None
            for y in self(*self.primals)
        )


def convert(arg, dtype):
    arg = np.asarray(arg)
    if arg.dtype.kind == "f":
        return arg.astype(dtype)
    return arg.astype(COMPLEX_OF[dtype]) if arg.dtype.kind == "c" else arg


def widen(arg):
    kind = np.asarray(arg).dtype.kind
    return arg.astype({"f": np.float64, "c": np.complex128}[kind]) if kind in "fc" else arg


def random_like(x, rng):
    """A random array of the shape and dtype of `x`, with entries of size one."""
    dtype = np.result_type(x)
    values = rng.uniform(0.5, 1.0, np.shape(x)) * rng.choice([-1.0, 1.0], np.shape(x))
    if dtype.kind == "c":
        values = values + 1j * rng.uniform(-1.0, 1.0, np.shape(x))
    return np.asarray(values).astype(dtype)


def inner(xs, ys):
    """Re Σ conj(x)·y over the pairs that both exist."""
    return sum(
        np.sum(np.real(np.conj(widen(x)) * widen(y)))
        for x, y in zip(xs, ys, strict=True)
        if x is not None and y is not None
    )


def size_of(xs):
    """The norm of a tuple of arrays."""
    return np.sqrt(inner(xs, xs)) if xs else 0.0


def precision(dtype):
    return float(np.finfo(dtype).eps)


def assert_close(got, expected, tolerance, what):
    """Compare tuples of arrays relative to the norm of each expected array."""
    assert len(got) == len(expected)
    for position, (a, b) in enumerate(zip(got, expected, strict=True)):
        assert (a is None) == (b is None), f"{what}: [{position}] is {a}, expected {b}"
        if a is None:
            continue
        a, b = widen(a), widen(b)
        assert np.shape(a) == np.shape(b), f"{what}: [{position}]"
        scale = max(np.max(np.abs(b), initial=0.0), 1e-3)
        np.testing.assert_allclose(
            a, b, rtol=tolerance, atol=tolerance * scale, err_msg=f"{what}: [{position}]"
        )


def differences(function, primals, tangents):
    """d/dt function(x + tẋ) at 0 by central differences, extrapolated twice."""

    def slope(h):
        ahead = function(*(x + h * x_dot for x, x_dot in zip(primals, tangents, strict=True)))
        behind = function(*(x - h * x_dot for x, x_dot in zip(primals, tangents, strict=True)))
        return [
            (a - b) / (2 * h) if np.result_type(a).kind in "fc" else None
            for a, b in zip(ahead, behind, strict=True)
        ]

    rows = [slope(STEP * 4.0**-level) for level in range(3)]
    out = []
    for d0, d1, d2 in zip(*rows, strict=True):
        if d0 is None:
            out.append(None)
            continue
        e1, e2 = d1 + (d1 - d0) / 15, d2 + (d2 - d1) / 15
        out.append(e2 + (e2 - e1) / 255)
    return out


def one_at_a_time(point):
    """Tangents in which one argument moves and the others rest."""
    for moving in range(len(point.primals)):
        tangents = point.tangents()
        yield (
            moving,
            tuple(dot if i == moving else np.zeros_like(dot) for i, dot in enumerate(tangents)),
        )


# -- first order ---------------------------------------------------------------------------------


@each_point
def test_values_dtypes_and_shapes(name, case, dtype):
    point = Point(name, case, dtype)
    plain = point(*point.primals)
    out, out_dot = pb.pushforward(point, point.primals, point.tangents())
    again, pull = pb.vjp(point, *point.primals)
    bars = pull(point.cotangents())
    for y, y_forward, y_reverse, y_dot in zip(plain, out, again, out_dot, strict=True):
        np.testing.assert_array_equal(y_forward, y)
        np.testing.assert_array_equal(y_reverse, y)
        if np.result_type(y).kind in "fc":
            assert np.shape(y_dot) == np.shape(y)
            assert np.result_type(y_dot) == np.result_type(y)
        else:
            assert y_dot is None
    for x, x_bar in zip(point.primals, bars, strict=True):
        assert np.shape(x_bar) == np.shape(x)
        assert np.result_type(x_bar) == np.result_type(x)


@each_point
def test_adjointness(name, case, dtype):
    """⟨Jẋ, ȳ⟩ = ⟨ẋ, Jᵀȳ⟩, argument by argument."""
    point = Point(name, case, dtype)
    _, push = pb.linearize(point, *point.primals)
    _, pull = pb.vjp(point, *point.primals)
    y_bar = point.cotangents()
    x_bar = pull(y_bar)
    for moving, x_dot in one_at_a_time(point):
        y_dot = push(*x_dot)
        forward, reverse = inner(y_dot, y_bar), inner(x_dot, x_bar)
        scale = size_of(y_dot) * size_of([b for b in y_bar if b is not None])
        scale = max(scale, size_of(x_dot) * size_of([x_bar[moving]]), 1e-3)
        assert abs(forward - reverse) <= 200 * precision(dtype) * scale, (
            f"argument {moving}: ⟨Jẋ, ȳ⟩ = {forward}, ⟨ẋ, Jᵀȳ⟩ = {reverse}"
        )


@each_point
def test_pushforward_is_the_derivative(name, case, dtype):
    """Against the function itself in double precision, and against double precision in single."""
    point = Point(name, case, dtype)
    for moving, x_dot in one_at_a_time(point):
        _, y_dot = pb.pushforward(point, point.primals, x_dot)
        if dtype == "float64":
            expected, tolerance = differences(point, point.primals, x_dot), 2e-8
        else:
            double = point.in_double()
            wide = tuple(widen(dot) for dot in x_dot)
            _, expected = pb.pushforward(double, double.primals, wide)
            tolerance = 500 * precision(dtype)
        assert_close(y_dot, expected, tolerance, f"argument {moving}")


@each_point
def test_taylor_remainder_is_of_second_order(name, case, dtype):
    """‖f(x + hẋ) − f(x) − hJẋ‖ = O(h²), down to the rounding of f."""
    point = Point(name, case, dtype).in_double()
    start, _ = pb.vjp(point, *point.primals)
    floats = [i for i, y in enumerate(start) if np.result_type(y).kind in "fc"]
    for moving, x_dot in one_at_a_time(point):
        _, y_dot = pb.pushforward(point, point.primals, x_dot)
        remainders = []
        for h in (STEP / 4, STEP / 16):
            moved = point(*(x + h * dot for x, dot in zip(point.primals, x_dot, strict=True)))
            rest = [moved[i] - start[i] - h * y_dot[i] for i in floats]
            remainders.append(size_of(rest))
        floor = 1e-12 * (1 + size_of([start[i] for i in floats]))
        assert remainders[1] <= remainders[0] / 10 + floor, f"argument {moving}: {remainders}"


@each_point
def test_zero_in_gives_exactly_zero_out(name, case, dtype):
    point = Point(name, case, dtype)
    zeros = tuple(np.zeros_like(x) for x in point.primals)
    _, out_dot = pb.pushforward(point, point.primals, zeros)
    assert all(np.all(y_dot == 0) for y_dot in out_dot if y_dot is not None)
    out, pull = pb.vjp(point, *point.primals)
    bars = [np.zeros_like(y) if np.result_type(y).kind in "fc" else None for y in out]
    assert all(np.all(x_bar == 0) for x_bar in pull(tuple(bars)))


@each_point
def test_the_recorded_pushforward_agrees_with_the_direct_one(name, case, dtype):
    point = Point(name, case, dtype)
    _, push = pb.linearize(point, *point.primals)
    for _ in range(2):
        tangents = point.tangents()
        _, direct = pb.pushforward(point, point.primals, tangents)
        assert_close(push(*tangents), direct, 20 * precision(dtype), "linearize")


# -- second order --------------------------------------------------------------------------------


each_smooth_point = for_each([p for p in POINTS if p.values[1].smooth], primitive_and_dtype)


@each_smooth_point
def test_second_order_in_every_mix_of_modes(name, case, dtype):
    """The four ways to ∂²⟨w, f⟩ agree with each other and with differences of the gradient."""
    point = Point(name, case, dtype)
    u, v, w = point.tangents(), point.tangents(), point.cotangents()
    live = [i for i, bar in enumerate(w) if bar is not None]
    if not live or not point.primals:
        assert not live or not point.varying
        return

    def direction(*primals):
        """J(x) u"""
        return tuple(pb.pushforward(point, primals, u)[1][i] for i in live)

    def gradient(*primals):
        """J(x)ᵀ w"""
        return pb.pullback(point, primals, w)[1]

    seeds = tuple(w[i] for i in live)
    _, forward_forward = pb.pushforward(direction, point.primals, v)
    _, forward_reverse = pb.pushforward(gradient, point.primals, u)
    _, reverse_forward = pb.pullback(direction, point.primals, seeds)
    _, reverse_reverse = pb.pullback(gradient, point.primals, u)
    tolerance = 2000 * precision(dtype)
    assert_close(reverse_forward, forward_reverse, tolerance, "reverse over forward")
    assert_close(reverse_reverse, forward_reverse, tolerance, "reverse over reverse")
    both = inner(forward_forward, seeds), inner(v, forward_reverse)
    scale = max(
        size_of(forward_forward) * size_of(seeds), size_of(v) * size_of(forward_reverse), 1e-3
    )
    assert abs(both[0] - both[1]) <= tolerance * scale, f"forward over forward: {both}"
    if dtype == "float64":
        expected = differences(gradient, point.primals, u)
        assert_close(forward_reverse, expected, 1e-7, "forward over reverse, against differences")
    else:
        double = point.in_double()
        wide_u, wide_w = tuple(map(widen, u)), tuple(None if b is None else widen(b) for b in w)
        _, expected = pb.pushforward(
            lambda *primals: pb.pullback(double, primals, wide_w)[1], double.primals, wide_u
        )
        assert_close(forward_reverse, expected, 2 * tolerance, "forward over reverse, in single")


@each_smooth_point
def test_the_pullback_is_linear_in_its_cotangent_for_outer_levels_too(name, case, dtype):
    """∂/∂w of J(x)ᵀw, applied to u, is J(x)u: a rule must let the cotangent be a tracer."""
    point = Point(name, case, dtype)
    u, w = point.tangents(), point.cotangents()
    live = [i for i, bar in enumerate(w) if bar is not None]
    if not live or not point.primals:
        assert not live or not point.varying
        return

    def transpose(*seeds):
        full = list(w)
        for i, seed in zip(live, seeds, strict=True):
            full[i] = seed
        return pb.pullback(point, point.primals, tuple(full))[1]

    _, expected = pb.pushforward(point, point.primals, u)
    _, twice = pb.pullback(transpose, tuple(w[i] for i in live), u)
    assert_close(twice, [expected[i] for i in live], 200 * precision(dtype), "transpose twice")
