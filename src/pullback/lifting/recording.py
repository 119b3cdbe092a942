"""What is known of one recording: the loops that it has unrolled, and what their blocks bind."""

from __future__ import annotations

import contextlib
import linecache
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any
from weakref import ref

from pullback.lifting.intervals import Intervals

__all__ = ["Memory", "Recording", "Unrolled", "current", "recording"]


@dataclass(frozen=True)
class Unrolled:
    """A loop of the user's that is recorded iteration by iteration.

    Attributes
    ----------
    path : str
    line : int
    iterations : int
    reason : str
        Why it isn't recorded once.
    """

    path: str
    line: int
    iterations: int
    reason: str

    def __str__(self) -> str:
        source = linecache.getline(self.path, self.line).strip()
        place = f"{os.path.basename(self.path)}, line {self.line}" + (source and f": `{source}`")
        return f"{place} is unrolled, {self.iterations:,} iterations: {self.reason}"


@dataclass
class Memory:
    """What was found when blocks were recorded before, from which the next recording starts.

    It may be more than what they write and bind this time, which does no harm.
    """

    rebound: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    placeholders: dict[str, Any] = field(default_factory=dict)


@dataclass
class Recording:
    """What belongs to one call of `trace`."""

    innermost: int = 0
    """How many iterations a loop has at least that is kept although it has no loop inside."""
    passes: int = 1
    """How often the short loops around make Python pass by, which are left to it."""
    unrolled: dict[tuple[str, int], Unrolled] = field(default_factory=dict)
    memories: dict[tuple[CodeType, ...], Memory] = field(default_factory=dict)
    intervals: Intervals = field(default_factory=Intervals)
    origins: dict[int, tuple[ref[Any], tuple[ref[Any], ...]]] = field(default_factory=dict)
    """Of arrays that a choice or a loop has left to a name, by id, those that they may be."""
    outermost: FrameType | None = None
    """Whose variables the program that is recorded has no part in."""

    def memory(self, codes: tuple[CodeType, ...]) -> Memory:
        """What is known of blocks."""
        return self.memories.setdefault(codes, Memory())

    def note(self, found: Unrolled) -> None:
        """Keep a loop that is unrolled, of several runs the longest."""
        key = found.path, found.line
        known = self.unrolled.get(key)
        if known is None or known.iterations < found.iterations:
            self.unrolled[key] = found


class _Running(threading.local):
    def __init__(self) -> None:
        self.stack: list[Recording] = []


_running = _Running()


def current() -> Recording:
    """The recording that this thread is in; a fresh one, which nobody asks, if it is in none."""
    return _running.stack[-1] if _running.stack else Recording()


@contextlib.contextmanager
def recording(innermost: int = 0) -> Iterator[Recording]:
    """A recording of its own, for what runs meanwhile in this thread."""
    made = Recording(innermost)
    outer = _running.stack[-1] if _running.stack else None
    made.outermost = sys._getframe(2) if outer is None else outer.outermost
    _running.stack.append(made)
    try:
        yield made
    finally:
        _running.stack.pop()
        made.outermost = None
