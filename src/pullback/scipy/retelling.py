"""SciPy's own code of a function, run on traced values.

Much of SciPy is NumPy code that a traced value would go through, but for one thing: it makes plain
arrays, and makes plain arrays of what it is given. A function that is retold has SciPy's code, and
so do the functions of its library that it calls; under the names that they read, NumPy's functions
are those of :mod:`pullback.numpy.served`, which take and make traced arrays. It is SciPy's
algorithm in the running release, with SciPy's arguments, checks and defaults.

What is served with a rule is not retold, but called; and so are other modules of SciPy.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from pullback.numpy.protocol import are_constant, on_constants
from pullback.numpy.served import served_functions
from pullback.scipy.first_step import any_traced, plain, served

__all__ = ["hooks", "instead", "retold"]

F = Callable[..., Any]


@functools.cache
def _numpy() -> ModuleType:
    """NumPy, whose functions take and make traced arrays."""
    namespace = ModuleType(np.__name__, np.__doc__)
    vars(namespace).update(vars(np), **served_functions(np))
    linalg = ModuleType(np.linalg.__name__, np.linalg.__doc__)
    vars(linalg).update(vars(np.linalg), **served_functions(np.linalg))
    lib = SimpleNamespace(stride_tricks=SimpleNamespace(sliding_window_view=_windows))
    vars(namespace).update(
        lib=lib, linalg=linalg, asarray=functools.partial(_asarray, namespace.asarray)
    )
    return namespace


def _windows(x: Any, window_shape: Any, axis: Any = None, **_flags: Any) -> Any:
    """Windows that SciPy's code asks to be writeable, and does not write to."""
    return np.lib.stride_tricks.sliding_window_view(x, window_shape, axis)


def _asarray(asarray: F, x: Any, dtype: Any = None, **others: Any) -> Any:
    """``np.asarray``, which SciPy's code asks for an array on the device of others too."""
    others.pop("device", None)
    return asarray(x, dtype=dtype, **others)


@functools.cache
def _functions() -> dict[int, F]:
    """NumPy's functions by identity, as they are served."""
    namespace = vars(_numpy())
    return {id(vars(np)[name]): namespace[name] for name in served_functions(np)}


class _Extra:
    """What SciPy has of functions that the standard for arrays lacks, as far as it is called."""

    @staticmethod
    def atleast_nd(x: Any, *, ndim: int, xp: Any = None) -> Any:
        x = _numpy().asarray(x)
        return np.reshape(x, (1,) * (ndim - x.ndim) + x.shape) if x.ndim < ndim else x

    @staticmethod
    def pad(x: Any, width: Any, mode: Any = "constant", *, xp: Any = None, **others: Any) -> Any:
        return np.pad(x, width, mode, **others)

    @staticmethod
    def sinc(x: Any, *, xp: Any = None) -> Any:
        return np.sinc(x)

    @staticmethod
    def at(x: Any, key: Any = None) -> Any:
        return _At(x, key)


class _At:
    """A part of an array, of which ``set`` makes the array with something else in its place."""

    def __init__(self, x: Any, key: Any = None) -> None:
        self.x, self.key = x, key

    def __getitem__(self, key: Any) -> _At:
        return _At(self.x, key)

    def set(self, value: Any, **_: Any) -> Any:
        copy = _numpy().array(self.x)
        copy[self.key] = value
        return copy


def _namespace(*_arrays: Any, **_options: Any) -> ModuleType:
    return _numpy()


hooks: dict[str, F] = {
    "array_namespace": _namespace,
    "is_array_api_obj": lambda x: isinstance(x, np.ndarray),
}
"""What else is under a name that SciPy's code reads."""

instead: dict[F, F] = {}
"""What is called instead of functions of SciPy's other modules that are not served."""


class _Elsewhere:
    """A module whose functions take constants as plain arrays."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def __getattr__(self, name: str) -> Any:
        return _outside(getattr(self.module, name))


def _outside(each: Any) -> Any:
    """A function that is called as it is, and on plain arrays where nothing is followed."""
    if isinstance(each, ModuleType):
        return _Elsewhere(each)
    if isinstance(each, type) or not callable(each) or isinstance(each, np.ufunc):
        return each

    @functools.wraps(each, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if any_traced((*args, *kwargs.values())):
            if are_constant((args, kwargs)):
                return on_constants(each, args, kwargs)
            return (each if each in served else instead.get(each, each))(*args, **kwargs)
        return each(*args, **kwargs)

    return call


_told: dict[str, dict[str, Any]] = {}


def _module(name: str) -> dict[str, Any]:
    """The names that a module's functions read, retold."""
    if name in _told:
        return _told[name]
    given = vars(sys.modules[name])
    told = _told[name] = dict(given)
    compared = {id(each) for table in given.values() for each in _entries(table)}
    for key, each in given.items():
        if not key.startswith("__") and id(each) not in compared:
            told[key] = _replaced(key, each, told, name)
    return told


def _entries(table: Any) -> list[Any]:
    """What is in the tables of a module, of which its code may ask whether it is the same."""
    if not isinstance(table, dict) or "__name__" in table:
        return []
    return [each for row in table.values() if isinstance(row, list | tuple) for each in row]


def _replaced(key: str, each: Any, told: dict[str, Any], module: str) -> Any:
    if isinstance(each, ModuleType):
        if each is np or each.__name__.endswith("array_api_compat.numpy"):
            return _numpy()
        if each.__name__.endswith("array_api_extra"):
            return _Extra
        if _within(each.__name__):
            copy = ModuleType(each.__name__, each.__doc__)
            copy.__dict__.update(_module(each.__name__))
            return copy
        return _Elsewhere(each) if each.__name__.startswith("scipy.") else each
    if key in hooks:
        return hooks[key]
    if id(each) in _functions():
        return _functions()[id(each)]
    if type(each) is FunctionType and each not in served and _within(each.__module__):
        if each.__module__ == module:
            return _copy(each, told)
        return _module(each.__module__).get(each.__name__, each)
    callable_in_scipy = isinstance(each, FunctionType | BuiltinFunctionType) and (
        each.__module__ or ""
    ).startswith("scipy.")
    return _outside(each) if callable_in_scipy and each not in served else each


def _within(module: str) -> bool:
    """Whether the functions of a module are retold, rather than called as they are."""
    parts = module.split(".")
    return module in _RETOLD or (parts[:2] == ["scipy", "signal"] and len(parts) > 2)


_RETOLD = {"scipy._lib._array_api", "scipy.fft._helper", "numpy.polynomial.polynomial"}


def _copy(function: FunctionType, told: dict[str, Any]) -> Any:
    original = inspect.unwrap(plain(function))
    if type(original) is not FunctionType:
        return function
    copy = FunctionType(
        original.__code__,
        told,
        original.__name__,
        original.__defaults__,
        original.__closure__,
    )
    copy.__kwdefaults__ = original.__kwdefaults__
    copy.__qualname__ = original.__qualname__
    copy.__doc__ = original.__doc__
    return copy


def retold(function: Any) -> F:
    """SciPy's function with its own code, which takes traced values."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        return tell()(*args, **kwargs)

    @functools.cache
    def tell() -> Any:
        original = inspect.unwrap(plain(function))
        return _copy(original, _module(original.__module__))

    return run
