"""Python loops that are unrolled, iteration by iteration, while a function is recorded.

What is counted is how often an instruction of the user's code gives rise to an equation. Loops
inside pullback and NumPy do not count: while one runs, what the user's instruction has called is
still the same frame. Counting looks at the stack, which costs a twentieth to a tenth of the time of
recording an equation, so only every eighth equation is looked at until an instruction stands out.
"""

from __future__ import annotations

import math
import sys
import warnings
from types import FrameType
from typing import Any, ClassVar

from pullback.errors import UnrolledLoopWarning
from pullback.graph.advice.rewriting import rewritten
from pullback.graph.advice.user_loops import Loop, enclosing_loops
from pullback.graph.places import is_ours

__all__ = ["MOST", "Passes"]

MOST = 300
"""How many passes over the same instruction are taken for granted."""

STRIDE, SUSPICIOUS = 8, 12


class Passes:
    """Counts how often the user's instructions are passed while a function is recorded.

    One equation in `stride` is to be noted: none, if there is to be no advice.
    """

    __slots__ = ("_counts", "_outside", "_where", "stride")

    _entry: ClassVar[FrameType | None] = None
    """The frame that was seen last, at any level: what it holds must be let go of at any level."""

    def __init__(self, where: str, *, advise: bool = True) -> None:
        self._outside = id(sys._getframe(2))
        self.stride = STRIDE if advise else sys.maxsize
        self._where = where
        self._counts: dict[tuple[int, int], int] = {}

    def note(self) -> None:
        """Count the pass that has led to the present equation, unless it is counted already."""
        frame: FrameType | None = sys._getframe(2)
        entry = None  # the frame that the user's instruction has called
        while frame is not None and is_ours(frame):
            entry = frame
            frame = frame.f_back
        if frame is None or entry is self._entry:
            return
        Passes._entry = entry
        instruction = (id(frame.f_code), frame.f_lasti)
        count = self._counts[instruction] = self._counts.get(instruction, 0) + 1
        if self.stride > 1:
            if count == SUSPICIOUS:
                self.stride = 1
                self._counts.clear()
        elif count == MOST:
            self._warn(frame)

    def forget(self) -> None:
        """Let go of the frame that was seen last, and of the values that it holds."""
        Passes._entry = None

    def _warn(self, frame: FrameType) -> None:
        """Say which loop is unrolled and how to keep it a loop, if it is a loop of the user's."""
        loop = self._longest(frame)
        if loop is None:
            return
        self.stride = sys.maxsize
        line = f": `{loop.source}`" if loop.source else ""
        warnings.warn_explicit(
            f"{self._where}: the loop at {loop.path}, line {loop.line}{line} is unrolled: each of "
            f"its iterations is recorded anew, more than {MOST} by now. With pb.scan or "
            "pb.fori_loop it stays a loop, whose body is recorded once:\n\n"
            f"{rewritten(loop)}\n\n"
            "To unroll it all the same and hear no more of it: "
            'warnings.filterwarnings("ignore", category=pb.UnrolledLoopWarning)',
            UnrolledLoopWarning,
            loop.path,
            loop.line,
            registry=frame.f_globals.setdefault("__warningregistry__", {}),
        )

    def _longest(self, frame: FrameType | None) -> Loop | None:
        """Of the loops around an instruction, the one that makes for most of its passes."""
        loops: dict[tuple[str, Any], Loop] = {}
        while frame is not None and id(frame) != self._outside:
            if not is_ours(frame):
                for loop in enclosing_loops(frame):
                    loops.setdefault((loop.path, loop.node or loop.line), loop)
            frame = frame.f_back
        lengths = [loop.length for loop in loops.values()]
        passes = math.prod(MOST if length is None else length for length in lengths)
        if not loops or passes < MOST:
            return None
        return max(loops.values(), key=lambda loop: _typical(loop.length))


def _typical(length: int | None) -> float:
    """The length of a loop; one that is not known is rather a long one."""
    return math.sqrt(MOST) if length is None else length
