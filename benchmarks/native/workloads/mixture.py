"""A mixture of Gaussians: the log-likelihood of the ADBench benchmark, with its Wishart prior.

Each inverse covariance is QᵀQ, Q lower triangular with the exponentials of its first parameters on
the diagonal. Source: F. Srajer, Z. Kukelova, A. Fitzgibbon, "A benchmark of selected algorithmic
differentiation tools on some problems in computer vision and machine learning", Optimization
Methods and Software 33 (2018).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from benchmarks.native.problem import Problem

__all__ = ["mixture"]

GAMMA, M = 1.0, 0
"""Of the Wishart prior."""


def loss(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
    """The negative log-likelihood of n points of d numbers under k components.

    Parameters
    ----------
    alphas : array, shape (k,)
        Logarithms of the weights, up to a constant.
    means : array, shape (k, d)
    icf : array, shape (k, d (d + 1) / 2)
        The logarithms of each Q's diagonal, then what is below it.
    x : array, shape (n, d)
    """
    k, d = means.shape
    rows, columns = np.tril_indices(d, -1)
    Q = np.zeros((k, d, d), dtype=x.dtype)
    Q[:, rows, columns] = icf[:, d:]
    Q[:, np.arange(d), np.arange(d)] = np.exp(icf[:, :d])
    centred = np.einsum("kij,nkj->nki", Q, x[:, np.newaxis] - means)
    inner = alphas + np.sum(icf[:, :d], axis=1) - 0.5 * np.sum(centred**2, axis=2)
    likelihood = np.sum(scipy.special.logsumexp(inner, axis=1))
    likelihood = likelihood - len(x) * scipy.special.logsumexp(alphas)
    squares = np.sum(np.exp(icf[:, :d]) ** 2) + np.sum(icf[:, d:] ** 2)
    prior = 0.5 * GAMMA**2 * squares - M * np.sum(icf[:, :d])
    return constant(len(x), k, d) - likelihood - prior


def constant(n: int, k: int, d: int) -> float:
    """What does not depend on the parameters."""
    of_prior = d + M + 1
    weight = of_prior * d * (math.log(GAMMA) - 0.5 * math.log(2))
    weight -= float(scipy.special.multigammaln(0.5 * of_prior, d))
    return 0.5 * n * d * math.log(2 * math.pi) + k * weight


def with_jax(jax: Any) -> Callable[..., Any]:
    """With one product of matrices for all components: Q x − Q μ."""
    jnp, logsumexp = jax.numpy, jax.scipy.special.logsumexp

    def loss(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
        k, d = means.shape
        diagonal = jnp.exp(icf[:, :d])
        Q = jnp.zeros((k, d, d), dtype=x.dtype)
        Q = Q.at[:, *np.tril_indices(d, -1)].set(icf[:, d:])
        Q = Q.at[:, np.arange(d), np.arange(d)].set(diagonal)
        centred = (x @ Q.reshape(k * d, d).T).reshape(-1, k, d)
        centred = centred - jnp.einsum("kij,kj->ki", Q, means)
        inner = alphas + jnp.sum(icf[:, :d], axis=1) - 0.5 * jnp.sum(centred**2, axis=2)
        likelihood = jnp.sum(logsumexp(inner, axis=1)) - len(x) * logsumexp(alphas)
        squares = jnp.sum(diagonal**2) + jnp.sum(icf[:, d:] ** 2)
        prior = 0.5 * GAMMA**2 * squares - M * jnp.sum(icf[:, :d])
        return constant(len(x), k, d) - likelihood - prior

    return loss


def in_batches(jax: Any) -> Callable[..., Any]:
    """As it is in NumPy."""
    jnp, logsumexp = jax.numpy, jax.scipy.special.logsumexp

    def loss(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
        k, d = means.shape
        diagonal = jnp.exp(icf[:, :d])
        Q = jnp.zeros((k, d, d), dtype=x.dtype)
        Q = Q.at[:, *np.tril_indices(d, -1)].set(icf[:, d:])
        Q = Q.at[:, np.arange(d), np.arange(d)].set(diagonal)
        centred = jnp.einsum("kij,nkj->nki", Q, x[:, None] - means)
        inner = alphas + jnp.sum(icf[:, :d], axis=1) - 0.5 * jnp.sum(centred**2, axis=2)
        likelihood = jnp.sum(logsumexp(inner, axis=1)) - len(x) * logsumexp(alphas)
        squares = jnp.sum(diagonal**2) + jnp.sum(icf[:, d:] ** 2)
        prior = 0.5 * GAMMA**2 * squares - M * jnp.sum(icf[:, :d])
        return constant(len(x), k, d) - likelihood - prior

    return loss


def with_torch(torch: Any) -> Callable[..., Any]:
    """With one product of matrices for all components, too."""

    def loss(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
        k, d = means.shape
        diagonal = torch.exp(icf[:, :d])
        rows, columns = torch.tril_indices(d, d, -1)
        below = torch.zeros((k, d, d), dtype=x.dtype)
        below[:, rows, columns] = icf[:, d:]
        Q = below + torch.diag_embed(diagonal)
        shift = torch.einsum("kij,kj->ki", Q, means).reshape(-1)
        centred = torch.addmm(-shift, x, Q.reshape(k * d, d).T).reshape(-1, k, d)
        inner = alphas + icf[:, :d].sum(1) - 0.5 * (centred**2).sum(2)
        likelihood = torch.logsumexp(inner, 1).sum() - len(x) * torch.logsumexp(alphas, 0)
        squares = (diagonal**2).sum() + (icf[:, d:] ** 2).sum()
        prior = 0.5 * GAMMA**2 * squares - M * icf[:, :d].sum()
        return constant(len(x), k, d) - likelihood - prior

    return loss


def mixture(
    n: int, d: int, k: int, dtype: Any = np.float64, two_threads: float | None = None
) -> Problem:
    """n points of d numbers, k components; the gradient by all of their parameters."""
    rng = np.random.default_rng(0)
    arguments = (
        rng.normal(size=k),
        rng.uniform(size=(k, d)),
        rng.normal(size=(k, d * (d + 1) // 2)),
        rng.normal(size=(n, d)),
    )
    return Problem(
        f"Gaussian mixture, n = {n:,}, d = {d}, k = {k}, {np.dtype(dtype)}",
        loss,
        tuple(argument.astype(dtype) for argument in arguments),
        jax=with_jax,
        torch=with_torch,
        other={"in batches": in_batches},
        two_threads=two_threads,
        first=0.4,
        argnums=(0, 1, 2),
        rtol=1e-3 if np.dtype(dtype) == np.float32 else 1e-9,
    )
