"""Deconvolution as people write it: by transforms of images, and by convolutions of SciPy."""

from __future__ import annotations

import numpy as np
import scipy.fft
import scipy.signal

import pullback as pb

RNG = np.random.default_rng(21)
SCENE = np.maximum(RNG.normal(size=(8, 9)), 0)
KERNEL = np.exp(-(np.arange(-1.0, 2)[:, None] ** 2) - np.arange(-1.0, 2) ** 2)
KERNEL /= np.sum(KERNEL)
SEEN = scipy.signal.convolve(SCENE, KERNEL, "same") + 0.01 * RNG.normal(size=SCENE.shape)


def by_numpy(x, k):
    """The blur around the edges, by transforms of both."""
    spectrum = np.fft.fft2(x) * np.fft.fft2(k, s=x.shape, axes=(0, 1))
    return np.sum((np.real(np.fft.ifft2(spectrum)) - SEEN) ** 2) + 0.1 * np.sum(x**2)


def by_scipy(x, k):
    spectrum = scipy.fft.rfft2(x) * scipy.fft.rfft2(k, s=x.shape)
    return np.sum((scipy.fft.irfft2(spectrum, s=x.shape) - SEEN) ** 2) + 0.1 * np.sum(x**2)


def by_convolution(x, k):
    blurred = scipy.signal.convolve(x, k, mode="same")
    steps = np.diff(x, axis=0)[:, :-1] ** 2 + np.diff(x, axis=1)[:-1] ** 2
    return np.sum((blurred - SEEN) ** 2) + 0.1 * np.sum(np.sqrt(steps + 1e-3))


def by_reflection(x, k):
    blurred = scipy.signal.convolve2d(x, k, mode="same", boundary="symm")
    return np.sum((blurred - SEEN) ** 2)


def test_gradients_against_differences():
    for loss in (by_numpy, by_scipy, by_convolution, by_reflection):
        point = (SCENE + 0.1, KERNEL)
        gradient = pb.grad(loss, (0, 1))
        for _ in range(3):
            dots = tuple(RNG.normal(size=x.shape) for x in point)
            step = 1e-5
            ahead = loss(*(x + step * dot for x, dot in zip(point, dots, strict=True)))
            behind = loss(*(x - step * dot for x, dot in zip(point, dots, strict=True)))
            inner = sum(np.sum(bar * dot) for bar, dot in zip(gradient(*point), dots, strict=True))
            np.testing.assert_allclose(inner, (ahead - behind) / (2 * step), rtol=1e-7)
        for ours, plain in zip(pb.compile(gradient)(*point), gradient(*point), strict=True):
            np.testing.assert_allclose(ours, plain, rtol=1e-10, atol=1e-12)


def test_each_step_of_descent_goes_down():
    x, slope = SEEN.copy(), pb.compile(pb.grad(by_convolution))
    for _ in range(20):
        before, x = by_convolution(x, KERNEL), x - 0.02 * slope(x, KERNEL)
        assert by_convolution(x, KERNEL) < before


def test_both_libraries_agree():
    np.testing.assert_allclose(by_numpy(SCENE, KERNEL), by_scipy(SCENE, KERNEL), rtol=1e-12)
    ours, theirs = (pb.grad(loss)(SCENE, KERNEL) for loss in (by_numpy, by_scipy))
    np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-13)
