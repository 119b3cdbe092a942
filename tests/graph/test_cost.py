"""Operations and bytes, against counts by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

import pullback as pb
from pullback.core.primitive import Primitive
from pullback.core.structure import Nested
from pullback.graph.cost import Cost, dearest
from pullback.graph.graph import Graph


@pytest.mark.parametrize(
    ("f", "args", "operations"),
    [
        (np.sin, (np.ones((3, 4)),), 12),
        (lambda x, y: x @ y, (np.ones((3, 4)), np.ones((4, 5))), 2 * 3 * 4 * 5),
        (lambda x, y: x @ y, (np.ones((7, 3, 4)), np.ones(4)), 2 * 7 * 3 * 4),
        (np.sum, (np.ones((3, 4)),), 12),
        (lambda x: np.max(x, axis=0), (np.ones((3, 4)),), 12),
        (lambda x: x.T.reshape(-1)[2:5], (np.ones((3, 4)),), 0),
        (lambda x: np.concatenate([x, x]), (np.ones(3),), 0),
        (lambda x, y: x + y, (np.ones((3, 1)), np.ones(4)), 12),
    ],
)
def test_operations(f, args, operations):
    assert pb.trace(f, *args).cost().operations == operations


def test_bytes():
    cost = pb.trace(lambda x, y: x * y + 1.0, np.ones((2, 3)), np.ones(3)).cost()
    product = 8 * (6 + 3 + 6)
    total = 8 * (6 + 1 + 6)
    assert cost.by_primitive["multiply"].bytes == product
    assert cost.by_primitive["add"].bytes == total
    assert cost.bytes == product + total


def test_residual_network():
    """Each layer: a product of 2·n·n·m, the bias, tanh, the step and the sum, n·m each."""
    n, m, depth = 8, 5, 3

    def net(y, layers):
        for W, b in layers:
            y = y + 0.5 * np.tanh(W @ y + b)
        return y

    layers = [(np.ones((n, n)), np.ones((n, 1)))] * depth
    cost = pb.trace(net, np.ones((n, m)), layers).cost()
    assert cost.operations == depth * (2 * n * n * m + 4 * n * m)
    assert cost.by_primitive["matmul"].operations == depth * 2 * n * n * m
    assert cost.by_primitive["tanh"].operations == depth * n * m


def test_text():
    text = str(pb.trace(lambda x: np.sum(np.sin(x) * x), np.ones(1000)).cost())
    lines = text.splitlines()
    assert lines[0].split() == ["primitive", "operations", "bytes"]
    assert [line.split()[0] for line in lines[1:]] == ["multiply", "sin", "sum", "total"]
    assert lines[-1].split()[1] == "3,000"


# -- nested graphs -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loop:
    """A body, and how often it runs; the parameter of a primitive."""

    body: Graph
    length: int
    reverse: bool = False


BODY = pb.trace(lambda x: np.sin(x) * 2.0, np.ones(3))
SHORT = pb.trace(lambda x: -x, np.ones(3))
ONCE = Cost(6, 8 * (3 + 3 + 3 + 1 + 3))
DEAREST = Primitive(
    "choice",
    lambda x, *, branches: branches[0](x),
    Nested(
        lambda _primitive, x, *, branches: branches[0].inputs[0],
        cost=lambda costs, *, branches: dearest(costs.values()),
        multiple=False,
    ),
)


def _loop(name, cost):
    structure = Nested(lambda *_, **__: BODY.inputs[0], cost=cost, multiple=False)
    return Primitive(name, lambda x, **_: x, structure)


REPEATED = _loop("repeated", lambda costs, *, loop: costs["body"] * loop.length)
ENDLESS = _loop("endless", lambda costs, *, loop: costs["body"].once())


def _nested(primitive, **params):
    return pb.trace(lambda x: primitive(x, **params), np.ones(3))


def test_a_body_counts_as_often_as_it_runs():
    cost = _nested(REPEATED, loop=Loop(BODY, 10)).cost()
    assert (cost.operations, cost.bytes) == (10 * ONCE.operations, 10 * ONCE.bytes)
    assert cost.by_primitive["sin"].operations == 30
    assert not cost.at_least


def test_loops_in_loops():
    inner = _nested(REPEATED, loop=Loop(BODY, 10))
    assert _nested(REPEATED, loop=Loop(inner, 4)).cost().operations == 4 * 10 * ONCE.operations


def test_a_loop_of_unknown_length_gives_a_lower_bound():
    inner = _nested(ENDLESS, loop=Loop(BODY, 0))
    for graph in (inner, _nested(REPEATED, loop=Loop(inner, 1))):
        cost = graph.cost()
        assert cost.at_least
        assert cost.operations == ONCE.operations
        assert str(cost).splitlines()[-1].split()[:4] == ["total,", "at", "least", "6"]


@pytest.mark.parametrize("branches", [(SHORT, BODY), (BODY, SHORT)])
def test_of_several_branches_the_dearest_counts(branches):
    assert _nested(DEAREST, branches=branches).cost().operations == ONCE.operations


def test_without_a_rule_nested_graphs_count_once():
    plain = _loop("plain", None)
    assert _nested(plain, graphs=(BODY, SHORT)).cost().operations == ONCE.operations + 3


def test_sums_and_multiples_leave_their_terms_alone():
    one = BODY.cost()
    assert (one + one * 2).operations == 3 * ONCE.operations
    assert one.by_primitive["sin"].operations == 3
    assert str(one * 1) == str(one)


# -- parameters that hold graphs ----------------------------------------------------------------


def test_graphs_in_a_dataclass():
    (equation,) = _nested(REPEATED, loop=Loop(BODY, 10)).equations
    assert equation.graphs == {"body": BODY}
    assert equation.settings == {"length": 10, "reverse": False}


def test_graphs_in_a_tuple():
    (equation,) = _nested(DEAREST, branches=(BODY, SHORT)).equations
    assert equation.graphs == {"branches[0]": BODY, "branches[1]": SHORT}
    assert equation.settings == {}


def test_bytes_of_what_is_read_and_written_in_places_are_those_that_are_touched():
    def sweep(y):
        def update(i, y):
            y[i] = 0.5 * (y[i - 1] + y[i + 1])
            return y

        return pb.fori_loop(1, 9, update, y)

    small, large = (pb.trace(sweep, np.ones(n)).cost().bytes for n in (10, 10_000))
    assert small == large
