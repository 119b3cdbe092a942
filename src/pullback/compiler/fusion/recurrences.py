"""Elements that an iteration of a loop leaves in memory for the next one, as carries of the loop.

``for n < 9: x[1 + n] = f(x[n])`` becomes ``for n < 9; c = x[0]: v = f(c); x[1 + n] = v; next v``:
a value in a register is there at once, while what was stored takes its time to be loaded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.substitution import Substitution, canonical
from pullback.compiler.fusion.traversal import Body, with_bodies
from pullback.compiler.loops import (
    Check,
    Const,
    Expr,
    For,
    Let,
    Load,
    Name,
    Op,
    Place,
    Scalar,
    Statement,
    Store,
)

__all__ = ["with_recurrences"]


def with_recurrences(body: Body, names: Names) -> Body:
    """The statements, where loops hand on what they stored in the iteration before."""
    found = []
    for each in body:
        statement = with_bodies(each, lambda inner: with_recurrences(inner, names))
        found.append(_handing_on(statement, names) if isinstance(statement, For) else statement)
    return tuple(found)


def _handing_on(loop: For, names: Names) -> For:
    extent = loop.extent
    if not isinstance(extent, Const) or extent.value < 1:
        return loop
    if not all(isinstance(each, Let | Store | Check) for each in loop.body):
        return loop
    steps = _steps(loop)
    stores = [each for each in loop.body if isinstance(each, Store)]
    last = {canonical(store.place): store.value for store in stores}
    start = Substitution({loop.index: Const(extent.value - 1 if loop.reverse else 0, "int64")})
    carried: dict[Place, Scalar] = {}
    first: list[Expr] = []
    nexts: list[Expr] = []
    written: set[Place] = set()
    body: list[Statement] = []
    for each in loop.body:
        if isinstance(each, Store):
            written.add(canonical(each.place))
        elif isinstance(each, Let) and isinstance(each.value, Load) and each.value.where is None:
            place, dtype = canonical(each.value.place), each.value.dtype
            step = steps.get(place.buffer, 0)
            before = last.get(place._replace(offset=place.offset + step))
            if step and place not in written and isinstance(before, Name | Const):
                if place not in carried:
                    carried[place] = Scalar(names.fresh(), dtype)
                    first.append(start.value(each.value))
                    nexts.append(before)
                each = Let(each.scalar, Name(*carried[place]))
        body.append(each)
    return replace(
        loop,
        carries=(*loop.carries, *zip(carried.values(), first, strict=True)),
        body=tuple(body),
        nexts=(*loop.nexts, *nexts),
        results=(*loop.results, *(Scalar(names.fresh(), s.dtype) for s in carried.values())),
    )


def _steps(loop: For) -> dict[str, int]:
    """By how much an index grows from an iteration to the next one, for each buffer where all do.

    Two places of such a buffer are one in all iterations, or in none.
    """
    own = {scalar.name for scalar, _ in loop.carries}
    own |= {each.scalar.name for each in loop.body if isinstance(each, Let)}
    terms: dict[str, set[tuple[tuple[str, int], ...]]] = defaultdict(set)
    for place in _places(loop):
        terms[place.buffer].add(canonical(place).terms)
    found = {}
    for buffer, (row, *others) in terms.items():
        step = dict(row).get(loop.index, 0)
        if not others and own.isdisjoint(name for name, _ in row):
            found[buffer] = -step if loop.reverse else step
    return found


def _places(loop: For) -> Iterator[Place]:
    """All that is read and written in an iteration."""
    for each in loop.body:
        if isinstance(each, Store):
            yield each.place
            yield from _read(each.value)
        elif isinstance(each, Let | Check):
            yield from _read(each.value if isinstance(each, Let) else each.condition)
    for value in loop.nexts:
        yield from _read(value)


def _read(value: Expr) -> Iterator[Place]:
    if isinstance(value, Op):
        for arg in value.args:
            yield from _read(arg)
    elif isinstance(value, Load):
        yield value.place
        if value.where is not None:
            yield from _read(value.where)
