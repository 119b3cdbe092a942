"""Triangles of square matrices, of which symmetric ones and their factors are made."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from pullback.core.shapes import shape_of

__all__ = ["folded", "halved", "places", "symmetrised", "triangle"]


@functools.lru_cache(8)
def places(n: int) -> tuple[Any, Any, Any]:
    """Which elements of a matrix of n rows are on the diagonal, below it, and either of these."""
    on, below = np.eye(n, dtype=bool), np.tri(n, k=-1, dtype=bool)
    found = on, below, on | below
    for each in found:
        each.flags.writeable = False
    return found


def triangle(a: Any, *, lower: bool = True) -> Any:
    """A triangle with its diagonal, and zeros in the other one."""
    within = places(shape_of(a)[-1])[2]
    return np.where(within if lower else within.T, a, 0)


def halved(a: Any) -> Any:
    """The lower triangle with half of the diagonal."""
    on, below, _ = places(shape_of(a)[-1])
    return np.where(below, a, np.where(on, 0.5 * a, 0))


def folded(a: Any, *, lower: bool = True) -> Any:
    """The derivative by one triangle where `a` is that by the whole of a Hermitian matrix."""
    on, below, _ = places(shape_of(a)[-1])
    return np.where(below if lower else below.T, 2 * a, np.where(on, a, 0))


def symmetrised(a: Any) -> Any:
    """The derivative by the lower triangle where `a` is that by the whole of a Hermitian matrix,
    of which it leaves the anti-Hermitian part to be taken out: `folded` of (A + Aᴴ)/2.
    """
    on, below, _ = places(shape_of(a)[-1])
    mirrored = np.conj(a.mT) if a.dtype.kind == "c" else a.mT
    return np.where(below, a + mirrored, np.where(on, np.real(a), 0))
