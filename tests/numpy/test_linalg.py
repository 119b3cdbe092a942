"""Linear algebra: NumPy's values, the complex step, and identities between the functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pullback as pb
from tests.numpy.agreement import assert_analytic, assert_derivative

RNG = np.random.default_rng(9)


def regular(*shape):
    return 2 * np.eye(shape[-1]) + 0.4 * RNG.normal(size=shape)


def definite(*shape):
    a = regular(*shape)
    return a @ np.swapaxes(a, -1, -2)


BATCHES = [(), (2,), (2, 1)]


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("n", [1, 2, 4])
def test_functions_of_one_matrix(batch, n):
    a = regular(*batch, n, n)
    assert_analytic(np.linalg.inv, a, rtol=1e-12)
    assert_analytic(np.linalg.det, a, rtol=1e-12)
    assert_derivative(lambda a: tuple(np.linalg.slogdet(a)), -a, rtol=1e-12)
    for power in (-2, 0, 1, 2, 5):
        assert_analytic(lambda a, k=power: np.linalg.matrix_power(a, k), a, rtol=1e-11)


@pytest.mark.parametrize(
    ("a", "b"),
    [((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3, 2)), ((3, 3), (2, 3, 1)), ((2, 3, 3), (3,)),
     ((2, 1, 3, 3), (4, 3, 2)), ((0, 3, 3), (3, 2))],
)  # fmt: skip
def test_solve(a, b):
    assert_analytic(np.linalg.solve, regular(*a), RNG.normal(size=b), rtol=1e-12)


def test_tensor_equations():
    a = (np.eye(6) + 0.1 * RNG.normal(size=(6, 6))).reshape(2, 3, 6)
    assert_analytic(lambda a: np.linalg.tensorinv(a), a, rtol=1e-12)
    assert_analytic(np.linalg.tensorsolve, a, RNG.normal(size=(2, 3)), rtol=1e-12)
    turned = np.moveaxis(a, 0, 2)
    assert_analytic(
        lambda a, b: np.linalg.tensorsolve(a, b, axes=(1,)), turned, RNG.normal(size=(3, 2)),
        rtol=1e-12,
    )  # fmt: skip


# -- determinants ---------------------------------------------------------------------------------


def cofactors(a):
    """Signed minors, one by one."""
    n = len(a)
    return np.array(
        [
            [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(n)]
            for i in range(n)
        ]
    )


@given(st.integers(2, 4), st.integers(0, 4), st.integers(0, 10))
def test_the_gradient_of_det_is_the_cofactors_at_matrices_of_any_rank(n, rank, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, min(rank, n))) @ rng.normal(size=(min(rank, n), n))
    np.testing.assert_allclose(pb.grad(np.linalg.det)(a), cofactors(a), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("diagonal", [(2.0, 3.0, 5.0), (2.0, 3.0, 0.0), (2.0, 0.0, 0.0)])
def test_the_hessian_of_det_is_exact_at_singular_matrices(diagonal):
    """At a diagonal matrix ∂²det/∂aᵢᵢ∂aⱼⱼ = ∏ of the others = −∂²det/∂aᵢⱼ∂aⱼᵢ."""
    hessian = pb.hessian(np.linalg.det)(np.diag(diagonal))
    expected = np.zeros((3, 3, 3, 3))
    for i in range(3):
        for j in {0, 1, 2} - {i}:
            others = np.prod(np.delete(diagonal, [i, j]))
            expected[i, i, j, j] = others
            expected[i, j, j, i] = -others
    np.testing.assert_allclose(hessian, expected, atol=1e-14)


def test_the_third_derivative_of_det_is_the_alternating_tensor():
    """∂³det/∂a₀ᵢ∂a₁ⱼ∂a₂ₖ = εᵢⱼₖ."""
    third = pb.jacobian(pb.hessian(np.linalg.det))(np.diag([1.0, 2.0, 3.0]) + 0.1)
    epsilon = [[[np.linalg.det(np.eye(3)[[i, j, k]]) for k in range(3)] for j in range(3)]
               for i in range(3)]  # fmt: skip
    np.testing.assert_allclose(third[0, :, 1, :, 2, :], epsilon, atol=1e-12)


def test_the_gradient_of_the_logarithm_is_the_transposed_inverse():
    a = regular(3, 3)
    gradient = pb.grad(lambda a: np.linalg.slogdet(a).logabsdet)(a)
    np.testing.assert_allclose(gradient, np.linalg.inv(a).T, rtol=1e-13)
    with pytest.raises(np.linalg.LinAlgError):
        pb.grad(lambda a: np.linalg.slogdet(a)[1])(np.zeros((2, 2)))


def test_the_sign_of_a_complex_determinant_turns():
    a = regular(2, 2) + 1j * regular(2, 2)
    assert_derivative(lambda a: tuple(np.linalg.slogdet(a)), a)
    assert_derivative(lambda a: np.linalg.slogdet(a)[0], a)


# -- Cholesky -------------------------------------------------------------------------------------


@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_depends_on_the_triangle_that_it_reads(upper):
    for a in (definite(1, 1), definite(3, 3), definite(2, 3, 3)):
        assert_derivative(lambda a: np.linalg.cholesky(a, upper=upper), a, rtol=1e-12)
    gradient = pb.grad(lambda a: np.sum(np.linalg.cholesky(a, upper=upper)))(definite(3, 3))
    unread = np.tril(gradient, -1) if upper else np.triu(gradient, 1)
    np.testing.assert_array_equal(unread, 0)


@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_of_hermitian_matrices(upper):
    a = regular(3, 3) + 0.3j * RNG.normal(size=(3, 3))
    x = a @ a.conj().T
    w = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3))

    def f(x):
        x = x + np.conj(np.swapaxes(x, -1, -2))
        return np.linalg.cholesky(x, upper=upper) * w

    assert_derivative(f, x, rtol=1e-12)


def test_the_factors_multiply_to_the_matrix():
    """d(LLᵀ) = dA for symmetric dA."""
    a, a_dot = definite(4, 4), definite(4, 4)

    def product(a):
        factor = np.linalg.cholesky(a)
        return factor @ factor.T

    _, dot = pb.pushforward(product, (a,), (a_dot,))
    np.testing.assert_allclose(dot, a_dot, rtol=1e-12)


@pytest.mark.parametrize(
    "function",
    [np.linalg.inv, np.linalg.det, np.linalg.cholesky, lambda a: np.linalg.solve(a, a[0])],
)
def test_a_matrix_that_is_not_square_is_refused(function):
    with pytest.raises(pb.ArgumentValueError, match=r"shape \(2, 3\).*square"):
        pb.grad(lambda a: np.sum(function(a)))(np.ones((2, 3)))


def test_single_precision_stays():
    a = regular(3, 3).astype(np.float32)
    for function in (np.linalg.inv, np.linalg.det, np.linalg.cholesky):
        x = (a @ a.T).astype(np.float32)
        out, pull = pb.vjp(function, x)
        assert out.dtype == pull(np.ones_like(out))[0].dtype == np.float32
