"""Reductions of what is repeated, negated or rearranged."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.passes.reductions import simplify_reductions
from pullback.rules.losses import total
from tests.passes.agreement import rewritten
from tests.passes.inspection import names

s = np.array(0.7)
row = np.array([0.3, -1.2, 2.0])
a = np.arange(6.0).reshape(2, 3) - 2


def wide(x, shape=(2, 3)):
    return np.broadcast_to(x, shape)


def cube(x):
    return x * np.linspace(0.5, 2, 24).reshape(2, 4, 3).astype(x.dtype)


@pytest.mark.parametrize(
    ("f", "x", "left"),
    [
        (lambda x: np.sum(wide(x)), s, ["multiply"]),
        (lambda x: np.sum(wide(x), axis=0), row, ["multiply"]),
        (lambda x: np.sum(wide(x), axis=1), row, ["sum", "broadcast_to"]),
        (lambda x: np.sum(wide(x)), row, ["sum", "multiply"]),
        (lambda x: np.sum(wide(x), axis=0, keepdims=True), row, ["multiply", "reshape"]),
        (lambda x: np.mean(wide(x), axis=0), row, []),
        (lambda x: np.max(wide(x), axis=(0, 1)), row, ["max"]),
        (lambda x: np.all(wide(x) > 0), row, ["broadcast_to", "greater", "all"]),
        (lambda x: np.sum(x.reshape(3, 1), axis=1), row, ["reshape", "reshape"]),
        (lambda x: np.sum(-x), row, ["sum", "negative"]),
        (lambda x: np.mean(-x, axis=0), a, ["mean", "negative"]),
        (lambda x: (lambda y: (y, np.sum(y)))(-x), row, ["negative", "sum"]),
        (lambda x: np.sum(x.T), a, ["sum"]),
        (lambda x: np.max(x.reshape(-1)), a, ["max"]),
        (lambda x: np.sum(x.T, axis=0), a, ["sum"]),
        (lambda x: np.max(np.transpose(cube(x), (2, 0, 1)), axis=0), row, ["multiply", "max"]),
        (
            lambda x: np.sum(np.transpose(cube(x), (2, 0, 1)), axis=1),
            row,
            ["multiply", "sum", "transpose"],
        ),
        (
            lambda x: np.sum(cube(x).reshape(2, 1, 4, 1, 3), axis=(2, 3)),
            row,
            ["multiply", "sum", "reshape"],
        ),
        (lambda x: np.sum(cube(x).reshape(8, 3), axis=0), row, ["multiply", "reshape", "sum"]),
        (lambda x: np.sum(wide(x, (0, 3))), row, ["broadcast_to", "sum"]),
        (lambda x: total(wide(x), count=6), s, []),
        (lambda x: total(wide(x), count=3), s, ["broadcast_to", "total"]),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_rules(f, x, left, dtype):
    if dtype == "complex128" and ("max" in left or "greater" in left or "total" in left or x is s):
        dtype = "float16"
    assert names(rewritten(simplify_reductions, f, x.astype(dtype))) == left


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int64"])
def test_sums_of_integers(dtype):
    def f(x):
        return (
            np.sum(wide(x), axis=0),
            np.mean(wide(x), axis=0),
            np.sum(x[:1]),
            np.max(wide(x), axis=0),
        )

    graph = rewritten(simplify_reductions, f, np.array([0, 1, 3]).astype(dtype))
    assert not {"sum", "mean", "max"} & set(names(graph))


def test_counts_that_half_precision_cannot_hold():
    def f(x):
        return np.sum(np.broadcast_to(x, (70_000,)))

    graph = rewritten(simplify_reductions, f, np.array(1e-3, np.float16))
    assert names(graph) == ["broadcast_to", "sum"]


def test_axes_have_one_spelling():
    def f(x):
        return (
            np.sum(x),
            np.sum(x, axis=(0, 1)),
            np.sum(x, axis=(-1, 0)),
            np.sum(x, 0),
            np.sum(x, (-2,)),
        )

    graph = simplify_reductions(pb.trace(f, a))
    assert [each.params for each in graph.equations] == [
        *({"axis": None, "keepdims": False},) * 3,
        *({"axis": (0,), "keepdims": False},) * 2,
    ]


def test_every_reduction_of_a_scalar():
    def f(x):
        return (
            np.sum(x),
            np.sum(x, axis=()),
            np.mean(x),
            np.max(x),
            np.prod(x),
            np.var(x),
            np.all(x),
        )

    rewritten(simplify_reductions, f, s)
