"""Activations: values and derivatives against SciPy and formulas."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import pullback as pb
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.nn import activations

V = np.array([-800.0, -40.0, -1.5, 0.0, 0.3, 2.0, 40.0, 800.0])
EXPECTED = {
    "identity": (V, np.ones_like(V)),
    "tanh": (np.tanh(V), 1 - np.tanh(V) ** 2),
    "relu": (np.maximum(V, 0), (V > 0) * 1.0),
    "softplus": (np.logaddexp(0, V), scipy.special.expit(V)),
    "logistic": (
        scipy.special.expit(V),
        scipy.special.expit(V) * scipy.special.expit(-V),
    ),
}


def derivative(function, v):
    return pb.pushforward(function, (v,), (np.ones_like(v),))[1]


@pytest.mark.parametrize("name", EXPECTED)
def test_values_and_derivatives(name):
    function = activations.by_name(name)
    value, slope = EXPECTED[name]
    np.testing.assert_allclose(function(V), value, rtol=1e-15)
    np.testing.assert_allclose(derivative(function, V), slope, rtol=1e-14, atol=1e-300)
    single = function(V.astype(np.float32))
    assert single.dtype == derivative(function, V.astype(np.float32)).dtype == np.float32


def test_softmax_is_that_of_scipy_over_the_last_axis():
    v = np.random.default_rng(0).normal(size=(4, 3))
    p = activations.softmax(v)
    np.testing.assert_allclose(p, scipy.special.softmax(v, axis=-1), rtol=1e-15)
    J = pb.jacobian(activations.softmax)(v[0])
    np.testing.assert_allclose(J, np.diag(p[0]) - np.outer(p[0], p[0]), atol=1e-16)
    assert np.isfinite(activations.softmax(np.array([1e308, -1e308]))).all()


def test_relu_has_derivative_zero_at_its_kink():
    assert pb.grad(activations.relu)(0.0) == 0
    assert pb.grad(activations.relu)(-0.0) == 0
    assert np.isnan(activations.relu(np.nan))


def test_names_and_functions_are_taken_and_nothing_else():
    assert activations.by_name("tanh") is activations.tanh
    assert activations.by_name(np.sin) is np.sin
    with pytest.raises(ArgumentValueError, match="'sigmund', wanted 'identity', 'tanh'"):
        activations.by_name("sigmund")
    with pytest.raises(ArgumentTypeError, match="activation is 3, wanted a function"):
        activations.by_name(3)
