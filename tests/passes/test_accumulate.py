"""What is added to a few elements is added in place."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.passes.accumulate import accumulate_in_place
from pullback.passes.simplification import simplify
from pullback.rules.indexing import scatter
from tests.passes.agreement import rewritten
from tests.passes.inspection import names

x = np.array([0.3, -1.2, 2.0, 0.7])
v = np.array([0.25, 0.5])
KEY = {"key": (slice(1, 3),), "shape": (4,)}


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x, v: x + scatter(v, **KEY), ["index_add"]),
        (lambda x, v: scatter(v, **KEY) + x, ["index_add"]),
        (lambda x, v: x - scatter(v, **KEY), ["negative", "index_add"]),
        (lambda x, v: -scatter(v, **KEY), ["negative", "scatter"]),
        (lambda x, v: scatter(v, **KEY) + scatter(v, **KEY), ["scatter", "index_add"]),
        (lambda x, v: scatter(v, **KEY) + 1.0, ["broadcast_to", "index_add"]),
        (lambda x, v: x + scatter(v, **KEY)[None], ["scatter", "index", "add"]),
        (
            lambda x, v: x.reshape(2, 2) + scatter(v, **KEY).reshape(2, 2),
            ["reshape", "reshape", "index_add", "reshape"],
        ),
        (lambda x, v: x[:2, None] + scatter(v, **KEY), ["index", "scatter", "add"]),
        (lambda x, v: x.astype(np.float32) + scatter(v, **KEY), ["astype", "astype", "index_add"]),
        (lambda x, v: x + scatter(v.astype(np.float32), **KEY), ["astype", "scatter", "add"]),
        (lambda x, v: x * scatter(v, **KEY), ["scatter", "multiply"]),
    ],
)  # fmt: skip
def test_rules(f, left):
    assert names(rewritten(accumulate_in_place, f, x, v)) == left


@pytest.mark.parametrize("order", ["C", "F"])
def test_what_is_reshaped_in_an_order(order):
    def f(m):
        flat = m.ravel(order)
        return flat[1] ** 2 + flat[4] ** 3

    m = np.arange(6.0).reshape(3, 2)
    graph = simplify(pb.trace(pb.grad(f), m))
    assert names(graph).count("scatter") == 1
    np.testing.assert_array_equal(graph(m), pb.grad(f)(m))
    wanted = np.zeros(6)
    wanted[[1, 4]] = 2 * m.ravel(order)[1], 3 * m.ravel(order)[4] ** 2
    np.testing.assert_array_equal(graph(m), wanted.reshape(3, 2, order=order))


def test_places_that_are_named_twice():
    i = np.array([1, 1, 3])

    def f(x, i):
        return pb.grad(lambda x: np.sum(x[i] * np.arange(3.0)) + np.sum(np.sin(x)))(x)

    graph = rewritten(accumulate_in_place, f, x, i)
    assert "index_add" in names(graph)
    np.testing.assert_allclose(graph(x, i) - np.cos(x), [0, 1, 0, 2])


def test_the_gradient_of_many_reads():
    def f(x):
        return x[0] * x[1] + x[1] * x[2] + x[2] * x[3]

    graph = simplify(pb.trace(pb.grad(f), x))
    assert "add" not in [
        equation.primitive.name for equation in graph.equations if equation.outputs[0].shape
    ]
    np.testing.assert_allclose(graph(x), [x[1], x[0] + x[2], x[1] + x[3], x[2]])
