"""Norms: values, derivatives, and the points at which they have a kink."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.numpy.agreement import assert_constant, assert_derivative

RNG = np.random.default_rng(3)
X = RNG.normal(size=(3, 4)) + 2.0 * np.sign(RNG.normal(size=(3, 4)))
VECTOR_ORDERS = [None, 1, 2, 3, 1.5, 0.5, -1, -2, np.inf, -np.inf]


@pytest.mark.parametrize("order", VECTOR_ORDERS)
@pytest.mark.parametrize("keepdims", [False, True])
def test_norms_of_vectors(order, keepdims):
    assert_derivative(lambda x: np.linalg.norm(x, order), X[0])
    for axis in (0, -1, (1,)):
        assert_derivative(lambda x, axis=axis: np.linalg.norm(x, order, axis, keepdims), X)
    if order is not None:
        assert_derivative(lambda x: np.linalg.vector_norm(x, ord=order, keepdims=keepdims), X)
        assert_derivative(
            lambda x: np.linalg.vector_norm(x, ord=order, axis=1, keepdims=keepdims), X
        )


@pytest.mark.parametrize("order", [None, "fro", 1, -1, np.inf, -np.inf, "nuc", 2, -2])
@pytest.mark.parametrize("keepdims", [False, True])
def test_norms_of_matrices(order, keepdims):
    assert_derivative(lambda x: np.linalg.norm(x, order, keepdims=keepdims), X)
    batch = np.stack([X, X + 1.0, X * X])
    for axis in ((0, 1), (2, 0), (-1, -2)):
        assert_derivative(
            lambda x, axis=axis: np.linalg.norm(x, order, axis, keepdims), batch, rtol=1e-12
        )
    if order is not None:
        assert_derivative(
            lambda x: np.linalg.matrix_norm(x, ord=order, keepdims=keepdims), batch, rtol=1e-12
        )


def test_the_norm_of_everything():
    assert_derivative(np.linalg.norm, np.stack([X, X]))
    assert_derivative(lambda x: np.linalg.norm(x, keepdims=True), np.stack([X, X]))


def test_the_number_of_nonzero_elements_is_constant():
    assert_constant(lambda x: np.linalg.norm(x, 0, axis=1), X)
    assert_constant(lambda x: np.linalg.norm(x[0], 0), X.astype(np.float32))


@pytest.mark.parametrize("order", [None, 1, 3, np.inf, "fro"])
def test_norms_of_complex_arrays(order):
    z = X + 1j * X[::-1]
    if order == "fro":
        assert_derivative(lambda z: np.linalg.norm(z, order), z)
    else:
        assert_derivative(lambda z: np.linalg.norm(z, order, axis=1), z)


def test_the_gradient_of_a_complex_norm_points_uphill():
    z = np.array([3.0 + 4.0j, 0.0])
    np.testing.assert_allclose(pb.grad(np.linalg.norm)(z), z / 5.0, rtol=1e-15)


@pytest.mark.parametrize("order", [None, 1, 2, 3, 1.5, np.inf])
def test_at_zero_the_gradient_is_zero_in_both_modes_and_the_second_derivative_unbounded(order):
    def f(x):
        return np.linalg.norm(x, order)

    zero = np.zeros(3)
    np.testing.assert_array_equal(pb.grad(f)(zero), zero)
    _, dot = pb.pushforward(f, (zero,), (np.array([1.0, -2.0, 3.0]),))
    assert dot == 0
    second = np.full((3, 3), 0 if order in (1, np.inf) else np.nan)
    for outer in ("forward", "reverse"):
        for inner in ("forward", "reverse"):
            hessian = pb.jacobian(pb.jacobian(f, mode=inner), mode=outer)
            np.testing.assert_array_equal(hessian(zero), second)


def test_zero_rows_beside_others():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    expected = np.array([[0.6, 0.8], [0.0, 0.0]])
    gradient = pb.grad(lambda x: np.sum(np.linalg.norm(x, axis=1)))
    np.testing.assert_allclose(gradient(x), expected, rtol=1e-15)
    hessian = pb.hessian(lambda x: np.sum(np.linalg.norm(x, axis=1)))(x)
    u = expected[0]
    np.testing.assert_allclose(hessian[0, :, 0], (np.eye(2) - np.outer(u, u)) / 5.0, atol=1e-16)
    np.testing.assert_array_equal(hessian[1, :, 0], np.zeros((2, 2)))
    np.testing.assert_array_equal(hessian[1, :, 1], np.full((2, 2), np.nan))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: np.linalg.norm(x, 3), "ord=3 for matrices"),
        (lambda x: np.linalg.norm(x[0], "fro"), "ord='fro' for vectors"),
        (lambda x: np.linalg.norm(x[None], 1), "3 axes"),
    ],
)
def test_norms_that_do_not_exist(call, words):
    with pytest.raises(pb.ArgumentValueError, match=words):
        pb.grad(lambda x: np.sum(call(x)))(X)
    with pytest.raises(ValueError, match=r"."):
        call(X)


def test_an_order_that_varies():
    for order in (2.0, 1.0, 3.0, 0.5, -1.0):
        assert_derivative(np.linalg.norm, np.abs(X[0]), np.float64(order))


def test_the_extremum_norm_of_no_elements():
    with pytest.raises(pb.ArgumentValueError, match=r"np\.linalg\.norm.*\(0,\).*test x\.size"):
        pb.vjp(lambda x: np.linalg.norm(x, np.inf), np.zeros(0))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "bool", "int64", "float16"])
def test_norms_of_integers_are_computed_in_double_precision(dtype):
    x = np.array([[1, 100, 120], [0, 7, 0], [-3, 1, 100]]).astype(dtype)
    for f in (
        *(lambda x, order=order: np.linalg.norm(x[0], order) for order in (*VECTOR_ORDERS, 0)),
        *(lambda x, o=o: np.linalg.norm(x, o) for o in ("fro", 1, -1, np.inf, -np.inf, None)),
        lambda x: np.linalg.vector_norm(x, axis=1),
        lambda x: np.linalg.matrix_norm(x),
    ):
        with np.errstate(all="ignore"):
            wanted = f(x)
            for got in (pb.trace(f, x)(x), pb.vmap(f)(np.stack([x, x]))[1]):
                assert np.asarray(got).dtype == wanted.dtype
                np.testing.assert_allclose(got, wanted, rtol=1e-3 if dtype == "float16" else 1e-12)
