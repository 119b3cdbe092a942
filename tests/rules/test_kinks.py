"""What elementwise rules give where a function has no derivative, as their docstrings state it."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

INF = np.inf
NAN = np.nan


def partials(f, *args):
    """∂f/∂argument for each argument, from both modes, which must agree."""
    args = tuple(np.asarray(arg, float) for arg in args)
    ones = np.ones(np.broadcast_shapes(*(arg.shape for arg in args)))
    _, bars = pb.pullback(f, args, ones)
    for i, bar in enumerate(bars):
        dots = [np.full(arg.shape, float(i == j)) for j, arg in enumerate(args)]
        np.testing.assert_array_equal(pb.pushforward(f, args, tuple(dots))[1], bar)
    return bars


@pytest.mark.parametrize("f", [np.abs, np.fabs])
def test_the_modulus_has_derivative_0_at_0(f):
    np.testing.assert_array_equal(partials(f, [-2.0, -0.0, 0.0, 3.0]), [[-1, 0, 0, 1]])
    np.testing.assert_array_equal(pb.hessian(lambda x: np.sum(f(x)))(np.zeros(2)), np.zeros((2, 2)))


@pytest.mark.parametrize(("f", "sign"), [(np.maximum, 1), (np.minimum, -1)])
def test_maximum_and_minimum_split_ties_and_undefined_results_evenly(f, sign):
    x = sign * np.array([1.0, 2.0, 2.0, INF, NAN, 1.0, NAN])
    y = sign * np.array([2.0, 1.0, 2.0, INF, 1.0, NAN, NAN])
    x_bar, y_bar = partials(f, x, y)
    np.testing.assert_array_equal(x_bar, [0, 1, 0.5, 0.5, 0.5, 0.5, 0.5])
    np.testing.assert_array_equal(y_bar, [1, 0, 0.5, 0.5, 0.5, 0.5, 0.5])


@pytest.mark.parametrize(("f", "sign"), [(np.fmax, 1), (np.fmin, -1)])
def test_fmax_and_fmin_follow_the_argument_that_is_a_number(f, sign):
    x = sign * np.array([1.0, 2.0, 2.0, INF, NAN, 1.0, NAN])
    y = sign * np.array([2.0, 1.0, 2.0, INF, 1.0, NAN, NAN])
    x_bar, y_bar = partials(f, x, y)
    np.testing.assert_array_equal(x_bar, [0, 1, 0.5, 0.5, 0, 1, 0.5])
    np.testing.assert_array_equal(y_bar, [1, 0, 0.5, 0.5, 1, 0, 0.5])


def test_clip_is_the_minimum_of_a_maximum_also_at_its_bounds():
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    np.testing.assert_array_equal(
        partials(lambda x: np.clip(x, -1.0, 1.0), x), [[0, 0.5, 1, 0.5, 0]]
    )
    _, (x_bar, low_bar, high_bar) = pb.pullback(np.clip, (x, -1.0, 1.0), np.ones(5))
    np.testing.assert_array_equal(x_bar, [0, 0.5, 1, 0.5, 0])
    assert (low_bar, high_bar) == (1.5, 1.5)


def test_hypot_is_flat_at_the_origin_to_first_order_only():
    np.testing.assert_array_equal(partials(np.hypot, 0.0, 0.0), (0, 0))
    hessian = pb.hessian(lambda p: np.hypot(p[0], p[1]))(np.zeros(2))
    np.testing.assert_array_equal(hessian, np.full((2, 2), NAN))


def test_arctan2_is_undefined_at_the_origin_only():
    np.testing.assert_array_equal(partials(np.arctan2, 0.0, 0.0), (NAN, NAN))
    _, bars = pb.pullback(np.arctan2, (0.0, 0.0), 0.0)
    assert bars == (0, 0)
    np.testing.assert_array_equal(partials(np.arctan2, [0.0, 1e-200], [-2.0, 0.0])[0], [-0.5, 0])


def test_logaddexp_at_infinity():
    x = np.array([-INF, -INF, 1.0, INF, INF, -INF, INF])
    y = np.array([-INF, 1.0, -INF, INF, 1.0, INF, -INF])
    for f in (np.logaddexp, np.logaddexp2):
        x_bar, y_bar = partials(f, x, y)
        np.testing.assert_array_equal(x_bar, [0.5, 0, 1, 0.5, 1, 0, 1])
        np.testing.assert_array_equal(y_bar, [0.5, 1, 0, 0.5, 0, 1, 0])


def test_copysign_and_heaviside():
    x_bar, y_bar = partials(np.copysign, [-2.0, 3.0, 0.0], [1.0, -0.0, 1.0])
    np.testing.assert_array_equal(x_bar, [-1, -1, 0])
    np.testing.assert_array_equal(y_bar, [0, 0, 0])
    x_bar, h_bar = partials(np.heaviside, [-2.0, 0.0, 2.0], [0.5, 0.5, 0.5])
    np.testing.assert_array_equal(x_bar, [0, 0, 0])
    np.testing.assert_array_equal(h_bar, [0, 1, 0])


@pytest.mark.parametrize(("f", "rounding"), [(np.remainder, np.floor), (np.fmod, np.trunc)])
def test_remainders_jump_by_multiples_of_the_divisor(f, rounding):
    x = np.array([7.3, -7.3, 7.3, -7.3, 0.2])
    y = np.array([2.0, 2.0, -2.0, -2.0, 2.0])
    x_bar, y_bar = partials(f, x, y)
    np.testing.assert_array_equal(x_bar, np.ones(5))
    np.testing.assert_array_equal(y_bar, -rounding(x / y))


def test_the_sign_of_a_real_number_is_constant():
    np.testing.assert_array_equal(partials(np.sign, [-2.0, 0.0, 3.0]), [[0, 0, 0]])


def test_parts_of_a_number_scale_with_it():
    x = np.array([-7.25, 0.3, 12.0])
    (mantissa, exponent), pull = pb.vjp(np.frexp, x)
    np.testing.assert_array_equal(mantissa * 2.0**exponent, x)
    np.testing.assert_array_equal(pull((np.ones(3), None))[0], 2.0**-exponent)
    (fraction, whole), pull = pb.vjp(np.modf, x)
    np.testing.assert_array_equal(fraction + whole, x)
    np.testing.assert_array_equal(pull((np.array([1.0, 2.0, 3.0]), np.ones(3)))[0], [1, 2, 3])
    (quotient, rest), pull = pb.vjp(lambda x: divmod(x, 2.0), x)
    np.testing.assert_array_equal(2 * quotient + rest, x)
    np.testing.assert_array_equal(pull((np.ones(3), np.array([1.0, 2.0, 3.0])))[0], [1, 2, 3])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.maximum(np.sqrt(x), 0.5),
        lambda x: np.fmax(np.sqrt(x), 0.5),
        lambda x: -np.minimum(-np.sqrt(x), -0.5),
        lambda x: -np.fmin(-np.sqrt(x), -0.5),
        lambda x: np.clip(np.sqrt(x), 0.5, None),
        lambda x: np.heaviside(x - 4, np.sqrt(x)),
    ],
)
def test_the_argument_that_is_not_taken_may_have_an_infinite_derivative(f):
    """At x = 0, where √x has one, in both modes and to second order."""
    x = np.array([0.0, 4.0])
    np.testing.assert_array_equal(partials(f, x), [[0, 0.25]])
    assert np.isfinite(pb.jacobian(pb.jacobian(lambda x: np.sum(f(x)), mode="forward"))(x)).all()


@pytest.mark.parametrize(
    ("f", "sign"), [(np.arcsin, 1), (np.arccos, -1), (np.arctanh, 1), (np.arccosh, 1), (np.sqrt, 1)]
)
def test_an_infinite_slope_has_the_sign_of_the_slopes_beside_it(f, sign):
    ends = {np.arccosh: [1.0], np.sqrt: [0.0]}.get(f, [-1.0, 1.0])
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(partials(f, ends), [[sign * INF] * len(ends)])
