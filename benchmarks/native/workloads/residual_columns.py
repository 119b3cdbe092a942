"""A residual network whose samples are the columns of Y, its parameters in lists.

F(Y) = tanh(wᵀ Φ_{K−1}(… Φ_0(Y)) + μ),  Φ_k(Y) = Y + h tanh(W_k Y + b_k),  and ½‖F(Y) − c‖² is
differentiated by all of its parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.native.problem import BEST, Problem, in_jax

__all__ = ["residual_columns"]

H = 0.05


def written(np: Any) -> Callable[..., Any]:
    def loss(parameters: dict[str, Any], Y: Any, c: Any) -> Any:
        for W, b in zip(parameters["W"], parameters["b"], strict=True):
            Y = Y + H * np.tanh(W @ Y + b)
        return 0.5 * np.sum((np.tanh(parameters["w"] @ Y + parameters["mu"]) - c) ** 2)

    return loss


def with_torch(torch: Any) -> Callable[..., Any]:
    def loss(parameters: dict[str, Any], Y: Any, c: Any) -> Any:
        for W, b in zip(parameters["W"], parameters["b"], strict=True):
            Y = torch.add(Y, torch.tanh(torch.addmm(b, W, Y)), alpha=H)
        return 0.5 * ((torch.tanh(parameters["w"] @ Y + parameters["mu"]) - c) ** 2).sum()

    return loss


def residual_columns(
    d: int,
    m: int,
    layers: int = 20,
    dtype: Any = np.float64,
    one_thread: float | None = None,
    two_threads: float | None = None,
) -> Problem:
    """m samples of d numbers through so many layers.

    Parameters
    ----------
    d, m, layers : int
    dtype : dtype
    one_thread, two_threads : float, optional
        The bounds.
    """
    rng = np.random.default_rng(0)

    def normal(*shape: int, scale: float = 1.0) -> Any:
        return rng.normal(scale=scale, size=shape).astype(dtype, copy=False)

    parameters = {
        "W": [normal(d, d, scale=d**-0.5) for _ in range(layers)],
        "b": [normal(d, 1) for _ in range(layers)],
        "w": normal(d, scale=d**-0.5),
        "mu": np.array(0.1, dtype=dtype),
    }
    single = np.dtype(dtype) == np.float32
    return Problem(
        f"residual net by columns, d = {d}, m = {m:,}, K = {layers}, {np.dtype(dtype)}",
        written(np),
        (parameters, normal(d, m), rng.uniform(-0.9, 0.9, size=m).astype(dtype, copy=False)),
        jax=in_jax(written),
        torch=with_torch,
        bounds={} if one_thread is None else {BEST: one_thread},
        two_threads=two_threads,
        first=0.4,
        rtol=1e-4 if single else 1e-9,
    )
