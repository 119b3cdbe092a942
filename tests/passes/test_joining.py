"""What is joined, and was together before; what is read of what was joined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.passes.indexing import simplify_indexing
from pullback.passes.joining import MOST_JOINED, simplify_joining
from pullback.passes.simplification import simplify
from pullback.rules.shaping import concatenate, stack
from tests.passes.agreement import assert_agree, rewritten, special
from tests.passes.inspection import names

x = np.array([0.3, -1.2, 2.0, 0.7])
m = np.arange(12.0).reshape(3, 4) - 5


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda m: concatenate(m, axis=0), []),
        (lambda m: stack(m, axis=1), ["reshape"]),
        (lambda m: concatenate(m[:1], m[1:], axis=0), []),
        (lambda m: concatenate(m[:, :1], m[:, 1:3], axis=1), []),
        (lambda m: concatenate(m[:, :1], m[:, 2:], axis=1), ["concatenate"]),
        (lambda m: concatenate(m[:, :2], m[:, 2:], axis=0), ["concatenate"]),
        (lambda m: concatenate(m[1:], m[:1], axis=0), ["concatenate"]),
        (lambda m: concatenate(m[1:2], m[:1], m[1:2], m[2:], axis=0), ["concatenate"]),
        (lambda m: concatenate(concatenate(m, m[:1], axis=0), m, axis=0), ["concatenate"]),
        (lambda m: concatenate(concatenate(m, m, axis=1), m[:, :1], axis=-1), ["concatenate"]),
        (
            lambda m: concatenate(concatenate(m, m[:1], axis=0), m[:1], axis=0)[:, 0],
            ["concatenate", "index"],
        ),
        (lambda m: concatenate(np.zeros_like(m), np.zeros(4)[None], axis=0), []),
        (lambda m: stack(*m, axis=0), []),
        (lambda m: stack(m[:, 0], m[:, 1], m[:, 2], m[:, 3], axis=1), []),
        (lambda m: stack(m[:, 0], m[:, 1], axis=0), ["stack"]),
        (lambda m: stack(m[1], m[2], axis=0), []),
        (lambda m: stack(m[2], m[1], m[0], axis=0), []),
        (lambda m: stack(m[:, 0], m[:, 2], axis=1), []),
        (lambda m: stack(m[0], m[1], m[0], axis=0), ["stack"]),
        (lambda m: stack(m[0], m[0], axis=0), ["stack"]),
        (lambda m: stack(m[0], 2 * m[1], axis=0), ["stack"]),
        (lambda m: stack(m[0, 1], m[1, 1], axis=0), []),
        (lambda m: stack(m[0, 1], m[1, 2], axis=0), ["stack"]),
    ],
)
def test_rules(f, left):
    graph = rewritten(simplify_joining, f, m)
    found = [each for each in names(graph) if each not in ("index", "multiply")]
    assert found == [each for each in left if each != "index"]


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x, y: concatenate(x, y, axis=0)[2], ["index"]),
        (lambda x, y: concatenate(x, y, axis=0)[-1], ["index"]),
        (lambda x, y: concatenate(x, y, axis=0)[4:], []),
        (lambda x, y: concatenate(x, y, axis=0)[5:1:-1], ["concatenate", "index"]),
        (lambda x, y: concatenate(x, y, axis=0)[5:3:-1], ["index"]),
        (lambda x, y: concatenate(x, y, axis=0)[3::-1], ["index"]),
        (lambda x, y: concatenate(x, y, axis=0)[:4:2], ["index"]),
        (lambda x, y: concatenate(x, y, axis=0)[3:5], ["concatenate", "index"]),
        (lambda x, y: concatenate(x, x > 0, axis=0)[5], ["greater", "index", "astype"]),
        (lambda x, y: stack(x[0], 2, y[0] > 0, axis=0)[1], []),
        (lambda x, y: stack(x[0], 2, y[0] > 0, axis=0)[2], ["index", "greater", "astype"]),
        (lambda x, y: stack(x, y, axis=0)[1, 2:], ["index"]),
    ],
)
def test_reads_of_what_was_joined(f, left):
    assert names(rewritten(simplify_indexing, f, x, x + 1)) == left


def test_appending_one_by_one():
    def f(m):
        y = m[0]
        for k in range(3 * MOST_JOINED):
            y = concatenate(y, k + m[1, :2], axis=0)
        return y

    graph = simplify(pb.trace(f, m))
    joins = [each for each in graph.equations if each.primitive is concatenate]
    assert len(joins) < 6
    assert max(len(each.inputs) for each in joins) <= MOST_JOINED
    np.testing.assert_array_equal(graph(m), f(m))


def test_a_transposed_stack():
    def f(m):
        rows = stack(m[0], m[1] + 2, axis=0)
        return stack(m[0], m[1] + 1, axis=0).T, stack(m[:, 0], m[:, 0], axis=1).T, rows, rows.T

    graph = rewritten(simplify_joining, f, m)
    assert names(graph).count("transpose") == 1
    assert names(graph).count("stack") == 3


def test_what_is_read_elsewhere_is_not_joined_twice():
    def f(m):
        inner = concatenate(m, m[:1], axis=0)
        return inner, concatenate(inner, m, axis=0)

    assert names(rewritten(simplify_joining, f, m)).count("concatenate") == 2


def test_unpacking_and_packing_is_nothing():
    def f(x):
        a, b, c, d = x
        return np.array([a, b, c, d]), np.roll(np.roll(x, 1), -1)[1]

    graph = simplify(pb.trace(f, x))
    assert names(graph) == ["index"]


@settings(max_examples=100)
@given(st.data())
def test_any_pieces_of_an_array(data):
    axis = data.draw(st.integers(0, 1))
    extent = m.shape[axis]

    def piece():
        start = data.draw(st.integers(0, extent - 1))
        stop = data.draw(st.integers(start, extent))
        return (*[slice(None)] * axis, slice(start, stop, data.draw(st.sampled_from([1, 1, 2]))))

    keys = [[piece() for _ in range(data.draw(st.integers(1, 3)))] for _ in range(2)]
    key = data.draw(
        st.sampled_from([0, 1, -1, slice(1, 3), slice(None, None, -1), slice(4, 0, -2)])
    )
    places = data.draw(st.lists(st.integers(0, extent - 1), min_size=1, max_size=4))

    def f(m):
        rows = [np.concatenate([m[key] for key in row], axis=axis) for row in keys]
        both = np.concatenate(rows, axis=axis)
        lines = [m[(*[slice(None)] * axis, place)] for place in places]
        read = np.moveaxis(both, axis, 0)[key] if both.shape[axis] > 1 else both
        return both, read, np.stack(lines, axis=axis), np.stack(lines, axis=1 - axis)

    graph = pb.trace(f, m)
    for new in (simplify_joining(graph), simplify(graph)):
        new.verify()
        for values in (m, special(m)):
            assert_agree(new(values), f(values), f"{graph}\n{new}", types=False)
