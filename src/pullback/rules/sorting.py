"""Sorting and searching: what they return are positions, which are constant."""

from __future__ import annotations

import numpy as np

from pullback.core.shapes import shape_of
from pullback.errors import DataDependenceError
from pullback.rules import index_shapes
from pullback.rules import operation_counts as counts
from pullback.rules import shape_rules as shapes
from pullback.rules.batching import flattening, joining, rank_of, refused
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


argsort = constant(np.argsort, batch=flattening, shape=shapes.order, operations=counts.sorting)
argpartition = constant(
    np.argpartition, batch=flattening, shape=shapes.order, operations=counts.sorting
)
searchsorted = constant(
    np.searchsorted,
    batch=_searchsorted_batch,
    shape=shapes.position_of_each(1),
    operations=counts.search,
)
digitize = constant(
    np.digitize, batch=_digitize_batch, shape=shapes.position_of_each(0), operations=counts.search
)
lexsort = constant(
    _lexsort,
    name="lexsort",
    batch=joining,
    shape=shapes.position_of_each(0),
    operations=counts.sorting,
)
nonzero = constant(
    np.nonzero,
    batch=refused("the number of nonzero elements differs from one example to the next"),
    shape=index_shapes.nonzero,
    operations=counts.of_each(1),
    rearranges=True,
    multiple=True,
)
