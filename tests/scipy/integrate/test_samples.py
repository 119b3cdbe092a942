"""Sums over samples under SciPy's names."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate as si
from numpy.testing import assert_allclose

import pullback as pb
from tests.scipy.sparse.test_operators import check

X = np.sort(np.random.default_rng(0).uniform(0, 1, 9))
Y = np.cos(X)
STEP = np.array(0.1)


CALLS = {
    "trapezoid": (
        (lambda y: si.trapezoid(y, X), Y),
        (lambda x: si.trapezoid(Y, x), X),
        (lambda d: si.trapezoid(np.stack([Y, Y]), dx=d, axis=0), STEP),
    ),
    "simpson": (
        (lambda y: si.simpson(y, x=X), Y),
        (lambda x: si.simpson(Y[:8], x=x[:8]), X),
        (lambda d: si.simpson(np.stack([Y, Y**2]), dx=d), STEP),
    ),
    "romb": (
        (lambda y: si.romb(np.stack([y, y**2], axis=1), axis=0), Y),
        (lambda d: si.romb(Y, dx=d), STEP),
    ),
    "cumulative_trapezoid": (
        (lambda y: si.cumulative_trapezoid(y, X, initial=0), Y),
        (lambda x: si.cumulative_trapezoid(Y, x), X),
    ),
    "cumulative_simpson": (
        (lambda y: si.cumulative_simpson(y, x=X), Y),
        (lambda d: si.cumulative_simpson(Y, dx=d, initial=0), STEP),
    ),
    "fixed_quad": (
        (lambda p: si.fixed_quad(lambda t: np.exp(-p * t), 0, 1 + p, n=4)[0], np.array(0.7)),
        (lambda p: si.fixed_quad(lambda t, a: np.exp(-a * t), 0, 1, args=(p,))[0], np.array(0.7)),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_sums(name):
    for f, at in CALLS[name]:
        check(name, f, at, bits=False)


def test_fixed_quad_over_an_infinite_range():
    with pytest.raises(ValueError, match="finite limits"):
        pb.grad(lambda p: si.fixed_quad(lambda t: p * t, p, np.inf)[0])(1.0)
    x = pb.jacobian(lambda x: si.cumulative_simpson(Y, x=x))(X)
    step = 1e-6
    moved = [si.cumulative_simpson(Y, x=X + step * e) for e in np.eye(9)]
    back = [si.cumulative_simpson(Y, x=X - step * e) for e in np.eye(9)]
    assert_allclose(x, (np.array(moved) - back).T / (2 * step), atol=1e-8)
