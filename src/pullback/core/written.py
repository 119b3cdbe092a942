"""Writes to an array while a function runs, noticed without a copy of it."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["WHOLE", "glimpse"]

WHOLE = 4096
"""Up to how many bytes an array is compared whole: that takes a fraction of a microsecond."""

_MOST = 16
"""How many places along an axis are looked at of a larger one."""


def glimpse(array: np.ndarray[Any, Any]) -> bytes:
    """All elements of a small array; of a large one some, spread over it.

    If two glimpses of an array differ, it was written to in between. That they don't proves it for
    a small array alone. A checksum of a large one, before and after, runs at the speed of memory,
    as cheap gradients do: it takes a third of the time of that of a matrix–vector product. To make
    the array read-only meanwhile would not do: views that exist stay writable, those that are made
    meanwhile never become so, and others that see it would take it for one that never changes.
    """
    if array.nbytes <= WHOLE:
        return array.tobytes()
    few = max(2, _MOST >> (2 * (array.ndim - 1)))
    return array[tuple([slice(None, None, -(-n // few) or 1) for n in array.shape])].tobytes()
