"""NumPy's functions in Python, as they would be if a user had written them.

Their copies (:mod:`pullback.numpy.copies`) see NumPy's namespace as the code of users sees it
(:mod:`pullback.numpy.served`), and copies of the private functions of their module that do so too.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from pullback.numpy.copies import Names, Namespace, copy_of
from pullback.numpy.served import served

__all__ = ["NUMPY", "numpy_with", "rewritten"]

F = Callable[..., Any]


def _as_served(name: str, value: Any) -> Any:
    """A function of NumPy's as it is served, or what is no function itself."""
    if not callable(value) or isinstance(value, type):
        return value
    return served(name, value) or value


def numpy_with(**names: Any) -> Namespace:
    """NumPy's namespace, with the functions that are served in the place of NumPy's own."""
    return Namespace(np, _as_served, **names)


NUMPY = numpy_with()

_modules: dict[int, Names] = {}


def rewritten(function: F, **names: Any) -> F:
    """`function` as a user would have written it, with other things under some of its names."""
    code: Any = getattr(function, "__wrapped__", function)
    copy: F = copy_of(code, _names(code.__globals__, **names))
    return copy


def _names(namespace: dict[str, Any], **names: Any) -> Names:
    """What the functions of one of NumPy's modules see in the place of what they see there.

    Its private functions see the same, but for the names that are given for one function.
    """
    if not names and id(namespace) in _modules:
        return _modules[id(namespace)]

    def stand_in(name: str, value: Any) -> Any:
        # By name: what pullback itself calls np is not the module whose functions are replaced.
        if isinstance(value, ModuleType) and value.__name__ in ("numpy", "numpy._core.numeric"):
            return NUMPY if value.__name__ == "numpy" or name == "NX" else value
        if callable(value) and not isinstance(value, type) and vars(np).get(name) is value:
            return getattr(NUMPY, name)
        if type(value) is FunctionType and value.__globals__ is namespace and name[0] == "_":
            return copy_of(value, _names(namespace))
        return value

    found = Names(namespace, stand_in, **names)
    if not names:
        _modules[id(namespace)] = found
    return found
