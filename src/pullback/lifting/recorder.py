"""What is told of the arrays of a block while it is recorded: those that it makes and writes to."""

from __future__ import annotations

from typing import Any

from pullback.core.running import thread
from pullback.core.tracing import Tracer, writing
from pullback.lifting.owners import Joint
from pullback.lifting.reasons import Replan

__all__ = ["Recorder"]


class Recorder:
    """What is told of the arrays of a block that is recorded."""

    def __init__(self, plan: Any, role: str) -> None:
        self.adopted: list[Tracer] = []
        self._plan = plan
        self._role, self._writes = role, 0
        self._made: dict[int, Tracer] = {id(x): x for x in plan.arrays}
        self._outside = plan.roots

    def made(self, tracer: Tracer) -> None:
        """An array was made in the block."""
        self._made[id(tracer)] = tracer

    def is_inside(self, root: Tracer) -> bool:
        """Whether an array is known to have been made in the block."""
        if any(root is x for x in self._plan.arrays):
            return False
        return root._interpreter.recorder is self or id(root) in self._made

    def about_to_write(self, root: Any) -> None:
        """Record the block anew if it writes to an array from outside that is not carried.

        An array that is another one each time the block is recorded was made in the block.
        """
        if type(root) is Joint:
            return  # one of several arrays, which the write itself refuses
        number, self._writes = self._writes, self._writes + 1
        if root._interpreter.recorder is self or id(root) in self._made:
            return
        outside = id(root) in self._outside
        if not outside and self._plan.is_made_anew((self._role, number), root):
            self.made(root)
        else:
            raise Replan(self._plan, array=root)


def _about_to_write(root: Tracer) -> None:
    stack = thread.stack
    recorder = stack[-1].recorder if stack and stack[-1] is not None else None
    if recorder is not None:
        recorder.about_to_write(root)


writing.append(_about_to_write)
