"""What a graph costs to run: floating-point operations and bytes, from shapes and dtypes alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pullback.core.shapes import dtype_of, shape_of
from pullback.graph.program import Equation, Program

__all__ = ["Cost", "cost", "dearest"]


@dataclass
class Cost:
    """Operations and bytes.

    Costs can be added, and multiplied by the number of times that something runs.

    Attributes
    ----------
    operations : int
        Floating-point operations. A function of one element, such as exp, counts as one; the
        product of an m×k and a k×n matrix as 2mnk; a reduction as its elements; moving data, and
        what is done to booleans alone, as 0.
    bytes : int
        Bytes that the primitives read and write, each of them by itself; of an array that is
        updated, or of which a part is read, those that are touched.
    by_primitive : dict of str to Cost
        The same for each primitive, by name.
    at_least : bool
        Whether this is a lower bound: a loop of which nobody knows beforehand how often it runs
        is counted as running once.
    """

    operations: int = 0
    bytes: int = 0
    by_primitive: dict[str, Cost] = field(default_factory=dict, repr=False)
    at_least: bool = False

    def add(self, name: str, operations: int, size: int) -> None:
        """Count one application of a primitive."""
        self.operations += operations
        self.bytes += size
        entry = self.by_primitive.setdefault(name, Cost())
        entry.operations += operations
        entry.bytes += size

    def __iadd__(self, other: Cost) -> Cost:
        for name, part in other.by_primitive.items():
            self.add(name, part.operations, part.bytes)
        self.at_least = self.at_least or other.at_least
        return self

    def __add__(self, other: Cost) -> Cost:
        total = self * 1
        total += other
        return total

    def __mul__(self, times: int) -> Cost:
        """The cost of running so many times."""
        parts = {name: part * times for name, part in self.by_primitive.items()}
        return Cost(self.operations * times, self.bytes * times, parts, self.at_least)

    def once(self) -> Cost:
        """The cost of a loop's body, as that of a loop that runs nobody knows how often."""
        return Cost(self.operations, self.bytes, self.by_primitive, at_least=True)

    def __str__(self) -> str:
        rows = [("primitive", "operations", "bytes")]
        order = sorted(self.by_primitive.items(), key=lambda item: (-item[1].operations, item[0]))
        rows += [(name, f"{each.operations:,}", f"{each.bytes:,}") for name, each in order]
        name = "total, at least" if self.at_least else "total"
        rows.append((name, f"{self.operations:,}", f"{self.bytes:,}"))
        width = max(len(row[0]) for row in rows)
        return "\n".join(f"{a:<{width}} {b:>16} {c:>16}" for a, b, c in rows)


def dearest(costs: Iterable[Cost]) -> Cost:
    """The one with the most operations, and among those of equally many with the most bytes."""
    return max(costs, key=lambda cost: (cost.operations, cost.bytes), default=Cost())


def cost(graph: Program) -> Cost:
    """The cost of a graph: that of a nested graph counts as often as its primitive runs it."""
    total = Cost()
    for equation in graph.equations:
        nested = {path: cost(each) for path, each in equation.graphs.items()}
        if not nested:
            total.add(equation.primitive.name, operations_of(equation), bytes_of(equation))
        elif equation.primitive.structure.cost is not None:
            total += equation.primitive.structure.cost(nested, **equation.params)
        else:
            total += sum(nested.values(), Cost())
    return total


def operations_of(equation: Equation) -> int:
    """Floating-point operations of one equation."""
    primitive = equation.primitive
    out: Any = equation.outputs if primitive.multiple else equation.outputs[0]
    if all(dtype_of(x).kind == "b" for x in (*equation.inputs[:1], *equation.outputs)):
        return 0
    return primitive.structure.operations(out, *equation.inputs, **equation.params)


def bytes_of(equation: Equation) -> int:
    """Bytes that one equation reads and writes: those of the places, where it touches only some."""
    if equation.primitive.structure.in_place is not None:
        _, written, *indices = equation.inputs
        return 2 * _nbytes(written) + sum(map(_nbytes, indices))
    results = sum(map(_nbytes, equation.outputs))
    if equation.primitive.structure.shares:
        return 2 * results + sum(map(_nbytes, equation.inputs[1:]))
    return results + sum(map(_nbytes, equation.inputs))


def _nbytes(x: Any) -> int:
    return math.prod(shape_of(x)) * dtype_of(x).itemsize
