"""Spectral decompositions, where they have derivatives and where they do not."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.numpy.agreement import assert_derivative

RNG = np.random.default_rng(13)


def graded(*shape):
    """Matrices with singular values well apart."""
    return 0.3 * RNG.normal(size=shape) + np.eye(*shape[-2:]) * np.arange(1.0, shape[-1] + 1)


def complex_graded(*shape):
    return graded(*shape) + 0.3j * RNG.normal(size=shape)


@pytest.mark.parametrize("uplo", ["L", "U"])
def test_eigenvalues_and_vectors_of_symmetric_matrices(uplo):
    for a in (graded(3, 3), graded(2, 4, 4)):
        assert_derivative(lambda a: tuple(np.linalg.eigh(a, uplo)), a, rtol=1e-12)
        assert_derivative(lambda a: np.linalg.eigvalsh(a, uplo), a, rtol=1e-12)


@pytest.mark.parametrize("uplo", ["L", "U"])
def test_functions_of_hermitian_matrices(uplo):
    """What does not depend on the phases of the vectors."""
    b = RNG.normal(size=(3, 3)) + 1j * RNG.normal(size=(3, 3))

    def f(a):
        w, v = np.linalg.eigh(a, uplo)
        return (v * np.exp(0.1 * w)) @ np.conj(v.T), np.abs(np.conj(v.T) @ b)

    assert_derivative(f, complex_graded(3, 3), rtol=1e-12)
    assert_derivative(lambda a: np.linalg.eigvalsh(a, uplo), complex_graded(3, 3), rtol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 2)])
def test_singular_values_and_vectors(shape):
    a = graded(*shape)
    assert_derivative(lambda a: tuple(np.linalg.svd(a, full_matrices=False)), a, rtol=1e-12)
    assert_derivative(lambda a: np.linalg.svd(a, compute_uv=False), a, rtol=1e-12)
    assert_derivative(np.linalg.svdvals, a, rtol=1e-12)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_functions_of_complex_singular_vectors(shape):
    def f(a):
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        polar = u @ vh
        return polar, (u / (1.0 + s)) @ vh, np.abs(u[0]), np.abs(vh[:, -1])

    assert_derivative(f, complex_graded(*shape), rtol=1e-12)


def test_the_gradient_of_the_nuclear_norm_is_the_polar_factor():
    a = graded(4, 3)
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    gradient = pb.grad(lambda a: np.linalg.norm(a, "nuc"))(a)
    np.testing.assert_allclose(gradient, u @ vh, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 2)])
def test_pseudo_inverse(shape):
    assert_derivative(np.linalg.pinv, graded(*shape), rtol=1e-12)
    assert_derivative(np.linalg.pinv, complex_graded(*shape), rtol=1e-12)


def test_pseudo_inverse_along_matrices_of_the_same_rank():
    x, y = RNG.normal(size=(4, 2)), RNG.normal(size=(2, 3))
    assert_derivative(lambda x, y: np.linalg.pinv(x @ y), x, y, rtol=1e-11)


@pytest.mark.parametrize("shape", [(3, 3), (5, 2), (2, 4)])
@pytest.mark.parametrize("columns", [(), (2,)])
def test_least_squares(shape, columns):
    a, b = graded(*shape), RNG.normal(size=(shape[0], *columns))

    def solution(a, b):
        x, residuals, _, values = np.linalg.lstsq(a, b)
        return x, residuals, values

    assert_derivative(solution, a, b, rtol=1e-12)
    ranks = []
    pb.grad(lambda a: (ranks.append(np.linalg.lstsq(a, b)[2]), np.sum(a))[1])(a)
    assert ranks == [np.linalg.lstsq(a, b)[2]]


@pytest.mark.parametrize("p", [None, 2, -2, 1, -1, np.inf, "fro"])
def test_condition_numbers(p):
    assert_derivative(lambda a: np.linalg.cond(a, p), graded(3, 3), rtol=1e-12)
    assert_derivative(lambda a: np.linalg.cond(a, p), graded(2, 3, 3), rtol=1e-12)


# -- equal eigenvalues ----------------------------------------------------------------------------


def test_sums_over_equal_eigenvalues_are_differentiable():
    identity = np.eye(3)
    trace = pb.grad(lambda a: np.sum(np.linalg.eigvalsh(a)))(identity)
    np.testing.assert_allclose(trace, identity, atol=1e-15)
    energy = pb.grad(lambda a: np.sum(np.linalg.svdvals(a) ** 2))(identity)
    np.testing.assert_allclose(energy, 2 * identity, atol=1e-15)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda a: np.sum(np.linalg.eigh(a)[1] ** 3), r"np\.linalg\.eigh"),
        (lambda a: np.sum(np.linalg.svd(a)[0] ** 3), r"np\.linalg\.svd"),
        (lambda a: np.sum(np.linalg.svd(a).Vh ** 3), r"np\.linalg\.svd"),
    ],
)
def test_vectors_of_equal_eigenvalues_have_no_derivative(function, name):
    for a in (np.eye(3), np.diag([1.0, 1.0 + 1e-16, 3.0])):
        with pytest.raises(pb.ArgumentValueError, match=rf"{name}.*equal to rounding"):
            pb.grad(function)(a)
    _, dot = pb.pushforward(lambda a: np.linalg.eigh(a), (np.eye(2),), (np.ones((2, 2)),))
    np.testing.assert_allclose(np.sum(dot.eigenvalues), 2, rtol=1e-14)
    assert np.isnan(dot.eigenvectors).any()


@pytest.mark.parametrize(
    ("call", "words", "error"),
    [
        (lambda a: np.linalg.svd(a[:, :1])[0] ** 3, "full_matrices=False", pb.ArgumentValueError),
        (lambda a: np.linalg.eigvalsh(a), "square", pb.ArgumentValueError),
        (lambda a: np.linalg.eigvalsh(a[:2, :2], "X"), "'X'", pb.ArgumentValueError),
    ],
)
def test_arguments_that_do_not_fit(call, words, error):
    with pytest.raises(error, match=words):
        pb.grad(lambda a: np.sum(call(a)))(graded(3, 2))


@pytest.mark.parametrize("make", [graded, complex_graded])
def test_hermitian_matrices_are_those_of_their_lower_triangle(make):
    a = make(3, 3) * np.array([1.0, -1.0, 1.0])
    assert_derivative(lambda a: np.linalg.svd(a, hermitian=True, compute_uv=False), a, rtol=1e-12)
    assert_derivative(lambda a: np.linalg.pinv(a, hermitian=True), a, rtol=1e-12)
    out, _ = pb.vjp(lambda a: np.linalg.svd(a, hermitian=True), a)
    expected = np.linalg.svd(a, hermitian=True)
    for one, other in zip(out, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-13)


def test_singular_vectors_of_symmetric_matrices():
    a = graded(3, 3) * np.array([1.0, -1.0, 1.0])
    assert_derivative(lambda a: tuple(np.linalg.svd(a, hermitian=True)), a, rtol=1e-12)


def test_a_cutoff_that_varies_is_refused():
    with pytest.raises(pb.ArgumentTypeError, match=r"np\.linalg\.pinv.*rcond.*give a number"):
        pb.vjp(lambda a, r: np.linalg.pinv(a, r), graded(3, 3), 1e-10)
