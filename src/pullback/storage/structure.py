"""The structure of a pytree in words that a file can hold, and what differs between two of them.

A structure is described by what JSON has: a leaf by the kind of it, ``"array"`` or the name of a
type of Python's numbers, and a node by a list: its kind, its entries, their descriptions, and for
a class what is static in it. From a description lists, tuples, dicts and `None` can be made again;
a class is a name in it, never an instruction.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.tracing import is_plain
from pullback.core.validation import name_of, refuse
from pullback.errors import ArgumentTypeError, ArgumentValueError

__all__ = [
    "Description",
    "as_kind",
    "describe",
    "difference",
    "kinds",
    "names",
    "rebuild",
    "to_arrays",
]

Description = Any
"""What `describe` makes: strings, numbers and lists of them."""

_DICTS = (dict, OrderedDict, defaultdict)
_NUMBERS = {bool: "bool", int: "int", float: "float", complex: "complex"}
_KINDS = {name: kind for kind, name in _NUMBERS.items()}


def to_arrays(leaves: list[Any], spec: trees.TreeSpec, where: str) -> list[Any]:
    """The leaves as arrays that a file can hold: in C order, in this machine's order of bytes."""
    paths = trees.Paths(spec)
    found = []
    for position, leaf in enumerate(leaves):
        is_number = type(leaf) in _NUMBERS
        if not is_number and not is_plain(leaf, np.ndarray | np.generic):
            wanted, remedy = "an array or a number", "leave out what is neither"
            raise refuse(where, f"the leaf {paths[position] or 'itself'}", leaf, wanted, remedy)
        try:
            array = np.asarray(leaf)
        except OverflowError:
            array = np.asarray(None)
        dtype = array.dtype.newbyteorder("=")
        if dtype not in _DTYPES:
            raise ArgumentTypeError(
                f"{where}: the leaf {paths[position] or 'itself'} has dtype {array.dtype}, wanted "
                "real or complex numbers, or truth values, of at most 64 bits each"
            )
        found.append(np.array(array, dtype=dtype, order="C"))
    return found


_DTYPES = frozenset(map(np.dtype, "?bBhHiIlLqQefdFD"))


def describe(leaves: list[Any], spec: trees.TreeSpec) -> Description:
    """The structure of a pytree with these leaves."""
    return _described(iter(leaves), spec)


def _described(leaves: Iterator[Any], spec: trees.TreeSpec) -> Description:
    if spec.is_leaf():
        return _NUMBERS.get(type(next(leaves)), "array")
    children = [_described(leaves, child) for child in spec.children()]
    kind: Any = spec.type
    if kind in (None, type(None)):
        return None
    if kind in _DICTS:
        keys = spec.entries()
        if all(type(key) in (str, int, bool) for key in keys):
            return ["dict", keys, children]
    if kind in (list, tuple):
        return [kind.__name__, list(range(len(children))), children]
    node = spec.one_level()
    assert node is not None
    example = trees.unflatten(node, [0] * node.num_leaves)
    return [f"class {kind.__name__}", [*map(str, spec.entries())], children, _static(example)]


def _static(node: Any) -> list[list[str]]:
    """What is static in a dataclass, in words."""
    if not dataclasses.is_dataclass(node):
        return []
    fields = [f for f in dataclasses.fields(node) if not f.metadata.get("pytree_node", True)]
    return [[field.name, _word(getattr(node, field.name, None))] for field in fields]


def _word(x: Any) -> str:
    if x is None or isinstance(x, str | int | float | bool | tuple):
        return repr(x)
    return name_of(x)


def names(description: Description, path: str = "") -> list[str]:
    """What the leaves are called in a file: as Python reaches them, without the first dot."""
    if isinstance(description, str):
        return [path.removeprefix(".") or "leaf"]
    if description is None:
        return []
    kind, entries, children = description[:3]
    steps = (f".{e}" if kind.startswith("class ") else f"[{e!r}]" for e in entries)
    return [
        name
        for step, child in zip(steps, children, strict=True)
        for name in names(child, path + step)
    ]


def difference(found: Description, wanted: Description, path: str = "") -> str | None:
    """The first difference between two structures, in words that name the place."""
    place = path.removeprefix(".") or "the whole"
    if _kind(found) != _kind(wanted):
        return f"{place} is {_kind(found)} in the file, wanted {_kind(wanted)}"
    if not isinstance(found, list):
        return None
    if found[1] != wanted[1]:
        more = [entry for entry in found[1] if entry not in wanted[1]]
        fewer = [entry for entry in wanted[1] if entry not in found[1]]
        has = f"{more[0]!r}, which is not wanted" if more else f"no {fewer[0]!r}, which is wanted"
        return f"{place} has {has}" if more or fewer else f"{place} has its entries in other order"
    static, other = (dict([*map(tuple, part[3])] if part[3:] else []) for part in (found, wanted))
    for name in static.keys() & other.keys():
        if static[name] != other[name]:
            return f"{name} of {place} is {static[name]} in the file, wanted {other[name]}"
    steps = names([*found[:2], ["array"] * len(found[1])], path)
    for step, one, other in zip(steps, found[2], wanted[2], strict=True):
        words = difference(one, other, step)
        if words:
            return words
    return None


def _kind(description: Description) -> str:
    """What stands at the root, as a sentence has it."""
    if description is None:
        return "None"
    if isinstance(description, str):
        return "a leaf"
    return f"a {description[0].removeprefix('class ')}"


def rebuild(description: Description, leaves: Iterator[Any], where: str, path: str = "") -> Any:
    """The pytree of this structure, of Python's own containers."""
    if description is None:
        return None
    if isinstance(description, str):
        return next(leaves)
    kind, entries, children = description[:3]
    if kind not in ("dict", "list", "tuple"):
        place = path.removeprefix(".") or "the whole"
        raise ArgumentValueError(
            f"{where}: {place} is {_kind(description)}, which is not made from a file alone; give "
            "a pytree of this structure, load(path, like=...)"
        )
    parts = [
        rebuild(child, leaves, where, f"{path}[{entry!r}]")
        for entry, child in zip(entries, children, strict=True)
    ]
    if kind == "dict":
        return dict(zip(entries, parts, strict=True))
    return parts if kind == "list" else tuple(parts)


def kinds(description: Description) -> list[str]:
    """The kinds of the leaves, in their order."""
    if isinstance(description, str):
        return [description]
    return [] if description is None else [k for child in description[2] for k in kinds(child)]


def as_kind(array: Any, kind: str) -> Any:
    """An array from a file as the kind of leaf that it was."""
    return _KINDS[kind](array.item()) if kind in _KINDS else array
