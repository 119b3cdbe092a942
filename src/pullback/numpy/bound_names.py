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
from collections.abc import Iterable
from pathlib import Path
from types import CellType, FunctionType
from typing import Any

import numpy as np

from pullback.numpy.references import (
    Namespace,
    Sight,
    attributes_of,
    closure_of,
    content,
    is_a_librarys,
    is_users,
    namespaces_of,
    parts_of,
)
from pullback.numpy.served import Served

__all__ = ["BoundNames"]

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
                found.update((id(other), other) for other in namespaces_of(value))
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
        own = places[:1] + [x for x in places[1:] if not is_a_librarys(x.namespace)]
        installed = [x for x in places[1:] if is_a_librarys(x.namespace)]
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


class BoundNames:
    """Binds the names, and binds them back."""

    def __init__(self) -> None:
        self._functions: dict[int, Served] = {}
        self._places: dict[int, _Place] = {}
        self._reaches: dict[int, _Reach] = {}
        self._sights: dict[int, Sight] = {}
        self._visited: dict[int, Namespace] = {}
        self._bound: list[tuple[Namespace, str, Served]] = []
        self._cells: list[tuple[CellType, Served]] = []

    def know(self, served: Iterable[Served]) -> None:
        """Take functions to be served."""
        for each in served:
            self._functions[id(each.__wrapped__)] = each

    def serve(self, function: Any) -> None:
        """Bind the names that a function, and what it refers to, can reach."""
        while "__wrapped__" in (attributes := attributes_of(function)):
            function = attributes["__wrapped__"]  # what a transform returned
        if type(function) is functools.partial and not function.args:
            function = function.func  # with keywords, which are values
        if type(function) is FunctionType:
            self._serve_sight(function)
            return
        for part in parts_of(function):
            for cell in closure_of(part):
                self._serve_cell(cell)
        for namespace in namespaces_of(function):
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
            sight = Sight(function)
            if type(function.__globals__) is dict:  # that of a copy may hold traced values
                self._sights[id(function.__code__)] = sight
            cells = [cell for part in parts_of(function) for cell in closure_of(part)]
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
        while remaining and is_users(namespace):
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
        served = self._functions.get(id(content(cell)))
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
