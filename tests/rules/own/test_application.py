"""Rules that can't be traced, called on plain arrays by operations of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb

X = np.array([0.3, 0.7, 1.1])


def sines():
    """A primitive of a vector whose rule is called on plain arrays, and what it is called with."""
    calls = []

    @pb.primitive
    def f(x):
        return np.sin(x)

    @f.rule
    def rule(_y, x):
        calls.append(type(x).__name__)
        slope = np.array([math.cos(each) for each in x])
        return pb.Linear(lambda dot: slope * dot, lambda bar: slope * bar)

    return f, calls


def names(graph):
    return [equation.primitive.name for equation in graph.equations]


def test_a_graph_holds_the_application_and_calls_the_rule_whenever_it_is_run():
    f, calls = sines()
    graph = pb.simplify(pb.trace(pb.grad(lambda x: np.sum(f(x) * X)), X))
    assert names(graph) == ["pullback_of_f"]
    calls.clear()
    for x in (X, 2 * X):
        assert_allclose(graph(x), np.cos(x) * X, rtol=1e-15)
    assert calls == ["ndarray", "ndarray"]
    push = pb.simplify(pb.trace(lambda x: pb.pushforward(f, (x,), (X,))[1], X))
    assert names(push) == ["pushforward_of_f"]
    assert_allclose(push(X), np.cos(X) * X, rtol=1e-15)
    push.verify()
    assert push.cost().operations == 3
    assert "pushforward_of_f(x" in str(push)


def test_a_batch_calls_it_for_each_example():
    f, calls = sines()
    gradient = pb.grad(lambda x: np.sum(f(x) * X))
    batch = np.stack([X, 2 * X])
    assert_allclose(pb.vmap(gradient)(batch), np.cos(batch) * X, rtol=1e-15)
    assert calls == ["Tracer", "ndarray", "ndarray"]
    nested = np.stack([batch, 3 * batch])
    assert_allclose(pb.vmap(pb.vmap(gradient))(nested), np.cos(nested) * X, rtol=1e-15)
    graph = pb.trace(pb.vmap(gradient), batch)
    assert_allclose(pb.vmap(graph)(nested), np.cos(nested) * X, rtol=1e-15)


def test_shared_points_and_batches_of_cotangents():
    f, _ = sines()
    _, pull = pb.vjp(f, X)
    bars = np.arange(6.0).reshape(2, 3)
    assert_allclose(pb.vmap(pull)(bars)[0], bars * np.cos(X), rtol=1e-15)
    for mode in ("forward", "reverse"):
        assert_allclose(pb.jacobian(f, mode=mode)(X), np.diag(np.cos(X)), rtol=1e-15)
    batch = np.stack([X, 2 * X])
    jacobians = pb.vmap(pb.jacobian(f))(batch)
    assert_allclose(jacobians, np.stack([np.diag(np.cos(x)) for x in batch]), rtol=1e-15)


def test_several_results_of_which_some_are_wanted():
    @pb.primitive(multiple=True)
    def polar(r, angle):
        return r * math.cos(angle), r * math.sin(angle), 7

    @polar.rule
    def rule(out, r, angle):
        x, y, _ = map(float, out)
        r = float(r)

        def pullback(bars):
            a, b = (0.0 if bar is None else float(bar) for bar in bars[:2])
            return (a * x + b * y) / r, b * x - a * y

        return pb.Joint(pullback=pullback)

    def f(r, angle):
        x, _, n = polar(r, angle)
        return x * n

    r, angle = np.array([1.0, 2.0]), np.array([0.5, 0.6])
    wanted = 7 * np.cos(angle), -7 * r * np.sin(angle)
    assert_allclose(pb.vmap(pb.grad(f, (0, 1)))(r, angle), wanted, rtol=1e-14)
    assert_allclose(pb.vmap(pb.grad(f, 1))(r, angle), wanted[1], rtol=1e-14)
    push = pb.vmap(lambda r, angle: pb.pushforward(polar, (r, angle), (1.0, None))[1][:2])
    assert_allclose(push(r, angle), (np.cos(angle), np.sin(angle)), rtol=1e-13)
    graph = pb.trace(pb.grad(f, (0, 1)), 1.0, 0.5)
    assert_allclose(graph(2.0, 0.6), (wanted[0][1], wanted[1][1]), rtol=1e-14)
    total = pb.grad(lambda r, angle: np.sum(pb.vmap(f)(r, angle)), (0, 1))
    assert_allclose(total(r, angle), wanted, rtol=1e-14)


def test_values_that_the_rule_does_not_read_are_not_there():
    @pb.primitive
    def moved(x, y):
        return x + 2 * y

    @moved.rule
    def rule(_z, _x, _y):
        def pull(bar):
            return np.array([float(each) * 2 for each in bar])

        return 1, pb.Linear(pullback=pull)

    graph = pb.simplify(pb.trace(pb.grad(lambda x, y, w: np.sum(moved(x, y) * w), 1), X, X, X))
    assert_array_equal(graph(X, X, X), 2 * X)
    (equation,) = graph.equations
    assert len(equation.inputs) == 1  # the cotangent
    assert_array_equal(pb.vmap(graph)(*np.ones((3, 2, 3))), np.full((2, 3), 2.0))


def test_a_loop_runs_it_in_every_iteration():
    f, calls = sines()

    def looped(x):
        return np.sum(pb.fori_loop(0, 3, lambda _, y: f(y), x))

    def unrolled(x):
        return np.sum(np.sin(np.sin(np.sin(x))))

    assert_allclose(pb.grad(looped)(X), pb.grad(unrolled)(X), rtol=1e-14)
    assert calls.count("ndarray") == 3
    assert_allclose(
        pb.pushforward(looped, (X,), (X,))[1], pb.pushforward(unrolled, (X,), (X,))[1], rtol=1e-14
    )


def test_an_error_on_plain_arrays_comes_out_when_the_graph_is_run():
    @pb.primitive
    def f(x):
        return 2 * x

    @f.rule
    def rule(_y, x):
        if float(x) > 1:
            raise ValueError("too large")
        return 2.0

    graph = pb.trace(pb.grad(f), 0.5)
    assert graph(0.5) == 2.0
    with pytest.raises(ValueError, match=r"^too large\n.*recorded at"):
        graph(1.5)
