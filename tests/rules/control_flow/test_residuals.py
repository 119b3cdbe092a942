"""What a loop keeps for its reverse sweep: few arrays, from which the rest is computed again."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.rules.control_flow.loop import scan
from tests.rules.control_flow.test_costs import operations

RNG = np.random.default_rng(3)


def stacked(f, argnums, *args):
    """The shapes, without the first axis, of what the forward loop of a gradient stacks."""
    graph = pb.simplify(pb.trace(pb.value_and_grad(f, argnums), *args))
    forward, _ = (each for each in graph.equations if each.primitive is scan)
    loop = forward.params["loop"]
    return [y.shape[1:] for y in forward.outputs[loop.carry :]]


def assert_derivatives(f, argnums, *args, h=1e-6):
    """The gradient, eager and recorded, against differences in a random direction."""
    gradient = pb.grad(f, argnums)
    got, recorded = gradient(*args), pb.simplify(pb.trace(gradient, *args))(*args)
    directions = [RNG.standard_normal(np.shape(args[i])) for i in argnums]

    def moved(t):
        new = [*args]
        for i, direction in zip(argnums, directions, strict=True):
            new[i] = args[i] + t * direction
        return f(*new)

    wanted = (moved(h) - moved(-h)) / (2 * h)
    for bars in (got, recorded):
        found = sum(np.sum(bar * dot) for bar, dot in zip(bars, directions, strict=True))
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-8)


def neurons(g_na, g_k, g_l, current, start):
    """The model of Hodgkin and Huxley, of which the last voltage is read, by explicit steps."""

    def step(state, current):
        v, m, h, n = state
        a_m, b_m = 0.1 * (v + 40) / (1 - np.exp(-(v + 40) / 10)), 4 * np.exp(-(v + 65) / 18)
        a_h, b_h = 0.07 * np.exp(-(v + 65) / 20), 1 / (1 + np.exp(-(v + 35) / 10))
        a_n, b_n = 0.01 * (v + 55) / (1 - np.exp(-(v + 55) / 10)), 0.125 * np.exp(-(v + 65) / 80)
        ionic = g_na * m**3 * h * (v - 50) + g_k * n**4 * (v + 77) + g_l * (v + 54.4)
        v = v + 0.01 * (current - ionic)
        m = m + 0.01 * (a_m * (1 - m) - b_m * m)
        h = h + 0.01 * (a_h * (1 - h) - b_h * h)
        return (v, m, h, n + 0.01 * (a_n * (1 - n) - b_n * n)), None

    state = tuple(x + 0 * start for x in (-64.3, 0.05, 0.6, 0.32))
    return np.sum(pb.scan(step, state, current)[0][0] ** 2)


def test_a_neuron_model_keeps_its_state():
    """Of many neurons; of one, exponentials are kept beside it, as that takes less time."""
    args = (120.0, 36.0, 0.3, np.full(30, 10.0))
    many, one = np.zeros(40), np.array(0.0)
    assert stacked(neurons, (0, 1, 2), *args, many) == [(40,)] * 4
    assert len(stacked(neurons, (0, 1, 2), *args, one)) <= 4 + 6
    assert_derivatives(neurons, (0, 1, 2, 3), *args, many)
    assert_derivatives(neurons, (0, 1, 2, 3), *args, one)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_what_is_affine_in_a_kept_value_is_not_kept(size):
    def f(x, w):
        def body(c, w):
            y = np.tanh(c)
            return (1 - y) * (3 * y + w) * (y - w), None

        return np.sum(pb.scan(body, x, w)[0])

    args = np.linspace(-1.0, 1.0, size), RNG.standard_normal((7, size))
    assert len(stacked(f, (0, 1), *args)) == 1
    assert_derivatives(f, (0, 1), *args)


def test_what_is_scanned_or_stays_the_same_is_not_kept():
    def f(x, w, a):
        return np.sum(pb.scan(lambda c, w: (c + np.square(w * a) - w, None), x, w)[0])

    args = np.ones(3), RNG.standard_normal((7, 3)), np.ones(3)
    assert stacked(f, (1, 2), *args) == []
    assert_derivatives(f, (1, 2), *args)


def test_a_matrix_product_is_not_computed_again():
    def f(W, x):
        return np.sum(pb.scan(lambda c, _: (np.tanh(W @ c), None), x, length=6)[0])

    W, x = RNG.standard_normal((40, 40)) / 7, RNG.standard_normal(40)
    assert stacked(f, (0,), W, x) == [(40,), (40,)]  # the factor and the result of tanh
    assert operations(pb.grad(f), W, x) <= 3.1 * operations(f, W, x)
    assert_derivatives(f, (0, 1), W, x)


def test_errors_that_a_reverse_sweep_would_meet_again_are_met_once():
    def f(x):
        def body(c, x):
            y = np.where(x > 0, np.log(x), x)
            return c + y * y * np.exp(y), None

        with np.errstate(divide="ignore"):
            return np.sum(pb.scan(body, np.zeros(20, like=x), np.stack([x] * 3))[0])

    x = np.array([0.0, 1.0, 2.0, 3.0] * 5)
    log = np.log(np.maximum(x, 1.0))
    np.testing.assert_allclose(pb.grad(f)(x), 3 * (2 * log + log * log))
