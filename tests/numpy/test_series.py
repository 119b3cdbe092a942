"""Polynomials and other series with traced coefficients and points, and what makes them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.polynomial import (
    Chebyshev,
    Hermite,
    HermiteE,
    Laguerre,
    Legendre,
    Polynomial,
    chebyshev,
    polynomial,
)
from numpy.polynomial import polyutils as pu

import pullback as pb
from pullback.core import trees
from tests.grouping import for_each
from tests.numpy.agreement import assert_derivative, leaves

RNG = np.random.default_rng(61)
CLASSES = (Polynomial, Chebyshev, Legendre, Hermite, HermiteE, Laguerre)
P = np.array([1.0, -6.1, 11.3, -6.2])
Q = np.array([0.7, -1.2, 0.4])
X = np.linspace(0.0, 1.0, 8)
Y, W = np.sin(3 * X) + 0.1 * RNG.normal(size=8), RNG.uniform(0.5, 1.0, 8)
TABLE = RNG.normal(size=(3, 4))

OF_CLASSES = {
    "evaluation": (lambda cls, c, x: cls(c)(x), P, X),
    "a domain": (lambda cls, c, x: cls(c, domain=[0, 2], window=[-1, 3])(x), P, X),
    "a traced domain": (lambda cls, c, d: cls(c, domain=d)(X), P, np.array([0.1, 2.0])),
    "arithmetic": (lambda cls, c, d: ((cls(c) * cls(d) + 2 * cls(d) - 1) ** 2).coef, P, Q),
    "numbers": (lambda cls, c: (c[0] * cls([1.0, 2.0]) + cls(c) / 2 - c[1]).coef, P),
    "division": (lambda cls, c, d: [each.coef for each in divmod(cls(c), cls(d))], P, Q),
    "the derivative": (lambda cls, c: cls(c).deriv(2).coef, P),
    "the integral": (lambda cls, c: cls(c).integ(2, k=[c[0], 1.0], lbnd=c[1]).coef, P),
    "a fit": (lambda cls, x, y, w: cls.fit(x, y, 2, w=w, domain=[0, 1]).coef, X, Y, W),
    "a fit of a domain": (lambda cls, x, y: cls.fit(x, y, 2).convert().coef[:3], X, Y),
    "a full fit": (lambda cls, y: cls.fit(X, y, 2, full=True)[1][0], Y),
    "from roots": (lambda cls, c: cls.fromroots(c).coef, P),
    "conversion": (lambda cls, c: cls(c).convert(kind=Polynomial, domain=[0, 3]).coef, P),
    "truncation": (lambda cls, c: cls(c).truncate(2).coef, P),
    "points": (lambda cls, c: cls(c).linspace(5), P),
}
OF_MODULES = {
    "polyval2d": (lambda x, y, c: polynomial.polyval2d(x, y, c), X, Y, TABLE),
    "polygrid2d": (lambda x, y, c: polynomial.polygrid2d(x, y, c), X, Y, TABLE),
    "polyval3d": (lambda x, y: polynomial.polyval3d(x, y, x, np.ones((2, 3, 2))), X, Y),
    "polyval of columns": (lambda x, c: polynomial.polyval(x, c), X, TABLE),
    "polyval without tensor": (lambda x, c: polynomial.polyval(x, c, tensor=False), X[:4], TABLE),
    "chebval2d": (lambda x, y, c: chebyshev.chebval2d(x, y, c), X, Y, TABLE),
    "polyvalfromroots": (lambda x, c: polynomial.polyvalfromroots(x, c), X, P),
    "polyvander": (lambda x: polynomial.polyvander(x, 3), X),
    "chebvander2d": (lambda x, y: chebyshev.chebvander2d(x, y, [2, 2]), X, Y),
    "polyder": (lambda c: polynomial.polyder(c, 2, 3.0, axis=0), TABLE),
    "chebint": (lambda c: chebyshev.chebint(c, 1, [c[0, 0]], 0.3, axis=1), TABLE),
    "chebinterpolate": (lambda a: chebyshev.chebinterpolate(lambda z: np.sin(a * z), 4),
                        np.array(2.0)),
    "polycompanion": (lambda c: polynomial.polycompanion(c), P),
    "chebweight": (lambda x: chebyshev.chebweight(x), X / 2),
    "mapparms": (lambda d: pu.mapparms([0, 2], d), np.array([0.3, 1.0])),
    "trimcoef": (lambda c: pu.trimcoef(c), P),
    "poly1d": (lambda c, x: np.poly1d(c)(x), P, X),
    "poly1d's arithmetic": (lambda c, d: (np.poly1d(c) * np.poly1d(d) + 2).coeffs, P, Q),
    "poly1d's calculus": (lambda c, x: np.poly1d(c).deriv()(x) + np.poly1d(c).integ()(x), P, X),
    "polydiv": (lambda u, v: np.polydiv(u, v), P, Q),
    "polydiv of objects": (lambda u, v: [p.coeffs for p in np.polydiv(np.poly1d(u), v)], P, Q),
    "poly": (lambda r: np.poly(r), P),
    "poly of pairs": (lambda r: np.poly(np.concatenate([r, np.conj(r)]) + 0j), Q),
    "polyfit": (lambda x, y: np.polyfit(x, y, 2), X, Y),
    "polyfit with weights": (lambda x, y, w: np.polyfit(x, y, 2, w=w), X, Y, W),
    "polyfit with cov": (lambda x, y, w: np.polyfit(x, y, 2, w=w, cov=True), X, Y, W),
    "polyfit with cov unscaled": (lambda x, y: np.polyfit(x, y, 2, cov="unscaled"), X, Y),
    "polyfit full": (lambda x, y, w: np.polyfit(x, y, 2, w=w, full=True)[:2], X, Y, W),
    "polyfit of several": (lambda x, y: np.polyfit(x, y, 1, cov=True), X, RNG.normal(size=(8, 2))),
    "roots": (lambda p: np.roots(p), P),
    "roots at 0": (lambda p: np.roots(np.concatenate([p, [0.0]])), P),
    "roots behind zeros": (lambda p: np.roots(np.concatenate([[0.0, 0.0], p])), P),
    "complex roots": (lambda p: [np.real(np.roots(p)), np.imag(np.roots(p))],
                      np.array([1.0, 0.3, 2.0, 0.4])),
}  # fmt: skip
POINTS = [
    pytest.param(lambda *args, f=f, cls=cls: f(cls, *args), args, id=f"{cls.__name__}-{name}")
    for cls in CLASSES
    for name, (f, *args) in OF_CLASSES.items()
] + [pytest.param(f, args, id=f"modules-{name}") for name, (f, *args) in OF_MODULES.items()]


@for_each(POINTS, lambda identifier: identifier.partition("-")[0])
def test_values_and_derivatives(function, args):
    for got, wanted in zip(
        leaves(pb.vjp(function, *args)[0]), leaves(function(*args)), strict=True
    ):
        assert np.shape(got) == np.shape(wanted)
        assert np.result_type(got) == np.result_type(wanted)
    assert_derivative(function, *args, rtol=1e-11)


@for_each(POINTS[::3], lambda identifier: identifier.partition("-")[0])
def test_second_derivatives(function, args):
    x, rest = np.asarray(args[0]), args[1:]
    v = np.random.default_rng(1).normal(size=x.shape)

    def f(x):
        return sum(np.sum(np.log1p(np.real(y) ** 2)) for y in trees.flatten(function(x, *rest))[0])

    slope, h = pb.grad(f), 1e-5
    wanted = (slope(x + h * v) - slope(x - h * v)) / (2 * h)
    scale = max(np.max(np.abs(wanted)), 1.0)
    for inner, outer in itertools.product(("forward", "reverse"), repeat=2):
        inside = pb.jacobian(f, mode=inner)
        if outer == "forward":
            got = pb.pushforward(inside, (x,), (v,))[1]
        else:
            got = pb.pullback(inside, (x,), v)[1][0]
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=3e-5 * scale)


RECORDED = ("evaluation", "arithmetic", "numbers", "the derivative", "the integral", "from roots",
            "a fit", "conversion", "points")  # fmt: skip


@pytest.mark.parametrize("cls", CLASSES)
def test_recorded_compiled_and_mapped(cls):
    for name in RECORDED:
        f, *args = OF_CLASSES[name]

        def function(*args, f=f):
            return f(cls, *args)

        wanted = function(*args)
        np.testing.assert_allclose(pb.trace(function, *args)(*args), wanted, rtol=1e-9, atol=1e-12)
        rows = [np.stack([x, 1.01 * x]) for x in args]
        each = [leaves(function(*row)) for row in zip(*rows, strict=True)]
        for got, column in zip(
            leaves(pb.vmap(function)(*rows)), zip(*each, strict=True), strict=True
        ):
            np.testing.assert_allclose(got, column, rtol=1e-9, atol=1e-12)
    value = pb.compile(lambda c, x: np.sum(cls(c)(x)))(P, X)
    np.testing.assert_allclose(value, np.sum(cls(P)(X)), rtol=1e-13)


def test_coefficients_that_are_zero_have_derivatives():
    """NumPy trims them; those of constants are trimmed here, too."""

    def total(c):
        series = Polynomial(c) + Polynomial([0.0, 0.0, 0.0, 6.2, 0.0])
        sizes.append(series.coef.size)
        return series(0.5)

    sizes = []
    for find in (pb.grad(total), pb.trace(pb.grad(total), P)):
        np.testing.assert_allclose(find(P), 0.5 ** np.arange(4))
    assert set(sizes) == {4}
    np.testing.assert_allclose(pb.grad(lambda c: np.poly1d(c)(2.0))(np.zeros(3)), [4.0, 2.0, 1.0])
    product = np.polymul([1.0, 3.0, 2.0], [1.0, 2.0])  # it divides without rest
    rest = pb.jacobian(lambda u: np.polydiv(u, [1.0, 3.0, 2.0])[1])(product)
    np.testing.assert_allclose(rest, [[7.0, -3.0, 1.0, 0.0], [6.0, -2.0, 0.0, 1.0]], rtol=1e-13)
    assert_derivative(lambda r: Laguerre.fromroots(r).coef, np.array([1.0, 2.0, 0.0]))


def test_multiple_roots_have_no_derivative():
    twice = np.polymul([1.0, -2.0, 1.0], [1.0, 3.0])
    for mode in ("forward", "reverse"):
        slopes = pb.jacobian(lambda p: np.sort(np.roots(p + 0j)), mode=mode, holomorphic=True)(
            twice + 0j
        )
        assert np.isfinite(slopes[0]).all()
        assert np.isnan(slopes[1:]).all()
    with pytest.raises(pb.errors.SingularPointError, match="a multiple root"), pb.strict():
        pb.grad(lambda p: np.sum(np.abs(np.roots(p))))(twice)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda p: np.roots(p[None]), pb.ArgumentValueError, r"shape \(1, 4\)"),
        (lambda p: np.polyfit(p, p, -1), ValueError, "deg"),
        (lambda p: np.polyfit(p, p[:2], 1), TypeError, "same length"),
        (lambda p: Polynomial(p)(X, p), TypeError, "positional"),
        (lambda p: Polynomial(p[None]).coef, ValueError, "1-d"),
    ],
)
def test_arguments_that_do_not_fit(call, error, words):
    with pytest.raises(error, match=words):
        pb.grad(lambda p: np.sum(call(p)))(P)


def test_roots_that_may_be_real_or_complex_are_not_recorded():
    with pytest.raises(pb.DataDependenceError, match=r"numpy\.roots.*p \+ 0j"):
        pb.trace(np.roots, P)
    graph = pb.trace(lambda p: np.roots(p + 0j), P)
    np.testing.assert_allclose(graph(P), np.roots(P + 0j), rtol=1e-14)


def test_plain_series_are_what_they_were():
    """In a transformation too, where they stay out of it."""
    seen = []

    def f(x):
        seen.append(np.polynomial.legendre.leggauss(5))
        seen.append(Chebyshev([1.0, 2.0, 0.0]) * Chebyshev([0.5]))
        return x * x

    pb.grad(f)(2.0)
    nodes, weights = np.polynomial.legendre.leggauss(5)
    np.testing.assert_array_equal(seen[0][0], nodes)
    np.testing.assert_array_equal(seen[0][1], weights)
    assert seen[1] == Chebyshev([0.5, 1.0])
