"""Every primitive of the rule book, at every point that `tests.rules.cases` gives.

The checks are written out here rather than taken from `pullback.check`, so that the two confirm
each other. The independent oracle is the function itself, through Richardson-extrapolated central
differences; in single precision it is the double-precision derivative at the same point.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
import pytest
import scipy.special

import pullback as pb
from pullback.core.primitive import registry
from tests.grouping import at_every_point, for_each, together
from tests.rules.cases import CASES
from tests.rules.cases.univariate_distributions import BY_DECREE

POINTS = {
    f"{name}-{number}-{dtype}": (name, case, dtype)
    for name, cases in sorted(CASES.items())
    for number, case in enumerate(cases)
    for dtype in case.dtypes
}

COMPLEX_OF = {"float64": np.complex128, "float32": np.complex64}
STEP = 2.0**-9

DETACHING = {
    "stop_gradient", "factorise", "solve_factored", "basis", "singular_basis", "complement",
    "column_order", "chosen_vectors", "left_vectors", "generalized_pairs", "found_pairs",
    "found_triples", *BY_DECREE,
}  # fmt: skip
"""Primitives with a derivative by decree, of which `tests.transforms`, `test_factored`,
`tests.numpy.test_factorisations`, `tests.scipy.linalg` and `tests.scipy.stats` have the tests."""


def test_every_primitive_has_test_inputs_and_every_input_a_primitive():
    assert set(registry) - DETACHING == set(CASES)
    assert all(CASES.values())


def ufunc_of(name):
    """The ufunc of NumPy or SciPy that a primitive is named after, if there is one."""
    function = getattr(np, name, getattr(scipy.special, name, None))
    return function if isinstance(function, np.ufunc) else None


@together()
@pytest.mark.parametrize("name", sorted(filter(ufunc_of, CASES)))
def test_primitives_named_after_ufuncs_have_their_values(name):
    for case in CASES[name]:
        expected = ufunc_of(name)(*case.args, **case.params)
        got = registry[name].value(*case.args, **case.params)
        for a, b in zip(np.atleast_1d(got), np.atleast_1d(expected), strict=True):
            np.testing.assert_array_equal(a, b)


# -- a case as a function of the arguments that are differentiated -------------------------------


class Point:
    """A case at a precision: the function of its inexact arguments, and random directions.

    What several checks ask is computed once: values and derivatives there, in each mode.
    """

    def __init__(self, name, case, dtype):
        self.primitive = registry[name]
        self.params = case.params
        self.smooth = case.smooth
        self.dtype = dtype
        self.args = [convert(arg, dtype) for arg in case.args]
        self.varying = [i for i, arg in enumerate(self.args) if np.result_type(arg).kind in "fc"]
        self.primals = tuple(self.args[i] for i in self.varying)
        self.rng = np.random.default_rng([ord(c) for c in name])
        self.u, self.v = self.tangents(), self.tangents()

    def __call__(self, *primals):
        args = list(self.args)
        for i, primal in zip(self.varying, primals, strict=True):
            args[i] = primal
        out = self.primitive(*args, **self.params)
        return tuple(out) if self.primitive.multiple else (out,)

    def tangents(self):
        return tuple(random_like(x, self.rng) for x in self.primals)

    def pushforward(self, tangents):
        return pb.pushforward(self, self.primals, tangents)[1]

    @cached_property
    def double(self):
        """The same point, the same values, in double precision."""
        if self.dtype == "float64":
            return self
        point = object.__new__(Point)
        point.__dict__.update(primitive=self.primitive, params=self.params, varying=self.varying)
        point.args = [widen(arg) for arg in self.args]
        point.primals = tuple(point.args[i] for i in point.varying)
        point.u = tuple(map(widen, self.u))
        return point

    @cached_property
    def values(self):
        return self(*self.primals)

    @cached_property
    def w(self):
        """Cotangents."""
        return tuple(
            random_like(y, self.rng) if np.result_type(y).kind in "fc" else None
            for y in self.values
        )

    @cached_property
    def live(self):
        """The outputs that have a derivative, in an argument that has one."""
        return [i for i, bar in enumerate(self.w) if bar is not None] if self.primals else []

    @cached_property
    def along_u(self):
        """The values in forward mode, and J u."""
        return pb.pushforward(self, self.primals, self.u)

    @cached_property
    def recorded(self):
        """The recorded pushforward."""
        return pb.linearize(self, *self.primals)[1]

    @cached_property
    def reverse(self):
        """The values in reverse mode, and the pullback."""
        return pb.vjp(self, *self.primals)

    @cached_property
    def x_bar(self):
        """Jᵀw"""
        return self.reverse[1](self.w)

    @cached_property
    def moves(self):
        """Tangents in which one argument moves and the others rest, and where that leads."""
        if len(self.primals) == 1:
            return [(self.u, self.along_u[1])]
        rows = [
            tuple(dot if i == moving else np.zeros_like(dot) for i, dot in enumerate(self.u))
            for moving in range(len(self.primals))
        ]
        return [(x_dot, self.pushforward(x_dot)) for x_dot in rows]


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
    values = rng.uniform(-0.5, 0.5, np.shape(x))
    values = values + np.copysign(0.5, values)
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
        size = np.abs(b)
        scale = max(np.max(size, initial=0.0), 1e-3)
        if np.all(np.abs(a - b) <= tolerance * (size + scale)):
            continue
        np.testing.assert_allclose(
            a, b, rtol=tolerance, atol=tolerance * scale, err_msg=f"{what}: [{position}]"
        )


def differences(function, primals, tangents):
    """d/dt function(x + tẋ) at 0 by central differences, extrapolated."""

    def slope(h):
        ahead = function(*(x + h * x_dot for x, x_dot in zip(primals, tangents, strict=True)))
        behind = function(*(x - h * x_dot for x, x_dot in zip(primals, tangents, strict=True)))
        return [
            (a - b) / (2 * h) if np.result_type(a).kind in "fc" else None
            for a, b in zip(ahead, behind, strict=True)
        ]

    rows = zip(slope(STEP), slope(STEP / 4), strict=True)
    return [None if wide is None else near + (near - wide) / 15 for wide, near in rows]


# -- first order ---------------------------------------------------------------------------------


def values_dtypes_and_shapes(point):
    out, out_dot = point.along_u
    again = point.reverse[0]
    for y, y_forward, y_reverse, y_dot in zip(point.values, out, again, out_dot, strict=True):
        np.testing.assert_array_equal(y_forward, y)
        np.testing.assert_array_equal(y_reverse, y)
        if np.result_type(y).kind in "fc":
            assert np.shape(y_dot) == np.shape(y)
            assert np.result_type(y_dot) == np.result_type(y)
        else:
            assert y_dot is None
    for x, x_bar in zip(point.primals, point.x_bar, strict=True):
        assert np.shape(x_bar) == np.shape(x)
        assert np.result_type(x_bar) == np.result_type(x)


def adjointness(point):
    """⟨Jẋ, ȳ⟩ = ⟨ẋ, Jᵀȳ⟩, argument by argument."""
    y_bar, x_bar = point.w, point.x_bar
    for moving, (x_dot, _) in enumerate(point.moves):
        y_dot = point.recorded(*x_dot)
        forward, reverse = inner(y_dot, y_bar), inner(x_dot, x_bar)
        scale = size_of(y_dot) * size_of([b for b in y_bar if b is not None])
        scale = max(scale, size_of(x_dot) * size_of([x_bar[moving]]), 1e-3)
        assert abs(forward - reverse) <= 200 * precision(point.dtype) * scale, (
            f"argument {moving}: ⟨Jẋ, ȳ⟩ = {forward}, ⟨ẋ, Jᵀȳ⟩ = {reverse}"
        )


def the_pushforward_is_the_derivative(point):
    """Against the function itself in double precision, and against double precision in single."""
    for moving, (x_dot, y_dot) in enumerate(point.moves):
        if point.dtype == "float64":
            expected, tolerance = differences(point, point.primals, x_dot), 2e-8
        else:
            expected, tolerance = point.double.moves[moving][1], 500 * precision(point.dtype)
        assert_close(y_dot, expected, tolerance, f"argument {moving}")


def the_taylor_remainder_is_of_second_order(point):
    """‖f(x + hẋ) − f(x) − hJẋ‖ = O(h²), down to the rounding of f."""
    point = point.double
    floats = [i for i, y in enumerate(point.values) if np.result_type(y).kind in "fc"]
    start = point.values
    for moving, (x_dot, y_dot) in enumerate(point.moves):
        remainders = []
        for h in (STEP / 4, STEP / 16):
            moved = point(*(x + h * dot for x, dot in zip(point.primals, x_dot, strict=True)))
            rest = [moved[i] - start[i] - h * y_dot[i] for i in floats]
            remainders.append(size_of(rest))
        floor = 1e-12 * (1 + size_of([start[i] for i in floats]))
        assert remainders[1] <= remainders[0] / 10 + floor, f"argument {moving}: {remainders}"


def zero_in_gives_exactly_zero_out(point):
    out_dot = point.pushforward(tuple(np.zeros_like(x) for x in point.primals))
    assert all(np.all(y_dot == 0) for y_dot in out_dot if y_dot is not None)
    bars = tuple(None if bar is None else np.zeros_like(bar) for bar in point.w)
    assert all(np.all(x_bar == 0) for x_bar in point.reverse[1](bars))


def the_recorded_pushforward_agrees_with_the_direct_one(point):
    for tangents, direct in [(point.u, point.along_u[1]), (point.v, point.pushforward(point.v))]:
        assert_close(point.recorded(*tangents), direct, 20 * precision(point.dtype), "linearize")


# -- second order --------------------------------------------------------------------------------


def second_order_in_every_mix_of_modes(point):
    """The four ways to ∂²⟨w, f⟩ agree with each other and with differences of the gradient."""
    u, v, w, live = point.u, point.v, point.w, point.live
    if not live:
        return

    def direction(*primals):
        """J(x) u"""
        y_dot = pb.pushforward(point, primals, u)[1]
        return tuple(y_dot[i] for i in live)

    def gradient(*primals):
        """J(x)ᵀ w"""
        return pb.pullback(point, primals, w)[1]

    seeds = tuple(w[i] for i in live)
    _, forward_forward = pb.pushforward(direction, point.primals, v)
    _, forward_reverse = pb.pushforward(gradient, point.primals, u)
    _, reverse_forward = pb.pullback(direction, point.primals, seeds)
    _, reverse_reverse = pb.pullback(gradient, point.primals, u)
    tolerance = 2000 * precision(point.dtype)
    assert_close(reverse_forward, forward_reverse, tolerance, "reverse over forward")
    assert_close(reverse_reverse, forward_reverse, tolerance, "reverse over reverse")
    both = inner(forward_forward, seeds), inner(v, forward_reverse)
    scale = max(
        size_of(forward_forward) * size_of(seeds), size_of(v) * size_of(forward_reverse), 1e-3
    )
    assert abs(both[0] - both[1]) <= tolerance * scale, f"forward over forward: {both}"
    if point.dtype == "float64":
        expected = differences(gradient, point.primals, u)
        assert_close(forward_reverse, expected, 1e-7, "forward over reverse, against differences")
    else:
        double = point.double
        wide_w = tuple(None if b is None else widen(b) for b in w)
        _, expected = pb.pushforward(
            lambda *primals: pb.pullback(double, primals, wide_w)[1], double.primals, double.u
        )
        assert_close(forward_reverse, expected, 2 * tolerance, "forward over reverse, in single")


def the_pullback_is_linear_in_its_cotangent_for_outer_levels_too(point):
    """∂/∂w of J(x)ᵀw, applied to u, is J(x)u: a rule must let the cotangent be a tracer."""
    live, w = point.live, point.w
    if not live:
        return

    def transpose(*seeds):
        full = list(w)
        for i, seed in zip(live, seeds, strict=True):
            full[i] = seed
        return pb.pullback(point, point.primals, tuple(full))[1]

    _, twice = pb.pullback(transpose, tuple(w[i] for i in live), point.u)
    expected = [point.along_u[1][i] for i in live]
    assert_close(twice, expected, 200 * precision(point.dtype), "transpose twice")


# -- every point ---------------------------------------------------------------------------------

FIRST_ORDER = (
    values_dtypes_and_shapes,
    adjointness,
    the_pushforward_is_the_derivative,
    the_taylor_remainder_is_of_second_order,
    zero_in_gives_exactly_zero_out,
    the_recorded_pushforward_agrees_with_the_direct_one,
)
SECOND_ORDER = (
    second_order_in_every_mix_of_modes,
    the_pullback_is_linear_in_its_cotangent_for_outer_levels_too,
)


@lru_cache(maxsize=100)
def point_at(identifier):
    """The point, made once for the checks there: no primitive has as many."""
    return Point(*POINTS[identifier])


PLACES = [pytest.param(identifier, id=identifier) for identifier in POINTS]
SMOOTH = [place for place in PLACES if POINTS[place.id][1].smooth]
CHECKS = at_every_point(PLACES, *FIRST_ORDER) + at_every_point(SMOOTH, *SECOND_ORDER)


@for_each(CHECKS, lambda identifier: identifier.rsplit("-", 2)[0])
def test_every_primitive(check, identifier):
    check(point_at(identifier))
