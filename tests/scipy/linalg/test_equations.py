"""Factors of elimination, and equations with structure, under SciPy's names."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg as sl

import pullback as pb
from tests.numpy.agreement import assert_derivative
from tests.scipy.linalg.agreement import assert_served

RNG = np.random.default_rng(22)


def normal(*shape, imaginary=False):
    return RNG.normal(size=shape) + (1j * RNG.normal(size=shape) if imaginary else 0)


def regular(*shape, imaginary=False):
    return 2 * np.eye(shape[-1]) + 0.3 * normal(*shape, imaginary=imaginary)


# -- elimination ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 3), (1, 1)])
@pytest.mark.parametrize("imaginary", [False, True])
def test_factors_of_elimination(shape, imaginary):
    a = normal(*shape, imaginary=imaginary)
    assert_served(lambda a: sl.lu_factor(a)[0], a, second=not imaginary)
    assert_served(lambda a: sl.lu(a)[1:], a, second=False)
    assert_served(lambda a: sl.lu(a, permute_l=True), a, second=False)
    seen = []
    pb.vjp(lambda a: seen.extend([*sl.lu(a), *sl.lu(a, p_indices=True), *sl.lu_factor(a)]) or a, a)
    plain = [*sl.lu(a), *sl.lu(a, p_indices=True), *sl.lu_factor(a)]
    for place in (0, 3, 7):
        np.testing.assert_array_equal(seen[place], plain[place])
        assert place == 3 or seen[place].dtype == plain[place].dtype


@pytest.mark.parametrize("trans", [0, 1, 2])
def test_solving_with_factors_of_elimination(trans):
    for imaginary in (False, True):
        a = regular(4, 4, imaginary=imaginary)[[2, 0, 3, 1]]
        for b in (normal(4, imaginary=imaginary), normal(4, 2, imaginary=imaginary)):
            assert_served(lambda a, b: sl.lu_solve(sl.lu_factor(a), b, trans), a, b)
    factors, pivots = sl.lu_factor(a)
    assert_derivative(lambda b: sl.lu_solve((factors, pivots), b, trans), b, rtol=1e-12)


# -- matrix equations -----------------------------------------------------------------------------


@pytest.mark.parametrize("imaginary", [False, True])
def test_sylvester_and_lyapunov(imaginary):
    a, b = regular(3, 3, imaginary=imaginary), regular(2, 2, imaginary=imaginary)
    q = normal(3, 3, imaginary=imaginary)
    assert_served(sl.solve_sylvester, a, b, q[:, :2], second=not imaginary)
    assert_served(sl.solve_continuous_lyapunov, a, q, second=not imaginary)
    assert_served(sl.solve_lyapunov, a, q, second=False)
    for method in (None, "direct", "bilinear"):
        assert_served(
            lambda a, q, m=method: sl.solve_discrete_lyapunov(a, q, m), 0.3 * a, q, rtol=1e-10,
            second=not imaginary,
        )  # fmt: skip
    assert_served(
        sl.solve_discrete_lyapunov, 0.1 * normal(11, 11), normal(11, 11), second=False, rtol=1e-10
    )


def controlled(imaginary):
    def symmetric(a):
        return a @ np.conj(a.T)

    a, b = normal(3, 3, imaginary=imaginary), normal(3, 2, imaginary=imaginary)
    q, r = regular(3, 3, imaginary=imaginary), regular(2, 2, imaginary=imaginary)
    return symmetric, 0.5 * a, b, q, r


@pytest.mark.parametrize("imaginary", [False, True])
@pytest.mark.parametrize("solver", [sl.solve_continuous_are, sl.solve_discrete_are])
def test_riccati(solver, imaginary):
    symmetric, a, b, q, r = controlled(imaginary)

    def solved(a, b, q, r):
        return solver(a, b, symmetric(q), symmetric(r))

    assert_served(solved, a, b, q, r, second=not imaginary, rtol=1e-9, narrow=0)
    e, s = regular(3, 3, imaginary=imaginary), 0.1 * normal(3, 2, imaginary=imaginary)
    assert_served(
        lambda a, b, q, r, e, s: solver(a, b, symmetric(q), symmetric(r), e, s), a, b, q, r, e, s,
        second=False, rtol=1e-9, narrow=0,
    )  # fmt: skip
    with pytest.raises(ValueError, match="Matrix q should be symmetric"):
        pb.vjp(lambda q: solver(a, b, q, symmetric(r)), normal(3, 3))


# -- bands and diagonals --------------------------------------------------------------------------


def band(lower, upper, n, imaginary=False):
    return normal(lower + upper + 1, n, imaginary=imaginary) + 4 * (
        np.arange(lower + upper + 1) == upper
    ).reshape(-1, 1)


@pytest.mark.parametrize("sizes", [(1, 1, 4), (2, 1, 5), (0, 2, 4), (2, 0, 4), (0, 0, 1)])
def test_solve_banded(sizes):
    for imaginary in (False, True):
        ab, b = band(*sizes, imaginary=imaginary), normal(sizes[2], 2, imaginary=imaginary)
        assert_served(lambda ab, b: sl.solve_banded(sizes[:2], ab, b), ab, b, second=not imaginary)
        assert_served(lambda ab, b: sl.solve_banded(sizes[:2], ab, b), ab, b[:, 0], second=False)
    unread = pb.grad(lambda ab: np.sum(sl.solve_banded(sizes[:2], ab, b[:, 0].real)))(ab.real)
    lower, upper, n = sizes
    for row in range(lower + upper + 1):
        rows = np.arange(n) + row - upper
        assert not np.any(unread[row][(rows < 0) | (rows >= n)])


@pytest.mark.parametrize("lower", [False, True])
def test_hermitian_bands(lower):
    for imaginary in (False, True):
        for count in (1, 2):
            ab = 0.3 * normal(count + 1, 5, imaginary=imaginary)
            ab[0 if lower else count] = 3 + np.abs(ab[0])
            b = normal(5, 2, imaginary=imaginary)
            assert_served(
                lambda ab, b: sl.solveh_banded(ab, b, lower=lower), ab, b, second=not imaginary
            )
            assert_served(lambda ab: sl.cholesky_banded(ab, lower=lower), ab, second=False)
            assert_served(
                lambda ab, b: sl.cho_solve_banded((sl.cholesky_banded(ab, lower=lower), lower), b),
                ab, b[:, 0], second=False,
            )  # fmt: skip
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        pb.vjp(lambda ab: sl.solveh_banded(-ab, b, lower=lower), ab)


@pytest.mark.parametrize("imaginary", [False, True])
def test_toeplitz_and_circulant(imaginary):
    c = normal(4, imaginary=imaginary) + 4 * np.eye(4)[0]
    r, b = normal(4, imaginary=imaginary), normal(4, 2, imaginary=imaginary)
    assert_served(lambda c, r, b: sl.solve_toeplitz((c, r), b), c, r, b, second=not imaginary)
    assert_served(lambda c, b: sl.solve_toeplitz(c, b[:, 0]), c, b, second=False)
    assert_served(lambda c, r, b: sl.matmul_toeplitz((c, r), b), c, r, b, second=False)
    assert_served(lambda c, b: sl.matmul_toeplitz(c, b[:, 1]), c, b, second=False)
    assert_served(sl.solve_circulant, c, b[:, 0])
    assert_served(
        lambda c, b: sl.solve_circulant(c, b, baxis=1, outaxis=-1), np.stack([c, r + c]), b.T,
        second=False,
    )  # fmt: skip
    singular = np.array([1.0, -1.0, 1.0, -1.0])
    with pytest.raises(np.linalg.LinAlgError, match="near singular"):
        pb.vjp(lambda b: sl.solve_circulant(singular, b), b[:, 0])
    assert_derivative(
        lambda b: sl.solve_circulant(singular, b, singular="lstsq"), b[:, 0], rtol=1e-12
    )
