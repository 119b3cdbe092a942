"""Sorting and searching. Sorted values are differentiable; positions are constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.primitive import bind
from pullback.core.shapes import is_inexact, shape_of
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.indexing import take, take_along_axis
from pullback.numpy.operands import operand, refuse
from pullback.numpy.registration import implements
from pullback.numpy.views import laid_like
from pullback.rules import sorting
from pullback.rules.strictness import is_strict, tie

__all__ = ["chosen", "in_rising_order", "ties"]


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
    out = in_rising_order(a, axis)
    return laid_like(a, chosen(out, ties(out, axis)))


def in_rising_order(a: Any, axis: int) -> Any:
    """The sorted elements, of which it is not asked yet whether they are tied."""
    places = bind(sorting.argsort, (a,), {"axis": axis, "kind": "stable"})
    return take_along_axis(a, places, axis)


def ties(y: Any, axis: int) -> Any:
    """Which elements equal another one along an axis; `None` where nobody minds."""
    if not is_strict() or not is_inexact(y):
        return None
    places = bind(sorting.argsort, (y,), {"axis": axis, "kind": "stable"})
    steps = np.diff(np.moveaxis(take_along_axis(y, places, axis), axis, -1))
    end = np.zeros((*shape_of(steps)[:-1], 1), bool)
    same = np.equal(steps, 0)
    found = np.concatenate([end, same], -1) | np.concatenate([same, end], -1)
    back = bind(sorting.argsort, (places,), {"axis": axis})
    return take_along_axis(np.moveaxis(found, -1, axis), back, axis)


def chosen(y: Any, tied: Any) -> Any:
    """`y`, whose elements were chosen among equal ones where they are tied."""
    return y if tied is None else bind(tie, (y, tied), {})


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
    out = take_along_axis(a, argpartition(a, kth, axis, kind, order), axis)
    return laid_like(a, chosen(out, ties(out, axis)))


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


decide(
    np, "argsort argpartition lexsort searchsorted digitize nonzero", Kind.CONSTANT,
    "positions, which jump",
)  # fmt: skip
