"""Solving with what has been factorised: a function of the matrix, not of its factors."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.rules import kept_factors
from pullback.rules.factored import factorise, solve_factored, triangular_solve

RNG = np.random.default_rng(4)


def matrices(dtype):
    a, b = RNG.standard_normal((4, 4)) + 3 * np.eye(4), RNG.standard_normal((4, 3))
    if np.dtype(dtype).kind == "c":
        return (a + 1j * RNG.standard_normal((4, 4))).astype(dtype), b.astype(dtype)
    return a.astype(dtype), b.astype(dtype)


def tolerance(dtype):
    return 1e-4 if np.finfo(dtype).bits == 32 else 1e-10


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("adjoint", [False, True])
@pytest.mark.parametrize("order", ["C", "F"])
def test_solutions_and_derivatives_are_those_of_numpy(dtype, adjoint, order):
    a, b = (np.array(x, order=order) for x in matrices(dtype))
    close = {"rtol": tolerance(dtype), "atol": tolerance(dtype)}

    def wanted(a, b):
        return np.linalg.solve(np.conj(a.T) if adjoint else a, b)

    def got(a, b):
        return solve_factored(a, *factorise(a), b, adjoint=adjoint)

    x = got(a, b)
    assert x.dtype == dtype
    assert x.flags.c_contiguous
    np.testing.assert_allclose(x, wanted(a, b), **close)
    directions = matrices(dtype)
    for one, other in zip(
        pb.jvp(got, (a, b), directions), pb.jvp(wanted, (a, b), directions), strict=True
    ):
        np.testing.assert_allclose(one, other, **close)
    bars = [pb.vjp(each, a, b)[1](x) for each in (got, wanted)]
    for one, other in zip(*bars, strict=True):
        np.testing.assert_allclose(one, other, **close)
    for lower in (True, False):
        triangle = np.tril(a) if lower else np.triu(a)
        # The other triangle is not read.
        x = triangular_solve(a, b, lower=lower, adjoint=adjoint)
        assert x.dtype == dtype
        assert x.flags.c_contiguous
        np.testing.assert_allclose(x, wanted(triangle, b), **close)


def test_batches_and_empty_matrices():
    a = RNG.standard_normal((2, 4, 4)) + 3 * np.eye(4)
    b = RNG.standard_normal((3, 1, 4, 2))
    np.testing.assert_allclose(
        solve_factored(a, *factorise(a), b, adjoint=False), np.linalg.solve(a, b)
    )
    np.testing.assert_allclose(
        triangular_solve(a, b, lower=False, adjoint=True),
        np.linalg.solve(np.triu(a).mT, b),
    )
    nothing = np.zeros((0, 0)), np.zeros((0, 2))
    assert triangular_solve(*nothing, lower=True, adjoint=False).shape == (0, 2)
    assert solve_factored(nothing[0], *factorise(nothing[0]), nothing[1], adjoint=True).size == 0
    assert triangular_solve(np.eye(2), np.zeros((2, 0)), lower=True, adjoint=False).size == 0


def test_singular_matrices_are_refused_as_numpy_does():
    singular = np.diag([1.0, 0.0, 2.0])
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        triangular_solve(singular, np.ones((3, 1)), lower=True, adjoint=False)
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        factorise(singular)


def test_factors_are_kept_for_a_matrix_and_no_longer_than_it():
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((20, 20)) + 5 * np.eye(20), rng.standard_normal((20, 1))
    for matrix in (a, a + 1j * a.T, a.astype(np.float32)):
        matrix = matrix.copy()
        right = b.astype(matrix.dtype)
        tolerance = 1e-4 if matrix.dtype == np.float32 else 1e-12
        for _ in range(2):
            found = kept_factors.solve_by_factors(matrix, right)
            np.testing.assert_allclose(matrix.conj().T @ found, right, atol=tolerance)
            inverse = kept_factors.inverse_by_factors(matrix)
            np.testing.assert_allclose(inverse @ matrix, np.eye(20), atol=tolerance)
            assert found.dtype == inverse.dtype == matrix.dtype
            matrix[0] *= 2  # the same array, and another matrix
        del matrix
    assert not kept_factors._known


def test_a_determinant_and_a_solution_share_a_factorisation(monkeypatch):
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((20, 20)) + 5 * np.eye(20), rng.standard_normal(20)
    count = []
    routine = kept_factors.routine
    monkeypatch.setattr(
        kept_factors, "routine", lambda name, *of: (count.append(name), routine(name, *of))[1]
    )

    def f(a):
        return b @ np.linalg.solve(a, b) + np.linalg.slogdet(a)[1]

    found = pb.grad(f)(a)
    assert count.count("getrf") == 1
    inverse = np.linalg.inv(a)
    expected = inverse.T - np.outer(inverse.T @ b, inverse @ b)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
