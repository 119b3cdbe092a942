"""Interning: constants with the same elements are one, and so are those that are its transpose.

Small arrays are looked up by their elements. Of large ones a few are compared first, those on the
diagonal, which are the same of a transposed array; all of them only where these agree.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from pullback.graph.variable import Variable

__all__ = ["LARGE", "Interned"]

LARGE = 1 << 16
"""The bytes of the largest constants that are looked up by all of their elements."""

SAMPLED = 64
"""How many elements of a larger one are compared first."""

MOST_ALIKE = 16
"""With how many constants that agree in these a constant is compared."""

Array = np.ndarray[Any, Any]


class Interned:
    """The constants of a graph so far, by their elements: the same bits in the same dtype."""

    def __init__(self) -> None:
        self._small: dict[Any, Variable] = {}
        self._large: dict[Any, list[tuple[Array, Variable]]] = defaultdict(list)

    def find(self, array: Array, variable: Variable) -> tuple[Variable, bool]:
        """The variable of an equal constant, or of its transpose, and whether it is the latter.

        It is `variable`, from now on, if there is none.
        """
        if array.nbytes <= LARGE:
            key = (array.dtype, array.shape, array.tobytes())
            return self._small.setdefault(key, variable), False
        alike = self._large[array.dtype, tuple(sorted(array.shape)), _sample(array)]
        for other, known in alike:
            if _same(array, other):
                return known, False
        for other, known in alike:
            if array.ndim == 2 and _same(array.T, other):
                return known, True
        if len(alike) < MOST_ALIKE:
            alike.append((array, variable))
        return variable, False


def _sample(array: Array) -> bytes:
    """The bits of some elements of the diagonal."""
    extent = min(array.shape)
    places = np.linspace(0, extent - 1, min(extent, SAMPLED)).astype(np.intp)
    return array[(places,) * array.ndim].tobytes()


def _same(one: Array, other: Array) -> bool:
    """Whether two arrays of one dtype have the same bits."""
    if one is other:
        return True
    if one.shape != other.shape:
        return False
    if one.dtype.kind == "c":
        return _same(one.real, other.real) and _same(one.imag, other.imag)
    size = one.dtype.itemsize
    if size > 8:
        return False  # some of the bytes may mean nothing
    return np.array_equal(one.view(f"u{size}"), other.view(f"u{size}"))
