"""The arrays from outside that a body reads.

A body sees plain arrays in its closure and among its globals, and indexes them with an integer that
is only known once the loop runs. A plain array cannot be indexed so; a traced one can. So while a
body is recorded, it runs as a copy of itself that sees traced constants in their place.

What is computed from constants, or from traced values of outside, alone is computed outside, once:
right for a loop, and wrong for a branch that is not taken. A branch sees variables instead.
"""

from __future__ import annotations

import builtins
import dis
import functools
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator
from types import CellType, CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from pullback.core.running import grounded
from pullback.core.tracing import Tracer
from pullback.errors import AliasError
from pullback.graph.staging import Staging
from pullback.graph.variable import Variable
from pullback.transforms.transformed import Transformed

__all__ = ["LIBRARIES", "FreeArrays", "names_in"]

LIBRARIES = frozenset({"pullback", "numpy", "scipy", "optree"})
"""Packages whose globals are left alone."""

_COLLECTIONS = (list, tuple, dict)

_FEW = 64
"""How many elements of a collection are looked at, unless it may be copied."""


class FreeArrays:
    """Puts traced constants in the place of the plain arrays that a function sees.

    In place of what is of the types `unknown`, `Tracer` or `ndarray`, it sees variables;
    `variables` has what each of them stands for. With `collections` it sees copies of lists and
    dicts, with variables for what is traced in them.
    """

    def __init__(
        self, staging: Staging, unknown: tuple[type, ...] = (), *, collections: bool = False
    ) -> None:
        self.variables: dict[Variable, Any] = {}
        self._staging = staging
        self._unknown = unknown
        self._arrays: dict[int, tuple[str, Any, Tracer]] = {}
        self._watched: list[tuple[str, Tracer, int]] = []
        self._collections = collections
        self._copies: dict[int, tuple[Any, Any, list[Any]]] = {}
        self._functions: dict[int, tuple[FunctionType, FunctionType]] = {}

    def seen_by(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, or a copy of it that sees traced constants."""
        self._watch(function)
        found: Callable[..., Any] = self._value("", function)
        return found

    def require_unwritten(self, where: str) -> None:
        """Raise `AliasError` if one of the arrays was written to."""
        written = [(n, array) for n, array, tracer in self._arrays.values() if tracer._version]
        written += [(n, x) for n, x, version in self._watched if _writes(x) != version]
        for name, array in written:
            raise AliasError(
                f"{where}: the body writes to {name}, an array of dtype {array.dtype} and "
                f"shape {array.shape} from outside, which would happen once, while the body is "
                f"recorded; hand it on as a part of the carry, or copy it first: "
                f"{name} = {name}.copy()"
            )

    @property
    def changed(self) -> bool:
        """Whether one of the copies of collections has other elements now."""
        rows = [(_elements(copy), first) for _, copy, first in self._copies.values()]
        return any(
            len(now) != len(first) or not all(map(operator.is_, now, first)) for now, first in rows
        )

    def _watch(self, function: Callable[..., Any]) -> None:
        """Note how often what is traced outside, and is seen as it is, has been written to."""
        seen: set[int] = set()
        remaining: list[tuple[str, Any]] = [("", function)]
        while remaining:
            name, value = remaining.pop()
            if type(value) is Tracer:
                self._watched.append((name, value, _writes(value)))
            elif id(value) not in seen:
                seen.add(id(value))
                remaining.extend(_seen_inside(name, value))

    def _value(self, name: str, value: Any) -> Any:
        """What stands in the place of a value that has this name."""
        if type(value) in _COLLECTIONS:
            return self._copied(name, value) if self._sees_arrays(value, set()) else value
        if self._is_array(value):
            if id(value) not in self._arrays:
                self._arrays[id(value)] = name, value, self._tracer(name, value)
            return self._arrays[id(value)][-1]
        if type(value) is functools.partial:
            keywords = {key: self._value(key, each) for key, each in value.keywords.items()}
            args = [self._value(name, each) for each in value.args]
            return functools.partial(self._value(name, value.func), *args, **keywords)
        if type(value) is MethodType:
            return MethodType(self._value(name, value.__func__), value.__self__)
        if type(value) is Transformed and self._sees_arrays(value, set()):
            return value.of(self._value(name, value.__wrapped__))
        if type(value) is FunctionType and self._sees_arrays(value, set()):
            if id(value) not in self._functions:
                self._copy(value)
            return self._functions[id(value)][-1]
        return value

    def _copied(self, name: str, value: Any) -> Any:
        """The copy of a collection, in which plain arrays stay what they are."""
        if id(value) not in self._copies:
            kind = type(value)
            items = [
                x if type(x) is np.ndarray else self._value(f"{name}[{i}]", x)
                for i, x in enumerate(value.values() if kind is dict else value)
            ]
            copy = dict(zip(value, items, strict=True)) if kind is dict else kind(items)
            self._copies[id(value)] = value, copy, _elements(copy)
        return self._copies[id(value)][1]

    def _copy(self, function: FunctionType) -> None:
        """Make the copy of a function; what needs no replacement it shares with the original."""
        code, cells = function.__code__, []
        filled: list[tuple[CellType, str, Any]] = []
        for name, cell, content in _closed_over(function):
            if self._sees_arrays(content, set()):
                cell = CellType()
                filled.append((cell, name, content))
            cells.append(cell)
        seen = {n: x for n, x in _globals_read(function) if self._sees_arrays(x, set())}
        namespace = _Namespace(function.__globals__) if seen else function.__globals__
        copy = FunctionType(code, namespace, function.__name__, None, tuple(cells))
        self._functions[id(function)] = function, copy  # which may refer to itself
        for cell, name, content in filled:
            cell.cell_contents = self._value(name, content)
        for name, content in seen.items():
            namespace[name] = self._value(name, content)
        names = code.co_varnames[: code.co_argcount]
        defaults = function.__defaults__ or ()
        copy.__defaults__ = tuple(map(self._value, names[len(names) - len(defaults) :], defaults))
        keywords = function.__kwdefaults__ or {}
        copy.__kwdefaults__ = {key: self._value(key, each) for key, each in keywords.items()}
        copy.__dict__ = function.__dict__

    def _tracer(self, name: str, given: Any) -> Tracer:
        value = given._value if grounded(given) else given
        if type(value) not in self._unknown:
            return Tracer(self._staging, value, None)
        variable = self._staging.atom(value)
        self.variables[variable] = given
        if type(value) is Tracer:
            variable.array = value._mutable
        return self._staging.tracer(variable, name)

    def _is_array(self, value: Any) -> bool:
        """Whether a value is a plain array of numbers that can be indexed, or a traced one."""
        if type(value) is Tracer and not grounded(value):
            return Tracer in self._unknown
        if type(value) is Tracer:
            return bool(value.shape)
        return type(value) is np.ndarray and value.ndim > 0 and value.dtype.kind in "biufc"

    def _sees_arrays(self, value: Any, seen: set[int]) -> bool:
        """Whether a value is an array, or a function that sees one, directly or through others."""
        if self._is_array(value):
            return True
        if id(value) in seen:
            return False
        if self._collections and type(value) in (list, dict):
            return True
        most = None if self._collections else _FEW
        inside = [content for _, content in _seen_inside("", value, most)]
        if type(value) in _COLLECTIONS:
            inside = [x for x in inside if self._collections and type(x) is not np.ndarray]
        if not inside:
            return False
        seen.add(id(value))
        return any(self._sees_arrays(each, seen) for each in inside)


def _elements(collection: Any) -> list[Any]:
    """The elements of a list or tuple, or the keys and values of a dict."""
    if type(collection) is dict:
        return [*collection, *collection.values()]
    return list(collection)


def _seen_inside(name: str, value: Any, most: int | None = _FEW) -> Iterable[tuple[str, Any]]:
    """What a function, or a collection, called `name` gives sight of, with names."""
    kind = type(value)
    if kind is functools.partial:
        args = [(name, each) for each in (value.func, *value.args)]
        return (*args, *value.keywords.items())
    if kind is MethodType:
        return ((name, value.__func__),)
    if kind is Transformed:
        return ((name, value.__wrapped__),)
    if kind is FunctionType:
        names = value.__code__.co_varnames[: value.__code__.co_argcount]
        defaults = value.__defaults__ or ()
        return (
            *((key, content) for key, _, content in _closed_over(value)),
            *_globals_read(value),
            *zip(names[len(names) - len(defaults) :], defaults, strict=True),
            *(value.__kwdefaults__ or {}).items(),
        )
    if kind in (list, tuple):
        return [(f"{name}[{k}]", each) for k, each in enumerate(value[:most])]
    if kind is dict:
        return [(f"{name}[{k!r}]", each) for k, each in itertools.islice(value.items(), most)]
    return ()


def _writes(x: Tracer) -> int:
    """How often the memory of an array has been written to."""
    return x._version if x._alias is None else x._alias.root._version


class _Namespace(dict[str, Any]):
    """The globals of a copy: some of its own, and otherwise those of the original as they are."""

    def __init__(self, original: dict[str, Any]) -> None:
        super().__init__(__builtins__=original.get("__builtins__", builtins))
        self._original = original

    def __missing__(self, name: str) -> Any:
        return self._original[name]


def _closed_over(function: FunctionType) -> Iterator[tuple[str, CellType, Any]]:
    """The names, cells and contents of a closure; `None` in place of what is to be left alone.

    That is what nothing is assigned to yet, and what the function itself assigns to.
    """
    assigned = names_in(function.__code__)[1]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell, None if name in assigned else cell.cell_contents
        except ValueError:
            yield name, cell, None


def _globals_read(function: FunctionType) -> list[tuple[str, Any]]:
    """The globals that a user's function, or one inside it, may read.

    None if it assigns to a global: it has to run in its own namespace then.
    """
    namespace = function.__globals__
    if str(namespace.get("__name__")).partition(".")[0] in LIBRARIES:
        return []
    names, _, global_ = names_in(function.__code__)
    return [] if global_ else [(name, namespace[name]) for name in names if name in namespace]


@functools.lru_cache(maxsize=1024)
def names_in(code: CodeType) -> tuple[tuple[str, ...], frozenset[str], bool]:
    """The names of globals and attributes in a code object, and in those inside it.

    With them come the variables of functions around it that it assigns to, and whether it assigns
    to globals.
    """
    names = dict.fromkeys(code.co_names)
    assigned: set[str] = set()
    assigns_globals = False
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            assigns_globals = True
        elif instruction.opname in ("STORE_DEREF", "DELETE_DEREF"):
            assigned.add(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner, stored, globally = names_in(constant)
            names.update(dict.fromkeys(inner))
            assigned |= stored
            assigns_globals = assigns_globals or globally
    return tuple(names), frozenset(assigned), assigns_globals
