"""Joining: what is put side by side, and what was side by side before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pullback.core.shapes import dtype_of, shape_of
from pullback.graph.program import Atom
from pullback.graph.variable import Variable
from pullback.passes.layout import reshaped
from pullback.passes.places import Region, key_of, region
from pullback.passes.rewriting import Pass, Rewriting, is_number
from pullback.rules.indexing import index
from pullback.rules.shaping import concatenate, stack, transpose

__all__ = ["MOST_JOINED", "joined", "simplify_joining"]

simplify_joining = Pass()

MOST_JOINED = 64
"""How many arrays come to stand in one place for being joined one after the other.

Without a limit a loop that appends to an array would be read again for every element.
"""


def joined(rw: Rewriting, parts: Sequence[tuple[Atom, bool]], axis: int) -> Atom:
    """Arrays one after the other along an axis, which those that are marked lack."""
    if all(lacks for _, lacks in parts):
        return rw.bind(stack, *(x for x, _ in parts), axis=axis)
    rows: list[Atom] = []
    singles: list[Atom] = []
    for x, lacks in (*parts, (None, False)):
        if lacks:
            singles.append(x)
            continue
        if len(singles) == 1:
            shape = shape_of(singles[0])
            rows.append(reshaped(rw, singles[0], (*shape[:axis], 1, *shape[axis:])))
        elif singles:
            rows.append(rw.bind(stack, *singles, axis=axis))
        singles = []
        if x is not None:
            rows.append(x)
    return rw.bind(concatenate, *rows, axis=axis)


@simplify_joining.rewrites(concatenate)
def _concatenate(rw: Rewriting, y: Variable, *xs: Atom, axis: int) -> Atom | None:
    """One array; several that repeat one number; joined arrays; slices that lie side by side."""
    axis %= len(y.shape)
    some = [x for x in xs if shape_of(x)[axis]]
    if len(some) == 1 and dtype_of(some[0]) == y.dtype:
        return some[0]
    number = _one_number(rw, y, xs)
    if number is not None:
        return number
    flat = [each for x in xs for each in _members(rw, x, axis)]
    if len(flat) > max(len(xs), MOST_JOINED):
        flat = list(xs)
    merged: list[Atom] = []
    for x in flat:
        both = _side_by_side(rw, merged[-1], x, axis) if merged else None
        if both is None:
            merged.append(x)
        else:
            merged[-1] = both
    return None if len(merged) == len(xs) else rw.bind(concatenate, *merged, axis=axis)


def _members(rw: Rewriting, x: Atom, axis: int) -> tuple[Atom, ...]:
    """The arrays that `x` joins along this axis, if nobody else reads it."""
    equation = rw.made_by(x, concatenate)
    if equation is None or not rw.used_once(x):
        return (x,)
    (out,) = equation.outputs
    same = equation.params["axis"] % len(out.shape) == axis
    return equation.inputs if same and _of_dtype(equation.inputs, out) else (x,)


def _of_dtype(xs: Sequence[Atom], out: Variable) -> bool:
    return all(dtype_of(x) == out.dtype for x in xs)


def _side_by_side(rw: Rewriting, x: Atom, y: Atom, axis: int) -> Atom | None:
    """Two slices of one array, one after the other, as one."""
    one, other = _part(rw, x), _part(rw, y)
    if one is None or other is None or one[0] is not other[0]:
        return None
    source, rest = one[0], list(other[1])
    named = list(one[1])
    (kept, first), (stays, second) = named[axis], rest[axis]
    if not (kept and stays and first.step == second.step == 1 and first.stop == second.start):
        return None
    named[axis] = rest[axis] = (True, range(first.start, second.stop))
    if named != rest:
        return None
    return rw.bind(index, source, key=key_of(tuple(named), shape_of(source)))


def _part(rw: Rewriting, x: Atom) -> tuple[Atom, Region] | None:
    """An array and what `x` is of it, if that has as many axes; or is without one of them."""
    equation = rw.made_by(x, index)
    if equation is None or len(equation.inputs) > 1:
        return None
    (source,) = equation.inputs
    named = region(equation.params["key"], shape_of(source))
    return None if named is None else (source, named)


@simplify_joining.rewrites(stack)
def _stack(rw: Rewriting, y: Variable, *xs: Atom, axis: int) -> Atom | None:
    """One array; several that repeat one number; the rows of an array, at equal distances."""
    axis %= len(y.shape)
    if len(xs) == 1:
        return reshaped(rw, rw.cast(xs[0], y.dtype), y.shape)
    number = _one_number(rw, y, xs)
    return _rows(rw, y, xs, axis) if number is None else number


def _rows(rw: Rewriting, y: Variable, xs: Sequence[Atom], axis: int) -> Atom | None:
    """What an array is, of whose axis these are positions."""
    first = _part(rw, xs[0])
    if first is None or dtype_of(first[0]) != y.dtype or len(shape_of(first[0])) <= axis:
        return None
    source, named = first
    if sum(not stays for stays, _ in named[:axis]) or named[axis][0]:
        return None
    positions = []
    for x in xs:
        part = _part(rw, x)
        if part is None or part[0] is not source:
            return None
        if (*part[1][:axis], *part[1][axis + 1 :]) != (*named[:axis], *named[axis + 1 :]):
            return None
        stays, at = part[1][axis]
        if stays:
            return None
        positions.append(at[0])
    step = positions[1] - positions[0]
    if not step or positions != list(range(positions[0], positions[-1] + (1, -1)[step < 0], step)):
        return None
    run = range(positions[0], positions[-1] + step, step)
    key = key_of((*named[:axis], (True, run), *named[axis + 1 :]), shape_of(source))
    return rw.bind(index, source, key=key)


@simplify_joining.rewrites(transpose)
def _transpose(rw: Rewriting, y: Variable, x: Atom, *, axes: Any = None) -> Atom | None:
    """Vectors side by side rather than on top of each other."""
    equation = rw.made_by(x, stack)
    if equation is None or y.ndim != 2 or axes not in (None, (1, 0)) or not rw.used_once(x):
        return None
    return rw.bind(stack, *equation.inputs, axis=1 - equation.params["axis"] % 2)


def _one_number(rw: Rewriting, y: Variable, xs: Sequence[Atom]) -> Atom | None:
    first = rw.source(xs[0])
    if first is None or type(first) is Variable or not is_number(first, first):
        return None
    number = y.dtype.type(first)
    for x in xs:
        source = rw.source(x)
        if source is None or type(source) is Variable:
            return None
        if y.dtype.type(source).tobytes() != number.tobytes():
            return None
    return number
