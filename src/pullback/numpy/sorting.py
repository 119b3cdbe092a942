"""Sorting and searching. Sorted values are differentiable; positions are constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.primitive import bind
from pullback.core.shapes import shape_of
from pullback.numpy.indexing import take, take_along_axis
from pullback.numpy.operands import operand, refuse
from pullback.numpy.registration import implements
from pullback.numpy.views import laid_like
from pullback.rules import sorting

__all__ = ["argpartition", "argsort", "argwhere", "digitize", "flatnonzero", "lexsort", "nonzero",
           "partition", "searchsorted", "sort", "sort_complex"]  # fmt: skip


def _refuse_order(function: str, order: Any) -> None:
    if order is not None:
        refuse(function, "order", order, "it is for arrays with fields; leave it out")


@implements(np.argsort)
def argsort(
    a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None
) -> Any:
    _refuse_order("numpy.argsort", order)
    options = {"stable": stable} if stable is not None else {"kind": kind}
    return bind(sorting.argsort, (operand(a),), {"axis": axis, **options})


@implements(np.sort)
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Any:
    """The derivative permutes with the values. Equal elements keep their order."""
    _refuse_order("numpy.sort", order)
    a = operand(a)
    if axis is None:
        a, axis = np.ravel(a), -1
    places = bind(sorting.argsort, (a,), {"axis": axis, "kind": "stable"})
    return laid_like(a, take_along_axis(a, places, axis))


@implements(np.sort_complex)
def sort_complex(a: Any) -> Any:
    a = operand(a)
    return sort(a) if a.dtype.kind == "c" else np.astype(sort(a), np.complex128)


@implements(np.argpartition)
def argpartition(
    a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Any:
    _refuse_order("numpy.argpartition", order)
    return bind(sorting.argpartition, (operand(a),), {"kth": kth, "axis": axis, "kind": kind})


@implements(np.partition)
def partition(
    a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None
) -> Any:
    """The derivative permutes with the values."""
    a = operand(a)
    if axis is None:
        a, axis = np.ravel(a), -1
    return laid_like(a, take_along_axis(a, argpartition(a, kth, axis, kind, order), axis))


@implements(np.lexsort)
def lexsort(keys: Any, axis: int = -1) -> Any:
    return bind(sorting.lexsort, tuple(operand(key) for key in keys), {"axis": axis})


@implements(np.searchsorted)
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    a = operand(a)
    if sorter is not None:
        a = take(a, sorter)
    return bind(sorting.searchsorted, (a, operand(v)), {"side": side})


@implements(np.digitize)
def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    return bind(sorting.digitize, (operand(x), operand(bins)), {"right": right})


@implements(np.nonzero)
def nonzero(a: Any) -> tuple[Any, ...]:
    a = operand(a)
    if not shape_of(a):
        raise ValueError(
            "numpy.nonzero: a scalar has no positions; use np.atleast_1d(x), or x != 0"
        )
    positions: tuple[Any, ...] = bind(sorting.nonzero, (a,), {})
    return positions


@implements(np.flatnonzero)
def flatnonzero(a: Any) -> Any:
    return nonzero(np.ravel(operand(a)))[0]


@implements(np.argwhere)
def argwhere(a: Any) -> Any:
    a = operand(a)
    if not shape_of(a):
        return np.argwhere(bool(a))
    return np.transpose(nonzero(a))
