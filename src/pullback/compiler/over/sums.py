"""Sums of blocks, joined two by two in a tree that the numbers of blocks fix.

A node ``(level, number)`` is the sum of the blocks from ``number · 2^level`` to the one before
``(number + 1) · 2^level``, as far as there are any. Nodes may come in any order: two are joined
when both are there, and what has no partner in the end is joined from the right. So native code
joins the blocks of one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.compiler.loops import Buffer, Sum, unit

__all__ = ["Forest", "Node", "pieces"]

Values = list[np.ndarray[Any, Any]]


class Node(NamedTuple):
    """The sums of some blocks.

    Attributes
    ----------
    level, number : int
    values : list of array
        One for each sum.
    """

    level: int
    number: int
    values: Values


class Forest:
    """The nodes that are there, joined as far as can be.

    Parameters
    ----------
    combines : sequence of str
        How each of the sums is joined.
    """

    def __init__(self, combines: Sequence[str]) -> None:
        self.combines = tuple(combines)
        self.nodes: dict[tuple[int, int], Values] = {}

    def add(self, node: Node) -> None:
        """Take a node in."""
        level, number, values = node
        while (level, number ^ 1) in self.nodes:
            partner = self.nodes.pop((level, number ^ 1))
            left, right = (values, partner) if number % 2 == 0 else (partner, values)
            values = self._joined(left, right)
            level, number = level + 1, number >> 1
        self.nodes[level, number] = values

    def total(self, sums: Sequence[Sum], buffers: Sequence[Buffer]) -> Values:
        """All of them together; what changes nothing if there are none."""
        row = sorted(self.nodes.items(), key=lambda item: item[0][1] << item[0][0])
        if not row:
            return [
                np.full(buffer.size, unit(each.combine, buffer.dtype), buffer.dtype)
                for each, buffer in zip(sums, buffers, strict=True)
            ]
        total = row.pop()[1]
        while row:
            total = self._joined(row.pop()[1], total)
        return total

    def _joined(self, left: Values, right: Values) -> Values:
        with np.errstate(all="ignore"):
            return [
                _JOINS[combine](a, b)
                for combine, a, b in zip(self.combines, left, right, strict=True)
            ]


def _best(is_better: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def join(a: Any, b: Any) -> Any:
        # As native code has it, for zeros of both signs too.
        best = np.where(is_better(a, b), a, b)
        return np.where(np.isnan(a), a, best) if a.dtype.kind == "f" else best

    return join


_JOINS: dict[str, Callable[[Any, Any], Any]] = {
    "add": np.add,
    "multiply": np.multiply,
    "maximum": _best(np.greater),
    "minimum": _best(np.less),
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
}


def pieces(first: int, count: int) -> Iterator[tuple[int, int]]:
    """The nodes of which the blocks from the `first` on consist: level and number of each."""
    while count:
        level = (first & -first).bit_length() - 1 if first else count.bit_length() - 1
        level = min(level, count.bit_length() - 1)
        yield level, first >> level
        first += 1 << level
        count -= 1 << level
