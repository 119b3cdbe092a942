"""What a block reads and writes from outside: names, and the memory of arrays.

A block is recorded with variables in their places. A name is carried by its value; an array that is
written to in the block is carried by its state, and stays the object that it is, for others may
hold it, or look into it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, NoReturn

import numpy as np

from pullback.core import trees
from pullback.core.precision import PYTHON_NUMBERS
from pullback.core.running import GROUND, thread
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.lifting.cells import UNSET, Block, cells_of, content, fill, named, others
from pullback.lifting.numbers import Numbers
from pullback.lifting.purity import require_readable
from pullback.lifting.reasons import Replan, UnliftableError
from pullback.lifting.recorder import Recorder
from pullback.lifting.recording import current
from pullback.lifting.slices.varying import Varying
from pullback.lifting.syntax import OWN
from pullback.lifting.ties import tie
from pullback.lifting.values import (
    are_alike,
    as_it_is,
    is_arrays,
    is_shared,
    is_value,
    placeholder,
    root_of,
    set_state,
)
from pullback.numpy.views import keep_layout

__all__ = ["Hidden", "Plan"]


class Hidden:
    """A function whose variables nobody looks into."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function, self.__name__ = function, name

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)


class Plan:
    """What a block carries.

    Parameters
    ----------
    blocks : iterable of callable
    without : str, optional
        The variable of a loop, which each iteration is given.
    reads : bool
        Whether it takes what it reads of the variables around it, too: what is computed from them
        alone is computed in the block then, which may not be run at all.

    Attributes
    ----------
    arrays : list of Tracer
        The arrays that it writes to, by their states.
    values : dict of str
        The names that it binds, by what they hold before; of those that hold nothing, what stands
        in for that.
    """

    def __init__(
        self, blocks: Sequence[Block], *, without: str | None = None, reads: bool = False
    ) -> None:
        self.cells = cells_of(blocks)
        self._read = others(blocks, self.cells) if reads else {}
        self._variable = self.cells.pop(without, None) if without is not None else None
        self._around = others(blocks, ())
        require_readable(named(blocks))
        memory = current().memory(tuple(each.__code__ for each in blocks))
        self._memory = memory
        self.arrays: list[Tracer] = []
        for name in memory.written:
            root = root_of(content(self._around[name])) if name in self._around else None
            if type(root) is Tracer and root._mutable and all(x is not root for x in self.arrays):
                self.arrays.append(root)
        self.placeholders = dict(memory.placeholders)
        self._rebound = set(memory.rebound)
        self._own = {name for each in blocks for name in (each.__kwdefaults__ or {}).get(OWN, ())}
        self._dropped = {
            name
            for name in memory.dropped & self._own
            if name in self.cells and content(self.cells[name]) is UNSET
        }
        self._bound_to: dict[str, str] = {}
        self._written: dict[tuple[str, int], Tracer] = {}
        self._anew: set[tuple[str, int]] = set()
        self.owned = False
        self._chooses = reads
        self._same: dict[str, str] = {}
        self._left: set[str] = set()
        self.numbers = Numbers()
        self.begin()

    def begin(self) -> None:
        """Take note of what the names hold now."""
        self.entries = {name: content(cell) for name, cell in self.cells.items()}
        self.values = {
            name: x
            for name, x in self.entries.items()
            if name not in self._dropped
            and (is_value(x) or (name in self._rebound and is_arrays(x)))
        }
        for name, x in self.placeholders.items():
            if name not in self._dropped and self.entries.get(name) is UNSET:
                self.values[name] = x

    @property
    def roots(self) -> dict[int, Tracer]:
        """The arrays that names around the block, and around functions there, stand for."""
        found: dict[int, Tracer] = {}
        pending = [content(cell) for cell in self._around.values()]
        seen: set[int] = set()
        while pending:
            x = pending.pop()
            if type(x) in (Tracer, Varying):
                found[id(root_of(x))] = root_of(x)
            elif id(x) not in seen:
                seen.add(id(x))
                if type(x) in (tuple, list):
                    pending += x
                elif type(x) is FunctionType:
                    pending += map(content, x.__closure__ or ())
        return found

    def follow(self, replan: Replan) -> None:
        """Carry what was found to be written or bound."""
        memory = self._memory
        if replan.drop:
            self.drop(replan)
            memory.dropped |= self._dropped
        elif replan.array is not None:
            self.arrays = [*self.arrays, replan.array]
            for name, cell in self._around.items():
                if root_of(content(cell)) is replan.array:
                    memory.written.add(name)
        else:
            for name, x in (replan.like or {}).items():
                self.placeholders[name] = self.values[name] = memory.placeholders[name] = x
            self._rebound.update(replan.names)
            memory.rebound.update(replan.names)
            for name in replan.names:
                self.values[name] = self.entries[name]

    def drop(self, replan: Replan) -> None:
        """Don't carry a name, which is bound to nothing when an iteration begins."""
        self._dropped.update(replan.names)
        for name in replan.names:
            self.values.pop(name, None)

    def refused(self, replan: Replan) -> str:
        """Why a name keeps a block from being recorded once."""
        (name,) = replan.names
        return f"it binds {name} to {self._bound_to[name]}"

    def forget(self) -> None:
        """Names may stand for other arrays than in recordings before."""
        self._written.clear()
        self._anew.clear()

    def is_made_anew(self, number: tuple[str, int], root: Tracer) -> bool:
        """Whether the array that the write of this number goes to is another one each time."""
        before = self._written.setdefault(number, root)
        if before is not root:
            self._anew.add(number)
            if any(x is before for x in self.arrays):
                self.arrays = [x for x in self.arrays if x is not before]
        return number in self._anew

    @property
    def carry(self) -> Any:
        """The carry before the block."""
        return list(self.arrays), dict(self.values), self._reads()

    def _reads(self) -> dict[str, Any]:
        """What is traced in the variables that the block reads."""
        found = {}
        roots = set(map(id, self.arrays))
        names = {
            name: cell
            for name, cell in self.cells.items()
            if name not in self.values and name not in self._dropped
        }
        for name, cell in (self._read | names).items():
            x = content(cell)
            if type(x) is Tracer and x._interpreter.level and id(root_of(x)) not in roots:
                found[name] = x
        return found

    def run(self, carry: Any, block: Callable[[], Any], role: str = "body") -> tuple[Any, Any]:
        """What a block returns, and the carry after it; everything is afterwards as it was."""
        states, values, reads = carry
        arrays = self.arrays
        before = [(x._interpreter, x._value, x._payload) for x in arrays]
        cells = self._read | self.cells
        held = {name: content(cell) for name, cell in cells.items()}
        variable = None if self._variable is None else content(self._variable)
        level = thread.stack[-1]
        assert level is not None
        recorder, level.recorder = level.recorder, Recorder(self, role)
        try:
            for x, state in zip(arrays, states, strict=True):
                set_state(x, state)
            versions = [x._version for x in arrays]
            for name, value in (reads | values).items():
                if not (self._chooses and self._shares_memory(name, arrays)):
                    fill(cells[name], value)
            for name in self._dropped:
                if content(cells[name]) is not UNSET:
                    fill(cells[name], UNSET)
            for name, value in reads.items():
                current().intervals.let_equal(value, held[name])
            result = block()
            if role == "body":
                self._same = {}
            carried = {key: cell for key, cell in self.cells.items() if key not in self._dropped}
            after = {name: content(cell) for name, cell in carried.items()}
            for name, value in reads.items():
                if value._version:
                    raise Replan(self, array=root_of(held[name]))
                if after.get(name) is value:
                    after[name] = held[name]
            if self.arrays is not arrays:
                raise Replan(self)
            written = [x for x, v in zip(arrays, versions, strict=True) if x._version != v]
            for name in () if self._chooses else values:
                if self._shares_memory(name, written):
                    what = f"{name} is the same array before as another one that is written to"
                    raise Replan(self, peel=what)
            bound = trees.map_tree(as_it_is, self._bound(values, after))
            return result, ([x._snapshot() for x in arrays], bound, reads)
        finally:
            adopted = level.recorder.adopted
            level.recorder = recorder
            for x, (interpreter, value, payload) in zip(arrays, before, strict=True):
                x._interpreter, x._value, x._payload = interpreter, value, payload
                x._version += 1
            for name, value in held.items():
                if content(cells[name]) is not value:
                    fill(cells[name], value)
            if self._variable is not None and content(self._variable) is not variable:
                fill(self._variable, variable)
            for x in adopted:
                if x._alias is not None:
                    x._refresh()

    def _shares_memory(self, name: str, arrays: Sequence[Any]) -> bool:
        """Whether a name stands for one of some arrays before the block, or looks into it."""
        entry = self.entries.get(name)
        if entry is None or entry is UNSET or not is_arrays(entry):
            return False
        roots = [root_of(leaf) for leaf in trees.flatten(entry)[0]]
        return any(x is root for x in arrays for root in roots)

    def _bound(self, given: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
        """What the names that are carried hold after the block."""
        if self._exchanges(after):
            raise Replan(self, period=1)
        found = {
            name: new
            for name, new in after.items()
            if name not in self.values and new is not self.entries[name] and is_arrays(new)
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
            if new is given[name] or new is self.entries[name]:
                self._left.add(name)  # it isn't always bound anew
            self.numbers.note(name, new)
            if not self._chooses:  # as many iterations as there are may be none
                self.numbers.note(name, self.values[name])
            self._require_unwritten(name, given[name])
            for leaf in trees.flatten(new)[0]:
                if type(leaf) is not Tracer or not leaf._mutable:
                    continue
                other = roots.setdefault(id(root_of(leaf)), name)
                if other != name:
                    if self._chooses and new is self.entries.get(name):
                        continue
                    if other and new is after[other] and self._shares(name, other, given):
                        continue
                    if name in self._own and self.entries.get(name) is UNSET:
                        raise Replan(self, names=[name], drop=True)
                    what = f"{other}, too" if other else "an array that it writes to"
                    raise UnliftableError(f"it leaves {name} bound to the memory of {what}")
        return outs

    def _shares(self, name: str, other: str, given: dict[str, Any]) -> bool:
        """Whether two names may be carried apart, and stand for one array afterwards.

        One of them stood for nothing before, or they shared one, and in the block nobody writes to
        what they stand for.
        """
        one, two = self.entries.get(name), self.entries.get(other)
        written = any(type(x) is Tracer and x._version for x in (given[name], given[other]))
        if self._chooses or written or not (one is two or one is UNSET or two is UNSET):
            return False
        if two is UNSET:
            name, other = other, name
        self._same[name] = other
        return True

    def _exchanges(self, after: dict[str, Any]) -> bool:
        """Whether a name is bound to what another name was bound to before."""
        places = {
            id(x): name for name, x in self.entries.items()
            if type(x) is Tracer and name not in self.values
        }  # fmt: skip
        return any(
            name not in self.values and places.get(id(new), name) != name
            for name, new in after.items()
        )

    def _require_same(self, name: str, new: Any) -> None:
        """Carry a name that was not carried so far, if it is bound anew."""
        before = self.entries[name]
        if new is before:
            return
        if is_arrays(new):
            raise Replan(self, peel=f"{name} is {type(before).__name__} before")
        self._leave(name, new)

    def _leave(self, name: str, new: Any) -> NoReturn:
        """Don't carry what can't be: a name nobody reads afterwards, or the last one of several."""
        varies = type(new) is Varying
        self._bound_to[name] = "a slice whose length varies" if varies else type(new).__name__
        if name in self._own:
            raise Replan(self, names=[name], drop=True)
        raise Replan(self, names=[name], drop=None)

    def _checked(self, name: str, new: Any) -> Any:
        """What a name holds, which must be like what it held before."""
        if new is UNSET or not is_arrays(new):
            self._leave(name, new)
        (leaves, spec), (firsts, wanted) = trees.flatten(new), trees.flatten(self.values[name])
        unset = self.entries.get(name) is UNSET
        if unset and not are_alike(new, self.values[name], dtypes=not self._chooses):
            raise Replan(self, like={name: trees.map_tree(placeholder, new)})
        if spec != wanted:
            raise Replan(self, peel=f"{name} has another structure before")
        for leaf, first in zip(leaves, firsts, strict=True):
            if shape_of(leaf) != shape_of(first):
                raise Replan(self, peel=f"{name} has the shape {shape_of(first)} before")
            if type(first) in PYTHON_NUMBERS or type(leaf) in PYTHON_NUMBERS:
                continue
            if not self._chooses and dtype_of(leaf) != dtype_of(first):
                raise Replan(self, peel=f"{name} has the dtype {dtype_of(first)} before")
        return new

    def _require_unwritten(self, name: str, given: Any) -> None:
        """Let the first iteration write to the array that a name is bound to from outside."""
        if self.owned or self.entries.get(name) is UNSET:
            return
        for leaf in trees.flatten(given)[0]:
            if type(leaf) is Tracer and leaf._version and is_shared(self.entries[name]):
                raise Replan(
                    self, peel=f"{name} is an array from outside before, and is written to"
                )

    def finish(self, carry: Any) -> None:
        """Let the names and the arrays be what they are after the block."""
        states, values, _ = carry
        for x, state in zip(self.arrays, states, strict=True):
            if type(state) is Tracer and state._value is x._value and state._payload is x._payload:
                continue  # it was not written to
            state = state if type(state) is Tracer else GROUND.constant(np.array(state))
            x._announce()
            x._adopt(keep_layout(x, state))
        for name in values:
            source = self._same.get(name, name)
            value = self.numbers.restored(source, values[source])
            if self._chooses and name in self._left:
                tie(name, self.entries[name], value)
            fill(self.cells[name], value)
