"""Loops and choices of a program, and the ways out of a function."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from pullback.compiler.llvm.holes import Hole
from pullback.compiler.llvm.lanes import Ahead, Lanes, together, wide
from pullback.compiler.llvm.module import Lines
from pullback.compiler.llvm.packs import Key, Plan, key_of
from pullback.compiler.llvm.places import minus
from pullback.compiler.llvm.scalars import Scalars
from pullback.compiler.llvm.values import Value
from pullback.compiler.loops import (
    Branch,
    Check,
    Const,
    Expr,
    For,
    Kernel,
    Let,
    Scalar,
    Statement,
    Store,
    While,
)

__all__ = ["POLLING", "Control"]

POLLING = """\
define internal i32 @pb.poll(ptr %context) #1 {
  %slot = getelementptr i64, ptr %context, i64 2
  %poll = load ptr, ptr %slot, align 8
  %none = icmp eq ptr %poll, null
  br i1 %none, label %silent, label %ask
ask:
  %answer = call i32 %poll()
  %stop = icmp ne i32 %answer, 0
  %code = select i1 %stop, i32 -2, i32 0
  ret i32 %code
silent:
  ret i32 0
}"""

_OFTEN, _SELDOM = 16, 1024
"""Iterations between two looks for an interrupt: of a loop with work inside, and of scalars."""
_FEW = 64
"""Points of a kernel that take no longer than a few scalars."""


class Control(ABC):
    """A function that returns the number of an error.

    Attributes
    ----------
    entry : Lines
        The beginning of the function, where local variables are made.
    scalars : Scalars
    lanes : Lanes
    """

    def __init__(self, entry: Lines, scalars: Scalars, lanes: Lanes) -> None:
        self.entry, self.scalars, self.lanes = entry, scalars, lanes
        self.lines, self.code = scalars.lines, scalars.lines.code
        self._errors: dict[int, None] = {}
        self._leaving: list[tuple[str, str]] = []

    @abstractmethod
    def plan(self, loop: For) -> Plan:
        """How the body of a loop is to be written."""

    @abstractmethod
    def emit(self, body: Sequence[Statement], plan: Plan | None = None) -> None:
        """Write statements."""

    # -- leaving ---------------------------------------------------------------------------------

    def check(self, statement: Check) -> None:
        self._errors[statement.error] = None
        holds, following = self.scalars.value(statement.condition), self.code.label("holds")
        error = f"label %error{statement.error}"
        self.lines.do(f"br {holds.typed}, label %{following}, {error}")
        self.lines.block(following)

    def leave_unless_zero(self, code: str) -> None:
        """Return a code that a call returned, if it says that the program is to end."""
        label, following = self.code.label("leave"), self.code.label("goes")
        self._leaving.append((label, code))
        failed = self.lines.op(f"icmp ne i32 {code}, 0")
        self.lines.do(f"br i1 {failed}, label %{label}, label %{following}")
        self.lines.block(following)

    def end(self) -> None:
        """The ways out of the function."""
        self.lines.do("ret i32 0")
        for error in self._errors:
            self.lines.block(f"error{error}")
            self.lines.do(f"ret i32 {error}")
        for label, code in self._leaving:
            self.lines.block(label)
            self.lines.do(f"ret i32 {code}")

    def _go(self, label: str) -> None:
        """End a block, and begin the next one."""
        self.lines.do(f"br label %{label}")
        self.lines.block(label)

    # -- loops -----------------------------------------------------------------------------------

    def loop(self, statement: For) -> None:
        lines, scalars = self.lines, self.scalars
        extent = scalars.value(statement.extent)
        first = [scalars.value(initial) for _, initial in statement.carries]
        before, head, latch, after = (self.code.label(n) for n in _LABELS)
        count, following = self.code.fresh("i"), self.code.fresh("next")
        self._go(before)
        around, ahead = self.lanes.ahead, lines.inner()
        self.lanes.ahead = Ahead(ahead, dict(scalars.names))
        certain = not extent.text.startswith("%") and int(extent.text) > 0
        if certain:
            lines.do(f"br label %{head}")
        else:
            some = lines.op(f"icmp sgt {extent.typed}, 0")
            lines.do(f"br i1 {some}, label %{head}, label %{after}")
        lines.block(head)
        lines.do(f"{count} = phi i64 [ 0, %{before} ], [ {following}, %{latch} ]")
        phis, extracts = lines.inner(), lines.inner()
        outside = dict(scalars.names)
        carries = self._name([scalar for scalar, _ in statement.carries])
        plan = self.plan(statement)
        vectors = [self._vector(statement, group) for group in plan.carried]
        starts = [together(ahead, [first[n] for n in group]) for group in plan.carried]
        index = count
        if statement.reverse:
            last = lines.op(f"sub i64 {extent.text}, 1")
            index = str(minus(lines, last, count))
        scalars.names[statement.index] = Value(index, "int64")
        self.emit(statement.body, plan)
        self.lanes.ahead = around
        single = [n for n in range(len(carries)) if not any(n in group for group in plan.carried)]
        nexts = [scalars.value(statement.nexts[n]) for n in single]
        nexts += [self.lanes.known(_names(statement.nexts, group)) for group in plan.carried]
        self._poll(count, _interval(statement.body, statement.extent), latch)
        lines.do(f"{following} = add nsw i64 {count}, 1")
        again = lines.op(f"icmp slt i64 {following}, {extent.text}")
        lines.do(f"br i1 {again}, label %{head}, label %{after}")
        lines.block(after)
        ends = list(zip([*(first[n] for n in single), *starts], nexts, strict=True))
        inside = [*(carries[n] for n in single), *vectors]
        for carry, (initial, value) in zip(inside, ends, strict=True):
            _phi(phis, carry, (initial.text, before), (value.text, latch))
        _extract(extracts, vectors, [[carries[n] for n in group] for group in plan.carried])
        scalars.names = outside
        results = self._name(statement.results)
        vectors = [each._replace(text=self.code.fresh("c")) for each in vectors]
        for result, (initial, value) in zip(
            [*(results[n] for n in single), *vectors], ends, strict=True
        ):
            skipped = [] if certain else [(initial.text, before)]
            _phi(lines, result, *skipped, (value.text, latch))
        _extract(lines, vectors, [[results[n] for n in group] for group in plan.carried])

    def _vector(self, statement: For, group: range) -> Value:
        """A register for carries that go from one iteration to the next as one."""
        scalars = [statement.carries[n][0] for n in group]
        found = Value(self.code.fresh("c"), scalars[0].dtype, wide(len(group)))
        self.lanes.enter(tuple([scalar.name for scalar in scalars]), found)
        return found

    def repeat(self, statement: While) -> None:
        lines, scalars = self.lines, self.scalars
        first = [scalars.value(initial) for _, initial in statement.carries]
        before, head, latch, after = (self.code.label(n) for n in _LABELS)
        inside = self.code.label("inside")
        count, following = self.code.fresh("i"), self.code.fresh("next")
        self._go(before)
        self._go(head)
        lines.do(f"{count} = phi i64 [ 0, %{before} ], [ {following}, %{latch} ]")
        phis = lines.inner()
        outside = dict(scalars.names)
        carries = self._name([scalar for scalar, _ in statement.carries])
        self.emit(statement.test)
        holds = scalars.value(statement.condition)
        lines.do(f"br {holds.typed}, label %{inside}, label %{after}")
        lines.block(inside)
        self.emit(statement.body)
        nexts = [scalars.value(value) for value in statement.nexts]
        self._poll(count, _interval((*statement.test, *statement.body)), latch)
        lines.do(f"{following} = add i64 {count}, 1")
        lines.do(f"br label %{head}")
        lines.block(after)
        for carry, initial, value in zip(carries, first, nexts, strict=True):
            _phi(phis, carry, (initial.text, before), (value.text, latch))
        scalars.names = outside
        for scalar, carry in zip(statement.results, carries, strict=True):
            scalars.names[scalar.name] = carry

    def _name(self, given: Sequence[Scalar]) -> list[Value]:
        """Registers for scalars that come from several blocks, which now have their names."""
        found = [Value(self.code.fresh("c"), scalar.dtype) for scalar in given]
        for scalar, value in zip(given, found, strict=True):
            self.scalars.names[scalar.name] = value
        return found

    def _poll(self, count: str, interval: int, latch: str) -> None:
        """Look for an interrupt every so many iterations, if any; and go to the latch."""
        if not interval:
            self._go(latch)
            return
        lines, poll = self.lines, self.code.label("poll")
        lines.module.define("@pb.poll", POLLING)
        low = lines.op(f"and i64 {count}, {interval - 1}")
        due = lines.op(f"icmp eq i64 {low}, {interval - 1}")
        lines.do(f"br i1 {due}, label %{poll}, label %{latch}")
        lines.block(poll)
        self.leave_unless_zero(lines.op("call i32 @pb.poll(ptr %context)"))
        self._go(latch)

    # -- choices ---------------------------------------------------------------------------------

    def choice(self, statement: Branch) -> None:
        lines, scalars = self.lines, self.scalars
        index = scalars.value(statement.index)
        labels = [self.code.label("branch") for _ in statement.branches]
        after = self.code.label("after")
        below = lines.op(f"icmp slt {index.typed}, 0")
        number = lines.op(f"select i1 {below}, i64 0, {index.typed}")
        cases = [f"i64 {n}, label %{label}" for n, label in enumerate(labels[:-1])]
        lines.do(f"switch i64 {number}, label %{labels[-1]} [ {' '.join(cases)} ]")
        outside = dict(scalars.names)
        sources: list[list[tuple[str, str]]] = [[] for _ in statement.results]
        for label, (body, values) in zip(labels, statement.branches, strict=True):
            lines.block(label)
            self.emit(body)
            found = [scalars.value(value) for value in values]
            scalars.names = dict(outside)
            end = self.code.label("end")
            self._go(end)
            lines.do(f"br label %{after}")
            for source, value in zip(sources, found, strict=True):
                source.append((value.text, end))
        lines.block(after)
        for result, source in zip(self._name(statement.results), sources, strict=True):
            _phi(lines, result, *source)


_LABELS = ("before", "loop", "latch", "after")


def _interval(body: Sequence[Statement], extent: Expr | None = None) -> int:
    """After how many iterations of a loop to look for an interrupt; 0 if it is short."""
    if not all(map(_quick, body)):
        return _OFTEN
    short = isinstance(extent, Const) and not isinstance(extent.value, Hole)
    return 0 if short and extent.value <= _SELDOM else _SELDOM  # type: ignore[union-attr]


def _quick(statement: Statement) -> bool:
    if not isinstance(statement, Kernel):
        return isinstance(statement, Let | Store | Check)
    points = 1
    for axis in statement.axes:
        points *= _FEW if isinstance(axis.extent, Hole) else axis.extent
    return points < _FEW


def _names(nexts: Sequence[Expr], group: range) -> Key:
    key = key_of([nexts[n] for n in group])
    assert key is not None
    return key


def _extract(at: Lines, vectors: Sequence[Value], scalars: Sequence[Sequence[Value]]) -> None:
    """Give registers the lanes of vectors."""
    for vector, lanes in zip(vectors, scalars, strict=True):
        for lane, value in enumerate(lanes):
            at.do(f"{value.text} = extractelement {vector.typed}, i64 {lane}")


def _phi(at: Lines, value: Value, *sources: tuple[str, str]) -> None:
    given = ", ".join(f"[ {text}, %{label} ]" for text, label in sources)
    at.do(f"{value.text} = phi {value.type} {given}")
