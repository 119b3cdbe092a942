"""Reads of what was written, and writes over what was written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

import pullback as pb
from pullback.passes.indexing import FARTHEST, simplify_indexing
from pullback.passes.places import region
from pullback.rules.indexing import ARRAY, index, index_add, index_update, scatter
from pullback.rules.shaping import stack
from tests.passes.agreement import rewritten
from tests.passes.inspection import names
from tests.passes.test_places import keys

x = np.array([0.3, -1.2, 2.0, 0.7])
a = np.arange(6.0).reshape(2, 3) - 2
v = np.array(0.25)
AT = (ARRAY,)
EVEN, ODD = slice(0, 4, 2), slice(1, 4, 2)


def written(x, v, key):
    return index_update(x, v, key=key)


def added(x, v, key):
    return index_add(x, v, key=key)


@pytest.mark.parametrize(
    ("f", "left"),
    [
        # what was written is read
        (lambda x, v: index(written(x, v, (1,)), key=(1,)), []),
        (lambda x, v: index(written(x, v, (1,)), key=(-3,)), []),
        (lambda x, v: index(written(x, x[:2], (slice(2, None),)), key=(slice(2, 4),)), ["index"]),
        (lambda x, v: index(added(x, v, (1,)), key=(1,)), ["index", "add"]),
        (lambda x, v: index(scatter(v, key=(1,), shape=(4,)), key=(1,)), []),
        # what was there before is read
        (lambda x, v: index(written(x, v, (1,)), key=(2,)), ["index"]),
        (lambda x, v: index(written(x, v, (slice(0, 2),)), key=(slice(2, 4),)), ["index"]),
        (lambda x, v: index(written(x, v, (slice(0, 4, 2),)), key=(3,)), ["index"]),
        (lambda x, v: index(added(written(x, v, (0,)), v, (1,)), key=(2,)), ["index"]),
        (lambda x, v: index(scatter(v, key=(1,), shape=(4,)), key=(2,)), []),
        # neither is known
        (lambda x, v: index(written(x, v, (1,)), key=(slice(0, 2),)), ["index_update", "index"]),
        (lambda x, v: index(written(x, v, (EVEN,)), key=(ODD,)), ["index_update", "index"]),
        # twice to one place
        (lambda x, v: written(written(x, 2.0, (1,)), v, (1,)), ["index_update"]),
        (lambda x, v: written(added(x, 2.0, (1,)), v, (1,)), ["index_update"]),
        (lambda x, v: added(added(x, v, (1,)), v, (1,)), ["add", "index_add"]),
        (lambda x, v: added(written(x, v, (1,)), v, (1,)), ["add", "index_update"]),
        (lambda x, v: added(scatter(v, key=(1,), shape=(4,)), v, (1,)), ["add", "scatter"]),
        (lambda x, v: written(written(x, 2.0, (1,)), v, (2,)), ["index_update", "index_update"]),
        # of no effect
        (lambda x, v: written(x, x[1], (1,)), []),
        (lambda x, v: written(np.zeros_like(x) * 1, 0.0, (1,)), []),
        (lambda x, v: written(written(x, 0.0, (1,)), v, (Ellipsis,)), ["broadcast_to"]),
        # to everything
        (lambda x, v: added(x, v, (slice(None),)), ["add"]),
        (lambda x, v: scatter(x, key=(Ellipsis,), shape=(4,)), []),
        (lambda x, v: scatter(x, key=(slice(None, None, -1),), shape=(4,)), ["index"]),
        (lambda x, v: scatter(x[:1], key=(slice(0, None),), shape=(1,)), ["index"]),
        (lambda x, v: scatter(x[:1], key=(slice(1, None),), shape=(1,)), ["index", "scatter"]),
        # to zeros
        (lambda x, v: added(np.zeros_like(x), v, (1,)), ["scatter"]),
        # axes of extent 1
        (lambda x, v: x[None], ["reshape"]),
        (lambda x, v: x[:1][0], ["index", "reshape"]),
        (lambda x, v: x[1:3, None], ["index", "reshape"]),
        (
            lambda x, v: scatter(x[1:3][:, None], key=(slice(1, 3), None), shape=(4,)),
            ["index", "reshape", "reshape", "scatter"],
        ),
        # a repeated number
        (lambda x, v: index(np.ones(4) * 1 + 0 * np.zeros_like(x), key=(2,)), []),
        (lambda x, v: written(x, np.broadcast_to(v, (2,)), (slice(2),)), ["index_update"]),
    ],
)  # fmt: skip
def test_rules(f, left):
    assert names(rewritten(simplify_indexing, f, x, v)) == left


@pytest.mark.parametrize(
    "key",
    [
        (0,),
        (1, 2),
        (slice(None), 1),
        (Ellipsis, 0),
        (0, Ellipsis),
        (slice(0, 1),),
        (slice(None), slice(1, None)),
    ],
)
def test_of_a_matrix(key):
    def f(a, v):
        b = written(a, v * 2, key)
        c = added(b, v, key)
        return index(b, key=key), index(c, key=key), c

    graph = rewritten(simplify_indexing, f, a, v)
    assert names(graph).count("index") <= 2


def test_one_of_several_that_were_stacked():
    def f(x, y):
        both = stack(x, y, axis=0)
        return both[1], stack(x, y, axis=-1)[..., 0], both[1, 2]

    assert names(rewritten(simplify_indexing, f, x, x + 1)) == ["index"]


@pytest.mark.parametrize(
    "moved",
    [
        lambda a: a.reshape(3, 2)[2, 1],
        lambda a: a.reshape(3, 2)[-1, 0],
        lambda a: a.ravel()[4],
        lambda a: a.T[2, 0],
        lambda a: np.transpose(a.reshape(1, 3, 2), (2, 0, 1))[1, 0, 2],
        lambda a: a.reshape(3, 2).T[0, 1],
    ],
)
def test_one_element_of_what_was_moved(moved):
    graph = rewritten(simplify_indexing, moved, a)
    assert names(graph) == ["index"]
    assert graph.equations[0].inputs == graph.inputs


def test_elements_in_another_order_are_left():
    def f(a):
        return a.reshape(3, 2, order="F")[2, 1], a.T[2], a.reshape(3, 2)[0]

    assert names(rewritten(simplify_indexing, f, a)).count("index") == 3


def test_one_element_of_an_array_that_was_written_out():
    def f(x, y):
        return np.array([[x, y], [y, 2 * x]])[1, 0], np.array([[x, y], [y, x]]).T[0, 1]

    assert set(names(rewritten(simplify_indexing, f, 0.5, 1.5))) == {"astype"}


def test_a_recurrence_needs_no_array():
    def f(x):
        y = np.zeros(50, like=x)
        y[0] = x
        for i in range(1, 50):
            y[i] = np.sin(y[i - 1])
        return y[-1]

    graph = rewritten(simplify_indexing, f, 0.5)
    assert names(graph) == ["astype"] * ("astype" in names(graph)) + ["sin"] * 49


@pytest.mark.parametrize("distance", [FARTHEST - 2, FARTHEST + 2])
def test_how_far_a_read_looks(distance):
    def f(x, v):
        for i in range(distance):
            x = written(x, v, (i,))
        return index(x, key=(distance,))

    graph = rewritten(simplify_indexing, f, np.arange(100.0), v)
    assert len(graph.equations) == (1 if distance < FARTHEST else distance + 1)


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x, v, i: index(index_update(x, v, i, key=AT), i, key=AT), []),
        (lambda x, v, i: index(index_add(x, v, i, key=AT), i, key=AT), ["index", "add"]),
        (lambda x, v, i: index(scatter(v, i, key=AT, shape=(4,)), i, key=AT), []),
        (
            lambda x, v, i: index_update(index_add(x, 2.0, i, key=AT), v, i, key=AT),
            ["index_update"],
        ),
        (lambda x, v, i: index_add(index_add(x, v, i, key=AT), v, i, key=AT), ["add", "index_add"]),
        (lambda x, v, i: index_update(x, index(x, i, key=AT), i, key=AT), []),
        (
            lambda x, v, i: index(index_update(x, v, i, key=AT), i + 1, key=AT),
            ["index_update", "add", "index"],
        ),
        (
            lambda x, v, i: index(index_update(x, v, i, key=AT), key=(0,)),
            ["index_update", "index"],
        ),
    ],
)
def test_places_that_are_computed(f, left):
    assert names(rewritten(simplify_indexing, f, x, v, 1)) == left


def test_a_write_whose_array_is_read_elsewhere_stays():
    def f(x, v, i, j):
        y = index_update(x, 2 * v, i, key=AT)
        z = index_update(y, v * index(y, j, key=AT), i, key=AT)
        return index_add(z, index(z, key=(0,)), i, key=AT)

    graph = rewritten(simplify_indexing, f, x, v, 1, 2)
    assert names(graph) == [each.primitive.name for each in pb.trace(f, x, v, 1, 2).equations]
    made = {out: each for each in graph.equations for out in each.outputs}
    writes = [each for each in graph.equations if each.primitive in (index_update, index_add)]
    assert [made.get(each.inputs[0]) for each in writes] == [None, writes[0], writes[1]]


def test_places_that_are_known_after_all():
    def f(x, v):
        i = np.int64(2)
        y = index_update(x, v, i, key=AT)
        return index(y, np.int64(-2), key=AT), index_add(y, v, i, key=AT)

    graph = rewritten(simplify_indexing, f, x, v)
    assert names(graph) == ["add", "index_update"]
    assert graph.equations[1].params["key"] == (2,)


def test_a_place_beside_index_arrays():
    def f(a, i):
        key = ("array", slice(None), "array")
        return index(np.stack([a, a + 1]), np.int64(1), i, key=key)

    graph = rewritten(simplify_indexing, f, a, np.array([1, 0, 1, 2]))
    assert (1, slice(None), "array") in [each.params.get("key") for each in graph.equations]


def test_index_arrays_are_left_alone():
    def f(x, i):
        y = np.zeros_like(x)
        y[i] += x[i]
        y[i] = 2 * y[i]
        return y, y[i]

    rewritten(simplify_indexing, f, x, np.array([1, 3, 1]))
    graph = rewritten(
        simplify_indexing, lambda v, i: np.ones(4, like=v)[i] * v, v, np.array([1, 1])
    )
    assert names(graph) == ["broadcast_to", "multiply"]


def test_a_write_that_converts():
    def f(n, x):
        y = written(n, x, (1,))
        return index(y, key=(1,)), y

    rewritten(simplify_indexing, f, np.arange(3), np.array(2.7))


@given(keys(), keys())
def test_reads_behind_writes(one, other):
    shape, key = one
    try:
        region(other[1], shape)
        np.empty(shape)[other[1]]
    except IndexError:
        return
    array, value = np.arange(np.prod(shape) + 0.0).reshape(shape), np.array(0.5)

    def f(x, v):
        y = index_update(x, v, key=key)
        z = index_add(y, v, key=other[1])
        return index(y, key=other[1]), index(z, key=key), z

    graph = pb.trace(f, array, value)
    new = simplify_indexing(graph)
    new.verify()
    for got, wanted in zip(new(array, value), graph(array, value), strict=True):
        np.testing.assert_array_equal(got, wanted)
