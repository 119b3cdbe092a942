"""Writing to arrays: item assignment, in-place operators, and NumPy's functions that write.

Writing makes a new state of the array, whose elements are those of the old one but for the ones
that are written. It costs a copy of the array.
"""

from __future__ import annotations

import dis
import math
import sys
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.primitive import bind
from pullback.core.running import grounded
from pullback.core.shapes import broadcast_shapes, dtype_of, shape_of
from pullback.core.tracing import Tracer, View, is_plain, strip
from pullback.errors import (
    FILLING,
    AliasError,
    ArgumentTypeError,
    ArgumentValueError,
    DataDependenceError,
    DetachedError,
)
from pullback.graph.places import user_line
from pullback.numpy.callers import is_pullbacks_file
from pullback.numpy.conversion import convert
from pullback.numpy.indexing import along_axis, parse, positions_of
from pullback.numpy.masks import WideMask, narrowed, same_mask, wide_mask
from pullback.numpy.operands import operand
from pullback.numpy.protocol import are_constant, strip_all
from pullback.numpy.registration import implements
from pullback.numpy.selected import Selected
from pullback.numpy.views import Flat, keep_layout
from pullback.numpy.windows import Part, has_window, looked_through
from pullback.rules import indexing

__all__ = ["deliver", "owns_memory", "require_target", "setitem"]


# -- what all writes have in common --------------------------------------------------------------


def require_target(target: Any, where: str) -> None:
    """Raise unless `target` can hold traced values."""
    if not isinstance(target, Tracer):
        shape = getattr(target, "shape", ())
        raise DetachedError(
            f"{where}: the array to write to is a plain {type(target).__name__} of shape {shape}, "
            f"which cannot hold the derivative of a traced value. {FILLING}. Write "
            "pullback.stop_gradient(v) if a constant is what you want"
        )
    if not target._mutable:
        raise ArgumentTypeError(
            f"{where}: the value to write to is a scalar of dtype {target.dtype}, which is "
            "immutable; bind the name to a new value, or make an array with np.array(x)"
        )


def require_castable(given: np.dtype[Any], dtype: np.dtype[Any], casting: Any, where: str) -> None:
    """Raise unless NumPy would cast `given` to `dtype`, and nothing imaginary is dropped."""
    if given is dtype or given.kind == "O":
        return  # the primitive joins traced objects
    imaginary = given.kind == "c" and dtype.kind != "c"
    if imaginary or not np.can_cast(given, dtype, casting):
        remedy = "take np.real of the value, or " if imaginary else ""
        raise ArgumentTypeError(
            f"{where}: a value of dtype {given} cannot be stored in an array of dtype {dtype}; "
            f"{remedy}make the array with dtype={given}"
        )


def owns_memory(x: Any) -> bool:
    """Whether the value of `x` is memory of its own, or a look into it, that may be written to.

    So it is with arrays at the ground, unless they look into an array that has been traced since.
    """
    if not grounded(x):
        return False
    view = x._alias
    if view is None:
        return True
    root = view.root
    while view is not None:
        if view.write is None:
            return False  # which is said where it is written to
        view = view.base._alias
    return np.may_share_memory(x._value, root._value)


def _are_plain(key: Any, value: Any) -> bool:
    """Whether NumPy itself can write `value` at `key`, because no derivative is in either."""
    if type(value) is np.ndarray and value.dtype.kind == "O":
        return False
    return are_constant((key, value)) and not has_window(key)


def _is_constant(value: Any) -> bool:
    """Whether a real array can hold `value` without losing a derivative."""
    return value._is_constant if isinstance(value, Tracer) else dtype_of(value).kind != "O"


def _require_fitting(target: Any, value: Any, where: str) -> bool:
    """Raise unless `value` can be stored in `target`; tell whether it has to be broadcast."""
    shape = target.shape
    if shape_of(value) == shape:
        return False
    try:
        fits = broadcast_shapes(shape_of(value), shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ArgumentValueError(
            f"{where}: a result of shape {shape_of(value)} cannot be stored in an array of "
            f"shape {shape}; make a new array instead"
        )
    return True


def deliver(target: Any, value: Any, where: str, casting: Any = "same_kind") -> Any:
    """Store the result of an operation in the array `target`, as ``out=`` does."""
    if is_plain(target) and _is_constant(value):
        np.copyto(target, strip(value), casting=casting)
        return target
    if owns_memory(target) and _is_constant(value):
        _require_fitting(target, value, where)
        target._announce()
        np.copyto(target._value, strip(value), casting=casting)
        target._touch()
        return target
    require_target(target, where)
    if _require_fitting(target, value, where):
        value = np.broadcast_to(value, target.shape)
        if _is_constant(value):
            value = value.copy()  # memory that can be written to later
    require_castable(dtype_of(value), target.dtype, casting, where)
    _assign(target, convert(value, target.dtype))
    return target


def _assign(target: Tracer, value: Any) -> None:
    """Make `value`, which has the shape and dtype of `target`, its state."""
    if target._alias is None:
        value = keep_layout(target, value)
    target._assign(value)


def setitem(x: Any, key: Any, value: Any) -> None:
    """``x[key] = value``, with NumPy's broadcasting and casting.

    Where integer arrays name an element several times the last value stays.
    """
    require_target(x, "y[i] = v")
    if type(value) is Tracer and value._alias is not None:
        _refuse_exchange(x, value._alias)
    if owns_memory(x) and _are_plain(key, value):
        x._announce()
        x._value[strip_all(key)] = strip_all(value)
        x._touch()
        return
    if has_window(key):
        x, key = looked_through(x, key)
    if not _MASKS.isdisjoint(map(type, key) if type(key) is tuple else (type(key),)):
        x, key = narrowed(x, key) or (x, key)
        mask = wide_mask(x, key)
        if mask is not None and (type(mask.wide) is Tracer or shape_of(value) == ()):
            _set_masked(x, mask, value)
            return
    if type(value) is Selected:
        raise _no_place()
    if type(x._alias) is Flat and shape_of(value) != ():
        value = _over_and_over(value, shape_of(x[key]))
    template, arrays = parse(key)
    if _is_own_view(x, template, arrays, value):
        return
    if type(value) not in _REAL_NUMBERS:
        value = _without_leading_units(operand(value))
        require_castable(dtype_of(value), x.dtype, "unsafe", "y[i] = v")
    x._assign(bind(indexing.index_update, (x, value, *arrays), {"key": template}))


def _refuse_exchange(x: Tracer, source: View) -> None:
    """Raise if code in C, as NumPy's shuffle is, exchanges two parts of an array.

    ``x[i], x[j] = x[j], x[i]`` loses one of two rows, which are views: when the second is written,
    what it looks at has been written to. So it is in Python, where that is NumPy's own answer; but
    for NumPy's arrays code in C has a buffer.
    """
    root = source.root
    if source.version == root._version or root is not (x if x._alias is None else x._alias.root):
        return
    frame = sys._getframe(2)
    code = frame.f_code
    if dis.opname[code.co_code[frame.f_lasti]].startswith("STORE") or is_pullbacks_file(
        code.co_filename
    ):
        return
    raise AliasError(
        f"numpy.random's shuffle, or other code in C, exchanges parts of an array of shape "
        f"{x.shape}, which it has as views, so that some are lost. Write x = rng.permutation(x) "
        "for rng.shuffle(x), and otherwise exchange copies"
    )


def _over_and_over(value: Any, shape: tuple[int, ...]) -> Any:
    """As many of the elements of `value` as there are in a part of ``x.flat``, from the first."""
    value = np.ravel(operand(value))
    count = math.prod(shape)
    if not value.size and count:
        raise ArgumentValueError(f"y.flat[i] = v: v is empty, wanted values for {shape}")
    return value[np.arange(count) % max(value.size, 1)].reshape(shape)


def _set_masked(x: Tracer, mask: WideMask, value: Any) -> None:
    """``x[mask] = value`` for a value that does not tell the selected elements apart."""
    if type(value) is Selected:
        alike = (mask.lead, mask.free) == (value._lead, len(value._rest))
        if not alike or not same_mask(mask.mask, value._mask):
            raise _no_place()
        value = value._array
    else:
        value = _without_leading_units(operand(value))
        if len(shape_of(value)) > mask.free:
            raise DataDependenceError(
                f"y[mask] = v: v has shape {shape_of(value)}, and the number of elements under the "
                f"mask is not known{user_line()}; write np.where(mask, v, y) for a v of the shape "
                "of y, and select both under one mask: y[mask] = v[mask]"
            )
    require_castable(np.result_type(dtype_of(value), x.dtype), x.dtype, "unsafe", "y[mask] = v")
    _assign(x, convert(np.where(mask.wide, value, x), x.dtype))


def _no_place() -> DataDependenceError:
    return DataDependenceError(
        "y[i] = x[mask]: it is not known that i selects as many elements as the mask "
        f"does{user_line()}; assign under the same mask, y[mask] = x[mask], or work on whole "
        "arrays: np.where(mask, x, y)"
    )


_MASKS = frozenset({Tracer, np.ndarray, bool, np.bool_})
"""The types of entries of a subscript that may be masks."""

_REAL_NUMBERS = frozenset({float, int, bool})


def _without_leading_units(value: Any) -> Any:
    """`value` as it broadcasts: NumPy lets it have more axes than what it is assigned to."""
    shape = shape_of(value)
    if not shape or shape[0] != 1:
        return value
    lead = 0
    while lead < len(shape) and shape[lead] == 1:
        lead += 1
    return np.reshape(value, shape[lead:])


def _is_own_view(x: Any, template: tuple[Any, ...], arrays: list[Any], value: Any) -> bool:
    """Whether ``x[key] = value`` stores a view where it lies, as the last step of x[key] += v."""
    view = value._alias if isinstance(value, Tracer) else None
    if view is None or view.base is not x:
        return False
    part = getattr(view.read, "__self__", None)
    return (
        isinstance(part, Part)
        and part.key == template
        and len(part.arrays) == len(arrays)
        and all(
            type(i) is Tracer and i._value is j._value and i._payload is j._payload
            for i, j in zip(arrays, part.arrays, strict=True)
        )
    )


# -- NumPy's functions that write ----------------------------------------------------------------


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    src = operand(src)
    if is_plain(dst) and _is_constant(src) and are_constant(where):
        np.copyto(dst, strip(src), casting=casting, where=strip(where))
        return
    require_target(dst, "numpy.copyto")
    if type(src) not in (bool, int, float, complex):
        require_castable(dtype_of(src), dst.dtype, casting, "numpy.copyto")
    if where is True:
        setitem(dst, ..., src)
    elif _is_open(where) or not dst.shape:
        deliver(dst, convert(np.where(where, src, dst), dst.dtype), "numpy.copyto")
    else:
        mask = np.broadcast_to(np.asarray(where, dtype=bool), dst.shape)
        setitem(dst, mask, np.broadcast_to(src, dst.shape)[mask])


@implements(np.put)
def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    require_target(a, "numpy.put")
    positions = positions_of(ind, a.size, mode, "numpy.put").ravel()
    _put_repeated(a, positions, v, np.arange(positions.size))


@implements(np.place)
def place(arr: Any, mask: Any, vals: Any) -> None:
    require_target(arr, "numpy.place")
    if _is_open(mask) and math.prod(shape_of(operand(vals))) == 1:
        _put_masked(arr, mask, vals, "numpy.place")
        return
    positions = np.flatnonzero(mask)
    if positions.size and not math.prod(shape_of(operand(vals))):
        raise ArgumentValueError("numpy.place: vals is empty; give at least one value")
    _put_repeated(arr, positions, vals, np.arange(positions.size))


@implements(np.putmask)
def putmask(a: Any, /, mask: Any, values: Any) -> None:
    require_target(a, "numpy.putmask")
    if _is_open(mask):
        _put_masked(a, mask, values, "numpy.putmask")
        return
    positions = np.flatnonzero(mask)
    _put_repeated(a, positions, values, positions)


@implements(np.fill_diagonal)
def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    require_target(a, "numpy.fill_diagonal")
    mask = np.zeros(a.shape, bool)
    np.fill_diagonal(mask, True, wrap)
    positions = np.flatnonzero(mask)
    _put_repeated(a, positions, val, np.arange(positions.size))


def _is_open(mask: Any) -> bool:
    """Whether a mask differs from one example to the next, or is not known."""
    return isinstance(mask, Tracer) and not mask._is_constant


def _put_masked(a: Any, mask: Any, values: Any, where: str) -> None:
    """Assign `values`, taken over and over, to the elements under a mask of the same shape."""
    values = np.ravel(operand(values))
    values = values[np.arange(a.size) % shape_of(values)[0]]
    mask, values = np.reshape(mask, a.shape), np.reshape(values, a.shape)
    deliver(a, np.where(mask, values, a), where, "unsafe")


def _put_repeated(a: Any, positions: Any, values: Any, turns: Any) -> None:
    """Assign to positions of the flat array the elements of `values`, taken over and over."""
    values = np.ravel(operand(values))
    count = shape_of(values)[0]
    if positions.size and count:
        if not a.shape:
            setitem(a, (), values[turns[-1] % count])
            return
        setitem(a, _unravel(positions, a), values[turns % count])


@implements(np.put_along_axis)
def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    where = "numpy.put_along_axis"
    require_target(arr, where)
    if axis is None:
        key = _unravel(positions_of(indices, arr.size, "raise", where), arr)
    else:
        axis = normalize_axis_index(axis, len(arr.shape))
        key = along_axis(arr.shape, indices, axis, where)
    setitem(arr, key, values)


def _unravel(positions: Any, a: Any) -> tuple[Any, ...]:
    """Positions in the flat array as a subscript."""
    positions = np.where(positions < 0, positions + a.size, positions)
    if not isinstance(positions, Tracer):
        return np.unravel_index(positions, a.shape)
    key = []
    for extent in a.shape[::-1]:
        positions, place = np.divmod(positions, extent)
        key.append(place)
    return tuple(key[::-1])
