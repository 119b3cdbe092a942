"""What functions refer to: variables of the functions around them, and modules of users.

A function sees the variables of the functions around it, and the namespace of its module; objects
that it sees have classes, whose methods have namespaces of their own.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Iterator
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer
from pullback.numpy.callers import is_installed, is_users_file
from pullback.numpy.served import Served

__all__ = [
    "Namespace",
    "Sight",
    "attributes_of",
    "closure_of",
    "content",
    "is_a_librarys",
    "is_users",
    "namespaces_of",
    "parts_of",
]

Namespace = dict[str, Any]

_INERT = frozenset(
    {bool, int, float, complex, str, bytes, type(None), np.ndarray, np.float64, np.float32, Tracer}
)
"""Types of values that refer to no function, and so to no module."""


class Sight:
    """What a function refers to by the variables of the functions around it, and what those do.

    It is right for every function of the same code and module whose variables hold the same.

    Attributes
    ----------
    namespaces : list of dict
        Those of the modules that it is from, and that it sees.
    seen : list of (weakref or None, tuple)
        The functions, `None` for the first, and for each of their variables what that held; see
        `_trace_of`.
    """

    __slots__ = ("code", "namespace", "namespaces", "seen")

    def __init__(self, function: FunctionType) -> None:
        self.code, self.namespace = function.__code__, function.__globals__
        self.namespaces = [x for x in namespaces_of(function) if type(x) is dict]
        self.seen = [
            (
                None if part is function else weakref.ref(part),
                tuple(map(_trace_of, map(content, part.__closure__ or ()))),
            )
            for part in parts_of(function)
            if type(part) is FunctionType
        ]

    def cells(self, function: FunctionType) -> list[CellType] | None:
        """The variables, if it is that function's, and they hold what they did."""
        if self.code is not function.__code__ or self.namespace is not function.__globals__:
            return None
        cells: list[CellType] = []
        for reference, traces in self.seen:
            part = function if reference is None else reference()
            if part is None:
                return None
            closure = part.__closure__ or ()
            for cell, trace in zip(closure, traces, strict=True):
                held = content(cell)
                if trace is None:
                    if type(held) not in _INERT:
                        return None
                elif trace is not type(held) and (isinstance(trace, type) or trace() is not held):
                    return None
            cells += closure
        return cells


def content(cell: CellType) -> Any:
    """What a variable holds; `None` if it has no value, and NumPy's function if that is served."""
    try:
        held = cell.cell_contents
    except ValueError:
        return None
    return held.__wrapped__ if type(held) is Served else held


def _trace_of(held: Any) -> Any:
    """What tells whether a variable still refers to the same, and doesn't keep that alive.

    It is `None` for what refers to nothing, the class for what refers to nothing but that, and
    otherwise a function that returns the object.
    """
    kind = type(held)
    if kind in _INERT:
        return None
    if kind in _NUMPYS:
        return lambda: held
    try:
        return weakref.ref(held)
    except TypeError:
        return _nothing if "__wrapped__" in attributes_of(held) else kind


_NUMPYS = (np.ufunc, type(np.sum))
"""Types of functions that stay alive anyway."""


def _nothing() -> Any:
    """In place of an object that can't be known again."""
    return _nothing


def closure_of(part: Any) -> tuple[CellType, ...]:
    """The variables of the functions around it that a function sees; none if it is no function."""
    return (part.__closure__ or ()) if type(part) is FunctionType else ()


def _filled(function: FunctionType) -> Iterator[CellType]:
    """The variables of the functions around it that a function sees, and that have a value."""
    for cell in function.__closure__ or ():
        try:
            cell.cell_contents  # noqa: B018
        except ValueError:
            continue
        yield cell


def parts_of(x: Any) -> Iterator[Any]:
    """What something to call is made of: functions, and what they see of those around them."""
    seen: set[int] = set()
    remaining = [x]
    while remaining:
        part = remaining.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if type(part) is functools.partial:
            remaining.append(part.func)
            remaining += part.args
        elif type(part) is MethodType:
            remaining += (part.__func__, part.__self__)
        elif type(part) is not ModuleType and "__wrapped__" in attributes_of(part):
            remaining.append(attributes_of(part)["__wrapped__"])
        if type(part) is FunctionType:
            remaining += (cell.cell_contents for cell in _filled(part))


def attributes_of(x: Any) -> Any:
    """The attributes of an object, none of which is computed for it."""
    try:
        return object.__getattribute__(x, "__dict__")
    except AttributeError:
        return {}


def namespaces_of(x: Any) -> Iterator[Namespace]:
    """The namespaces of the users' modules that something is, or is from."""
    for part in parts_of(x):
        kind = type(part)
        if kind is FunctionType:
            namespace = part.__globals__
        elif kind is ModuleType:
            namespace = vars(part)
        else:
            yield from _of_class(part if isinstance(part, type) else kind)
            continue
        if is_users(namespace):
            yield namespace


def _of_class(cls: type) -> Iterator[Namespace]:
    """The namespaces that the methods of a class, and what it inherits, were written in."""
    for each in cls.__mro__:
        for method in vars(each).values():
            if type(method) is FunctionType:
                if is_users(method.__globals__):
                    yield method.__globals__
                break


def is_users(namespace: Namespace) -> bool:
    """Whether a module is a user's: not one of Python's, nor of a library that is left alone."""
    if type(namespace) is not dict:
        return False
    name = namespace.get("__name__")
    if isinstance(name, str) and name.partition(".")[0] in sys.stdlib_module_names:
        return name == "__main__"
    path = namespace.get("__file__")
    return not isinstance(path, str) or is_users_file(path)


def is_a_librarys(namespace: Namespace) -> bool:
    """Whether a module is from a folder that libraries are installed in."""
    path = namespace.get("__file__")
    return isinstance(path, str) and is_installed(path)
