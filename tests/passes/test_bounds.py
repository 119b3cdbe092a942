"""Bounds hold for whatever the inputs are."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.passes.bounds import DEEPEST, bound
from pullback.passes.rewriting import Pass, Rewriting
from tests.passes.agreement import special

x = np.array([[0.3, -1.2, 2.0], [0.7, 0.0, -0.0]])
n = np.array([[1, -2, 3], [0, 100, -128]], np.int8)
c = n > 0
TABLE = np.array([0.5, -2.0, 0.0])


def bound_of(f, *args):
    graph = pb.trace(f, *args)
    rewriting = Rewriting(Pass(), graph, lambda nested: nested)
    rewriting.run()
    return bound(rewriting, graph.outputs[0]), graph


@pytest.mark.parametrize(
    ("f", "wanted"),
    [
        (lambda x, n, c: x, math.inf),
        (lambda x, n, c: np.sin(x), math.inf),
        (lambda x, n, c: n * 2.0, 256),
        (lambda x, n, c: np.sin(n * 2.0), 1),
        (lambda x, n, c: c * 3.0 - 1.5, 4.5),
        (lambda x, n, c: np.where(x > 0, -0.5, 0.25), 0.5),
        (lambda x, n, c: np.where(c, x, 0.25), math.inf),
        (lambda x, n, c: TABLE * c + np.inf, math.inf),
        (lambda x, n, c: TABLE[None].T * 1 + np.nan, math.inf),
        (lambda x, n, c: np.sum(c * TABLE, axis=0), 4),
        (lambda x, n, c: (c * 0.5) @ (TABLE * 1.0), 3),
        (lambda x, n, c: c / 0.5, 2),
        (lambda x, n, c: 0.5 / (c * 1.0), math.inf),
        (lambda x, n, c: np.exp(10.0 * n), math.inf),
        (lambda x, n, c: (n * np.float32(1e20)) ** 2, math.inf),
        (lambda x, n, c: np.stack([c * 1.0, n * 1.0]), 128),
        (lambda x, n, c: np.sqrt(c * 1.0), math.inf),
    ],
)
def test_what_is_known(f, wanted):
    assert bound_of(f, x, n, c)[0] == pytest.approx(wanted)


def test_how_far_it_looks():
    def f(c, times):
        y = c * 1.0
        for _ in range(times):
            y = y + 1.0
        return y

    assert bound_of(lambda c: f(c, DEEPEST - 2), c)[0] == DEEPEST - 1
    assert bound_of(lambda c: f(c, DEEPEST + 2), c)[0] == math.inf


STEPS = (
    np.sin, np.tanh, np.sign, np.abs, np.negative, np.square, np.exp, sp.expit, np.transpose,
    lambda y: y.astype(np.float32), lambda y: y / -3, lambda y: y[..., ::-1], lambda y: 1e30 * y,
    lambda y: np.sum(y, axis=0, keepdims=True), lambda y: np.concatenate([y, y]) - 1,
    lambda y: np.maximum(y, 0.5), lambda y: np.where(y > 0, y, TABLE[0]), lambda y: y @ y.T,
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.sampled_from(STEPS), max_size=6), st.sampled_from(["x", "n", "c"]))
def test_no_element_is_beyond_its_bound(steps, start):
    def f(x, n, c):
        y = {"x": x, "n": n * 1.0, "c": c * 2.5}[start]
        for step in steps:
            y = step(y)
        return y

    most, graph = bound_of(f, x, n, c)
    for values in (x, special(x), np.full_like(x, np.inf)):
        with np.errstate(all="ignore"):
            result = np.abs(graph(values, n, c)).astype(float)
        assert most == math.inf or np.all(result <= most * (1 + 1e-5)), (graph, most)
