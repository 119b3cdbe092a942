"""What the optimisers are given: errors of their own for all that does not fit."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback import optim
from pullback.errors import ArgumentTypeError, ArgumentValueError
from tests.optim.odd import foreign

X, Y = np.ones((3, 2)), np.array([1.0, 0.0, 1.0])
PARAMS = {"w": np.ones(2), "b": np.zeros(())}


def rates(make):
    """A schedule and what it gives."""

    def call(**arguments):
        schedule = make(**arguments)
        return [schedule(step) for step in (0, 1, 100)]

    return call


def square(params, *_):
    return pb.losses.l2(params, np.zeros(2))


def error_of(head, x, y):
    return pb.losses.mse(head(x), y)


CALLS = {
    "SteepestDescent": (optim.SteepestDescent, {"learning_rate": 0.1}),
    "Momentum": (optim.Momentum, {"learning_rate": 0.1, "momentum": 0.9, "nesterov": False}),
    "Adam": (optim.Adam, {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.9, "epsilon": 1e-8}),
    "constant": (rates(optim.constant), {"rate": 0.1}),
    "step": (rates(optim.step), {"rate": 0.1, "every": 3, "factor": 0.1}),
    "exponential": (rates(optim.exponential), {"rate": 0.1, "factor": 0.5, "every": 2}),
    "cosine": (rates(optim.cosine), {"rate": 0.1, "steps": 10, "final": 0.0}),
    "warm_up": (rates(optim.warm_up), {"steps": 3, "schedule": 0.1}),
    "warm_up of a schedule": (
        lambda rate: optim.warm_up(3, lambda step: rate)(0),
        {"rate": 0.1},
    ),
    **{
        f"{name} at a step": (schedule, {"step": 3})
        for name, schedule in {
            "step": lambda step: optim.step(0.1, 3)(step),
            "exponential": lambda step: optim.exponential(0.1, 0.5)(step),
            "cosine": lambda step: optim.cosine(0.1, 10)(step),
            "warm_up": lambda step: optim.warm_up(3, 0.1)(step),
            "constant": lambda step: optim.constant(0.1)(step),
        }.items()
    },
    **{
        f"{type(method).__name__}.{what}": (call, arguments)
        for method in (optim.SteepestDescent(0.1), optim.Momentum(0.1), optim.Adam())
        for what, call, arguments in (
            ("init", method.init, {"params": PARAMS}),
            ("update", method.update, {
                "gradient": PARAMS, "state": method.init(PARAMS), "params": PARAMS}),
            ("update of an array", method.update, {
                "gradient": np.ones(2), "state": method.init(np.ones(2)), "params": np.ones(2)}),
        )
    },
    "state": (
        lambda count: optim.Adam().update(
            PARAMS, optim.methods.AdamState(count, PARAMS, PARAMS), PARAMS
        ),
        {"count": 1},
    ),
    "schedule": (
        lambda rate: optim.SteepestDescent(lambda step: rate).update(
            PARAMS, optim.methods.Steps(), PARAMS
        ),
        {"rate": 0.1},
    ),
    "train": (
        lambda **options: optim.train(**options, params=pb.nn.Head(np.zeros(2))),
        {"objective": error_of, "data": (X, Y), "method": optim.Adam(), "batch_size": 2, "rng": 0,
         "state": None, "callback": None, "epochs": 1},
    ),
    "train on": (
        lambda x: optim.train(error_of, pb.nn.Head(np.zeros(2)), (x, Y), optim.Adam(), epochs=1),
        {"x": X},
    ),
    "train to": (
        lambda y: optim.train(error_of, pb.nn.Head(np.zeros(2)), (X, y), optim.Adam(), epochs=1),
        {"y": Y},
    ),
    "train of": (
        lambda value: optim.train(
            lambda p, x: value, np.ones(2), (X,), optim.SteepestDescent(0.1), epochs=1
        ),
        {"value": 1.0},
    ),
    **{
        f"minimize by {method}": (
            optim.minimize,
            {"f": square, "params": np.ones(2), "args": (), "method": method, "tol": 1e-3,
             "bounds": None, "options": {"maxiter": 3}, "callback": None},
        )
        for method in ("L-BFGS-B", "Nelder-Mead", "Newton-CG", "trust-exact")
    },
    "minimize within": (
        lambda bound: optim.minimize(square, np.ones(2), bounds=(bound, None)), {"bound": 0.0}),
    "minimize of": (lambda value: optim.minimize(lambda p: value, np.ones(2)), {"value": 1.0}),
    "minimize of, without gradients": (
        lambda value: optim.minimize(
            lambda p: value, np.ones(2), method="Powell", options={"maxiter": 1}),
        {"value": 1.0}),
    "minimize with": (
        lambda value: optim.minimize(square, np.ones(2), options={"maxiter": value}), {"value": 3}),
    "flatten": (optim.flatten, {"params": PARAMS}),
    "unflatten": (lambda vector: optim.flatten(PARAMS)[1](vector), {"vector": np.ones(3)}),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_every_odd_argument_is_taken_or_refused_in_our_words(name):
    call, arguments = CALLS[name]
    # As many epochs as somebody asks for are trained.
    assert foreign(call, arguments, skip={"epochs"}) == []


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.array])
def test_settings_of_any_kind_of_number_keep_the_dtype_of_parameters(kind):
    params = np.ones(3, np.float32)
    for method in (
        optim.SteepestDescent(kind(0.5)),
        optim.SteepestDescent(lambda step: kind(0.5)),
        optim.Momentum(kind(0.5), kind(0.5)),
        optim.Adam(kind(0.5), kind(0.5), kind(0.5), kind(0.5)),
        optim.Adam(optim.cosine(kind(0.5), np.int64(3), kind(0.25))),
    ):
        result, state = method.update(params, method.init(params), params)
        result, _ = method.update(result, state, result)
        assert result.dtype == np.float32
    assert optim.SteepestDescent(np.float64(0.5)) == optim.SteepestDescent(0.5)


def test_a_rate_can_be_differentiated_by():
    def after(rate):
        method = optim.Momentum(rate)
        params, _ = method.update(np.ones(2), method.init(np.ones(2)), np.ones(2))
        return np.sum(params)

    assert pb.grad(after)(0.1) == -2.0


def test_a_state_of_something_else():
    x, y = np.ones(2), np.ones((3, 2))
    for method in (optim.Momentum(0.1), optim.Adam()):
        name = type(method).__name__
        with pytest.raises(ArgumentTypeError, match=rf"{name}.update: state is .*Steps.*init"):
            method.update(x, optim.SteepestDescent(0.1).init(x), x)
        # It would be broadcast.
        with pytest.raises(ArgumentValueError, match=r"has the shape \(2,\), wanted \(3, 2\)"):
            method.update(y, method.init(x), y)
        with pytest.raises(ArgumentValueError, match="wanted a tuple with the leaves"):
            method.update((x, y), method.init(x), (x, y))


def test_gradients_that_do_not_fit():
    x = np.ones(2)
    method = optim.SteepestDescent(0.5)
    for bad in (x * 1j, np.ma.masked_less(np.arange(2.0), 1), np.zeros(2, [("a", float)])):
        with pytest.raises(ArgumentTypeError, match=r"SteepestDescent.update: gradient is "):
            method.update(bad, method.init(x), x)
    assert method.update([1, 2], method.init(x), x)[0].tolist() == [0.5, 0.0]


def test_what_scipy_refuses_is_said_in_our_words():
    with pytest.raises(ArgumentValueError, match=r"of square: SciPy's L-BFGS-B.* maxiter='3'"):
        optim.minimize(square, np.ones(2), options={"maxiter": "3"})
    with pytest.raises(ArgumentValueError, match="minimize of square: SciPy's SLSQP could not"):
        optim.minimize(square, np.ones(2), method="SLSQP", bounds=(1.0, 0.0))
    with pytest.raises(ArgumentValueError, match=r"method is 'BFSG', .* did you mean 'BFGS'"):
        optim.minimize(square, np.ones(2), method="BFSG")
    assert optim.minimize(square, np.ones(2), method="bfgs").success


def test_what_the_users_functions_raise_is_theirs():
    def fail(*_):
        raise KeyError("mine")

    for method in ("L-BFGS-B", "Nelder-Mead", "trust-exact"):
        with pytest.raises(KeyError, match="mine"):
            optim.minimize(fail, np.ones(2), method=method)
        with pytest.raises(KeyError, match="mine"):
            optim.minimize(square, np.ones(2), method=method, callback=fail)


def test_a_callback_ends_by_what_is_true():
    def run(result):
        return len(
            optim.train(
                error_of,
                pb.nn.Head(np.zeros(2)),
                (X, Y),
                optim.Adam(),
                epochs=3,
                callback=lambda *_: result,
            ).losses
        )

    assert [run(result) for result in (None, False, 0, True, "stop")] == [3, 3, 3, 1, 1]
    with pytest.raises(ArgumentTypeError, match=r"train: what callback returns is .*wanted True"):
        run(np.ones(2))
