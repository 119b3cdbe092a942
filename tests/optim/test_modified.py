"""Methods by name, clipped, decaying, and AdamW, against the formulas written out."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback import optim
from pullback.errors import ArgumentTypeError, ArgumentValueError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(9, 2)), RNG.normal(size=9)
START = {"w": np.array([0.3, -0.2]), "mu": np.array(0.1)}


def objective(p, x, y):
    return pb.losses.mse(x @ p["w"] + p["mu"], y)


def gradient_by_hand(w, mu):
    residual = 2 / 9 * (X @ w + mu - Y)
    return X.T @ residual, np.sum(residual)


@pytest.mark.parametrize("compiled", [False, True])
def test_clipped_decaying_descent_is_the_formula(compiled):
    """θ ← θ − η (min(1, c/‖g‖) g + λθ), with a rate that changes from step to step."""
    w, mu = START["w"], START["mu"]
    for step in range(4):
        bar_w, bar_mu = gradient_by_hand(w, mu)
        scale = min(1, 0.7 / np.sqrt(bar_w @ bar_w + bar_mu**2))
        rate = 0.3 * 0.5 ** (step / 2)
        w, mu = (p - rate * (scale * g + 0.1 * p) for p, g in ((w, bar_w), (mu, bar_mu)))
    rate = optim.exponential(0.3, 0.5, every=2)
    method = optim.Clipped(optim.Decayed(optim.SteepestDescent(rate), 0.1), 0.7)
    one = optim.train(objective, START, (X, Y), method, epochs=4, compile=compiled)
    other = optim.train(
        objective, START, (X, Y), "sgd", learning_rate=rate, clip=0.7, weight_decay=0.1, epochs=4,
        compile=compiled,
    )  # fmt: skip
    for run in (one, other):
        np.testing.assert_allclose(run.params["w"], w, rtol=1e-13)
        np.testing.assert_allclose(run.params["mu"], mu, rtol=1e-13)


def test_a_gradient_within_the_norm_is_handed_on_as_it_is():
    method = optim.Clipped(optim.SteepestDescent(1.0), 5.0)
    for g in (np.array([3.0, -4.0]), np.zeros(2), np.array([1e-200, 0.0])):
        x, _ = method.update(g, method.init(g), np.zeros(2))
        np.testing.assert_array_equal(x, -g)
    huge, _ = method.update(np.full(2, 1e300), method.init(g), np.zeros(2))
    np.testing.assert_allclose(huge, -5 / np.sqrt(2), rtol=1e-15)
    single = np.ones(2, np.float32)
    assert method.update(single, method.init(single), single)[0].dtype == np.float32
    of_complex, _ = method.update(
        np.array([30j]), method.init(np.zeros(1, complex)), np.zeros(1, complex)
    )
    np.testing.assert_allclose(of_complex, [-5j])


def test_adamw_decays_apart_from_the_gradient():
    """Adam's step, and beside it ηλθ of the parameters before."""
    p, rate, decay = np.array([0.5, -2.0]), 0.1, 0.3
    adam, adamw = optim.Adam(rate), optim.AdamW(rate, weight_decay=decay)
    q, one, other = p, adam.init(p), adamw.init(p)
    for _ in range(3):
        g = RNG.normal(size=2)
        step, one = adam.update(g, one, np.zeros(2))
        expected = q * (1 - rate * decay) + step
        q, other = adamw.update(g, other, q)
        np.testing.assert_allclose(q, expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("sgd", optim.SteepestDescent(0.05)), ("Momentum", optim.Momentum(0.05)),
        ("nesterov", optim.Momentum(0.05, nesterov=True)), ("ADAM", optim.Adam(0.05)),
        ("adamw", optim.AdamW(0.05)),
    ],
)  # fmt: skip
def test_names_stand_for_methods(name, method):
    one = optim.train(objective, START, (X, Y), name, learning_rate=0.05, epochs=3)
    other = optim.train(objective, START, (X, Y), method, epochs=3)
    np.testing.assert_array_equal(one.params["w"], other.params["w"])
    assert one.losses == other.losses


def test_adamw_has_the_decay_for_its_own():
    one = optim.train(objective, START, (X, Y), "adamw", weight_decay=0.5, epochs=3)
    other = optim.train(objective, START, (X, Y), optim.AdamW(weight_decay=0.5), epochs=3)
    np.testing.assert_array_equal(one.params["w"], other.params["w"])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: optim.Clipped(optim.Adam, 1.0), ArgumentTypeError, "method is the class Adam"),
        (lambda: optim.Clipped(optim.Adam(), 0), ArgumentValueError, "Clipped: norm is 0, wanted"),
        (lambda: optim.Decayed(optim.Adam(), -1), ArgumentValueError, "weight_decay is -1"),
        (lambda: optim.AdamW(weight_decay=-1), ArgumentValueError, "AdamW: weight_decay is -1"),
        (lambda: optim.train(objective, START, (X, Y), optim.Adam(), learning_rate=1.0, epochs=1),
         ArgumentTypeError, r"learning_rate is given, and the method Adam\(.* has one of its own"),
        (lambda: optim.train(objective, START, (X, Y), "BFGS", learning_rate=1.0, epochs=1),
         ArgumentTypeError, "the method BFGS searches along lines"),
        (lambda: optim.train(objective, START, (X, Y), "l-bfgs", batch_size=2, rng=0, epochs=1),
         ArgumentTypeError, "batch_size is given, and the method L-BFGS-B takes all samples at"),
        (lambda: optim.train(objective, START, (X, Y), "adam", tol=0.1, epochs=1),
         ArgumentTypeError, r"tol is given, and the method Adam\(.* is no search by SciPy"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_what_does_not_fit_is_refused_by_the_method_that_takes_the_step():
    method = optim.Clipped(optim.Momentum(0.1), 1.0)
    with pytest.raises(ArgumentValueError, match=r"Momentum.update: gradient is of shape \(3,\)"):
        method.update(np.ones(3), method.init(np.ones(2)), np.ones(2))
    with pytest.raises(ArgumentValueError, match=r"Momentum.update: gradient is missing"):
        method.update(None, method.init(np.ones(2)), np.ones(2))
