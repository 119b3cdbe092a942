"""Programs of linear algebra as people write them, against differences and against each other."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from scipy.linalg import cho_factor, cho_solve, eigvalsh, solve, svd, toeplitz

import pullback as pb
from tests.numpy.agreement import assert_derivative, assert_same

RNG = np.random.default_rng(60)


def assert_right(f, *args, rtol=1e-10, compiled=True):
    """The gradient, its derivative, and the gradient recorded and compiled."""
    assert_derivative(f, *args, rtol=rtol)
    gradient = pb.grad(f, argnums=tuple(range(len(args))))
    assert_derivative(gradient, *args, rtol=rtol)
    expected = gradient(*args)
    assert_same(pb.trace(gradient, *args)(*args), expected, rtol)
    if compiled:
        assert_same(pb.compile(gradient)(*args), expected, rtol)


# -- a Gaussian process ---------------------------------------------------------------------------

X, Y = RNG.uniform(-3, 3, (12, 2)), RNG.normal(size=12)


def covariance(log_scales, log_noise):
    z = X / np.exp(log_scales)
    squares = np.sum(z**2, 1)[:, None] + np.sum(z**2, 1) - 2 * z @ z.T
    return np.exp(-0.5 * squares) + np.exp(log_noise) * np.eye(len(X))


def by_cho_factor(log_scales, log_noise):
    factor = cho_factor(covariance(log_scales, log_noise), lower=True)
    return 0.5 * Y @ cho_solve(factor, Y) + np.sum(np.log(np.diag(factor[0])))


def by_upper_factor(log_scales, log_noise):
    upper = scipy.linalg.cholesky(covariance(log_scales, log_noise))
    white = scipy.linalg.solve_triangular(upper, Y, trans="T")
    return 0.5 * white @ white + np.sum(np.log(np.diag(upper)))


def by_solve_and_slogdet(log_scales, log_noise):
    K = covariance(log_scales, log_noise)
    return 0.5 * Y @ solve(K, Y, assume_a="pos") + 0.5 * np.linalg.slogdet(K)[1]


def by_lu(log_scales, log_noise):
    lu = scipy.linalg.lu_factor(covariance(log_scales, log_noise))
    log_det = np.sum(np.log(np.abs(np.diag(lu[0]))))
    return 0.5 * Y @ scipy.linalg.lu_solve(lu, Y) + 0.5 * log_det


def test_the_evidence_of_a_gaussian_process():
    at = np.array([0.3, -0.2]), np.array(-1.0)
    ways = (by_cho_factor, by_upper_factor, by_solve_and_slogdet, by_lu)
    for evidence in ways:
        assert_right(evidence, *at, compiled=evidence is by_cho_factor)
    expected = pb.hessian(by_cho_factor)(*at)
    for evidence in ways[1:]:
        np.testing.assert_allclose(pb.hessian(evidence)(*at), expected, rtol=1e-9)


# -- principal components -------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["eigh", "svd"])
def test_the_first_principal_component(way):
    data = RNG.normal(size=(20, 4)) * np.array([3.0, 2.0, 1.0, 0.5])
    target = RNG.normal(size=4)

    def alignment(weights):
        x = weights[:, None] * data
        x = x - np.mean(x, axis=0)
        if way == "svd":
            first = svd(x, full_matrices=False)[2][0]
        else:
            first = np.linalg.eigh(x.T @ x)[1][:, -1]
        return (first @ target) ** 2

    assert_right(alignment, RNG.uniform(0.5, 1.5, 20), rtol=1e-9)


# -- a Kalman filter ------------------------------------------------------------------------------


def test_the_likelihood_of_a_kalman_filter():
    steps = RNG.normal(size=(8, 1))
    F, H = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[1.0, 0.0]])

    def negative_log_likelihood(log_q, log_r):
        Q, R = np.exp(log_q) * np.eye(2), np.exp(log_r) * np.eye(1)
        m, P, total = np.zeros(2), np.eye(2), 0.0
        for z in steps:
            m, P = F @ m, F @ P @ F.T + Q
            S = H @ P @ H.T + R
            gain = solve(S, H @ P, assume_a="pos").T
            residual = z - H @ m
            total = total + 0.5 * (
                residual @ solve(S, residual) + np.log(scipy.linalg.det(S)) + np.log(2 * np.pi)
            )
            m, P = m + gain @ residual, P - gain @ S @ gain.T
        return total

    assert_right(negative_log_likelihood, np.array(-2.0), np.array(-1.0))


def test_its_covariance_in_the_long_run():
    """By the Riccati equation, and by as many steps as it takes."""
    F, H = np.array([[1.0, 0.1], [0.0, 0.95]]), np.array([[1.0, 0.0]])

    def in_the_long_run(log_q, log_r):
        Q, R = np.exp(log_q) * np.eye(2), np.exp(log_r) * np.eye(1)
        return np.trace(scipy.linalg.solve_discrete_are(F.T, H.T, Q, R))

    def by_steps(log_q, log_r):
        Q, R = np.exp(log_q) * np.eye(2), np.exp(log_r) * np.eye(1)
        P = np.eye(2)
        for _ in range(200):
            P = F @ P @ F.T + Q
            P = P - P @ H.T @ np.linalg.solve(H @ P @ H.T + R, H @ P)
        return np.trace(F @ P @ F.T + Q)

    at = -1.0, -0.5
    for order in (lambda f: pb.grad(f, argnums=(0, 1)), lambda f: pb.grad(pb.grad(f))):
        np.testing.assert_allclose(order(in_the_long_run)(*at), order(by_steps)(*at), rtol=1e-9)


# -- photonic bands -------------------------------------------------------------------------------


def test_the_bands_of_a_photonic_crystal():
    """Plane waves in a layered medium, in blocks of two polarisations that a tilt couples."""
    count = 3
    orders = np.arange(-count, count + 1)

    def bands(inside, width, tilt):
        n = np.arange(2 * count + 1)
        coefficients = (1 / inside - 1.0) * width * np.sinc(n * width)
        kappa = toeplitz(coefficients + (n == 0))
        k = 2 * np.pi * (orders + 0.23)
        block = k[:, None] * kappa * k
        coupled = tilt * scipy.linalg.toeplitz(coefficients, coefficients)
        whole = np.block([[block, coupled], [coupled.T, 1.3 * block]])
        return np.sqrt(eigvalsh(whole))[:4]

    def gap(inside, width, tilt):
        return bands(inside, width, tilt) @ np.array([1.0, -1.0, 0.5, 0.25])

    assert_right(gap, np.array(4.0), np.array(0.4), np.array(0.3))
    report = str(pb.compile(pb.grad(gap)).report(4.0, 0.4, 0.3))
    assert "eigh" not in report or "Python" not in report


# -- the gradient flow of a matrix exponential ----------------------------------------------------


def test_a_rotation_by_the_exponential_of_a_skew_matrix():
    points = RNG.normal(size=(6, 3))
    turned = points @ scipy.linalg.expm(np.array([[0, -0.3, 0.2], [0.3, 0, -0.5], [-0.2, 0.5, 0]]))

    def misfit(w):
        skew = np.array([[0.0, -w[2], w[1]], [w[2], 0.0, -w[0]], [-w[1], w[0], 0.0]])
        return np.sum((points @ scipy.linalg.expm(skew) - turned) ** 2)

    assert_right(misfit, np.array([0.4, 0.1, 0.2]), rtol=1e-9)
    w = np.array([0.4, 0.1, 0.2])
    for _ in range(8):
        w = w - np.linalg.solve(pb.hessian(misfit)(w), pb.grad(misfit)(w))
    np.testing.assert_allclose(w, [0.5, 0.2, 0.3], rtol=1e-9)
