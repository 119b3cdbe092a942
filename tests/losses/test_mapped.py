"""Losses and layers under `vmap`: one gradient for each example, as a loop gives it."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.core import trees
from tests.grouping import together
from tests.losses.samples import ELEMENTWISE, fitting, from_logits

SIZE = 4
RNG = np.random.default_rng(5)


def compare(ours, each):
    for got, *wanted in zip(*(trees.flatten(tree)[0] for tree in (ours, *each)), strict=True):
        wanted = np.stack(wanted)
        assert got.shape == wanted.shape
        assert got.dtype == wanted.dtype
        np.testing.assert_allclose(got, wanted, rtol=1e-5 if got.dtype == np.float32 else 1e-13)


LOSSES = {
    **{
        f"{name} {reduction}": (lambda p, t, f=f, r=reduction: f(p, t, reduction=r), name)
        for name, f in ELEMENTWISE.items()
        for reduction in ("mean", "sum", "none")
    },
    "l2": (pb.losses.l2, "mse"),
    "logits": (from_logits, "binary_cross_entropy"),
}


@together("name")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(SIZE,), (SIZE, 3), (SIZE, 3, 2)])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, shape, dtype):
    loss, family = LOSSES[name]
    prediction, target = fitting(family, shape, dtype)

    def both(p, t):
        out, push = pb.linearize(lambda p: loss(p, t), p)
        value, (p_bar,) = pb.pullback(lambda p: np.sum(loss(p, t)), (p,))
        return out, push(np.ones_like(p)), value, p_bar

    each = [both(p, t) for p, t in zip(prediction, target, strict=True)]
    compare(pb.vmap(both)(prediction, target), each)
    compare(
        pb.vmap(both, in_axes=(0, None))(prediction, target[0]),
        [both(p, target[0]) for p in prediction],
    )
    _, (outside,) = pb.pullback(lambda p: np.sum(pb.vmap(loss)(p, target)), (prediction,))
    compare(outside, [row[-1] for row in each])
    assert pb.vmap(loss)(prediction[:0], target[:0]).shape[0] == 0


@pytest.mark.parametrize("kind", ["labels", "distributions"])
@pytest.mark.parametrize("samples", [(), (3,)])
def test_softmax_cross_entropy(samples, kind):
    scores = RNG.normal(size=(SIZE, *samples, 5))
    target = RNG.integers(5, size=(SIZE, *samples))
    if kind == "distributions":
        target = RNG.dirichlet(np.ones(5), size=(SIZE, *samples))

    def gradient(z, t):
        return pb.value_and_grad(pb.losses.softmax_cross_entropy)(z, t)

    compare(
        pb.vmap(gradient)(scores, target),
        [gradient(z, t) for z, t in zip(scores, target, strict=True)],
    )
    assert pb.vmap(pb.losses.softmax_cross_entropy)(scores[:0], target[:0]).shape == (0,)


def test_a_label_that_does_not_fit_in_one_example():
    with pytest.raises(pb.errors.ArgumentValueError, match="classes from 0 to 7, wanted 0 to 4"):
        pb.vmap(pb.losses.softmax_cross_entropy)(
            np.ones((2, 3, 5)), np.array([[0, 1, 2], [3, 7, 4]])
        )


@pytest.mark.parametrize("name", ["l2", "mse"])
def test_values_beyond_the_largest_float(name):
    loss = getattr(pb.losses, name)
    prediction = np.array([[1e200, 1.0], [3.0, -1e155], [1.0, 2.0], [1e308, np.inf]])
    target = np.zeros_like(prediction)

    def f(p, t):
        return pb.value_and_grad(loss)(p, t)

    each = [f(p, t) for p, t in zip(prediction, target, strict=True)]
    compare(pb.vmap(f)(prediction, target), each)
    _, (outside,) = pb.pullback(lambda p: pb.vmap(loss)(p, target), (prediction,), np.ones(4))
    compare(outside, [gradient for _, gradient in each])


LAYERS = {
    "dense": lambda: pb.nn.Dense.initialize(3, 2, "tanh", rng=1),
    "relu": lambda: pb.nn.Dense.initialize(3, 2, "relu", rng=1),
    "softmax": lambda: pb.nn.Dense.initialize(3, 4, "softmax", rng=1),
    "residual": lambda: pb.nn.Residual.initialize(3, 0.5, "tanh", rng=1),
    "head": lambda: pb.nn.Head.initialize(3, rng=1),
    "chain": lambda: pb.nn.Chain(
        [
            pb.nn.Dense.initialize(3, 4, "softplus", rng=1),
            pb.nn.Residual.initialize(4, 0.5, "tanh", rng=2),
            pb.nn.Head.initialize(4, rng=3),
        ]
    ),
}


@pytest.mark.parametrize("samples", [(), (5,)])
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, samples):
    """The gradient by the parameters for each example, and ensembles of parameters."""
    net = LAYERS[name]()
    x = RNG.normal(size=(SIZE, *samples, 3))

    def gradient(net, x):
        return pb.grad(lambda net, x: pb.losses.l2(net(x), np.zeros_like(net(x))), (0, 1))(net, x)

    compare(pb.vmap(gradient, in_axes=(None, 0))(net, x), [gradient(net, each) for each in x])
    ensemble = trees.map_tree(lambda leaf: np.stack([leaf * (1 + k) for k in range(SIZE)]), net)
    members = [trees.map_tree(lambda leaf, k=k: leaf[k], ensemble) for k in range(SIZE)]
    compare(
        pb.vmap(gradient)(ensemble, x),
        [gradient(member, each) for member, each in zip(members, x, strict=True)],
    )


@pytest.mark.parametrize("jacobians", [False, True])
def test_backpropagation(jacobians):
    net = LAYERS["chain"]()
    x, target = RNG.normal(size=(SIZE, 3)), RNG.normal(size=SIZE)

    def record(x, target):
        passed = pb.nn.backpropagate(net, pb.losses.l2, x, target, jacobians=jacobians)
        first = passed.layers[0]
        extra = (first.jacobian,) if jacobians else ()
        return passed.loss, passed.gradient, passed.x_bar, first.delta, first.y, *extra

    compare(pb.vmap(record)(x, target), [record(a, b) for a, b in zip(x, target, strict=True)])


@pytest.mark.parametrize(
    "method", [pb.optim.SteepestDescent(0.1), pb.optim.Momentum(0.1), pb.optim.Adam(0.1)]
)
def test_steps_of_an_optimiser(method):
    """Many fits at once: each takes the steps that it would take alone."""
    start, centre = RNG.normal(size=(SIZE, 3)), RNG.normal(size=(SIZE, 3))

    def fit(w, c):
        state = method.init(w)
        for _ in range(3):
            w, state = method.update(pb.grad(lambda w: pb.losses.l2(w, c))(w), state, w)
        return w

    compare(pb.vmap(fit)(start, centre), [fit(w, c) for w, c in zip(start, centre, strict=True)])
