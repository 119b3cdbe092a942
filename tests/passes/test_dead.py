"""What no output depends on."""

from __future__ import annotations

import numpy as np

import pullback as pb
from pullback.passes.dead import remove_dead
from tests.passes.agreement import assert_agree
from tests.passes.inspection import names

x = np.array([0.3, -1.2, 2.0])


def test_equations_and_constants():
    c = np.array([1.0, 2.0, 3.0])

    def f(x, y):
        np.exp(np.cos(x) * c)
        return np.sin(x)

    graph = pb.trace(f, x, x)
    smaller = remove_dead(graph)
    assert names(graph) == ["cos", "multiply", "exp", "sin"]
    assert names(smaller) == ["sin"]
    assert smaller.constants == {}
    assert smaller.inputs == graph.inputs
    smaller.verify()
    assert_agree(smaller(x, x), graph(x, x))


def test_a_graph_without_dead_code_is_returned_as_it_is():
    graph = pb.trace(lambda x: np.modf(x)[0], x)
    assert remove_dead(graph) is graph


def test_the_forward_values_that_a_gradient_does_not_need():
    graph = pb.trace(pb.grad(lambda x: np.sum(np.exp(x) + np.square(x))), x)
    assert "sum" in names(graph)
    assert "sum" not in names(remove_dead(graph))


def test_outputs_that_are_inputs_numbers_and_constants():
    c = np.array([1.0, 2.0])
    graph = remove_dead(pb.trace(lambda x: (x, 2.0, c, np.sin(x)[0] * 0 + 1), x))
    assert_agree(graph(x), (x, 2.0, c, np.float64(1)))
