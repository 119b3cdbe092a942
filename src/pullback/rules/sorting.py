"""Sorting and searching: what they return are positions, which are constant."""

from __future__ import annotations

import numpy as np

from pullback.rules.registration import constant

__all__ = ["argpartition", "argsort", "digitize", "lexsort", "nonzero", "searchsorted"]


def _lexsort(*keys, axis):
    return np.lexsort(keys, axis)


argsort = constant(np.argsort)
argpartition = constant(np.argpartition)
searchsorted = constant(np.searchsorted)
digitize = constant(np.digitize)
lexsort = constant(_lexsort, name="lexsort")
nonzero = constant(np.nonzero, multiple=True)
