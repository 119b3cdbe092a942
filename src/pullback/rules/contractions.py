"""Contractions: products that sum over shared axes."""

from __future__ import annotations

import numpy as np

from pullback.core.linear import Linear
from pullback.rules.registration import rule

__all__ = ["matmul"]


def transposed(a):
    """Aᵀ, and the conjugate transpose of a complex A, over the last two axes."""
    a = np.swapaxes(a, -1, -2)
    return np.conj(a) if a.dtype.kind == "c" else a


@rule(np.matmul)
def matmul(_c, a, b):
    """C = AB: Ċ = ȦB + AḂ, Ā = C̄Bᵀ, B̄ = AᵀC̄."""
    return (
        Linear(lambda a_dot: a_dot @ b, lambda c_bar: c_bar @ transposed(b)),
        Linear(lambda b_dot: a @ b_dot, lambda c_bar: transposed(a) @ c_bar),
    )
