"""Plain arrays from outside in a body: indexed by what is traced, and used as ever otherwise."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import scipy.interpolate
import scipy.linalg
import scipy.special
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb
from tests.rules.control_flow import unrolled

A = np.array([1.0, 2.0, 3.0])
M = np.diag(A) + 0.1
K = np.array([2, 0, 1])
counter = 0
slope = pb.grad(lambda z, i: np.sum(A * z**2) * M[i, i])
rows = pb.vmap(lambda a, i: a * M[i, i], in_axes=(0, None))
twice = pb.hessian(pb.checkpoint(lambda z, i: z**3 * M[i, i]))


class Table:
    slope = functools.partial(pb.grad, argnums=1)(lambda self, z, i: z**2 * M[i, i])


method = Table().slope


def summed(loops, body, x):
    """x ↦ the sum over i of the body's value, times x."""
    return loops.fori_loop(0, 3, lambda i, c: (c + body(i)) * x, 0.0 * x)


INDEXED = {
    "a global": lambda i: A[i],
    "a global, by row": lambda i: np.sum(M[i] * A),
    "twice": lambda i: A[K[i]],
    "by two": lambda i: M[i, K[i]] + M[:, i][0],
    "after a function": lambda i: np.sort(A * 2)[i] + M.sum(axis=0)[i],
    "a comprehension": lambda i: sum([A[i] * M[k, i] for k in range(3)]),
    "a function inside": lambda i: (lambda j: A[j] * M[i, j])(i),
    "in a gradient": lambda i: pb.grad(lambda z: np.sum(A * z) * M[i, i])(0.5),
    "in a vmap": lambda i: np.sum(pb.vmap(lambda a: a * M[i, i])(A)),
    "in a gradient made outside": lambda i: slope(0.5, i),
    "in a vmap made outside": lambda i: np.sum(rows(A, i)),
    "in a transform of a transform": lambda i: twice(0.5, i) + pb.grad(slope)(0.5, i),
    "in a method that is a gradient": lambda i: method(0.5, i),
    "with stop_gradient": lambda i: pb.stop_gradient(A)[i],
}


@pytest.mark.parametrize("body", INDEXED.values(), ids=INDEXED)
def test_an_array_is_indexed_by_the_number_of_the_iteration(body):
    assert summed(pb, body, 2.0) == pytest.approx(summed(unrolled, body, 2.0), rel=1e-15)
    got, wanted = (pb.grad(lambda x, s=s: summed(s, body, x))(2.0) for s in (pb, unrolled))
    assert got == pytest.approx(wanted, rel=1e-15)


def test_arrays_of_closures_defaults_and_partials():
    table = A * 3.0

    def closure(i, c):
        return c + table[i]

    def default(i, c, t=table, *, u=table):
        return c + t[i] + 0.0 * u[i]

    def recursive(i, c, depth=2):
        return c + table[i] if depth == 0 else recursive(i, c, depth - 1)

    def rows():
        yield from (table, 0.0 * table)

    def generator(i, c):
        return c + sum(row[i] for row in rows())

    bound = functools.partial(lambda t, i, c: c + t[i], table)
    for body in (closure, default, recursive, generator, bound):
        assert pb.fori_loop(0, 3, body, 0.0) == 18.0


def test_arrays_in_conditions_and_branches():
    total, k = pb.while_loop(
        lambda s: A[s[1]] < 2.5, lambda s: (s[0] + A[s[1]], s[1] + 1), (0.0, 0)
    )
    assert (total, k) == (3.0, 2)

    def body(i, c):
        return pb.switch(K[i], [lambda c: c + A[i], lambda c: c * A[i], lambda c: c - A[i]], c)

    assert pb.fori_loop(0, 3, body, 1.0) == (1.0 - 1.0 + 2.0) * 3.0

    def inner(i, c):
        return pb.scan(lambda d, m: (d + m * A[i], None), c, M[i])[0]

    assert pb.fori_loop(0, 3, inner, 0.0) == pytest.approx(A @ np.sum(M, axis=1))


def test_mapped_indices():
    got = pb.vmap(lambda k: pb.fori_loop(0, 3, lambda i, c: c + A[i] * M[k, i], 0.0))(K)
    assert_allclose(got, (M @ A)[K], rtol=1e-15)


# -- whatever else one does with a plain array ---------------------------------------------------


def counted():
    counts = np.zeros(3)
    np.add.at(counts, K, A)
    return counts


USED = {
    "a Python number": lambda: float(A[0]) + int(K[0]) + math.sin(A[0]),
    "a condition": lambda: 1.0 if A.sum() > 0 and A[0] > 0 else 2.0,
    "an iteration": lambda: sum(a * k for a, k in zip(A, K, strict=True)) * len(A),
    "a range": lambda: sum(A[: K[0]]) + sum(1.0 for _ in range(K[0])),
    "a shape": lambda: np.sum(np.ones(K[0])) + A.strides[0] + A.flags.c_contiguous,
    "a list": lambda: sum(A.tolist()) + [1.0, 2.0, 3.0][K[0]],
    "text": lambda: len(f"{A[0]:.2f}"),
    "bytes": lambda: len(A.tobytes()) + np.sum(A.view(np.int64) > 0),
    "a mask": lambda: np.sum(A[A > 1]) + len(np.flatnonzero(A > 1)) + (2.0 in A),
    "unique": lambda: np.sum(np.unique(K)),
    "histogram": lambda: np.sum(np.histogram(A)[0]),
    "bincount": lambda: np.bincount(K)[1],
    "a histogram of one's own": lambda: counted()[1],
    "searchsorted": lambda: np.searchsorted(A, 2.5),
    "eigvals": lambda: np.sum(np.linalg.eigvals(M).real),
    "special": lambda: np.sum(scipy.special.ellipk(A / 10)),
    "expm": lambda: np.sum(scipy.linalg.expm(M)),
    "interpolation": lambda: float(scipy.interpolate.CubicSpline(A, A**2)(2.5)),
    "polynomial": lambda: np.poly1d(A)(2.0),
    "assertions": lambda: np.testing.assert_array_equal(A, A) or 1.0,
}


@pytest.mark.parametrize("body", USED.values(), ids=USED)
def test_nothing_else_about_them_changes(body):
    """Also what could not be differentiated: it is evaluated when the body is recorded."""
    assert pb.fori_loop(0, 3, lambda i, c: c + body(), 0.0) == pytest.approx(3.0 * body())
    assert pb.grad(lambda x: summed(pb, lambda i: body(), x))(1.0) == pytest.approx(6.0 * body())


# -- assignments ---------------------------------------------------------------------------------


def test_a_traced_value_stored_in_place_of_an_array_is_a_leak():
    last = np.zeros(3)

    def body(i, c):
        nonlocal last
        last = A * c
        return c + A[i]

    with pytest.raises(pb.LeakedTracerError, match="last"):
        pb.fori_loop(0, 3, body, 0.0)
    last = np.zeros(3)


def test_a_variable_that_is_assigned_in_the_body_is_assigned_outside():
    scale = np.ones(3)

    def body(i, c):
        nonlocal scale
        scale = scale * 2.0
        return c + A[i] * scale[0]

    assert pb.fori_loop(0, 3, body, 0.0) == 12.0  # the body is recorded once
    assert_array_equal(scale, [2.0, 2.0, 2.0])


def count_up():
    global counter  # noqa: PLW0603
    counter += 1


def test_a_global_that_is_assigned_by_what_the_body_calls():
    before = counter

    def body(i, c):
        count_up()
        return c + A[i] * (counter - before)

    assert pb.fori_loop(0, 3, body, 0.0) == 6.0
    assert counter == before + 1


@pytest.mark.parametrize("mode", [lambda f: f, pb.grad], ids=["value", "gradient"])
def test_writing_to_an_array_from_outside_is_refused(mode):
    table = A.copy()

    def by_element(i, c):
        table[i] = c
        return c + 1.0

    def by_a_constant(i, c):
        table[0] = 5.0
        return c + 1.0

    def through_a_view(i, c):
        table[1:][0] = c
        return c + 1.0

    def by_a_ufunc(i, c):
        np.add.at(table, i, c)
        return c + 1.0

    for body in (by_element, by_a_constant, through_a_view, by_a_ufunc):
        with pytest.raises(pb.PullbackError, match="table"):
            mode(lambda x, body=body: pb.fori_loop(0, 3, body, x))(1.0)
        assert_array_equal(table, A)


def test_attributes_want_an_array_like_the_index():
    """What is not reached by a name of the body is left alone; the error says what to write."""

    class Model:
        def __init__(self):
            self.table = A.copy()

        def step(self, i, c):
            return c + self.table[i]

        def mended(self, i, c):
            return c + np.asarray(self.table, like=i)[i]

    with pytest.raises(pb.DataDependenceError, match=r"self\.table\[i\].*like=i"):
        pb.fori_loop(0, 3, Model().step, 0.0)
    assert pb.fori_loop(0, 3, Model().mended, 0.0) == 6.0


BODIES_INSIDE = {
    "checkpoint": lambda x: np.sum(A * pb.checkpoint(lambda c: c * c)(x)),
    "scan": lambda x: np.sum(M @ pb.scan(lambda c, t: (c * c * t, None), x, A)[0]),
    "cond": lambda x: np.sum(A * pb.cond(x[0] > 0, lambda c: c * c, lambda c: c, x)),
    "grad": lambda x: np.sum(A * pb.grad(lambda c: np.sum(c**3))(x)),
}


@pytest.mark.parametrize("function", BODIES_INSIDE.values(), ids=BODIES_INSIDE)
def test_a_body_inside_one_that_reads_a_global(function):
    """The copy of the outer body, and what it sees, is kept by nobody."""
    modes = {
        "cond": lambda x: pb.cond(x[0] > 0, function, lambda x: 0.0, x),
        "switch": lambda x: pb.switch(0, [function], x),
        "loop": lambda x: pb.fori_loop(0, 1, lambda i, c: c + A[i] * function(x), 0.0),
    }
    for mode in modes.values():
        assert mode(A) == pytest.approx(function(A))
        assert_allclose(pb.grad(mode)(A), pb.grad(function)(A))


def test_a_derivative_as_a_branch_that_reads_a_global():
    """What is known of a function from one recording to the next has nothing traced in it."""

    def energy(a):
        return np.sum(np.exp(a) * M) + np.sum(A)

    for _ in range(2):
        found = pb.cond(True, pb.grad(energy), lambda a: a, M)
        assert_allclose(found, np.exp(M) * M)
        assert_allclose(pb.checkpoint(pb.grad(energy))(M), np.exp(M) * M)
