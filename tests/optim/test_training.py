"""The training loop: the steps it takes, in which order, and when it stops."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback import optim
from pullback.errors import ArgumentTypeError, ArgumentValueError

X = np.random.default_rng(0).normal(size=(7, 2))
Y = X @ np.array([1.0, -2.0]) + 0.5
METHOD = optim.SteepestDescent(0.1)


def objective(w, x, y):
    return pb.losses.mse(x @ w[:2] + w[2], y)


def test_without_a_batch_size_each_epoch_is_a_step_on_all_samples():
    result = optim.train(objective, np.zeros(3), (X, Y), METHOD, epochs=5)
    w, losses = np.zeros(3), []
    for _ in range(5):
        residual = X @ w[:2] + w[2] - Y
        losses.append(np.mean(residual**2))
        w = w - 0.1 * 2 / 7 * np.array([*(X.T @ residual), residual.sum()])
    np.testing.assert_allclose(result.params, w, rtol=1e-13)
    np.testing.assert_allclose(result.losses, losses, rtol=1e-13)
    assert result.state.count == 5


def test_batches_are_shuffled_and_every_sample_is_met_once_an_epoch():
    met = []

    def recording(w, rows):
        met.append(rows)
        return np.sum(w) * 0.0 + np.mean(rows) * (1.0 + 0.0 * w[0])

    rows = np.arange(7.0)
    result = optim.train(recording, np.zeros(1), (rows,), METHOD, epochs=2, batch_size=3, rng=1)
    assert [len(batch) for batch in met] == [3, 3, 1] * 2
    for epoch in (met[:3], met[3:]):
        np.testing.assert_array_equal(np.sort(np.concatenate(epoch)), rows)
    assert not np.array_equal(np.concatenate(met[:3]), np.concatenate(met[3:]))
    np.testing.assert_allclose(result.losses, [3, 3], rtol=1e-15)


def test_a_seed_determines_the_run_and_a_state_goes_on_with_it():
    def run(**options):
        return optim.train(objective, np.zeros(3), (X, Y), optim.Adam(0.1), rng=3, **options)

    first, second = run(epochs=4, batch_size=2), run(epochs=4, batch_size=2)
    np.testing.assert_array_equal(first.params, second.params)
    half = optim.train(objective, np.zeros(3), (X, Y), optim.Adam(0.1), epochs=2)
    rest = optim.train(objective, half.params, (X, Y), optim.Adam(0.1), epochs=2, state=half.state)
    whole = optim.train(objective, np.zeros(3), (X, Y), optim.Adam(0.1), epochs=4)
    np.testing.assert_array_equal(rest.params, whole.params)


def test_the_callback_sees_each_epoch_and_can_stop():
    seen = []

    def callback(epoch, params, loss):
        seen.append((epoch, loss))
        return epoch == 3

    result = optim.train(objective, np.zeros(3), (X, Y), METHOD, epochs=9, callback=callback)
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert [loss for _, loss in seen] == result.losses


def test_samples_may_be_pytrees():
    def f(w, batch):
        return objective(w, batch["x"], batch["y"])

    of_tree = optim.train(
        f, np.zeros(3), ({"x": X, "y": Y},), METHOD, epochs=3, batch_size=2, rng=0
    )
    of_pair = optim.train(objective, np.zeros(3), (X, Y), METHOD, epochs=3, batch_size=2, rng=0)
    np.testing.assert_array_equal(of_tree.params, of_pair.params)


def test_an_objective_that_is_no_number_any_more_says_so():
    def worsening(w, x):
        return np.mean(x * w[0]) * np.where(w[0] < -0.25, np.nan, 1.0)

    words = (
        r"the objective is nan in epoch 4, batch 1 of 1; wanted a finite value: lower the learni"
    )
    with pytest.raises(ArgumentValueError, match=words):
        optim.train(worsening, np.zeros(1), (np.ones(3),), METHOD, epochs=9)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"data": [X, Y]}, ArgumentTypeError, "data is a list, wanted a tuple of arrays"),
        ({"data": ()}, ArgumentTypeError, "data is a tuple, wanted"),
        ({"data": (X, Y[:3])}, ArgumentValueError, r"shapes \(7, 2\), \(3,\); wanted the same"),
        ({"data": (X[:0], Y[:0])}, ArgumentValueError, "number of samples, at least 1"),
        ({"data": (1.0,)}, ArgumentValueError, r"shapes \(\); wanted"),
        ({"epochs": 0}, ArgumentValueError, "epochs is 0, wanted a whole number of at least 1"),
        ({"batch_size": 0, "rng": 0}, ArgumentValueError, "batch_size is 0"),
        ({"batch_size": 2}, ArgumentTypeError, "rng is not; .* pass rng=np.random.default_rng"),
        ({"method": "Adma"}, ArgumentValueError, "method is 'adma', wanted 'sgd', .* mean 'adam'"),
        ({"method": optim.Adam}, ArgumentTypeError, "method is the class Adam, wanted a descent"),
    ],
)
def test_arguments_that_do_not_fit(options, error, words):
    arguments = {"data": (X, Y), "method": METHOD, "epochs": 1} | options
    with pytest.raises(error, match=words):
        optim.train(objective, np.zeros(3), **arguments)
