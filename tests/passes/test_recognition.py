"""A softmax that was written out is one, and what is none stays as it was written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.passes.recognition import recognize
from pullback.passes.reductions import simplify_reductions
from pullback.passes.rewriting import Pass
from pullback.passes.simplification import simplify
from tests.passes.agreement import assert_agree, rewritten, special
from tests.passes.inspection import names

m = np.arange(12.0).reshape(3, 4) / 3 - 2
v = np.array([0.5, -1.0, 2.0, 0.25])


def written_out(x, axis=-1, top=np.max):
    e = np.exp(x - top(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def by_new_axes(x):
    e = np.exp(x - np.max(x, axis=1)[:, None])
    return e / e.sum(1)[:, np.newaxis]


def logsumexp(x):
    top = np.max(x, axis=-1, keepdims=True)
    return np.log(np.sum(np.exp(x - top), axis=-1, keepdims=True)) + top


def read_elsewhere(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e) + e


@pytest.mark.parametrize(
    ("f", "argument", "found"),
    [
        (written_out, m, True),
        (lambda x: written_out(x, 0), m, True),
        (lambda x: written_out(x, None), m, True),
        (lambda x: written_out(x, (0, 1)), m, True),
        (lambda x: np.exp(x - np.max(x)) / np.sum(np.exp(x - np.max(x))), v, True),
        (written_out, m.astype(np.float32), True),
        (written_out, m.astype(np.float16), True),
        (by_new_axes, m, True),
        (lambda x: written_out(x.reshape(3, 2, 2), (0, 2)), m, False),
        (lambda x: written_out(x, top=np.min), m, False),
        (lambda x: np.exp(x - np.max(x, 0)) / np.sum(np.exp(x - np.max(x, 0)), 1), m[:, :3], False),
        (lambda x: np.exp(x - np.max(x)) / np.sum(np.exp(x - np.max(x)), 0), m, False),
        (lambda x: np.exp(x) / np.sum(np.exp(x)), m, False),
        (read_elsewhere, v, False),
        (logsumexp, m, False),
        (lambda x: 1 / (1 + np.exp(-x)), m, False),
        (lambda x: np.exp(x) / (1 + np.exp(x)), m, False),
    ],
)
def test_what_is_recognized(f, argument, found):
    graph = simplify(pb.trace(f, argument))
    left = [name for name in names(graph) if name != "reshape"]
    assert (left == ["softmax"]) is found, graph
    for make in (np.asarray, special, special, lambda x: x * 500, lambda x: np.full_like(x, -800)):
        x = make(argument)
        with np.errstate(all="ignore"):
            assert_agree(graph(x), f(x), graph, types=False)


def test_the_pass_alone():
    in_one_spelling = Pass(simplify_reductions, recognize)
    for axis in (-1, 0, 1, None):
        graph = rewritten(in_one_spelling, lambda x, axis=axis: written_out(x, axis), m)
        assert names(graph) == ["softmax"]


@settings(max_examples=60)
@given(
    st.lists(st.floats(width=64), min_size=1, max_size=5), st.sampled_from([written_out, logsumexp])
)
def test_for_any_numbers(values, f):
    x = np.array(values)
    graph = simplify(pb.trace(f, np.zeros_like(x)))
    with np.errstate(all="ignore"):
        assert_agree(graph(x), f(x), types=False)


def test_a_gradient_of_what_was_simplified():
    graph = simplify(pb.trace(written_out, m))
    weights = np.arange(12.0).reshape(3, 4)

    def loss(f):
        return lambda x: np.sum(f(x) * weights)

    derivative = simplify(pb.trace(pb.grad(loss(graph)), m))
    assert "isnan" not in names(derivative)
    np.testing.assert_allclose(derivative(m), pb.grad(loss(written_out))(m), atol=1e-14)


def test_the_total_of_a_softmax_is_not_summed_again():
    def loss(x):
        top = np.max(x)
        return top + np.log(np.sum(np.exp(x - top)))

    derivative = simplify(pb.trace(pb.grad(loss), v))
    assert names(derivative).count("sum") == 2, derivative
    softmax = np.exp(v - loss(v))
    np.testing.assert_allclose(derivative(v), softmax, rtol=1e-15, atol=4e-16)
    for x in (special(v), v * 500, np.full_like(v, -800), np.full_like(v, np.inf)):
        with np.errstate(all="ignore"):
            assert_agree(derivative(x), pb.grad(loss)(x), derivative, types=False)
