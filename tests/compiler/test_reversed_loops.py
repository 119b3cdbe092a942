"""The reverse sweep of loops with few states kept, compiled: derivatives, memory, interrupts."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest

import pullback as pb
from pullback.compiler import reversed_loops
from pullback.rules.control_flow import loop_pullback, recomputation
from tests.compiler.agreement import assert_agree
from tests.fuzz.chains import Chain, derivative_of, same

RNG = np.random.default_rng(5)
W, X = RNG.normal(size=(3, 3)) / 2, RNG.normal(size=(20, 3))


def decay(x, n):
    """n steps of a loop of two scalars and a counter."""

    def step(carry):
        i, y, z = carry
        return i + 1, y + 0.1 * np.sin(x * z), z - 0.1 * x * y * i / (i + 1)

    return pb.while_loop(lambda carry: carry[0] < n, step, (0, 1.0, 0.5))[1]


def root(x):
    """√x by Heron's steps, as many as it takes."""
    return pb.while_loop(lambda y: np.abs(y * y - x) > 1e-14 * x, lambda y: 0.5 * (y + x / y), x)


def relaxed(A, b):
    """Steps that write to an array in places, until they change little, or twelve of them."""

    def step(carry):
        i, y, _ = carry
        new = y.copy()
        new[1:-1] = 0.5 * (y[:-2] + y[2:]) + 0.1 * (A @ np.tanh(y))[1:-1]
        new[0] = b[0]
        return i + 1, new, np.max(np.abs(new - y))

    def goes_on(carry):
        return (carry[0] < 12) & (carry[2] > 1e-2)

    _, y, _ = pb.while_loop(goes_on, step, (0, b, np.inf))
    return np.sum(y * b)


def network(checkpoint, reverse=False, length=20):
    def f(W, x):
        def step(h, row):
            h = np.tanh(W @ h + row)
            return h, np.sum(h**2)

        h, ys = pb.scan(step, np.ones(3), x[:length], reverse=reverse, checkpoint=checkpoint)
        return np.sum(h) + np.sum(ys * np.arange(length))

    return f


def native(f, *args):
    """The compiled function, of which nothing is called through Python."""
    compiled = pb.compile(f)
    assert not compiled.report(*args).fallbacks
    return compiled


@pytest.mark.parametrize("most", [1024, 16, 2])
def test_loops_that_end_by_a_condition(most, monkeypatch):
    """Whether all of their states have room, or few."""
    monkeypatch.setenv("PULLBACK_CACHE", "off")
    monkeypatch.setattr(reversed_loops, "_FEWEST", min(16, most))
    monkeypatch.setattr(reversed_loops, "_MOST", most)
    f = pb.value_and_grad(decay)
    compiled = native(f, 0.7, 3)
    for n in (0, 1, 2, 5, 16, 17, 40):
        got = compiled(0.7, n)
        assert_agree(got, f(0.7, n), f"{n} steps")
        h = 1e-6
        slope = (decay(0.7 + h, n) - decay(0.7 - h, n)) / (2 * h)
        np.testing.assert_allclose(got[1], slope, rtol=1e-7, atol=1e-9)


def test_second_derivatives_and_batches_of_them():
    for f in (pb.hessian(root), pb.grad(pb.grad(pb.grad(root))), pb.jacobian(pb.grad(root))):
        assert_agree(native(f, 2.0)(2.0), f(2.0))
    np.testing.assert_allclose(native(pb.hessian(root), 4.0)(4.0), -1 / 32, rtol=1e-9)
    many = np.array([0.3, 2.0, 50.0])
    for f in (pb.vmap(pb.grad(root)), pb.grad(lambda x: np.sum(pb.vmap(root)(x) ** 3))):
        assert_agree(native(f, many)(many), f(many))
    np.testing.assert_allclose(pb.compile(pb.vmap(pb.grad(root)))(many), 0.5 / np.sqrt(many))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
def test_arrays_that_are_written_to_in_places(dtype):
    A, b = (RNG.normal(size=s) / 20 for s in ((20, 20), (20,)))
    A, b = A.astype(dtype), b.astype(dtype)

    def f(A, b):
        if dtype == np.complex128:

            def step(carry):
                return carry[0] + 1, np.tanh(A @ carry[1]) + b

            y = pb.while_loop(lambda carry: carry[0] < 7, step, (0, b))[1]
            return np.sum(np.abs(y) ** 2)
        return relaxed(A, b)

    gradient = pb.grad(f, argnums=(0, 1))
    assert_agree(native(gradient, A, b)(A, b), gradient(A, b))


@pytest.mark.parametrize(
    ("checkpoint", "reverse"), [("sqrt", True), (1, False), (2, True), (3, False), (30, False)]
)
def test_loops_with_few_snapshots(checkpoint, reverse):
    f = pb.value_and_grad(network(checkpoint, reverse), argnums=(0, 1))
    got = native(f, W, X)(W, X)
    assert_agree(got, f(W, X))
    assert_agree(got, pb.value_and_grad(network(None, reverse), argnums=(0, 1))(W, X))


@pytest.mark.parametrize("length", [0, 1, 2])
def test_short_loops_with_few_snapshots(length):
    f = pb.grad(network("sqrt", length=length), argnums=(0, 1))
    assert_agree(native(f, W, X)(W, X), f(W, X))


def test_second_derivatives_with_few_snapshots():
    f = pb.hessian(lambda w: network(2)(w * W, X))
    assert_agree(native(f, 0.8)(0.8), f(0.8))
    f = pb.vmap(pb.grad(network("sqrt")), in_axes=(None, 0))
    many = RNG.normal(size=(4, 20, 3))
    assert_agree(native(f, W, many)(W, many), f(W, many))


def test_loops_in_loops_and_choices():
    def f(x, ys):
        def step(c, y):
            c = pb.cond(c > 0.3, lambda c: decay(c * x, 3), lambda c: root(x + c * c) - y, c)
            return c, root(1.0 + c * c)

        c, zs = pb.scan(step, 0.1, ys, checkpoint=2)
        return c + np.sum(zs)

    gradient = pb.grad(f, argnums=(0, 1))
    ys = np.linspace(-1, 1, 12)
    assert_agree(native(gradient, 0.6, ys)(0.6, ys), gradient(0.6, ys))


def test_one_piece_of_machine_code_serves_loops_of_all_lengths():
    def f(x, ys):
        c, zs = pb.scan(lambda c, y: (np.sin(c * x + y), c), 0.1, ys, checkpoint=2)
        return c + np.sum(zs)

    gradient = pb.grad(f, argnums=(0, 1))
    compiled = pb.compile(gradient)
    for n in (30, 41, 200, 5, 77):
        ys = np.linspace(0, 1, n)
        assert_agree(compiled(0.6, ys), gradient(0.6, ys), f"length {n}")


def test_memory_is_that_of_the_snapshots():
    """A gradient with a thousand steps of a thousand numbers, in room for a few of them."""

    def f(checkpoint):
        def loss(w, x):
            y, _ = pb.scan(
                lambda y, i: (np.tanh(w * y + x * i), None), x, np.arange(1000.0),
                checkpoint=checkpoint,
            )  # fmt: skip
            return np.sum(y)

        return pb.compile(pb.grad(loss, argnums=(0, 1)))

    args = np.full(1000, 0.9), np.linspace(0, 1e-3, 1000)
    state = 8 * 1000
    sizes = {each: f(each).report(*args).scratch // state for each in (1, 5, "sqrt")}
    most = {1: 2, 5: 6, "sqrt": 1 + recomputation.square_root(1000)}
    assert all(size <= most[each] + 8 for each, size in sizes.items()), sizes
    assert_agree(f(5)(*args), f("sqrt")(*args))


def test_what_only_a_step_may_ask_for_is_not_asked_without_one():
    """A singular matrix is no error in a loop that has no step."""

    def f(a, n):
        step = lambda c: (c[0] + 1, np.linalg.solve(a, c[1]))  # noqa: E731
        return np.sum(pb.while_loop(lambda c: c[0] < n, step, (0, np.ones(2)))[1])

    gradient = pb.grad(f)
    compiled = native(gradient, np.eye(2), 3)
    singular = np.zeros((2, 2))
    assert_agree(compiled(singular, 0), gradient(singular, 0))
    with pytest.raises(np.linalg.LinAlgError):
        compiled(singular, 1)
    a = np.array([[2.0, 1.0], [0.5, 3.0]])
    assert_agree(compiled(a, 4), gradient(a, 4))


def test_the_distances_are_those_of_the_schedule():
    for length in range(2, 70):
        for room in range(2, 9):
            found = reversed_loops._distance(np.int64(length), np.int64(room))
            assert found == recomputation._distance(length, room)


def test_how_often_a_step_is_evaluated():
    """As often as the schedule says, counted in a body that calls Python."""
    counts = []

    @pb.primitive
    def counted(x):
        counts.append(0)
        return np.sin(x)

    counted.shape(lambda x: x)
    counted.rule(lambda y, x: np.cos(x))

    def f(x, n, checkpoint):
        return pb.scan(lambda c, _: (counted(c * x), None), x, length=n, checkpoint=checkpoint)[0]

    for n, checkpoint in [(10, 1), (10, 3), (30, 2), (40, "sqrt")]:
        compiled = pb.compile(pb.grad(lambda x, n=n, c=checkpoint: f(x, n, c)))
        compiled(0.7)
        counts.clear()
        compiled(0.7)
        room = 1 + (recomputation.square_root(n) if checkpoint == "sqrt" else checkpoint)
        # Beside them each step is evaluated to linearise it, where that reads what it computes.
        assert len(counts) <= recomputation.evaluations(n, room) + n


@pytest.fixture
def runs_for_masks(monkeypatch):
    """Of each `loop_pullback` that is put together from loops: whether it is for masks."""
    found = []

    def pulled_by(sweep, args, params):
        found.append(params["told"] is not None)
        return loop_pullback.pulled_by(sweep, args, params)

    monkeypatch.setattr(reversed_loops, "pulled_by", pulled_by)
    monkeypatch.setenv("PULLBACK_CACHE", "off")
    return found


@pytest.mark.parametrize("body", ["while_replaced", "while_repeated", "kept few"])
@pytest.mark.parametrize("mode", ["r", "rr", "fr"])
def test_strong_zeros_before_a_pole(body, mode, runs_for_masks):
    """The sweep for their masks is native, too; also of bodies that became simpler meanwhile."""
    for steps in (
        ("square", (body, ("root",))),
        ((body, ("square",)), "root"),
        (("checkpointed", ("log",)), (body, ("one of",))),
        ("log", "sine", ("scanned", ((body, ("one of",)),))),
    ):
        chain = Chain(steps, "zeros and one", mode)
        x = chain.start
        with np.errstate(all="ignore"):
            wanted = derivative_of(chain, recorded=False)(x)
            got = native(derivative_of(chain, recorded=True), x)(x)
        assert same(got, wanted), (chain, got, wanted)
    assert any(runs_for_masks)


@pytest.mark.parametrize("wrap", [lambda f: f, pb.vmap])
def test_strong_zeros_through_loops_of_any_number_of_steps(wrap, runs_for_masks):
    """What is chosen behind the loop, and no step depends on, has a logarithm in front of it."""

    def f(x, w, n, *, python):
        first = np.log(x), np.int64(0), w

        def goes_on(c):
            return c[1] < n

        def step(c):
            return c[0] * c[2], c[1] + 1, c[2]

        c = first
        if python:
            for _ in range(n):
                c = step(c)
        else:
            c = pb.while_loop(goes_on, step, first)
        return np.where(x > 0, c[0], 0.0) + 0.5 * w

    x, w = np.array([[0.0, 0.5, 2.0], [1.0, 0.0, 3.0]]), np.array([0.3, 1.1, -0.7])

    def gradient(n, python):
        one = pb.grad(lambda x, w: np.sum(f(x, w, n, python=python)), argnums=(0, 1))
        return wrap(lambda x: one(x, w))(x)

    with np.errstate(all="ignore"):
        compiled = pb.compile(lambda n: gradient(n, python=False))
        for n in (0, 1, 3):
            got, wanted = compiled(np.int64(n)), gradient(n, python=True)
            assert_agree(got, gradient(n, python=False), f"{n} steps")
            assert all(map(same, got, wanted)), (n, got, wanted)
            assert np.isfinite(got[0]).all()
        assert not compiled.report(np.int64(3)).fallbacks
    assert any(runs_for_masks)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals between threads")
def test_a_long_sweep_can_be_interrupted():
    compiled = pb.compile(pb.grad(lambda x: decay(x, 10**9)))
    compiled.loops(1.0)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        compiled(1.0)
    timer.join()


def test_errors_of_the_body_are_raised():
    def f(x):
        return pb.while_loop(lambda c: c[0] < 9, lambda c: (c[0] + 1, c[1] * x[c[0]]), (0, 1.0))[1]

    with pytest.raises(IndexError):
        pb.compile(pb.grad(f))(np.ones(5))
    assert_agree(pb.compile(pb.grad(f))(np.arange(1.0, 10.0)), pb.grad(f)(np.arange(1.0, 10.0)))
