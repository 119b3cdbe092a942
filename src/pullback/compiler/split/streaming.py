"""What each phase does again, so that nothing of a sample is kept from one phase to the next.

Samples that come in chunks are gone through once for each phase, and a phase has the inputs of a
sample alone: what an earlier one has computed of it is computed again, in the same way. Where a
statement needs more than its own sample, it is found here, and said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from pullback.compiler.fusion.effects import effects
from pullback.compiler.loops import Program, Statement
from pullback.compiler.split.phases import Phase
from pullback.compiler.split.survey import CHECKS, Access, Survey

__all__ = ["NotStreamedError", "Streaming"]


class NotStreamedError(Exception):
    """A statement needs more of the samples than its own.

    Attributes
    ----------
    statement : Statement
    reason : str
        What it does.
    """

    def __init__(self, statement: Statement, reason: str) -> None:
        super().__init__(reason)
        self.statement = statement
        self.reason = reason


class Streaming:
    """The phases of a program whose samples come in chunks.

    Parameters
    ----------
    program : Program
    survey : Survey
    phases : sequence of Phase
    given : collection of str
        The inputs that come in chunks.

    Attributes
    ----------
    inner : set of str
        The buffers that have samples between loops: each tile has them for itself.
    again : list of tuple of (Statement, int)
        For each phase what it does again before its own statements, and of which phase that is.

    Raises
    ------
    NotStreamedError
    """

    def __init__(
        self,
        program: Program,
        survey: Survey,
        phases: Sequence[Phase],
        given: Collection[str],
    ) -> None:
        self._phases = phases
        self._accesses = [[_known(survey, each) for each in phase.tiled] for phase in phases]
        written = {
            access.name
            for access in self._all()
            if access.kind == "own" and access.writes and access.name != CHECKS
        }
        self._carrying = written.union(given)
        kinds = {buffer.name: buffer.kind for buffer in program.buffers}
        self.inner = {name for name in written if kinds[name] == "scratch"}
        self._require()
        self.again = [self._again(number) for number in range(len(phases))]

    def _all(self) -> Iterable[Access]:
        return (access for rows in self._accesses for row in rows for access in row)

    def _require(self) -> None:
        """Raise unless all that has samples is read and written sample by sample."""
        for phase, rows in zip(self._phases, self._accesses, strict=True):
            for statement in phase.before:
                about = effects(statement)
                if (about.reads | about.writes) & self._carrying:
                    raise NotStreamedError(statement, "is computed for all samples at once")
            for statement, row in zip(phase.tiled, rows, strict=True):
                for access in row:
                    if access.kind == "whole" and access.writes and access.name != CHECKS:
                        raise NotStreamedError(statement, "is computed for all samples at once")
                    if access.kind != "own" and access.name in self._carrying:
                        raise NotStreamedError(statement, "needs other samples for each one")

    def _again(self, number: int) -> tuple[tuple[Statement, int], ...]:
        """What was computed of a sample before, as far as a phase needs it."""
        needed = {name for row in self._accesses[number] for name in _read(row)}
        changed = self._changed(number)
        found: list[tuple[Statement, int]] = []
        for earlier in reversed(range(number)):
            rows = self._accesses[earlier]
            changed |= {access.name for row in rows for access in row if access.kind == "sum"}
            for statement, row in reversed([*zip(self._phases[earlier].tiled, rows, strict=True)]):
                writes = {access.name for access in row if access.writes and access.kind == "own"}
                if not writes & needed & self._carrying:
                    continue
                if any(a.name in changed for a in row if a.kind == "whole"):
                    raise NotStreamedError(statement, "reads what is overwritten afterwards")
                needed |= _read(row)
                found.append((statement, earlier))
            changed |= self._changed(earlier)
        return tuple(reversed(found))

    def _changed(self, number: int) -> set[str]:
        """What is written for all samples at once before the tiles of a phase."""
        return {name for each in self._phases[number].before for name in effects(each).writes}


def _known(survey: Survey, statement: Statement) -> frozenset[Access]:
    accesses = survey.accesses(statement)
    assert accesses is not None
    return accesses


def _read(row: Iterable[Access]) -> set[str]:
    return {access.name for access in row if access.kind == "own" and not access.writes}
