"""Sums over nearly all points of a later kernel, taken over all of them.

``for all i < n - 1: r add= x[1 + i] - x[i]`` is ``for all i < n: r add= select(i < n - 1, (x[1 + i]
where i < n - 1) - x[i], 0)``, and may then be joined to what is done for all i < n: the sums of
squared differences to the loop over their gradient. Of other points nothing is read that does not
exist, and zeros are added.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.touched import Touched
from pullback.compiler.fusion.traversal import with_bodies
from pullback.compiler.generic.numbers import varies
from pullback.compiler.loops import (
    Axis,
    Const,
    Expr,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Scalar,
    Statement,
    Write,
)

__all__ = ["widened"]

Body = tuple[Statement, ...]

_MORE = 1.1
"""How many points there may be for one that there was."""
_SHORT = 4096
"""Points that are not worth a thought."""


def _is_short(points: int) -> bool:
    return not varies(points) and points < _SHORT


def widened(body: Body, names: Names, sizes: Mapping[str, int]) -> Body:
    """The statements, with sums over the points of later kernels; `sizes` are the buffers'."""
    found = [with_bodies(each, lambda inner: widened(inner, names, sizes)) for each in body]
    kernels = {n: Touched.by(x) for n, x in enumerate(found) if isinstance(x, Kernel)}
    for position, touched in kernels.items():
        kernel = found[position]
        assert isinstance(kernel, Kernel)
        if not _is_sum(kernel) or _is_short(_points(kernel.axes)):
            continue
        for later in kernels:
            other = found[later]
            assert isinstance(other, Kernel)
            if (
                later > position
                and _nearly(kernel.axes, other.axes)
                and _read_alike(kernel.axes, touched, other.axes, kernels[later])
                and _independent(found[position:later], other)
            ):
                found[position] = _Widening(kernel, other.axes, names, sizes).kernel()
                break
    return tuple(found)


def _is_sum(kernel: Kernel) -> bool:
    """Whether it gives sums over all points alone, of what lies at places known beforehand."""
    axes = {axis.name for axis in kernel.axes}
    given = {each.scalar.name for each in kernel.body if isinstance(each, Let)}
    return (
        len(given) == len(kernel.body)
        and all(
            isinstance(write.target, Scalar)
            and write.combine == "add"
            and write.value.dtype.startswith("float")
            for write in kernel.writes
        )
        and not (effects(kernel).indexed - axes) & given
    )


def _points(axes: Sequence[Axis]) -> int:
    return math.prod(axis.extent for axis in axes)


def _nearly(few: Sequence[Axis], many: Sequence[Axis]) -> bool:
    """Whether one space is a little smaller than another one; extents that vary may be large."""
    if len(few) != len(many):
        return False
    pairs = [(a.extent, b.extent) for a, b in zip(few, many, strict=True)]
    if any(varies(b - a) for a, b in pairs) or not all(a <= b for a, b in pairs):
        return False
    less, more = (math.prod(each[i] for each in pairs if not varies(each[0])) for i in (0, 1))
    return any(a != b for a, b in pairs) and more <= less * _MORE


def _read_alike(
    ours: Sequence[Axis], touched: Touched, theirs: Sequence[Axis], other: Touched
) -> bool:
    """Whether both read a buffer at one place, and walk through it in the same steps."""

    def walks(axes: Sequence[Axis], by: Touched) -> set[tuple[str, int, tuple[int, ...]]]:
        found = set()
        for buffer, places in by.loads.items():
            for place in places:
                terms = dict(place.terms)
                steps = tuple(terms.get(axis.name, 0) for axis in axes)
                found.add((buffer, place.offset, steps))
        return found

    return not walks(ours, touched).isdisjoint(walks(theirs, other))


def _independent(statements: Sequence[Statement], last: Kernel) -> bool:
    """Whether the last of some statements uses nothing that comes of the first one."""
    touched = set(effects(statements[0]).gives)
    for statement in (*statements[1:], last):
        about = effects(statement)
        if not touched.isdisjoint(about.uses | about.reads):
            if statement is last:
                return False
            touched |= about.gives | about.writes
    return True


class _Widening:
    """A kernel in the making that has the points of another one."""

    def __init__(
        self, kernel: Kernel, axes: Sequence[Axis], names: Names, sizes: Mapping[str, int]
    ) -> None:
        self._kernel, self._sizes = kernel, sizes
        self._axes = tuple(
            Axis(own.name, other.extent) for own, other in zip(kernel.axes, axes, strict=True)
        )
        self._names = names
        self._body: list[Let] = []
        self._inside = self._condition()

    def kernel(self) -> Kernel:
        """The same sums, over more points."""
        for each in self._kernel.body:
            assert isinstance(each, Let)
            self._body.append(Let(each.scalar, self._value(each.value)))
        writes = []
        for write in self._kernel.writes:
            value = self._value(write.value)
            nothing = Const(0.0, value.dtype)
            chosen = Op("select", (self._inside, value, nothing), value.dtype)
            writes.append(Write(write.target, chosen, write.combine, write.start))
        return Kernel(self._axes, tuple(self._body), tuple(writes), self._kernel.place)

    def _condition(self) -> Name:
        """The name of whether a point is one that there was."""
        found: Name | None = None
        for old, new in zip(self._kernel.axes, self._axes, strict=True):
            if old.extent < new.extent:
                index, end = Name(old.name, "int64"), Const(old.extent, "int64")
                below = self._let(Op("less", (index, end), "bool"))
                found = below if found is None else self._both(found, below)
        assert found is not None
        return found

    def _both(self, one: Expr, other: Expr) -> Name:
        return self._let(Op("logical_and", (one, other), "bool"))

    def _let(self, value: Op) -> Name:
        scalar = Scalar(self._names.fresh(), value.dtype)
        self._body.append(Let(scalar, value))
        return Name(*scalar)

    def _value(self, expr: Expr) -> Expr:
        if isinstance(expr, Op):
            return Op(expr.name, tuple(map(self._value, expr.args)), expr.dtype)
        if not isinstance(expr, Load) or self._exists(expr.place):
            return expr
        if expr.where is None:
            return Load(expr.place, expr.dtype, self._inside)
        return Load(expr.place, expr.dtype, self._both(self._value(expr.where), self._inside))

    def _exists(self, place: Place) -> bool:
        """Whether the place is an element at all points."""
        extents = dict(self._axes)
        if not all(name in extents for name, _ in place.terms):
            return False
        ends = [step * (extents[name] - 1) for name, step in place.terms]
        low, high = (place.offset + sum(f(end, 0) for end in ends) for f in (min, max))
        return low >= 0 and high < self._sizes[place.buffer]
