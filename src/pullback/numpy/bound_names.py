"""Names of NumPy's functions that users' modules have bound: ``from numpy import zeros``.

While transformations run, these names are bound to what is served in their place, in the modules of
the functions that are transformed and the modules that those refer to. What is served asks in which
thread it is called. What else a module keeps of NumPy's functions, such as one to compare with, or
a table of them, is left alone.
"""

from __future__ import annotations

import ast
import functools
import sys
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer
from pullback.numpy.callers import is_installed, is_users_file
from pullback.numpy.served import Served

__all__ = ["BoundNames"]

Namespace = dict[str, Any]

_INERT = frozenset(
    {bool, int, float, complex, str, bytes, type(None), np.ndarray, np.float64, np.float32, Tracer}
)
"""Types of values that refer to no function, and so to no module."""


MOST = 1024
"""For how many modules what was found is remembered."""


class _Place:
    """What is known of the namespace of a module.

    Attributes
    ----------
    size : int
        How many names there were when it was looked through.
    names : list of str
        Those of NumPy's functions.
    others : list of dict
        The namespaces of users' modules that the module refers to.
    """

    __slots__ = ("names", "namespace", "others", "size")

    def __init__(self, namespace: Namespace, functions: dict[int, Served]) -> None:
        self.namespace = namespace
        self.size = len(namespace)
        self.names: list[str] = []
        found: dict[int, Namespace] = {}
        renamed: list[str] = []
        for name, value in list(namespace.items()):
            served = functions.get(id(value))
            if served is None:
                found.update((id(other), other) for other in _namespaces(value))
            elif vars(np).get(name, getattr(np.linalg, name, None)) is value:
                self.names.append(name)
            else:
                renamed.append(name)
        if renamed:
            self.names += _imported(namespace).intersection(renamed)
        found.pop(id(namespace), None)
        self.others = list(found.values())


class _Reach:
    """A module and those that it refers to, directly or not.

    Libraries that are installed bind names where something is imported, and are looked at when
    there are more modules; there may be hundreds of them behind one name.

    Attributes
    ----------
    own, installed : list of dict
        The namespaces of the module and of others of the user's own, and of libraries.
    sizes, of_installed : list of int
        How many names there were in each when it was looked through.
    modules : int
        How many modules there were then.
    named : list of (dict, list of str)
        The namespaces that have NumPy's functions, and their names there.
    """

    __slots__ = ("installed", "modules", "named", "of_installed", "own", "sizes")

    def __init__(self, places: list[_Place]) -> None:
        own = places[:1] + [x for x in places[1:] if not _is_installed(x.namespace)]
        installed = [x for x in places[1:] if _is_installed(x.namespace)]
        self.own, self.installed = ([x.namespace for x in each] for each in (own, installed))
        self.sizes, self.of_installed = ([x.size for x in each] for each in (own, installed))
        self.modules = len(sys.modules)
        self.named = [(place.namespace, place.names) for place in places if place.names]

    def is_of(self, namespace: Namespace) -> bool:
        """Whether this is what the module reaches, and nothing was bound in any of them since."""
        own = self.own
        if own[0] is not namespace or [*map(len, own)] != self.sizes:
            return False
        modules = len(sys.modules)
        if modules != self.modules:
            if [*map(len, self.installed)] != self.of_installed:
                return False
            self.modules = modules
        return True


def _imported(namespace: Namespace) -> set[str]:
    """What a module's source calls what it imports: ``z`` in ``from numpy import zeros as z``.

    Empty where there is no source.
    """
    path = namespace.get("__file__")
    try:
        tree = ast.parse(Path(path).read_bytes()) if isinstance(path, str) else ast.Module([], [])
    except (OSError, SyntaxError, ValueError):
        return set()
    return {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "numpy"
        for alias in node.names
        if alias.asname is not None
    }


class _Sight:
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
        self.namespaces = [*_namespaces(function)]
        self.seen = [
            (
                None if part is function else weakref.ref(part),
                tuple(map(_trace_of, map(_content, part.__closure__ or ()))),
            )
            for part in _parts(function)
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
                held = _content(cell)
                if trace is None:
                    if type(held) not in _INERT:
                        return None
                elif trace is not type(held) and (isinstance(trace, type) or trace() is not held):
                    return None
            cells += closure
        return cells


def _content(cell: CellType) -> Any:
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
        return _nothing if "__wrapped__" in _attributes(held) else kind


_NUMPYS = (np.ufunc, type(np.sum))
"""Types of functions that stay alive anyway."""


def _nothing() -> Any:
    """In place of an object that can't be known again."""
    return _nothing


class BoundNames:
    """Binds the names, and binds them back."""

    def __init__(self) -> None:
        self._functions: dict[int, Served] = {}
        self._places: dict[int, _Place] = {}
        self._reaches: dict[int, _Reach] = {}
        self._sights: dict[int, _Sight] = {}
        self._visited: dict[int, Namespace] = {}
        self._bound: list[tuple[Namespace, str, Served]] = []
        self._cells: list[tuple[CellType, Served]] = []

    def know(self, served: Iterable[Served]) -> None:
        """Take functions to be served."""
        for each in served:
            self._functions[id(each.__wrapped__)] = each

    def serve(self, function: Any) -> None:
        """Bind the names that a function, and what it refers to, can reach."""
        while "__wrapped__" in (attributes := _attributes(function)):
            function = attributes["__wrapped__"]  # what a transform returned
        if type(function) is functools.partial and not function.args:
            function = function.func  # with keywords, which are values
        if type(function) is FunctionType:
            self._serve_sight(function)
            return
        for part in _parts(function):
            for cell in _closure(part):
                self._serve_cell(cell)
        for namespace in _namespaces(function):
            self._serve_reach(namespace)

    def _serve_sight(self, function: FunctionType) -> None:
        """Bind the names that a function written in Python can reach."""
        if function.__closure__ is None:
            self._serve_reach(function.__globals__)
            return
        sight = self._sights.get(id(function.__code__))
        cells = None if sight is None else sight.cells(function)
        if sight is None or cells is None:
            if len(self._sights) >= MOST:
                self._sights.clear()
            sight = self._sights[id(function.__code__)] = _Sight(function)
            cells = [cell for part in _parts(function) for cell in _closure(part)]
        for cell in cells:
            self._serve_cell(cell)
        for namespace in sight.namespaces:
            self._serve_reach(namespace)

    def _serve_reach(self, namespace: Namespace) -> None:
        """Bind the names of a module and of those that it refers to, directly or not."""
        if id(namespace) in self._visited or type(namespace) is not dict:
            return  # another type: that of a copy of a function, which is served as its original is
        self._visited[id(namespace)] = namespace
        for bound, names in self._reach(namespace).named:
            for name in names:
                served = self._functions.get(id(bound.get(name)))
                if served is not None:
                    self._bound.append((bound, name, served))
                    bound[name] = served

    def _reach(self, namespace: Namespace) -> _Reach:
        """What is known of a module and of those that it refers to."""
        known = self._reaches.get(id(namespace))
        if known is not None and known.is_of(namespace):
            return known
        places = []
        remaining, seen = [namespace], {id(namespace)}
        while remaining and _is_users(namespace):
            place = self._place(remaining.pop())
            places.append(place)
            for other in place.others:
                if id(other) not in seen:
                    seen.add(id(other))
                    remaining.append(other)
        if len(self._reaches) >= MOST:
            self._reaches.clear()
            self._places.clear()
        reach = _Reach(places)
        if places:
            self._reaches[id(namespace)] = reach
        return reach

    def _place(self, namespace: Namespace) -> _Place:
        place = self._places.get(id(namespace))
        if place is None or place.namespace is not namespace or place.size != len(namespace):
            place = self._places[id(namespace)] = _Place(namespace, self._functions)
        return place

    def _serve_cell(self, cell: CellType) -> None:
        served = self._functions.get(id(_content(cell)))
        if served is not None and cell.cell_contents is not served:
            self._cells.append((cell, served))
            cell.cell_contents = served

    def restore(self) -> None:
        """Bind to NumPy's functions again what has not been bound to something else since."""
        self._visited.clear()
        while self._bound:
            namespace, name, served = self._bound[-1]
            if namespace.get(name) is served:
                namespace[name] = served.__wrapped__
            self._bound.pop()
        while self._cells:
            cell, served = self._cells[-1]
            if cell.cell_contents is served:
                cell.cell_contents = served.__wrapped__
            self._cells.pop()


def _closure(part: Any) -> tuple[CellType, ...]:
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


def _parts(x: Any) -> Iterator[Any]:
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
        elif type(part) is not ModuleType and "__wrapped__" in _attributes(part):
            remaining.append(_attributes(part)["__wrapped__"])
        if type(part) is FunctionType:
            remaining += (cell.cell_contents for cell in _filled(part))


def _attributes(x: Any) -> Any:
    """The attributes of an object, none of which is computed for it."""
    try:
        return object.__getattribute__(x, "__dict__")
    except AttributeError:
        return {}


def _namespaces(x: Any) -> Iterator[Namespace]:
    """The namespaces of the users' modules that something is, or is from."""
    for part in _parts(x):
        kind = type(part)
        if kind is FunctionType:
            namespace = part.__globals__
        elif kind is ModuleType:
            namespace = vars(part)
        else:
            yield from _of_class(part if isinstance(part, type) else kind)
            continue
        if _is_users(namespace):
            yield namespace


def _of_class(cls: type) -> Iterator[Namespace]:
    """The namespaces that the methods of a class, and what it inherits, were written in."""
    for each in cls.__mro__:
        for method in vars(each).values():
            if type(method) is FunctionType:
                if _is_users(method.__globals__):
                    yield method.__globals__
                break


def _is_users(namespace: Namespace) -> bool:
    """Whether a module is a user's: not one of Python's, nor of a library that is left alone."""
    if type(namespace) is not dict:
        return False
    name = namespace.get("__name__")
    if isinstance(name, str) and name.partition(".")[0] in sys.stdlib_module_names:
        return name == "__main__"
    path = namespace.get("__file__")
    return not isinstance(path, str) or is_users_file(path)


def _is_installed(namespace: Namespace) -> bool:
    """Whether a module is from a folder that libraries are installed in."""
    path = namespace.get("__file__")
    return isinstance(path, str) and is_installed(path)
