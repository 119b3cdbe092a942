"""Which calls have no effect but what they return, or write to traced arrays."""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer
from pullback.lifting.reasons import UnliftableError
from pullback.lifting.slices.calls import known_call
from pullback.lifting.slices.varying import Varying
from pullback.numpy.callers import is_users_file
from pullback.numpy.served import Served
from pullback.transforms.transformed import Transformed

__all__ = ["Watched", "called", "is_pure", "require_readable"]

_BUILTINS = frozenset({
    getattr(builtins, name) for name in (
        "abs", "all", "any", "bool", "complex", "dict", "divmod", "enumerate", "float", "frozenset",
        "getattr", "hasattr", "hash", "int", "isinstance", "issubclass", "len", "list", "map",
        "max", "min", "pow", "range", "reversed", "round", "set", "slice", "sorted", "str", "sum",
        "tuple", "type", "zip", "callable", "filter", "id", "repr", "format",
    )
})  # fmt: skip

_WORDS = frozenset({str, repr, format, id, hash})
"""What makes of a traced value something that is the same in all iterations."""

_LIBRARIES = frozenset({"numpy", "scipy", "math", "cmath", "operator", "_operator", "itertools",
                        "pullback", "fractions", "numbers", "functools", "_functools"})  # fmt: skip
_IMPURE = ("numpy.random", "scipy.io", "scipy.datasets", "numpy.testing")

_EFFECTS = frozenset({
    "save", "savez", "savez_compressed", "savetxt", "load", "loadtxt", "genfromtxt",
    "fromfile", "fromregex", "tofile", "memmap", "dump", "rvs", "resample", "shuffle", "seterr",
    "seterrcall", "set_printoptions", "setbufsize", "test", "show_config", "info", "setitem",
    "delitem", "setattr", "nditer", "lru_cache", "cache", "singledispatch", "from_dlpack",
    "frompyfunc",
})  # fmt: skip
"""Names of functions of libraries with an effect, or whose result remembers something."""

_WRITERS = frozenset({
    "copyto", "put", "place", "putmask", "put_along_axis", "fill_diagonal", "at", "iadd", "isub",
    "imul", "itruediv", "ifloordiv", "imod", "ipow", "imatmul", "iand", "ior", "ixor", "ilshift",
    "irshift", "iconcat",
})  # fmt: skip
"""Names of functions that write to their first argument."""

_WRITING = frozenset({
    "fill", "sort", "partition", "put", "itemset", "setfield", "setflags", "resize", "byteswap",
    "tofile", "dump", "__setitem__",
})  # fmt: skip
"""Methods of arrays that change them."""

_VALUES = (str, bytes, int, float, complex, tuple, frozenset, np.dtype, np.generic)


def is_pure(function: Any) -> bool:
    """Whether a call of this function can be recorded once for many."""
    kind = type(function)
    try:
        if function in _BUILTINS:
            return True
    except TypeError:
        pass
    name = getattr(function, "__name__", "")
    if kind in (Served, Transformed) or isinstance(function, np.ufunc):
        return name not in _EFFECTS
    owner = getattr(function, "__self__", None)
    if type(owner) in (Tracer, Varying) or isinstance(owner, _VALUES):
        return name not in ("tofile", "dump")
    if type(owner) is np.ndarray:
        return name not in _WRITING
    if isinstance(owner, dict | list):
        return name in _LOOKUPS
    if isinstance(owner, np.ufunc):
        return True  # but for what it writes to, which is looked at
    if owner is not None and not isinstance(owner, types.ModuleType | np.ufunc | type):
        return False
    module = getattr(function, "__module__", None) or getattr(kind, "__module__", None) or ""
    if kind.__module__.startswith("pullback."):
        module = kind.__module__
    known = module.partition(".")[0] in _LIBRARIES and not module.startswith(_IMPURE)
    return known and name not in _EFFECTS


_LOOKUPS = frozenset({"get", "items", "keys", "values", "index", "count", "copy"})


class Watched:
    """A function without effects, whose arguments are looked at: it may write to or call them."""

    def __init__(self, function: Any, convert: Callable[[Any], Any]) -> None:
        self._function, self._convert = function, convert

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        function = self._function
        name = called(function)
        if args and getattr(function, "__name__", "") in _WRITERS:
            _require_written(args[0], name)
        out = kwargs.get("out")
        for each in out if type(out) is tuple else (out,):
            if each is not None:
                _require_written(each, name)
        if function in _WORDS and any(type(each) is Tracer for each in args):
            raise UnliftableError(f"it calls {name} of a value that differs from time to time")
        if any(hasattr(type(each), "__next__") and not _is_fresh(each) for each in args):
            raise UnliftableError(f"it calls {name} of an iterator")
        args = tuple(self._convert(each) if _is_code(each) else each for each in args)
        kwargs = {key: self._convert(x) if _is_code(x) else x for key, x in kwargs.items()}
        known = known_call(function, args, kwargs)
        return function(*args, **kwargs) if known is None else known()


_OVER = (zip, enumerate, map, filter, reversed)


def _is_fresh(x: Any) -> bool:
    """Whether an iterator is most likely one that the call's arguments have just made."""
    return type(x) in _OVER or (type(x) is types.GeneratorType and x.gi_code.co_name == "<genexpr>")


def _is_code(x: Any) -> bool:
    """Whether it is a function of a user's, that what it is handed to may call."""
    return type(x) in (types.FunctionType, types.MethodType) or (
        callable(x) and not isinstance(x, type | Tracer) and not is_pure(x)
    )


def _require_written(x: Any, name: str) -> None:
    if type(x) is not Tracer:
        outside = f"{type(x).__name__} from outside"
        what = "slice whose length varies" if type(x) is Varying else outside
        raise UnliftableError(f"{name} writes to a {what}")


def called(function: Any) -> str:
    """What to call a function in a message."""
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    return name if isinstance(name, str) else type(function).__name__


_OPERATORS = frozenset({
    "__getitem__", "__setitem__", "__iter__", "__len__", "__bool__", "__contains__", "__getattr__",
    "__getattribute__", "__iadd__", "__imul__", "__isub__",
    *(f"__{side}{name}__" for side in ("", "r") for name in (
        "add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow",
    )),
})  # fmt: skip


def require_readable(named: Iterable[tuple[str, Any]]) -> None:
    """Refuse what a block reads from outside that may change when it is read.

    That is iterators, and objects whose operators or properties run a user's code.
    """
    for name, x in named:
        kind = type(x)
        if kind is Tracer or kind in _PLAIN or kind is type:
            continue
        if hasattr(kind, "__next__"):
            raise UnliftableError(f"it reads from {name}, a {kind.__name__}, which it uses up")
        for base in kind.__mro__:
            for key, value in vars(base).items():
                function = value.fget if isinstance(value, property) else value
                if not isinstance(function, types.FunctionType):
                    continue
                if key not in _OPERATORS and not isinstance(value, property):
                    continue
                if is_users_file(function.__code__.co_filename) and not _is_librarys(base):
                    raise UnliftableError(
                        f"{name} is a {kind.__name__}, whose {key} is code of its own"
                    )


_PLAIN = frozenset({
    int, float, complex, bool, str, bytes, tuple, list, dict, set, frozenset, type(None),
    np.ndarray, types.FunctionType, types.ModuleType, types.BuiltinFunctionType, types.MethodType,
    slice, range, Served, np.ufunc, np.bool_, np.float64, np.float32, np.int64, np.int32,
})  # fmt: skip


def _is_librarys(base: type) -> bool:
    return base.__module__.partition(".")[0] in (*_LIBRARIES, "builtins", "functools", "enum")
