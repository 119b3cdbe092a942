"""Programs that look at eigenvalues and singular values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from benchmarks.workloads.scientific.program import Program

__all__ = ["by_eigh", "by_svd", "photonic"]

SAMPLES, FEATURES, KEPT = 200, 12, 3
DATA = np.random.default_rng(5).normal(size=(SAMPLES, FEATURES)) * np.linspace(3.0, 1.0, FEATURES)

WAVES = 10
BLOCH = np.linspace(0.05, 0.45, 8)
COEFFICIENTS = 1.0 / (1.0 + np.arange(2.0 * WAVES + 1) ** 2)
ORDERS = np.arange(-WAVES, WAVES + 1)


def components_by_eigh(np: Any) -> Callable[..., Any]:
    """What the first principal components leave of the data, by the covariance matrix."""

    def left(data: Any) -> Any:
        centred = data - np.mean(data, axis=0)
        _, vectors = np.linalg.eigh(centred.T @ centred / SAMPLES)
        kept = vectors[:, -KEPT:]
        return np.sum((centred - centred @ kept @ kept.T) ** 2) / SAMPLES

    return left


def components_by_svd(np: Any) -> Callable[..., Any]:
    """The same by singular values and vectors of the data."""

    def left(data: Any) -> Any:
        centred = data - np.mean(data, axis=0)
        u, s, vt = np.linalg.svd(centred, full_matrices=False)
        return np.sum((centred - (u[:, :KEPT] * s[:KEPT]) @ vt[:KEPT]) ** 2) / SAMPLES

    return left


def bands(np: Any, toeplitz: Callable[..., Any], eigvalsh: Callable[..., Any]) -> Any:
    """The gap between two bands of light in layers, by the layers' Fourier coefficients."""

    def gap(coefficients: Any) -> Any:
        inverse = toeplitz(coefficients) + np.eye(2 * WAVES + 1)
        lower, upper = [], []
        for wave in BLOCH:
            steps = wave + ORDERS
            squares = eigvalsh(steps[:, None] * inverse * steps)
            lower.append(squares[0])
            upper.append(squares[1])
        return np.sum(np.sqrt(np.stack(upper)) - np.sqrt(np.stack(lower)))

    return gap


PLACES = np.abs(ORDERS[:, None] - ORDERS)


def with_autograd(make: Callable[..., Any]) -> Callable[[], Callable[..., Any]]:
    def of_autograd() -> Callable[..., Any]:
        import autograd.numpy as anp

        return make(anp)

    return of_autograd


def with_jax(make: Callable[..., Any]) -> Callable[[], Callable[..., Any]]:
    def of_jax() -> Callable[..., Any]:
        import jax

        return make(jax.numpy)

    return of_jax


def indexed(np: Any) -> Callable[..., Any]:
    """The bands where there is no `toeplitz`, nor `eigvalsh`."""
    return bands(np, lambda each: each[PLACES], lambda matrix: np.linalg.eigh(matrix)[0])


def by_eigh() -> Program:
    """By `numpy.linalg.eigh`."""
    make = components_by_eigh
    return Program(
        f"principal components by eigh, {SAMPLES} × {FEATURES}",
        make(np),
        (DATA,),
        with_autograd(make),
        with_jax(make),
    )


def by_svd() -> Program:
    """By `numpy.linalg.svd`."""
    make = components_by_svd
    return Program(
        f"principal components by svd, {SAMPLES} × {FEATURES}",
        make(np),
        (DATA,),
        with_autograd(make),
        with_jax(make),
    )


def photonic() -> Program:
    """By `scipy.linalg.toeplitz` and `eigvalsh`."""
    return Program(
        f"a photonic band gap, {2 * WAVES + 1} waves at {len(BLOCH)} points",
        bands(np, scipy.linalg.toeplitz, scipy.linalg.eigvalsh),
        (COEFFICIENTS,),
        with_autograd(indexed),
        with_jax(indexed),
    )
