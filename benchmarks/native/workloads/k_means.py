"""A direction for k-means: the gradient and the diagonal Hessian of its cost.

Σᵢ min_k ‖xᵢ − c_k‖², whose Hessian by the centres is diagonal, so that its product with ones is
the diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.native.problem import Problem

__all__ = ["k_means"]


def cost(np: Any, centres: Any, x: Any) -> Any:
    """As it is written down."""
    distances = np.sum((x[:, None] - centres) ** 2, axis=2)
    return np.sum(np.min(distances, axis=1))


def multiplied_out(np: Any, centres: Any, x: Any) -> Any:
    """With a product of matrices: ‖x‖² − 2 x·c + ‖c‖²."""
    distances = np.sum(centres**2, axis=1) - 2 * (x @ centres.T)
    return np.sum(x**2) + np.sum(np.min(distances, axis=1))


def direction(centres: Any, x: Any) -> Any:
    """Gradient and diagonal of the Hessian, forward over reverse."""
    gradient = pb.grad(lambda centres: cost(np, centres, x))
    return pb.pushforward(gradient, (centres,), (np.ones_like(centres),))


def with_jax(cost: Callable[..., Any]) -> Callable[[Any], Callable[..., Any]]:
    def spelling(jax: Any) -> Callable[..., Any]:
        def direction(centres: Any, x: Any) -> Any:
            gradient = jax.grad(lambda centres: cost(jax.numpy, centres, x))
            return jax.jvp(gradient, (centres,), (jax.numpy.ones_like(centres),))

        return direction

    return spelling


def with_torch(torch: Any) -> Callable[..., Any]:
    """Multiplied out, and reverse over reverse."""

    def direction(centres: Any, x: Any) -> Any:
        centres.requires_grad_()
        distances = torch.addmm((centres**2).sum(1), x, centres.T, alpha=-2)
        cost = (x**2).sum() + distances.min(1).values.sum()
        (gradient,) = torch.autograd.grad(cost, centres, create_graph=True)
        (diagonal,) = torch.autograd.grad(gradient.sum(), centres)
        return gradient.detach(), diagonal

    return direction


def by_hand(centres: Any, x: Any) -> list[Any]:
    """2 Σ (c_k − xᵢ) and twice the number of a centre's points."""
    distances = np.sum(centres**2, axis=1) - 2 * (x @ centres.T)
    nearest = np.argmin(distances, axis=1)
    counts = np.bincount(nearest, minlength=len(centres)).astype(x.dtype)[:, None]
    sums = np.zeros_like(centres)
    np.add.at(sums, nearest, x)
    return [2 * (counts * centres - sums), np.broadcast_to(2 * counts, centres.shape)]


def k_means(
    k: int = 100,
    n: int = 10_000,
    d: int = 8,
    dtype: Any = np.float64,
    two_threads: float | None = None,
) -> Problem:
    """n points of d numbers, k centres."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, d)).astype(dtype)
    return Problem(
        f"k-means direction, k = {k}, n = {n:,}, d = {d}, {np.dtype(dtype)}",
        direction,
        (x[:k] + np.asarray(0.01, dtype=dtype), x),
        jax=with_jax(multiplied_out),
        torch=with_torch,
        other={"as written": with_jax(cost)},
        derivative="as written",
        by_hand=by_hand,
        two_threads=two_threads,
        first=0.4,
        rtol=1e-4 if np.dtype(dtype) == np.float32 else 1e-9,
    )
