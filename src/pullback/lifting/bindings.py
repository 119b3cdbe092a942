"""What names hold after a block: whether it can be carried, and what it shares memory with."""

from __future__ import annotations

from collections.abc import Callable
from types import CellType
from typing import Any, NoReturn

from pullback.core import trees
from pullback.core.precision import PYTHON_NUMBERS
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.lifting.cells import UNSET, fill
from pullback.lifting.held import held
from pullback.lifting.numbers import Numbers
from pullback.lifting.owners import may_own, owners_of
from pullback.lifting.reasons import Replan, UnliftableError
from pullback.lifting.sharing import Left, Sharing, are_same, mutable
from pullback.lifting.slices.varying import Varying
from pullback.lifting.values import are_alike, is_arrays, placeholder

__all__ = ["Bindings"]


class Bindings:
    """The names that a block binds.

    Attributes
    ----------
    cells : dict of str
        Their variables.
    entries : dict of str
        What they hold before.
    values : dict of str
        Those that are carried, by what they hold before; of those that hold nothing, what stands in
        for that.
    own, first, dropped : set of str
        Those that nobody reads outside of the block; those that it binds before anything reads
        them; those that aren't carried.
    arrays : list of Tracer
        The arrays that the block writes to.
    chooses : bool
        Whether it is one of several blocks that is run, and once.
    may_peel : bool
        Whether Python may run the first iteration.
    """

    cells: dict[str, CellType]
    arrays: list[Tracer]
    entries: dict[str, Any]
    values: dict[str, Any]
    sharing: Sharing
    own: set[str]
    first: set[str]
    dropped: set[str]

    def __init__(self, *, chooses: bool) -> None:
        self.chooses, self.may_peel = chooses, False
        self.numbers = Numbers()
        self.ties: dict[str, dict[int, Tracer]] = {}
        self.same: dict[str, str] = {}
        self.bound_to: dict[str, str] = {}

    def bound(
        self, given: dict[str, Any], after: dict[str, Any], inside: Callable[[Tracer], bool]
    ) -> dict[str, Any]:
        """What the names that are carried hold after the block."""
        if not self.chooses and self._exchanges(after):
            raise Replan(self, period=1)
        found = {
            name: new
            for name, new in after.items()
            if name not in self.values and not are_same(new, self.entries[name]) and is_arrays(new)
        }
        like = {
            name: trees.map_tree(placeholder, new)
            for name, new in found.items()
            if self.entries[name] is UNSET
        }
        names = [name for name in found if is_arrays(self.entries[name])]
        if like or names:
            raise Replan(self, like=like, names=names)
        outs: dict[str, Any] = {}
        roots: dict[int, str] = {id(x): "" for x in self.arrays}
        for name, new in after.items():
            if name not in self.values:
                self._require_same(name, new)
                continue
            outs[name] = self._checked(name, new)
            self.numbers.note(name, new)
            if not self.chooses:  # as many iterations as there are may be none
                self.numbers.note(name, self.values[name])
            for leaf in mutable(new):
                if self.chooses and not inside(leaf):
                    continue
                owners = owners_of(leaf) if self.chooses else may_own(leaf).values()
                for owner in owners:
                    other = roots.setdefault(id(owner), name)
                    if other == name:
                        continue
                    if other and self._shares(name, other, given, same=new is after[other]):
                        continue
                    if name in self.own and self.entries.get(name) is UNSET:
                        raise Replan(self, names=[name], drop=True)
                    what = f"{other}, too" if other else "an array that it writes to"
                    raise UnliftableError(f"it leaves {name} bound to the memory of {what}")
        return outs

    def _shares(self, name: str, other: str, given: dict[str, Any], *, same: bool) -> bool:
        """Whether two names may be carried apart that share memory after an iteration.

        So it is if in the block nobody writes to what they stand for. If one of them stood for
        nothing before, or they shared one array, it is the same one afterwards.
        """
        if self.chooses or any(x._version for key in (name, other) for x in mutable(given[key])):
            return False
        one, two = self.entries.get(name), self.entries.get(other)
        if same and (one is two or one is UNSET or two is UNSET):
            if two is UNSET:
                name, other = other, name
            self.same[name] = other
        else:
            self.sharing.joined.append((name, other))
        return True

    def _exchanges(self, after: dict[str, Any]) -> bool:
        """Whether a name is bound to what another name was bound to before."""
        places = {
            id(x): name for name, x in self.entries.items()
            if type(x) is Tracer and name not in self.values and after.get(name, x) is not x
        }  # fmt: skip
        return any(
            name not in self.values and places.get(id(new), name) != name
            for name, new in after.items()
        )

    def _require_same(self, name: str, new: Any) -> None:
        """Carry a name that was not carried so far, if it is bound anew."""
        before = self.entries[name]
        if are_same(new, before):
            return
        if is_arrays(new):
            raise Replan(self, peel=f"{name} is {type(before).__name__} before")
        self._leave(name, new)

    def _leave(self, name: str, new: Any) -> NoReturn:
        """Don't carry what can't be: a name nobody reads afterwards, or the last one of several."""
        varies = type(new) is Varying
        self.bound_to[name] = "a slice whose length varies" if varies else type(new).__name__
        if name in self.own:
            raise Replan(self, names=[name], drop=True)
        if name not in self.first:
            raise UnliftableError(f"it binds {name} to {self.bound_to[name]}")
        raise Replan(self, names=[name], drop=None)

    def _checked(self, name: str, new: Any) -> Any:
        """What a name holds, which must be like what it held before."""
        if new is UNSET or not is_arrays(new):
            self._leave(name, new)
        (leaves, spec), (firsts, wanted) = trees.flatten(new), trees.flatten(self.values[name])
        unset = self.entries.get(name) is UNSET
        if unset and not are_alike(new, self.values[name], dtypes=not self.chooses):
            raise Replan(self, like={name: trees.map_tree(placeholder, new)})
        if spec != wanted:
            raise Replan(self, peel=f"{name} has another structure before")
        for leaf, first in zip(leaves, firsts, strict=True):
            if shape_of(leaf) != shape_of(first):
                raise Replan(self, peel=f"{name} has the shape {shape_of(first)} before")
            if type(first) in PYTHON_NUMBERS or type(leaf) in PYTHON_NUMBERS:
                continue
            if not self.chooses and dtype_of(leaf) != dtype_of(first):
                raise Replan(self, peel=f"{name} has the dtype {dtype_of(first)} before")
        return new

    def _require_unwritten(self, name: str, given: Any) -> None:
        """Let the first iteration write to the array that a name is bound to from outside.

        A choice writes to that itself.
        """
        entry, cell = self.entries[name], self.cells[name]
        written = [x for x in trees.flatten(given)[0] if type(x) is Tracer and x._version]
        if not written or entry is UNSET:
            return
        fill(cell, UNSET)
        try:
            taken = held(owner for x in mutable(entry) for owner in owners_of(x))
        finally:
            fill(cell, entry)
        if taken:
            what = f"{name} is an array from outside before, and is written to"
            raise Replan(self, peel=what)

    def _require_its_own(self, name: str, given: Any) -> None:
        """Carry the array that a name is bound to before a choice that writes to it."""
        leaves, entries = trees.flatten(given)[0], trees.flatten(self.values[name])[0]
        for x, entry in zip(leaves, entries, strict=True):
            if type(x) is Tracer and x._version and type(entry) is Tracer:
                raise Replan(self, array=owners_of(entry)[0])

    def _require_steady(self, given: dict[str, Any], left: dict[str | None, Left]) -> None:
        """Have a name that a loop binds to an array from outside stand for that, or tied to it."""
        for name, value in given.items():
            self._require_unwritten(name, value)
        for name, what in ((key, x) for key, x in left.items() if key is not None):
            taken = held(what.owners.values())
            owners = {key: x for key, x in what.owners.items() if key in taken}
            if not owners:
                continue
            if what.value is not UNSET and are_same(what.value, self.entries[name]):
                raise Replan(self, names=[name], ties={})
            if self.entries[name] is UNSET and name in self.own:
                raise Replan(self, names=[name], drop=True)
            steady = [id(x) in owners for x in mutable(what.value)]
            if self.may_peel and steady and all(steady):
                raise Replan(self, peel=f"{name} is another array before")
            if not owners.keys() <= self.ties.get(name, {}).keys():
                raise Replan(self, names=[name], ties=self.ties.get(name, {}) | owners)
