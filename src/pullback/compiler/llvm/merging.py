"""Axes that are one axis, such as those of an elementwise kernel of contiguous arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pullback.compiler.llvm.holes import Hole
from pullback.compiler.llvm.rewriting import Rewriting
from pullback.compiler.loops import Axis, Expr, Kernel, Name, Place

__all__ = ["merged"]


def merged(kernel: Kernel) -> Kernel:
    """The kernel with as few axes as its places allow."""
    if any(isinstance(axis.extent, Hole) or axis.extent == 0 for axis in kernel.axes):
        return kernel
    uses = _Uses(kernel)
    axes = {axis.name: axis.extent for axis in kernel.axes}
    steps = [dict(place.terms) for place in uses.places]
    while True:
        pair = next(_pairs(axes, steps, uses.values), None)
        if pair is None:
            break
        outer, inner = pair
        axes[inner] *= axes.pop(outer)
        for terms in steps:
            terms.pop(outer, None)
    if len(axes) == len(kernel.axes):
        return kernel
    kept = _Keeping(axes).kernel(kernel)
    return replace(kept, axes=tuple(Axis(name, extent) for name, extent in axes.items()))


class _Uses(Rewriting):
    """The places of a kernel, and the axes whose index is a value."""

    def __init__(self, kernel: Kernel) -> None:
        self.places: list[Place] = []
        self.values: set[str] = set()
        self.kernel(kernel)

    def place(self, place: Place) -> Place:
        self.places.append(place)
        return place

    def expr(self, expr: Expr) -> Expr:
        if isinstance(expr, Name):
            self.values.add(expr.name)
        return super().expr(expr)


class _Keeping(Rewriting):
    """Drops the terms of axes that are no more."""

    def __init__(self, axes: dict[str, int]) -> None:
        self._axes = axes
        self._gone: set[str] = set()

    def kernel(self, kernel: Kernel) -> Kernel:
        self._gone = {axis.name for axis in kernel.axes} - self._axes.keys()
        return super().kernel(kernel)

    def place(self, place: Place) -> Place:
        terms = tuple((name, step) for name, step in place.terms if name not in self._gone)
        return place._replace(terms=terms)


def _pairs(
    axes: dict[str, int], steps: list[dict[str, int]], values: set[str]
) -> Iterator[tuple[str, str]]:
    """Two axes, one of which goes on where the other one ends, in each place."""
    for outer in axes:
        for inner in axes:
            if outer == inner or outer in values or inner in values:
                continue
            extent = axes[inner]
            if all(_step(terms, outer) == extent * _step(terms, inner) for terms in steps):
                yield outer, inner


def _step(terms: dict[str, int], axis: str) -> float:
    step = terms.get(axis, 0)
    return float("nan") if isinstance(step, Hole) else step
