"""SciPy's own functions, with other names under those that they read: what runs on traced values.

SciPy's functions written in Python are NumPy code, but for the functions that make arrays, of which
NumPy has no hook, and for choices by masks. A copy of a function has the code that the running
SciPy has, and reads in place of NumPy's functions those that are served, in place of SciPy's own
ones copies of the same kind, and for what chooses between formulas a choice of both.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer
from pullback.numpy.served import served_functions
from pullback.scipy.first_step import plain
from pullback.scipy.private import PRIVATE, private

__all__ = ["Namespace", "chosen", "copied", "known_true", "stand_ins"]


def known_true(condition: Any) -> bool:
    """Whether a condition is known to hold everywhere."""
    return type(condition) is not Tracer and bool(np.all(condition))


def chosen(condition: Any, x: Any, otherwise: Any) -> Any:
    """`x` where a condition holds, and elsewhere `otherwise`, which is made only if it is needed.

    The result is as wide as the condition where that is wider than `x`.
    """
    if not known_true(condition):
        return np.where(condition, x, otherwise() if callable(otherwise) else otherwise)
    shape = np.broadcast_shapes(np.shape(condition), np.shape(x))
    return x if np.shape(x) == shape else np.broadcast_to(x, shape)


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


class _At:
    """What `array_api_extra.at` does: a copy of an array with other elements at some places."""

    def __init__(self, x: Any, index: Any = None) -> None:
        self.x, self.index = x, index

    def __getitem__(self, index: Any) -> _At:
        return _At(self.x, index)

    def set(self, y: Any, /, **_: Any) -> Any:
        out = _numpy.array(self.x)
        out[self.index] = y
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


class Namespace:
    """A module's names, some of which are other things."""

    def __init__(self, module: ModuleType, **names: Any) -> None:
        self.__dict__.update(names)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = stand_in(name, getattr(self._module, name))
        self.__dict__[name] = value
        return value


_served = {each.__wrapped__: each for each in served_functions(np).values()}
_numpy = Namespace(np, **{each.__name__: each for each in _served.values()})
_OURS: dict[str, Callable[..., Any]] = {
    "_lazywhere": _lazywhere,
    "_lazyselect": _lazyselect,
    "apply_where": _apply_where,
    "at": _At,
    "_cdf_distance": _cdf_distance,
    "array_namespace": lambda *_arrays, **_kwargs: _array_api(),
}
_COPIED = ("scipy.stats.", "scipy._lib.")

stand_ins: list[Callable[[Any], Any]] = []
"""What else stands for an object that SciPy's code reads: each returns that, or None."""

_globals: dict[int, dict[str, Any]] = {}
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


_math = Namespace(math, **{name: getattr(np, name) for name in ("log", "sqrt", "exp", "log1p")})


def _namespace(module: ModuleType) -> Namespace:
    name = module.__name__
    if name not in _namespaces:
        _namespaces[name] = Namespace(module)
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


def _served_or(value: Any) -> Any:
    """NumPy's function as it is served, or the object itself."""
    if not callable(value) or isinstance(value, type | np.ufunc):
        return value
    try:
        return _served.get(value, value)
    except TypeError:  # it has no hash
        return value


class _Names(dict[str, Any]):
    """The names of a module as its copied functions read them, each found when it is read."""

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__(__name__=names["__name__"])
        self.names = names

    def __missing__(self, name: str) -> Any:
        if name not in self.names:
            raise KeyError(name)
        value = self[name] = stand_in(name, self.names[name])
        return value


def copied(function: Any) -> Any:
    """A function of SciPy's that reads what is served here under the names that it reads."""
    known = _copies.get(id(function))
    if known is not None and known[0] is function:
        return known[1]
    original: Any = plain(function)
    names = _globals.get(id(original.__globals__))
    if names is None:
        names = _globals[id(original.__globals__)] = _Names(original.__globals__)
    copy = FunctionType(
        original.__code__,
        names,
        original.__name__,
        original.__defaults__,
        tuple(map(_cell, original.__closure__)) if original.__closure__ else None,
    )
    copy.__kwdefaults__ = original.__kwdefaults__
    copy.__dict__.update(original.__dict__)
    copy.__module__ = original.__module__
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
