"""Sorting and searching: what they return are positions, which are constant."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Opaque, rowwise
from pullback.core.structure.axes import aligned, flattened, joined, rank_of, size_of
from pullback.core.tracing import is_plain
from pullback.errors import DataDependenceError
from pullback.rules.registration import constant

__all__ = ["argpartition", "argsort", "digitize", "lexsort", "nonzero", "searchsorted"]


def _lexsort(*keys, axis):
    return np.lexsort(keys, axis)


def _searchsorted_batch(primitive, _size, mapped, values, params):
    (a, v), (a_mapped, v_mapped) = values, mapped
    if not a_mapped:
        return primitive(a, v, **params)
    # Positions in many sorted arrays: how many of each are smaller.
    before = np.less_equal if params.get("side") == "right" else np.less
    rank = rank_of(v) - v_mapped
    a = np.reshape(a, (shape_of(a)[0], *(1,) * rank, shape_of(a)[1]))
    return np.count_nonzero(before(a, np.expand_dims(v, -1)), axis=-1)


def _digitize_batch(primitive, _size, mapped, values, params):
    if mapped[1]:
        raise DataDependenceError(
            "vmap: numpy.digitize: the bins are mapped; use np.searchsorted(bins, x) instead"
        )
    return primitive(*values, **params)


def _nonzero_batch(*_):
    raise DataDependenceError(
        "vmap: nonzero: the number of nonzero elements differs from one example to the next"
    )


_INTP = np.dtype(np.intp)


def _order(_primitive, x, *, axis=-1, **_):
    """The positions, along an axis or in the flat array, of all elements in another order.

    A scalar is taken to be an array of one element.
    """
    shape = shape_of(x) or (1,)
    if axis is None:
        return Abstract((math.prod(shape),), _INTP)
    normalize_axis_index(axis, len(shape))
    return Abstract(shape, _INTP)


def _nonzero_shape(_primitive, x):
    """The positions of the elements that are not zero, of which there are as many as there are."""
    if not is_plain(x, np.ndarray | np.generic):
        raise DataDependenceError(
            f"nonzero: the number of nonzero elements of an array of dtype {dtype_of(x)} "
            f"and shape {shape_of(x)} depends on values that are not known while the function is "
            "recorded; keep all elements and choose between values with np.where(condition, a, b)"
        )
    return (Abstract((int(np.count_nonzero(x)),), _INTP),) * len(shape_of(x))


def _levels(extent):
    """log₂ of an extent, rounded up."""
    return max(extent - 1, 0).bit_length()


def _sorting(_out, *keys, axis=-1, **_):
    """n log₂ n comparisons along an axis of n elements, for each key."""
    size, shape = size_of(keys[0]), shape_of(keys[0]) or (1,)
    return len(keys) * size * _levels(size if axis is None else shape[axis])


def _search(n):
    """log₂ n comparisons for each element that is looked up among n."""
    return _levels(n + 1)


argsort = constant(np.argsort, Opaque(_order, flattened, count=_sorting))
argpartition = constant(np.argpartition, Opaque(_order, flattened, count=_sorting))
searchsorted = constant(
    np.searchsorted, rowwise("(n),()->()", _search, batching=_searchsorted_batch)
)
digitize = constant(np.digitize, rowwise("(),(n)->()", _search, batching=_digitize_batch))
lexsort = constant(_lexsort, Opaque(aligned, joined, count=_sorting))
nonzero = constant(
    np.nonzero, Opaque(_nonzero_shape, _nonzero_batch, count=1, multiple=True, reorders=True)
)
