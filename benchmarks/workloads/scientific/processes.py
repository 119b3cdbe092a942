"""The likelihood of a Gaussian process, in three spellings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import scipy.stats

from benchmarks.workloads.scientific.program import Program

__all__ = ["by_cho_factor", "by_density", "by_solve"]

N = 100
POINTS = np.random.default_rng(0).uniform(0.0, 10.0, size=(N, 2))
OBSERVED = np.sin(POINTS[:, 0]) * np.cos(POINTS[:, 1] / 2)
THETA = np.array([0.3, 0.8, 0.1, -1.5])
"""Logarithms of two lengths, an amplitude and the noise."""


def covariance(np: Any, theta: Any) -> Any:
    """Of the squared exponential kernel, with noise."""
    scaled = POINTS / np.exp(theta[:2])
    squares = np.sum((scaled[:, None] - scaled[None]) ** 2, axis=-1)
    return np.exp(2 * theta[2] - 0.5 * squares) + np.exp(2 * theta[3]) * np.eye(N)


def cho_factor(theta: Any) -> Any:
    """−log p, by SciPy's factor and its solutions."""
    factor = scipy.linalg.cho_factor(covariance(np, theta), lower=True)
    weights = scipy.linalg.cho_solve(factor, OBSERVED)
    return 0.5 * OBSERVED @ weights + np.sum(np.log(np.diag(factor[0])))


def cholesky(np: Any, solve_triangular: Callable[..., Any]) -> Callable[..., Any]:
    """The same where there is no `cho_factor`."""

    def likelihood(theta: Any) -> Any:
        factor = np.linalg.cholesky(covariance(np, theta))
        whitened = solve_triangular(factor, OBSERVED, lower=True)
        return 0.5 * np.sum(whitened**2) + np.sum(np.log(np.diag(factor)))

    return likelihood


def with_autograd_factor() -> Callable[..., Any]:
    import autograd.numpy as anp
    from autograd.scipy.linalg import solve_triangular

    return cholesky(anp, solve_triangular)


def with_jax_factor() -> Callable[..., Any]:
    import jax

    return cholesky(jax.numpy, jax.scipy.linalg.solve_triangular)


def solving(np: Any) -> Callable[..., Any]:
    """−log p by a solution and a determinant."""

    def likelihood(theta: Any) -> Any:
        matrix = covariance(np, theta)
        weights = np.linalg.solve(matrix, OBSERVED)
        return 0.5 * OBSERVED @ weights + 0.5 * np.linalg.slogdet(matrix)[1]

    return likelihood


def with_autograd_solve() -> Callable[..., Any]:
    import autograd.numpy as anp

    return solving(anp)


def with_jax_solve() -> Callable[..., Any]:
    import jax

    return solving(jax.numpy)


def density(np: Any, logpdf: Callable[..., Any]) -> Callable[..., Any]:
    """−log p by the density of a normal distribution."""

    def likelihood(theta: Any) -> Any:
        return -logpdf(OBSERVED, np.zeros(N), covariance(np, theta))

    return likelihood


def with_autograd_density() -> Callable[..., Any]:
    import autograd.numpy as anp
    from autograd.scipy.stats import multivariate_normal

    return density(anp, multivariate_normal.logpdf)


def with_jax_density() -> Callable[..., Any]:
    import jax

    return density(jax.numpy, jax.scipy.stats.multivariate_normal.logpdf)


def by_cho_factor() -> Program:
    """By `scipy.linalg.cho_factor` and `cho_solve`."""
    return Program(
        f"a Gaussian process, {N} points, by cho_factor",
        cho_factor,
        (THETA,),
        with_autograd_factor,
        with_jax_factor,
    )


def by_solve() -> Program:
    """By `numpy.linalg.solve` and `slogdet`."""
    return Program(
        f"a Gaussian process, {N} points, by solve and slogdet",
        solving(np),
        (THETA,),
        with_autograd_solve,
        with_jax_solve,
    )


def by_density() -> Program:
    """By `scipy.stats.multivariate_normal`."""
    return Program(
        f"a Gaussian process, {N} points, by multivariate_normal",
        density(np, scipy.stats.multivariate_normal.logpdf),
        (THETA,),
        with_autograd_density,
        with_jax_density,
    )
