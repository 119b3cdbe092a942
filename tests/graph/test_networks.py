"""Networks, losses, steps of optimisation and transforms of them, recorded to the last bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import pullback as pb
from pullback import losses, nn, optim
from tests.graph.programs import assert_same_bits, assert_traces, leaves
from tests.losses.samples import ELEMENTWISE, fitting, from_logits

RNG = np.random.default_rng(7)
X, Y = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 2))
CLASSES = RNG.integers(2, size=6)

NETWORKS = {
    "one layer": nn.models.one_layer_network(3, 2, rng=0).network,
    "two layers": nn.models.two_layer_network(3, 4, 2, "relu", rng=0).network,
    "residual": nn.models.residual_network(3, 3, rng=0).network,
    "head": nn.Head.initialize(3, rng=0),
    "softmax": nn.Chain([nn.Dense.initialize(3, 4, "softplus", rng=0),
                         nn.Dense.initialize(4, 2, "softmax", rng=1)]),
    "a function as a layer": nn.Chain([nn.Dense.initialize(3, 2, rng=0), np.tanh]),
    "single precision": nn.Dense.initialize(3, 2, "logistic", rng=0, dtype=np.float32),
}  # fmt: skip
networks = pytest.mark.parametrize("name", NETWORKS)


def _run(net, x):
    return net(x)


def _target(net, x):
    return np.zeros_like(net(x))


@networks
@pytest.mark.parametrize("x", [X, X[0]], ids=["batch", "sample"])
def test_networks(name, x):
    assert_traces(_run, NETWORKS[name], x)


@networks
def test_gradients_of_networks(name):
    net = NETWORKS[name]
    target = _target(net, X) + 0.5

    def objective(net, x, target):
        return losses.mse(net(x), target)

    assert_traces(pb.value_and_grad(objective), net, X, target)
    graph = pb.trace(pb.grad(objective), net, X, target)
    assert isinstance(graph(net, X, target), type(net))
    per_sample = pb.vmap(pb.grad(objective), in_axes=(None, 0, 0))
    assert_traces(per_sample, net, X, target)


@networks
@pytest.mark.parametrize("jacobians", [False, True])
def test_backpropagation(name, jacobians):
    net = NETWORKS[name]
    target = _target(net, X) + 0.5

    def record(net, x, target):
        back = nn.backpropagate(net, losses.mse, x, target, jacobians=jacobians)
        return back.loss, back.gradient, back.x_bar, [
            tuple(getattr(layer, field.name) for field in dataclasses.fields(layer))
            for layer in back.layers
        ]  # fmt: skip

    assert_traces(record, net, X, target)


@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses(name, reduction):
    prediction, target = fitting(name, (4, 3))
    loss = ELEMENTWISE[name]
    assert_traces(lambda p: loss(p, target, reduction=reduction), prediction)
    if reduction != "none":
        assert_traces(pb.grad(lambda p: loss(p, target, reduction=reduction)), prediction)


def test_more_losses():
    logits = RNG.normal(size=(6, 2))
    one_hot = np.eye(2)[CLASSES]
    for target in (CLASSES, one_hot):
        assert_traces(lambda p, t=target: losses.softmax_cross_entropy(p, t), logits)
        assert_traces(pb.grad(lambda p, t=target: losses.softmax_cross_entropy(p, t)), logits)
    assert_traces(lambda p: from_logits(p, CLASSES), logits[:, 0])
    assert_traces(pb.hessian(lambda p: from_logits(p, CLASSES)), logits[:, 0])
    assert_traces(lambda p, t: losses.l2(p, t), X, X[::-1].copy())


METHODS = [
    optim.SteepestDescent(0.05),
    optim.SteepestDescent(optim.schedules.exponential(0.1, 0.5)),
    optim.Momentum(0.05),
    optim.Momentum(0.05, 0.5, nesterov=True),
    optim.Adam(0.05),
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_a_step_of_optimisation(method):
    net = NETWORKS["two layers"]

    def step(net, state, x, y):
        gradient = pb.grad(lambda net: losses.mse(net(x), y))(net)
        return method.update(gradient, state, net)

    state = method.init(net)
    graph = assert_traces(step, net, state, X, Y)
    if graph.signature.static:
        return
    params, state = graph(net, state, X, Y)
    assert_same_bits(graph(params, state, X, Y), step(params, state, X, Y))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_a_step_in_single_precision(method):
    """The number of steps is a Python number: what is computed from it takes no part in dtypes."""
    net = NETWORKS["single precision"]

    def step(net, state):
        return method.update(pb.grad(lambda net: np.sum(net(X.astype("f4"))))(net), state, net)

    graph = assert_traces(step, net, method.init(net))
    assert {leaf.dtype for leaf in leaves(graph(net, method.init(net))[0])} == {np.dtype("f4")}


# -- transforms ----------------------------------------------------------------------------------


def _potential(x, p):
    return np.sum(np.log1p(np.exp(p["a"] * x)) * np.roll(x, 1)) + np.prod(x[:2]) * np.sum(p["b"][0])


P = {"a": np.array(0.7), "b": [np.array([1.0, 2.0])]}
V = np.array([0.5, -0.3, 0.8])
OF_TREES = {
    "gradient in a tree": lambda x, p: pb.grad(_potential, argnums=1)(x, p),
    "gradient in all": lambda x, p: pb.grad(_potential, argnums=(0, 1))(x, p),
    "value and gradient": lambda x, p: pb.value_and_grad(_potential)(x, p),
    "auxiliary results": lambda x, p: pb.grad(lambda x: (_potential(x, p), {"x": 2 * x}),
                                              has_aux=True)(x),
    "hessian": lambda x, p: pb.hessian(_potential)(x, p),
    "hessian in a tree": lambda x, p: pb.hessian(_potential, argnums=1)(x, p),
    "jacobian, forward": lambda x, p: pb.jacobian(pb.grad(_potential), mode="forward")(x, p),
    "jacobian, reverse": lambda x, p: pb.jacobian(pb.grad(_potential), mode="reverse")(x, p),
    "jacobian of a gradient in a tree": lambda x, p: pb.jacobian(pb.grad(_potential, 1))(x, p),
    "hvp": lambda x, p: pb.hvp(lambda x: _potential(x, p), (x,), (x[::-1],)),
    "pushforward": lambda x, p: pb.pushforward(_potential, (x, p), (x, p)),
    "pullback": lambda x, p: pb.pullback(_potential, (x, p), 2.0),
    "vjp, pulled twice": lambda x, p: [pb.vjp(_potential, x, p)[1](s) for s in (1.0, -1.0)],
    "linearize, pushed twice": lambda x, p: [
        push(x, p) for push in [pb.linearize(_potential, x, p)[1]] for _ in range(2)],
    "vmap": lambda x, p: pb.vmap(_potential, in_axes=(0, None))(np.stack([x, 2 * x]), p),
    "vmap of a gradient": lambda x, p: pb.vmap(pb.grad(_potential), in_axes=(0, None))(
        np.stack([x, 2 * x]), p),
    "vmap of vmap": lambda x, p: pb.vmap(pb.vmap(lambda a, b: a * b, (None, 0)), (0, None))(x, x),
    "gradient of vmap": lambda x, p: pb.grad(lambda x: np.sum(pb.vmap(np.sin)(x)))(x),
    "hessian of vmap": lambda x, p: pb.hessian(lambda x: np.sum(pb.vmap(np.sin)(x) ** 2))(x),
    "third derivative": lambda x, p: pb.jacobian(pb.hessian(_potential))(x, p),
    "gradient of a scan": lambda x, p: pb.grad(
        lambda x: np.sum(pb.scan(lambda c, s: (c * s, np.sin(c)), x, x)[1]))(x),
    "hessian of a loop": lambda x, p: pb.hessian(
        lambda x: np.sum(pb.fori_loop(0, 3, lambda i, y: y * x + i, x)))(x),
    "gradient of a choice": lambda x, p: pb.grad(
        lambda x: np.sum(pb.cond(x[0] > 0, np.sin, np.cos, x)))(x),
    "gradient of a while loop": lambda x, p: pb.grad(
        lambda x: np.sum(pb.while_loop(lambda y: np.sum(y * y) < 10, lambda y: 2 * y, x)))(x),
    "vmap of a while loop": lambda x, p: pb.vmap(
        lambda x: pb.while_loop(lambda y: y < 10, lambda y: 2 * y, x * x))(x),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_TREES)
def test_transforms_of_functions_of_trees(name):
    f = OF_TREES[name]
    graph = assert_traces(f, V, P)
    described = pb.trace(f, pb.ShapeDtype((3,)), {"a": P["a"], "b": [pb.ShapeDtype(2)]})
    assert_same_bits(described(V, P), graph(V, P))
    assert_same_bits(pb.trace(graph, V, P)(V, P), graph(V, P))


# -- how arguments lie in memory -------------------------------------------------------------------

LAYOUTS = {
    "C": lambda x: x,
    "F": np.asfortranarray,
    "transposed": lambda x: np.ascontiguousarray(x.T).T,
    "strided": lambda x: np.repeat(np.repeat(x, 2, 0), 3, 1)[::2, ::3],
    "reversed": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "read-only": lambda x: _read_only(x.copy()),
    "unaligned": lambda x: np.frombuffer(b"0" + x.tobytes(), offset=1).reshape(x.shape),
    "big-endian": lambda x: x.astype(">f8").astype("<f8"),
}


def _read_only(x):
    x.flags.writeable = False
    return x


def _matrix_program(x):
    y = x * 2.0
    y[0] += x[1]
    z = np.tanh(y @ x.T).reshape(-1)
    return z[::2], y.ravel(), np.sort(y, axis=0), np.flip(y, 1), y.T


@pytest.mark.parametrize("layout", LAYOUTS)
def test_arguments_may_lie_anyhow(layout):
    """A graph of descriptions takes any array of these shapes, and leaves it as it is."""
    x = LAYOUTS[layout](X)
    before = x.copy()
    graph = pb.trace(_matrix_program, pb.ShapeDtype(X.shape))
    for got, wanted in zip(graph(x), _matrix_program(x), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-15)
    gradient = pb.grad(lambda x: sum(np.sum(np.sin(part)) for part in _matrix_program(x)))
    np.testing.assert_allclose(pb.trace(gradient, X)(x), gradient(x), rtol=1e-12)
    np.testing.assert_array_equal(x, before)
    assert_traces(_matrix_program, x)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_constants_may_lie_anyhow(layout):
    table = LAYOUTS[layout](X)
    assert_traces(lambda x: (x * table).sum(axis=0) + table[1], X)


def test_large_arrays_are_described_without_memory():
    described = pb.ShapeDtype((10**8, 10**5), np.float32)
    graph = pb.trace(lambda x: np.sum(np.tanh(x), axis=0), described)
    assert graph.outputs[0].shape == (10**5,)
    assert graph.cost().operations == 2 * 10**13
