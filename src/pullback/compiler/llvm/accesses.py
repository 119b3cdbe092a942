"""What a kernel reads and writes, and how that varies with its axes."""

from __future__ import annotations

from collections.abc import Iterator

from pullback.compiler.llvm.holes import Hole
from pullback.compiler.loops import (
    OPERATIONS,
    Const,
    Expr,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Scalar,
    Write,
)

__all__ = ["Access"]


class Access:
    """The loads, operations and writes of a kernel.

    Attributes
    ----------
    loads : list of Load
    conditions : list of Expr
        What loads and selections depend on.
    operations : int
        About how many additions take as long as the operations of one point.
    count : int
        About how many instructions the operations are.
    dtypes : set of str
        Of what is read, computed and written; not those of indices.
    """

    def __init__(self, kernel: Kernel) -> None:
        self.extents = {axis.name: axis.extent for axis in kernel.axes}
        self.lets = {s.scalar.name: s.value for s in kernel.body if isinstance(s, Let)}
        self.loads: list[Load] = []
        self.conditions: list[Expr] = []
        self.operations = self.count = 0
        self.dtypes: set[str] = set()
        self._axes: dict[int, frozenset[str]] = {}
        self._kernel = kernel
        for statement in kernel.body:
            value = statement.value if isinstance(statement, Let) else statement.condition
            self._visit(value)
            self.axes(value)  # in order, so that a long chain is no deep recursion
        for write in kernel.writes:
            self._visit(write.value)
            self.dtypes.add(write.value.dtype)

    def _visit(self, expr: Expr) -> None:
        if isinstance(expr, Load):
            self.loads.append(expr)
            self.dtypes.add(expr.dtype)
            if expr.where is not None:
                self.conditions.append(expr.where)
                self._visit(expr.where)
        elif isinstance(expr, Op):
            cost = OPERATIONS[expr.name].cost
            self.operations += cost
            self.count += 1 if cost < 16 else 2 * cost  # those are put in line
            if expr.name == "select":
                self.conditions.append(expr.args[0])
            if expr.dtype != "int64":
                self.dtypes.add(expr.dtype)
            for arg in expr.args:
                self._visit(arg)

    # -- axes ------------------------------------------------------------------------------------

    def axes(self, expr: Expr) -> frozenset[str]:
        """The axes that an expression varies with."""
        found = self._axes.get(id(expr))
        if found is None:
            if isinstance(expr, Name):
                found = self._named(expr.name)
            elif isinstance(expr, Op):
                found = frozenset().union(*map(self.axes, expr.args))
            elif isinstance(expr, Load):
                where = frozenset() if expr.where is None else self.axes(expr.where)
                found = where | self.place_axes(expr.place)
            else:
                assert isinstance(expr, Const)
                found = frozenset()
            self._axes[id(expr)] = found
        return found

    def _named(self, name: str) -> frozenset[str]:
        if name in self.extents:
            return frozenset((name,))
        return self.axes(self.lets[name]) if name in self.lets else frozenset()

    def place_axes(self, place: Place) -> frozenset[str]:
        return frozenset().union(*(self._named(name) for name, step in place.terms if step))

    def kept(self, write: Write) -> frozenset[str]:
        """The axes that the target of a write varies with."""
        if isinstance(write.target, Scalar):
            return frozenset()
        return self.place_axes(write.target)

    def step(self, place: Place, axis: str) -> int | None:
        """Elements from one point along an axis to the next one; None if data says where."""
        for name, _ in place.terms:
            if name in self.lets and axis in self._named(name):
                return None
        return next((step for name, step in place.terms if name == axis), 0)

    def neighbours(self, place: Place, axis: str) -> str | None:
        """Another axis along which elements lie side by side, if along this one they don't."""
        step = self.step(place, axis)
        if step is None or (abs(step) <= 1 and not isinstance(step, Hole)) or self.by_data(place):
            return None
        for other, extent in self.extents.items():
            if other != axis and extent > 1 and self.step(place, other) == 1:
                return other
        return None

    def by_data(self, place: Place) -> bool:
        """Whether a scalar of the body stands in the place."""
        return any(name in self.lets for name, _ in place.terms)

    def places(self) -> Iterator[Place]:
        for load in self.loads:
            yield load.place
        for write in self._kernel.writes:
            if isinstance(write.target, Place):
                yield write.target

    def stride(self, axis: str) -> int:
        """The greatest step along an axis."""
        steps = [self.step(place, axis) for place in self.places()]
        return max([abs(step) for step in steps if step is not None], default=0)

    def apart(self, place: Place) -> bool:
        """Whether points that differ in an axis of the place are certain to differ in the place."""
        if self.by_data(place):
            return False
        terms = [
            (abs(step), self.extents[name]) for name, step in place.terms if name in self.extents
        ]
        terms = [(step, extent) for step, extent in terms if extent != 1]
        if len(terms) == 1:
            return terms[0][0] != 0
        reach = 0
        for step, extent in sorted(terms):
            most = extent.most if isinstance(extent, Hole) else extent
            if isinstance(step, Hole) or most is None or step <= reach:
                return False
            reach += step * (most - 1)
        return True
