"""The memory of a reverse sweep through ten thousand layers."""

from __future__ import annotations

import tracemalloc

import numpy as np

import pullback as pb
from pullback.rules.control_flow import schedule

LAYERS, WIDTH, BATCH, SNAPSHOTS = 10_000, 64, 64, 39


def test_ten_thousand_residual_layers():
    """y ↦ y + h tanh(y W + b), with the gradient by every W and b, under 40 states at a time.

    One layer's activations are its state y and its pre-activations, two arrays of 64 × 64. The
    parameters are inputs, and their gradient a result, whatever is stored in between: neither
    counts. That all layers start from the same parameters saves time to make them.
    """
    count = 0

    @pb.primitive
    def counted(v):
        nonlocal count
        count += 1
        return v + 0.0

    counted.rule(lambda _out, _v: 1.0)
    counted.shape(lambda v: v)

    def layer(y, parameters):
        W, b = parameters
        return y + 1e-3 * np.tanh(counted(y @ W + b)), None

    rng = np.random.default_rng(4)
    W = np.broadcast_to(rng.standard_normal((WIDTH, WIDTH)), (LAYERS, WIDTH, WIDTH))
    b = np.broadcast_to(rng.standard_normal(WIDTH), (LAYERS, WIDTH))
    y = rng.standard_normal((BATCH, WIDTH))

    def loss(parameters, checkpoint=SNAPSHOTS):
        return np.sum(pb.scan(layer, y, parameters, checkpoint=checkpoint)[0] ** 2)

    pb.grad(loss)((W[:2], b[:2]))  # whatever is kept for next time
    count = 0
    pb.grad(loss)((W[:3], b[:3]))  # fills the caches of names, dtypes and the like
    count = 0
    tracemalloc.start()
    gradient = pb.grad(loss)((W, b))
    current, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    activations = 2 * BATCH * WIDTH * 8
    results = sum(each.nbytes for each in gradient)
    assert current - results < activations
    assert peak - results < 40 * activations
    assert count <= schedule.evaluations(LAYERS, SNAPSHOTS) + LAYERS
    # The last layer's gradient, for which no layer has to be reversed, by hand.
    parameters = (W[:-1], b[:-1])
    before = pb.scan(layer, y, parameters)[0]
    last = pb.grad(
        lambda W, b: np.sum(layer(before, (W, b))[0] ** 2), (0, 1)
    )(W[-1], b[-1])  # fmt: skip
    np.testing.assert_array_equal(gradient[0][-1], last[0])
    np.testing.assert_array_equal(gradient[1][-1], last[1])


def test_memory_falls_with_the_number_of_snapshots():
    """States that are kept, and little else, are what a reverse sweep needs."""
    n = 400
    xs, c = np.linspace(0.5, 1.0, n), np.full(10_000, 0.3)

    def peak_of(checkpoint):
        def f(c):
            body = lambda c, x: (np.sin(c) * x, None)  # noqa: E731
            return np.sum(pb.scan(body, c, xs, checkpoint=checkpoint)[0])

        pb.grad(f)(c)
        tracemalloc.start()
        pb.grad(f)(c)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak / c.nbytes

    few = 10  # the state at hand, its cotangent, the iteration that is being reversed
    assert n <= peak_of(None) <= n + few
    for snapshots in (2, 10, 40):
        assert peak_of(snapshots) <= snapshots + few
    assert peak_of("sqrt") <= 2 * np.sqrt(n) + few


def test_memory_of_a_checkpointed_function():
    """Only its arguments are kept: here a scalar for each, and not five arrays of its body."""
    x = np.linspace(-1.0, 1.0, 100_000).copy()
    x.flags.writeable = False  # it is held by reference then

    def block(w, s):
        v = np.tanh(w * x)
        return s + np.mean(np.exp(np.sin(v * w) * np.cos(v)))

    def loss(f):
        def total(w):
            s = 0.0 * w
            for _ in range(20):
                s = f(w, s)
            return s

        return total

    peaks = []
    for f in (block, pb.checkpoint(block)):
        pb.grad(loss(f))(0.7)
        tracemalloc.start()
        pb.grad(loss(f))(0.7)
        peaks.append(tracemalloc.get_traced_memory()[1] / x.nbytes)
        tracemalloc.stop()
    assert peaks[0] > 60
    assert peaks[1] < 15
