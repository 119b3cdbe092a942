"""Complex numbers: steepest ascent for real functions, f′ for holomorphic ones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import pullback as pb
from tests.transforms.numerical import derivative

RNG = np.random.default_rng(6)
Z = RNG.standard_normal(4) + 1j * RNG.standard_normal(4)
A = RNG.standard_normal((3, 4)) + 1j * RNG.standard_normal((3, 4))

REAL_VALUED = {
    "squared modulus": (lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z),
    "modulus": (lambda z: np.sum(np.abs(z)), lambda z: z / np.abs(z)),
    "real part": (lambda z: np.sum(np.real(z)), lambda z: np.ones(4, complex)),
    "imaginary part": (lambda z: np.sum(np.imag(z)), lambda z: np.full(4, 1j)),
    "angle": (lambda z: np.sum(np.angle(z)), lambda z: 1j * z / np.abs(z) ** 2),
    "z z*": (lambda z: np.sum(z * np.conj(z)).real, lambda z: 2 * z),
    "real part of a square": (lambda z: np.sum(z * z).real, lambda z: 2 * np.conj(z)),
    "quadratic form": (
        lambda z: np.sum(np.abs(A @ z) ** 2), lambda z: 2 * A.conj().T @ (A @ z)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL_VALUED)
def test_gradient_of_a_real_function_is_steepest_ascent(name):
    f, expected = REAL_VALUED[name]
    got = pb.grad(f)(Z)
    assert got.dtype == complex
    assert_allclose(got, expected(Z), rtol=1e-13, atol=1e-14)
    for part in (1.0, 1j):
        for k in range(4):
            unit = part * np.eye(4)[k]
            slope = derivative(f, Z, unit)
            assert slope == pytest.approx(np.real(np.conj(got[k]) * part), rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("name", REAL_VALUED)
def test_no_direction_ascends_faster(name):
    f, _ = REAL_VALUED[name]
    slope = pb.grad(f)(Z)
    fastest = pb.pushforward(f, (Z,), (slope / np.linalg.norm(slope),))[1]
    assert fastest == pytest.approx(np.linalg.norm(slope))
    for _ in range(20):
        d = RNG.standard_normal(4) + 1j * RNG.standard_normal(4)
        assert pb.pushforward(f, (Z,), (d / np.linalg.norm(d),))[1] <= fastest + 1e-12


HOLOMORPHIC = {
    "exp": (np.exp, np.exp),
    "sin": (np.sin, np.cos),
    "log": (np.log, lambda z: 1 / z),
    "sqrt": (np.sqrt, lambda z: 0.5 / np.sqrt(z)),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "polynomial": (lambda z: (1 + 2j) * z**3 - 1j * z, lambda z: (3 + 6j) * z**2 - 1j),
    "quotient": (lambda z: (z - 1j) / (z + 2), lambda z: (2 + 1j) / (z + 2) ** 2),
}


@pytest.mark.parametrize("name", HOLOMORPHIC)
def test_derivative_of_a_holomorphic_function(name):
    f, expected = HOLOMORPHIC[name]
    for z in Z:
        assert pb.grad(f, holomorphic=True)(z) == pytest.approx(expected(z), rel=1e-12)
        assert pb.pushforward(f, (z,), (1 + 0j,))[1] == pytest.approx(expected(z), rel=1e-12)
    second = pb.grad(pb.grad(f, holomorphic=True), holomorphic=True)
    h = 1e-5
    for z in Z:
        expect = (expected(z + h) - expected(z - h)) / (2 * h)
        assert second(z) == pytest.approx(expect, rel=1e-7, abs=1e-9)


def test_adjointness_in_the_real_inner_product():
    def f(z):
        return np.abs(z) * np.exp(A @ (np.conj(z) * z**2))[:, None]

    y, pull = pb.vjp(f, Z)
    dot = RNG.standard_normal(4) + 1j * RNG.standard_normal(4)
    bar = RNG.standard_normal(y.shape) + 1j * RNG.standard_normal(y.shape)
    _, y_dot = pb.pushforward(f, (Z,), (dot,))
    left, right = np.vdot(bar, y_dot).real, np.vdot(dot, pull(bar)[0]).real
    assert left == pytest.approx(right, rel=1e-12)


def test_real_arguments_get_real_cotangents():
    x = RNG.standard_normal(4)
    slope = pb.grad(lambda x: np.sum(np.abs(np.exp(1j * x) + x) ** 2))(x)
    assert slope.dtype == float
    assert_allclose(slope, 2 * x + 2 * np.cos(x) - 2 * x * np.sin(x), rtol=1e-13)


def test_second_derivatives_of_real_functions():
    f, _ = REAL_VALUED["quadratic form"]
    d = RNG.standard_normal(4) + 1j * RNG.standard_normal(4)
    (got,) = pb.hvp(f, (Z,), (d,))
    assert_allclose(got, 2 * A.conj().T @ (A @ d), rtol=1e-13)


def test_mixed_real_and_complex_arguments():
    x = RNG.standard_normal(4)
    bars = pb.grad(lambda x, z: np.sum(np.abs(x * z) ** 2), (0, 1))(x, Z)
    assert [bar.dtype for bar in bars] == [float, complex]
    assert_allclose(bars[0], 2 * x * np.abs(Z) ** 2, rtol=1e-13)
    assert_allclose(bars[1], 2 * x**2 * Z, rtol=1e-13)
