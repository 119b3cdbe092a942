"""SciPy's own code of a function, run on traced values.

A function that is retold is a copy (:mod:`pullback.numpy.copies`), and so are the functions of its
library that it calls. What is served with a rule is not retold, but called; and so are other
modules of SciPy.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from pullback.numpy.copies import Names, Namespace, copy_of
from pullback.numpy.protocol import are_constant, on_constants
from pullback.numpy.served import served_functions
from pullback.scipy.first_step import any_traced, plain, served

__all__ = ["At", "hooks", "instead", "instead_within", "retold"]

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
        return At(x, key)


class At:
    """What `array_api_extra.at` gives, which writes to NumPy's arrays."""

    def __init__(self, x: Any, key: Any = None) -> None:
        self.x, self.key = x, key

    def __getitem__(self, key: Any) -> At:
        return At(self.x, key)

    def set(self, value: Any, /, copy: Any = None, **_: Any) -> Any:
        in_place = isinstance(self.x, np.ndarray) and not copy  # a scalar is immutable
        x = self.x if in_place else _numpy().array(self.x)
        x[self.key] = value
        return x


def _namespace(*_arrays: Any, **_options: Any) -> ModuleType:
    return _numpy()


hooks: dict[str, F] = {
    "array_namespace": _namespace,
    "is_array_api_obj": lambda x: isinstance(x, np.ndarray),
}
"""What else is under a name that SciPy's code reads."""

instead: dict[F, F] = {}
"""What is called instead of functions of SciPy's other modules that are not served."""


instead_within: dict[str, dict[str, Any]] = {}
"""What else is under a name that the code of one module reads, which may be Python's own name."""


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


_told: dict[str, Names] = {}


def _module(name: str) -> Names:
    """The names that a module's functions read, retold."""
    if name not in _told:
        given = vars(sys.modules[name])
        compared = {id(each) for table in given.values() for each in _entries(table)}
        kept = {key: each for key, each in given.items() if id(each) in compared}
        kept |= instead_within.get(name, {})
        _told[name] = Names(given, functools.partial(_replaced, name), **kept)
    return _told[name]


def _entries(table: Any) -> list[Any]:
    """What is in the tables of a module, of which its code may ask whether it is the same."""
    if not isinstance(table, dict) or "__name__" in table:
        return []
    return [each for row in table.values() if isinstance(row, list | tuple) for each in row]


def _replaced(module: str, key: str, each: Any) -> Any:
    if isinstance(each, ModuleType):
        if each is np or each.__name__.endswith("array_api_compat.numpy"):
            return _numpy()
        if each.__name__.endswith("array_api_extra"):
            return _Extra
        if _within(each.__name__):
            return Namespace(each, lambda name, _: _module(each.__name__)[name])
        return _Elsewhere(each) if each.__name__.startswith("scipy.") else each
    if key in hooks:
        return hooks[key]
    if id(each) in _functions():
        return _functions()[id(each)]
    if type(each) is FunctionType and each not in served and _within(each.__module__):
        if each.__module__ == module:
            return _copy(each, _module(module))
        names = _module(each.__module__)
        return names[each.__name__] if each.__name__ in vars(sys.modules[each.__module__]) else each
    callable_in_scipy = isinstance(each, FunctionType | BuiltinFunctionType) and (
        each.__module__ or ""
    ).startswith("scipy.")
    return _outside(each) if callable_in_scipy and each not in served else each


def _within(module: str) -> bool:
    """Whether the functions of a module are retold, rather than called as they are."""
    parts = module.split(".")
    return module in _RETOLD or (parts[:2] == ["scipy", "signal"] and len(parts) > 2)


_RETOLD = {
    "scipy._lib._array_api", "scipy.fft._helper", "scipy.integrate._quadrature",
    "numpy.polynomial.polynomial",
}  # fmt: skip


def _copy(function: FunctionType, names: Names) -> Any:
    original = inspect.unwrap(plain(function))
    return copy_of(original, names) if type(original) is FunctionType else function


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
