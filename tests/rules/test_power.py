"""The corner cases of x ** y, to third order."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.grouping import together


def power(x, y):
    return np.power(x, y)


def operator(x, y):
    return x**y


def forward(f):
    return lambda x: pb.pushforward(f, (x,), (1.0,))[1]


def reverse(f):
    return lambda x: pb.pullback(f, (x,), 1.0)[1][0]


MODES = {"forward": (forward,), "reverse": (reverse,), "mixed": (forward, reverse)}


def differentiate(f, x, count, mode):
    """Derivatives of f at x of the orders 0 to count, in a cycle of modes."""
    out = []
    for order in range(count + 1):
        out.append(float(f(x)))
        cycle = MODES[mode]
        f = cycle[order % len(cycle)](f)
    return out


@together()
@pytest.mark.parametrize("spelling", [power, operator, np.float_power])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", [int, float, np.int64, np.float64])
@pytest.mark.parametrize(
    ("exponent", "x", "expected"),
    [
        (0, 0.0, [1, 0, 0, 0]),
        (1, 0.0, [0, 1, 0, 0]),
        (2, 0.0, [0, 0, 2, 0]),
        (3, 0.0, [0, 0, 0, 6]),
        (4, 0.0, [0, 0, 0, 0]),
        (0, -2.0, [1, 0, 0, 0]),
        (1, -2.0, [-2, 1, 0, 0]),
        (2, -2.0, [4, -4, 2, 0]),
        (3, -2.0, [-8, 12, -12, 6]),
        (-1, -2.0, [-0.5, -0.25, -0.25, -0.375]),
        (-2, 2.0, [0.25, -0.25, 0.375, -0.75]),
    ],
)
def test_constant_integer_exponents(spelling, mode, kind, exponent, x, expected):
    assert differentiate(lambda x: spelling(x, kind(exponent)), x, 3, mode) == expected


@pytest.mark.parametrize("mode", MODES)
def test_arrays_of_exponents(mode):
    exponents = np.array([0, 1, 2, 3])

    def f(x):
        return np.sum(np.power(x * np.ones(4), exponents) * np.array([1.0, 10.0, 100.0, 1000.0]))

    assert differentiate(f, 0.0, 3, mode) == [1, 10, 200, 6000]


def test_integer_exponents_are_not_differentiated():
    _, (x_bar, y_bar) = pb.pullback(np.power, (np.array([2.0, -2.0]), np.array([3, 3])), np.ones(2))
    np.testing.assert_array_equal(x_bar, [12.0, 12.0])
    assert y_bar is None


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize("exponent", [-1.0, -0.5, 0.5])
def test_infinite_derivatives_at_zero_are_infinite_and_zeros_stay_zero(exponent):
    _, (x_bar,) = pb.pullback(lambda x: x**exponent, (np.zeros(2),), np.array([1.0, 0.0]))
    np.testing.assert_array_equal(x_bar, [np.copysign(np.inf, exponent), 0.0])


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (2.0, 3.0, 8 * np.log(2)),
        (0.0, 3.0, 0.0),
        (0.0, 0.5, 0.0),
        (0.0, 0.0, -np.inf),
        (-2.0, 3.0, np.nan),
        (1.0, -7.0, 0.0),
    ],
)
def test_the_derivative_in_the_exponent(x, y, expected):
    np.testing.assert_allclose(pb.grad(np.power, argnums=1)(x, y), expected, rtol=1e-15)
    _, z_dot = pb.pushforward(np.power, (x, y), (0.0, 1.0))
    np.testing.assert_allclose(z_dot, expected, rtol=1e-15)


def test_zero_tangents_and_cotangents_stay_zero_where_the_exponent_has_no_derivative():
    x, y = np.array([-2.0, 0.0]), np.array([3.0, 0.0])
    _, z_dot = pb.pushforward(np.power, (x, y), (np.ones(2), np.zeros(2)))
    np.testing.assert_array_equal(z_dot, [12.0, 0.0])
    _, (_, y_bar) = pb.pullback(np.power, (x, y), np.zeros(2))
    np.testing.assert_array_equal(y_bar, [0.0, 0.0])


@pytest.mark.parametrize(
    ("y", "expected"), [(0.0, 1 / 0.5), (1.0, 1 + np.log(0.5)), (2.0, 0.5 * (1 + 2 * np.log(0.5)))]
)
def test_mixed_second_derivatives(y, expected):
    """∂²xʸ/∂x∂y = xʸ⁻¹(1 + y·log x), also at y = 0, where ∂/∂x is 0."""
    for outer, inner in [(0, 1), (1, 0)]:
        mixed = pb.grad(pb.grad(np.power, argnums=inner), argnums=outer)
        np.testing.assert_allclose(mixed(0.5, y), expected, rtol=1e-14)


@pytest.mark.parametrize("y", [2.0, 3.0, 2.5])
def test_the_hessian_at_x_zero_is_the_limit(y):
    hessian = pb.hessian(lambda p: np.power(p[0], p[1]))(np.array([0.0, y]))
    np.testing.assert_array_equal(hessian, [[2.0 * (y == 2.0), 0.0], [0.0, 0.0]])


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, 2.5, 1 + 1j])
def test_complex_powers(exponent):
    z = 0.7 - 1.1j
    _, z_dot = pb.pushforward(lambda z: z**exponent, (z,), (1 + 0j,))
    np.testing.assert_allclose(z_dot, exponent * z ** (exponent - 1), rtol=1e-14)


def test_complex_zero_to_an_integer():
    z = np.zeros(3, complex)
    _, z_dot = pb.pushforward(lambda z: z ** np.array([0, 1, 2]), (z,), (np.ones(3, complex),))
    np.testing.assert_array_equal(z_dot, [0, 1, 0])


def test_operators_give_numpys_bits():
    x = np.random.default_rng(0).uniform(0.1, 3, 100)
    for exponent in (-1, 0.5, 1, 2, 3, 2.5):
        out, _ = pb.vjp(lambda x, p=exponent: x**p, x)
        np.testing.assert_array_equal(out, x**exponent)


def test_a_constant_base():
    np.testing.assert_allclose(pb.grad(lambda y: 2**y)(3.0), 8 * np.log(2), rtol=1e-15)
    np.testing.assert_allclose(pb.grad(lambda y: np.power(2, y))(3.0), 8 * np.log(2), rtol=1e-15)


def test_a_negative_base_with_a_complex_exponent():
    """∂(xʸ)/∂y = xʸ·log x on the principal branch, log x = log|x| + iπ."""
    x, y = np.array([-2.0, 3.0]), np.array([0.5 + 1j, 2 - 1j])
    _, out_dot = pb.pushforward(lambda y: x**y, (y,), (np.ones(2, complex),))
    np.testing.assert_allclose(out_dot, x**y * np.log(x + 0j), rtol=1e-14)
