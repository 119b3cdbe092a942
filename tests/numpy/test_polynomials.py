"""Polynomials and numerical gradients."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.numpy.agreement import assert_analytic, assert_derivative

RNG = np.random.default_rng(17)
P, Q, X = RNG.normal(size=4), RNG.normal(size=3), RNG.normal(size=(4, 5))
POSITIONS = np.cumsum(RNG.uniform(0.5, 1.5, 5))


@pytest.mark.parametrize(
    "function",
    [
        lambda p, q: np.polyval(p, q),
        lambda p, q: np.polyval(p, q[0]),
        lambda p, q: np.polyval([2.0, 3.0], q) + p[0],
        np.polyadd,
        np.polysub,
        lambda p, q: np.polyadd(q, p),
        np.polymul,
        lambda p, q: np.polymul(q, p[0]),
        lambda p, q: np.polyder(p) * q,
        lambda p, q: np.polyder(p, 2) * q[:2],
        lambda p, q: np.polyint(p) * q[0],
        lambda p, q: np.polyint(p, 2, q[:2]),
        lambda p, q: np.polyint(p, 3, q),
    ],
)
def test_polynomials(function):
    assert_analytic(function, P, Q)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize(
    "function",
    [
        lambda x, e: np.gradient(x, edge_order=e),
        lambda x, e: np.gradient(x, 0.5, edge_order=e),
        lambda x, e: np.gradient(x, 0.5, 2.0, edge_order=e),
        lambda x, e: np.gradient(x, axis=1, edge_order=e),
        lambda x, e: np.gradient(x, POSITIONS, axis=-1, edge_order=e),
        lambda x, e: np.gradient(x, 0.5, POSITIONS, axis=(0, 1), edge_order=e),
        lambda x, e: np.gradient(x[:3, 0], edge_order=e),
    ],
)
def test_gradient(function, edge_order):
    assert_analytic(lambda x: function(x, edge_order), X)


def test_gradient_with_positions_that_vary():
    assert_derivative(lambda x, t: np.gradient(x, t, axis=1), X, POSITIONS)
    assert_derivative(lambda t: np.gradient(X, t, axis=1, edge_order=2), POSITIONS)
    assert_derivative(lambda x, h: np.gradient(x, h), X, np.float64(0.5))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: np.polyder(x[0], -1), "m=-1"),
        (lambda x: np.polyint(x[0], -1), "m=-1"),
        (lambda x: np.gradient(x, 1.0, 2.0, 3.0)[0], "3 spacings for 2 axes"),
        (lambda x: np.gradient(x, POSITIONS, axis=0), r"positions of shape \(5,\)"),
        (lambda x: np.gradient(x, edge_order=3)[0], "edge_order=3"),
        (lambda x: np.gradient(x[:1], axis=0), "too short"),
    ],
)
def test_arguments_that_do_not_fit(call, words):
    with pytest.raises(pb.ArgumentValueError, match=words):
        pb.grad(lambda x: np.sum(call(x)))(X)


def test_gradient_keeps_the_precision_of_what_it_is_the_gradient_of():
    x = np.array([1.0, 4.0, 2.0, 3.0], np.float32)
    for spacing in (0.5, np.float64(0.5), np.array([0.0, 1.0, 3.0, 4.0])):
        out, pull = pb.vjp(lambda x, spacing=spacing: np.gradient(x, spacing), x)
        np.testing.assert_allclose(out, np.gradient(x, spacing), rtol=1e-6)
        assert out.dtype == np.gradient(x, spacing).dtype == np.float32
        assert pull(out)[0].dtype == np.float32
