"""What is known is evaluated, unless it is large."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.core.memory import repeated
from pullback.graph.graph import Graph
from pullback.graph.program import Equation
from pullback.graph.variable import Variable
from pullback.passes.constants import MOST_ELEMENTS, fold_constants
from pullback.rules import reductions
from pullback.rules.arithmetic import add, multiply
from pullback.rules.linalg import inv
from pullback.rules.shaping import broadcast_to
from tests.passes.agreement import rewritten
from tests.passes.inspection import names


def graph_of(constants, *steps):
    """A graph without inputs: `steps` are (primitive, inputs, params), numbers count results."""
    variables = [Variable(a.shape, a.dtype, array=True) for a in constants]
    signature = pb.trace(lambda: 0.0).signature
    values, equations = list(variables), []
    for primitive, places, params in steps:
        inputs = tuple(values[i] for i in places)
        out = primitive.shape(*inputs, **params)
        values.append(Variable(out.shape, out.dtype))
        equations.append(Equation(primitive, inputs, params, (values[-1],)))
    held = dict(zip(variables, constants, strict=True))
    return Graph("f", [], held, equations, [values[-1]], signature)


def test_small_arrays():
    a = np.array([1.0, 2.0, 3.0])
    graph = fold_constants(
        graph_of([a], (add, (0, 0), {}), (reductions.sum, (1,), {"axis": None, "keepdims": False}))
    )
    assert graph.outputs == (12.0,)
    assert type(graph.outputs[0]) is np.float64
    assert graph.equations == ()


def test_an_array_becomes_a_constant_that_nobody_can_write_to():
    graph = fold_constants(graph_of([np.array([1.0, 2.0])], (multiply, (0, 0), {})))
    np.testing.assert_array_equal(graph.constants[graph.outputs[0]], [1, 4])
    assert not graph.constants[graph.outputs[0]].flags.writeable


def test_a_repeated_number_is_not_written_out():
    graph = fold_constants(graph_of([np.array([1.0, 1.0])], (add, (0, 0), {})))
    assert names(graph) == ["broadcast_to"]
    assert graph.equations[0].inputs == (2.0,)


def test_large_arrays_stay():
    large = np.arange(MOST_ELEMENTS + 1.0)
    graph = graph_of(
        [large], (add, (0, 0), {}), (reductions.sum, (1,), {"axis": None, "keepdims": False})
    )
    assert fold_constants(graph) is graph
    wide = graph_of([np.arange(3.0)], (broadcast_to, (0,), {"shape": (10**9, 3)}))
    assert fold_constants(wide) is wide


def test_what_fails_is_to_fail_when_it_is_run():
    graph = graph_of([np.zeros((2, 2))], (inv, (0,), {}))
    assert fold_constants(graph) is graph
    with pytest.raises(np.linalg.LinAlgError):
        graph()


def test_no_warning_of_what_overflows():
    graph = fold_constants(graph_of([np.array([1e300])], (multiply, (0, 0), {})))
    np.testing.assert_array_equal(graph(), np.array([np.inf]))


def test_empty_arrays():
    graph = rewritten(fold_constants, lambda x: np.sum(np.sin(x) * x), np.ones((0, 3)))
    assert graph.equations == ()
    graph = rewritten(fold_constants, lambda x: np.sin(x)[:0], np.ones(3))
    assert names(graph) == ["broadcast_to"]


@pytest.mark.parametrize(
    ("array", "number"),
    [
        (np.ones(3), 1.0),
        (np.zeros((2, 3), np.float32), np.float32(0)),
        (np.array(2.5), 2.5),
        (np.array([[7]]), 7),
        (np.broadcast_to(3.0, (10**6, 10**6)), 3.0),
        (np.full(3, True), True),
        (np.array([1.0, 2.0, 1.0]), None),
        (np.array([0.0, -0.0]), None),
        (np.array([0.0, -0.0, 0.0]), None),
        (np.array([-0.0, -0.0]), -0.0),
        (np.array([0, 5, 0])[::2], 0),
    ],
)
def test_numbers_that_are_repeated(array, number):
    found = repeated(array)
    assert found == number
    assert number is None or type(found) is array.dtype.type


def test_what_is_not_known_stays():
    assert names(rewritten(fold_constants, lambda x: np.sin(x) + 1.0, np.ones(3))) == ["sin", "add"]
