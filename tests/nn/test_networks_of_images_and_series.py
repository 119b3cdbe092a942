"""Normalisation, convolution, pooling, embedding and recurrent layers, beside PyTorch's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb
from pullback import nn
from pullback.core import trees
from pullback.errors import ArgumentTypeError, ArgumentValueError

ORACLES = json.loads((Path(__file__).parent / "pytorch.json").read_text())


def batch_norm(gamma, beta):
    return nn.training(nn.BatchNorm(gamma, beta, np.zeros(3), np.ones(3)))


LAYERS = {
    "LayerNorm": nn.LayerNorm,
    "BatchNorm": batch_norm,
    "BatchNorm images": batch_norm,
    "Conv1d": nn.Conv1d,
    "Conv1d strided": lambda W: nn.Conv1d(W, stride=2, padding=2),
    "Conv2d": nn.Conv2d,
    "Conv2d strided": lambda W, b: nn.Conv2d(W, b, stride=(2, 1), padding=(1, 2)),
    "MaxPool1d": lambda: nn.MaxPool1d(3, 2),
    "MaxPool2d": lambda: nn.MaxPool2d((2, 3)),
    "AvgPool1d": lambda: nn.AvgPool1d(3, 1),
    "AvgPool2d": lambda: nn.AvgPool2d(2),
    "ElmanCell": lambda **given: nn.Recurrent(nn.ElmanCell(**given)),
    "GRUCell": lambda **given: nn.Recurrent(nn.GRUCell(**given)),
    "LSTMCell": lambda **given: nn.Recurrent(nn.LSTMCell(**given)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_and_gradients_are_pytorchs(name):
    oracle = ORACLES[name]
    given = {key: np.array(x) for key, x in oracle["given"].items()}
    weight = np.array(oracle["weight"])

    def output(given):
        parameters = {key: x for key, x in given.items() if key != "x"}
        return LAYERS[name](**parameters)(given["x"])

    def loss(given):
        return np.sum(weight * output(given))

    assert_allclose(output(given), oracle["output"], rtol=1e-9, atol=1e-10)
    gradient = pb.grad(loss)(given)
    for key, expected in oracle["gradient"].items():
        assert_allclose(gradient[key], expected, rtol=1e-9, atol=1e-10, err_msg=key)
    compiled = pb.compile(pb.grad(loss))(given)
    for key, each in compiled.items():
        assert_allclose(each, gradient[key], rtol=1e-10, atol=1e-12, err_msg=key)


@pytest.mark.parametrize("name", [name for name in LAYERS if "Batch" not in name])
def test_a_sample_is_a_batch_of_one(name):
    given = {key: np.array(x) for key, x in ORACLES[name]["given"].items()}
    x = given.pop("x")
    layer = LAYERS[name](**given)
    assert_allclose(np.stack([layer(each) for each in x]), layer(x), rtol=1e-12, atol=1e-13)
    assert_allclose(pb.vmap(layer)(x), layer(x), rtol=1e-12, atol=1e-13)


def test_layers_are_right_to_second_order():
    rng = np.random.default_rng(0)
    layers = [
        nn.LayerNorm(rng.normal(size=4), rng.normal(size=4)),
        nn.Recurrent(nn.LSTMCell.initialize(4, 1, rng=1), last=True),
        nn.Conv1d.initialize(3, 2, 2, "tanh", rng=1, padding=1),
    ]
    x = rng.normal(size=(3, 4))
    for layer in layers:
        assert pb.check(lambda layer, x: layer(x), layer, x).passed, layer


def test_gradients_of_equal_symbols_add_up():
    W = np.arange(6.0).reshape(3, 2)
    layer, symbols = nn.Embedding(W), np.array([[2, 0], [2, 2]])
    assert_array_equal(layer(symbols), W[symbols])
    bar = pb.grad(lambda layer: np.sum(layer(symbols) ** 2))(layer).W
    count = np.array([1, 0, 3])[:, None]
    assert_array_equal(bar, 2 * count * W)
    with pytest.raises(ArgumentTypeError, match=r"Embedding\(3 → 2\).*integers"):
        layer(np.array([0.5]))
    with pytest.raises(ArgumentValueError, match="from -1 to 3, wanted those of 3 symbols"):
        layer(np.array([3, -1]))


# -- statistics of batches ---------------------------------------------------------------------


def test_statistics_are_kept_and_used():
    rng = np.random.default_rng(0)
    x = 3 * rng.normal(size=(50, 4)) + 2
    net = nn.Chain([nn.BatchNorm.initialize(4), nn.Dense.initialize(4, 2, rng=rng)])
    seen = nn.observe(net, x, weight=1)
    assert_allclose(seen[0].mean, x.mean(axis=0), rtol=1e-14)
    assert_allclose(seen[0].variance, x.var(axis=0, ddof=1), rtol=1e-14)
    expected = (x - x.mean(0)) / np.sqrt(x.var(0, ddof=1) + 1e-5) @ net[1].W.T
    assert_allclose(seen(x), expected, rtol=1e-12)
    half = nn.observe(net, x, weight=0.5)[0]
    assert_allclose(half.mean, x.mean(axis=0) / 2, rtol=1e-14)
    assert seen[0].gamma is net[0].gamma
    assert not seen[0].training


def test_kept_statistics_have_no_derivative():
    layer = nn.BatchNorm.initialize(2)
    bar = pb.grad(lambda layer: np.sum(layer(np.ones((3, 2))) ** 2))(layer)
    assert_array_equal(bar.mean, np.zeros(2))
    assert_array_equal(bar.variance, np.zeros(2))
    assert bar.gamma.all()


def test_a_batch_normalises_what_reaches_the_layer():
    """In nested chains, behind a layer that draws."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    inner = nn.Chain([nn.Dropout(0.5), nn.BatchNorm.initialize(3)])
    net = nn.Chain([nn.Dense.initialize(3, 3, rng=rng), inner])
    seen = nn.observe(net, x, weight=1, seed=4)
    reached = nn.Chain([net[0], nn.training(net, 4)[1][0]])(x)
    assert_allclose(seen[1][1].mean, reached.mean(axis=0), rtol=1e-13)


@dataclasses.dataclass(frozen=True)
class Block:
    """A layer of one's own, with a normalisation in it that is called `times`."""

    norm: nn.BatchNorm
    dense: nn.Dense
    times: int = trees.static(default=1)

    def __call__(self, x):
        for _ in range(self.times):
            x = self.dense(self.norm(x))
        return x


def test_statistics_are_kept_by_layers_of_ones_own():
    rng = np.random.default_rng(0)
    x = 3 * rng.normal(size=(40, 3)) + 2
    dense = nn.Dense.initialize(3, 3, rng=rng)
    net = nn.Chain([dense, Block(nn.BatchNorm.initialize(3), dense)])
    for observe in (nn.observe, pb.compile(nn.observe)):
        norm = observe(net, x)[1].norm
        assert type(norm) is nn.BatchNorm
        assert not norm.training
        assert_allclose(norm.mean, 0.1 * dense(x).mean(axis=0), rtol=1e-12)
        assert_allclose(norm.variance, 0.9 + 0.1 * dense(x).var(axis=0, ddof=1), rtol=1e-12)
    twice = nn.observe(Block(net[1].norm, dense, times=2), x, weight=0.5).norm
    second = dense(nn.training(net[1].norm)(x))
    assert_allclose(twice.mean, x.mean(axis=0) / 4 + second.mean(axis=0) / 2, rtol=1e-12)


def test_a_normalisation_that_no_batch_reaches_is_named():
    net = Block(nn.BatchNorm.initialize(3), nn.Dense.initialize(3, 3, rng=0), times=0)
    with pytest.raises(ArgumentValueError, match=r"observe: BatchNorm\(3.*no batch reached it"):
        nn.observe(net, np.ones((4, 3)))


@pytest.mark.parametrize("method", ["adamw", "adam", "sgd"])
def test_decay_leaves_kept_statistics_alone(method):
    """They are no weights: shrunk, they would be those of no data."""
    rng = np.random.default_rng(0)
    x = 3 * rng.normal(size=(40, 3)) + 2
    net = nn.Chain([nn.BatchNorm.initialize(3), nn.Head.initialize(3, rng=rng)])
    net = nn.observe(net, x, weight=1)

    def objective(net, x):
        return np.mean(nn.training(net)(x) ** 2)

    after = pb.optim.train(
        objective, net, (x,), method, learning_rate=0.1, weight_decay=0.5, epochs=3
    ).params
    assert_array_equal(after[0].mean, net[0].mean)
    assert_array_equal(after[0].variance, net[0].variance)
    assert np.all(np.abs(after[0].gamma) < 1)


# -- dropout -----------------------------------------------------------------------------------


def test_dropped_values_are_a_fraction_and_the_mean_is_kept():
    x = np.ones((200, 500))
    y = nn.training(nn.Dropout(0.3), 1)(x)
    assert set(np.unique(y)) == {0.0, 1 / 0.7}
    assert abs(np.mean(y == 0) - 0.3) < 0.005
    assert np.max(np.abs(np.mean(y == 0, axis=0) - 0.3)) < 0.15
    assert nn.Dropout(0.3)(x) is x


def test_seeds_layers_and_steps_draw_apart():
    net = nn.training(nn.Chain([nn.Dropout(0.5), nn.Dropout(0.5)]), 7)
    again = nn.training(nn.Chain([nn.Dropout(0.5), nn.Dropout(0.5)]), 7)
    other = nn.training(nn.Chain([nn.Dropout(0.5), nn.Dropout(0.5)]), 8)
    x = np.ones(1000)
    assert_array_equal(net(x), again(x))
    for one, two in [(net[0](x), net[1](x)), (net[0](x), other[0](x))]:
        assert 400 < np.sum(one != two) < 600


def test_masks_are_the_same_in_every_mode():
    """Eagerly, mapped over seeds, recorded and compiled for a seed that comes later."""

    def f(x, seed):
        return np.sum(nn.training(nn.Dropout(0.4), seed)(x) ** 2)

    x = np.linspace(1, 2, 30)
    seeds = np.arange(5)
    expected = [pb.grad(f)(x, int(seed)) for seed in seeds]
    assert len({each.tobytes() for each in expected}) == 5
    compiled = pb.compile(pb.grad(f))
    assert_allclose([compiled(x, int(seed)) for seed in seeds], expected, rtol=1e-15)
    mapped = pb.vmap(pb.grad(f), (None, 0))(x, seeds)
    assert_allclose(mapped, expected, rtol=1e-15)


def test_a_seed_is_the_one_of_splitmix():
    """The first numbers of SplitMix64 from the state 1234567, which its author publishes."""
    from pullback.nn.dropout import _GOLDEN, mixed

    seed = np.full(1, 1234567, np.uint64)
    places = np.arange(1, 6, dtype=np.uint64)
    assert mixed(seed + places * _GOLDEN).tolist() == [
        6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431,
        16408922859458223821,
    ]  # fmt: skip


# -- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nn.Dropout(1.0), "Dropout: rate is 1.0, wanted a finite number"),
        (lambda: nn.training(nn.Dropout(0.5)), "the network has a Dropout, and seed is None"),
        (lambda: nn.training(nn.Dropout(0.5), 0.5), "training: seed is 0.5, wanted an integer"),
        (lambda: nn.observe(nn.BatchNorm.initialize(2), np.ones((3, 2)), weight=2), "at most 1"),
        (lambda: nn.training(nn.BatchNorm.initialize(2))(np.ones((1, 2))), "at least 2 are wanted"),
        (lambda: nn.BatchNorm.initialize(2)(np.ones((4, 3))), r"shape \(4, 3\), wanted \(2,\)"),
        (lambda: nn.LayerNorm(np.ones(2), np.ones(3)), r"beta has shape \(3,\)"),
        (lambda: nn.LayerNorm.initialize(2)(np.ones(3)), r"LayerNorm\(2\): got an input of shape"),
        (lambda: nn.Conv1d(np.ones((2, 3))), r"W has shape \(2, 3\), wanted \(n_out, n_in, k\)"),
        (lambda: nn.Conv1d(np.ones((2, 3, 2)), np.ones(3)), r"b has shape \(3,\), wanted \(2,\)"),
        (lambda: nn.Conv2d(np.ones((2, 3, 2, 2)), stride=0), "stride is 0"),
        (lambda: nn.Conv2d(np.ones((2, 3, 2, 2)), padding=(1, 2, 3)), "or 2 of them"),
        (lambda: nn.Conv2d(np.ones((2, 3, 2, 2)))(np.ones((4, 5, 5))), r"wanted \(3, h, w\)"),
        (lambda: nn.Conv1d(np.ones((2, 1, 4)))(np.ones((1, 3))), "the size of the kernel"),
        (lambda: nn.MaxPool2d(3)(np.ones((2, 5))), "the size of a window"),
        (lambda: nn.Embedding(np.ones(3)), "wanted a matrix"),
        (lambda: nn.LSTMCell(np.ones((4, 1)), np.ones((2, 2)), np.ones(4)), r"wanted \(4n, n_in\)"),
        (lambda: nn.GRUCell(np.ones((3, 1)), np.ones((3, 1)), np.ones(3), np.ones(2)), "c has"),
        (lambda: nn.Recurrent(nn.ElmanCell.initialize(2, 3, rng=0))(np.ones((0, 2))), "no times"),
        (lambda: nn.Recurrent(nn.ElmanCell.initialize(2, 3, rng=0))(np.ones((4, 3))), "wanted"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(call, words):
    with pytest.raises((ArgumentTypeError, ArgumentValueError), match=words):
        call()


def test_text():
    net = nn.Chain([
        nn.Conv2d.initialize(1, 4, 3, "relu", rng=0), nn.MaxPool2d(2), nn.Dropout(0.1),
        nn.BatchNorm.initialize(4), nn.AvgPool2d((2, 3)), lambda x: x.reshape(len(x), -1),
    ])  # fmt: skip
    assert "Conv2d(1 → 4, 3×3, relu)" in repr(net)
    assert "MaxPool2d(2×2)" in repr(net)
    assert "Dropout(0.1, training)" in repr(nn.training(net, 0))
    assert "BatchNorm(4, training)" in repr(nn.training(net, 0))
    assert repr(nn.Recurrent(nn.LSTMCell.initialize(2, 3, rng=0), last=True)) == (
        "Recurrent(LSTMCell(2 → 3), last)"
    )
