"""What arguments and their elements are called in what `check` reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Name", "subscript"]


class Name(str):
    """What an argument is called.

    Attributes
    ----------
    leaves : sequence of str
        The names of the leaves that are joined in it, if there are several.
    """

    leaves: Sequence[str] = ()

    @classmethod
    def of(cls, leaves: Sequence[str]) -> Name:
        """The name of one leaf, or of several together."""
        if len(leaves) == 1:
            return cls(leaves[0])
        name = cls(f"{leaves[0]}, …, {leaves[-1]}")
        name.leaves = leaves
        return name

    def reach(self, index: Sequence[Any]) -> tuple[str, str]:
        """The name of the leaf that has this element, and its place there."""
        if self.leaves:
            return self.leaves[int(index[0])], subscript(index[1:])
        return str(self), subscript(index)


def subscript(index: Sequence[Any]) -> str:
    """An index as Python spells it; nothing for a scalar."""
    return f"[{', '.join(str(int(i)) for i in index)}]" if len(index) else ""
