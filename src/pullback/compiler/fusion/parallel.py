"""Innermost loops whose iterations don't see each other become kernels.

A loop that goes element by element to an end which is computed, ``for n < e``, is a kernel with an
axis of that extent, if no iteration reads what another one writes: places are sums of multiples of
indices, which lie between bounds that are such sums, so it is found out whether two are apart. What
each iteration adds to one place, or to a scalar that is carried, is a sum over the axis.

    for n < e:                         for all n < e:
      v = t[b + n]                       v = t[b + n]
      w = x[c + n] - v           →       w = x[c + n] - v
      x[c + n] = w                       x[c + n] = w
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pullback.compiler.fusion.names import Names
from pullback.compiler.loops import (
    Axis,
    Branch,
    Const,
    Count,
    Expr,
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
    While,
    Write,
)

__all__ = ["with_kernels"]

_GUESS = 1 << 10
"""How many points an axis is taken to have where that is not known."""

_FLOATS = frozenset({"float64", "float32"})


@dataclass(frozen=True)
class _Sum:
    """The integer offset + Σ step · name."""

    offset: int
    terms: dict[str, int] = field(default_factory=dict)

    def plus(self, other: _Sum, factor: int = 1) -> _Sum:
        terms = dict(self.terms)
        for name, step in other.terms.items():
            terms[name] = terms.get(name, 0) + factor * step
        kept = {name: step for name, step in terms.items() if step}
        return _Sum(self.offset + factor * other.offset, kept)

    def without(self, name: str) -> _Sum:
        return _Sum(self.offset, {each: step for each, step in self.terms.items() if each != name})

    def place(self, buffer: str) -> Place:
        return Place(buffer, self.offset, tuple(self.terms.items()))


class _Known:
    """The integers that are sums of others, and how far the indices of loops go."""

    def __init__(self, around: _Known | None = None) -> None:
        self.sums: dict[str, _Sum] = dict(around.sums) if around else {}
        self.ends: dict[str, _Sum | None] = dict(around.ends) if around else {}

    def of(self, expr: Expr) -> _Sum | None:
        if isinstance(expr, Const):
            return _Sum(expr.value) if expr.dtype == "int64" else None
        if not isinstance(expr, Name) or expr.dtype != "int64":
            return None
        return self.sums.get(expr.name) or _Sum(0, {expr.name: 1})

    def let(self, statement: Let) -> None:
        value = statement.value
        if not isinstance(value, Op) or value.dtype != "int64" or len(value.args) != 2:
            return
        one, other = map(self.of, value.args)
        if one is None or other is None:
            return
        if value.name in ("add", "subtract"):
            found = one.plus(other, 1 if value.name == "add" else -1)
        elif value.name == "multiply" and not (one.terms and other.terms):
            factor, rest = (one, other) if not one.terms else (other, one)
            found = _Sum(0).plus(rest, factor.offset)
        else:
            return
        self.sums[statement.scalar.name] = found

    def at(self, place: Place) -> _Sum:
        found = _Sum(place.offset)
        for name, step in place.terms:
            found = found.plus(self.sums.get(name) or _Sum(0, {name: 1}), step)
        return found

    def most(self, number: _Sum) -> int | None:
        """What a sum does not exceed: inner loops are at one of their ends first."""
        name = next((each for each in reversed(self.ends) if each in number.terms), None)
        if name is None:
            return None if number.terms else number.offset
        step, rest = number.terms[name], number.without(name)
        if step < 0:
            return self.most(rest)
        end = self.ends[name]
        return None if end is None else self.most(rest.plus(end, step).plus(_Sum(step), -1))

    def apart(self, one: _Sum, other: _Sum) -> bool:
        """Whether two places are never the same."""
        number = one.plus(other, -1)
        for difference in (number, _Sum(0).plus(number, -1)):
            most = self.most(difference)
            if most is not None and most < 0:
                return True
        return False


def with_kernels(body: Sequence[Statement], names: Names) -> tuple[Statement, ...]:
    """The statements with kernels in place of such loops."""
    return tuple(_statements(body, _Known(), names))


def _statements(body: Sequence[Statement], known: _Known, names: Names) -> list[Statement]:
    found: list[Statement] = []
    for statement in body:
        if isinstance(statement, Let):
            known.let(statement)
        if isinstance(statement, For):
            found += _loop(statement, known, names)
        elif isinstance(statement, While):
            inside = _statements(statement.body, _Known(known), names)
            found.append(replace(statement, body=tuple(inside)))
        elif isinstance(statement, Branch):
            branches = tuple(
                (tuple(_statements(each, _Known(known), names)), values)
                for each, values in statement.branches
            )
            found.append(replace(statement, branches=branches))
        else:
            found.append(statement)
    return found


def _loop(loop: For, known: _Known, names: Names) -> list[Statement]:
    inner = _Known(known)
    inner.ends[loop.index] = known.of(loop.extent)
    if not isinstance(loop.extent, Const):
        found = _Iteration(loop, inner, names).kernel()
        if found is not None:
            return found
    body = _statements(loop.body, inner, names)
    return [replace(loop, body=tuple(body))]


class _NoKernelError(Exception):
    """The iterations may see each other."""


class _Iteration:
    """What an iteration of a loop reads and writes."""

    def __init__(self, loop: For, known: _Known, names: Names) -> None:
        self._loop, self._known, self._names = loop, known, names
        self._lets: dict[str, Expr] = {}
        self._dtypes: dict[str, str] = {}
        self._now: dict[str, Expr] = {}
        """What names stand for: what was stored before it is read."""
        self._loads: list[tuple[str, _Sum, str]] = []
        self._stores: list[tuple[str, _Sum, Expr]] = []

    def kernel(self) -> list[Statement] | None:
        """A kernel in place of the loop, and what it needs."""
        try:
            for statement in self._loop.body:
                self._step(statement)
            writes = [self._write(*each) for each in self._stores]
            results, given = self._carried()
            self._require_apart()
        except _NoKernelError:
            return None
        return self._made([each for each in writes if each is not None] + results, given)

    # -- one iteration ---------------------------------------------------------------------------

    def _step(self, statement: Statement) -> None:
        if isinstance(statement, Store):
            place, value = self._known.at(statement.place), self._seen(statement.value)
            buffer, stores = statement.place.buffer, []
            if not isinstance(value, Const | Name):
                raise _NoKernelError
            for each in self._stores:
                same = each[0] == buffer and each[1] == place
                if each[0] == buffer and not same and not self._known.apart(each[1], place):
                    raise _NoKernelError
                if not same:
                    stores.append(each)
            self._stores = [*stores, (buffer, place, value)]
        elif isinstance(statement, Let):
            self._known.let(statement)
            self._let(statement.scalar, statement.value)
        else:
            raise _NoKernelError

    def _let(self, scalar: Scalar, value: Expr) -> None:
        self._dtypes[scalar.name] = scalar.dtype
        if isinstance(value, Load):
            if value.where is not None:
                raise _NoKernelError
            place = self._known.at(value.place)
            stored = self._stored(value.place.buffer, place)
            if stored is not None:
                self._now[scalar.name] = stored
                return
            self._loads.append((value.place.buffer, place, scalar.name))
            self._lets[scalar.name] = value
            return
        value = self._seen(value)
        if isinstance(value, Op) and value.name == "add":
            zero = [arg for arg in value.args if isinstance(arg, Const) and arg.value == 0]
            if len(zero) == 1:
                self._now[scalar.name] = next(arg for arg in value.args if arg is not zero[0])
                return
        if isinstance(value, Const | Name):
            self._now[scalar.name] = value
            return
        if any(isinstance(each, Load) for each in _parts(value)):
            raise _NoKernelError
        self._lets[scalar.name] = value

    def _stored(self, buffer: str, place: _Sum) -> Expr | None:
        """What the iteration has stored at a place, if it has."""
        for other, written, value in self._stores:
            if other == buffer and written == place:
                return value
            if other == buffer and not self._known.apart(written, place):
                raise _NoKernelError
        return None

    def _seen(self, expr: Expr) -> Expr:
        if isinstance(expr, Name):
            return self._now.get(expr.name, expr)
        if isinstance(expr, Op):
            return Op(expr.name, tuple([self._seen(arg) for arg in expr.args]), expr.dtype)
        return expr

    # -- all iterations --------------------------------------------------------------------------

    def _write(self, buffer: str, place: _Sum, value: Expr) -> Write | None:
        target = place.place(buffer)
        if self._loop.index in place.terms:
            own = self._lets.get(value.name) if isinstance(value, Name) else None
            if isinstance(own, Load) and self._is_at(own, buffer, place):
                return None
            return Write(target, value)
        before = [name for other, at, name in self._loads if other == buffer and at == place]
        if len(before) != 1:
            raise _NoKernelError
        added = self._added(value, before[0])
        self._loads = [each for each in self._loads if each[2] != before[0]]
        del self._lets[before[0]]
        return Write(target, added, "add")

    def _is_at(self, load: Load, buffer: str, place: _Sum) -> bool:
        return load.place.buffer == buffer and self._known.at(load.place) == place

    def _added(self, value: Expr, before: str) -> Expr:
        """What is added to a number that nothing else reads."""
        made = self._lets.get(value.name) if isinstance(value, Name) else None
        if not isinstance(value, Name) or not isinstance(made, Op) or made.dtype not in _FLOATS:
            raise _NoKernelError
        old = [arg for arg in made.args if isinstance(arg, Name) and arg.name == before]
        if len(old) != 1 or self._reads(before) != 1 or self._reads(value.name) != 1:
            raise _NoKernelError
        if made.name == "add":
            return made.args[1] if made.args[0] is old[0] else made.args[0]
        if made.name != "subtract" or made.args[0] is not old[0]:
            raise _NoKernelError
        negated = Name(self._names.fresh(), made.dtype)
        del self._lets[value.name]
        self._lets[negated.name] = Op("negative", (made.args[1],), made.dtype)
        self._dtypes[negated.name] = made.dtype
        return negated

    def _reads(self, name: str) -> int:
        """How often a scalar is read, stored or handed on."""
        exprs = [*self._lets.values(), *(value for _, _, value in self._stores)]
        exprs += [self._seen(each) for each in self._loop.nexts]
        return sum(isinstance(x, Name) and x.name == name for e in exprs for x in _parts(e))

    def _carried(self) -> tuple[list[Write], list[Statement]]:
        """The sums that the loop carries, and carries that stay as they are."""
        writes: list[Write] = []
        given: list[Statement] = []
        rows = zip(self._loop.carries, self._loop.nexts, self._loop.results, strict=True)
        for (scalar, first), following, result in rows:
            after = self._seen(following)
            if isinstance(after, Name) and after.name == scalar.name:
                if self._reads(scalar.name) != 1:
                    raise _NoKernelError
                given.append(Let(result, first))
                continue
            added = self._added(after, scalar.name)
            start = first if isinstance(first, Const | Name) else None
            if start is None:
                raise _NoKernelError
            writes.append(Write(result, added, "add", start))
        return writes, given

    def _require_apart(self) -> None:
        """Raise unless no iteration reads or writes what another one writes."""
        index, other = self._loop.index, f"{self._loop.index}'"
        self._known.ends[other] = self._known.ends[index]
        places = [(buffer, place) for buffer, place, _ in (*self._loads, *self._stores)]
        for buffer, written, _ in self._stores:
            for another, place in places:
                if another != buffer or place == written:
                    continue
                step = place.terms.get(index, 0)
                moved = place.without(index).plus(_Sum(0, {other: 1}), step) if step else place
                if not self._known.apart(written, moved):
                    raise _NoKernelError
        del self._known.ends[other]

    # -- the kernel ------------------------------------------------------------------------------

    def _made(self, writes: list[Write], given: list[Statement]) -> list[Statement]:
        loop, known = self._loop, self._known
        end = known.of(loop.extent)
        assert isinstance(loop.extent, Name)
        assert end is not None
        name = loop.extent.name
        least = known.most(_Sum(0).plus(end, -1))
        if least is None or least > 0:
            name = self._names.fresh()
            most = Op("maximum", (loop.extent, Const(0, "int64")), "int64")
            given = [*given, Let(Scalar(name, "int64"), most)]
        if not writes:
            return given
        guess = known.most(end)
        axis = Axis(loop.index, Count(name, guess or _GUESS, told=False))
        back = [place.terms.get(loop.index, 0) for _, place, _ in (*self._loads, *self._stores)]
        turned = min(back, default=0) < 0 and max(back, default=0) <= 0
        last = end.plus(_Sum(1), -1).plus(_Sum(0, {loop.index: 1}), -1) if turned else None

        def at(place: Place) -> Place:
            found = known.at(place)
            step = found.terms.get(loop.index, 0)
            if last is not None and step:
                found = found.without(loop.index).plus(last, step)
            return found.place(place.buffer)

        body = tuple(
            Let(Scalar(each, self._dtypes[each]),
                value._replace(place=at(value.place)) if isinstance(value, Load) else value)
            for each, value in self._needed(writes)
        )  # fmt: skip
        if turned and any(_mentions(let.value, loop.index) for let in body):
            return [loop]
        writes = [
            replace(each, target=at(each.target)) if isinstance(each.target, Place) else each
            for each in writes
        ]
        return [*given, Kernel((axis,), body, tuple(writes), loop.place)]

    def _needed(self, writes: Sequence[Write]) -> list[tuple[str, Expr]]:
        """What the writes read, in order."""
        used = {x.name for each in writes for x in _parts(each.value) if isinstance(x, Name)}
        kept = []
        for name, value in reversed(self._lets.items()):
            if name in used:
                kept.append((name, value))
                used.update(x.name for x in _parts(value) if isinstance(x, Name))
        return kept[::-1]


def _parts(expr: Expr) -> list[Expr]:
    if isinstance(expr, Op):
        return [expr, *itertools.chain.from_iterable(map(_parts, expr.args))]
    return [expr]


def _mentions(expr: Expr, name: str) -> bool:
    return any(isinstance(each, Name) and each.name == name for each in _parts(expr))
