"""Arrays from outside, which a body reads at traced positions."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import pullback as pb

TABLE = np.array([3.0, 1.0, 4.0, 1.0, 5.0])
calls = 0


def from_global(i, s):
    return s + TABLE[i]


def through_helper(i, s):
    return s + _entry(i)


def _entry(i):
    return TABLE[i]


def recursive(i, s, depth=2):
    return s + TABLE[i] if depth == 0 else recursive(i, s, depth - 1)


def with_default(i, s, table=TABLE):
    return s + table[i]


def with_keyword(i, s, *, table=TABLE):
    return s + table[i]


def inside_a_function_inside(i, s):
    return s + (lambda: TABLE[i])()


def closures():
    table = TABLE.copy()

    def helper(i):
        return table[i]

    def mutual(i, again=True):
        return other(i) if again else table[i]

    def other(i):
        return mutual(i, False)

    return {
        "closure": lambda i, s: s + table[i],
        "closure of a closure": lambda i, s: s + helper(i),
        "mutually recursive": lambda i, s: s + mutual(i),
        "partial": functools.partial(lambda table, i, s: s + table[i], table),
        "partial with a keyword": functools.partial(with_keyword, table=table),
    }


BODIES = {
    f.__name__: f
    for f in (
        from_global,
        through_helper,
        recursive,
        with_default,
        with_keyword,
        inside_a_function_inside,
    )
} | closures()
each_body = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)


@each_body
def test_plain_arrays_are_read_at_traced_positions(body):
    assert pb.fori_loop(0, 5, body, 0.0) == 14.0
    assert pb.scan(lambda s, i: (body(i, s), None), 0.0, np.array([0, 2, 2]))[0] == 11.0
    assert pb.trace(lambda s: pb.fori_loop(1, 4, body, s), 0.0)(0.5) == 6.5
    assert pb.grad(lambda s: pb.fori_loop(0, 5, body, s) ** 2)(1.0) == 30.0
    found = pb.vmap(lambda k: pb.fori_loop(0, 2, lambda i, s: body(i + k, s), 0.0))(np.arange(3))
    np.testing.assert_array_equal(found, [4.0, 5.0, 5.0])


@each_body
def test_and_in_other_bodies(body):
    def count_up(state):
        i, s = state
        return i + 1, body(i, s)

    assert pb.while_loop(lambda state: state[1] < 7.5, count_up, (0, 0.0)) == (3, 8.0)
    i = np.int64(4)
    assert pb.cond(True, lambda i: body(i, 0.0), lambda i: 0.0, i) == 5.0
    assert pb.checkpoint(body)(i, 1.0) == 6.0


@each_body
def test_outside_of_the_recording_nothing_has_changed(body):
    pb.fori_loop(0, 5, body, 0.0)
    assert body(2, 1.0) == 5.0
    assert type(TABLE) is np.ndarray


def test_what_the_body_assigns_to_outside_is_seen():
    table, count = TABLE.copy(), 0

    def body(i, s):
        nonlocal count
        count += 1
        return s + table[i]

    assert pb.fori_loop(0, 5, body, 0.0) == 14.0
    assert count == 1


def test_a_body_that_assigns_to_a_global_keeps_its_globals():
    global calls

    def body(i, s):
        global calls
        calls += 1
        return s + np.asarray(TABLE, like=i)[i]

    calls = 0
    assert pb.fori_loop(0, 5, body, 0.0) == 14.0
    assert calls == 1


def test_an_array_in_a_container_has_a_remedy():
    tables = [TABLE]
    with pytest.raises(pb.DataDependenceError, match=r"np\.asarray\(a, like=i\)\[i\]"):
        pb.fori_loop(0, 5, lambda i, s: s + tables[0][i], 0.0)
    found = pb.fori_loop(0, 5, lambda i, s: s + np.asarray(tables[0], like=i)[i], 0.0)
    assert found == 14.0


@pytest.mark.parametrize("transform", [lambda f: f, pb.grad, pb.vmap])
def test_writing_to_an_array_from_outside_is_refused_by_name(transform):
    buffer = np.zeros(3)

    def body(i, s):
        buffer[i] = s
        return s + buffer[0]

    x = np.ones(2) if transform is pb.vmap else 1.0
    with pytest.raises(pb.AliasError, match="body writes to buffer.*float64.*carry"):
        transform(lambda s: pb.fori_loop(0, 3, body, s))(x)
    np.testing.assert_array_equal(buffer, 0)


def test_functions_of_plain_arrays_still_get_plain_numbers():
    def body(i, s):
        return s + float(np.linalg.norm(TABLE)) + TABLE.tolist()[0] + len(TABLE) + max(TABLE)

    expected = np.linalg.norm(TABLE) + 3.0 + 5 + 5.0
    np.testing.assert_allclose(pb.fori_loop(0, 1, body, 0.0), expected, rtol=1e-15)
