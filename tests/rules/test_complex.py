"""Complex numbers: real-linear maps, and holomorphic functions on both sides of their cuts."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

Z = np.array([0.7 - 1.1j, -0.4 + 0.3j, 2.0j])
TANGENTS = (np.ones(3, complex), np.full(3, 1j), np.array([1 + 2j, -1j, 0.5]))


@pytest.mark.parametrize(
    "f",
    [np.abs, np.real, np.imag, np.conj, np.angle, np.sign, lambda z: np.abs(z) ** 2 * np.conj(z)],
)
def test_functions_that_are_not_holomorphic(f):
    """Against differences in the direction of the tangent, and the adjoint in ⟨a, b⟩ = Re Σ āb."""
    h = 1e-5
    for z_dot in TANGENTS:
        out, out_dot = pb.pushforward(f, (Z,), (z_dot,))
        expected = (f(Z + h * z_dot) - f(Z - h * z_dot)) / (2 * h)
        np.testing.assert_allclose(out_dot, expected, rtol=1e-8, atol=1e-9)
        for out_bar in (np.ones(3), np.array([0.3, -2.0, 1.0])):
            out_bar = out_bar.astype(out.dtype)
            if out.dtype.kind == "c":
                out_bar = out_bar * (1 - 2j)
            (z_bar,) = pb.pullback(f, (Z,), out_bar)[1]
            assert z_bar.dtype == complex
            np.testing.assert_allclose(
                np.sum(np.conj(z_bar) * z_dot).real, np.sum(np.conj(out_bar) * out_dot).real
            )


def test_the_gradient_of_a_real_function_is_the_direction_of_steepest_ascent():
    gradient = pb.grad(lambda z: np.sum(np.abs(z) ** 2))(Z)
    np.testing.assert_allclose(gradient, 2 * Z, rtol=1e-15)
    np.testing.assert_allclose(pb.grad(lambda z: np.sum(np.abs(z)))(Z), Z / np.abs(Z), rtol=1e-15)
    np.testing.assert_allclose(
        pb.grad(lambda z: np.sum(np.angle(z)))(Z), 1j * Z / np.abs(Z) ** 2, rtol=1e-15
    )


def test_the_modulus_at_zero_has_gradient_zero():
    assert pb.grad(np.abs)(0j) == 0
    assert pb.pushforward(np.abs, (0j,), (1 + 1j,))[1] == 0
    _, second = pb.pushforward(pb.grad(np.abs), (np.zeros(1, complex)[0],), (0j,))
    assert second == 0


def test_real_and_complex_operands_meet():
    """The cotangent of a real operand is real: the real part of what the complex rule gives."""
    x, z = np.array([1.0, -2.0, 0.5]), Z
    for f in (np.add, np.subtract, np.multiply, np.divide):
        w_bar = np.array([1 + 1j, 2.0, -1j])
        _, (x_bar, z_bar) = pb.pullback(f, (x, z), w_bar)
        assert (x_bar.dtype, z_bar.dtype) == (float, complex)
        _, w_dot = pb.pushforward(f, (x, z), (np.ones(3), None))
        np.testing.assert_allclose(np.sum(x_bar), np.sum(np.conj(w_bar) * w_dot).real)


HOLOMORPHIC = [
    np.sqrt, np.log, np.log2, np.log10, np.log1p,
    np.arcsin, np.arccos, np.arctan, np.arcsinh, np.arccosh, np.arctanh,
]  # fmt: skip


@pytest.mark.parametrize("f", HOLOMORPHIC)
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_derivatives_on_both_sides_of_the_branch_cuts(f, side):
    """A point with a signed zero lies on one side of a cut; the difference stays on that side."""
    h = 1e-5
    zero = 0.0 * side
    for point, step in [
        (complex(2.0, zero), h),
        (complex(-2.0, zero), h),
        (complex(0.5, zero), h),
        (complex(zero, 2.0), 1j * h),
        (complex(zero, -2.0), 1j * h),
    ]:
        if step.real:
            ahead, behind = (complex(point.real + s * h, zero) for s in (1, -1))
        else:
            ahead, behind = (complex(zero, point.imag + s * h) for s in (1, -1))
        expected = (f(np.complex128(ahead)) - f(np.complex128(behind))) / (2 * step)
        _, derivative = pb.pushforward(f, (np.complex128(point),), (np.complex128(1),))
        np.testing.assert_allclose(derivative, expected, rtol=1e-7, err_msg=str(point))


ENTIRE = [np.exp, np.exp2, np.expm1, np.sin, np.cos, np.sinh, np.cosh, np.tan, np.tanh, np.square]


@pytest.mark.parametrize("f", ENTIRE)
def test_the_complex_step_agrees(f):
    """Im f(x + ih)/h is the derivative of a real analytic f, without cancellation."""
    x = np.linspace(-1.3, 1.4, 7)
    np.testing.assert_allclose(
        pb.grad(lambda x: np.sum(f(x)))(x), f(x + 1e-30j).imag / 1e-30, rtol=1e-14
    )


@pytest.mark.parametrize("f", [*HOLOMORPHIC, *ENTIRE])
def test_the_pullback_of_a_holomorphic_function_conjugates(f):
    z, w_bar = np.array([0.3 + 0.4j, -0.2 + 0.9j]), np.array([1 - 1j, 0.5j])
    _, derivative = pb.pushforward(f, (z,), (np.ones(2, complex),))
    _, (z_bar,) = pb.pullback(f, (z,), w_bar)
    np.testing.assert_allclose(z_bar, np.conj(derivative) * w_bar, rtol=1e-14)


def test_the_second_derivative_of_a_modulus_is_undefined_at_zero():
    """As it is for a length √(a² + b²)."""
    modulus = pb.hessian(lambda x: np.abs(x[0] + 1j * x[1]))(np.zeros(2))
    np.testing.assert_array_equal(modulus, np.full((2, 2), np.nan))
    z_dot = np.array([1 + 1j])
    _, turned = pb.pushforward(np.sign, (np.zeros(1, complex),), (z_dot,))
    np.testing.assert_array_equal(turned, [np.nan])
