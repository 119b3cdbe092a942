"""What stays a Python number in a block, and doesn't decide any dtype after it either."""

from __future__ import annotations

from typing import Any

from pullback.core import trees
from pullback.core.tracing import is_number
from pullback.numpy.scalars import as_number

__all__ = ["Numbers"]


class Numbers:
    """Of what a block binds and returns, the leaves that are Python numbers.

    In a graph they are scalars of a dtype; afterwards they stand for Python numbers again.
    """

    def __init__(self) -> None:
        self._others: set[tuple[str | None, int]] = set()

    def note(self, name: str | None, tree: Any) -> None:
        """Take note of what is bound to a name, or, without one, returned."""
        for place, leaf in enumerate(trees.flatten(tree)[0]):
            if not is_number(leaf):
                self._others.add((name, place))

    def restored(self, name: str | None, tree: Any) -> Any:
        """The results of the block's graph, which nothing else knows yet."""
        leaves, spec = trees.flatten(tree)
        for place, leaf in enumerate(leaves):
            if (name, place) not in self._others:
                leaves[place] = as_number(leaf)
        return trees.unflatten(spec, leaves)
