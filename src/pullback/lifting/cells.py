"""The variables around blocks: what these assign to, and what they read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import CellType
from typing import Any

from pullback.rules.control_flow.free_arrays import names_in

__all__ = ["UNSET", "Block", "cells_of", "content", "fill", "named", "others"]


class _Unset:
    def __repr__(self) -> str:
        return "unset"


UNSET: Any = _Unset()
"""What a name holds to which nothing is assigned."""

Block = Callable[..., Any]


def cells_of(blocks: Iterable[Block]) -> dict[str, CellType]:
    """The variables that blocks assign to in the function around them, by name."""
    found: dict[str, CellType] = {}
    for block in blocks:
        stored = names_in(block.__code__)[1]
        for name, cell in zip(block.__code__.co_freevars, block.__closure__ or (), strict=True):
            if name in stored:
                found[name] = cell
    return found


def others(blocks: Iterable[Block], assigned: Iterable[str]) -> dict[str, CellType]:
    """The other variables around blocks that these refer to, by name."""
    found: dict[str, CellType] = {}
    for block in blocks:
        found.update(zip(block.__code__.co_freevars, block.__closure__ or (), strict=True))
    return {name: cell for name, cell in found.items() if name not in set(assigned)}


def named(blocks: Iterable[Block]) -> Iterator[tuple[str, Any]]:
    """What the blocks name, by name: the variables around them, and globals."""
    for block in blocks:
        code = block.__code__
        for name, cell in zip(code.co_freevars, block.__closure__ or (), strict=True):
            yield name, content(cell)
        for name in code.co_names:
            if name in block.__globals__:
                yield name, block.__globals__[name]


def content(cell: CellType) -> Any:
    """What a variable holds."""
    try:
        return cell.cell_contents
    except ValueError:
        return UNSET


def fill(cell: CellType, value: Any) -> None:
    """Assign to a variable."""
    if value is UNSET:
        del cell.cell_contents
    else:
        cell.cell_contents = value
