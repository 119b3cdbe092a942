"""A kernel to which others are joined, and when they may be.

``for all i: A(i)`` and then ``for all i: B(i)`` are ``for all i: A(i); B(i)``

* if B reads, of what A writes, only the ``y[p(i)]`` that A writes at the same point, and does not
  join: then the value is taken, and nothing is read;
* if B writes, of what A reads or writes, only the ``y[p(i)]`` that A reads or writes at this point;
* where that isn't so, if both touch other elements at all points;
* if B uses none of the scalars that A joins.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.regions import disjoint
from pullback.compiler.fusion.spaces import Alignment, alignments
from pullback.compiler.fusion.substitution import Substitution
from pullback.compiler.fusion.touched import Touched
from pullback.compiler.fusion.values import Values
from pullback.compiler.loops import (
    Const,
    Expr,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Write,
)

__all__ = ["Joined"]

_LONG = 400
"""How many values a kernel computes at most: machines have few registers."""


class Joined:
    """A kernel that others have joined."""

    def __init__(self, kernel: Kernel, names: Names) -> None:
        self._names = names
        self._begin(kernel, Substitution())

    def _begin(self, kernel: Kernel, split: Substitution) -> None:
        self._axes, self._line = kernel.axes, kernel.place
        self._values = Values(self._names)
        self._writes: list[Write] = []
        self._touched = Touched()
        self._take(kernel, split)

    def kernel(self) -> Kernel:
        """What has become of it."""
        return Kernel(self._axes, tuple(self._values.body), tuple(self._writes), self._line)

    def shares(self, touched: Touched) -> int:
        """How many buffers both read or write."""
        return len(self._touched.common(touched))

    def alignment(self, kernel: Kernel, touched: Touched) -> Alignment | None:
        """How a kernel can join, if it can."""
        if self._touched.results & touched.used:
            return None
        if len(self._values.body) + len(kernel.body) > _LONG:
            return None
        named = (self._touched.numbers, touched.numbers)
        for found in alignments(self._axes, kernel.axes, self._pairs(touched), named):
            if self._admits(touched, found):
                return found
        return None

    def join(self, kernel: Kernel, alignment: Alignment) -> None:
        """Do at each point what the kernel does, too."""
        if alignment.axes is not None:
            before = self.kernel()
            self._begin(
                Kernel(alignment.axes, before.body, before.writes, before.place), alignment.split
            )
        self._take(kernel, alignment.joining)

    # -- whether ---------------------------------------------------------------------------------

    def _pairs(self, touched: Touched) -> list[tuple[Place, Place]]:
        """Places in the same buffers, first what one writes and the other one reads."""
        both = sorted(
            self._touched.common(touched),
            key=lambda b: (b not in self._touched.stores, b not in touched.stores, b),
        )
        return [(self._touched.one(buffer), touched.one(buffer)) for buffer in both]

    def _admits(self, touched: Touched, alignment: Alignment) -> bool:
        extents = dict(alignment.axes or self._axes)
        split, joining = alignment.split.place, alignment.joining.place
        for buffer in self._touched.common(touched):
            stores = _targets(self._touched.stores.get(buffer, ()), split)
            others = _targets(touched.stores.get(buffer, ()), joining)
            loads = [(split(x), True) for x in self._touched.loads.get(buffer, ())]
            reads = [(joining(x), True) for x in touched.loads.get(buffer, ())]
            for before, after in ((stores, reads), (stores, others), (loads, others)):
                for (one, plain), (other, simple) in itertools.product(before, after):
                    same = one == other and plain and simple
                    if not same and not disjoint(one, other, extents):
                        return False
        return True

    # -- joining ---------------------------------------------------------------------------------

    def _take(self, kernel: Kernel, joining: Substitution) -> None:
        for each in kernel.body:
            if isinstance(each, Let):
                value = self._atom(joining.value(each.value), each.scalar.name)
                joining.give(each.scalar.name, value)
            else:
                self._values.check(self._atom(joining.value(each.condition)), each.error)
        values = [self._atom(joining.value(write.value)) for write in kernel.writes]
        before = {buffer: [*stores] for buffer, stores in self._touched.stores.items()}
        for write, value in zip(kernel.writes, values, strict=True):
            start = None if write.start is None else joining.value(write.start)
            target = write.target
            if isinstance(target, Place):
                target = joining.place(target)
                for over in before.get(target.buffer, ()):
                    if over.target == target:
                        # Nothing can read what is written over at the same point.
                        self._touched.stores[target.buffer].remove(over)
                        self._writes.remove(over)
            made = Write(target, value, write.combine, start)
            self._writes.append(made)
            self._touched.value(value)
            self._touched.write(made)

    def _atom(self, expr: Expr, name: str | None = None) -> Name | Const:
        """The name of a value, or a constant."""
        if isinstance(expr, Name | Const):
            return expr
        if isinstance(expr, Op):
            args = tuple(map(self._atom, expr.args))
            return self._named(Op(expr.name, args, expr.dtype), name)
        where = None if expr.where is None else self._atom(expr.where)
        stored = self._stored(expr.place)
        if stored is None:
            return self._named(Load(expr.place, expr.dtype, where), name)
        value = stored.value
        assert isinstance(value, Name | Const)
        if where is None:
            return value
        return self._named(Op("select", (where, value, _zero(expr.dtype)), expr.dtype), name)

    def _stored(self, place: Place) -> Write | None:
        stores = self._touched.stores.get(place.buffer, ())
        return next((write for write in stores if write.target == place), None)

    def _named(self, value: Load | Op, name: str | None) -> Name:
        self._touched.value(value)
        return self._values.named(value, name)


def _targets(writes: Iterable[Write], moved: Callable[[Place], Place]) -> list[tuple[Place, bool]]:
    """Where values are stored, and whether each is stored as it is."""
    return [(moved(x.target), not x.combine) for x in writes if isinstance(x.target, Place)]


def _zero(dtype: str) -> Const:
    if dtype == "bool":
        return Const(False, dtype)
    return Const(0.0 if dtype.startswith("float") else 0, dtype)
