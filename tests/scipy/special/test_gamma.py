"""The gamma family of scipy.special on traced arrays: wrappers in Python, refusals, corners."""

from __future__ import annotations

import warnings

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sc

import pullback as pb
from pullback.errors import ArgumentTypeError, ArgumentValueError, NoRuleError

X = np.array([0.7, 1.5, 4.2])


def slope(f, x):
    """By a central difference of fourth order."""
    h = 1e-3 * np.maximum(np.abs(x), 1e-2)
    near, far = f(x + h) - f(x - h), f(x + 2 * h) - f(x - 2 * h)
    return (8 * near - far) / (12 * h)


WRAPPERS = {
    "comb in N": lambda x: sc.comb(x + 3, 2.0),
    "comb in k": lambda x: sc.comb(9.0, x),
    "comb with repetition": lambda x: sc.comb(x, 2.0, repetition=True),
    "perm in N": lambda x: sc.perm(x + 3, 2),
    "perm in k": lambda x: sc.perm(9.0, x),
    "factorial": sc.factorial,
    "factorial, extended": lambda x: sc.factorial(x, extend="complex"),
    "factorial2, extended": lambda x: sc.factorial2(x, extend="complex"),
    "factorialk, extended": lambda x: sc.factorialk(x, 3, extend="complex"),
    "multigammaln": lambda x: sc.multigammaln(x + 2, 3),
    "zeta in q": lambda x: sc.zeta(2.5, x),
    "polygamma of orders": lambda x: sc.polygamma([[0], [1], [3]], x),
    "polygamma of one order in a list": lambda x: sc.polygamma([2], x),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_functions_written_in_python(name):
    f = WRAPPERS[name]
    value, dot = pb.pushforward(f, (X,), (np.ones(3),))
    plain = f(X)
    np.testing.assert_allclose(value, plain, rtol=4e-15)
    assert np.shape(value) == np.shape(plain)
    assert np.asarray(value).dtype == np.asarray(plain).dtype
    np.testing.assert_allclose(dot, slope(f, X), rtol=1e-8, atol=1e-8)
    reverse = pb.grad(lambda x: np.sum(f(x)))
    np.testing.assert_allclose(reverse(X), np.sum(np.atleast_2d(dot), axis=0), rtol=1e-13)
    second = pb.pushforward(reverse, (X,), (np.ones(3),))[1]
    np.testing.assert_allclose(second, slope(reverse, X), rtol=1e-7, atol=1e-7)
    np.testing.assert_array_equal(pb.trace(reverse, X)(X), reverse(X))
    np.testing.assert_allclose(pb.compile(reverse)(X), reverse(X), rtol=1e-13)
    np.testing.assert_allclose(pb.vmap(f)(X[:, None])[1], f(X[1:2]), rtol=4e-15)


def test_what_is_zero_by_definition_has_no_slope():
    for f in (sc.comb, sc.perm):
        gradient = pb.grad(lambda n, f=f: np.sum(f(n, np.array([5.0, 1.0]))))
        np.testing.assert_array_equal(gradient(np.array([2.5, -1.0])), [0, 0])
    np.testing.assert_array_equal(pb.grad(lambda x: np.sum(sc.factorial(x)))(np.array([-0.5])), [0])


def test_binom_where_it_vanishes():
    for n, k in ((2.0, 3.0), (4.0, -1.0), (3.0, 5.0)):
        found = pb.grad(sc.binom, argnums=(0, 1))(n, k)
        expected = [float(mp.diff(mp.binomial, (n, k), order)) for order in ((1, 0), (0, 1))]
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


def test_rgamma_at_the_poles_of_gamma():
    x = np.array([0.0, -1.0, -2.0, -7.0])
    first = pb.grad(lambda x: np.sum(sc.rgamma(x)))
    np.testing.assert_allclose(first(x), [1, -1, 2, -5040], 1e-13)
    second = pb.pushforward(first, (x,), (np.ones(4),))[1]
    expected = [float(mp.diff(mp.rgamma, t, 2)) for t in x]
    np.testing.assert_allclose(second, expected, rtol=1e-12)


Z = np.array([0.3 + 0.4j, 2.5 - 7j, -3.2 + 0.1j, -20.5 + 30j, 40 + 1e-3j, 0.4 - 300j])


@pytest.mark.parametrize("order", [1, 2, 3])
def test_complex_digamma_and_loggamma(order):
    derivative = sc.loggamma
    for _ in range(order + 1):
        derivative = (lambda f: lambda z: pb.pushforward(f, (z,), (np.ones_like(z),))[1])(
            derivative
        )
    with mp.workdps(60):
        h = mp.mpf(10) ** -8
        weights = [(-1) ** k * mp.binomial(order, k) for k in range(order + 1)]
        expected = [
            complex(sum(w * mp.digamma(mp.mpc(z) + (mp.mpf(order) / 2 - k) * h)
                        for k, w in enumerate(weights)) / h**order)
            for z in Z
        ]  # fmt: skip
    np.testing.assert_allclose(derivative(Z), expected, rtol=1e-12)


# -- inverses -------------------------------------------------------------------------------------

A = np.array([1e-2, 0.5, 3.0, 40.0, 2e3])
B = np.array([0.8, 5.0, 20.0, 7.0, 3e2])
P = np.array([0.9, 1e-6, 0.3, 0.999, 1e-12])
INVERSES = {
    "gammaincinv": (sc.gammaincinv, sc.gammainc, (A,)),
    "gammainccinv": (sc.gammainccinv, sc.gammaincc, (A,)),
    "betaincinv": (sc.betaincinv, sc.betainc, (A[1:], B[1:])),
    "betainccinv": (sc.betainccinv, sc.betaincc, (A[1:], B[1:])),
    "chdtri": (sc.chdtri, sc.chdtrc, (A[1:],)),
    "gdtrix": (sc.gdtrix, sc.gdtr, (B[1:], A[1:])),
    "fdtri": (sc.fdtri, sc.fdtr, (A[2:], B[2:])),
    "stdtrit": (sc.stdtrit, sc.stdtr, (A[1:],)),
}


@pytest.mark.parametrize("name", INVERSES)
def test_an_inverse_undoes_the_derivatives_of_the_function(name):
    """The composition with the function is the identity in p, and constant in all else."""
    inverse, function, args = INVERSES[name]
    p = P[-len(args[0]) :]

    def composed(*args):
        return function(*args[:-1], inverse(*args))

    for position in range(len(args) + 1):
        dots = [
            np.ones(p.shape) if i == position else np.zeros(p.shape) for i in range(len(args) + 1)
        ]
        dot = pb.pushforward(composed, (*args, p), tuple(dots))[1]
        if position == len(args):
            np.testing.assert_allclose(dot, 1, rtol=1e-12)
        else:
            scale = np.abs(pb.pushforward(
                lambda *args: function(*args[:-1], pb.stop_gradient(inverse(*args))),
                (*args, p), tuple(dots))[1])  # fmt: skip
            assert np.all(np.abs(dot) <= 1e-12 * scale)


def test_an_inverse_in_a_tail_where_the_density_underflows():
    """∂x/∂a = −(∂P/∂a)/p is some number where both vanish."""
    slope_in_a = pb.grad(sc.gammaincinv)(1e-3, 0.5)
    with mp.workdps(30):
        x = lambda a: mp.findroot(  # noqa: E731
            lambda u: mp.log(mp.gammainc(a, 0, mp.exp(u), regularized=True)) - mp.log(0.5), -693
        )
        a = mp.mpf(1e-3)
        h = a * mp.mpf(10) ** -8
        expected = (mp.exp(x(a + h)) - mp.exp(x(a - h))) / (2 * h)
    np.testing.assert_allclose(slope_in_a, float(expected), rtol=1e-10)


# -- counts and refusals --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_counts(dtype):
    """A sum over integers is constant between them in k; n is cut to an integer, and refused."""
    m = dtype(1.3)
    assert pb.pushforward(lambda k: sc.pdtr(k, m), (dtype(2.5),), (dtype(1),))[1] == 0
    assert pb.grad(sc.pdtr, argnums=1)(2.5, m) == pb.grad(sc.pdtr, argnums=1)(2, m) < 0
    for function, args, position in (
        (sc.bdtr, (2.0, 5.0, 0.3), 1), (sc.nbdtr, (2.0, 5.0, 0.3), 0), (sc.smirnov, (5.0, 0.3), 0)
    ):  # fmt: skip
        match = rf"{function.__name__}: its argument [kn] is a count"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # SciPy's, of floats
            with pytest.raises(NoRuleError, match=match):
                pb.grad(function, argnums=position)(*args)


REFUSED = {
    "exact": (lambda x: sc.comb(x, 2, exact=True), ArgumentValueError, r"comb: exact is True"),
    "double": (sc.factorial2, ArgumentValueError, r"factorial2: .*extend=\"complex\""),
    "order": (lambda x: sc.polygamma(x, 2.0), ArgumentTypeError, r"polygamma: n is .*integer"),
    "dimension": (lambda x: sc.multigammaln(5.0, x), ArgumentTypeError, r"multigammaln: d is"),
    "step": (lambda x: sc.factorialk(5, x, extend="complex"), ArgumentTypeError, "factorialk: k"),
    "out": (lambda x: sc.zeta(2.0, x, np.empty(())), ArgumentTypeError, r"zeta: out is"),
    "zeta": (sc.zeta, NoRuleError, r"zeta: .* argument x has no rule"),
    "nct": (lambda x: sc.nctdtr(3.0, x, 1.0), NoRuleError, r"scipy\.special\.nctdtr has no"),
    "ncfdtr": (
        lambda x: sc.ncfdtr(x, 3.0, 1.0, 2.0),
        NoRuleError,
        r"ncfdtr: .* argument dfn has no",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    f, error, match = REFUSED[name]
    with pytest.raises(error, match=match):
        pb.grad(f)(3.0)


def test_ends_of_the_domain():
    for a in (0.5, 1.0, 3.0):
        assert pb.grad(sc.gammainc)(a, 0.0) == 0
        assert pb.grad(sc.betainc)(a, 2.0, 0.0) == pb.grad(sc.betainc)(a, 2.0, 1.0) == 0
    assert pb.grad(sc.gammainc, argnums=1)(1.0, 0.0) == 1
    assert pb.grad(pb.grad(sc.gammainc, argnums=1), argnums=1)(2.0, 0.0) == 1
    assert pb.grad(sc.gammainc)(2.0, np.inf) == 0
    assert np.isnan(pb.grad(sc.gammainc)(-2.0, 1.0))
    np.testing.assert_allclose(pb.grad(sc.gammainc)(0.0, 1.5), -sc.exp1(1.5), rtol=1e-13)
    np.testing.assert_allclose(pb.grad(sc.betainc, argnums=2)(1.0, 3.0, 0.0), 3, rtol=1e-15)
    np.testing.assert_array_equal(pb.grad(lambda v: sc.stdtr(v, 0.0))(3.0), 0)


def test_third_derivatives_in_the_parameters():
    third = pb.grad(pb.grad(pb.grad(sc.gammainc)))
    with mp.workdps(40):
        expected = mp.diff(lambda a: mp.gammainc(a, 0, 2, regularized=True), 1.5, 3)
        beta = mp.diff(lambda a, b: mp.betainc(a, b, 0, 0.3, regularized=True), (1.5, 2.5), (1, 2))
        t = mp.diff(
            lambda v: 1 - mp.betainc(v / 2, 0.5, 0, v / (v + 4), regularized=True) / 2, 3, 3
        )
    np.testing.assert_allclose(third(1.5, 2.0), float(expected), rtol=1e-12)
    mixed = pb.grad(pb.grad(pb.grad(sc.betainc), argnums=1), argnums=1)
    np.testing.assert_allclose(mixed(1.5, 2.5, 0.3), float(beta), rtol=1e-12)
    np.testing.assert_allclose(pb.grad(pb.grad(pb.grad(sc.stdtr)))(3.0, 2.0), float(t), rtol=1e-12)


@pytest.mark.parametrize("x", [0.5, 1.5, 5.0, 30.0, 1e3])
def test_the_hazard_rate_in_single_precision(x):
    """h″ of the normal distribution's hazard rate h, which is about 2/x³ for large x."""
    with mp.workdps(50):
        rate = lambda t: mp.npdf(t) / mp.ncdf(-t)  # noqa: E731
        expected = [float(mp.diff(rate, x, n)) for n in (1, 2)]
    f = lambda x: pb.grad(sc.log_ndtr)(-x)  # noqa: E731
    for n, value in enumerate(expected, 1):
        f = pb.grad(f)
        np.testing.assert_allclose(f(np.float32(x)), value, rtol=1e-5, err_msg=str(n))
        np.testing.assert_allclose(f(x), value, rtol=1e-12, err_msg=str(n))
