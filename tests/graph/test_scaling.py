"""The work of recording grows linearly with the program. It is counted, not timed."""

from __future__ import annotations

import functools
import gc
import itertools
import sys

import numpy as np
import pytest

import pullback as pb
from pullback.graph.advice import unrolling
from pullback.graph.execution import Plan
from pullback.graph.staging import Staging

pytestmark = pytest.mark.filterwarnings("ignore::pullback.UnrolledLoopWarning")


def _chain(n):
    def f(x):
        for _ in range(n // 2):
            x = np.sin(x) * 0.5
        return x

    return f


def _count(monkeypatch, f, *args):
    calls = [0]
    process = Staging.process

    def counted(self, *call):
        calls[0] += 1
        return process(self, *call)

    with monkeypatch.context() as patch:
        patch.setattr(Staging, "process", counted)
        graph = pb.trace(f, *args)
    return calls[0], graph


@pytest.mark.parametrize("n", [1000, 20_000])
def test_a_chain(monkeypatch, n):
    calls, graph = _count(monkeypatch, _chain(n), 1.0)
    assert calls == len(graph.equations) == n
    np.testing.assert_array_equal(graph(1.0), _chain(n)(1.0))


def test_the_gradient_of_a_chain(monkeypatch):
    counts = [_count(monkeypatch, pb.grad(_chain(n)), 1.0)[0] for n in (1000, 2000, 4000)]
    assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])
    assert counts[2] <= 3 * 4000


def test_an_array_that_is_filled(monkeypatch):
    def filled(n):
        def f(x):
            y = np.zeros(n, like=x)
            for i in range(1, n):
                y[i] = np.sin(y[i - 1] + x)
            return y[-1]

        return f

    for transform in (lambda f: f, pb.grad):
        counts = [_count(monkeypatch, transform(filled(n)), 1.0)[0] for n in (100, 200, 400)]
        assert counts[2] - counts[1] == 2 * (counts[1] - counts[0])


def test_views_of_views(monkeypatch):
    def f(x):
        y = x * 1.0
        for _ in range(200):
            z = y[1:-1]
            z += 1.0
        return y

    calls, _ = _count(monkeypatch, f, np.ones(8))
    assert calls <= 5 * 200


# -- every call of a Python or C function ----------------------------------------------------------


def _mixed(n):
    """About n primitives: element by element, products, slices, broadcasts and updates."""

    def f(x, w):
        y = x * 1.0
        for k in range(n // 6):
            y = np.tanh(w @ y) + y[::-1]
            y[k % 4] = y[0] * x[1]
        return np.sum(y)

    return f


ARGS = np.linspace(0, 1, 4), np.eye(4) * 0.5


def _calls(action):
    """How many functions are called, and what the action returns."""
    calls = 0

    def count(_frame, event, _arg):
        nonlocal calls
        calls += event in ("call", "c_call")

    gc.disable()
    sys.setprofile(count)
    try:
        result = action()
    finally:
        sys.setprofile(None)
        gc.enable()
    return calls, result


TRANSFORMS = {
    "value": lambda f: f,
    "gradient": pb.grad,
    "vmap of gradient": lambda f: lambda x, w: pb.vmap(pb.grad(f), in_axes=(0, None))(x[None], w),
    "pushforward": lambda f: lambda x, w: pb.pushforward(f, (x, w), (x, w)),
}
ACTIONS = {
    "verify": lambda graph: graph.verify(),
    "text": str,
    "dot": lambda graph: graph.to_dot(),
    "cost": lambda graph: graph.cost(),
    "plan": Plan,
    "simplify": pb.simplify,
    "run": lambda graph: graph.run([*ARGS]),
    "evaluate": lambda graph: graph.evaluate([*ARGS]),
}
SIZES = (120, 240, 480, 960)


@functools.cache
def _graph(n):
    return pb.trace(pb.grad(_mixed(n)), *ARGS)


@pytest.fixture(autouse=True)
def unwatched(monkeypatch):
    """Loops are not watched for their length: the share of it jumps where they are warned of."""
    monkeypatch.setattr(unrolling, "STRIDE", sys.maxsize)


def _assert_linear(counts):
    """Twice the size adds twice as many calls: n² would make it four times, n log n 2.2 times."""
    steps = [later - former for former, later in itertools.pairwise(counts)]
    ratios = [later / former for former, later in itertools.pairwise(steps)]
    np.testing.assert_allclose(ratios, 2, rtol=0.02)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_recording_calls_linearly_many_functions(transform):
    def record(n):
        return pb.trace(TRANSFORMS[transform](_mixed(n)), *ARGS)

    record(100)
    _assert_linear([_calls(lambda n=n: record(n))[0] for n in SIZES])


@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_done_with_a_graph_calls_linearly_many_functions(action):
    graphs = [_graph(n) for n in SIZES]
    ACTIONS[action](_graph(100))
    _assert_linear([_calls(lambda graph=graph: ACTIONS[action](graph))[0] for graph in graphs])
