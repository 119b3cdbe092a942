"""The methods of ufuncs that reduce: reduce, accumulate and reduceat.

Sums, products and extrema are primitives. Any other ufunc of two arguments goes along an axis in
pairs where that gives the same to the last bit, and otherwise step by step, as NumPy does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import ArgumentValueError
from pullback.numpy.assignment import deliver
from pullback.numpy.conversion import cast, convert
from pullback.numpy.operands import operand, plain_values
from pullback.numpy.protocol import (
    are_constant,
    array_functions,
    no_rule,
    on_constants,
    ufunc_methods,
)
from pullback.numpy.ufuncs import evaluate, name_of
from pullback.rules import folding, shaping
from pullback.rules.registration import array_ufuncs

__all__: list[str] = []

_REDUCTIONS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
_ACCUMULATIONS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: np.cumsum,
    np.multiply: np.cumprod,
}
_EXACT = frozenset({
    np.maximum, np.minimum, np.fmax, np.fmin, np.logical_and, np.logical_or, np.logical_xor,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.gcd, np.lcm,
})  # fmt: skip
"""Associative to the last bit."""


def _operand(ufunc: np.ufunc, method: str, array: Any, dtype: Any) -> Any:
    if ufunc.nin != 2 or ufunc.nout != 1 or ufunc not in array_ufuncs or ufunc.signature:
        raise no_rule(ufunc, method, (array,))
    return cast(operand(array), dtype)


def reduce(
    ufunc: np.ufunc,
    array: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = np._NoValue,
    where: Any = True,
) -> Any:
    """``ufunc.reduce``, over the first axis by default."""
    function = _REDUCTIONS.get(ufunc)
    options = {
        "dtype": (dtype, None), "initial": (initial, np._NoValue), "where": (where, True)
    }  # fmt: skip
    given = {name: value for name, (value, default) in options.items() if value is not default}
    if function is not None:
        result = array_functions[function](array, axis=axis, keepdims=keepdims, **given)
    elif are_constant((array, initial, where)):
        given = {"axis": axis, "keepdims": keepdims, **given}
        result = on_constants(ufunc.reduce, (array,), given)
    else:
        x = _operand(ufunc, "reduce", array, dtype)
        result = _reduced(ufunc, x, axis, keepdims, given)
    return _delivered(ufunc, result, out)


def _reduced(ufunc: np.ufunc, x: Any, axis: Any, keepdims: bool, given: dict[str, Any]) -> Any:
    """What NumPy says of a plain array of this shape, if it says anything, is said here."""
    plain = {**given, "initial": 1} if "initial" in given else dict(given)
    if "where" in plain:
        plain["where"] = np.ones(shape_of(plain["where"]), bool)
    shape = shape_of(x)
    wanted: Any = ufunc.reduce(np.ones(shape, dtype_of(x)), axis=axis, keepdims=keepdims, **plain)
    axes = tuple(range(len(shape))) if axis is None else normalize_axis_tuple(axis, len(shape))
    first = given.get("initial", np._NoValue)
    mask = given.get("where", True)
    if mask is not True and first is np._NoValue:
        first = ufunc.identity  # NumPy raises where there is none
    lines = np.moveaxis(x, axes, range(len(axes)))
    kept = shape_of(lines)[len(axes) :]
    lines = np.reshape(lines, (-1, *kept))
    if mask is not True:
        mask = np.moveaxis(np.broadcast_to(mask, shape), axes, range(len(axes)))
        mask = np.reshape(mask, shape_of(lines))
    if first is not np._NoValue and first is not None:
        first = convert(operand(first), np.result_type(wanted))
    value = _folded(ufunc, lines, first, mask)
    return shaping.reshape(value, shape=np.shape(wanted))


def _folded(ufunc: np.ufunc, lines: Any, first: Any, mask: Any) -> Any:
    """The elements along the first axis, one after the other."""
    count, *kept = shape_of(lines)
    if mask is True and ufunc in _EXACT and first is np._NoValue:
        while count > 1:
            half = count // 2
            joined = evaluate(ufunc, lines[:half], lines[half : 2 * half])
            rest = lines[2 * half :]
            lines = np.concatenate([joined, rest]) if count % 2 else joined
            count = shape_of(lines)[0]
        return lines[0]
    if first is np._NoValue or first is None:
        value, begin = lines[0], 1
    else:
        value, begin = np.broadcast_to(first, tuple(kept)), 0
    for i in range(begin, count):
        stepped = evaluate(ufunc, value, lines[i])
        value = stepped if mask is True else np.where(mask[i], stepped, value)
    return value


def accumulate(
    ufunc: np.ufunc, array: Any, axis: int = 0, dtype: Any = None, out: Any = None
) -> Any:
    """``ufunc.accumulate``, along the first axis by default."""
    function = _ACCUMULATIONS.get(ufunc)
    if function is not None:
        given = {} if dtype is None else {"dtype": dtype}
        return _delivered(ufunc, array_functions[function](array, axis=axis, **given), out)
    if are_constant(array):
        return _delivered(ufunc, on_constants(ufunc.accumulate, (array, axis, dtype), {}), out)
    x = _operand(ufunc, "accumulate", array, dtype)
    axis = normalize_axis_index(axis, len(shape_of(x)))
    lines = np.moveaxis(x, axis, 0)
    if shape_of(lines)[0]:
        step = functools.partial(evaluate, ufunc)
        lines = _in_pairs(step, lines) if ufunc in _EXACT else _one_by_one(step, lines)
    return _delivered(ufunc, np.moveaxis(lines, 0, axis), out)


def _one_by_one(step: Callable[[Any, Any], Any], lines: Any) -> Any:
    values = [lines[0]]
    for line in lines[1:]:
        values.append(step(values[-1], line))
    return shaping.stack(*values, axis=0)


def _in_pairs(step: Callable[[Any, Any], Any], lines: Any) -> Any:
    """What is accumulated of pairs is what is accumulated up to every second element."""
    count, *kept = shape_of(lines)
    if count < 2:
        return lines
    odd = _in_pairs(step, step(lines[: count - 1 : 2], lines[1::2]))
    even = np.concatenate([lines[:1], step(odd[: (count - 1) // 2], lines[2::2])])
    pairs = np.stack([even[: count // 2], odd], axis=1)
    woven = np.reshape(pairs, (2 * (count // 2), *kept))
    return np.concatenate([woven, even[-1:]]) if count % 2 else woven


def reduceat(
    ufunc: np.ufunc,
    array: Any,
    positions: Any,
    axis: int = 0,
    dtype: Any = None,
    out: Any = None,
    **_again: Any,
) -> Any:
    """``ufunc.reduceat``: each segment goes up to the next index, or is one element.

    NumPy hands over the indices twice if they are given by name.
    """
    places = plain_values(f"{name_of(ufunc)}.reduceat", "indices", positions)
    if are_constant(array):
        plain = on_constants(ufunc.reduceat, (array, places, axis, dtype), {})
        return _delivered(ufunc, plain, out)
    x = _operand(ufunc, "reduceat", array, dtype)
    axis = normalize_axis_index(axis, len(shape_of(x)))
    count = shape_of(x)[axis]
    if places.ndim != 1 or np.any((places < 0) | (places >= count)):
        raise ArgumentValueError(
            f"{name_of(ufunc)}.reduceat: got indices of shape {places.shape}, wanted one axis of "
            f"positions from 0 up to {count - 1}, those of an axis of {count} elements"
        )
    if ufunc is np.add:
        ends = tuple(int(place) for place in places)
        return _delivered(ufunc, folding.sums_from(x, places=ends, axis=axis), out)
    lines = np.moveaxis(x, axis, 0)
    values = []
    for i, begin in enumerate(places):
        end = places[i + 1] if i + 1 < len(places) else count
        part = lines[begin:end] if begin < end else lines[begin : begin + 1]
        values.append(reduce(ufunc, part))
    joined = shaping.stack(*values, axis=0) if values else lines[:0]
    return _delivered(ufunc, np.moveaxis(joined, 0, axis), out)


def _delivered(ufunc: np.ufunc, result: Any, out: Any) -> Any:
    target = out[0] if isinstance(out, tuple) else out
    return result if target is None else deliver(target, result, name_of(ufunc))


ufunc_methods.update({"reduce": reduce, "accumulate": accumulate, "reduceat": reduceat})
