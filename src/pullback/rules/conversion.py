"""Conversion: the same elements in another dtype, or in memory of their own."""

from __future__ import annotations

import numpy as np

from pullback.core.structure import View
from pullback.core.structure.axes import reversed_axes
from pullback.core.structure.loops import along, moved
from pullback.rules.registration import elementwise, rule

__all__ = ["astype", "copy"]


def _astype(x, *, dtype):
    return x.astype(dtype) if isinstance(x, np.ndarray | np.generic) else dtype.type(x)


@elementwise(_astype, count=0, cheap=True)
def astype(_y, _x, *, dtype):
    """y = x in another precision, or as a complex number: ẏ = ẋ and x̄ = ȳ, in their dtypes.

    The adjoint of ℝ → ℂ is the real part. Integers and booleans carry no derivative.
    """
    return 1


def _copy(x, *, order):
    return np.array(x, order=order)


def _copy_batch(primitive, _size, _mapped, values, params):
    """Each example is laid out in `order`; "A" is the business of who knows the layout."""
    (x,) = values
    if params["order"] != "F":
        return primitive(x, **params)
    return reversed_axes(primitive(reversed_axes(x), order="C"))


def _where_it_is(_primitive, shape, **_):
    return moved(shape, along(*range(len(shape))))


@rule(_copy, View(_where_it_is, _copy_batch, shares=False))
def copy(_y, _x, *, order):
    """y = x, with memory laid out in `order`: ẏ = ẋ and x̄ = ȳ."""
    return 1
