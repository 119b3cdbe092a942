"""Primitives: what a rule is handed, what is kept for it, and when it is evaluated."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import pullback as pb
from pullback.core.primitive import Primitive, registry
from pullback.core.shapes import Abstract
from pullback.core.structure import Opaque
from pullback.core.tracing import Tracer

X, Y = np.array([1.0, 2.0]), np.array([3.0, 4.0])


def product(rule):
    return Primitive("product", np.multiply, rule=rule)


def test_on_plain_values_it_is_the_function():
    multiply = product(None)
    out = multiply(X, Y)
    assert type(out) is np.ndarray
    assert_array_equal(out, X * Y)


def test_a_rule_sees_values_and_abstract_values():
    seen = []

    def rule(_z, x, _y):
        seen.extend([type(_z), x, _y])
        return None, np.asarray(x)

    _, pull = pb.vjp(lambda y: product(rule)(X, y), Y)
    assert_array_equal(pull(np.ones(2))[0], X)
    out, x, y = seen
    assert issubclass(out, Abstract)
    assert_array_equal(x, X)
    assert isinstance(y, Abstract)
    assert (y.shape, y.dtype) == ((2,), np.dtype(float))


def test_entries_are_evaluated_for_differentiated_arguments_only():
    evaluated = []

    def rule(_z, x, y):
        return (
            lambda: evaluated.append("x") or y,
            lambda: evaluated.append("y") or x,
        )

    assert_array_equal(pb.pullback(lambda x: product(rule)(x, Y), (X,), np.ones(2))[1][0], Y)
    assert evaluated == ["x"]
    pb.pushforward(lambda y: product(rule)(X, y), (Y,), (Y,))
    assert evaluated == ["x", "y"]


def test_the_rule_is_not_evaluated_without_need():
    def rule(_z, _x, _y):
        raise AssertionError("evaluated")

    multiply = product(rule)
    assert_array_equal(multiply(X, Y), X * Y)
    pb.vjp(lambda x: multiply(x, Y), X)
    _, y_dot = pb.pushforward(lambda x: x + multiply(X, Y), (X,), (X,))
    assert_array_equal(y_dot, X)


def test_a_rule_with_the_wrong_number_of_entries():
    with pytest.raises(pb.ArgumentTypeError, match="product returned 1 linear maps for 2 arg"):
        pb.pullback(product(lambda _z, _x, y: (y,)), (X, Y), np.ones(2))


def test_a_rule_without_parameters():
    with pytest.raises(pb.ArgumentTypeError, match="its first parameter must be the output"):
        product(lambda: None)


def test_without_a_rule():
    with pytest.raises(pb.NoRuleError, match="product has no derivative rule"):
        pb.pullback(product(None), (X, Y), np.ones(2))
    with pytest.raises(pb.NoRuleError, match="product has no derivative rule"):
        pb.pushforward(product(None), (X, Y), (X, Y))


def test_a_joint_rule():
    def rule(_z, x, y):
        return pb.Joint(
            lambda x_dot, y_dot: sum(a * b for a, b in ((x_dot, y), (y_dot, x)) if a is not None),
            lambda z_bar: (z_bar * y, z_bar * x),
        )

    assert_array_equal(pb.pushforward(product(rule), (X, Y), (X, None))[1], X * Y)
    bars = pb.pullback(product(rule), (X, Y), np.ones(2))[1]
    assert_array_equal(bars[0], Y)
    assert_array_equal(bars[1], X)
    assert pb.check(product(rule), X, Y).passed


def test_several_outputs():
    def rule(_out, x):
        return pb.Linear(
            lambda x_dot: (np.cos(x) * x_dot, -np.sin(x) * x_dot),
            lambda bars: sum(
                c * b for c, b in zip((np.cos(x), -np.sin(x)), bars, strict=True) if b is not None
            ),
        )

    both = Primitive("both", lambda x: (np.sin(x), np.cos(x)), Opaque(multiple=True), rule)
    assert pb.check(both, X, order=3).passed
    assert pb.check(lambda x: both(x)[1] * x, X).passed


def test_broadcast_cotangents_are_summed_by_the_engine():
    bars = pb.pullback(product(lambda _z, x, y: (y, x)), (X, np.ones((3, 2))), np.ones((3, 2)))[1]
    assert_array_equal(bars[0], np.full(2, 3.0))
    assert_array_equal(bars[1], np.broadcast_to(X, (3, 2)))


def test_lists_of_traced_scalars_become_one_array():
    multiply = registry["multiply"]
    slope = pb.grad(lambda x: np.sum(multiply([x[0], x[1]], Y)))(X)
    assert_array_equal(slope, Y)


def test_things_that_are_no_numbers_are_refused():
    with pytest.raises(pb.ArgumentTypeError, match="multiply: got a str"):
        registry["multiply"]("a", 2.0)


def test_it_prints():
    assert repr(registry["multiply"]) == "<primitive multiply>"


def test_every_rule_is_documented():
    rules = {name: entry for name, entry in registry.items() if not entry.is_constant}
    undocumented = [name for name, entry in rules.items() if not entry.__doc__]
    assert undocumented == []


def test_a_tracer_speaks_for_its_value():
    def f(x):
        assert isinstance(x, Tracer)
        assert (x.shape, x.dtype, x.ndim, x.size, len(x)) == ((2,), np.dtype(float), 1, 2, 2)
        assert repr(x).startswith("Tracer(array([1., 2.])")
        assert bool(x[0] > 0)
        assert [float(pb.stop_gradient(e)) for e in x] == [1.0, 2.0]
        return np.sum(x)

    assert_array_equal(pb.grad(f)(X), np.ones(2))


def test_a_tracer_is_not_hashable():
    with pytest.raises(TypeError, match="about to become a hash"):
        pb.grad(lambda x: {x: 1.0}[x])(1.0)
