"""Copies of the functions of SciPy's statistics (:mod:`pullback.numpy.copies`).

They read in place of NumPy's functions those that are served, in place of SciPy's own ones copies
of the same kind, and for what chooses between formulas by a mask a choice of the values of both.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from pullback.core.shapes import broadcast_shapes, shape_of
from pullback.core.tracing import Tracer
from pullback.numpy.copies import Names, Namespace, copy_of
from pullback.numpy.served import served_functions
from pullback.scipy.first_step import plain
from pullback.scipy.private import PRIVATE, private
from pullback.scipy.retelling import At

__all__ = ["chosen", "copied", "known_true", "stand_ins"]


def known_true(condition: Any) -> bool:
    """Whether a condition is known to hold everywhere."""
    if type(condition) is Tracer:
        return False
    if shape_of(condition):
        condition = np.logical_and.reduce(condition, axis=None)
    return bool(condition)


def chosen(condition: Any, x: Any, otherwise: Any) -> Any:
    """`x` where a condition holds, and elsewhere `otherwise`, which is made only if it is needed.

    The result is as wide as the condition where that is wider than `x`.
    """
    if not known_true(condition):
        return np.where(condition, x, otherwise() if callable(otherwise) else otherwise)
    shape, wide = shape_of(x), shape_of(condition)
    if not wide or wide == shape:
        return x
    both = broadcast_shapes(wide, shape)
    return x if both == shape else np.broadcast_to(x, both)


# -- what SciPy's code reads in place of functions of its own --------------------------------------


def _apply_where(
    cond: Any, args: Any, f1: Any, f2: Any = None, /, *, fill_value: Any = None, **kwargs: Any
) -> Any:
    """What `array_api_extra.apply_where` does: both functions everywhere, and a choice."""
    args = args if isinstance(args, list | tuple) else (args,)
    params = kwargs.get("kwargs") or {}
    if known_true(cond):
        return f1(*args, **params)
    if f2 is not None and known_true(np.logical_not(cond)):
        return f2(*args, **params)
    with np.errstate(all="ignore"):
        other = fill_value if f2 is None else f2(*args, **params)
        return np.where(cond, f1(*args, **params), other)


def _lazywhere(cond: Any, arrays: Any, f: Any, fillvalue: Any = None, f2: Any = None) -> Any:
    return _apply_where(cond, tuple(arrays), f, f2, fill_value=fillvalue)


def _lazyselect(condlist: Any, choicelist: Any, arrays: Any, default: Any = 0) -> Any:
    """What `_lazyselect` does: the first function whose condition holds."""
    out = default
    with np.errstate(all="ignore"):
        for condition, f in zip(reversed(condlist), reversed(choicelist), strict=True):
            if known_true(np.logical_not(condition)):
                continue
            out = np.where(condition, f(*arrays), out)
    return out


def _cdf_distance(p: Any, u: Any, v: Any, u_weights: Any = None, v_weights: Any = None) -> Any:
    """(∫ |U − V|ᵖ)^(1/p) of the distribution functions of two samples."""
    u, v = np.reshape(u, (-1,)), np.reshape(v, (-1,))
    points = np.sort(np.concatenate([u, v]))
    gaps = np.diff(points)
    difference = _steps(points, u, u_weights) - _steps(points, v, v_weights)
    if p == 1:
        return np.sum(np.multiply(np.abs(difference), gaps))
    if p == 2:
        return np.sqrt(np.sum(np.multiply(np.square(difference), gaps)))
    return np.power(np.sum(np.multiply(np.power(np.abs(difference), p), gaps)), 1 / p)


def _steps(points: Any, x: Any, weights: Any) -> Any:
    below = x[np.newaxis, :] <= points[:-1, np.newaxis]
    if weights is None:
        return np.sum(below, axis=1) / x.shape[0]
    return np.sum(np.where(below, weights, 0.0), axis=1) / np.sum(weights)


def _square_of_sums(a: Any, axis: int | None = 0) -> Any:
    return np.square(np.sum(a, axis=axis))


def _nditer(operands: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.nditer`; of several operands one that is traced ends the process in older NumPys."""
    for each in operands if isinstance(operands, list | tuple) else ():
        if type(each) is Tracer:
            np.nditer(each)
    return np.nditer(operands, *args, **kwargs)


_served = {each.__wrapped__: each for each in served_functions(np).values()}
_OURS: dict[str, Callable[..., Any]] = {
    "_lazywhere": _lazywhere,
    "_lazyselect": _lazyselect,
    "apply_where": _apply_where,
    "at": At,
    "_cdf_distance": _cdf_distance,
    "_square_of_sums": _square_of_sums,
    "array_namespace": lambda *_arrays, **_kwargs: _array_api(),
}
_COPIED = ("scipy.stats.", "scipy._lib.")

stand_ins: list[Callable[[Any], Any]] = []
"""What else stands for an object that SciPy's code reads: each returns that, or None."""

_globals: dict[int, Names] = {}
_copies: dict[int, tuple[Any, Any]] = {}
_namespaces: dict[str, Namespace] = {}


def _array_api() -> Namespace:
    """The namespace of the array API that SciPy asks arrays for."""
    found = _namespace(private(_COMPATIBLE) or np)
    found.__dict__.update(asarray=_asarray, clip=_clip)
    return found


def _asarray(x: Any, /, *, dtype: Any = None, copy: bool | None = None, **_: Any) -> Any:
    return _numpy.array(x, dtype=dtype) if copy else _numpy.asarray(x, dtype=dtype)


_COMPATIBLE = "scipy._lib._array_api:np_compat"
PRIVATE[_COMPATIBLE] = "the statistics of scipy.stats"


def _clip(x: Any, /, min: Any = None, max: Any = None, **_: Any) -> Any:
    return np.clip(x, min, max)


def _namespace(module: ModuleType) -> Namespace:
    name = module.__name__
    if name not in _namespaces:
        _namespaces[name] = Namespace(module, stand_in)
    return _namespaces[name]


def stand_in(name: str, value: Any) -> Any:
    """What a copy reads in place of an object of this name."""
    if value is np:
        return _numpy
    if value is math:
        return _math
    if name in _OURS:
        return _OURS[name]
    if isinstance(value, FunctionType):
        return copied(value) if value.__module__.startswith(_COPIED) else _served_or(value)
    if isinstance(value, ModuleType):
        ours = value.__name__.startswith(("scipy._lib.", "scipy.stats"))
        return _namespace(value) if ours else value
    for look in stand_ins:
        found = look(value)
        if found is not None:
            return found
    return _served_or(value)


_numpy = Namespace(
    np, stand_in, nditer=_nditer, **{each.__name__: each for each in _served.values()}
)
_math = Namespace(
    math, stand_in, **{name: getattr(np, name) for name in ("log", "sqrt", "exp", "log1p")}
)


def _served_or(value: Any) -> Any:
    """NumPy's function as it is served, or the object itself."""
    if not callable(value) or isinstance(value, type | np.ufunc):
        return value
    try:
        return _served.get(value, value)
    except TypeError:  # it has no hash
        return value


def copied(function: Any) -> Any:
    """A function of SciPy's that reads what is served here under the names that it reads."""
    known = _copies.get(id(function))
    if known is not None and known[0] is function:
        return known[1]
    original: Any = plain(function)
    names = _globals.get(id(original.__globals__))
    if names is None:
        names = _globals[id(original.__globals__)] = Names(original.__globals__, stand_in)
    cells = tuple(map(_cell, original.__closure__)) if original.__closure__ else None
    copy = copy_of(original, names, cells)
    _copies[id(function)] = (function, copy)
    return copy


def _cell(cell: Any) -> Any:
    """A variable of an enclosing function, with a copy where it is a function of SciPy's."""
    try:
        value = cell.cell_contents
    except ValueError:  # it is not set
        return cell
    if isinstance(value, FunctionType) and value.__module__.startswith(_COPIED):
        return types.CellType(copied(value))
    return cell
