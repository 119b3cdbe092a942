"""Random compositions of what takes arrays apart and joins them, and their derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.passes.simplification import simplify
from tests.passes.agreement import assert_agree, special
from tests.passes.inspection import findings

pytestmark = pytest.mark.filterwarnings("ignore::pullback.IndependentOutputWarning")
TABLE = np.arange(16.0).reshape(4, 4) / 9 - 0.7
x = np.arange(16.0).reshape(4, 4) / 8 - 1


def _packed(y):
    a, b, c, d = y
    return np.stack([b, a * d, c - a, d])


def _elements(y):
    return np.array([[y[j, i] * y[i, 0] for j in range(4)] for i in range(4)])


def _written(y):
    z = np.zeros_like(y)
    z[:2] = y[2:]
    z[2:] += y[:2] * 2
    z[1:3] += y[1:3]
    return z


def _softmax(y):
    e = np.exp(y - np.max(y, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


MOVES = {
    "rolled": lambda y: np.roll(y, 1, axis=0),
    "rolled back": lambda y: np.roll(y, -1, axis=0),
    "rolled twice": lambda y: np.roll(y, (1, -2), axis=(1, 0)),
    "flat roll": lambda y: np.roll(y, 3),
    "packed": _packed,
    "elements": _elements,
    "written": _written,
    "split": lambda y: np.concatenate(np.split(y, [1, 3])[::-1]),
    "columns": lambda y: np.column_stack([y[:, 0], y[:, 2], y[:, 1] * y[:, 3], y[:, 3]]),
    "halves": lambda y: np.hstack([np.tanh(y[:, 2:]), y[:, :2]]),
    "flipped": lambda y: y[::-1] + y[:, ::-1],
    "transposed": np.transpose,
    "pairs": lambda y: np.sum(y[:, None] * y[None, ::-1], axis=-1),
    "batched pairs": lambda y: np.sum(y[:, :, None] * y[:, None], axis=0) / 4,
    "products": lambda y: TABLE @ y - TABLE @ np.sin(y),
    "both sides": lambda y: TABLE.T @ y @ TABLE + TABLE.T @ (y * y) @ TABLE,
    "softmax": _softmax,
    "sigmoid": lambda y: 1 / (1 + np.exp(-y)),
    "inner": lambda y: np.pad(y[1:3, 1:3], 1) + y,
    "chosen": lambda y: np.where(y > 0, y, 0.5 * np.roll(y, 1, axis=1)),
}  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.sampled_from(sorted(MOVES)), min_size=1, max_size=4), st.integers(0, 2))
def test_values_and_derivatives(moves, which):
    def f(y):
        for move in moves:
            y = MOVES[move](y)
        return y

    def derivative(y):
        if which == 0:
            return f(y)
        if which == 1:
            return pb.grad(lambda y: np.sum(f(y) * TABLE))(y)
        return pb.jvp(f, (y,), (np.cos(y),))[1]

    graph = pb.trace(derivative, x)
    new = simplify(graph)
    assert findings(new) == [], f"{graph}\n{new}"
    assert str(simplify(new)) == str(new)
    for values in (x, special(x)):
        with np.errstate(all="ignore"):
            assert_agree(new(values), graph(values), f"{moves}\n{graph}\n{new}")
    with np.errstate(all="ignore"):
        assert_agree(new(x), derivative(x), types=False)
