"""A program's structure without its numbers, and the numbers.

The *key* says which primitives are applied to what; its *holes* are the numbers in order: extents,
integers and other numbers among the parameters, literals and constants. A function that is recorded
at two sizes has the same key where Python has taken the same path, and the holes that differ are
what depends on the size.

What a parameter contributes is decided by its type. Integers and floats are holes, and so are the
elements of an array; strings, dtypes, functions and the shape of tuples belong to the structure, as
do the integers 0 and 1: an extent of 1 is broadcast, and one of 0 has no elements. An object of
which nothing else is known is a hole, so that another one is told from it.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
from collections.abc import Iterable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from pullback.core import trees
from pullback.core.memory import same_elements
from pullback.core.primitive import Primitive, registry
from pullback.core.shapes import Abstract
from pullback.core.tracing import is_plain
from pullback.graph.program import Equation, Program
from pullback.graph.text import names_of
from pullback.graph.variable import Variable

__all__ = ["Hole", "Outline", "are_equal"]


class Hole(NamedTuple):
    """A number that a graph's key leaves out.

    Attributes
    ----------
    kind : {"extent", "parameter", "literal", "constant"}
    where : str
        What it is the number of: ``"v3, axis 0"``, ``"v4 = index, key[0].start"``.
    value : number or array
        An array for a constant, or for an array among the parameters.
    """

    kind: str
    where: str
    value: Any


class Outline:
    """Reads a program, and takes its numbers, the holes, apart from all else, the words.

    Attributes
    ----------
    words : list of str
    holes : list of Hole
    whole : bool
        Whether these say all that the program depends on: there is no function and no other object
        of the user's in it, which may read something from elsewhere.
    """

    def __init__(self, program: Program) -> None:
        self.words: list[str] = []
        self.whole = True
        self.holes: list[Hole] = []
        self._seen: dict[int, tuple[int, Any]] = {}
        self._program(program, "")

    @property
    def key(self) -> str:
        """The structure as hexadecimal digits, the same in any process."""
        return hashlib.sha256("\n".join(self.words).encode()).hexdigest()

    def _is_known(self, x: Any) -> bool:
        """Whether an object has been read before, which the structure then says."""
        known = id(x) in self._seen
        number, _ = self._seen.setdefault(id(x), (len(self._seen), x))
        self.words.append(f"{'as' if known else 'this is'} {number}")
        return known

    # -- programs ------------------------------------------------------------------------------

    def _program(self, program: Program, path: str) -> None:
        names = {x: f"{path}{name}" for x, name in names_of(program).items()}
        places = {x: place for place, x in enumerate(names)}
        self.words.append(f"program of {len(program.inputs)} and {len(program.constants)}")
        for x in program.inputs:
            self._variable(x, names[x])
        for x, array in program.constants.items():
            self.words.append(_type_of(x))
            self.holes.append(Hole("constant", names[x], array))
        for equation in program.equations:
            self._equation(equation, names, places)
        self._atoms(program.outputs, f"{path}return", places)
        self._signature(program, path)

    def _equation(
        self, equation: Equation, names: dict[Variable, str], places: dict[Variable, int]
    ) -> None:
        where = f"{', '.join(names[x] for x in equation.outputs)} = {equation.primitive.name}"
        self._primitive(equation.primitive, where)
        self._atoms(equation.inputs, where, places)
        for name, value in sorted(equation.params.items()):
            self.words.append(name)
            self._value(value, f"{where}, {name}")
        for x in equation.outputs:
            self._variable(x, names[x])

    def _primitive(self, primitive: Primitive, where: str) -> None:
        self.words.append(primitive.name)
        if registry.get(primitive.name) is not primitive and not self._is_known(primitive):
            self.whole = False
            function = getattr(primitive, "function", primitive.value)
            self._value((function, primitive.rule), where)

    def _variable(self, x: Variable, name: str) -> None:
        self.words.append(_type_of(x))
        for axis, extent in enumerate(x.shape):
            if extent > 1:
                self.holes.append(Hole("extent", f"{name}, axis {axis}", extent))

    def _atoms(self, atoms: Iterable[Any], where: str, places: dict[Variable, int]) -> None:
        for position, x in enumerate(atoms):
            if type(x) is Variable:
                self.words.append(str(places[x]))
            else:
                self._number("literal", x, f"{where}, argument {position}")

    def _number(self, kind: str, x: Any, where: str) -> None:
        self.words.append(_type_of_number(x))
        self.holes.append(Hole(kind, where, x))

    def _signature(self, program: Program, path: str) -> None:
        signature = program.signature
        self._tree(signature.arguments, f"{path}arguments")
        self._tree(signature.result, f"{path}result")
        self.words.append(f"{sorted(signature.numbers)} {sorted(signature.arrays.items())}")
        for position, leaf in sorted(signature.static.items()):
            self.words.append(str(position))
            self._value(leaf, f"{path}arguments, leaf {position}")
        for position, strides in sorted(signature.layouts.items()):
            self.words.append(str(position))
            self._value(strides, f"{path}strides of {signature.names[position]}")

    def _tree(self, spec: trees.TreeSpec, where: str) -> None:
        """The structure of a pytree, with the static fields of dataclasses."""
        if spec.is_leaf():
            self.words.append("*")
            return
        node = spec.type
        self.words.append(f"{spec.num_children} in {_name_of(node)}")
        one_level = spec.one_level() or spec
        if dataclasses.is_dataclass(node):
            fields = trees.unflatten(one_level, [0] * spec.num_children)
            for field in dataclasses.fields(node):
                if not field.metadata.get("pytree_node", True):
                    self.words.append(field.name)
                    self._value(getattr(fields, field.name), f"{where}.{field.name}")
        elif node not in (tuple, list):
            self.words.append(str(one_level))
        for entry, child in zip(spec.entries(), spec.children(), strict=True):
            self._tree(child, f"{where}[{entry!r}]")

    # -- parameters ----------------------------------------------------------------------------

    def _value(self, x: Any, where: str) -> None:
        """What a parameter, or something inside it, says and what number it is."""
        if x is None or isinstance(x, bool | str | bytes | type(Ellipsis)):
            self.words.append(repr(x))
        elif isinstance(x, enum.Enum):
            self.words.append(f"{_name_of(type(x))}.{x.name}")
        elif is_plain(x, int | np.integer) and x in (0, 1):
            self.words.append(f"{_type_of_number(x)} {x}")
        elif is_plain(x, int | float | complex | np.generic):
            self._number("parameter", x, where)
        elif is_plain(x, np.ndarray):
            self.words.append(_type_of(Abstract.of(x)))
            self.holes.append(Hole("parameter", where, x))
        elif isinstance(x, np.dtype):
            self.words.append(x.str)
        elif isinstance(x, slice):
            self.words.append("slice")
            for name in ("start", "stop", "step"):
                self._value(getattr(x, name), f"{where}.{name}")
        elif isinstance(x, tuple | list):
            self.words.append(f"{len(x)} in {_name_of(type(x))}")
            for position, each in enumerate(x):
                self._value(each, f"{where}[{position}]")
        elif isinstance(x, dict):
            self.words.append(f"{len(x)} in {_name_of(type(x))}")
            for name, each in x.items():
                self._value(name, where)
                self._value(each, f"{where}[{name!r}]")
        elif not self._is_known(x):
            self._object(x, where)

    def _object(self, x: Any, where: str) -> None:
        """The same of an object that may have been met before."""
        if isinstance(x, Program):
            self._program(x, f"{where}: ")
        elif isinstance(x, Primitive):
            self._primitive(x, where)
        elif type(x) is Variable or isinstance(x, Abstract):
            self._variable(x, where)  # type: ignore[arg-type]
        elif isinstance(x, type | np.ufunc | BuiltinFunctionType | ModuleType):
            self.words.append(_name_of(x))
        elif isinstance(x, FunctionType):
            self._function(x, where)
        elif isinstance(x, MethodType):
            self._value((x.__func__, x.__self__), where)
        elif isinstance(x, functools.partial):
            self._value((x.func, x.args, x.keywords), where)
        elif isinstance(x, frozenset | set):
            self.words.append(f"{len(x)} in {_name_of(type(x))}")
            for each in sorted(x, key=repr):
                self._value(each, where)
        elif dataclasses.is_dataclass(x):
            self.words.append(_name_of(type(x)))
            for field in dataclasses.fields(x):
                if field.compare:
                    self.words.append(field.name)
                    self._value(getattr(x, field.name), f"{where}.{field.name}")
        else:
            self.whole = False
            self.words.append(_name_of(type(x)))
            self.holes.append(Hole("parameter", where, x))

    def _function(self, f: FunctionType, where: str) -> None:
        """A function by its name, its code, and what it reads from outside."""
        self.whole = False
        self.words.append(_name_of(f))
        self._code(f.__code__, f.__globals__, where)
        self._value((f.__defaults__, f.__kwdefaults__), f"{where}: defaults of {f.__name__}")
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                content = cell.cell_contents
            except ValueError:  # what is assigned later
                continue
            self.words.append(name)
            self._value(content, f"{where}: {name} of {f.__name__}")

    def _code(self, code: CodeType, space: dict[str, Any], where: str) -> None:
        """Code, and what the names in it stand for in the module that it is of."""
        self.words.append(f"{code.co_code.hex()} {code.co_names} {code.co_varnames}")
        for name in code.co_names:
            if name in space:
                self.words.append(name)
                self._global(space[name], space, f"{where}: {name}")
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._code(constant, space, where)
            else:
                unordered = isinstance(constant, frozenset)
                self.words.append(repr(sorted(constant, key=repr) if unordered else constant))

    def _global(self, x: Any, space: dict[str, Any], where: str) -> None:
        if isinstance(x, FunctionType) and x.__globals__ is not space:
            # Its own code alone: what a library's function calls may be all of the library.
            self.words.append(_name_of(x))
            self._code(x.__code__, {}, where)
        else:
            self._value(x, where)


def _type_of(x: Abstract) -> str:
    """The dtype and the rank, the extents 0 and 1, and what a value of shape () stands for."""
    extents = ",".join(str(extent) if extent < 2 else "n" for extent in x.shape)
    kind = ""
    if isinstance(x, Variable) and not x.shape:
        kind = f" {x.array}" if x.weak is None else f" {x.weak.__name__}"
    return f"{x.dtype.str}[{extents}]{kind}"


def _type_of_number(x: Any) -> str:
    return x.dtype.str if is_plain(x, np.generic) else type(x).__name__


def _name_of(x: Any) -> str:
    """A class or a function by its names."""
    name = getattr(x, "__qualname__", getattr(x, "__name__", ""))
    return f"{getattr(x, '__module__', None)}.{name}"


def are_equal(one: Any, other: Any) -> bool:
    """Whether two holes of graphs of the same key are filled with the same, to the last bit."""
    if one is other:
        return True
    if is_plain(one, np.ndarray | np.generic | int | float | complex):
        one, other = np.asarray(one), np.asarray(other)
        alike = one.dtype == other.dtype and one.shape == other.shape
        return alike and one.dtype.kind != "O" and same_elements(one, other)
    try:
        return bool(one == other)
    except Exception:  # of objects that do not let themselves be compared
        return False
