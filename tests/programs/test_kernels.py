"""Kernels beside the functions of NumPy and SciPy that do the same, and what is known of them."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.signal
from numpy.testing import assert_allclose

import pullback as pb
from tests.programs.kernels import (
    conv2d,
    convolution,
    correlation,
    covariance,
    durbin,
    gramschmidt,
    ludcmp,
)

RNG = np.random.default_rng(41)


def test_values_are_those_of_numpy_and_scipy():
    image, kernel = RNG.normal(size=(4, 5)), RNG.normal(size=(2, 3))
    assert_allclose(
        convolution(image, kernel), scipy.signal.correlate2d(image, kernel, "valid"), rtol=1e-12
    )
    data = RNG.normal(size=(6, 3))
    assert_allclose(covariance(6.0, data.copy()), np.cov(data.T), rtol=1e-12)
    assert_allclose(correlation(6.0, data.copy()), np.corrcoef(data.T), rtol=1e-12)
    r = RNG.uniform(-0.4, 0.4, 4)
    assert_allclose(durbin(r), scipy.linalg.solve_toeplitz(np.append(1, r[:-1]), -r), rtol=1e-10)


def test_derivatives_of_a_convolution_are_convolutions():
    """Of ⟨w, x ∗ k⟩ by x the full convolution of w and k, by k the correlation of x and w."""
    image, kernel, w = RNG.normal(size=(4, 5)), RNG.normal(size=(2, 3)), RNG.normal(size=(3, 3))
    by_image, by_kernel = pb.grad(lambda x, k: np.sum(w * convolution(x, k)), (0, 1))(image, kernel)
    assert_allclose(by_image, scipy.signal.convolve2d(w, kernel, "full"), rtol=1e-12)
    assert_allclose(by_kernel, scipy.signal.correlate2d(image, w, "valid"), rtol=1e-12)


def test_a_layer_is_linear_in_images_and_in_weights():
    images, weights = RNG.normal(size=(2, 4, 3, 2)), RNG.normal(size=(2, 2, 2, 3))
    directions = RNG.normal(size=images.shape), RNG.normal(size=weights.shape)
    out, out_dot = pb.pushforward(conv2d, (images, weights), directions)
    expected = conv2d(directions[0], weights) + conv2d(images, directions[1])
    assert_allclose(out_dot, expected, rtol=1e-12, atol=1e-13)
    _, pull = pb.vjp(conv2d, images, weights)
    by_images, by_weights = pull(out)
    assert_allclose(np.vdot(by_images, images), np.vdot(out, out), rtol=1e-12)
    assert_allclose(np.vdot(by_weights, weights), np.vdot(out, out), rtol=1e-12)


def test_gram_and_schmidt_keep_the_product_and_the_angles():
    """d(QR) = dA, d(QᵀQ) = 0, and dR is triangular."""
    A, A_dot = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
    (Q, R), (Q_dot, R_dot) = pb.pushforward(lambda A: gramschmidt(A.copy()), (A,), (A_dot,))
    assert_allclose(Q @ R, A, rtol=1e-12)
    assert_allclose(Q_dot @ R + Q @ R_dot, A_dot, rtol=1e-10, atol=1e-12)
    assert_allclose(Q_dot.T @ Q + Q.T @ Q_dot, np.zeros((3, 3)), atol=1e-12)
    assert np.all(np.tril(R_dot, -1) == 0)


def test_covariance_does_not_change_with_the_mean():
    """And its pullback is that of centred data, (C̄ + C̄ᵀ) times the data over n − 1."""
    data, C_bar = RNG.normal(size=(6, 3)), RNG.normal(size=(3, 3))
    _, pull = pb.vjp(lambda x: covariance(6.0, x.copy()), data)
    centred = data - data.mean(axis=0)
    assert_allclose(pull(C_bar)[0], centred @ (C_bar + C_bar.T) / 5, rtol=1e-11, atol=1e-13)


def test_a_solution_by_elimination_has_the_derivative_of_a_solution():
    """dx = A⁻¹(db − dA x)."""
    A, b = RNG.normal(size=(3, 3)) + 3 * np.eye(3), RNG.normal(size=3)
    A_dot, b_dot = RNG.normal(size=(3, 3)), RNG.normal(size=3)
    x, x_dot = pb.pushforward(lambda A, b: ludcmp(A.copy(), b)[0], (A, b), (A_dot, b_dot))
    assert_allclose(x_dot, np.linalg.solve(A, b_dot - A_dot @ x), rtol=1e-10)
