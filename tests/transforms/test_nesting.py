"""Transformations inside transformations: no perturbation is mistaken for another."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

import pullback as pb


def forward(f):
    """f′ by forward mode."""
    return lambda x: pb.pushforward(f, (x,), (1.0,))[1]


def reverse(f):
    """f′ by reverse mode."""
    return lambda x: pb.pullback(f, (x,), 1.0)[1][0]


def linearized(f):
    """f′ by the recorded pushforward."""
    return lambda x: pb.linearize(f, x)[1](1.0)


DERIVATIVES = [forward, reverse, linearized, pb.grad]
PAIRS = list(itertools.product(DERIVATIVES, repeat=2))


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_the_classic_confusion(outer, inner):
    """d/dx (x · d/dy (x + y)) = 1, where confusion of x with y gives 2."""
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_free_variables(outer, inner):
    """d/dx (d/dy x·y)(y = 2) = 1;  d/dx (x · d/dy x·y²) = 4xy."""
    assert outer(lambda x: inner(lambda y: x * y)(2.0))(3.0) == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y**2)(3.0))(5.0) == 4 * 5 * 3


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_a_derivative_at_the_outer_variable(outer, inner):
    """d/dx [d/dy (x²y³)](y = x) = d/dx 3x⁴ = 12x³."""
    assert outer(lambda x: inner(lambda y: x**2 * y**3)(x))(2.0) == pytest.approx(96.0)


@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_a_difference_operator_that_escapes(outer, inner):
    """The curried case of Manzyuk et al.: s(u) f = x ↦ f(x + u), differentiated by u twice."""

    def shift(u):
        return lambda f: lambda x: f(x + u)

    def derivative_of_shift(f):
        return lambda y: outer(lambda u: shift(u)(f)(y))(0.0)

    assert derivative_of_shift(derivative_of_shift(np.exp))(1.0) == pytest.approx(math.e)
    assert derivative_of_shift(inner(np.exp))(1.0) == pytest.approx(math.e)


@pytest.mark.parametrize("first", DERIVATIVES)
@pytest.mark.parametrize("order", range(1, 7))
def test_any_order(first, order):
    f, sign = np.sin, [np.sin, np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x)]
    modes = itertools.cycle([first, *DERIVATIVES])
    for _ in range(order):
        f = next(modes)(f)
    assert f(0.7) == pytest.approx(sign[order % 4](0.7), rel=1e-13)


@pytest.mark.parametrize("modes", list(itertools.product(DERIVATIVES[:3], repeat=3)))
def test_third_derivative_in_every_mix(modes):
    def f(x):
        return np.exp(x) * np.sin(x) + x**4

    for mode in modes:
        f = mode(f)
    expected = 2 * np.exp(0.5) * (np.cos(0.5) - np.sin(0.5)) + 24 * 0.5
    assert f(0.5) == pytest.approx(expected, rel=1e-12)


def test_the_minimax_of_siskind_and_pearlmutter():
    """A saddle found by gradient descent on one variable inside gradient ascent on the other."""

    def descend(f, x):
        slope = pb.grad(f)
        for _ in range(60):
            x = x - 0.25 * slope(x)
        return x

    def payoff(x, y):
        return (x - y) ** 2 - 2 * (y - 1) ** 2 + x

    def worst(x):
        return payoff(x, descend(lambda y: -payoff(x, y), x * 0))

    x = descend(worst, 0.0)
    y = descend(lambda y: -payoff(x, y), 0.0)
    assert pb.grad(payoff, 0)(x, y) == pytest.approx(0, abs=1e-6)
    assert pb.grad(payoff, 1)(x, y) == pytest.approx(0, abs=1e-6)


def test_derivative_through_newtons_method():
    """The implicit derivative of the root of y² = x, through a loop that calls grad."""

    def root(x):
        y = x
        for _ in range(40):
            residual = y**2 - x
            if abs(residual) < 1e-15:
                break
            y = y - residual / pb.grad(lambda y: y**2 - x)(y)
        return y

    for derivative in DERIVATIVES:
        assert derivative(root)(2.0) == pytest.approx(0.5 / np.sqrt(2.0), rel=1e-12)
        assert derivative(derivative(root))(2.0) == pytest.approx(-0.25 * 2.0**-1.5, rel=1e-10)


def test_an_inner_gradient_that_does_not_see_the_outer_variable():
    assert pb.grad(lambda x: x * pb.grad(lambda y: y**2)(3.0))(5.0) == 6.0


def test_transformations_of_transformations():
    x = np.array([0.4, -0.3])

    def f(x):
        return np.sum(x**4)

    def curvature(x):
        return np.trace(pb.hessian(f)(x)) + np.sum(pb.hvp(f, (x,), (x,))[0])

    assert_allclose(pb.grad(curvature)(x), 24 * x + 36 * x**2, rtol=1e-13)
    assert_allclose(pb.jacobian(pb.jacobian(pb.grad(f)))(x)[0, 0, 0], 24 * x[0], rtol=1e-13)


def test_a_map_made_outside_and_applied_inside():
    _, pull = pb.vjp(np.sin, 0.3)
    assert pb.grad(lambda w: pull(w)[0] ** 2)(2.0) == pytest.approx(4 * np.cos(0.3) ** 2)
    _, push = pb.linearize(np.sin, 0.3)
    assert pb.grad(lambda w: push(w) ** 2)(2.0) == pytest.approx(4 * np.cos(0.3) ** 2)
    assert forward(lambda w: pull(w)[0] ** 2)(2.0) == pytest.approx(4 * np.cos(0.3) ** 2)


def test_a_map_made_inside_and_applied_inside():
    def f(x):
        y, pull = pb.vjp(lambda x: x**3, x)
        return pull(y)[0] + pull(2.0)[0]

    # x³·3x² + 6x²
    assert pb.grad(f)(2.0) == pytest.approx(15 * 16 + 24)


# -- Python's own constructs ---------------------------------------------------------------------


def test_control_flow():
    def collatz(x):
        steps = 0
        y = x
        while y > 1.5:
            y = y / 2 if steps % 3 else y**1.1 - 1
            steps += 1
        return y * steps

    h = 1e-6
    expected = (collatz(7.3 + h) - collatz(7.3 - h)) / (2 * h)
    for derivative in DERIVATIVES:
        assert derivative(collatz)(7.3) == pytest.approx(expected, rel=1e-8)


def test_branches_follow_the_value():
    def f(x):
        if x < 0:
            return x**2
        return np.sin(x) if x < 1 else x

    assert [pb.grad(f)(x) for x in (-2.0, 0.5, 3.0)] == [-4.0, np.cos(0.5), 1.0]


def test_recursion():
    def power(x, n):
        if n == 0:
            return 1.0
        half = power(x, n // 2)
        return half * half * (x if n % 2 else 1.0)

    assert pb.grad(power)(1.1, 13) == pytest.approx(13 * 1.1**12, rel=1e-14)
    assert pb.grad(pb.grad(power))(1.1, 13) == pytest.approx(13 * 12 * 1.1**11, rel=1e-14)


def test_closures_and_generators_and_comprehensions():
    def powers(x):
        y = 1.0
        while True:
            yield y
            y = y * x

    def f(x):
        terms = [t / math.factorial(k) for k, t in zip(range(25), powers(x), strict=False)]
        return sum(terms)

    for derivative in DERIVATIVES:
        assert derivative(f)(0.8) == pytest.approx(np.exp(0.8), rel=1e-14)


def test_exceptions_inside_the_function_close_the_level():
    def fails(x):
        if x > 0:
            raise KeyError("mine")
        return x

    with pytest.raises(KeyError, match="mine"):
        pb.grad(fails)(1.0)
    assert pb.grad(fails)(-1.0) == 1.0

    def recovers(x):
        try:
            return pb.grad(fails)(x)
        except KeyError:
            return x**2

    assert pb.grad(recovers)(3.0) == 6.0


def test_callable_objects_methods_and_partials():
    import functools

    class Model:
        def __init__(self, slope):
            self.slope = slope

        def __call__(self, x):
            return self.slope * x**2

        def method(self, x):
            return self(x) + x

    model = Model(3.0)
    assert pb.grad(model)(2.0) == 12.0
    assert pb.grad(model.method)(2.0) == 13.0
    assert pb.grad(functools.partial(lambda a, x: a * x, 5.0))(2.0) == 5.0
    assert pb.grad(np.sin)(0.0) == 1.0
