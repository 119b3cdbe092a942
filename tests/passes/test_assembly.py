"""Arrays of which every place is written are joined; others are written as before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.passes.assembly import assemble
from pullback.passes.simplification import simplify
from pullback.rules.indexing import index_add, index_update, scatter
from tests.passes.agreement import assert_agree, rewritten, special
from tests.passes.inspection import findings, names

x = np.array([0.3, -1.2, 2.0])
m = np.arange(12.0).reshape(3, 4) - 5
ALL = slice(None)
WRITES = {"scatter", "index_add", "index_update"}


def filled(*parts, shape=(3,)):
    """Zeros with values added at places."""
    (first, key), *rest = parts
    y = scatter(first, key=key, shape=shape)
    for value, key in rest:
        y = index_add(y, value, key=key)
    return y


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x: filled((x[0], (0,)), (x[1], (1,)), (x[2], (2,))), ["stack"]),
        (lambda x: filled((x[2], (2,)), (x[1], (1,)), (x[0], (-3,))), ["stack"]),
        (lambda x: filled((x[:2], (slice(1, 3),)), (x[:1], (slice(1),))), ["concatenate"]),
        (
            lambda x: filled((x[:2], (slice(1, 3),)), (x[0], (0,))),
            ["reshape", "concatenate"],
        ),
        (lambda x: filled((x[:2], (slice(None, 0, -1),)), (x[0], (0,))),
         ["reshape", "concatenate"]),
        # a place twice, and all of them twice
        (lambda x: filled((x[0], (0,)), (x[1], (1,)), (x[1], (0,)), (x[2], (2,))),
         ["add", "stack"]),
        (lambda x: filled((x[:1], (slice(1),)), (x[1:], (slice(1, 3),)),
                          (x[:2], (slice(2),)), (x[2:], (slice(2, 3),))),
         ["concatenate", "concatenate", "add"]),
        # what was there before, and what is left over
        (lambda x: index_add(index_add(x, x[:1], key=(slice(1),)), x[:2], key=(slice(1, 3),)),
         ["concatenate", "add"]),
        (lambda x: filled((x[:2], (slice(2),)), (x[1:], (slice(1, 3),)), (x[0], (2,))),
         ["reshape", "concatenate", "index_add"]),
        (lambda x: filled((x[:2], (slice(2),)), (x[1:], (slice(1, 3),))), ["scatter", "index_add"]),
        (lambda x: filled((x[0], (0,)), (x[1], (1,))), ["scatter", "index_add"]),
        (lambda x: filled((x[:2], (slice(None, None, 2),)), (x[0], (1,))),
         ["scatter", "index_add"]),
        # written over
        (lambda x: index_update(index_update(x, x[1:], key=(slice(2),)), x[0], key=(2,)),
         ["reshape", "concatenate"]),
        (lambda x: index_update(filled((x[0], (0,)), (x[1], (1,))), x[0], key=(2,)), ["stack"]),
        (lambda x: index_update(filled((x[:2], (slice(2),)), (x[1], (2,))), x[0], key=(1,)),
         ["scatter", "index_add", "index_update"]),
        (lambda x: index_add(index_update(index_update(x, x[1:], key=(slice(2),)), x[0], key=(2,)),
                             x[1], key=(2,)),
         ["add", "reshape", "concatenate"]),
        (lambda x: index_add(index_update(x, x[1:], key=(slice(2),)), x[0], key=(2,)),
         ["index_update", "index_add"]),
    ],
)  # fmt: skip
def test_rules(f, left):
    found = [name for name in names(rewritten(assemble, f, x)) if name != "index"]
    assert sorted(found) == sorted(left)


def test_along_other_axes_and_at_single_places():
    def columns(m):
        y = filled((m[:, :1], (ALL, slice(3, 4))), (m[:, 1:], (ALL, slice(3))), shape=(3, 4))
        return index_add(y, m[:, 0], key=(ALL, 2))

    graph = rewritten(assemble, columns, m)
    assert names(graph)[-2:] == ["concatenate", "index_add"]

    def elements(m):
        y = filled(*((m[j, 3 - i], (i, j)) for i in range(3) for j in range(3)), shape=(3, 3))
        return y, scatter(m[0, 0], key=(0, 0), shape=(3, 3))

    graph = rewritten(assemble, elements, m)
    assert [each for each in names(graph) if each != "index"] == ["stack", "reshape", "scatter"]


def test_a_state_that_is_read_stays():
    def f(x):
        a, b, c = x
        y = filled((a, (0,)), (b, (1,)))
        return y, index_add(y, c, key=(2,))

    assert names(rewritten(assemble, f, x))[-3:] == ["scatter", "index_add", "index_add"]


def test_dtypes_of_values():
    def f(x, n):
        y = index_update(n, x[0], key=(0,))
        return index_update(index_update(y, 2.75, key=(1,)), x[2], key=(2,))

    graph = pb.trace(f, x, np.arange(3))
    np.testing.assert_array_equal(assemble(graph)(x, np.arange(3)), [0, 2, 2])
    rewritten(assemble, f, x, x.astype(np.float32))
    rewritten(simplify, f, x.astype(np.float32), x)


def test_gradients_of_unpacking_and_of_rolls():
    def unpacked(x):
        a, b, c = x
        return a * b + np.sin(b * c) - a**2

    def rolled(m):
        left, up = np.roll(m, 1, axis=1), np.roll(m, -2, axis=0)
        return np.sum(left * up + np.roll(left, (1, 1), (0, 1)) ** 2)

    def split(m):
        top, bottom = np.split(m, [1])
        return np.sum(np.sin(top) * bottom) + np.sum(np.hsplit(m, 2)[0] ** 2)

    for f, argument in ((unpacked, x), (rolled, m), (split, m)):
        for transform in (pb.grad, pb.hessian):
            graph = simplify(pb.trace(transform(f), argument))
            assert f is split or not WRITES.intersection(names(graph)), graph
            assert findings(graph) == []
            assert_agree(graph(argument), transform(f)(argument), types=False)


@st.composite
def partitions(draw, extent):
    """Subscripts of an axis that name each place once, in any order."""
    cuts = sorted(draw(st.sets(st.integers(1, extent - 1), max_size=4))) if extent > 1 else []
    keys = []
    for start, stop in zip([0, *cuts], [*cuts, extent], strict=True):
        if stop - start == 1 and draw(st.booleans()):
            keys.append(draw(st.sampled_from([start, start - extent])))
        elif draw(st.booleans()):
            keys.append(slice(stop - 1, start - 1 if start else None, -1))
        else:
            keys.append(slice(start, stop))
    return draw(st.permutations(keys))


@st.composite
def writings(draw):
    """An array's shape, and writes to it: partitions of axes, mixed, with some left out."""
    shape = draw(st.sampled_from([(1,), (4,), (3, 4), (2, 3, 2), (5, 1)]))
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        if len(shape) == 2 and draw(st.integers(0, 3)) == 0:
            row = draw(st.permutations(list(np.ndindex(*shape))))
        else:
            axis = draw(st.integers(0, len(shape) - 1))
            row = [(*[ALL] * axis, key) for key in draw(partitions(shape[axis]))]
        rows.append(row)
    keys = [key for row in rows for key in row]
    if draw(st.booleans()):
        keys = draw(st.permutations(keys))
    if draw(st.booleans()):
        keys = keys[1:] or keys
    kinds = draw(st.sampled_from([["add"], ["update"], ["add", "update"]]))
    whole = draw(st.booleans())
    return shape, [(key, draw(st.sampled_from(kinds)), whole or draw(st.booleans()))
                   for key in keys]  # fmt: skip


@settings(max_examples=100)
@given(writings(), st.sampled_from(["zeros", "given"]), st.sampled_from(["float64", "float32"]))
def test_any_writes(writing, base, dtype):
    shape, writes = writing
    given_array = (np.arange(np.prod(shape)).reshape(shape) - 2.5).astype(dtype)

    def f(x):
        y = x if base == "given" else np.zeros_like(x)
        for number, (key, kind, whole) in enumerate(writes):
            value = (number + 1) * (x[key] if whole else x.reshape(-1)[0])
            y = (index_add if kind == "add" else index_update)(y, value, key=key)
        return y

    def wanted(x):
        y = x.copy() if base == "given" else np.zeros_like(x)
        for number, (key, kind, whole) in enumerate(writes):
            value = (number + 1) * (x[key] if whole else x.reshape(-1)[0])
            y[key] = y[key] + value if kind == "add" else value
        return y

    graph = pb.trace(f, given_array)
    alone, everything = assemble(graph), simplify(graph)
    everything.verify()
    assert findings(everything) == []
    for values in (given_array, special(given_array), special(given_array)):
        with np.errstate(all="ignore"):
            for new in (graph, alone, everything):
                assert_agree(new(values), wanted(values), f"{graph}\n{new}", types=False)
