"""Where points lie between breakpoints.

A point belongs to the interval [xᵢ, xᵢ₊₁) that begins at it or before it, the last of which has its
end too, and one beyond the ends to the interval next to it. So at a breakpoint a derivative is that
of the piece to the right, as SciPy's own derivatives are, and at the last one of the piece to the
left. Which interval it is does not depend on a point differentiably.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import Abstract, shape_of
from pullback.core.structure import Opaque
from pullback.core.tracing import known, strip
from pullback.rules.indexing import ARRAY, index
from pullback.rules.registration import constant

__all__ = ["inside", "located", "nearest_of", "periodic", "simplex_of", "taken"]


def located(breakpoints: Any, x: Any, first: int = 0, beyond: int = 0) -> Any:
    """The number of the interval between ascending or descending breakpoints, for each point.

    It is `first` at least, and the last one but for the `beyond` ones at the end.
    """
    last = shape_of(breakpoints)[0] - 2 - beyond
    sign = _direction(breakpoints)
    if sign is not None:
        breakpoints, x = breakpoints * sign, x * sign
    return np.clip(np.searchsorted(breakpoints, x, side="right") - 1, first, last)


def _direction(breakpoints: Any) -> Any:
    """1 for ascending breakpoints, -1 for descending ones; `None` where all are known to ascend."""
    descends = breakpoints[-1] < breakpoints[0]
    if known(descends) and not np.any(strip(descends)):
        return None
    return np.where(descends, -1.0, 1.0)


def inside(breakpoints: Any, x: Any) -> Any:
    """Whether points are between the first and the last breakpoint; what is no number is not."""
    first, last = breakpoints[0], breakpoints[-1]
    sign = _direction(breakpoints)
    if sign is not None:
        first, last, x = first * sign, last * sign, x * sign
    return (x >= first) & (x <= last)


def periodic(first: Any, last: Any, x: Any) -> Any:
    """Points moved by whole periods to [first, last)."""
    return first + (x - first) % (last - first)


def taken(x: Any, places: Any, axis: int = 0) -> Any:
    """The elements of an array at places along an axis, any of both traced."""
    return index(x, places, key=(slice(None),) * axis + (ARRAY,))


# -- in structures of SciPy's ----------------------------------------------------------------------


def _looked_up(x: Any, *, finder: Any, method: str) -> Any:
    rows = np.reshape(x, (-1, x.shape[-1]))
    found = finder.find_simplex(rows) if method == "simplex" else finder.query(rows)[1]
    return np.reshape(found, x.shape[:-1]).astype(np.int64)


def _as_rows(primitive: Any, x: Any, **_params: Any) -> Any:
    return Abstract(shape_of(x)[:-1], np.dtype(np.int64))


def _over_batches(primitive: Any, _size: int, _mapped: Any, values: Any, params: Any) -> Any:
    return primitive(*values, **params)


_look_up = constant(_looked_up, Opaque(_as_rows, _over_batches, count=1), name="look_up_points")
"""The numbers that SciPy finds for points in rows, which is a step in them."""


def simplex_of(triangulation: Any, x: Any) -> Any:
    """The number of the simplex that each point is in, and −1 where it is in none."""
    return _look_up(x, finder=triangulation, method="simplex")


def nearest_of(tree: Any, x: Any) -> Any:
    """The number of the point of a tree that is nearest to each point."""
    return _look_up(x, finder=tree, method="nearest")
