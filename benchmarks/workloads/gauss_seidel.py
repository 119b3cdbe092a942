"""A sweep of the Gauss–Seidel method: ten thousand writes of single elements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import pullback as pb
from benchmarks.peers import torch
from benchmarks.workload import Workload

__all__ = ["gauss_seidel"]

N = 100


def sweep(u: Any, f: Any) -> Any:
    """One sweep for −Δu = f (the mesh width in f), each element at once in the place of the old."""
    for i in range(1, N + 1):
        for j in range(1, N + 1):
            u[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1] + f[i, j])
    return u


def by_hand(u: Any, f: Any) -> Sequence[Any]:
    """The gradients of ½‖u‖² after the sweep: the same sweep, backwards."""
    u_bar, f_bar = sweep(u.copy(), f), np.zeros_like(f)
    for i in range(N, 0, -1):
        for j in range(N, 0, -1):
            bar = 0.25 * u_bar[i, j]
            u_bar[i, j] = 0.0
            u_bar[i - 1, j] += bar
            u_bar[i + 1, j] += bar
            u_bar[i, j - 1] += bar
            u_bar[i, j + 1] += bar
            f_bar[i, j] += bar
    return u_bar, f_bar


def gauss_seidel() -> Workload:
    """A sweep over 100 × 100 elements, the gradients of ½‖u‖² for initial values and f."""
    rng = np.random.default_rng(0)
    u, f = rng.normal(size=(N + 2, N + 2)), rng.normal(size=(N + 2, N + 2))

    def loss(u: Any, f: Any) -> Any:
        return 0.5 * np.sum(sweep(u.copy(), f) ** 2)

    gradient = pb.grad(loss, argnums=(0, 1))
    contenders: dict[str, Callable[[], Sequence[Any]]] = {
        "by hand": lambda: by_hand(u, f),
        "pullback": lambda: gradient(u, f),
    }
    if torch is not None:
        leaves = [torch.from_numpy(array).requires_grad_() for array in (u, f)]

        def torch_gradient() -> Sequence[Any]:
            u, f = leaves
            return torch.autograd.grad(0.5 * (sweep(u.clone(), f) ** 2).sum(), leaves)

        contenders["PyTorch"] = torch_gradient
    title = f"gradient of a Gauss–Seidel sweep, {N * N:,} writes of elements"
    return Workload("gauss-seidel", title, contenders)
