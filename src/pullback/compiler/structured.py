"""Calls with lists, tuples and dicts of arrays: code that takes them apart, for one structure.

What the general way does by a tree of objects, and a comparison of trees, is a few lines of Python
for a structure that is known.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from pullback.core import trees

__all__ = ["caller"]


def caller(
    arguments: list[trees.TreeSpec],
    result: trees.TreeSpec,
    call: Callable[..., Any],
    miss: Any,
    slow: Callable[..., Any],
) -> Callable[..., Any] | None:
    """A method ``__call__`` for arguments of these structures; `None` if it has none.

    Parameters
    ----------
    arguments : list of TreeSpec
    result : TreeSpec
    call : callable
        Takes the leaves, and returns those of the result: a single one, or a tuple.
    miss : object
        What `call` returns for leaves that it can't take.
    slow : callable
        ``slow(*args, **kwargs)`` is called for all other arguments.
    """
    names = [f"leaf{i}" for i in range(result.num_leaves)]
    try:
        taken = _Taking(arguments)
        built = _built(result, iter(names))
    except _UnknownError:
        return None
    lines = ["def __call__(self, *args, **kwargs):"]
    lines += [f"    if not kwargs and len(args) == {len(arguments)}:"]
    indent = " " * 8
    for condition, assignments in taken.steps:
        if condition:
            lines.append(f"{indent}if {condition}:")
            indent += " " * 4
        lines += [f"{indent}{line}" for line in assignments]
    lines.append(f"{indent}out = call({', '.join(taken.leaves)})")
    lines.append(f"{indent}if out is not miss:")
    if result.is_leaf():
        lines.append(f"{indent}    return out")
    else:
        if names:
            lines.append(f"{indent}    {''.join(f'{name}, ' for name in names)}= out")
        lines.append(f"{indent}    return {built}")
    lines.append("    return slow(*args, **kwargs)")
    namespace: dict[str, Any] = {"call": call, "miss": miss, "slow": slow}
    exec("\n".join(lines), namespace)
    found: Callable[..., Any] = namespace["__call__"]
    return found


class _UnknownError(Exception):
    """There is a container whose inside is not known."""


class _Taking:
    """How arguments are taken apart, step by step: a condition, and what follows from it."""

    def __init__(self, arguments: list[trees.TreeSpec]) -> None:
        self.leaves: list[str] = []
        self.steps: list[tuple[str, list[str]]] = []
        self._count = itertools.count()
        for position, spec in enumerate(arguments):
            self._take(f"args[{position}]", spec)
        if len(self.steps) > _DEEPEST:
            raise _UnknownError

    def _take(self, source: str, spec: trees.TreeSpec) -> None:
        if spec.is_leaf():
            self.leaves.append(source)
            return
        name = f"x{next(self._count)}"
        children = spec.children()
        kind = f"type({name}) is {_kind(spec)} and len({name}) == {len(children)}"
        entries = spec.entries()
        if spec.type is dict:
            kind += "".join(f" and {entry!r} in {name}" for entry in entries)
        self.steps.append(("", [f"{name} = {source}"]))
        self.steps.append((kind, []))
        for entry, child in zip(entries, children, strict=True):
            self._take(f"{name}[{entry!r}]", child)


_DEEPEST = 30
"""How many steps there are at most: each is a block inside the one before."""


def _kind(spec: trees.TreeSpec) -> str:
    known = spec.type in (tuple, list) or (
        spec.type is dict and all(type(entry) in (str, int) for entry in spec.entries())
    )
    if not known or spec.type is None:
        raise _UnknownError
    return spec.type.__name__


def _built(spec: trees.TreeSpec, names: Iterator[str]) -> str:
    """How a result is put together."""
    if spec.is_leaf():
        return next(names)
    parts = [_built(child, names) for child in spec.children()]
    if _kind(spec) == "tuple":
        return f"({''.join(f'{part}, ' for part in parts)})"
    if spec.type is list:
        return f"[{', '.join(parts)}]"
    by_key = dict(zip(spec.entries(), parts, strict=True))
    order = trees.unflatten(spec, [0] * spec.num_leaves)  # that in which the function built it
    return "{" + ", ".join(f"{key!r}: {by_key[key]}" for key in order) + "}"
