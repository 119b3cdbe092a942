"""Equal eigenvalues and singular values: what does not depend on the vectors chosen for them.

The oracles are those of `tests.numpy.spectra`, resolvents, and Sylvester's equation.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import pullback as pb
from tests.numpy.spectra import (
    adjoint,
    daleckii_krein,
    degenerate,
    hermitian,
    normal,
    of_singular_values,
    traced_hermitian,
    unitary,
)


def assert_derivatives(function, a, direction, cotangent, expected, dot, bar, rtol):
    """All modes against the value, the tangent and the cotangent that are known."""
    scale = max(1.0, np.max(np.abs(dot)), np.max(np.abs(bar)))

    def close(got, wanted):
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol * scale)

    def loss(a):
        return np.sum(np.real(np.conj(cotangent) * function(a)))

    out, pull = pb.vjp(function, a)
    close(out, expected)
    close(pull(cotangent)[0], bar)
    close(pb.grad(loss)(a), bar)
    close(pb.pushforward(function, (a,), (direction,))[1], dot)
    close(pb.linearize(function, a)[1](direction), dot)
    close(pb.linearize(loss, a)[1](direction), np.sum(np.real(np.conj(cotangent) * dot)))


def assert_jacobians(function, a, direction, dot, rtol):
    forward, reverse = (pb.jacobian(function, mode=mode)(a) for mode in ("forward", "reverse"))
    scale = max(1.0, np.max(np.abs(dot)))
    np.testing.assert_allclose(forward, reverse, rtol=rtol, atol=rtol * scale)
    got = np.tensordot(forward, direction, axes=direction.ndim)
    np.testing.assert_allclose(got, dot, rtol=rtol, atol=rtol * scale)


FUNCTIONS = {
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda w: 1 / w),
    "sqrt": (np.sqrt, lambda w: 0.5 / np.sqrt(w)),
    "inverse": (lambda w: 1 / w, lambda w: -1 / w**2),
    "vanishing": (lambda w: (w - 1) * np.log(w), lambda w: np.log(w) + 1 - 1 / w),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float64, np.complex128, np.float32, np.complex64])
def test_functions_of_hermitian_matrices(name, dtype):
    rng = np.random.default_rng(len(name))
    f, slope = FUNCTIONS[name]
    rtol = 1e-10 if np.finfo(dtype).eps < 1e-10 else 2e-3

    def function(a):
        w, v = np.linalg.eigh(traced_hermitian(a), uplo)
        return (v * f(w)[..., None, :]) @ np.conj(v).mT

    for number in range(6):
        uplo = "LU"[number % 2]
        n, lead = rng.integers(1, 6), [(), (2,)][number // 2 % 2]
        w = rng.choice([0.5, 1.0, 1.0, 2.0], size=(*lead, n))
        v = unitary(rng, (*lead, n, n), dtype, n)
        a = hermitian((v * w[..., None, :]) @ adjoint(v)).astype(dtype)
        direction, cotangent = (normal(rng, a.shape, dtype) for _ in range(2))
        out, dot = daleckii_krein(f, slope, a, hermitian(direction))
        _, bar = daleckii_krein(f, slope, a, hermitian(cotangent))
        assert_derivatives(function, a, direction, cotangent, out, dot, hermitian(bar), rtol)
        if dtype is np.float64 and name != "sqrt":
            assert_jacobians(function, a, direction, dot, rtol)


ODD = {
    "sin": (np.sin, np.cos),
    "cube": (lambda s: s**3, lambda s: 3 * s**2),
    "low rank": (
        lambda s: np.where(np.abs(s) > 1.2, s, 0),
        lambda s: np.where(np.abs(s) > 1.2, 1.0, 0),
    ),
    "pseudo-inverse": (
        lambda s: np.where(np.abs(s) > 0.1, 1 / np.where(np.abs(s) > 0.1, s, 1), 0),
        lambda s: np.where(np.abs(s) > 0.1, -1 / np.where(np.abs(s) > 0.1, s, 1) ** 2, 0),
    ),
    "polar factor": (lambda s: np.where(np.abs(s) > 0.1, np.sign(s), 0), lambda s: 0 * s),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("dtype", [np.float64, np.complex128, np.float32])
def test_functions_of_singular_values(name, dtype):
    """Equal ones and zeros, of tall, wide and square matrices."""
    rng = np.random.default_rng(len(name))
    f, slope = ODD[name]
    rtol = 1e-10 if np.finfo(dtype).eps < 1e-10 else 2e-3

    def function(a):
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return (u * f(s)[..., None, :]) @ vh

    for number in range(7):
        m, n = rng.integers(1, 5, size=2)
        lead, count = [(), (2,)][number % 2], min(m, n)
        s = -np.sort(-rng.choice([0.0, 0.5, 1.0, 2.0, 2.0], size=(*lead, count)), axis=-1)
        u, v = (unitary(rng, (*lead, k, k), dtype, count) for k in (m, n))
        a = ((u * s[..., None, :]) @ adjoint(v)).astype(dtype)
        direction, cotangent = (normal(rng, a.shape, dtype) for _ in range(2))
        out, dot = of_singular_values(f, slope, a, direction)
        _, bar = of_singular_values(f, slope, a, cotangent)
        assert_derivatives(function, a, direction, cotangent, out, dot, bar, rtol)
        if dtype is np.float64 and number < 3:
            assert_jacobians(function, a, direction, dot, rtol)


def test_projectors_against_their_resolvents():
    rng = np.random.default_rng(1)
    a, v = degenerate(rng, [1, 1, 2, 4, 4])
    e = hermitian(rng.normal(size=(5, 5)))

    def projector(columns):
        def of(a):
            v = np.linalg.eigh(traced_hermitian(a))[1][:, columns]
            return v @ v.T

        return of

    for columns, value in ((slice(0, 2), 1.0), (slice(3, None), 4.0)):
        p = v[:, columns] @ v[:, columns].T
        rest = np.linalg.pinv(value * np.eye(5) - a, rcond=1e-8)
        dot = p @ e @ rest + rest @ e @ p
        assert_derivatives(projector(columns), a, e, e, p, dot, dot, 1e-12)


def test_a_determined_vector_beside_equal_eigenvalues():
    rng = np.random.default_rng(2)
    a, _ = degenerate(rng, [1, 1, 2])
    e = hermitian(rng.normal(size=(3, 3)))

    def vector(a):
        v = np.linalg.eigh(traced_hermitian(a))[1][:, 2]
        return v * np.sign(v[0])

    expected = vector(a)
    rest = np.linalg.pinv(2 * np.eye(3) - a, rcond=1e-8)
    bar = hermitian(np.outer(rest @ e[0], expected))
    assert_derivatives(vector, a, e, e[0], expected, rest @ e @ expected, bar, 1e-12)


def test_independent_solvers_agree():
    rng = np.random.default_rng(3)
    a, _ = degenerate(rng, [1, 1, 1, 3])
    e = hermitian(rng.normal(size=(4, 4)))

    def through(f):
        def of(a):
            w, v = np.linalg.eigh(traced_hermitian(a))
            return (v * f(w)) @ v.T

        return of

    exp, exp_dot = scipy.linalg.expm_frechet(a, e)
    assert_derivatives(through(np.exp), a, e, e, exp, exp_dot, exp_dot, 1e-11)
    root = scipy.linalg.sqrtm(a)
    root_dot = scipy.linalg.solve_sylvester(root, root, e)
    assert_derivatives(through(np.sqrt), a, e, e, root, root_dot, root_dot, 1e-11)
    # The polar factor U of A = UP has U̇ = UX with XP + PX = UᵀȦ − ȦᵀU.
    u, p = scipy.linalg.polar(2 * scipy.linalg.expm(e - np.triu(e)) @ a)
    e = rng.normal(size=(4, 4))
    x = scipy.linalg.solve_sylvester(p, p, u.T @ e - e.T @ u)

    def polar(a):
        u, _, vh = np.linalg.svd(a)
        return u @ vh

    np.testing.assert_allclose(
        pb.pushforward(polar, (u @ p,), (e,))[1], u @ x, rtol=1e-10, atol=1e-12
    )


def test_second_derivatives_of_functions_of_eigenvalues():
    rng = np.random.default_rng(4)
    for w in ([1, 1, 1], [1, 1, 2], [-1, -1, 3, 3]):
        rotated, _ = degenerate(rng, w)
        n = len(w)
        for a in (rotated, np.diag(np.array(w, float))):
            e = rng.normal(size=(n, n))
            _, expected = daleckii_krein(np.exp, np.exp, a, hermitian(e))

            def total(a):
                return np.sum(np.exp(np.linalg.eigvalsh(traced_hermitian(a))))

            def along(a, e=e):
                return pb.pushforward(total, (a,), (e,))[1]

            for got in (
                pb.hvp(total, (a,), (e,))[0],
                np.tensordot(pb.hessian(total)(a), e, axes=2),
                np.tensordot(pb.jacobian(pb.grad(total), mode="reverse")(a), e, axes=2),
                pb.grad(along)(a),
            ):
                np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-12)
            slope = daleckii_krein(np.exp, np.exp, a, a)[0]
            np.testing.assert_allclose(along(a), np.sum(slope * e), rtol=1e-11)
            second = pb.pushforward(along, (a,), (e,))[1]
            np.testing.assert_allclose(second, np.sum(expected * e), rtol=1e-11)


def test_second_derivatives_of_functions_of_singular_values():
    rng = np.random.default_rng(5)
    for shape, s in (((3, 3), [2, 1, 1]), ((4, 3), [1, 1, 0]), ((2, 3), [0, 0])):
        u, v = (np.linalg.qr(rng.normal(size=(n, n)))[0][:, : len(s)] for n in shape)
        a, e = (u * np.array(s, float)) @ v.T, rng.normal(size=shape)

        def energy(a):
            return np.sum(np.cos(np.linalg.svdvals(a)))

        _, expected = of_singular_values(lambda s: -np.sin(s), lambda s: -np.cos(s), a, e)
        got = pb.hvp(energy, (a,), (e,))[0]
        np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-12)


def test_third_derivatives_of_determinants():
    """Their rule is a function of singular values and vectors."""
    e = np.random.default_rng(6).normal(size=(3, 3))

    def second(a):
        return pb.hvp(np.linalg.det, (a,), (e,))[0]

    got = pb.pushforward(second, (np.eye(3),), (e,))[1]
    h = 1e-3  # det is a polynomial of degree 3: central differences are exact
    expected = (second(np.eye(3) + h * e) - second(np.eye(3) - h * e)) / (2 * h)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)
