"""log Σ exp xᵢ, written with the maximum taken out."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.native.problem import BEST, Problem

__all__ = ["logsumexp"]


def loss(x: Any) -> Any:
    largest = np.max(x)
    return largest + np.log(np.sum(np.exp(x - largest)))


def logsumexp(size: int, most: float = 0.25) -> Problem:
    """Of a vector of `size` elements."""
    return Problem(
        f"logsumexp, n = {size:,}",
        loss,
        (np.random.default_rng(0).normal(size=size),),
        jax=lambda jax: jax.nn.logsumexp,
        torch=lambda torch: lambda x: torch.logsumexp(x, 0),
        bounds={BEST: most},
    )
