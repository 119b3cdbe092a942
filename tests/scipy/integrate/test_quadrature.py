"""Integrals under SciPy's names, against closed forms and mpmath."""

from __future__ import annotations

import math
import warnings

import mpmath as mp
import numpy as np
import pytest
import scipy.integrate as si
from numpy.testing import assert_allclose

import pullback as pb
from tests.scipy.integrate.agreement import agrees, closed_form


def quad(*args, **kwargs):
    return si.quad(*args, **kwargs)[0]


INTEGRALS = {
    "a parameter": (lambda p: quad(lambda t: np.exp(-p * t), 0, 1), lambda p: (1 - mp.exp(-p)) / p),
    "args": (
        lambda p: quad(lambda t, a, b: np.sin(a * t) * b, 0, 2, args=(p, 3.0)),
        lambda p: 3 * (1 - mp.cos(2 * p)) / p,
    ),
    "a single argument": (
        lambda p: quad(lambda t, a: a * t, 1, 0, args=p) + p**3,
        lambda p: -p / 2 + p**3,
    ),
    "the upper end": (
        lambda p: quad(lambda t: np.exp(-t * t), 0, p),
        lambda p: mp.sqrt(mp.pi) / 2 * mp.erf(p),
    ),
    "the lower end": (
        lambda p: quad(lambda t: np.exp(-p * t * t), p, 1.0),
        lambda p: mp.sqrt(mp.pi / p) / 2 * (mp.erf(mp.sqrt(p)) - mp.erf(p ** mp.mpf(1.5))),
    ),
    "both ends, the wrong way": (
        lambda p: quad(lambda t: t * p, 2 * p, p**2),
        lambda p: p * (p**4 - 4 * p**2) / 2,
    ),
    "equal ends": (lambda p: quad(np.cos, 0.7, p), lambda p: mp.sin(p) - mp.sin(0.7)),
    "an infinite end": (
        lambda p: quad(lambda x: x**p * np.exp(-x), 0, np.inf),
        lambda p: mp.gamma(p + 1),
    ),
    "a tail": (
        lambda p: quad(lambda x: np.exp(-x * x), p, np.inf),
        lambda p: mp.sqrt(mp.pi) / 2 * mp.erfc(p),
    ),
    "the other tail": (
        lambda p: quad(lambda x: np.exp(p * x), -np.inf, p),
        lambda p: mp.exp(p * p) / p,
    ),
    "the whole line": (
        lambda p: quad(lambda x: np.exp(-p * x * x), -np.inf, np.inf),
        lambda p: mp.sqrt(mp.pi / p),
    ),
    "a pole at an end": (
        lambda p: quad(lambda x: x ** (p - 1) * (1 + x), 0, 1),
        lambda p: 1 / p + 1 / (p + 1),
    ),
    "a kink at a point that moves": (
        lambda p: quad(lambda x: abs(x - p), 0, 1, points=[p]),
        lambda p: (p**2 + (1 - p) ** 2) / 2,
    ),
    "a jump at a point that moves": (
        lambda p: quad(lambda x: np.where(x > p, 1.0, np.cos(x)), 0, 1, points=[p]),
        lambda p: mp.sin(p) + 1 - p,
    ),
    "a jump that stays": (
        lambda p: quad(lambda x: np.where(x > 1 / 3, p, 2 * p * x), 0, p),
        lambda p: p * (p - mp.mpf(1) / 3) + p * (1 / 3) ** 2,
    ),
    "branches and the math module": (
        lambda p: quad(lambda x: p * math.exp(x) if x > 0.5 else p * p * float(x), 0, 1),
        lambda p: p * (mp.e - mp.exp(0.5)) + p * p / 8,
    ),
    "an array on the way": (
        lambda p: quad(lambda x: np.sum(np.array([p * x, x, 1.0]) ** 2), 0, 1),
        lambda p: p**2 / 3 + mp.mpf(4) / 3,
    ),
    "vectors": (
        lambda p: np.sum(si.quad_vec(lambda x: np.array([np.sin(p * x), x * p]), 0, 2)[0]),
        lambda p: (1 - mp.cos(2 * p)) / p + 2 * p,
    ),
    "vectors to infinity": (
        lambda p: si.quad_vec(lambda x, a: np.exp(-a * x), p, np.inf, args=(p,))[0],
        lambda p: mp.exp(-p * p) / p,
    ),
    "vectors on the whole line": (
        lambda p: si.quad_vec(lambda x: np.exp(-p * x * x), -np.inf, np.inf)[0],
        lambda p: mp.sqrt(mp.pi / p),
    ),
    "two variables": (
        lambda p: si.dblquad(lambda y, x: p * x * y, 0, 1, 0, lambda x: p * x)[0],
        lambda p: p**3 / 8,
    ),
    "nested by hand": (
        lambda p: quad(lambda x: quad(lambda y: p * y * x, 0, p * x), 0, 1),
        lambda p: p**3 / 8,
    ),
    "points that depend on other variables": (
        lambda p: si.nquad(
            lambda x, y, a: np.where(x > a * y, a, 2 * x),
            [(0, 1), (0, 1)],
            args=(p,),
            opts=[lambda y, a: {"points": [a * y]}, {}],
        )[0],
        lambda p: p + (p**2 / 3 - p**2 / 2),
    ),
}


@pytest.mark.parametrize("name", INTEGRALS)
def test_derivatives(name):
    f, exact = INTEGRALS[name]
    p = 0.7
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        agrees(name, f, p, closed_form(exact)(p), rtol=1e-9)


def test_accuracy_beyond_scipys_tolerance():
    """A kink makes the derivative's integrand jump, which the value's tolerance doesn't see."""
    kink = pb.grad(lambda p: quad(lambda x: abs(x - p), 0, 1))(0.3)
    assert_allclose(kink, -0.4, atol=2e-9)
    third = pb.grad(pb.grad(pb.grad(lambda b: quad(lambda t: np.exp(-t * t), 0, b))))(1.2)
    assert_allclose(third, (4 * 1.44 - 2) * math.exp(-1.44), rtol=1e-12)
    # Abel's integral, singular at the end that moves: as accurate as the digits of b − x
    abel = pb.grad(lambda b: quad(lambda x: x / np.sqrt(b - x), 0, b))(1.5)
    assert_allclose(abel, 2 * math.sqrt(1.5), rtol=1e-5)


def test_complex_integrands():
    def f(p):
        return quad(lambda x: np.exp(1j * p * x), 0, 1, complex_func=True)

    out, dot = pb.jvp(f, (1.0,), (1.0,))
    assert out == f(1.0)
    e = np.exp(1j)
    assert_allclose(dot, (1j * e - (e - 1)) / 1j, rtol=1e-12)


def test_three_variables():
    def f(p):
        return si.tplquad(lambda z, y, x: p * x * y * z, 0, p, 0, 1, 0, lambda x, y: x)[0]

    out, slope = pb.value_and_grad(f)(0.7)
    assert out == f(0.7)
    assert_allclose(slope, 5 * 0.7**4 / 16, rtol=1e-10)  # p⁵/16


def test_what_else_is_returned():
    value, error, info = pb.vjp(lambda p: si.quad(lambda x: p * x, 0, 1, full_output=1)[:2], 2.0)[
        0
    ] + (si.quad(lambda x: 2 * x, 0, 1, full_output=1)[2],)
    assert (value, error) == si.quad(lambda x: 2 * x, 0, 1)
    kept = []
    pb.grad(lambda p: (kept.append(si.quad(lambda x: p * x, 0, 1, full_output=1)), p)[1])(2.0)
    assert kept[0][2]["neval"] == info["neval"]
    pb.grad(lambda p: (kept.append(si.quad(lambda x: x, 0, 1)), p)[1])(2.0)
    assert kept[1] == si.quad(lambda x: x, 0, 1)


def test_errors_name_the_function_and_what_to_do():
    def divergent(p):
        return quad(lambda x: p / x, 0, 1)

    def weighted(p):
        return quad(lambda x: p * x, 0, 1, weight="cos", wvar=3.0)

    def singular(p):
        return quad(lambda x: p * abs(x - 1 / 3) ** -0.7, 0, 1, limit=200)

    def user(p):
        raise KeyError("mine")

    for f, error, words in (
        (divergent, pb.ArgumentValueError, r"scipy\.integrate\.quad: .*points=.*SciPy says: "),
        (weighted, pb.NoRuleError, r"weight='cos' has no derivative rule"),
        (lambda p: quad(user, 0, p), KeyError, "mine"),
        (
            lambda p: si.nquad(lambda x, y: p / x, [(0, 1), (0, 1)])[0],
            pb.ArgumentValueError,
            r"scipy\.integrate\.nquad: the integral is differentiated",
        ),
        (
            lambda p: si.quad_vec(lambda x: p / x, 0, 1, limit=50)[0],
            pb.ArgumentValueError,
            r"scipy\.integrate\.quad_vec: the integral",
        ),
        (
            lambda p: quad(np.cos, 0, 2, points=[p, p * 1.0]),
            pb.ArgumentValueError,
            "two of them are equal",
        ),
        (singular, pb.ArgumentValueError, "not smooth enough|SciPy says"),
    ):
        with pytest.raises(error, match=words):
            pb.grad(f)(1.3)
    with pytest.raises(pb.DataDependenceError, match=r"scipy\.integrate\.quad: .* recorded"):
        pb.trace(lambda p: quad(lambda x: p * x, 0, 1), 1.0)
    with pytest.raises(pb.ArgumentValueError, match=r"full_output .* vmap"):
        pb.vmap(lambda p: si.quad(lambda x: p * x, 0, 1, full_output=1)[0])(np.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error", si.IntegrationWarning)
        with pytest.raises(si.IntegrationWarning):
            pb.grad(lambda p: p * quad(lambda x: 1 / x, 0, 1))(1.0)


def test_plain_calls_stay_scipys():
    assert si.quad(np.cos, 0, 1) == si.quad.__wrapped__(np.cos, 0, 1)
    found = pb.grad(lambda p: p * quad(lambda x: x, 0, 1))(1.0)
    assert found == 0.5
    inner = pb.grad(lambda p: quad(lambda x: x * pb.grad(lambda q: q**3 * p)(x), 0, 1))(2.0)
    assert_allclose(inner, 3 / 4, rtol=1e-12)
