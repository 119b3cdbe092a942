"""What statements read, write, use and give: what decides whether they can change places."""

from __future__ import annotations

from dataclasses import dataclass, field

from pullback.compiler.fusion.traversal import bodies_of
from pullback.compiler.loops import (
    Branch,
    Call,
    Check,
    Copy,
    Expr,
    External,
    For,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Scalar,
    Statement,
    Store,
    Tiles,
    While,
)

__all__ = ["Effects", "effects", "leaves", "own_effects"]


@dataclass(slots=True)
class Effects:
    """Of a statement, and of all statements within it.

    Attributes
    ----------
    reads, writes : set of str
        Buffers.
    uses, gives : set of str
        Scalars.
    checks : bool
        Whether it may leave the program with an error.
    indexed : set of str
        The scalars that places are computed from.
    """

    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    gives: set[str] = field(default_factory=set)
    checks: bool = False
    indexed: set[str] = field(default_factory=set)

    def value(self, expr: Expr) -> None:
        """Add what an expression reads and uses."""
        for leaf in leaves(expr):
            if isinstance(leaf, Name):
                self.uses.add(leaf.name)
            else:
                self.place(leaf.place, self.reads)

    def place(self, place: Place, among: set[str]) -> None:
        """Add a place, and the scalars in it."""
        among.add(place.buffer)
        for name, _ in place.terms:
            self.uses.add(name)
            self.indexed.add(name)

    def include(self, other: Effects) -> None:
        """Add the effects of a statement within."""
        self.reads |= other.reads
        self.writes |= other.writes
        self.uses |= other.uses
        self.gives |= other.gives
        self.checks |= other.checks
        self.indexed |= other.indexed


def leaves(expr: Expr) -> list[Name | Load]:
    """The names and loads of an expression, conditions of loads included."""
    found: list[Name | Load] = []
    pending = [expr]
    while pending:
        one = pending.pop()
        if isinstance(one, Op):
            pending += one.args
        elif isinstance(one, Name):
            found.append(one)
        elif isinstance(one, Load):
            found.append(one)
            if one.where is not None:
                pending.append(one.where)
    return found


def effects(statement: Statement) -> Effects:
    """The effects of a statement, which are not to be changed."""
    found: Effects | None = statement.effects
    if found is None:
        found = _own(statement)
        for body in bodies_of(statement):
            for each in body:
                found.include(effects(each))
        # It is found out once, though the statement itself never changes.
        object.__setattr__(statement, "effects", found)
    return found


def own_effects(statement: Statement) -> Effects:
    """The effects of a statement without those of the statements within it."""
    return _own(statement) if bodies_of(statement) else effects(statement)


def _own(statement: Statement) -> Effects:
    found = Effects()
    if isinstance(statement, Let):
        found.value(statement.value)
        found.gives.add(statement.scalar.name)
    elif isinstance(statement, Check):
        found.value(statement.condition)
        found.checks = True
    elif isinstance(statement, Store):
        found.value(statement.value)
        found.place(statement.place, found.writes)
    elif isinstance(statement, Kernel):
        _kernel(found, statement)
    elif isinstance(statement, Copy):
        found.place(statement.source, found.reads)
        found.place(statement.target, found.writes)
    elif isinstance(statement, Call):
        for position, place in enumerate(statement.operands):
            found.place(place, found.reads if position < statement.reads else found.writes)
        found.checks = True
    elif isinstance(statement, External):
        _external(found, statement)
    elif isinstance(statement, Tiles):
        found.gives |= {statement.first, statement.count}
        found.writes.update(each.buffer for each in statement.sums)
    else:
        _control(found, statement)
    return found


def _kernel(found: Effects, kernel: Kernel) -> None:
    found.gives.update(axis.name for axis in kernel.axes)
    for each in kernel.body:
        found.include(effects(each))
    for write in kernel.writes:
        found.value(write.value)
        if write.start is not None:
            found.value(write.start)
        if isinstance(write.target, Scalar):
            found.gives.add(write.target.name)
            continue
        found.place(write.target, found.writes)
        if write.combine and write.start is None:
            found.reads.add(write.target.buffer)


def _external(found: Effects, statement: External) -> None:
    for position, argument in enumerate(statement.arguments):
        if isinstance(argument, Place):
            # What a function of a library writes to it may read, too.
            found.place(argument, found.reads)
            if position in statement.writes:
                found.writes.add(argument.buffer)
        else:
            found.value(argument)
    found.gives.update(scalar.name for _, scalar in statement.results)
    found.checks = True


def _control(found: Effects, statement: For | While | Branch) -> None:
    found.gives.update(scalar.name for scalar in statement.results)
    values: list[Expr]
    if isinstance(statement, Branch):
        values = [statement.index, *(x for _, row in statement.branches for x in row)]
    else:
        found.gives.update(scalar.name for scalar, _ in statement.carries)
        values = [*(initial for _, initial in statement.carries), *statement.nexts]
        if isinstance(statement, For):
            values.append(statement.extent)
            found.gives.add(statement.index)
        else:
            values.append(statement.condition)
    for value in values:
        found.value(value)
