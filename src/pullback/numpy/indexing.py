"""Reading elements: subscripts, and NumPy's functions that gather."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.primitive import bind
from pullback.core.running import grounded, look
from pullback.core.shapes import shape_of
from pullback.core.tracing import Tracer, View, is_plain, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError, DataDependenceError
from pullback.numpy.conversion import double
from pullback.numpy.masks import narrowed
from pullback.numpy.operands import holds_tracer, joined, operand, require_known
from pullback.numpy.registration import implements
from pullback.numpy.selected import Selected
from pullback.numpy.views import Flat, as_array, copy_of, in_order
from pullback.numpy.windows import Part, has_window, looked_through
from pullback.rules import indexing
from pullback.rules.custom import stop_gradient
from pullback.rules.strictness import is_strict

__all__ = ["along_axis", "getitem", "parse", "positions_of", "take", "take_along_axis"]

Template = tuple[Any, ...]


def parse(key: Any) -> tuple[Template, list[Any]]:
    """A subscript as a template and its index arrays; see :mod:`pullback.rules.indexing`."""
    if type(key) is not tuple:
        key = (key,)
    template: list[Any] = []
    arrays: list[Any] = []
    for entry in key:
        cls = type(entry)
        if cls is int or cls is slice or entry is None or entry is Ellipsis:
            template.append(entry)
        elif is_plain(entry, np.integer):
            template.append(operator.index(entry))
        else:
            arrays.append(_index_array(entry))
            template.append(indexing.ARRAY)
    return tuple(template), arrays


def _index_array(entry: Any) -> Any:
    """An entry of a subscript as an array of integers or booleans."""
    if isinstance(entry, Tracer) and entry._is_constant:
        entry = strip(entry)
    if isinstance(entry, Tracer):
        if entry.dtype.kind in "iu":
            return entry
        if entry.dtype.kind == "b":
            raise DataDependenceError(
                f"indexing: got a traced boolean array of shape {entry.shape} as an index, so the "
                "shape of the result would depend on its values; use np.where(mask, x, 0) instead"
            )
        raise ArgumentTypeError(
            f"indexing: got a traced array of dtype {entry.dtype} and shape {entry.shape} as an "
            "index, wanted integers, booleans or slices; an index has no derivative: make it from "
            "pullback.stop_gradient(i).astype(int)"
        )
    if holds_tracer(entry):
        return _index_array(joined(entry))
    array = np.asarray(entry)
    if array.size == 0 and not is_plain(entry):
        array = array.astype(np.intp)
    if array.dtype.kind not in "iub":
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or "
            f"boolean arrays are valid indices, got {type(entry).__name__} of dtype {array.dtype}"
        )
    return array


def _alone(x: Any, mask: Any, lead: int) -> Any:
    """An array of which a mask selects, the others being constant for who looks for their kinks."""
    if not is_strict():
        return x
    wide = np.reshape(mask, mask.shape + (1,) * (len(shape_of(x)) - lead - len(mask.shape)))
    return np.where(wide, x, stop_gradient(x))


def getitem(x: Any, key: Any) -> Any:
    """``x[key]``: a view where NumPy makes one, a scalar for a full integer index, else a copy."""
    template: Template
    arrays: Sequence[Any] = ()
    if _is_basic(key):
        if type(key) is int and grounded(x):
            element = x._value[key]
            if type(element) is not np.ndarray:
                return element
        template = key if type(key) is tuple else (key,)
    else:
        if Tracer in map(type, key) if type(key) is tuple else type(key) is Tracer:
            narrow = narrowed(x, key)
            if narrow is not None:
                view, (*lead, mask) = narrow
                now = view._snapshot() if type(view) is Tracer else view
                return Selected(_alone(now, mask, len(lead)), mask._snapshot(), lead=len(lead))
        if has_window(key):
            x, key = looked_through(x, key)
        template, arrays = parse(key)
    part = Part(template, arrays)
    traced = type(x) is Tracer and x._alias is None and x._interpreter.level
    out = part.read(x) if traced else look(x, part.read)
    if type(out) is not Tracer or type(x) is not Tracer:
        return out
    if not x._mutable:
        return as_array(out) if ... in template else out
    if type(x._alias) is Flat:
        return copy_of(out) if out._mutable else out
    if not arrays and (out._mutable or ... in template):
        out._alias = View(x, part.read, part.write)
    elif arrays and out._mutable and all(map(_is_traced_integer, arrays)):
        part = Part(template, [i._snapshot() for i in arrays])
        out._alias = View(x, part.read, part.write)
    return out


_BASIC = frozenset({int, type(None), type(Ellipsis)})
_BOUNDS = frozenset({int, type(None)})


def _is_basic(key: Any) -> bool:
    """Whether a subscript has nothing but Python's integers, slices between such, and axes."""
    for entry in key if type(key) is tuple else (key,):
        cls = type(entry)
        if cls not in _BASIC and (
            cls is not slice or type(entry.start) not in _BOUNDS or type(entry.stop) not in _BOUNDS
        ):
            return False
    return True


def _is_traced_integer(i: Any) -> bool:
    """Whether `i` is an integer, with which NumPy makes a view, and that is mapped or not known."""
    return isinstance(i, Tracer) and not i.shape and not i._mutable


# -- NumPy's functions that gather ---------------------------------------------------------------


def positions_of(indices: Any, extent: int, mode: str, where: str) -> Any:
    """`indices` into an axis of length `extent`, brought into range as `mode` says."""
    indices = _index_array(indices)
    if indices.dtype.kind == "b":
        indices = indices.astype(np.intp)
    if mode == "wrap":
        return indices % extent
    if mode == "clip":
        return np.clip(indices, 0, extent - 1)
    if mode != "raise":
        raise ArgumentValueError(f"{where}: mode is {mode!r}, wanted 'raise', 'wrap' or 'clip'")
    return indices


@implements(np.take)
def take(a: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    a = operand(a)
    if axis is None or (not shape_of(a) and axis in (0, -1)):
        a, axis = np.ravel(a), 0
    axis = normalize_axis_index(axis, len(shape_of(a)))
    indices = positions_of(indices, shape_of(a)[axis], mode, "numpy.take")
    key = (slice(None),) * axis + (indexing.ARRAY,)
    taken = bind(indexing.index, (a, indices), {"key": key})
    return copy_of(taken, "C") if shape_of(taken) else taken


def along_axis(shape: tuple[int, ...], indices: Any, axis: int, where: str) -> tuple[Any, ...]:
    """The subscript that picks elements along `axis`, one for each entry of `indices`."""
    indices = _index_array(indices)
    if indices.ndim != len(shape):
        raise ArgumentValueError(
            f"{where}: indices have {indices.ndim} dimensions, wanted {len(shape)}, the number of "
            f"dimensions of an array of shape {shape}"
        )
    return tuple(
        indices
        if dimension == axis
        else np.arange(extent).reshape([-1 if k == dimension else 1 for k in range(len(shape))])
        for dimension, extent in enumerate(shape)
    )


@implements(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    arr = operand(arr)
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, len(shape_of(arr)))
    return getitem(arr, along_axis(shape_of(arr), indices, axis, "numpy.take_along_axis"))


@implements(np.compress)
def compress(condition: Any, a: Any, axis: Any = None) -> Any:
    return take(a, np.flatnonzero(condition), axis)


@implements(np.extract)
def extract(condition: Any, arr: Any) -> Any:
    return take(arr, np.flatnonzero(condition))


@implements(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ArgumentValueError(
            f"numpy.select: got {len(condlist)} conditions and {len(choicelist)} choices, wanted "
            "as many of one as of the other, and at least one"
        )
    out = operand(default)
    for condition, choice in zip(condlist[::-1], choicelist[::-1], strict=True):
        out = np.where(condition, choice, out)
    return in_order(out)


@implements(np.choose)
def choose(a: Any, choices: Any, mode: str = "raise") -> Any:
    choices = [operand(choice) for choice in choices]
    numbers = positions_of(a, len(choices), mode, "numpy.choose")
    shape = np.broadcast_shapes(numbers.shape, *(shape_of(choice) for choice in choices))
    table = np.stack([np.broadcast_to(choice, shape) for choice in choices])
    return take_along_axis(table, np.broadcast_to(numbers, shape)[None], 0)[0]


@implements(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    x = _index_array(strip(require_known("numpy.bincount", "x", x)))
    if weights is None:
        return np.bincount(x, minlength=minlength)
    weights = double(operand(weights))
    extent = max(int(x.max(initial=-1)) + 1, minlength)
    return bind(indexing.scatter, (weights, x), {"key": (indexing.ARRAY,), "shape": (extent,)})
