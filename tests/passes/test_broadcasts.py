"""What is repeated is computed once."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special  # noqa: F401

import pullback as pb
from pullback.core.primitive import registry
from pullback.passes.broadcasts import simplify_broadcasts
from tests.passes.agreement import rewritten
from tests.passes.inspection import names
from tests.rules.cases import CASES

s = np.array(0.7)
row = np.array([0.3, -1.2, 2.0])
a = np.arange(6.0).reshape(2, 3) - 2


def wide(x):
    return np.broadcast_to(x, (2, 3))


@pytest.mark.parametrize(
    ("f", "args", "left"),
    [
        (lambda x: np.sin(wide(x)), (row,), ["sin", "broadcast_to"]),
        (lambda x, y: wide(x) * wide(y), (s, row), ["multiply", "broadcast_to"]),
        (lambda x, y: wide(x) * y, (row, a), ["multiply"]),
        (lambda x, y: wide(x) * y, (s, row), ["multiply", "broadcast_to"]),
        (lambda x: wide(x[:, None][:2]) + wide(x), (row,), ["index", "index", "add"]),
        (lambda x: x + np.ones((2, 3)), (a,), ["add"]),
        (lambda x: x * np.ones((2, 3)), (row,), ["multiply", "broadcast_to"]),
        (
            lambda x: np.where(wide(x) > 0, wide(x), 0.0),
            (row,),
            ["greater", "where", "broadcast_to"],
        ),
        (lambda x: np.modf(wide(x)), (row,), ["modf", "broadcast_to", "broadcast_to"]),
    ],
)
def test_element_by_element(f, args, left):
    assert names(rewritten(simplify_broadcasts, f, *args)) == left


def test_numbers_keep_their_dtype():
    ones = np.ones((2, 3))
    graph = rewritten(simplify_broadcasts, lambda x: x * ones, a.astype(np.float32))
    assert graph.outputs[0].dtype == np.float64
    graph = rewritten(simplify_broadcasts, lambda n, x: wide(n) * x, 2.0, a.astype(np.float32))
    assert graph.outputs[0].dtype == np.float64


@pytest.mark.parametrize(
    ("f", "args", "left"),
    [
        (lambda x, b: wide(x) @ b, (row, a.T), ["broadcast_to", "matmul", "broadcast_to"]),
        (
            lambda x, b: b @ np.broadcast_to(x[:, None], (3, 5)),
            (row, a),
            ["index", "broadcast_to", "matmul", "broadcast_to"],
        ),
        (lambda x: np.ones((4, 2)) @ x, (a,), ["sum", "broadcast_to"]),
        (lambda x: x @ np.ones((3, 4)), (a,), ["sum", "broadcast_to"]),
        (lambda x: np.ones(2) @ x, (a,), ["sum"]),
        (lambda x: x @ np.ones(3), (a,), ["sum"]),
        (lambda x: x @ np.ones(3), (row,), ["sum"]),
        (lambda x: x @ np.ones((3, 1)), (row,), ["sum"]),
        (lambda x: x @ np.full((3, 4), 0.5), (a,), ["broadcast_to", "matmul", "broadcast_to"]),
        (lambda x, y: wide(x) @ np.broadcast_to(y, (3, 4)), (s, s), None),
    ],
)
def test_matrix_products(f, args, left):
    graph = rewritten(simplify_broadcasts, f, *args)
    assert left is None or names(graph) == left


def test_what_acts_element_by_element():
    for name in CASES:
        primitive = registry[name]
        if not primitive.structure.elementwise:
            continue
        for case in CASES[name]:
            if any(isinstance(value, np.ndarray) for value in case.params.values()):
                continue
            rank = max(map(np.ndim, case.args))
            repeated = (
                np.broadcast_to(x, (2, *np.shape(x))) if np.ndim(x) == rank else x
                for x in case.args
            )
            once = primitive(*case.args, **case.params)
            twice = primitive(*repeated, **case.params)
            for one, two in zip(*map(_several, (once, twice)), strict=True):
                np.testing.assert_allclose(np.broadcast_to(one, np.shape(two)), two, rtol=1e-14)
    assert not registry["unwrap"].structure.elementwise
    assert registry["where"].structure.elementwise


def _several(x):
    return x if isinstance(x, tuple) else (x,)


def test_a_gradient_that_starts_with_ones():
    graph = rewritten(simplify_broadcasts, pb.grad(lambda x: np.sum(np.sin(x))), a)
    assert graph.constants == {}
