"""Names that nothing in a program has."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.traversal import bodies_of
from pullback.compiler.loops import Const, For, Program, Statement

__all__ = ["Names"]


class Names:
    """A source of names for scalars.

    Attributes
    ----------
    indices : set of str
        Those of the loops whose number of iterations is known: places with them need no check.
    """

    def __init__(self, program: Program) -> None:
        self._taken: set[str] = set()
        self.indices: set[str] = set()
        for statement in program.body:
            self._taken |= effects(statement).gives
        self._loops(program.body)
        self._counter = itertools.count()

    def _loops(self, body: Iterable[Statement]) -> None:
        for statement in body:
            if isinstance(statement, For) and isinstance(statement.extent, Const):
                self.indices.add(statement.index)
            for inner in bodies_of(statement):
                self._loops(inner)

    def fresh(self) -> str:
        """A name that was never given."""
        return next(name for name in map("w{}".format, self._counter) if name not in self._taken)
