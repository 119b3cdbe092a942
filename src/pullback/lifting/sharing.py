"""With what the arrays share memory that a block leaves to names, or returns.

An array that was made in the block is nobody else's. One from outside has other names, as a rule:
if the block always leaves the same one, the name stands for that; if which one it is depends on
how the block runs, the name is tied to all that it may be (:mod:`pullback.lifting.ties`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pullback.core import trees
from pullback.core.tracing import Tracer
from pullback.lifting.cells import UNSET
from pullback.lifting.held import held
from pullback.lifting.owners import may_own, owners_of
from pullback.lifting.ties import UNDECIDED, tie, tied

__all__ = ["Left", "Sharing", "are_same", "mutable"]


def mutable(tree: Any) -> Iterator[Tracer]:
    """The arrays in a pytree, which can be written to."""
    if tree is not UNSET:
        for x in trees.flatten(tree)[0]:
            if type(x) is Tracer and x._mutable:
                yield x


def are_same(one: Any, other: Any) -> bool:
    """Whether two names hold the same arrays, or the same value."""
    if one is other:
        return True
    if type(one) is not tuple or type(other) is not tuple or UNSET in (one, other):
        return False
    (leaves, spec), (others, wanted) = trees.flatten(one), trees.flatten(other)
    return spec == wanted and all(x is y for x, y in zip(leaves, others, strict=True))


@dataclass
class Left:
    """What a block leaves to a name.

    Attributes
    ----------
    value : pytree
        The value, if it isn't one that was made in the block; of a choice what the name held
        before, if it holds that still.
    owners : dict of int to Tracer
        The arrays from outside that own its memory, or may own it, by their ids.
    names : set of str
        The names that are carried that it may be bound to what these held before.
    """

    value: Any
    owners: dict[int, Tracer] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class Sharing:
    """What is known of the arrays that the blocks of a plan leave.

    Parameters
    ----------
    entries : dict of str
        What the names held before.
    ties : dict of str
        What names are tied to in a loop, from the beginning of an iteration.
    chooses : bool
        Whether it is one of several blocks that is run, and once.
    """

    def __init__(
        self, entries: dict[str, Any], ties: dict[str, dict[int, Tracer]], *, chooses: bool
    ) -> None:
        self.entries, self.ties, self._chooses = entries, ties, chooses
        self.roles: dict[str, dict[str | None, Left]] = {}
        self.joined: list[tuple[str, str]] = []
        """Names that may share memory after an iteration, which nobody writes to in a loop."""

    def note(
        self,
        role: str,
        after: dict[str | None, Any],
        given: dict[str, Any],
        outside: dict[int, Any],
        is_inside: Callable[[Tracer], bool],
    ) -> dict[str | None, Left]:
        """Take note of what a block leaves; `None` is the name of what it returns.

        `given` is what names that are carried hold in its beginning, `outside` has the arrays that
        arguments of the block stand for, by the ids of these.
        """
        places: dict[int, str] = {
            id(x): name for name, tree in given.items() for x in mutable(tree)
        }
        entered = {id(tree): self.entries[name] for name, tree in given.items()}
        known = (entered if self._chooses else {}) | outside
        found: dict[str | None, Left] = {}
        for name, value in after.items():
            left = found[name] = Left(known.get(id(value), UNSET))
            if id(value) not in known and any(True for _ in mutable(value)):
                tracers = [x for x in trees.flatten(value)[0] if type(x) is Tracer]
                made = any(is_inside(x) or id(x) in places for x in tracers)
                left.value = UNSET if made else value
            for leaf in mutable(value):
                for key, owner in may_own(leaf).items():
                    if key in places:
                        left.names.add(places[key])
                    elif key in outside:
                        left.owners |= may_own(outside[key])
                    elif not is_inside(owner):
                        left.owners[key] = owner
        self.roles[role] = found
        return found

    def tie_given(self, given: dict[str, Any]) -> None:
        """Tie what names hold at the beginning of an iteration."""
        for name, owners in self.ties.items():
            words = UNDECIDED["looped"].format(name)
            for leaf in mutable(given.get(name, UNSET)):
                tied(leaf, [*owners.values()], words)

    # -- after a choice ----------------------------------------------------------------------------

    def steady(self, name: str | None) -> Any:
        """The arrays that a choice leaves to a name however it is made; `UNSET` if there are none.

        They were there before, so that the name stands for them, and not for what the choice gives.
        """
        first, *others = [found[name] for found in self.roles.values() if name in found]
        if len(self.roles) < 2 or len(others) + 1 < len(self.roles):
            return UNSET
        if not any(True for _ in mutable(first.value)):
            return UNSET
        made = first.owners or first.names
        return (
            first.value if made and all(are_same(first.value, x.value) for x in others) else UNSET
        )

    def tie_choice(self, bound: dict[str | None, Any]) -> None:
        """Tie what a choice has left to names, which hold it by now."""
        forced: set[int] = set()
        owners: dict[str | None, dict[int, Tracer]] = {name: {} for name in bound}
        kept: set[str | None] = set()
        for found in self.roles.values():
            counts: Counter[int] = Counter()
            for name in bound:
                if name not in found:
                    continue
                left = found[name]
                here = left.owners | self._entered(left.names)
                kept |= {name} if name in left.names else set()
                owners[name] |= here
                counts.update(here.keys())
            forced |= {key for key, count in counts.items() if count > 1}
        taken = forced | _held(owners)
        for name, value in bound.items():
            kind = "returned" if name is None else "kept" if name in kept else "chosen"
            tie(value, owners[name].values(), UNDECIDED[kind].format(name), taken)

    def _entered(self, names: set[str]) -> dict[int, Tracer]:
        """What owns the memory of what names held before."""
        leaves = [x for name in names for x in mutable(self.entries.get(name, UNSET))]
        return {key: owner for x in leaves for key, owner in may_own(x).items()}

    # -- after a loop ------------------------------------------------------------------------------

    def tie_loop(self, bound: dict[str | None, Any], *, certain: bool) -> None:
        """Tie what a loop has left to names, which hold it by now.

        Parameters
        ----------
        bound : dict
        certain : bool
            Whether there is one iteration at least.
        """
        reached = {name: self._of_iterations(name, certain=certain) for name in bound}
        counts = Counter(key for each in reached.values() for key in each)
        forced = {key for key, count in counts.items() if count > 1}
        for one, other in self.joined:
            found = {id(x): x for leaf in mutable(bound[other]) for x in owners_of(leaf)}
            reached[one] |= found
            forced |= found.keys()
        taken = forced | _held(reached)
        for name, value in bound.items():
            words = UNDECIDED["returned" if name is None else "looped"].format(name)
            tie(value, reached[name].values(), words, taken)

    def _of_iterations(self, name: str | None, *, certain: bool) -> dict[int, Tracer]:
        """What may own the memory of what a name holds after some iterations."""
        found: dict[int, Tracer] = {}
        pending, seen = [name], set()
        left = [each for role in self.roles.values() for each in role.items()]
        if not certain and name is not None:
            found |= self._entered({name})
        while pending:
            each = pending.pop()
            if each in seen:
                continue
            seen.add(each)
            if each is not None and each in self.ties:
                found |= self.ties[each] | self._entered({each})
            for other, what in left:
                if other == each:
                    found |= what.owners | self._entered(what.names)
                    pending += what.names
        return found


def _held(owners: dict[str | None, dict[int, Tracer]]) -> set[int]:
    return held(x for each in owners.values() for x in each.values())
