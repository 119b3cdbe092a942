"""What a block reads and writes from outside: names, and the memory of arrays.

A block is recorded with variables in their places. A name is carried by its value; an array that is
written to in the block is carried by its state, and stays the object that it is, for others may
hold it, or look into it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.running import GROUND, thread
from pullback.core.tracing import Tracer
from pullback.lifting.bindings import Bindings
from pullback.lifting.cells import UNSET, Block, cells_of, content, fill, named, others
from pullback.lifting.owners import owners_of
from pullback.lifting.purity import require_readable
from pullback.lifting.reasons import Replan
from pullback.lifting.recorder import Recorder
from pullback.lifting.recording import current
from pullback.lifting.sharing import Sharing
from pullback.lifting.signals import NOTHING, Returned, Undecided
from pullback.lifting.slices.varying import Varying
from pullback.lifting.syntax import FIRST, OWN
from pullback.lifting.values import (
    as_it_is,
    is_arrays,
    is_value,
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


class Plan(Bindings):
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
        super().__init__(chooses=reads)
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
        said = [each.__kwdefaults__ or {} for each in blocks]
        self.own = {name for each in said for name in each.get(OWN, ())}
        self.first = {name for each in said for name in each.get(FIRST, ())}
        self.dropped = {
            name
            for name in memory.dropped & self.own
            if name in self.cells and content(self.cells[name]) is UNSET
        }
        self._written: dict[tuple[str, int], Tracer] = {}
        self._anew: set[tuple[str, int]] = set()
        self.begin()

    def begin(self) -> None:
        """Take note of what the names hold now."""
        self.entries = {name: content(cell) for name, cell in self.cells.items()}
        self.values = {
            name: x
            for name, x in self.entries.items()
            if name not in self.dropped
            and (is_value(x) or (name in self._rebound and is_arrays(x)))
        }
        for name, x in self.placeholders.items():
            if name not in self.dropped and self.entries.get(name) is UNSET:
                self.values[name] = x
        self.sharing = Sharing(self.entries, self.ties, chooses=self.chooses)

    @property
    def roots(self) -> dict[int, Tracer]:
        """The arrays that names around the block, and around functions there, stand for."""
        found: dict[int, Tracer] = {}
        pending = [content(cell) for cell in self._around.values()]
        seen: set[int] = set()
        while pending:
            x = pending.pop()
            if type(x) in (Tracer, Varying):
                found.update((id(owner), owner) for owner in owners_of(x))
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
            memory.dropped |= self.dropped
        elif replan.ties is not None:
            self._follow_ties(replan.names, replan.ties)
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

    def _follow_ties(self, names: Sequence[str], ties: dict[int, Tracer]) -> None:
        (name,) = names
        if ties:
            self.ties[name] = ties
        else:
            self._rebound.discard(name)
            self.values.pop(name)

    def drop(self, replan: Replan) -> None:
        """Don't carry a name, which is bound to nothing when an iteration begins."""
        self.dropped.update(replan.names)
        for name in replan.names:
            self.values.pop(name, None)

    def unbind(self) -> None:
        """Bind names to nothing that are not carried, and so are not known."""
        for name in self.dropped:
            if content(self.cells[name]) is not UNSET:
                fill(self.cells[name], UNSET)

    def refused(self, replan: Replan) -> str:
        """Why a name keeps a block from being recorded once."""
        (name,) = replan.names
        return f"it binds {name} to {self.bound_to[name]}"

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
            if name not in self.values and name not in self.dropped
        }
        for name, cell in (self._read | names).items():
            x = content(cell)
            if type(x) is not Tracer or not x._interpreter.level:
                continue
            if roots.isdisjoint(map(id, owners_of(x))):
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
                if not (self.chooses and self._shares_memory(name, arrays)):
                    fill(cells[name], value)
            self.sharing.tie_given(values)
            for name in self.dropped:
                if content(cells[name]) is not UNSET:
                    fill(cells[name], UNSET)
            for name, value in reads.items():
                current().intervals.let_equal(value, held[name])
            result = block()
            if role == "body":
                self.same = {}
                self.sharing.joined.clear()
            carried = {key: cell for key, cell in self.cells.items() if key not in self.dropped}
            after = {name: content(cell) for name, cell in carried.items()}
            for name in values if self.chooses else ():
                self._require_its_own(name, values[name])
            for name, value in reads.items():
                if value._version:
                    raise Replan(self, array=owners_of(held[name])[0])
                if after.get(name) is value:
                    after[name] = held[name]
            if self.arrays is not arrays:
                raise Replan(self)
            written = [x for x, v in zip(arrays, versions, strict=True) if x._version != v]
            for name in () if self.chooses else values:
                if self._shares_memory(name, written):
                    what = f"{name} is the same array before as another one that is written to"
                    raise Replan(self, peel=what)
            inside = level.recorder.is_inside
            bound = trees.map_tree(as_it_is, self.bound(values, after, inside))
            kept: dict[str | None, Any] = {name: after[name] for name in bound}
            if type(result) in (Returned, Undecided) and result.value is not NOTHING:
                kept[None] = result.value
            outside = {id(value): held[name] for name, value in reads.items()}
            left = self.sharing.note(role, kept, values, outside, inside)
            out = [x._snapshot() for x in arrays], bound, reads
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
        if not self.chooses:
            self._require_steady(values, left)
        return result, out

    def _shares_memory(self, name: str, arrays: Sequence[Any]) -> bool:
        """Whether a name stands for one of some arrays before the block, or looks into it."""
        entry = self.entries.get(name)
        if entry is None or entry is UNSET or not is_arrays(entry):
            return False
        owners = [each for leaf in trees.flatten(entry)[0] for each in owners_of(leaf)]
        return any(x is owner for x in arrays for owner in owners)

    def finish(self, carry: Any, returned: Any = NOTHING, *, certain: bool = True) -> Any:
        """Let the names and the arrays be what they are after the block.

        Parameters
        ----------
        carry : pytree
        returned : pytree
            What the block returns, if it does.
        certain : bool
            Whether a loop has one iteration at least.

        Returns
        -------
        pytree
            What the block returns.
        """
        states, values, _ = carry
        for x, state in zip(self.arrays, states, strict=True):
            if type(state) is Tracer and state._value is x._value and state._payload is x._payload:
                continue  # it was not written to
            state = state if type(state) is Tracer else GROUND.constant(np.array(state))
            x._announce()
            x._adopt(keep_layout(x, state))
        bound: dict[str | None, Any] = {}
        for name in values:
            source = self.same.get(name, name)
            bound[name] = self.numbers.restored(source, values[source])
        if returned is not NOTHING:
            restored = self.numbers.restored if self.chooses else lambda _, tree: tree
            bound[None] = restored(None, returned)
        steady = {name: self.sharing.steady(name) for name in bound if self.chooses}
        steady = {name: x for name, x in steady.items() if x is not UNSET}
        for name, value in (bound | steady).items():
            if name is not None:
                fill(self.cells[name], value)
        made = {name: x for name, x in bound.items() if name not in steady}
        if self.chooses:
            self.sharing.tie_choice(made)
        else:
            self.sharing.tie_loop(made, certain=certain)
        return (bound | steady).get(None, NOTHING)
