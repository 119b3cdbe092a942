"""The arrays whose memory an array shares, or may share as far as it is known while recording."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pullback.core.tracing import Tracer, View
from pullback.lifting.recording import current
from pullback.lifting.slices.varying import Varying

__all__ = ["Joint", "Tie", "let_own", "may_own", "owners_of"]


class Joint:
    """What stands for the owner of memory that is that of one of several arrays."""

    __slots__ = ("owners",)

    def __init__(self, owners: Iterable[Tracer]) -> None:
        self.owners = tuple(owners)

    @property
    def _version(self) -> int:
        """What changes with each write to one of them."""
        return sum(each._version for each in self.owners)


class Tie(View):
    """The tie of an array that may share memory with others, which only shows when it runs.

    Neither may it be written to, nor read once one of the others was.
    """

    __slots__ = ()

    def __init__(self, owners: Sequence[Tracer], refuse: Callable[..., Any]) -> None:
        super().__init__(owners[0], refuse, refuse)
        self.root: Any = Joint(owners)
        self.version = self.root._version


def owners_of(x: Any) -> tuple[Tracer, ...]:
    """The arrays one of which owns the memory of `x`; nothing, if that is no array."""
    if type(x) is Varying:
        x = x._array
    if type(x) is not Tracer:
        return ()
    root: Any = x if x._alias is None else x._alias.root
    return root.owners if type(root) is Joint else (root,)


def may_own(x: Any) -> dict[int, Tracer]:
    """The arrays that may own the memory of `x`, by their ids: those from before choices, too."""
    found: dict[int, Tracer] = {}
    pending = list(owners_of(x))
    origins = current().origins
    while pending:
        owner = pending.pop()
        if id(owner) not in found:
            found[id(owner)] = owner
            known = origins.get(id(owner))
            if known is not None and known[0]() is owner:
                pending += [each for link in known[1] if (each := link()) is not None]
    return found


def let_own(x: Tracer, owners: Iterable[Tracer]) -> None:
    """Say that `x`, which a choice or a loop has left to a name, may be one of some arrays."""
    links = tuple(weakref.ref(each) for each in owners)
    if links:
        current().origins[id(x)] = weakref.ref(x), links
