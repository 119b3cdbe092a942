"""When each statement of a split program runs.

Phase after phase, first what is done for all samples at once, then what goes through them tile by
tile. A statement waits for a phase's tiles to end if it needs what they sum, or what other samples
write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from pullback.compiler.loops import Statement
from pullback.compiler.split.survey import Access, Survey

__all__ = ["Phase", "phases"]


class Phase(NamedTuple):
    """What is done at once, then what is done tile by tile."""

    before: tuple[Statement, ...]
    tiled: tuple[Statement, ...]


def phases(survey: Survey, body: Sequence[Statement]) -> list[Phase]:
    """The statements in phases.

    Parameters
    ----------
    survey : Survey
    body : sequence of Statement

    Returns
    -------
    list of Phase
        In each row of which the statements are in the order in which they were.
    """
    times = _Times()
    rows: dict[int, list[Statement]] = defaultdict(list)
    for statement in body:
        accesses = survey.accesses(statement)
        tiled = accesses is not None
        accesses = survey.whole(statement) if accesses is None else accesses
        time = times.earliest(accesses, tiled=tiled)
        times.note(accesses, time)
        rows[time].append(statement)
    last = max(rows, default=0)
    return [Phase(tuple(rows[t]), tuple(rows[t + 1])) for t in range(0, last + 1, 2)]


class _Times:
    """At which times buffers were last used, and how: tiles run at odd times."""

    def __init__(self) -> None:
        self._last: dict[str, dict[tuple[str, bool, bool], int]] = defaultdict(dict)

    def earliest(self, accesses: Collection[Access], *, tiled: bool) -> int:
        least = int(tiled)
        for access in accesses:
            for (kind, writes, odd), time in self._last[access.name].items():
                if access.writes or writes:
                    least = max(least, _following(time, odd, kind, access.kind, tiled=tiled))
        return least

    def note(self, accesses: Collection[Access], time: int) -> None:
        for access in accesses:
            last = self._last[access.name]
            key = access.kind, access.writes, bool(time % 2)
            last[key] = max(time, last.get(key, 0))


def _following(time: int, odd: bool, kind: str, wanted: str, *, tiled: bool) -> int:
    """The earliest time of what uses something after it was used at a time."""
    if not odd:
        return time + tiled
    if not tiled:
        return time + 1
    together = kind == wanted and kind != "whole"
    return time if together else time + 2
