"""Which calls have no effect but what they return, or write to traced arrays."""

from __future__ import annotations

import builtins
import types
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer
from pullback.numpy.served import Served
from pullback.transforms.transformed import Transformed

__all__ = ["is_pure"]

_BUILTINS = frozenset({
    getattr(builtins, name) for name in (
        "abs", "all", "any", "bool", "complex", "dict", "divmod", "enumerate", "float", "frozenset",
        "getattr", "hasattr", "hash", "int", "isinstance", "issubclass", "len", "list", "map",
        "max", "min", "pow", "range", "reversed", "round", "set", "slice", "sorted", "str", "sum",
        "tuple", "type", "zip", "callable", "filter", "id", "repr", "iter",
    )
})  # fmt: skip

_LIBRARIES = frozenset({"numpy", "scipy", "math", "cmath", "operator", "itertools", "functools",
                        "pullback", "fractions", "numbers"})  # fmt: skip
_IMPURE = ("numpy.random", "scipy.stats")

_VALUES = (str, bytes, int, float, complex, tuple, frozenset, np.dtype, np.generic)


def is_pure(function: Any) -> bool:
    """Whether a call of this function can be recorded once for many."""
    kind = type(function)
    try:
        if function in _BUILTINS:
            return True
    except TypeError:
        pass
    if isinstance(function, np.ufunc) or kind in (Served, Transformed):
        return True
    owner = getattr(function, "__self__", None)
    if type(owner) is Tracer or isinstance(owner, _VALUES):
        return True
    if type(owner) is np.ndarray:
        return getattr(function, "__name__", "") not in _WRITING
    if owner is not None and not isinstance(owner, types.ModuleType | np.ufunc | type):
        return False
    module = getattr(function, "__module__", None) or ""
    return module.partition(".")[0] in _LIBRARIES and not module.startswith(_IMPURE)


_WRITING = frozenset({
    "fill", "sort", "partition", "put", "itemset", "setfield", "setflags", "resize", "byteswap",
    "__setitem__",
})  # fmt: skip
