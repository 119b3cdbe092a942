"""Periodic kernels that `scipy.special` has in Python."""

from __future__ import annotations

import numpy as np
import scipy.special as sc

from pullback.rules.registration import elementwise

__all__ = ["diric"]


def _diric(x, *, n, order=0):
    """Dirichlet's kernel, and of its derivatives the sums over its n frequencies."""
    if order == 0:
        return sc.diric(x, n)
    frequencies = (n - 1) / 2 - np.arange(n)
    angles = np.multiply.outer(x, frequencies)
    waves = (np.cos, np.sin, np.cos, np.sin)[order % 4](angles)
    waves = -waves if order % 4 in (1, 2) else waves
    dtype = np.result_type(x)
    return np.asarray(waves @ (frequencies**order / n), dtype if dtype.kind == "f" else float)[()]


@elementwise(_diric)
def diric(_y, x, *, n, order=0):
    """y = sin(nx/2)/(n·sin(x/2)) = Σ cos(((n − 1)/2 − k)·x)/n, or a derivative of it.

    The sum of n terms has no singular points, at the multiples of 2π.
    """
    return diric(x, n=n, order=order + 1)
