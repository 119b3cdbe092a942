"""The course of a run: validation, patience, interrupts, files to go on from, what went wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import pullback as pb
from pullback import optim
from pullback.core import trees
from pullback.errors import ArgumentTypeError, ArgumentValueError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 2))
Y = np.tanh(X @ np.array([1.0, -2.0])) + 0.3 * RNG.normal(size=20)
HELD = (X[14:], Y[14:])
DATA = (X[:14], Y[:14])
NET = pb.nn.Chain([pb.nn.Dense.initialize(2, 4, "tanh", rng=1), pb.nn.Head.initialize(4, rng=2)])


def objective(net, x, y):
    return pb.losses.mse(net(x), y)


def train(epochs=6, net=NET, data=DATA, method="adam", **options):
    if isinstance(method, str) and method == "adam":
        options = {"learning_rate": 0.05, "batch_size": 4, "rng": 3, **options}
    return optim.train(objective, net, data, method, epochs=epochs, **options)


def same(one, other):
    (leaves, spec), (others, structure) = trees.flatten(one), trees.flatten(other)
    assert spec == structure
    for leaf, wanted in zip(leaves, others, strict=True):
        np.testing.assert_array_equal(leaf, wanted)


# -- validation -------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["adam", "L-BFGS-B"])
def test_the_parameters_of_the_lowest_validation_loss_are_kept(method):
    seen = []

    def see(epoch, params, loss, validation_loss):
        seen.append((params, loss, validation_loss))

    run = train(40, method=method, validation=HELD, callback=see)
    held = [float(objective(params, *HELD)) for params, _, _ in seen]
    np.testing.assert_allclose(run.validation_losses, held, rtol=1e-13)
    assert [v for _, _, v in seen] == run.validation_losses
    assert [loss for _, loss, _ in seen] == run.losses
    assert run.best_epoch == 1 + int(np.argmin(held)) < len(held)
    same(run.params, seen[run.best_epoch - 1][0])
    same(run.last, seen[-1][0])


def test_validation_may_be_a_function_and_is_the_same_compiled():
    plain = train(validation=HELD)
    judged = train(validation=lambda net: objective(net, *HELD))
    compiled = train(validation=HELD, compile=True)
    np.testing.assert_allclose(judged.validation_losses, plain.validation_losses, rtol=1e-13)
    np.testing.assert_allclose(compiled.validation_losses, plain.validation_losses, rtol=1e-9)
    assert judged.best_epoch == plain.best_epoch == compiled.best_epoch


def test_patience_ends_a_run_that_no_longer_gets_better():
    losses = iter([5.0, 4.0, 4.5, 3.95, 3.9, 4.2, 4.1, 4.3, 1.0])
    run = train(99, validation=lambda net: next(losses), patience=3)
    assert (run.stopped, run.best_epoch, len(run.losses)) == ("patience", 5, 8)
    losses = iter([5.0, 4.0, 4.5, 3.95, 3.9, 4.2])
    run = train(99, validation=lambda net: next(losses), patience=3, tolerance=0.1)
    assert (run.stopped, run.best_epoch, len(run.losses)) == ("patience", 5, 5)
    run = train(99, learning_rate=1e-300, patience=2, batch_size=None, rng=None)
    assert (run.stopped, len(run.losses)) == ("patience", 3)


def test_each_of_several_callbacks_sees_each_epoch():
    one, other = [], []
    run = train(
        9, callback=[lambda e, p, v: one.append(e) or e == 2, lambda e, p, v: other.append(e)]
    )
    assert one == other == [1, 2]
    assert run.stopped == "callback"
    assert repr(run).startswith("Training(2 epochs, loss ")


def test_a_search_by_scipy_is_followed_from_iteration_to_iteration():
    seen = []
    run = train(7, method="l-bfgs", callback=lambda e, p, v: seen.append((p, v)))
    np.testing.assert_allclose([objective(p, *DATA) for p, _ in seen], [v for _, v in seen])
    direct = optim.minimize(objective, NET, DATA, options={"maxiter": 7})
    same(run.params, direct.x)
    assert run.stopped == "epochs"
    assert train(900, method="BFGS", options={"gtol": 1e-2}, compile=True).stopped == "converged"
    assert train(9, method="l-bfgs", callback=lambda e, p, v: e == 3).stopped == "callback"
    assert train(99, method="Nelder-Mead", patience=1, tolerance=1e9).stopped == "patience"


# -- interrupts and files ---------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"compile": True}, {"method": "l-bfgs"}])
def test_an_interrupt_keeps_the_best_parameters(options):
    kept = {}

    def interrupt(epoch, params, loss, *_):
        kept[epoch] = params, loss
        if epoch == 4:
            signal.raise_signal(signal.SIGINT)

    with pytest.warns(RuntimeWarning, match=r"train: interrupted in epoch 5; .* after epoch \d"):
        run = train(9, callback=interrupt, **options)
    assert run.stopped == "interrupted"
    assert len(run.losses) == 4
    best = min(kept, key=lambda epoch: kept[epoch][1])
    assert run.best_epoch == best
    same(run.params, kept[best][0])


@pytest.mark.parametrize("options", [{}, {"compile": True}, {"validation": HELD}])
def test_a_run_that_goes_on_ends_with_the_same_bits(tmp_path, options):
    path = tmp_path / "run.safetensors"
    rng = np.random.default_rng(7)
    noisy = lambda x, y, rng=rng: (x + 0.1 * rng.normal(size=x.shape), y)  # noqa: E731
    whole = train(7, rng=rng, prepare=noisy, **options)
    rng = np.random.default_rng(7)
    noisy = lambda x, y, rng=rng: (x + 0.1 * rng.normal(size=x.shape), y)  # noqa: E731
    train(3, rng=rng, prepare=noisy, save=path, resume=True, **options)
    rng = np.random.default_rng(99)
    noisy = lambda x, y, rng=rng: (x + 0.1 * rng.normal(size=x.shape), y)  # noqa: E731
    rest = train(7, rng=rng, prepare=noisy, save=path, resume=True, **options)
    for part in ("params", "state", "last"):
        same(getattr(rest, part), getattr(whole, part))
    assert rest.losses == whole.losses
    assert (rest.validation_losses, rest.best_epoch) == (whole.validation_losses, whole.best_epoch)
    done = train(7, rng=1, resume=path, **options)  # there is nothing left to do
    same(done.params, whole.params)


KILLED = """
import os, signal
import numpy as np
import pullback as pb

net = pb.nn.Head(np.array([0.5, -0.5]))
x = np.arange(28.0).reshape(14, 2) / 28
batches = iter(range(10**6))

def kill(x):
    if next(batches) == KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    return (x,)

run = pb.optim.train(
    lambda net, x: np.mean((net(x) - x[:, 0] ** 2) ** 2), net, (x,), "adam", learning_rate=0.05,
    epochs=6, batch_size=4, rng=7, prepare=kill, save=PATH, resume=True,
)
"""


def test_a_killed_run_loses_no_more_than_the_epoch_it_was_in(tmp_path):
    path, other = str(tmp_path / "run.safetensors"), str(tmp_path / "other.safetensors")
    program = f"KILL, PATH = 13, {path!r}\n{KILLED}"  # in the fourth epoch of four batches
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    head = pb.nn.Head(np.ones(2))
    like = {"params": head, "state": optim.Adam().init(head), "best": head}
    assert pb.load(path, like=like)["state"].count == 12
    rest, whole = {"KILL": -1, "PATH": path}, {"KILL": -1, "PATH": other}
    for names in (rest, whole):
        exec(KILLED, names)
    same(rest["run"].last, whole["run"].last)
    assert rest["run"].losses == whole["run"].losses


def test_what_does_not_belong_to_a_run_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    with pytest.raises(
        ArgumentTypeError, match="resume is True and save is not given; write save="
    ):
        train(resume=True)
    with pytest.raises(ArgumentValueError, match="train: resume: there is no file"):
        train(resume=path)
    with pytest.raises(ArgumentValueError, match="train: save is 'run', wanted the name of a file"):
        train(save="run")
    train(2, save=path)
    wider = pb.nn.Chain([pb.nn.Dense.initialize(2, 5, "tanh", rng=1), pb.nn.Head(np.ones(5))])
    with pytest.raises(ArgumentValueError, match=r"\['best'\].layers\[0\].W has shape \(4, 2\)"):
        train(net=wider, resume=path)
    pb.save(path, {"params": NET, "state": optim.Adam().init(NET), "best": NET})
    with pytest.raises(ArgumentValueError, match="isn't kept by a run of this kind"):
        train(resume=path)


def test_the_state_of_every_generator_is_kept(tmp_path):
    path = tmp_path / "run.safetensors"
    for bits in (np.random.MT19937, np.random.Philox, np.random.SFC64):
        path.unlink(missing_ok=True)
        whole = train(4, rng=np.random.Generator(bits(5)))
        train(2, rng=np.random.Generator(bits(5)), save=path)
        same(train(4, rng=np.random.Generator(bits(0)), save=path, resume=True).last, whole.last)


# -- what went wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("compiled", [False, True])
def test_a_sample_that_is_no_number_is_named_with_its_batch(compiled):
    x = DATA[0].copy()
    x[9, 1] = np.nan
    words = (
        r"the objective is nan in epoch 1, batch \d of 4; wanted a finite value: params.layers\[0\]"
        r", Dense\(2 → 4, tanh\), is the first layer .*; data\[0\] holds NaN .* in sample 9: leave"
    )
    with pytest.raises(ArgumentValueError, match=words):
        train(data=(x, DATA[1]), compile=compiled)
    with pytest.raises(ArgumentValueError, match=r"in iteration 1; .* in sample 9: leave"):
        train(data=(x, DATA[1]), method="l-bfgs", compile=compiled)


@pytest.mark.parametrize("compiled", [False, True])
def test_the_layer_that_overflows_is_named(compiled):
    root = pb.nn.Dense(np.array([[1.0, 0.0]]), np.array([0.5]), np.sqrt)
    x = np.array([[1.0, 0.0], [-2.0, 0.0]])
    net = pb.nn.Chain([pb.nn.Dense(np.eye(2)), root, pb.nn.Head(np.ones(1))])
    words = r"batch \d of 2; .*: params.layers\[1\], Dense\(2 → 1, sqrt\), is the first layer"
    with np.errstate(invalid="ignore"), pytest.raises(ArgumentValueError, match=words):
        train(net=net, data=(x, np.ones(2)), batch_size=1, compile=compiled)


def test_a_gradient_that_is_none_is_found_after_the_epoch():
    def rooted(w, x):
        return np.mean(x) * np.sqrt(w[0])

    words = (
        r"params holds NaN or infinity after the last batch of epoch 1: the objective was finite"
    )
    with np.errstate(divide="ignore"), pytest.raises(ArgumentValueError, match=words):
        optim.train(rooted, np.zeros(1), (X,), "sgd", epochs=2)
    with (
        np.errstate(all="ignore"),
        pytest.raises(
            ArgumentValueError,
            match=r"epoch 1, batch 2 of 20; .*: params holds NaN or infinity since",
        ),
    ):
        optim.train(rooted, np.zeros(1), (X,), "sgd", epochs=2, batch_size=1, rng=0)


def test_a_validation_that_is_no_number_names_the_epoch():
    with pytest.raises(
        ArgumentValueError, match="the validation loss is nan after epoch 1; wanted"
    ):
        train(validation=lambda net: float("nan"))
    with pytest.raises(ArgumentTypeError, match="what validation returns is 'x', wanted a finite"):
        train(validation=lambda net: "x")
    with pytest.raises(
        ArgumentValueError, match=r"train: validation has arrays of shapes \(6, 2\)"
    ):
        train(validation=(X[14:], Y[:2]))


# -- what is seen of it -----------------------------------------------------------------------


def test_the_losses_become_a_picture(tmp_path):
    run = train(validation=HELD)
    figure = run.plot(tmp_path / "losses.svg")
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_array_equal(lines["training"].get_ydata(), run.losses)
    np.testing.assert_array_equal(lines["validation"].get_ydata(), run.validation_losses)
    first = (tmp_path / "losses.svg").read_bytes()
    run.plot(tmp_path / "losses.svg")
    assert (tmp_path / "losses.svg").read_bytes() == first
    assert len(train().plot().axes[0].lines) == 1
    with pytest.raises(
        ArgumentValueError, match=r"Training.plot: the picture could not be written"
    ):
        run.plot(tmp_path / "losses.word")
    with pytest.raises(ArgumentTypeError, match=r"Training.plot: path is 3"):
        run.plot(3)


def test_a_bar_is_shown_on_terminals_alone(capsys, monkeypatch):
    train(progress=True)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    train(progress=True, validation=HELD)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "6/6" in captured.err
    assert "validation" in captured.err
    with pytest.raises(ArgumentTypeError, match="train: progress is 'yes', wanted True or False"):
        train(progress="yes")


def test_a_model_is_fitted_with_all_of_it(tmp_path):
    model = pb.nn.Model(NET, pb.losses.mse, "adam", penalty=0.1)
    fitted = model.fit(
        *DATA, epochs=9, learning_rate=0.05, validation=HELD, patience=3, clip=1.0,
        save=tmp_path / "fit.safetensors",
    )  # fmt: skip
    assert model.training is None
    losses = fitted.training.validation_losses
    np.testing.assert_allclose(min(losses), pb.losses.mse(fitted.score(HELD[0]), HELD[1]))
    pb.save(tmp_path / "model.safetensors", fitted)
    np.testing.assert_array_equal(
        pb.load(tmp_path / "model.safetensors", like=model).score(X), fitted.score(X)
    )
