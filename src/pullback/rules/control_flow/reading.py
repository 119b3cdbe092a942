"""What the body of a loop or a choice reads, beside its arguments, so that it is recorded once.

A body that reads the same as before need not be recorded again. What a function can read is told by
its code: the variables of functions around it, its defaults, globals, and attributes of modules.
Those that are numbers, strings, or collections of them, are compared by content, functions by their
code and what they read in turn, arrays that a variable holds by shape, dtype and layout: a
recording takes them as arguments. Of anything else (an object with attributes, a generator of
random numbers, a function in C that may do anything) nobody can tell whether it has changed. What
reads such things is recorded each time, as is what changes what it reads.
"""

from __future__ import annotations

import builtins
import dis
import functools
import math
import sys
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import BuiltinFunctionType, CodeType, EllipsisType, FunctionType, ModuleType, NoneType
from typing import Any

import numpy as np

from pullback.core.running import grounded
from pullback.core.tracing import Tracer, is_number, is_plain, known
from pullback.graph.graph import Graph
from pullback.graph.layout import layout_of
from pullback.rules.control_flow.free_arrays import LIBRARIES, names_in
from pullback.rules.registration import array_ufuncs
from pullback.transforms.transformed import Transformed

__all__ = ["Before", "Place", "Reading", "UnreadableError", "kind_of"]

_FEW = 500
"""How many objects are looked at."""

_SMALL = 1 << 14
"""The most bytes of all arrays that are compared by content."""

_BUILTINS = frozenset(
    {
        "abs", "all", "any", "bin", "bool", "callable", "chr", "complex", "dict", "divmod",
        "enumerate", "filter", "float", "frozenset", "int", "isinstance", "issubclass", "iter",
        "len", "list", "map", "max", "min", "next", "ord", "pow", "range", "repr", "reversed",
        "round", "set", "slice", "sorted", "str", "sum", "tuple", "zip",
    }
)  # fmt: skip
_MAKERS = frozenset(
    {
        "arange", "array", "asanyarray", "asarray", "ascontiguousarray", "asfortranarray", "empty",
        "eye", "full", "identity", "isscalar", "ones", "tri", "zeros",
    }
)  # fmt: skip
"""NumPy's functions that it doesn't dispatch, and that depend on nothing but their arguments."""

_BEYOND = frozenset(
    {
        "array2string", "array_repr", "array_str", "genfromtxt", "loadtxt", "may_share_memory",
        "save", "savetxt", "savez", "savez_compressed", "shares_memory",
    }
)  # fmt: skip
"""NumPy's functions that depend on more than the elements of their arguments."""

_Dispatched = type(np.sum)
_NUMPY_TYPES = frozenset({np.ndarray, np.dtype, np.errstate, np.finfo, np.iinfo, np.ndindex})
_LIBRARIES = (
    "pullback.losses", "pullback.numpy", "pullback.rules.control_flow", "pullback.scipy",
    "pullback.transforms", "scipy.fft", "scipy.linalg", "scipy.special",
)  # fmt: skip
"""Packages whose functions depend on nothing but their arguments."""

_REFUSED = frozenset({"IMPORT_NAME", "LOAD_BUILD_CLASS"})
_HIDING = frozenset({"flags", "format", "format_map"})
"""What tells who may write to an array, and methods that read attributes named in a string."""

_CHANGING = frozenset(
    {
        "add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove",
        "reverse", "setdefault", "sort", "update",
    }
)  # fmt: skip
"""Methods that change a collection: a body that may do that is run as often as without this."""

_CONTENT = (int, bool, str, bytes, NoneType, EllipsisType)


class UnreadableError(Exception):
    """It can't be told whether what a function reads is what it was."""


@dataclass(frozen=True)
class Before:
    """What is computed before a body runs, of values from outside."""

    graph: Graph
    sources: tuple[int, ...]


Place = int | tuple[Before, int]
"""Where a value from outside comes from: a leaf of a reading, or what is computed of leaves."""


class Reading:
    """What functions read.

    The `key` is equal for equal readings. The `leaves` are the arrays that variables hold, told
    apart by no more than their shapes, dtypes and layouts; `codes` are those that the key has
    identities of.
    """

    def __init__(self, functions: Sequence[Any], values: Sequence[Any]) -> None:
        self.leaves: list[Any] = []
        self.codes: list[CodeType] = []
        self._places: dict[Any, int] = {}
        self._replaced: set[Any] = set()
        self._changes, self._nbytes = False, 0
        self._seen: dict[int, tuple[int, bool]] = {}
        self._held: list[Any] = []
        self._compared: list[tuple[Any, bytes]] = []
        self._modules: dict[int, ModuleType] = {}
        self._names: dict[str, None] = {}
        found = [self._of(each, direct=True) for each in functions]
        found += [self._of(each, direct=False) for each in values]
        self.key: Hashable = *found, *self._attributes()
        if self._changes and not _CHANGING.isdisjoint(self._names):
            raise UnreadableError
        names = self._names.keys()
        if not all(names.isdisjoint(getattr(x, "__dict__", ())) for x in self._held):
            raise UnreadableError  # what somebody has set as an attribute of a function

    def place(self, x: Any) -> int:
        """Which of the leaves an array or tracer is."""
        if x is None or _identity(x) not in self._places:
            raise UnreadableError
        return self._places[_identity(x)]

    def see(self, arrays: Iterable[Any]) -> None:
        """Note in place of which arrays a recording sees variables."""
        self._replaced.update(map(_identity, arrays))

    @property
    def is_seen(self) -> bool:
        """Whether recordings have seen a variable in the place of each leaf."""
        return self._replaced >= self._places.keys()

    def values(self, places: Iterable[Place]) -> list[Any]:
        """What stands at these places."""
        done: dict[int, Sequence[Any]] = {}
        found = []
        for place in places:
            if isinstance(place, int):
                found.append(_value(self.leaves[place]))
                continue
            before, number = place
            if id(before) not in done:
                args = [_value(self.leaves[i]) for i in before.sources]
                plain = not any(type(x) is Tracer for x in args)
                run = before.graph.evaluate if plain else before.graph.run
                done[id(before)] = run(args)
            found.append(done[id(before)][number])
        return found

    def restore(self) -> None:
        """Undo what was written since to the arrays that are compared by content."""
        for x, content in self._compared:
            if x.flags.writeable and x.tobytes() != content:
                x[...] = np.frombuffer(content, x.dtype).reshape(x.shape)

    # -- keys ----------------------------------------------------------------------------------

    def _of(self, x: Any, *, direct: bool) -> Hashable:
        """What makes equal what a function reads.

        If it is read `direct`, a recording sees a variable in the place of an array.
        """
        kind = type(x)
        if kind in _CONTENT:
            return kind, x
        if kind is float or kind is complex:
            return kind, repr(x)  # which tells zeros apart
        if kind is np.ndarray or kind is Tracer:
            return self._array(x, direct)
        if isinstance(x, np.generic | np.dtype):
            return _scalar(x)
        if isinstance(x, ModuleType):
            self._modules.setdefault(id(x), x)
            return ModuleType, [*self._modules].index(id(x))
        if kind.__module__ == "pullback.numpy.served":
            return self._of(x.__wrapped__, direct=direct)
        if _is_trusted(x):
            return x  # type: ignore[no-any-return]
        if id(x) in self._seen:
            number, before = self._seen[id(x)]
            if before is not direct:
                raise UnreadableError
            return "again", number
        self._seen[id(x)] = len(self._seen), direct
        self._held.append(x)
        if len(self._held) > _FEW:
            raise UnreadableError
        self._changes |= kind is list or kind is dict
        if kind in (tuple, list):
            return kind, *[self._item(each, direct) for each in x]
        if kind is dict:
            return kind, *[(self._of(k, direct=False), self._item(v, direct)) for k, v in x.items()]
        if kind is slice or kind is range:
            return kind, *[self._of(i, direct=False) for i in (x.start, x.stop, x.step)]
        if kind is functools.partial:
            keywords = [(name, self._of(v, direct=direct)) for name, v in x.keywords.items()]
            args = [self._of(each, direct=direct) for each in (x.func, *x.args)]
            return kind, *args, *keywords
        if kind is Transformed:
            first, *rest = x._arguments
            options = [self._of(v, direct=False) for v in (*rest, x._keywords)]
            return x._transform, self._of(first, direct=direct), *options
        if kind is FunctionType:
            return self._function(x, direct)
        raise UnreadableError

    def _item(self, x: Any, direct: bool) -> Hashable:
        """`_of` what is in a collection, where a recording sees plain arrays as they are."""
        return self._array(x, False) if type(x) is np.ndarray else self._of(x, direct=direct)

    def _array(self, x: Any, direct: bool) -> Hashable:
        shape = x.shape
        if direct and (shape or (type(x) is Tracer and not grounded(x))):
            if not known(x) or x.dtype.kind not in "biufc":
                raise UnreadableError
            number = self._places.setdefault(_identity(x), len(self.leaves))
            if number < len(self.leaves):
                return "leaf", number
            self.leaves.append(x)
            of_tracer = (x._mutable, is_number(x)) if type(x) is Tracer else ()
            return type(x), shape, x.dtype, layout_of(x), *of_tracer
        self._nbytes += x.dtype.itemsize * math.prod(shape)
        if type(x) is Tracer or x.dtype.kind not in "biufc" or self._nbytes > _SMALL:
            raise UnreadableError
        content = x.tobytes()
        self._compared.append((x, content))
        return np.ndarray, shape, x.dtype, x.strides, x.flags.writeable, content

    def _function(self, function: FunctionType, direct: bool) -> Hashable:
        code, namespace = function.__code__, function.__globals__
        names, assigned, assigns_globals = names_in(code)
        library = str(namespace.get("__name__")).partition(".")[0] in LIBRARIES
        if library or type(namespace) is not dict or not _is_readable(code):
            raise UnreadableError
        if assigns_globals or not assigned.isdisjoint(code.co_freevars):
            raise UnreadableError  # it may be run once more than without this
        self.codes.append(code)
        self._names.update(dict.fromkeys(names))
        found: list[Hashable] = [id(code)]
        for cell in function.__closure__ or ():
            try:
                content = cell.cell_contents
            except ValueError:
                found.append("empty")
            else:
                found.append(self._of(content, direct=direct))
        found += [self._of(each, direct=direct) for each in function.__defaults__ or ()]
        for name, each in (function.__kwdefaults__ or {}).items():
            found += name, self._of(each, direct=direct)
        standard: dict[str, Any] = getattr(function, "__builtins__", {})
        for name in names:
            if name in namespace:
                found += name, self._of(namespace[name], direct=direct)
            elif name in standard:
                found += name, self._of(standard[name], direct=False)
        return tuple(found)

    def _attributes(self) -> Iterator[Hashable]:
        """What can be read of modules, by any of the functions: they may be handed from one to
        another.
        """
        done: set[tuple[int, str]] = set()
        grows = True
        while grows:
            grows = False
            for number, module in enumerate([*self._modules.values()]):
                attributes = vars(module)
                computes = "__getattr__" in attributes or type(module) is not ModuleType
                if computes and module.__name__.partition(".")[0] not in ("numpy", "scipy"):
                    raise UnreadableError
                for name in [*self._names]:
                    if name in attributes and (number, name) not in done:
                        done.add((number, name))
                        grows = True
                        yield number, name, self._of(attributes[name], direct=False)


def _identity(x: Any) -> Any:
    """The same for all handles on an array, or on a traced value."""
    if type(x) is not Tracer:
        return id(x)
    return id(x._value) if grounded(x) else (id(x._value), id(x._payload))


def kind_of(x: Any) -> type:
    """Tracer or ndarray; the latter for an array that no level follows yet."""
    return np.ndarray if type(x) is Tracer and grounded(x) else type(x)


def _value(x: Any) -> Any:
    """An array or tracer as an argument."""
    if type(x) is not Tracer:
        return x
    return x._value if grounded(x) else x._snapshot()


def _scalar(x: Any) -> Hashable:
    if isinstance(x, np.dtype):
        if x.kind in "biufc":
            return type(x), x
    elif is_plain(x, np.generic) and x.dtype.kind in "biufc":
        return type(x), x.tobytes()
    raise UnreadableError


@functools.lru_cache(maxsize=1024)
def _is_readable(code: CodeType) -> bool:
    """Whether the code, and that inside it, names all that it reads."""
    hidden = any(name.startswith("__") or name in _HIDING for name in code.co_names)
    inside = [x for x in code.co_consts if isinstance(x, CodeType)]
    operations = {each.opname for each in dis.get_instructions(code)}
    return not hidden and _REFUSED.isdisjoint(operations) and all(map(_is_readable, inside))


def _is_trusted(x: Any) -> bool:
    """Whether an object of a library is what it is, and depends on its arguments alone."""
    kind = type(x)
    if kind is np.ufunc:
        return x in array_ufuncs
    if kind not in (_Dispatched, BuiltinFunctionType, FunctionType) and not isinstance(x, type):
        return False
    module, name = x.__module__, x.__name__
    if kind is _Dispatched:
        return module.startswith("numpy") and name not in _BEYOND
    if module == "builtins":
        named = name in _BUILTINS or (isinstance(x, type) and issubclass(x, BaseException))
        return named and vars(builtins).get(name) is x
    if module == "numpy":
        if isinstance(x, type):
            return issubclass(x, np.generic) or x in _NUMPY_TYPES
        return name in _MAKERS and vars(np).get(name) is x
    if kind is BuiltinFunctionType:
        return module in ("math", "cmath", "_operator")
    named = type(module) is str and module.startswith(_LIBRARIES)
    return named and vars(sys.modules[module]).get(name) is x
