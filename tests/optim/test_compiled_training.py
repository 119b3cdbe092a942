"""Training whose steps are compiled: the same as without, with nothing frozen that changes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import pullback as pb
from pullback import optim
from pullback.core import trees
from pullback.errors import ArgumentTypeError, DataDependenceError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 2))
Y = np.tanh(X @ np.array([1.0, -2.0]) + 0.5)
START = {"w": np.array([0.3, -0.2]), "mu": np.array(0.1)}

METHODS = [
    optim.SteepestDescent(0.1),
    optim.SteepestDescent(optim.step(0.2, every=3, factor=0.5)),
    optim.Momentum(0.05),
    optim.Momentum(optim.exponential(0.05, 0.9), 0.8, nesterov=True),
    optim.Adam(0.05),
    optim.Adam(optim.cosine(0.1, steps=9)),
    optim.Adam(optim.warm_up(4, optim.cosine(0.1, steps=6)), 0.8, 0.99, 1e-6),
    optim.Adam(lambda count: 0.1 if count % 2 else 0.01),
]


def objective(params, x, y):
    return pb.losses.mse(np.tanh(x @ params["w"] + params["mu"]), y)


def agree(one, other, rtol=1e-12):
    """Pytrees of one structure, of the same types and, to rounding, values."""
    (leaves, spec), (others, structure) = trees.flatten(one), trees.flatten(other)
    assert spec == structure
    for leaf, wanted in zip(leaves, others, strict=True):
        assert type(leaf) is type(wanted)
        np.testing.assert_allclose(leaf, wanted, rtol=rtol, atol=1e-14)
        assert np.asarray(leaf).dtype == np.asarray(wanted).dtype


def both(f, params, data, method, **options):
    """The run with its steps compiled, if it is that without."""
    runs = [optim.train(f, params, data, method, compile=c, **options) for c in (True, False)]
    for part in ("params", "state", "losses"):
        agree(*(getattr(run, part) for run in runs))
    return runs[0]


def named(method):
    """The method, in words that every process has: those of functions hold an address."""
    return f"{METHODS.index(method)} {type(method).__name__}"


@pytest.mark.parametrize("method", METHODS, ids=named)
def test_a_run_is_that_of_eager_steps(method):
    """Three epochs of batches of 3, 3 and 1 samples, in which schedules change."""
    run = both(objective, START, (X, Y), method, epochs=3, batch_size=3, rng=1)
    assert type(run.state.count) is int
    assert run.state.count == 9


def test_a_run_in_single_precision_stays_in_it():
    data, params = trees.map_tree(np.float32, ((X, Y), START))
    params["mu"] = np.float32(0.1)  # a scalar, which becomes an array as without compiling
    runs = [
        optim.train(objective, params, data, optim.Adam(0.05), epochs=5, compile=c)
        for c in (True, False)
    ]
    agree(runs[0].params, runs[1].params, rtol=1e-5)


def test_it_descends_as_the_formula_says():
    def line(w, x, y):
        return pb.losses.mse(x @ w, y)

    run = optim.train(line, np.zeros(2), (X, Y), METHODS[1], epochs=8, compile=True)
    w, losses = np.zeros(2), []
    for count in range(8):
        residual = X @ w - Y
        losses.append(np.mean(residual**2))
        w = w - 0.2 * 0.5 ** (count // 3) * 2 / 7 * (X.T @ residual)
    np.testing.assert_allclose(run.params, w, rtol=1e-12)
    np.testing.assert_allclose(run.losses, losses, rtol=1e-12)


@pytest.mark.parametrize("method", [METHODS[0], METHODS[3], METHODS[5]], ids=named)
def test_a_state_goes_on_with_a_run(method):
    def train(params, epochs, **options):
        return optim.train(objective, params, (X, Y), method, epochs=epochs, **options)

    half = train(START, 2, compile=True)
    whole = train(START, 5)
    agree(train(half.params, 3, state=half.state, compile=True).params, whole.params)
    agree(train(half.params, 3, state=half.state).params, whole.params)


def test_nothing_of_the_users_is_written_to():
    data = X.copy(), Y.copy()
    params = {"w": np.array([0.3, 0.0, -0.2])[::2], "mu": np.array(0.1)}
    method = optim.Adam(0.1)
    state = method.init(params)  # both of its means are the same zeros
    kept = []
    given = trees.map_tree(np.copy, (data, params, state))

    def keep(_, params, loss):
        kept.append((params, trees.map_tree(np.copy, params)))

    for options in ({}, {"batch_size": 7, "rng": 0}):
        run = optim.train(
            objective, params, data, method, epochs=3, state=state, callback=keep, compile=True,
            **options,
        )  # fmt: skip
        agree((data, params, dataclasses.replace(state, count=np.array(0))), given)
        assert not any(
            np.may_share_memory(one, other)
            for one in trees.flatten((run.params, run.state))[0]
            for other in trees.flatten((data, params, state))[0]
        )
    for shown, copied in kept:
        agree(shown, copied)


@pytest.mark.parametrize("compiled", [True, False])
def test_batches_are_prepared_anew_for_each_step(compiled):
    rng, met = np.random.default_rng(5), []

    def shifted(x, y):
        met.append(rng.normal(size=x.shape))
        return x + met[-1], y

    method, start = optim.SteepestDescent(0.1), {"w": np.zeros(2), "mu": np.zeros(())}
    run = optim.train(objective, start, (X, Y), method, epochs=4, prepare=shifted, compile=compiled)
    params = start
    for noise in met:
        gradient = pb.grad(objective)(params, X + noise, Y)
        params, _ = method.update(gradient, method.init(params), params)
    assert len(met) == 4
    agree(run.params, params)


def test_preparation_may_make_other_parts():
    def weighted(params, x, y, weights):
        return np.mean(weights * (x @ params["w"] + params["mu"] - y) ** 2)

    def with_weights(x, y):
        return x, y, np.arange(1.0, 1 + len(x))

    options = {"epochs": 2, "batch_size": 3, "rng": 0, "prepare": with_weights}
    both(weighted, START, (X, Y), METHODS[5], **options)


@pytest.mark.parametrize("compiled", [True, False])
def test_what_is_prepared_must_be_a_tuple(compiled):
    words = r"train: what prepare returns is of type ndarray, .* wanted a tuple, the batch for the"
    with pytest.raises(ArgumentTypeError, match=words):
        optim.train(
            lambda w, x: np.sum(w) + np.mean(x), np.zeros(2), (X,), METHODS[0], epochs=1,
            prepare=lambda x: x, compile=compiled,
        )  # fmt: skip


def test_arguments_that_do_not_fit():
    with pytest.raises(ArgumentTypeError, match="compile is 1, wanted True or False"):
        optim.train(objective, START, (X, Y), METHODS[0], epochs=1, compile=1)
    with pytest.raises(ArgumentTypeError, match="prepare is 3, wanted a function of a batch"):
        optim.train(objective, START, (X, Y), METHODS[0], epochs=1, prepare=3)


def test_callbacks_see_the_parameters_and_can_stop():
    seen = {True: [], False: []}
    for compiled, found in seen.items():

        def callback(epoch, params, loss, found=found):
            found.append((params, loss))
            return epoch == 3

        optim.train(
            objective, START, (X, Y), METHODS[4], epochs=9, callback=callback, compile=compiled
        )
    assert len(seen[True]) == 3
    agree(seen[True], seen[False])


def message(objective, params, data, compiled, **options):
    with pytest.raises(pb.PullbackError) as caught:
        optim.train(objective, params, data, compile=compiled, **{"epochs": 9, **options})
    return type(caught.value), str(caught.value)


def worsening(w, x):
    return np.mean(x * w[0]) * np.where(w[0] < -0.25, np.nan, 1.0)


@pytest.mark.parametrize(
    ("objective", "params", "options"),
    [
        (worsening, np.zeros(1), {"method": METHODS[0]}),
        (lambda w, x: np.mean(x * w[0]), np.zeros(1), {"method": optim.Adam(), "state": None}),
        (lambda w, x: x * w[0], np.zeros(1), {"method": METHODS[0]}),
        (lambda w, x: np.mean(x) * w[0], np.zeros(1, int), {"method": METHODS[0]}),
        (worsening, np.zeros(1), {"method": METHODS[4], "state": METHODS[0].init(X)}),
        (worsening, np.zeros(1), {"method": METHODS[4], "state": METHODS[4].init(X)}),
        (worsening, np.zeros(1), {"method": optim.Adam(lambda count: 0.1 - 0.1 * count)}),
    ],
    ids=["worsening", "data", "vector", "integers", "state", "shape", "schedule"],
)
def test_errors_are_those_of_eager_steps(objective, params, options):
    data = (np.array([1.0, np.nan]),) if "state" in options and options["state"] is None else (
        np.ones(3),
    )  # fmt: skip
    found, wanted = (message(objective, params, data, c, **options) for c in (True, False))
    assert found == wanted


def test_an_error_of_the_objective_passes():
    def failing(w, x):
        raise KeyError("weights")

    with pytest.raises(KeyError, match="weights"):
        optim.train(failing, np.zeros(1), (X,), METHODS[0], epochs=1, compile=True)


def test_a_choice_by_value_is_kept_and_what_python_has_to_know_is_refused():
    def choosing(w, x):
        return np.mean((x - w[0]) ** 2) if w[0] > 0 else np.mean((w[0] - 0.1) ** 2)

    def counting(w, x):
        return np.mean(x[: int(x[0])] * w[0])

    both(choosing, np.zeros(1), (np.ones(3),), METHODS[0], epochs=3)
    with pytest.raises(DataDependenceError, match="int"):
        optim.train(counting, np.ones(1), (np.ones(3),), METHODS[0], epochs=1, compile=True)


def test_frames_are_taken_by_position_and_say_so():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    both(objective, START, (frame, pandas.Series(Y)), METHODS[4], epochs=3)
    errors = [
        message(lambda w, x, y: np.mean((x["a"] * w[0] - y) ** 2), np.ones(2), (frame, Y), c,
                method=METHODS[0])
        for c in (True, False)
    ]  # fmt: skip
    assert errors[0] == errors[1]
    assert "write batch[:, 0] for 'a'" in errors[0][1]


@dataclasses.dataclass
class Decaying(optim.Method):
    """Steepest descent whose rate comes from a function of Python."""

    rate: object

    def init(self, params):
        return {"t": 0}

    def scheduled(self, state):
        return {"rate": self.rate(state["t"])} if callable(self.rate) else {}

    def update(self, gradient, state, params):
        rate = self.scheduled(state).get("rate", self.rate)
        params = trees.map_tree(lambda p, g: p - rate * g, params, gradient)
        return params, {"t": state["t"] + 1}


def test_a_method_of_ones_own_says_what_it_schedules():
    method = Decaying(lambda t: 0.1 if t < 2 else 0.02)
    run = both(objective, START, (X, Y), method, epochs=4)
    assert run.state == {"t": 4}
    assert callable(method.rate)


def test_a_schedule_that_is_not_said_is_refused_rather_than_frozen():
    class Silent(Decaying):
        def scheduled(self, state):
            return {}

        def update(self, gradient, state, params):
            rate = self.rate(state["t"])
            return trees.map_tree(lambda p, g: p - rate * g, params, gradient), state

    with pytest.raises(DataDependenceError):
        optim.train(
            objective, START, (X, Y), Silent(lambda t: 0.1 if t < 2 else 0.02), epochs=4,
            compile=True,
        )  # fmt: skip


def test_a_model_is_fitted_by_compiled_steps():
    model = pb.nn.Model(pb.nn.Head(np.zeros(2), 0.0), loss=pb.losses.mse)
    fits = [
        model.fit(X, Y, method=optim.Adam(0.1), epochs=5, compile=c).network for c in (True, False)
    ]
    agree(*fits)


STEPS = 400
"""More iterations than Python runs without a warning, which is an error here."""


@dataclasses.dataclass(frozen=True)
class Recurrent:
    """A layer with a loop, which is recorded once."""

    w: object

    def __call__(self, x):
        state = np.zeros(len(x))
        for _ in range(STEPS):
            state = 0.5 * state + np.tanh(x @ self.w)
        return state


def test_loops_of_users_stay_loops():
    """In an objective, in a layer, in a layer of a chain: no step is as long as the loop."""

    def recurrent(w, x, y):
        return pb.losses.mse(Recurrent(w)(x), y)

    chain = pb.nn.Chain([pb.nn.Dense(np.eye(2), np.zeros(2)), Recurrent(np.ones(2))])
    optim.train(recurrent, np.ones(2), (X, Y), METHODS[0], epochs=2, compile=True)
    for network in (Recurrent(np.ones(2)), chain):
        model = pb.nn.Model(network, loss=pb.losses.mse)
        fitted = model.fit(X, Y, method=optim.Adam(0.1), epochs=2, compile=True)
        agree(fitted.network, model.fit(X, Y, method=optim.Adam(0.1), epochs=2).network)
