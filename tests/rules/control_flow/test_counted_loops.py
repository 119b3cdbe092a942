"""Loops that count to an end that is not known: their reverse sweeps, and what these keep."""

import math

import numpy as np
import pytest

import pullback as pb

N, M = 9, 20
"""The extents of matrices and of vectors, which are too long to be held in registers."""


def matrix(seed=0):
    A = np.random.default_rng(seed).normal(size=(N, N))
    return A @ A.T + N * np.eye(N)


def vector():
    return 0.5 + np.random.default_rng(1).random(M)


# -- what needs to be kept, and what doesn't ------------------------------------------------------


def lu(A):
    A = A.copy()
    for k in range(A.shape[0]):
        for i in range(k + 1, A.shape[0]):
            A[i, k] /= A[k, k]
            for j in range(k + 1, A.shape[0]):
                A[i, j] -= A[i, k] * A[k, j]
    return A


def cholesky(A):
    L = np.zeros_like(A)
    for i in range(A.shape[0]):
        for j in range(i):
            s = A[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            L[i, j] = s / L[j, j]
        s = A[i, i]
        for k in range(i):
            s -= L[i, k] * L[i, k]
        L[i, i] = np.sqrt(s)
    return L


def triangular(L):
    x = np.zeros(L.shape[0])
    for i in range(L.shape[0]):
        s = 1.0 + L[0, i]
        for j in range(i):
            s -= L[i, j] * x[j]
        x[i] = s / L[i, i]
    return x


FACTORISATIONS = [lu, cholesky, triangular]


def loss(f):
    return lambda *args: np.sum(np.sin(f(*args)))


@pytest.mark.parametrize("f", FACTORISATIONS)
def test_what_is_there_in_the_end_is_not_kept(f):
    """No value of the gradient's program is larger than the matrix, nor is there a mask."""
    graph = pb.simplify(pb.trace(pb.grad(loss(f)), matrix(), lift=True))
    arrays = [x for x in everything_in(graph) if x.shape]
    assert max(math.prod(x.shape) for x in arrays) <= N * N
    assert not [x for x in arrays if x.dtype == np.bool_]
    assert not any("kept" in name for name in graph_names(graph))


def everything_in(graph):
    for equation in graph.equations:
        yield from equation.outputs
        for inner in equation.graphs.values():
            yield from everything_in(inner)


def graph_names(graph):
    yield from graph.signature.names
    for equation in graph.equations:
        for inner in equation.graphs.values():
            yield from graph_names(inner)


# -- programs whose elements are overwritten, read and skipped in every way -----------------------


def growing(x):
    """Reads elements that are overwritten later."""
    x = x.copy()
    for i in range(1, M):
        for j in range(i):
            x[j] += 0.1 * x[i] * x[j]
    return x


def onwards(x):
    x = x.copy()
    for i in range(M):
        for j in range(i, M):
            x[j] = 0.2 * x[j] * x[i] + np.sin(x[i])
    return x


def jumping(x):
    """The place is carried, and isn't that of an index."""
    x = x.copy()
    p = 0
    for i in range(M):
        for j in range(i):
            p = (p + 2) % M
            x[p] = 0.3 * np.sin(x[p]) * x[j] + 0.2
    return x


def divided(x):
    """Elements are divided, again and again, by what is zero in the cotangent's way."""
    x = x.copy()
    for i in range(M):
        for j in range(i):
            x[j] = x[j] / x[i]
    return x


def recurrent(x):
    """Each element needs the one before: no row of them can be computed at once."""
    x = x.copy()
    for i in range(2, M):
        for j in range(1, i):
            x[j] = 0.5 * x[j - 1] + 0.25 * x[j]
    return x


def shifting(x):
    x = x.copy()
    for i in range(2, M):
        for j in range(i - 1):
            x[j] = 0.5 * x[j + 1] * x[j]
    return x


def product(x):
    """Carries what is no sum."""
    y = x.copy()
    for i in range(M):
        s = 1.0
        for j in range(i):
            s = s * (0.5 + x[j])
        y[i] = s
    return y


def backwards(x):
    x = x.copy()
    for i in range(M):
        for j in range(i, 0, -1):
            x[j] = 0.9 * x[j] + 0.1 * x[j - 1] * x[0]
    return x


def beside(x):
    """Sums into one place, next to the row that is read."""
    x = x.copy()
    for i in range(M):
        for j in range(i):
            x[i] -= 0.1 * x[j] * x[j]
    return x


def overlapping(x):
    """Sums into a place of the row that is read."""
    x = x.copy()
    for i in range(1, M):
        for j in range(i):
            x[0] += 0.05 * x[j]
    return x


def reversed_rows(x):
    y = np.zeros_like(x)
    for i in range(M - 1, -1, -1):
        s = x[i]
        for j in range(i + 1, M):
            s -= 0.3 * x[j] * y[j]
        y[i] = s
    return y


def conditional(x):
    y = x.copy()
    for i in range(M):
        for j in range(i):
            if y[j] > 0.9:
                y[i] = y[i] - 0.1 * y[j]
    return y


PROGRAMS = [
    growing, onwards, jumping, divided, recurrent, shifting, product, backwards, beside,
    overlapping, reversed_rows, conditional,
]  # fmt: skip


@pytest.mark.parametrize("f", PROGRAMS)
def test_values_and_gradients_are_those_of_plain_python(f):
    x = vector()
    value, gradient = pb.compile(pb.value_and_grad(loss(f)))(x)
    np.testing.assert_allclose(value, np.sum(np.sin(f(x.copy()))), rtol=1e-12)
    np.testing.assert_allclose(gradient, pb.grad(loss(f))(x), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("f", FACTORISATIONS)
def test_gradients_of_factorisations(f):
    A = matrix()
    gradient = pb.compile(pb.grad(loss(f)))(A)
    np.testing.assert_allclose(gradient, pb.grad(loss(f))(A), rtol=1e-9, atol=1e-12)
    E, h = np.random.default_rng(3).normal(size=A.shape), 1e-5
    slope = (loss(f)(A + h * E) - loss(f)(A - h * E)) / (2 * h)
    np.testing.assert_allclose(np.sum(gradient * E), slope, rtol=1e-6)


def test_second_derivatives():
    x, v = vector(), np.cos(np.arange(M))
    grad = pb.grad(loss(beside))
    _, found = pb.compile(lambda x: pb.pushforward(grad, (x,), (v,)))(x)
    (expected,) = pb.hvp(loss(beside), (x,), (v,))
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_a_limit_that_is_no_integer():
    def f(x):
        return pb.while_loop(
            lambda carry: carry[0] < 2.5, lambda carry: (carry[0] + 1, carry[1] * x), (0, x)
        )[1]

    assert pb.compile(pb.grad(f))(2.0) == 4 * 2.0**3


def test_a_loop_without_an_iteration_keeps_nothing():
    def f(n, x):
        y = pb.fori_loop(0, n, lambda i, y: np.sin(y) * x[i], 1.0)
        return y * y

    grad = pb.compile(pb.grad(f, 1))
    x = vector()
    np.testing.assert_array_equal(grad(np.int64(0), x), np.zeros(M))
    np.testing.assert_array_equal(grad(np.int64(-3), x), np.zeros(M))
    np.testing.assert_allclose(grad(np.int64(4), x), pb.grad(f, 1)(4, x), rtol=1e-12)
