"""Derivatives of elementwise functions to third order, against mpmath with 280 digits.

The points include extreme ones: results must be right to a few units in the last place wherever
the function is, not just where it is easy.
"""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sc

import pullback as pb
from tests.grouping import together

EPS = np.finfo(np.float64).eps
AROUND_ZERO = [-1e-9, 1e-20, -0.3, 1.7]
NEAR_ONE = [-1 + 1e-12, -0.3, 1e-9, 0.7, 1 - 1e-12]


def logistic(x):
    return 1 / (1 + mp.exp(-x))


FUNCTIONS = [
    (np.reciprocal, lambda x: 1 / x, [-1e60, -0.3, 1e-60, 1.7]),
    (np.sqrt, mp.sqrt, [1e-60, 0.3, 1.7, 1e90]),
    (np.cbrt, lambda x: mp.sign(x) * mp.cbrt(abs(x)), [-1e100, -0.3, 1e-100, 1.7]),
    (np.exp, mp.exp, [-700.0, *AROUND_ZERO, 700.0]),
    (np.exp2, lambda x: mp.mpf(2) ** x, [-1000.0, *AROUND_ZERO, 1000.0]),
    (np.expm1, mp.expm1, [-700.0, -40.0, *AROUND_ZERO, 700.0]),
    (np.log, mp.log, [1e-90, 0.3, 1.0, 1e90]),
    (np.log2, lambda x: mp.log(x, 2), [1e-90, 0.3, 1.0, 1e90]),
    (np.log10, mp.log10, [1e-90, 0.3, 1.0, 1e90]),
    (np.log1p, mp.log1p, [-1 + 1e-12, *AROUND_ZERO, 1e90]),
    (np.sin, mp.sin, [*AROUND_ZERO, 22 / 7, 1e10]),
    (np.cos, mp.cos, [*AROUND_ZERO, 22 / 7, 1e10]),
    (np.tan, mp.tan, [*AROUND_ZERO, 1.5707963, 1e10]),
    (np.arcsin, mp.asin, NEAR_ONE),
    (np.arccos, mp.acos, NEAR_ONE),
    (np.arctan, mp.atan, [*AROUND_ZERO, 1e30]),
    (np.sinh, mp.sinh, [*AROUND_ZERO, 700.0]),
    (np.cosh, mp.cosh, [*AROUND_ZERO, 700.0]),
    (np.tanh, mp.tanh, [*AROUND_ZERO]),
    (np.arcsinh, mp.asinh, [*AROUND_ZERO, 1e90]),
    (np.arccosh, mp.acosh, [1 + 1e-12, 1.7, 1e90]),
    (np.arctanh, mp.atanh, NEAR_ONE),
    (np.sinc, lambda x: mp.sin(mp.pi * x) / (mp.pi * x), [1e-9, -1e-3, 0.3, -0.95, 2.6]),
    (sc.expit, logistic, [-200.0, -1.0, 3.0, 40.0, 200.0]),
    (sc.log_expit, lambda x: mp.log(logistic(x)), [-200.0, -1.0, 3.0, 40.0, 200.0]),
    (sc.logit, lambda x: mp.log(x / (1 - x)), [1e-60, 0.3, 1 - 1e-12]),
    (sc.erf, mp.erf, [-5.0, 1e-9, 1.0, 10.0]),
    (sc.erfc, mp.erfc, [-5.0, 1e-9, 1.0, 10.0]),
    (sc.ndtr, lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, [-30.0, -3.0, 0.1, 20.0]),
    (sc.exp1, mp.e1, [1e-9, 0.5, 30.0]),
    (sc.expi, mp.ei, [1e-9, -0.5, 30.0]),
    (sc.gammaln, lambda x: mp.log(abs(mp.gamma(x))), [1e-30, 0.5, 1.0, 2.5, 30.0, 1e8, -0.5]),
    (sc.digamma, mp.digamma, [1e-30, 0.5, 1.0, 2.5, 30.0, 1e8, -0.5, -3.7]),
    (sc.gamma, mp.gamma, [1e-30, 0.5, 1.0, 2.5, 30.0, 150.0]),
    (sc.entr, lambda x: -x * mp.log(x), [1e-90, 0.9, 3.0]),
    (sc.i0, lambda x: mp.besseli(0, x), [1e-9, 0.5, 10.0]),
    (sc.k0, lambda x: mp.besselk(0, x), [1e-3, 0.5, 10.0]),
]


def reference(function, x, order):
    """The derivative by a central difference whose step is beyond the digits of a float."""
    with mp.workdps(280):
        x = mp.mpf(x)
        h = x * mp.mpf(10) ** -30
        terms = (
            (-1) ** k * mp.binomial(order, k) * function(x + (mp.mpf(order) / 2 - k) * h)
            for k in range(order + 1)
        )
        return mp.fsum(terms) / h**order


@together()
@pytest.mark.parametrize(
    ("function", "oracle", "points"), FUNCTIONS, ids=[row[0].__name__ for row in FUNCTIONS]
)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_are_right_to_the_last_places(function, oracle, points, order):
    derivative = function
    for _ in range(order):
        derivative = pb.grad(derivative)
    for x in points:
        expected = reference(oracle, x, order)
        if abs(expected) < np.finfo(float).tiny:
            continue
        error = abs(mp.mpf(float(derivative(x))) - expected)
        assert error <= 8 * order * EPS * abs(expected), (
            f"{function.__name__} at {x}: {float(error / abs(expected)) / EPS} eps"
        )


PAIRS = [
    (np.power, lambda x, y: x**y, [(1e-9, 2.5), (0.3, -1.5), (1.7, 30.0), (1e30, 3.0)]),
    (np.hypot, lambda x, y: mp.sqrt(x * x + y * y), [(3.0, 4.0), (1e200, 1e200), (1e-200, 2e-200)]),
    (np.arctan2, mp.atan2, [(3.0, 4.0), (1.0, -1e-9), (1e200, 1e200), (-1e-100, 1e-100)]),
    (
        np.logaddexp,
        lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
        [(1.0, 2.0), (-100.0, 100.0), (1e9 + 1, 1e9), (5.0, 5.0)],
    ),
    (
        np.logaddexp2,
        lambda x, y: mp.log(mp.mpf(2) ** x + mp.mpf(2) ** y, 2),
        [(1.0, 2.0), (-3.0, 5.0), (1e6 + 1, 1e6)],
    ),
    (np.divide, lambda x, y: x / y, [(1e100, 1e-60), (1.0, 3.0)]),
    (sc.xlogy, lambda x, y: x * mp.log(y), [(3.0, 1e-100), (0.5, 2.0)]),
    (sc.xlog1py, lambda x, y: x * mp.log1p(y), [(3.0, 1e-100), (0.5, -0.9)]),
    (sc.rel_entr, lambda x, y: x * mp.log(x / y), [(3.0, 0.5), (1e-30, 2.0)]),
    (sc.kl_div, lambda x, y: x * mp.log(x / y) - x + y, [(3.0, 0.5), (1e-30, 2.0)]),
    (sc.betaln, lambda x, y: mp.log(mp.beta(x, y)), [(3.0, 0.5), (1.5, 20.0)]),
    (sc.beta, mp.beta, [(3.0, 0.5), (1.5, 20.0)]),
]


@pytest.mark.parametrize(
    ("function", "oracle", "points"), PAIRS, ids=[row[0].__name__ for row in PAIRS]
)
@pytest.mark.parametrize("position", [0, 1])
def test_partial_derivatives_are_right_to_the_last_places(function, oracle, points, position):
    gradient = pb.grad(function, argnums=position)
    for point in points:
        with mp.workdps(280):
            where = [mp.mpf(x) for x in point]
            h = where[position] * mp.mpf(10) ** -30
            ahead, behind = list(where), list(where)
            ahead[position] += h
            behind[position] -= h
            expected = (oracle(*ahead) - oracle(*behind)) / (2 * h)
            error = abs(mp.mpf(float(gradient(*point))) - expected)
        assert error <= 16 * EPS * abs(expected), (
            f"{function.__name__} at {point}: {float(error / abs(expected)) / EPS} eps"
        )


def test_tanh_is_right_to_an_absolute_rounding_error_everywhere():
    for x in [0.5, 3.0, 10.0, 18.0, 30.0, -400.0]:
        expected = float(mp.sech(x) ** 2)
        assert abs(pb.grad(np.tanh)(x) - expected) <= 2 * EPS


def test_sinc_at_and_around_its_removable_singularity():
    """sinc x = Σ (−1)ᵏ(πx)²ᵏ/(2k + 1)!, so the derivatives at 0 are those of its series."""
    derivative = np.sinc
    for order in range(9):
        expected = 0.0 if order % 2 else (-1) ** (order // 2) * np.pi**order / (order + 1)
        assert derivative(0.0) == pytest.approx(expected, rel=4 * EPS * (order + 1))
        derivative = pb.grad(derivative)
