"""Sums of the segments of an axis."""

from __future__ import annotations

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import meeting, size_of
from pullback.rules.indexing import ARRAY, scatter
from pullback.rules.registration import rule

__all__ = ["sums_from"]


def _sums_from(x, *, places, axis):
    return np.add.reduceat(x, np.array(places, np.intp), axis)


def _shape(_primitive, x, *, places, axis):
    shape = shape_of(x)
    dtype = np.add.reduceat(np.zeros(1, dtype_of(x)), [0]).dtype
    return Abstract((*shape[:axis], len(places), *shape[axis + 1 :]), dtype)


def _batch(primitive, _size, _mapped, values, params):
    return primitive(*values, **{**params, "axis": params["axis"] + 1})


def _count(_out, x, **_):
    return size_of(x)


def _names(args, outs, params):
    return meeting(args, params["axis"]), meeting(outs, params["axis"])


@rule(_sums_from, Opaque(_shape, _batch, names=_names, count=_count))
def sums_from(_y, _x, *, places, axis):
    """yₖ = xᵢ + … up to the next place, or xᵢ alone if that is not behind: x̄ⱼ = Σ ȳₖ of its sums.

    The axis is counted from the front.
    """
    shape = shape_of(_x)
    count = shape[axis]
    ends = [*places[1:], count]
    lead = (slice(None),) * axis
    segments = [
        np.arange(begin, max(begin + 1, end)) for begin, end in zip(places, ends, strict=True)
    ]
    members = np.concatenate(segments) if segments else np.zeros(0, np.intp)
    owners = np.repeat(np.arange(len(places)), [len(each) for each in segments])

    def pull(y_bar):
        if not len(places):
            return np.zeros(shape, y_bar.dtype)
        return scatter(y_bar[*lead, owners], members, key=(*lead, ARRAY), shape=shape)

    return Linear(lambda x_dot: sums_from(x_dot, places=places, axis=axis), pull)
