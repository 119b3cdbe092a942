"""NumPy's functions in Python, as they would be if a user had written them.

Some of NumPy's functions are written in Python, in calls of others that have rules, and only make
plain arrays of their arguments, or of nothing, on the way. With NumPy's namespace as the code of
users sees it (:mod:`pullback.numpy.served`) in the place of their own, they follow traced values:
what they return has NumPy's values to the last bit, in any release.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from pullback.numpy.registration import with_names
from pullback.numpy.served import served

__all__ = ["NUMPY", "Namespace", "rewritten"]

F = Callable[..., Any]


class Namespace:
    """NumPy's namespace, with the functions that are served in the place of NumPy's own."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(np, name)
        found = None
        if callable(function) and not isinstance(function, type):
            found = served(name, function)
        vars(self)[name] = function if found is None else found
        return vars(self)[name]


NUMPY = Namespace()

_modules: dict[int, dict[str, Any]] = {}


def rewritten(function: F, **names: Any) -> F:
    """`function` as a user would have written it, with other things under some of its names."""
    function = getattr(function, "__wrapped__", function)
    code: Any = function
    copy: F = with_names(code, **(_names(code.__globals__) | names))
    return copy


def _names(namespace: dict[str, Any]) -> dict[str, Any]:
    """What the functions of one of NumPy's modules see in the place of what they see there.

    Its private functions see the same.
    """
    known = _modules.get(id(namespace))
    if known is None:
        known = _modules[id(namespace)] = {}
        for name, value in namespace.items():
            if value is np or (name == "NX" and hasattr(value, "newaxis")):
                known[name] = NUMPY
            elif callable(value) and not isinstance(value, type) and vars(np).get(name) is value:
                known[name] = _Late(name)
        seen = {**namespace, **known}
        for name, value in namespace.items():
            if type(value) is FunctionType and value.__globals__ is namespace and name[0] == "_":
                known[name] = _copied(value, seen)
        seen |= known
    return known


class _Late:
    """A function of the namespace, which is looked up when it is called first."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(NUMPY, self.name)(*args, **kwargs)


def _copied(function: FunctionType, namespace: dict[str, Any]) -> FunctionType:
    """A function that sees another namespace, which may still be filled."""
    copy = FunctionType(
        function.__code__,
        namespace,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy
