"""Names that nothing in a program has."""

from __future__ import annotations

import itertools

from pullback.compiler.fusion.effects import effects
from pullback.compiler.loops import Program

__all__ = ["Names"]


class Names:
    """A source of names for scalars."""

    def __init__(self, program: Program) -> None:
        self._taken: set[str] = set()
        for statement in program.body:
            self._taken |= effects(statement).gives
        self._counter = itertools.count()

    def fresh(self) -> str:
        """A name that was never given."""
        return next(name for name in map("w{}".format, self._counter) if name not in self._taken)
