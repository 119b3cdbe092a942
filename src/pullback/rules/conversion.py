"""Conversion: the same elements in another dtype, or in memory of their own."""

from __future__ import annotations

import numpy as np

from pullback.core.shapes import Abstract, shape_of
from pullback.rules import operation_counts as counts
from pullback.rules import shape_rules as shapes
from pullback.rules.batching import aligned, reversed_axes
from pullback.rules.registration import rule

__all__ = ["astype", "copy"]


def _astype(x, *, dtype):
    return x.astype(dtype) if isinstance(x, np.ndarray | np.generic) else dtype.type(x)


def _astype_shape(_primitive, x, *, dtype):
    return Abstract(shape_of(x), dtype)


@rule(_astype, name="astype", batch=aligned, shape=_astype_shape, operations=counts.nothing)
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


@rule(
    _copy,
    name="copy",
    batch=_copy_batch,
    shape=shapes.unchanged,
    operations=counts.nothing,
    rearranges=True,
)
def copy(_y, _x, *, order):
    """y = x, with memory laid out in `order`: ẏ = ẋ and x̄ = ȳ."""
    return 1
