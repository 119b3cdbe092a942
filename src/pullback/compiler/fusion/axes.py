"""Axes joined, and put into the order of memory.

``for all i < m, j < n`` is ``for all k < m·n`` if every place steps by s·n in i where it steps by s
in j, and neither is used as a number: then ``s·n·i + s·j`` is ``s·k``. The order of axes is free;
the innermost is the one along which most places have the next element, the others are those of
the longer steps first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

from pullback.compiler.fusion.effects import leaves
from pullback.compiler.fusion.substitution import Substitution
from pullback.compiler.fusion.touched import Touched
from pullback.compiler.fusion.traversal import rebuilt, with_bodies
from pullback.compiler.generic.numbers import varies
from pullback.compiler.loops import (
    Axis,
    Copy,
    Count,
    Kernel,
    Let,
    Load,
    Name,
    Place,
    Statement,
)

__all__ = ["walked"]


def walked(body: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """The statements, with the axes of each kernel joined and in order."""
    return tuple(_statement(each) for each in body)


def _statement(statement: Statement) -> Statement:
    if not isinstance(statement, Kernel):
        return with_bodies(statement, walked)
    if not all(axis.extent for axis in statement.axes):
        return statement
    kernel = statement
    while (shorter := _shorter(kernel)) is not None:
        kernel = shorter
    return _as_copy(kernel) or _ordered(kernel)


def _places(kernel: Kernel) -> Iterator[Place]:
    for each in kernel.body:
        value = each.value if isinstance(each, Let) else each.condition
        yield from (leaf.place for leaf in leaves(value) if isinstance(leaf, Load))
    for write in kernel.writes:
        yield from (leaf.place for leaf in leaves(write.value) if isinstance(leaf, Load))
        if isinstance(write.target, Place):
            yield write.target


def _shorter(kernel: Kernel) -> Kernel | None:
    """The kernel with two of its axes joined, if two can be."""
    steps = {
        tuple(dict(place.terms).get(a.name, 0) for a in kernel.axes) for place in _places(kernel)
    }
    numbers = Touched.by(kernel).numbers
    for (i, outer), (j, inner) in itertools.permutations(enumerate(kernel.axes), 2):
        if outer.name in numbers or inner.name in numbers:
            continue
        if isinstance(inner.extent, Count):
            continue
        if all(step[i] == inner.extent * step[j] for step in steps):
            # ``s·n·i + s·j`` with 0 for i and k for j.
            gone = Substitution()
            gone.split(outer.name, ())
            found = rebuilt(kernel, gone.value, gone.place)
            assert isinstance(found, Kernel)
            joined = Axis(inner.name, _product(outer.extent, inner.extent))
            axes = [joined if axis is inner else axis for axis in kernel.axes]
            return replace(found, axes=tuple(axis for axis in axes if axis is not outer))
    return None


def _product(outer: int, inner: int) -> int:
    if isinstance(outer, Count):
        return Count(outer.name, outer * inner, outer.times * inner, told=outer.told)
    return outer * inner


def _ordered(kernel: Kernel) -> Kernel:
    places = [dict(place.terms) for place in set(_places(kernel))]
    last = len(kernel.axes) - 1

    def next_to_another(position: int) -> tuple[int, int]:
        name = kernel.axes[position].name
        return sum(abs(place.get(name, 0)) == 1 for place in places), position

    def longest(position: int) -> tuple[bool, int, int]:
        name = kernel.axes[position].name
        step = max((abs(place.get(name, 0)) for place in places), default=0)
        return not varies(step), -step, position

    innermost = max(range(last + 1), key=next_to_another)
    order = sorted((k for k in range(last + 1) if k != innermost), key=longest)
    return replace(kernel, axes=tuple(kernel.axes[k] for k in (*order, innermost)))


def _as_copy(kernel: Kernel) -> Copy | None:
    """``for all i < n: y[p + i] = x[q + i]`` as what it is."""
    if len(kernel.axes) != 1 or len(kernel.body) != 1 or len(kernel.writes) != 1:
        return None
    if isinstance(kernel.axes[0].extent, Count):
        return None
    (axis,), (let,), (write,) = kernel.axes, kernel.body, kernel.writes
    if not isinstance(let, Let) or not isinstance(let.value, Load) or write.combine:
        return None
    load, target = let.value, write.target
    if load.where is not None or not isinstance(target, Place):
        return None
    if write.value != Name(*let.scalar) or load.place.buffer == target.buffer:
        return None
    if any(dict(place.terms).get(axis.name) != 1 for place in (load.place, target)):
        return None
    source, goal = (
        Place(place.buffer, place.offset, tuple(t for t in place.terms if t[0] != axis.name))
        for place in (load.place, target)
    )
    return Copy(goal, source, axis.extent)
