"""The verifier finds what is wrong with a graph, and says where."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.core.primitive import Primitive
from pullback.core.structure import Opaque
from pullback.graph.graph import Graph
from pullback.graph.program import Equation
from pullback.graph.variable import Variable

C = np.full(3, 2.0)


def _graph():
    return pb.trace(lambda x: (np.sin(x * C), 1.0), np.ones(3))


def _with(graph, **changes):
    parts = {
        name: getattr(graph, name)
        for name in ("name", "inputs", "constants", "equations", "outputs", "signature")
    }
    return Graph(**{**parts, **changes})


def test_what_trace_gives_is_well_formed():
    _graph().verify()


def test_use_before_definition():
    graph = _graph()
    with pytest.raises(pb.GraphError, match="equation 0, sin: v1 is used before it is defined"):
        _with(graph, equations=graph.equations[::-1]).verify()


def test_two_definitions():
    graph = _graph()
    with pytest.raises(pb.GraphError, match=r"v. is defined a second time"):
        _with(graph, equations=(*graph.equations, graph.equations[-1])).verify()


@pytest.mark.parametrize(
    ("shape", "dtype", "found"), [((4,), "f8", r"float64\[4\]"), ((3,), "f4", r"float32\[3\]")]
)
def test_shapes_and_dtypes(shape, dtype, found):
    graph = _graph()
    last = graph.equations[-1]
    wrong = Variable(shape, np.dtype(dtype))
    equations = (*graph.equations[:-1], Equation(last.primitive, last.inputs, {}, (wrong,)))
    message = rf"equation 1, sin: an output is declared as {found}, and is float64\[3\]"
    with pytest.raises(pb.GraphError, match=message):
        _with(graph, equations=equations, outputs=(wrong, 1.0)).verify()


def test_constants():
    graph = _graph()
    (variable,) = graph.constants
    message = r"constants: c0 is declared as float64\[3\], and the array is float64\[2\]"
    with pytest.raises(pb.GraphError, match=message):
        _with(graph, constants={variable: np.ones(2)}).verify()


def test_outputs():
    graph = _graph()
    with pytest.raises(pb.GraphError, match=r"outputs: .*used before it is defined"):
        _with(graph, outputs=(Variable((), np.dtype(float)), 1.0)).verify()
    with pytest.raises(pb.GraphError, match="outputs: 1 for 2 leaves"):
        _with(graph, outputs=graph.outputs[:1]).verify()


def test_nested_graphs():
    graph = _graph()
    broken = _with(graph, equations=graph.equations[::-1])
    outer = Primitive("outer", np.sin, Opaque(lambda _primitive, x, **_: x))
    out = Variable((3,), np.dtype(float))
    equation = Equation(outer, graph.inputs, {"bodies": (graph, broken)}, (out,))
    with pytest.raises(pb.GraphError, match="used before it is defined"):
        _with(graph, equations=(equation,), outputs=(out, 1.0)).verify()
