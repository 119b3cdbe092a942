"""scipy.special on traced arrays."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import scipy.special

import pullback as pb
from pullback.errors import ArgumentTypeError, NoRuleError
from pullback.rules.registration import array_ufuncs

logsumexp = scipy.special.logsumexp
softmax = scipy.special.softmax
log_softmax = scipy.special.log_softmax

X = np.array([[0.3, -1.2, 2.0], [1.1, 0.0, -0.4]])


# -- functions that do not dispatch by themselves -------------------------------------------------


def test_plain_arrays_are_scipys_business():
    original = inspect.unwrap(logsumexp)
    x = X + 1j
    np.testing.assert_array_equal(logsumexp(x), original(x))
    np.testing.assert_array_equal(scipy.special.polygamma([1, 2], 2.0), [
        scipy.special.polygamma(1, 2.0), scipy.special.polygamma(2, 2.0)
    ])  # fmt: skip


@pytest.mark.parametrize("keywords", [{}, {"axis": 0}, {"axis": -1, "keepdims": True}])
def test_logsumexp_has_the_softmax_for_its_gradient(keywords):
    axis = keywords.get("axis")
    out, pull = pb.vjp(lambda x: logsumexp(x, **keywords), X)
    np.testing.assert_allclose(out, inspect.unwrap(logsumexp)(X, **keywords), rtol=1e-15)
    np.testing.assert_allclose(pull(np.ones_like(out))[0], softmax(X, axis=axis), rtol=1e-14)


def test_weighted_logsumexp():
    b = np.array([[0.5, 2.0, 0.0], [1.0, 3.0, 0.7]])
    out, pull = pb.vjp(lambda x, b: logsumexp(x, axis=1, b=b), X, b)
    e = np.exp(X)
    total = np.sum(b * e, axis=1, keepdims=True)
    np.testing.assert_allclose(out, np.log(total)[:, 0], rtol=4e-15)
    x_bar, b_bar = pull(np.ones(2))
    np.testing.assert_allclose(x_bar, b * e / total, rtol=1e-14)
    np.testing.assert_allclose(b_bar, e / total, rtol=1e-14)


def test_signed_logsumexp():
    b = np.array([1.0, -4.0, 0.5])
    (out, sign), pull = pb.vjp(lambda x: logsumexp(x, b=b, return_sign=True), X[1])
    expected, expected_sign = inspect.unwrap(logsumexp)(X[1], b=b, return_sign=True)
    np.testing.assert_allclose(out, expected, rtol=1e-15)
    assert sign == expected_sign == -1
    e = b * np.exp(X[1])
    np.testing.assert_allclose(pull((1.0, 0.0))[0], e / np.sum(e), rtol=1e-14)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_softmax_and_log_softmax(axis):
    p, pull = pb.vjp(lambda x: softmax(x, axis=axis), X)
    p_bar = np.arange(6.0).reshape(2, 3)
    expected = p * (p_bar - np.sum(p * p_bar, axis=axis, keepdims=True))
    np.testing.assert_allclose(pull(p_bar)[0], expected, rtol=1e-13)
    y, pull = pb.vjp(lambda x: log_softmax(x, axis=axis), X)
    np.testing.assert_allclose(y, np.log(p), rtol=1e-14)
    expected = p_bar - p * np.sum(p_bar, axis=axis, keepdims=True)
    np.testing.assert_allclose(pull(p_bar)[0], expected, rtol=1e-13)


def test_lists_of_traced_numbers():
    gradient = pb.grad(lambda x: logsumexp([x[0], x[1], 0.5]))(np.array([0.5, 0.5]))
    np.testing.assert_allclose(gradient, [1 / 3, 1 / 3], rtol=1e-15)


def in_object_array(x):
    elements = np.empty(X.shape, dtype=object)
    for index in np.ndindex(X.shape):
        elements[index] = x[index]
    return elements


@pytest.mark.parametrize(
    "f",
    [
        lambda x: logsumexp(x, axis=1, b=[1.0, 2.0, 0.5]),
        lambda x: logsumexp(a=x, axis=0),
        lambda x: softmax(x, axis=1),
        lambda x: log_softmax(x=x, axis=0),
        lambda x: scipy.special.polygamma(1, x),
    ],
)
def test_object_arrays_and_nested_lists_of_traced_numbers(f):
    value, pull = pb.vjp(f, X)
    for convert in (in_object_array, lambda x: [[x[i, j] for j in range(3)] for i in range(2)]):
        same, same_pull = pb.vjp(lambda x, convert=convert: f(convert(x)), X)
        np.testing.assert_array_equal(same, value)
        y_bar = np.cos(np.arange(value.size)).reshape(value.shape)
        np.testing.assert_allclose(same_pull(y_bar)[0], pull(y_bar)[0], rtol=1e-14)


def test_complex_arrays_are_refused():
    with pytest.raises(
        ArgumentTypeError, match=r"scipy\.special\.log_softmax: .* dtype complex128 .* real"
    ):
        pb.vjp(log_softmax, X + 1j)


@pytest.mark.parametrize("keywords", [{}, {"axis": 1}, {"axis": 0, "b": 2.0}, {"b": 1.0 + 0.5j}])
def test_complex_logsumexp_and_softmax(keywords):
    z = X + 1j * X[::-1]
    b = keywords.get("b", 1.0)
    axis = keywords.get("axis")
    z_dot = np.cos(z)
    value, slope = pb.pushforward(lambda z: logsumexp(z, **keywords), (z,), (z_dot,))
    np.testing.assert_allclose(value, inspect.unwrap(logsumexp)(z, **keywords), rtol=1e-14)
    terms = b * np.exp(z)
    expected = np.sum(terms * z_dot, axis=axis) / np.sum(terms, axis=axis)
    np.testing.assert_allclose(slope, expected, rtol=1e-13)
    (size, sign), (size_dot, sign_dot) = pb.pushforward(
        lambda z: logsumexp(z, **keywords, return_sign=True), (z,), (z_dot,)
    )
    plain = inspect.unwrap(logsumexp)(z, **keywords, return_sign=True)
    np.testing.assert_allclose(size, np.real(plain[0]), rtol=1e-14)
    np.testing.assert_allclose(sign, plain[1], rtol=1e-14)
    np.testing.assert_allclose(size_dot, np.real(slope), rtol=1e-13)
    np.testing.assert_allclose(sign_dot, 1j * np.imag(slope) * sign, rtol=1e-12, atol=1e-14)
    p, p_dot = pb.pushforward(lambda z: softmax(z, axis=axis), (z,), (z_dot,))
    np.testing.assert_allclose(p, inspect.unwrap(softmax)(z, axis=axis), rtol=1e-14)
    expected = p * (z_dot - np.sum(p * z_dot, axis=axis, keepdims=True))
    np.testing.assert_allclose(p_dot, expected, rtol=1e-12, atol=1e-14)


# -- the gamma function's derivatives -------------------------------------------------------------


def test_polygamma():
    x = np.array([0.5, 1.5, 4.0])
    for n in (0, 1, 2):
        out, pull = pb.vjp(lambda x, n=n: scipy.special.polygamma(n, x), x)
        np.testing.assert_allclose(out, scipy.special.polygamma(n, x), rtol=1e-15)
        np.testing.assert_allclose(
            pull(np.ones(3))[0], scipy.special.polygamma(n + 1, x), rtol=1e-15
        )
    derivative = scipy.special.gammaln
    for n in range(5):
        derivative = pb.grad(derivative)
        np.testing.assert_allclose(derivative(1.5), scipy.special.polygamma(n, 1.5), rtol=1e-14)


@pytest.mark.parametrize("n", [np.array([1.5, 2]), 0.5, -1])
def test_polygamma_wants_integers(n):
    with pytest.raises(ArgumentTypeError, match=r"scipy\.special\.polygamma: n is .* wanted an"):
        pb.grad(lambda x: np.sum(scipy.special.polygamma(n, x)))(2.0)


# -- what has no rule -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "argument"),
    [
        (lambda v: scipy.special.struve(v, 2.0), "v"),
        (lambda x: scipy.special.zeta(x, 2.0), "x"),
        (scipy.special.zeta, "x"),
        (scipy.special.zetac, "x"),
    ],
)
def test_arguments_without_a_rule_are_named(f, argument):
    match = rf"scipy\.special\.\w+: .* argument {argument} has no rule .*stop_gradient"
    with pytest.raises(NoRuleError, match=match):
        pb.grad(f)(1.5)
    with pytest.raises(NoRuleError, match=match):
        pb.pushforward(f, (1.5,), (1.0,))


def scipys_ufuncs():
    members = (getattr(scipy.special, name) for name in scipy.special.__all__)
    return {f.__name__: f for f in members if isinstance(f, np.ufunc)}


def test_every_ufunc_of_scipy_has_a_rule_or_is_named_in_an_error():
    without = {name: f for name, f in scipys_ufuncs().items() if f not in array_ufuncs}
    assert without
    for name, function in without.items():
        with pytest.raises(NoRuleError, match=rf"scipy\.special\.{name} has no derivative rule"):
            pb.vjp(function, *[0.5] * function.nin)


def test_the_common_ufuncs_of_scipy_have_rules():
    common = {
        "beta", "betaln", "cbrt", "entr", "erf", "erfc", "erfcinv", "erfinv", "exp1", "exp2",
        "expi", "expit", "expm1", "gamma", "gammaln", "huber", "i0", "i1", "iv", "j0", "j1", "jv",
        "k0", "k1", "kl_div", "kv", "log1p", "log_expit", "log_ndtr", "logit", "ndtr", "ndtri",
        "psi", "rel_entr", "xlog1py", "xlogy", "y0", "y1", "yv",
    }  # fmt: skip
    assert common <= {f.__name__ for f in scipys_ufuncs().values() if f in array_ufuncs}
