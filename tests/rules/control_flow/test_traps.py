"""The classic traps of derivatives through loops."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

import pullback as pb
from tests.grouping import together


def forward(f):
    return lambda x: pb.pushforward(f, (x,), (1.0,))[1]


def reverse(f):
    return lambda x: pb.pullback(f, (x,), 1.0)[1][0]


def linearized(f):
    return lambda x: pb.linearize(f, x)[1](1.0)


DERIVATIVES = [forward, reverse, linearized, pb.grad]
PAIRS = list(itertools.product(DERIVATIVES, repeat=2))


# -- nested derivatives with free variables ------------------------------------------------------

# x ↦ y after going once, or three times, through a loop or branch: f(z) for a body z ↦ f(z).
THROUGH = {
    "scan": lambda f, z: pb.scan(lambda c, _: (f(c), None), z, length=1)[0],
    "scanned input": lambda f, z: pb.scan(lambda c, x: (f(x), None), 0.0, np.stack([z, z]))[0],
    "result of scan": lambda f, z: pb.scan(lambda c, _: (c, f(z)), 0.0, length=2)[1][1],
    "fori_loop": lambda f, z: pb.fori_loop(3, 4, lambda i, c: f(c), z),
    "while_loop": lambda f, z: pb.while_loop(
        lambda c: c[1] < 1, lambda c: (f(c[0]), c[1] + 1), (z, 0)
    )[0],
    "cond": lambda f, z: pb.cond(z > -100.0, f, lambda z: 0.0 * z, z),
    "switch": lambda f, z: pb.switch(1, [np.sin, f, np.cos], z),
    "checkpoint": lambda f, z: pb.checkpoint(f)(z),
}


@together("outer")
@pytest.mark.parametrize("through", THROUGH.values(), ids=THROUGH)
@pytest.mark.parametrize(("outer", "inner"), PAIRS)
def test_perturbations_are_not_confused(outer, inner, through):
    """d/dx (x · d/dy (x + y)) = 1 and d/dx (d/dy x·y²)(y = 3) = 6, each layer through a loop."""
    assert through(lambda z: z + 1.0, 2.0) == 3.0

    def product(x):
        return through(lambda z: z * inner(lambda y: through(lambda u: z + u, y))(1.0), x)

    assert outer(product)(1.0) == 1.0

    def free(x):
        return inner(lambda y: through(lambda u: x * u**2, y))(3.0)

    assert outer(free)(5.0) == 6.0

    def free_in_the_body(x):
        return through(lambda z: x * inner(lambda y: x * z * y**2)(3.0), 2.0)

    # x · 2·6·x = 12 x²
    assert outer(free_in_the_body)(5.0) == 120.0


@pytest.mark.parametrize("first", DERIVATIVES)
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_any_order(first, order):
    """xⁿ by a loop, differentiated as often as one likes."""

    def power(x):
        return pb.fori_loop(0, 5, lambda i, c: c * x, np.ones((), like=x))

    modes = itertools.cycle([first, *DERIVATIVES])
    f = power
    for _ in range(order):
        f = next(modes)(f)
    expected = np.prod([5.0 - k for k in range(order)]) * 1.3 ** (5 - order)
    assert f(1.3) == pytest.approx(expected, rel=1e-13)


def test_a_difference_operator_that_escapes():
    """The curried case of Manzyuk et al., with the shift inside a loop."""

    def shift(u):
        return lambda f: lambda x: pb.scan(lambda c, _: (f(c + u), None), x, length=1)[0]

    def derivative_of_shift(f):
        return lambda y: pb.grad(lambda u: shift(u)(f)(y))(0.0)

    assert derivative_of_shift(derivative_of_shift(np.exp))(1.0) == pytest.approx(np.e)


# -- loops whose course depends on the value -----------------------------------------------------


def root(x):
    """√x by Newton's method, as long as it takes."""
    return pb.while_loop(
        lambda y: np.abs(y * y - x) > 1e-14 * x, lambda y: 0.5 * (y + x / y), x * 0.5 + 0.5
    )


@pytest.mark.parametrize("derivative", DERIVATIVES)
@pytest.mark.parametrize("x", [0.01, 0.5, 2.0, 1e6])
def test_a_loop_whose_trip_count_depends_on_the_differentiated_value(derivative, x):
    assert derivative(root)(x) == pytest.approx(0.5 * x**-0.5, rel=1e-10)
    assert derivative(forward(root))(x) == pytest.approx(-0.25 * x**-1.5, rel=1e-8)


def test_collatz():
    """Any trip count; the derivative is the product of the factors on the way."""

    def fall(x):
        return pb.while_loop(
            lambda s: s[0] > 1.5,
            lambda s: (np.where(s[1] % 3 == 0, s[0] ** 1.1 - 1.0, 0.5 * s[0]), s[1] + 1),
            (x, 0),
        )

    def by_hand(x):
        steps = 0
        while x > 1.5:
            x = x**1.1 - 1.0 if steps % 3 == 0 else 0.5 * x
            steps += 1
        return x, steps

    for x in (1.2, 7.3, 1000.0):
        value, steps = fall(x)
        assert (value, steps) == by_hand(x)
        expected = pb.grad(lambda x: by_hand(x)[0])(x) if steps else 1.0
        for derivative in DERIVATIVES:
            assert derivative(lambda x: fall(x)[0] * 1.0)(x) == pytest.approx(expected, rel=1e-13)


def fixed_point(a):
    """The solution of z = cos(a z)/2, by iteration."""

    def on(state):
        z, before, steps = state
        return (np.abs(z - before) > 1e-15) & (steps < 500)

    def step(state):
        z, _, steps = state
        return 0.5 * np.cos(a * z), z, steps + 1

    return pb.while_loop(on, step, (0.5 + 0.0 * a, -1.0 + 0.0 * a, 0))[0]


def test_a_fixed_point_inside_a_minimisation_inside_a_derivative():
    """d/dt of the least value of g(a) = (z(a) − t)² + (a − 1)²/2, where z = cos(a z)/2.

    The outer derivative is, by the envelope theorem, ∂g/∂t at the minimum: −2 (z(a*) − t).
    """

    def objective(a, t):
        return (fixed_point(a) - t) ** 2 + 0.5 * (a - 1.0) ** 2

    def minimiser(t):
        step = lambda _, a: a - 0.95 * pb.grad(objective)(a, t)  # noqa: E731
        return pb.fori_loop(0, 20, step, 1.0 + 0.0 * t)

    def least(t):
        return objective(minimiser(t), t)

    t = 0.6
    a = minimiser(t)
    assert pb.grad(objective)(a, t) == pytest.approx(0.0, abs=1e-12)
    z = fixed_point(a)
    assert z == pytest.approx(0.5 * np.cos(a * z), abs=1e-14)
    for derivative in (forward, reverse):
        assert derivative(least)(t) == pytest.approx(-2 * (z - t), rel=1e-9)
    # The minimiser itself, by the implicit function theorem: da/dt = −g_at / g_aa.
    g_aa = pb.grad(pb.grad(objective))(a, t)
    g_at = pb.grad(lambda t: pb.grad(objective)(a, t))(t)
    for derivative in (forward, reverse):
        assert derivative(minimiser)(t) == pytest.approx(-g_at / g_aa, rel=1e-8)


def test_loops_in_loops_in_branches():
    """A while_loop inside a scan inside a cond, in all modes and to second order."""

    def f(w):
        def body(c, x):
            c = pb.while_loop(lambda c: c > 1.0, lambda c: c * 0.5 * w, c + x * w)
            return c, c * c

        def loops(w):
            c, ys = pb.scan(body, w * 0.1, np.array([0.5, 3.0, 9.0]))
            return c + np.sum(ys)

        return pb.cond(w > 0.0, loops, lambda w: w**3, w)

    def by_hand(w):
        if w <= 0:
            return w**3
        c, total = w * 0.1, 0.0
        for x in (0.5, 3.0, 9.0):
            c = c + x * w
            while c > 1.0:
                c = c * 0.5 * w
            total = total + c * c
        return c + total

    for w in (0.8, 1.3, -2.0):
        assert f(w) == pytest.approx(by_hand(w), rel=1e-15)
        for derivative in DERIVATIVES:
            assert derivative(f)(w) == pytest.approx(reverse(by_hand)(w), rel=1e-13)
            second = reverse(forward(by_hand))(w)
            assert derivative(derivative(f))(w) == pytest.approx(second, rel=1e-12)


def test_the_gradient_of_a_loop_inside_the_body_of_a_loop():
    """Gradient descent whose steps differentiate through an inner loop, differentiated in turn."""
    target = np.array([1.0, -0.5])

    def simulate(v):
        return pb.fori_loop(0, 4, lambda i, y: y + 0.1 * np.tanh(v * y + v), np.zeros_like(v))

    def misfit(v, scale):
        return np.sum((simulate(v) * scale - target) ** 2)

    def descend(loops_scan, scale):
        def step(v, rate):
            v = v - rate * pb.grad(misfit)(v, scale)
            return v, misfit(v, scale)

        v, history = loops_scan(step, np.array([0.3, -0.2]) * scale, np.array([0.5, 0.3, 0.2]))
        return np.sum(v) + history[-1]

    def in_python(body, carry, xs):
        ys = []
        for x in xs:
            carry, y = body(carry, x)
            ys.append(y)
        return carry, ys

    for derivative in DERIVATIVES:
        got = derivative(lambda s: descend(pb.scan, s))(1.7)
        assert got == pytest.approx(derivative(lambda s: descend(in_python, s))(1.7), rel=1e-12)


def test_transformations_inside_a_body():
    """vmap, jacobian and hessian of functions that close over the carry."""
    A = np.array([[2.0, 0.5], [0.5, 1.0]])

    def body(x, _):
        def energy(y):
            return np.sum(np.cos(A @ y)) * np.sum(x) + 0.5 * y @ y

        H = pb.hessian(energy)(x)
        J = pb.jacobian(lambda y: np.tanh(y * x))(x)
        rows = pb.vmap(lambda row: row * x)(H)
        return x - 0.05 * np.linalg.solve(H + 9 * np.eye(2), J @ x) + 0.01 * rows[0], None

    def f(x):
        return np.sum(pb.scan(body, x, length=3)[0] ** 2)

    def unrolled(x):
        for _ in range(3):
            x, _ = body(x, None)
        return np.sum(x**2)

    x = np.array([0.4, -0.9])
    assert_allclose(pb.grad(f)(x), pb.grad(unrolled)(x), rtol=1e-12)
    assert_allclose(pb.hessian(f)(x), pb.hessian(unrolled)(x), rtol=1e-11)


# -- derivatives that must not see the branch not taken ------------------------------------------


@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_the_branch_not_taken_does_not_count(derivative):
    def f(x):
        return pb.cond(x > 0.0, np.sqrt, lambda x: 0.0 * x, x)

    assert derivative(f)(4.0) == 0.25
    assert derivative(f)(0.0) == 0.0
    assert derivative(f)(-1.0) == 0.0


@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_a_loop_left_before_it_breaks_down(derivative):
    """The state after the last iteration makes the next one infinite, which is never run."""

    def f(x):
        return pb.while_loop(lambda y: y > 0.0, lambda y: np.sqrt(y) - 1.0, x)

    # √16 − 1 = 3, √3 − 1 = 0.73…, √0.73… − 1 < 0
    a, b = 3.0, np.sqrt(3.0) - 1.0
    expected = 0.5 / np.sqrt(b) * 0.5 / np.sqrt(a) * 0.5 / 4.0
    assert derivative(f)(16.0) == pytest.approx(expected, rel=1e-14)


def test_stop_gradient_in_a_body():
    def f(x):
        return pb.fori_loop(0, 3, lambda i, c: c + x * pb.stop_gradient(x), 0.0 * x)

    for derivative in DERIVATIVES:
        assert derivative(f)(2.0) == 6.0


def test_an_independent_result_is_zero_and_says_so():
    def f(x):
        return pb.fori_loop(0, 3, lambda i, c: c + 1.0, 0.0) * 1.0

    with pytest.warns(pb.IndependentOutputWarning):
        assert pb.grad(f)(2.0) == 0.0
