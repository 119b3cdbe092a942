"""Directions on the scale of what they perturb, in numbers that add without rounding.

The entries of a direction are a power of two, the scale, times a mantissa of three bits. Steps
along it are powers of two as well, so that x ± hd is exact down to steps of a few units in the last
place of x, and f(x + hd) − f(x − hd) belongs to precisely the perturbation that was meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import Abstract

__all__ = ["NOISE_SAMPLES", "Array", "direction", "groups", "nudges", "scales", "shaken"]

Array = np.ndarray[Any, Any]

NOISE_SAMPLES = 4
"""How often a number is evaluated again from inputs that differ by roundings."""

_MANTISSAS = np.array([1.0, 1.25, 1.5, 1.75])
_WIDTH = 20
"""Octaves of magnitude that one direction spans: a factor of 10⁶."""
_GROUPS = 8
"""How many groups of magnitudes at most."""


def _exponents(x: Array) -> Array:
    """⌊log₂|x|⌋, elementwise; 0 where x is 0."""
    exponents: Array = np.frexp(np.abs(x))[1] - 1
    return exponents


def scales(x: Array) -> Array:
    """The natural size of a perturbation of each element: a power of two.

    Elements within a factor of a thousand of the array's median share the median's scale; others
    have their own; zeros have the median's, or 1 in an array of zeros.
    """
    real = np.zeros(0).astype(np.result_type(x)).real.dtype
    live = (x != 0) & np.isfinite(x)
    if not live.any():
        return np.ones(np.shape(x), real)
    exponents = _exponents(x)
    median = int(np.median(exponents[live]))
    apart = live & (np.abs(exponents - median) > _WIDTH // 2)
    limits = np.finfo(real)
    chosen = np.clip(np.where(apart, exponents, median), limits.minexp + 2, limits.maxexp - 3)
    powers: Array = np.ldexp(np.ones(np.shape(x), real), chosen)
    return powers


def groups(scale: Array) -> Iterator[Array]:
    """Masks that part an array into elements of like scale.

    What a tiny element contributes to a result would drown in what a huge one does; so each group
    moves alone.
    """
    if not scale.size:
        return
    exponents = _exponents(scale)
    lowest, highest = int(exponents.min()), int(exponents.max())
    width = max(_WIDTH, -(-(highest - lowest + 1) // _GROUPS))
    common = int(np.median(exponents))
    bins = np.floor_divide(exponents - common + width // 2, width)
    for number in np.unique(bins):
        yield bins == number


def direction(scale: Array, like: Abstract, rng: np.random.Generator) -> Array:
    """A random array of the shape and dtype of `like`, of the size `scale`, elementwise."""

    def part() -> Array:
        signs = rng.choice([-1.0, 1.0], like.shape)
        return np.asarray(scale * (signs * rng.choice(_MANTISSAS, like.shape)))

    values = part() + 1j * part() if like.dtype.kind == "c" else part()
    return np.asarray(values).astype(like.dtype)


def shaken(arrays: Sequence[Array], rng: np.random.Generator) -> list[Array]:
    """Arrays that differ from these by a unit or two in the last place."""
    return [
        np.asarray(x * (1 + rng.integers(-2, 3, x.shape) * np.finfo(x.dtype).eps)).astype(x.dtype)
        for x in arrays
    ]


def nudges(arrays: Sequence[Array], rng: np.random.Generator) -> list[Array]:
    """Perturbations of a unit or two in the last place, exact when added and when subtracted."""

    def part(x: Array) -> Array:
        return np.asarray(rng.choice([-2, -1, 1, 2], x.shape) * np.where(x == 0, 0, np.spacing(x)))

    return [
        np.asarray(part(x.real) + 1j * part(x.imag) if x.dtype.kind == "c" else part(x)).astype(
            x.dtype
        )
        for x in arrays
    ]
