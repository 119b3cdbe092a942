"""Axes that go through samples and something else taken apart.

Where the elements of two axes lie one after the other, as rows of a product do, lowering makes one
axis of them. ``x[step · i]`` with i < k · samples is ``x[step · k · sample + step · part]`` where
samples lie k steps apart; where they lie one apart, ``x[step · samples · part + step · sample]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.traversal import rebuilt, with_bodies
from pullback.compiler.loops import (
    Axis,
    Const,
    Expr,
    Kernel,
    Load,
    Name,
    Op,
    Place,
    Program,
    Statement,
)
from pullback.compiler.split.lying import Lying
from pullback.compiler.split.places import kernels_places
from pullback.compiler.split.survey import Survey

__all__ = ["surveyed"]


def surveyed(program: Program, samples: int, given: Mapping[str, Lying] | None = None) -> Survey:
    """What is done to the samples of a program, in which they have axes of their own.

    Parameters
    ----------
    program : Program
    samples : int
    given : mapping of str to Lying, optional
        Inputs of which it is known how the samples lie in them.
    """
    names = Names(program)
    while True:
        survey = Survey(program, samples, dict(given or {}))
        found = _Unmerging(survey, names)
        body = found.row(program.body)
        if not found.count:
            return survey
        program = replace(program, body=body)


class _Unmerging:
    """Takes one axis of each kernel apart, if the buffers say how."""

    def __init__(self, survey: Survey, names: Names) -> None:
        self._survey, self._names = survey, names
        self.count = 0

    def row(self, body: tuple[Statement, ...]) -> tuple[Statement, ...]:
        return tuple(self._statement(each) for each in body)

    def _statement(self, statement: Statement) -> Statement:
        if not isinstance(statement, Kernel):
            return with_bodies(statement, self.row)
        if id(statement) in self._survey.axes:
            return statement
        for axis in statement.axes:
            parts, rest = divmod(axis.extent, self._survey.samples)
            if rest or parts < 2:
                continue
            outer = self._is_outer(statement, axis.name, parts)
            if outer is not None:
                self.count += 1
                sample, part = (self._names.fresh() for _ in range(2))
                pair = [Axis(sample, self._survey.samples), Axis(part, parts)]
                return _apart(statement, axis.name, pair if outer else pair[::-1])
        return statement

    def _is_outer(self, kernel: Kernel, axis: str, parts: int) -> bool | None:
        """Whether samples are what changes last along an axis; `None` if no buffer says so."""
        for place, _ in kernels_places(kernel):
            lying, step = self._survey.lying.get(place.buffer), dict(place.terms).get(axis)
            if lying is None or step is None:
                continue
            if step * parts == lying.step:
                return True
            if step == lying.step:
                return False
        return None


def _apart(kernel: Kernel, axis: str, pair: list[Axis]) -> Kernel:
    """A kernel with two axes in the place of one."""
    outer, inner = pair
    scaled = Op("multiply", (Name(outer.name, "int64"), Const(inner.extent, "int64")), "int64")
    index = Op("add", (scaled, Name(inner.name, "int64")), "int64")

    def place(at: Place) -> Place:
        terms: list[tuple[str, int]] = []
        for name, step in at.terms:
            if name == axis:
                terms += [(outer.name, step * inner.extent), (inner.name, step)]
            else:
                terms.append((name, step))
        return at._replace(terms=tuple(terms))

    def value(expr: Expr) -> Expr:
        if isinstance(expr, Op):
            return Op(expr.name, tuple(map(value, expr.args)), expr.dtype)
        if isinstance(expr, Load):
            where = None if expr.where is None else value(expr.where)
            return Load(place(expr.place), expr.dtype, where)
        return index if isinstance(expr, Name) and expr.name == axis else expr

    found = rebuilt(kernel, value, place)
    assert isinstance(found, Kernel)
    axes: list[Axis] = []
    for each in kernel.axes:
        axes += pair if each.name == axis else [each]
    return replace(found, axes=tuple(axes))
