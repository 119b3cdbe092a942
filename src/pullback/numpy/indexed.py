"""`numpy.r_`, `c_`, `mgrid` and `ogrid`, which make arrays of what stands in brackets."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.running import GROUND, innermost
from pullback.core.tracing import Tracer
from pullback.numpy.arrays import array
from pullback.numpy.operands import holds_tracer
from pullback.numpy.registration import with_names

__all__ = ["makers"]


def makers(reference: Tracer) -> dict[str, Callable[[Any], Any]]:
    """What the objects do with a key, by name, where arrays are made like `reference`."""
    joins = with_names(type(np.r_).__getitem__, array=functools.partial(array, reference))
    return {
        "r_": functools.partial(_join, joins, np.r_),
        "c_": functools.partial(_join, joins, np.c_),
        "mgrid": functools.partial(_grid, np.mgrid),
        "ogrid": functools.partial(_grid, np.ogrid),
    }


def _join(joins: Callable[..., Any], joiner: Any, key: Any) -> Any:
    if type(key) is str:  # the names of matrices, in the function that asked for the item
        frame = sys._getframe(2)
        return np.bmat(key, frame.f_globals, frame.f_locals)
    items = key if type(key) is tuple else (key,)
    if innermost() is not None and any(map(_holds_tracer, items)):
        return joins(joiner, key)
    return _new(joiner[key])


def _holds_tracer(item: Any) -> bool:
    if type(item) is slice:
        return any(type(x) is Tracer for x in (item.start, item.stop, item.step))
    return holds_tracer(item)


def _grid(grid: Any, key: Any) -> Any:
    return _new(grid[key])


def _new(out: Any) -> Any:
    """What NumPy has made for nobody else, as arrays to which traced values can be written."""
    if type(out) is tuple:
        return tuple(map(_new, out))
    return GROUND.constant(out) if type(out) is np.ndarray else out
