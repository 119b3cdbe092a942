"""Positions of elements, as NumPy code that compares and counts: recipes of `decomposition`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.graph.program import Equation

__all__ = ["argsort", "is_short", "position"]

_RANKED = 64
"""Up to how many elements are compared with one another to sort them.

Of eight numbers that takes a twentieth of a call of Python and NumPy, of a thousand rows of eight a
quarter; from a hundred on NumPy is as fast.
"""


def position(best: Callable[..., Any]) -> Callable[..., Any]:
    """Where the first of the largest or smallest elements is; a NaN is both."""

    def recipe(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
        rank = x.ndim
        if axis is None:
            x, axis = np.ravel(x), 0
        count = shape_of(x)[axis]
        top = best(x, axis=axis, keepdims=True)
        hit = (x == top) | (np.isnan(x) if dtype_of(x).kind == "f" else False)
        steps = [1] * x.ndim
        steps[axis] = count
        places = np.where(hit, np.arange(count).reshape(steps), count)
        found = np.min(places, axis=axis, keepdims=keepdims)
        return np.reshape(found, (1,) * rank) if keepdims and x.ndim != rank else found

    return recipe


def argsort(x: Any, *, axis: int | None = -1, kind: Any = None) -> Any:
    """Where each is that comes at a place: the place is how many come before, NaN last.

    Of equal ones the first comes first.
    """
    x, axis = (np.ravel(x), 0) if axis is None or not shape_of(x) else (x, axis)
    x = np.moveaxis(x, axis, -1)
    places = np.arange(shape_of(x)[-1])
    one, other = x[..., :, None], x[..., None, :]

    def less(a: Any, b: Any) -> Any:
        return np.logical_and(a == a, np.logical_not(a >= b))

    before = np.where(places < places[:, None], np.logical_not(less(one, other)), less(other, one))
    rank = np.sum(before, axis=-1)
    found = np.sum(np.where(rank[..., None, :] == places[:, None], places, 0), axis=-1)
    return np.moveaxis(found, -1, axis)


def is_short(equation: Equation) -> bool:
    """Whether an order is one that counting finds, and soon."""
    (x,) = equation.inputs
    shape, axis = shape_of(x), equation.params.get("axis", -1)
    count = math.prod(shape) if axis is None or not shape else shape[axis]
    return (
        equation.params.get("kind") == "stable"
        and count <= _RANKED
        and dtype_of(x).kind in "fiub"
        and dtype_of(x) != np.float16
    )
