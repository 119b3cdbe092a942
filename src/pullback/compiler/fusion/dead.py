"""What nothing needs left out.

An output is needed, a check, a call; what these are computed from is needed: a scalar by what uses
it, all that is written to a buffer by what reads it, and what decides whether and how often by what
stands within. The rest can go: ``t[i] = v`` if no t is read, ``v = f(x)`` if no v is used, what a
loop carries on for itself alone, and buffers without any use.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from pullback.compiler.fusion.effects import effects, leaves
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
    Name,
    Place,
    Program,
    Scalar,
    Statement,
    Store,
    Tiles,
    While,
    Write,
)

__all__ = ["without_dead"]

Node = tuple[str, str | int]
"""``("scalar", name)``, ``("buffer", name)``, or ``("statement", number)`` of a loop or choice."""


def without_dead(program: Program) -> Program:
    """The program without what nothing needs."""
    needs = _Needs()
    needs.row(program.body)
    outputs = [("buffer", buffer.name) for buffer in program.buffers if buffer.kind == "output"]
    live = needs.reached(outputs)
    body = _Kept(live).row(program.body)
    touched: set[str] = set()
    for statement in body:
        about = effects(statement)
        touched |= about.reads | about.writes
    buffers = tuple(b for b in program.buffers if b.kind != "scratch" or b.name in touched)
    return Program(program.name, buffers, body)


class _Needs:
    """What each scalar, buffer, loop and choice is computed from."""

    def __init__(self) -> None:
        self._needs: dict[Node, list[Node]] = defaultdict(list)
        self._roots: list[Node] = []
        self._around: list[Node] = []
        self._number = 0

    def reached(self, wanted: Iterable[Node]) -> set[Node]:
        """What is needed, directly or not."""
        pending = [*wanted, *self._roots]
        found = set(pending)
        while pending:
            for node in self._needs.get(pending.pop(), ()):
                if node not in found:
                    found.add(node)
                    pending.append(node)
        return found

    def row(self, body: Iterable[Statement]) -> None:
        for statement in body:
            self._statement(statement)

    def _statement(self, statement: Statement) -> None:
        if isinstance(statement, Let):
            self._scalar(statement.scalar, [statement.value])
        elif isinstance(statement, Store):
            self._target(statement.place, [statement.value])
        elif isinstance(statement, Kernel):
            self.row(statement.body)
            for write in statement.writes:
                values = [x for x in (write.value, write.start) if x is not None]
                if isinstance(write.target, Scalar):
                    self._scalar(write.target, values)
                else:
                    self._target(write.target, values)
        elif isinstance(statement, Copy):
            target: Node = ("buffer", statement.target.buffer)
            self._needs[target].append(("buffer", statement.source.buffer))
            self._target(statement.target, [])
            self._needs[target] += _terms(statement.source)
        elif isinstance(statement, Check | Call | External):
            # They leave the program, or have effects that are not known.
            about = effects(statement)
            self._roots += [("buffer", name) for name in about.reads | about.writes]
            self._roots += [("scalar", name) for name in about.uses]
            self._roots += self._around[-1:]
        elif isinstance(statement, Tiles):
            self.row(statement.body)
        else:
            self._control(statement)

    def _control(self, statement: For | While | Branch) -> None:
        node: Node = ("statement", self._number)
        self._number += 1
        self._needs[node] += self._around[-1:]
        self._around.append(node)
        if isinstance(statement, Branch):
            self._needs[node] += _leaves(statement.index)
            for body, values in statement.branches:
                self.row(body)
                for scalar, value in zip(statement.results, values, strict=True):
                    self._scalar(scalar, [value])
        else:
            decides = statement.extent if isinstance(statement, For) else statement.condition
            self._needs[node] += _leaves(decides)
            for (scalar, initial), after, result in zip(
                statement.carries, statement.nexts, statement.results, strict=True
            ):
                self._scalar(scalar, [initial, after])
                self._needs["scalar", result.name].append(("scalar", scalar.name))
            if isinstance(statement, While):
                self.row(statement.test)
            self.row(statement.body)
        self._around.pop()

    def _scalar(self, scalar: Scalar, values: Iterable[Expr]) -> None:
        self._add(("scalar", scalar.name), values)

    def _target(self, place: Place, values: Iterable[Expr]) -> None:
        self._add(("buffer", place.buffer), values)
        self._needs["buffer", place.buffer] += _terms(place)

    def _add(self, node: Node, values: Iterable[Expr]) -> None:
        self._needs[node] += self._around[-1:]
        for value in values:
            self._needs[node] += _leaves(value)


def _leaves(expr: Expr) -> list[Node]:
    found: list[Node] = []
    for leaf in leaves(expr):
        if isinstance(leaf, Name):
            found.append(("scalar", leaf.name))
        else:
            found += [("buffer", leaf.place.buffer), *_terms(leaf.place)]
    return found


def _terms(place: Place) -> list[Node]:
    return [("scalar", name) for name, _ in place.terms]


class _Kept:
    """Statements without what is not among the live."""

    def __init__(self, live: set[Node]) -> None:
        self._live = live

    def row(self, body: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """Those that are needed; the same row where all of it is."""
        found = [self._statement(statement) for statement in body]
        if all(map(operator.is_, found, body)):
            return body
        return tuple([statement for statement in found if statement is not None])

    def _has(self, target: Place | Scalar) -> bool:
        if isinstance(target, Scalar):
            return ("scalar", target.name) in self._live
        return ("buffer", target.buffer) in self._live

    def _statement(self, statement: Statement) -> Statement | None:
        if isinstance(statement, Let):
            return statement if self._has(statement.scalar) else None
        if isinstance(statement, Store):
            return statement if self._has(statement.place) else None
        if isinstance(statement, Copy):
            return statement if self._has(statement.target) else None
        if isinstance(statement, Kernel):
            return self._kernel(statement)
        if isinstance(statement, For | While):
            return self._loop(statement)
        if isinstance(statement, Branch):
            kept = [k for k, scalar in enumerate(statement.results) if self._has(scalar)]
            branches = tuple(
                (self.row(body), tuple(values[k] for k in kept))
                for body, values in statement.branches
            )
            if not kept and not any(body for body, _ in branches):
                return None
            return Branch(statement.index, branches, tuple(statement.results[k] for k in kept))
        if isinstance(statement, Tiles):
            sums = tuple(x for x in statement.sums if self._has(Place(x.buffer)))
            return replace(statement, sums=sums, body=self.row(statement.body))
        return statement

    def _kernel(self, kernel: Kernel) -> Kernel | None:
        writes: tuple[Write, ...] = tuple(w for w in kernel.writes if self._has(w.target))
        body = self.row(kernel.body)
        if not writes and not any(isinstance(each, Check) for each in body):
            return None
        if body is kernel.body and len(writes) == len(kernel.writes):
            return kernel
        return replace(kernel, body=body, writes=writes)  # type: ignore[arg-type]

    def _loop(self, loop: For | While) -> For | While | None:
        kept = [
            k
            for k, (scalar, _) in enumerate(loop.carries)
            if self._has(scalar) or self._has(loop.results[k])
        ]
        body = self.row(loop.body)
        test = self.row(loop.test) if isinstance(loop, While) else ()
        if not kept and not body and not test:
            return None
        carries = tuple(loop.carries[k] for k in kept)
        nexts = tuple(loop.nexts[k] for k in kept)
        results = tuple(loop.results[k] for k in kept)
        if isinstance(loop, For):
            return replace(loop, carries=carries, body=body, nexts=nexts, results=results)
        return replace(loop, carries=carries, test=test, body=body, nexts=nexts, results=results)
