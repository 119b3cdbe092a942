"""The memory of a reverse sweep through ten thousand layers."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

import pullback as pb
from pullback.rules.control_flow import recomputation

LAYERS, WIDTH, BATCH, SNAPSHOTS = 10_000, 64, 64, 39


def test_ten_thousand_residual_layers():
    """y ↦ y + h tanh(y W + b), with the gradient by every W and b, under 40 states at a time.

    One layer's activations are what a gradient without checkpoints stores for it: its state and
    one more array of 64 × 64. The parameters are inputs, and their gradient a result, whatever is
    stored in between: neither counts. That all layers start from the same parameters saves the
    time to make them.
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

    def memory(layers, checkpoint):
        """Of the gradient: at the end, and at the peak, without the gradient itself."""
        some = (W[:layers], b[:layers])
        tracemalloc.start()
        gradient = pb.grad(loss)(some) if checkpoint else pb.grad(lambda p: loss(p, None))(some)
        current, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        results = sum(each.nbytes for each in gradient)
        return gradient, current - results, peak - results

    memory(200, SNAPSHOTS)  # fills the caches of names, dtypes and the like
    activations = (memory(60, None)[2] - memory(20, None)[2]) / 40
    count = 0
    gradient, current, peak = memory(LAYERS, SNAPSHOTS)
    state = y.nbytes
    assert activations < 2.1 * state
    assert current < 4 * activations  # small objects on Python's free lists; no state of a layer
    assert peak < 40 * activations
    assert peak < (SNAPSHOTS + 10) * state
    assert count <= recomputation.evaluations(LAYERS, SNAPSHOTS) + LAYERS
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


@pytest.mark.usefixtures("few_objects")
def test_no_array_waits_for_the_garbage_collector():
    """What a transform has used is free when it returns: no cycle holds on to it."""
    x, w = np.linspace(0.1, 1.0, 50_000), np.full(50_000, 0.5)
    rows = np.ones((5, 1))

    def scanned(x):
        return np.sum(pb.scan(lambda c, r: (np.tanh(c * r + w), c[0]), x, rows, checkpoint=2)[0])

    def repeated(x):
        return np.sum(
            pb.while_loop(lambda s: s[1] < 3, lambda s: (np.sin(s[0]) * w, s[1] + 1), (x, 0))[0]
        )

    def chosen(x):
        return np.sum(pb.cond(x[0] > 0, lambda x: np.sin(x) * w, lambda x: x, x))

    def kept(x):
        return np.sum(pb.checkpoint(lambda x: np.sin(x) * w)(x))

    for f in (scanned, repeated, chosen, kept):
        for transform in (
            pb.grad(f),
            pb.vmap(pb.grad(f)),
            lambda x, f=f: pb.hvp(f, (x,), (x,)),
            lambda x, f=f: pb.trace(pb.grad(f), x)(x),
        ):
            argument = x[None] if transform.__name__.startswith("vmap") else x
            transform(argument)
            gc.collect()
            gc.disable()
            tracemalloc.start()
            try:
                transform(argument)
                left, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
                gc.enable()
            assert left < x.nbytes // 2
