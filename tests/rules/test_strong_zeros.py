"""The branch that was not taken never reaches a derivative, however singular it is there.

Each program selects with a mask between a function that is infinite, undefined or overflows at
some points and one that is harmless there. Its derivatives are known, and must be exact at those
points in every mode, to second order.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.special as sc

import pullback as pb

INF = np.inf
NAN = np.nan
X = np.array([-2.0, -1e-3, 0.0, 0.5, 2.0])
POSITIVE = X > 0


def at_positive(values, otherwise=0.0):
    """`values` where X is positive, `otherwise` elsewhere."""
    with np.errstate(all="ignore"):
        return np.where(POSITIVE, values(X), otherwise)


def program(inside, outside, first, second, otherwise=0.0):
    return (
        lambda x: np.where(x > 0, inside(x), outside(x)),
        at_positive(first, otherwise),
        at_positive(second),
    )


PROGRAMS = {
    "log": program(np.log, lambda x: 0.0, lambda x: 1 / x, lambda x: -1 / x**2),
    "sqrt": program(
        np.sqrt, lambda x: x, lambda x: 0.5 / np.sqrt(x), lambda x: -0.25 * x**-1.5, otherwise=1.0
    ),
    "reciprocal times x": (
        lambda x: x * np.where(x > 0, 1 / x, 0),
        np.zeros(5),
        np.zeros(5),
    ),
    "x log x": program(
        lambda x: x * np.log(x), lambda x: 0.0, lambda x: np.log(x) + 1, lambda x: 1 / x
    ),
    "a smooth bump": program(
        lambda x: np.exp(-1 / x),
        lambda x: 0.0,
        lambda x: np.exp(-1 / x) / x**2,
        lambda x: np.exp(-1 / x) * (1 / x**4 - 2 / x**3),
    ),
    "a power": program(
        lambda x: x**-0.5, lambda x: 0.0, lambda x: -0.5 * x**-1.5, lambda x: 0.75 * x**-2.5
    ),
    "log1p": program(
        lambda x: np.log1p(2 * np.sign(x) * np.minimum(x, 0) + x),
        lambda x: 0.0,
        lambda x: 1 / (1 + x),
        lambda x: -1 / (1 + x) ** 2,
    ),
    "arccosh of 1 + x": program(
        lambda x: np.arccosh(1 + x),
        lambda x: 0.0,
        lambda x: 1 / np.sqrt(x * (x + 2)),
        lambda x: -(x + 1) * (x * (x + 2)) ** -1.5,
    ),
    "an overflow": program(
        lambda x: np.exp(1e6 * (0.1 - x)) * x,
        lambda x: 0.0,
        lambda x: np.exp(1e6 * (0.1 - x)) * (1 - 1e6 * x),
        lambda x: np.exp(1e6 * (0.1 - x)) * (1e12 * x - 2e6),
    ),
    "gammaln": program(sc.gammaln, lambda x: 0.0, sc.digamma, lambda x: sc.polygamma(1, x)),
    "xlogy": program(
        lambda x: sc.xlogy(2.0, x), lambda x: 0.0, lambda x: 2 / x, lambda x: -2 / x**2
    ),
    "division by a difference": program(
        lambda x: np.sin(x) / (x - np.abs(x) + 2 * np.maximum(x, 0)),
        lambda x: 1.0,
        lambda x: np.cos(x) / (2 * x) - np.sin(x) / (2 * x**2),
        lambda x: -np.sin(x) / (2 * x) - np.cos(x) / x**2 + np.sin(x) / x**3,
    ),
}

each_program = pytest.mark.parametrize("name", PROGRAMS)


def forward(f):
    return lambda x: pb.pushforward(f, (x,), (np.ones_like(X),))[1]


def reverse(f):
    return lambda x: pb.pullback(f, (x,), np.ones_like(X))[1][0]


@pytest.fixture(autouse=True)
def _the_programs_divide_by_zero_themselves():
    with np.errstate(all="ignore"):
        yield


@each_program
def test_first_order(name):
    f, first, _ = PROGRAMS[name]
    tolerance = {"rtol": 1e-13, "atol": 1e-15}
    np.testing.assert_allclose(forward(f)(X), first, **tolerance)
    np.testing.assert_allclose(reverse(f)(X), first, **tolerance)
    np.testing.assert_allclose(pb.grad(lambda x: np.sum(f(x)))(X), first, **tolerance)
    np.testing.assert_allclose(pb.linearize(f, X)[1](np.ones(5)), first, **tolerance)
    assert np.all(reverse(f)(X)[~POSITIVE] == first[~POSITIVE])


@each_program
@pytest.mark.parametrize("outer", [forward, reverse])
@pytest.mark.parametrize("inner", [forward, reverse])
def test_second_order(name, outer, inner):
    f, _, second = PROGRAMS[name]
    got = outer(inner(f))(X)
    np.testing.assert_allclose(got, second, rtol=1e-12, atol=1e-14)
    assert np.all(got[~POSITIVE] == 0)


@each_program
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_jacobian_and_hessian(name, mode):
    f, first, second = PROGRAMS[name]
    np.testing.assert_allclose(pb.jacobian(f, mode=mode)(X), np.diag(first), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(
        pb.hessian(lambda x: np.sum(f(x)))(X), np.diag(second), rtol=1e-12, atol=1e-14
    )


def test_missing_data_does_not_reach_the_parameters():
    data = np.array([1.0, NAN, 2.0, INF])
    known = np.isfinite(data)

    def loss(w):
        return np.sum(np.where(known, (data * w[0] + w[1]) ** 2, 0))

    w = np.array([2.0, 1.0])
    x = data[known]
    np.testing.assert_allclose(
        pb.grad(loss)(w), [2 * np.sum((w[0] * x + w[1]) * x), 2 * np.sum(w[0] * x + w[1])]
    )
    np.testing.assert_allclose(pb.hessian(loss)(w), [[10.0, 6.0], [6.0, 4.0]])


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.log, 0.0),
        (np.sqrt, 0.0),
        (np.cbrt, 0.0),
        (np.reciprocal, 0.0),
        (np.log2, 0.0),
        (np.log10, 0.0),
        (np.log1p, -1.0),
        (np.arcsin, 1.0),
        (np.arccos, -1.0),
        (np.arctanh, 1.0),
        (np.arccosh, 1.0),
        (np.log, -1.0),
        (np.sqrt, -1.0),
        (sc.logit, 0.0),
        (sc.logit, 1.0),
        (sc.erfinv, 1.0),
        (sc.erfcinv, 0.0),
        (sc.ndtri, 1.0),
        (sc.entr, 0.0),
        (sc.gammaln, 0.0),
        (sc.gammaln, -1.0),
        (sc.digamma, 0.0),
        (sc.gamma, 0.0),
        (sc.y0, 0.0),
        (sc.k1, 0.0),
    ],
)
def test_zeros_stay_zero_at_singular_points(f, x):
    x = np.array([x])
    zero = np.zeros(1)
    assert pb.pushforward(f, (x,), (zero,))[1][0] == 0
    assert pb.pullback(f, (x,), zero)[1][0][0] == 0

    def directional(x):
        return pb.pushforward(f, (x,), (zero,))[1]

    def transposed(x):
        return pb.pullback(f, (x,), zero)[1][0]

    for g in (directional, transposed):
        assert pb.pushforward(g, (x,), (np.ones(1),))[1][0] == 0
        assert pb.pullback(g, (x,), np.ones(1))[1][0][0] == 0


def ones(x):
    return np.ones(np.shape(x))[()]


def directional_derivative(f):
    return lambda x: pb.pushforward(f, (x,), (ones(x),))[1]


def gradient(f):
    return lambda x: pb.pullback(f, (x,), ones(x))[1][0]


@pytest.mark.parametrize("x", [0.0, np.zeros(2)])
@pytest.mark.parametrize(
    "f", [np.sqrt, np.cbrt, lambda x: np.arcsin(x + 1), lambda x: x * np.sqrt(x)]
)
@pytest.mark.parametrize("inner", [lambda f: f, directional_derivative, gradient])
@pytest.mark.parametrize("outer", [directional_derivative, gradient])
def test_rules_do_not_warn(outer, inner, f, x):
    """These programs do not divide by zero; their derivatives do."""
    with warnings.catch_warnings(), np.errstate(all="warn"):
        warnings.simplefilter("error")
        assert np.shape(outer(inner(f))(x)) == np.shape(x)


def test_a_derivative_with_respect_to_a_zero_tangent():
    """A seed that is zero where it is given may be another number: the map is linear in it."""
    x = np.array([0.0, 1.0, 4.0])
    zero = np.zeros(3)
    slopes = np.diag([INF, 0.5, 0.25])
    for push in (
        lambda v: pb.pushforward(np.sqrt, (x,), (v,))[1],
        lambda v: pb.vjp(np.sqrt, x)[1](v)[0],
        lambda v: pb.linearize(np.sqrt, x)[1](v),
    ):
        for mode in ("forward", "reverse"):
            np.testing.assert_array_equal(pb.jacobian(push, mode=mode)(zero), slopes)

    def gradient(x, v):
        return pb.pushforward(lambda x: np.sin(x) * x, (x,), (v,))[1]

    for mode in ("forward", "reverse"):
        mixed = pb.jacobian(pb.jacobian(gradient, 0, mode=mode), 1, mode=mode)(x[1:], zero[1:])
        bends = 2 * np.cos(x[1:]) - x[1:] * np.sin(x[1:])
        np.testing.assert_allclose(mixed[[0, 1], [0, 1], [0, 1]], bends, rtol=1e-14)


def test_a_choice_behind_thousands_of_steps():
    def f(x):
        y = np.where(x > 0, x, 0.0) + 0 * x
        for _ in range(3000):
            y = y[::-1]
        return np.sum(np.where(x > 0, np.sqrt(y), 0.0))

    np.testing.assert_array_equal(pb.grad(f)(np.array([0.0, 4.0])), [0, 0.25])


def test_choices_in_loops_and_chains_beside_them():
    x = np.array([0.0, 4.0])

    def root(x):
        return np.where(x > 0, np.sqrt(x), 0.0)

    def summed(step):
        return lambda x: pb.scan(lambda c, x: (c + step(x), None), np.zeros(()), x)[0]

    def masked(x):
        return np.sum(np.where(x > 0, pb.scan(lambda c, x: (c, np.sqrt(x)), 0.0, x)[1], 0.0))

    for f in (summed(root), masked, pb.checkpoint(lambda x: np.sum(root(x)))):
        for mode in ("forward", "reverse"):
            np.testing.assert_array_equal(pb.jacobian(f, mode=mode)(x), [0, 0.25])
            hessian = pb.jacobian(pb.jacobian(f, mode="reverse"), mode=mode)(x)
            np.testing.assert_array_equal(hessian, [[0, 0], [0, -1 / 32]])
    for chain in (lambda x: np.sqrt(x**2), lambda x: np.sqrt(x) ** 2, lambda x: np.log(x * x)):
        for f in (chain, pb.checkpoint(chain)):
            for g in (lambda x, f=f: np.sum(f(x)), summed(f)):
                assert np.isnan(pb.pushforward(g, (np.zeros(2),), (np.ones(2),))[1])
                np.testing.assert_array_equal(pb.grad(g)(np.zeros(2)), [NAN, NAN])


def test_places_that_a_recorded_program_reads_of_many():
    """The zeros of a tangent that is read from are strong, and those of its products are not."""
    x, x_dot, nothing = np.zeros(100), np.arange(100.0), np.zeros(100)

    def written(x):
        y = x + 0.0
        y[5] = x[6]
        return y

    for place in (0, [0, 50], slice(0, None, 50)):
        for product, wanted in [(lambda x: x, [0, np.inf]), (lambda x: nothing * x, [0, NAN]),
                                (written, [0, np.inf])]:  # fmt: skip

            def root(x, place=place, product=product):
                return np.sqrt(product(x)[place])

            def f(x, x_dot, root=root):
                return pb.pushforward(root, (x,), (x_dot,))[1]

            for dot in (f(x, x_dot), pb.trace(f, x, x_dot)(x, x_dot)):
                np.testing.assert_array_equal(dot, wanted[0] if place == 0 else wanted)
