"""Equal equations, and equations that only look equal."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.graph.numbering import frozen, structure
from pullback.passes.common import share_equal
from pullback.rules.cumulative import cumsum
from tests.passes.agreement import rewritten
from tests.passes.inspection import names

x = np.array([0.3, -1.2, 2.0])


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x: np.sin(x) * np.sin(x), ["sin", "multiply"]),
        (lambda x: (x * np.cos(x), np.cos(x) * x), ["cos", "multiply"]),
        (lambda x: (x * 2.0, 2.0 * x), ["multiply"]),
        (lambda x: (x - 2.0, 2.0 - x), ["subtract", "subtract"]),
        (lambda x: (x + 2.0, x + 2), ["add", "add"]),
        (lambda x: (x + 0.0, x + -0.0), ["add", "add"]),
        (lambda x: (x + np.nan, x + np.nan), ["add"]),
        (lambda x: (x[::2], x[0::2], x[::2]), ["index", "index"]),
        (
            lambda x: (np.sum(x, axis=0), np.sum(x, axis=0), np.sum(x, keepdims=True)),
            ["sum", "sum"],
        ),
        (lambda x: (cumsum(x, axis=0), cumsum(x, reverse=False, axis=0)), ["cumsum"]),
        (lambda x: (x.astype(np.float32), x.astype(np.float16)), ["astype", "astype"]),
        (lambda x: np.modf(x)[0] * np.modf(x)[1], ["modf", "multiply"]),
        (lambda x: (x > 1, x > True, x > 1.0), ["greater", "greater", "greater"]),
    ],
)
def test_equations(f, left):
    assert names(rewritten(share_equal, f, x)) == left


def test_what_follows_is_shared_too():
    graph = rewritten(share_equal, lambda x: np.exp(np.sin(x)) + np.exp(np.sin(x)), x)
    assert names(graph) == ["sin", "exp", "add"]


def test_of_a_gradient():
    graph = rewritten(share_equal, pb.grad(lambda x: np.sum(np.sin(x) * np.cos(x))), x)
    assert sorted(names(graph)).count("sin") == sorted(names(graph)).count("cos") == 1


def test_constants_with_the_same_elements():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0])
    graph = rewritten(share_equal, lambda x: (x * a, x * b, x * a.astype(np.float32)), x)
    assert len(graph.constants) == 2
    assert names(graph) == ["multiply", "multiply"]


def test_parameters():
    a, b = np.ones(2), np.ones(2)
    different = [
        *(1, True, 1.0, "1", (1,), [1], None, 0.0, -0.0, np.float32(1), Ellipsis),
        *(slice(1), slice(1, 2), (slice(None), None), np.dtype(int), np.dtype(float)),
        *(a, b, {"a": 1}, {"a": 2}),
    ]
    assert len(set(map(frozen, different))) == len(different)
    for value in different:
        assert frozen(value) == frozen(value)


def test_nested_graphs_are_equal_if_their_structure_is():
    def body(c):
        return pb.trace(lambda x, y: np.sin(x) * c + y, 1.0, 2.0)

    assert structure(body(2.0)) == structure(body(2.0))
    assert structure(body(2.0)) != structure(body(3.0))
    assert structure(body(2.0)) != structure(pb.trace(lambda x, y: np.sin(y) * 2.0 + x, 1.0, 2.0))
    single = pb.trace(lambda x, y: np.sin(x) * 2.0 + y, np.float32(1), 2.0)
    assert structure(body(2.0)) != structure(single)
