"""The QR factorisation, eigenvalues of any matrix, and bases of the whole space."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.numpy.agreement import assert_derivative
from tests.scipy.linalg.agreement import assert_served

RNG = np.random.default_rng(31)


def normal(*shape, imaginary=False):
    return RNG.normal(size=shape) + (1j * RNG.normal(size=shape) if imaginary else 0)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1)])
@pytest.mark.parametrize("imaginary", [False, True])
def test_qr_of_every_shape(shape, imaginary):
    a = normal(*shape, imaginary=imaginary)
    single = len(shape) == 2 and not imaginary
    assert_served(lambda a: tuple(np.linalg.qr(a)), a, compiled=single and shape[0] > 3)
    assert_served(lambda a: np.linalg.qr(a, "r"), a, second=False)
    assert_derivative(lambda a: np.linalg.qr(a, mode="complete").R, a, rtol=1e-12)
    rows, columns = shape[-2:]
    if rows <= columns:
        assert_derivative(lambda a: tuple(np.linalg.qr(a, "complete")), a, rtol=1e-12)


@pytest.mark.parametrize("imaginary", [False, True])
def test_what_completes_a_basis_is_known_but_for_a_rotation(imaginary):
    """The space that is left has the projector I − AA⁺."""
    a, weights = normal(4, 2, imaginary=imaginary), normal(4, 4)
    whole = {
        "qr": lambda a: np.linalg.qr(a, "complete").Q,
        "svd": lambda a: np.linalg.svd(a).U,
        "right": lambda a: np.conj(np.linalg.svd(np.conj(a).T).Vh).T,
    }
    expected = pb.grad(
        lambda a: np.sum(weights * np.real(np.eye(4) - a @ np.linalg.pinv(a)))
    )(a)  # fmt: skip
    for name, vectors in whole.items():

        def projector(a, vectors=vectors):
            rest = vectors(a)[:, 2:]
            return rest @ np.conj(rest).T

        gradient = pb.grad(lambda a, p=projector: np.sum(weights * np.real(p(a))))
        np.testing.assert_allclose(gradient(a), expected, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(pb.trace(gradient, a)(a), expected, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(
            pb.vmap(gradient)(np.stack([a, a])), [expected] * 2, rtol=1e-11, atol=1e-12
        )
        plain, (out, _) = vectors(a), pb.vjp(vectors, a)
        np.testing.assert_allclose(out, plain, rtol=1e-13, atol=1e-14)

        def chosen(a, vectors=vectors):
            return np.sum(np.abs(vectors(a)) ** 3)

        with pytest.raises(pb.ArgumentValueError, match=r"not determine.*(?s:.)*reduced"):
            pb.grad(chosen)(a)
        assert np.isnan(pb.trace(pb.grad(chosen), a)(a)).all()
        assert np.isnan(pb.jvp(vectors, (a,), (a,))[1]).any()
        assert name != "qr" or np.isfinite(pb.jvp(vectors, (a,), (a,))[1][:, :2]).all()


def test_columns_that_depend_on_each_other():
    a = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    for matrix in (a * 0, np.array([[0.0, 1.0], [0.0, 2.0]])):
        with pytest.raises(pb.ArgumentValueError, match=r"np\.linalg\.qr.*depend on each other"):
            pb.grad(lambda a: np.sum(np.linalg.qr(a)[0]))(matrix)
    with pytest.raises(pb.ArgumentTypeError, match=r"mode='raw'.*'reduced'"):
        pb.grad(lambda a: np.sum(np.linalg.qr(a, "raw")[0]))(a)


# -- eigenvalues ----------------------------------------------------------------------------------


def apart(*shape, imaginary=False):
    return 0.2 * normal(*shape, imaginary=imaginary) + np.diag(np.arange(1.0, shape[-1] + 1))


PAIR = np.array([[1.0, -2.0, 0.1], [0.5, 1.2, 0.3], [0.2, -0.1, 4.0]])


def test_eigenvalues_and_vectors_in_lapacks_normalisation():
    for a in (apart(3, 3), apart(2, 3, 3), PAIR, apart(3, 3, imaginary=True)):
        assert_derivative(lambda a: tuple(np.linalg.eig(a)), a, rtol=1e-12)
        assert_derivative(np.linalg.eigvals, a, rtol=1e-12)
        assert_derivative(
            pb.grad(
                lambda a: np.sum(
                    np.real(np.linalg.eig(a)[1] * np.linalg.eig(a)[0][..., None, :]) ** 3
                )
            ),
            a,
            rtol=1e-11,
        )
    w, v = pb.vjp(lambda a: tuple(np.linalg.eig(a)), apart(3, 3).astype(np.float32))[0]
    assert w.dtype == v.dtype == np.float32
    for a in (apart(3, 3), PAIR):
        recorded = pb.trace(lambda a: tuple(np.linalg.eig(a)), a)(a)
        for got, expected in zip(recorded, np.linalg.eig(a), strict=True):
            assert got.dtype == np.complex128
            np.testing.assert_allclose(got, expected, rtol=1e-13)

        def loss(a):
            w, v = np.linalg.eig(a)
            return np.sum(np.abs(v) ** 3) + np.sum(np.real(w**3)) + np.sum(np.imag(w) ** 2)

        expected = pb.grad(loss)(a)
        np.testing.assert_allclose(pb.trace(pb.grad(loss), a)(a), expected, rtol=1e-11, atol=1e-12)
        got = pb.vmap(pb.grad(loss))(np.stack([a, a]))
        np.testing.assert_allclose(got, [expected] * 2, rtol=1e-11, atol=1e-12)


def test_a_function_of_a_matrix_by_its_eigenvectors():
    """V f(w) V⁻¹, whose derivative does not depend on lengths and phases: the square is A²."""

    def square(a):
        w, v = np.linalg.eig(a)
        return np.real((v * w**2) @ np.linalg.inv(v))

    bar = normal(3, 3)
    for a in (apart(3, 3), PAIR):
        got = pb.vjp(square, a)[1](bar)[0]
        np.testing.assert_allclose(got, bar @ a.T + a.T @ bar, rtol=1e-11, atol=1e-12)
        got = pb.jvp(square, (a,), (bar,))[1]
        np.testing.assert_allclose(got, bar @ a + a @ bar, rtol=1e-11, atol=1e-12)


EQUAL = [np.eye(2), np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[3.0, 1.0], [-1.0, 1.0]])]


def test_equal_eigenvalues():
    np.testing.assert_allclose(
        pb.grad(lambda a: np.real(np.sum(np.linalg.eigvals(a) ** 2)))(EQUAL[0]), 2 * np.eye(2)
    )
    for a in EQUAL:
        for loss in (
            lambda a: np.real(np.linalg.eigvals(a)[0]),
            lambda a: np.sum(np.real(np.linalg.eig(a)[1]) ** 3),
        ):
            with pytest.raises(pb.ArgumentValueError, match=r"np\.linalg\.eig.*equal to rounding"):
                pb.grad(loss)(a)
    assert np.isnan(pb.jvp(np.linalg.eigvals, (EQUAL[0],), (EQUAL[1],))[1]).all()
    assert np.isnan(pb.trace(pb.grad(loss), EQUAL[0])(EQUAL[0])).any()


def test_a_phase_that_jumps():
    """The vectors (1, ±i)/√2 have two elements of the largest modulus."""
    rotation = np.array([[0.0, 1.0], [-1.0, 0.0]])
    by_size = pb.grad(lambda a: np.sum(np.abs(np.linalg.eig(a)[1][0]) ** 2))(rotation)
    np.testing.assert_allclose(
        by_size, pb.grad(lambda a: 2 / (1 - a[1, 0] / a[0, 1]))(rotation), atol=1e-15
    )
    with pytest.raises(pb.ArgumentValueError, match="depends on the phase"):
        pb.grad(lambda a: np.sum(np.imag(np.linalg.eig(a)[1][0] + np.linalg.eig(a)[1][1]) ** 3))(
            rotation
        )


def test_least_squares_of_lower_rank():
    a, b = np.outer(np.arange(1.0, 5), [1.0, 2.0]), normal(4)
    with pytest.raises(
        pb.ArgumentValueError, match=r"np\.linalg\.lstsq.*rank 1.*pinv\(a, rcond\) @ b"
    ):
        pb.grad(lambda a: np.sum(np.linalg.lstsq(a, b)[0]))(a)
    assert_derivative(lambda b: np.linalg.lstsq(a, b)[0], b, rtol=1e-12)


def test_products_powers_and_norms():
    a, b = normal(3, 3), normal(2, 3, 3)
    assert_served(lambda x, y, z: np.linalg.multi_dot([x, y, z]), a, a, a[0])
    assert_served(lambda x: np.linalg.matrix_power(x, -3), b, narrow=0, second=False)
    for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        assert_served(lambda x, o=order: np.linalg.matrix_norm(x, ord=o), b, second=False)
