"""Shape rules of the user's own primitives, by which they are recorded."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.core.shapes import Abstract

F8, F4 = np.dtype(np.float64), np.dtype(np.float32)


@pytest.fixture
def halves():
    @pb.primitive(multiple=True)
    def halves(x, *, axis=0):
        return tuple(np.split(x, 2, axis))

    return halves


def test_a_primitive_that_cannot_be_recorded_without_a_shape_rule_says_how_to_give_it_one(halves):
    with pytest.raises(pb.NoRuleError, match=r"halves has no shape rule.*@halves\.shape"):
        raise halves._primitive.no_shape()


def test_a_shape_rule_of_the_users_own(halves):
    @halves.shape
    def halves_shape(x, *, axis=0):
        shape = list(x.shape)
        shape[axis] //= 2
        return (shape, x.dtype), (tuple(shape), "float32")

    first, second = halves._primitive.shape(np.ones((4, 3), np.float32), axis=0)
    assert (first.shape, first.dtype) == (second.shape, second.dtype) == ((2, 3), F4)


def test_a_shape_rule_reads_shapes_dtypes_and_python_scalars():
    @pb.primitive
    def scaled(x, factor):
        return x * factor

    @scaled.shape
    def scaled_shape(x, factor):
        assert isinstance(x, Abstract)
        return x.shape, np.result_type(x.dtype, getattr(factor, "dtype", factor))

    shape = scaled._primitive.shape
    assert shape(np.ones(3, np.float32), 2.0).dtype == F4
    assert shape(Abstract((3,), F4), np.float64(2)).dtype == F8


def test_a_shape_rule_may_return_an_argument_or_an_array():
    @pb.primitive
    def smoothed(x):
        return x / 2

    for rule in (lambda x: x, lambda x: np.empty(x.shape, x.dtype), lambda x: (x.shape, x.dtype)):
        smoothed.shape(rule)
        got = smoothed._primitive.shape(Abstract((3,), F4))
        assert (got.shape, got.dtype) == ((3,), F4)


@pytest.mark.parametrize("returned", [None, (3,), (3, "float64"), ((3,), "no dtype"), "text"])
def test_a_shape_rule_that_returns_something_else_is_named(returned):
    @pb.primitive
    def smoothed(x):
        return x / 2

    smoothed.shape(lambda _x: returned)
    with pytest.raises(pb.ArgumentTypeError, match=r"shape rule of smoothed.*\(shape, dtype\)"):
        smoothed._primitive.shape(Abstract((3,), F4))


def test_a_primitive_is_recorded_by_its_shape_rule(halves):
    asked = []

    @halves.shape
    def halves_shape(x):
        asked.append(x.shape)
        return [((2, 3), x.dtype)] * 2

    x = np.arange(12.0).reshape(4, 3)
    first, second = pb.trace(halves, np.ones((4, 3)))(x)
    np.testing.assert_array_equal(first, x[:2])
    np.testing.assert_array_equal(second, x[2:])
    assert set(asked) == {(4, 3)}


def test_a_primitive_is_not_evaluated_while_it_is_recorded():
    arguments = []

    @pb.primitive
    def root(x):
        arguments.append(x)
        assert x > 0
        return np.sqrt(x)

    root.shape(lambda x: x)
    root.rule(lambda y, _x: 0.5 / y)
    graph = pb.trace(pb.grad(lambda x: root(x) * 3.0), 4.0)
    assert arguments == []
    assert graph(4.0) == 0.75
    assert arguments == [4.0]
    assert pb.grad(lambda x: pb.fori_loop(0, 3, lambda _, y: root(y), x))(1.0) == 0.125
    assert arguments[1:] == [1.0, 1.0, 1.0]
