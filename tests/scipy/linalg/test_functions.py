"""Functions of a matrix, and matrices that few numbers make, under SciPy's names."""

from __future__ import annotations

import warnings

import mpmath
import numpy as np
import pytest
import scipy.linalg as sl

import pullback as pb
from tests.numpy.agreement import assert_derivative
from tests.scipy.linalg.agreement import assert_served

RNG = np.random.default_rng(23)


def normal(*shape, imaginary=False):
    return RNG.normal(size=shape) + (1j * RNG.normal(size=shape) if imaginary else 0)


def positive(*shape, imaginary=False):
    return np.eye(shape[-1]) + 0.2 * normal(*shape, imaginary=imaginary)


ENTIRE = ["expm", "cosm", "sinm", "coshm", "sinhm", "tanm", "tanhm"]


@pytest.mark.parametrize("name", [*ENTIRE, "logm", "sqrtm"])
def test_functions_of_a_matrix(name):
    f = getattr(sl, name)
    narrow = 0 if name == "logm" else 2e-3
    assert_served(f, positive(3, 3), rtol=1e-10, narrow=narrow)
    assert_served(f, positive(2, 2, 2), rtol=1e-10, narrow=0, second=False)
    assert_served(f, positive(3, 3, imaginary=True), rtol=1e-10, narrow=0, second=False)
    symmetric = positive(3, 3)
    assert_derivative(lambda a: f(a @ a.T), symmetric, rtol=1e-10)


def test_third_derivatives():
    """Of exp(tA), to all orders: A exp(tA)."""
    a = 0.5 * normal(3, 3)

    def third(f):
        return pb.jacobian(pb.jacobian(pb.jacobian(f)))

    cube = a @ a @ a @ sl.expm(0.7 * a)
    np.testing.assert_allclose(third(lambda t: sl.expm(t * a))(0.7), cube, rtol=1e-12)
    b = positive(3, 3)
    power = third(lambda t: sl.fractional_matrix_power(b @ b, t))(0.5)
    log = sl.logm(b @ b)
    np.testing.assert_allclose(power, log @ log @ log @ sl.sqrtm(b @ b), rtol=1e-9)


def test_powers_and_signs():
    for t in (0.5, -0.3, 2, -1, 3.0):
        assert_served(
            lambda a, t=t: sl.fractional_matrix_power(a, t),
            np.diag([1.0, 2.0, 3.0]) + 0.1 * normal(3, 3),
            rtol=1e-10,
            narrow=0,
        )
    assert_served(
        lambda a, t: sl.fractional_matrix_power(a, t), positive(3, 3), np.float64(0.4), rtol=1e-9,
        narrow=0,
    )  # fmt: skip
    saddle = np.diag([1.0, -2.0, 3.0]) + 0.2 * normal(3, 3)
    assert_served(sl.signm, saddle, rtol=1e-10, narrow=0)


def test_the_derivative_of_the_exponential_as_a_function():
    a, e = normal(3, 3), normal(3, 3)
    for keywords in ({}, {"compute_expm": False}, {"method": "blockEnlarge"}):
        assert_served(lambda a, e, k=keywords: sl.expm_frechet(a, e, **k), a, e, rtol=1e-10)
    np.testing.assert_allclose(
        pb.jvp(sl.expm, (a,), (e,))[1], sl.expm_frechet(a, e, compute_expm=False), rtol=1e-11
    )


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
def test_derivatives_against_more_digits(size):
    """A direction of any size, and a matrix that is not normal."""
    mpmath.mp.dps = 40
    a, e = np.array([[0.5, 3.0], [0.0, 0.5]]), size * np.array([[0.3, -1.0], [0.7, 0.2]])
    whole = mpmath.matrix(np.block([[a, e], [0 * a, a]]).tolist())
    for f, more in ((sl.expm, mpmath.expm), (sl.logm, mpmath.logm)):
        expected = np.array(more(whole).tolist(), complex).real[:2, 2:]
        np.testing.assert_allclose(pb.jvp(f, (a,), (e,))[1], expected, rtol=1e-11)


def test_real_matrices_with_complex_results():
    a = np.array([[-1.0, 0.3], [0.2, -2.0]])
    for f in (sl.logm, sl.sqrtm):
        turning = np.array([[1.0, -2.0], [2.0, 1.0]])  # whose eigenvalues are complex
        out, pull = pb.vjp(f, turning)
        assert out.dtype == f(turning).dtype
        out, pull = pb.vjp(f, a)
        np.testing.assert_array_equal(out, f(a))
        assert out.dtype == np.complex128
        assert pull(out)[0].dtype == np.float64
        with pytest.raises(pb.ArgumentTypeError, match=r"A\.astype\(complex\)"):
            pb.trace(f, np.eye(2))(a)


def test_what_is_deprecated_is_refused():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for f in (sl.logm, sl.sqrtm, sl.signm):
            with pytest.raises(pb.ArgumentTypeError, match="the argument disp"):
                pb.vjp(lambda a, f=f: f(a, disp=False), np.eye(2))


# -- matrices with structure ----------------------------------------------------------------------


def test_matrices_that_few_numbers_make():
    c, r, lead = normal(4), normal(3), normal(2, 3)
    for imaginary in (False, True):
        z = normal(4, imaginary=imaginary)
        assert_served(sl.toeplitz, z)
        assert_served(sl.circulant, z)
        assert_served(sl.companion, z)
        assert_served(sl.hankel, z)
        assert_served(lambda z: sl.convolution_matrix(z, 3), z)
    assert_served(sl.toeplitz, c, r)
    assert_served(sl.hankel, c, r)
    assert_served(sl.leslie, c, r)
    assert_served(sl.circulant, lead, second=False)
    assert_served(sl.companion, lead, second=False)
    assert_served(sl.fiedler, c, second=False)
    for n in (1, 2, 3, 4, 5, 6):
        if n > 1:
            assert_served(sl.fiedler_companion, normal(n), second=False)
        for mode in ("full", "same", "valid"):
            assert_served(lambda a, n=n, m=mode: sl.convolution_matrix(a, n, m), c, second=False)
    assert_served(sl.khatri_rao, normal(2, 3), normal(4, 3))
    assert_served(sl.block_diag, normal(2, 3), normal(2), np.float64(1.5), normal(1, 2))
    assert_served(lambda s: sl.diagsvd(s, 3, 4), r)
    assert_served(lambda s: sl.diagsvd(s, 5, 3), r)


def test_constants_stay_constants():
    for call in (
        lambda: sl.hilbert(3), lambda: sl.hadamard(4), lambda: sl.pascal(3), lambda: sl.dft(3),
        lambda: sl.invhilbert(3), lambda: sl.helmert(3), lambda: sl.invpascal(3),
    ):  # fmt: skip
        seen = []
        pb.grad(lambda x, c=call, s=seen: (s.append(c()), x)[1])(1.0)
        np.testing.assert_array_equal(seen[0], call())
