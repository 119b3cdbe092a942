"""Accumulation: what is added to a few elements of an array is added in place.

``add(c, scatter(v, i))``, which makes an array of zeros to add it to another, becomes
``index_add(c, v, i)``.
"""

from __future__ import annotations

from typing import NamedTuple

from pullback.core.shapes import shape_of
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules.arithmetic import add, negative, subtract
from pullback.rules.indexing import index_add, scatter
from pullback.rules.shaping import reshape

__all__ = ["accumulate_in_place"]

accumulate_in_place = Pass()


class Scattered(NamedTuple):
    """A scatter, and the order in which its elements are read if it is reshaped after it."""

    equation: Equation
    order: str


@accumulate_in_place.rewrites(add)
def _add(rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """c + scatter(v, i) and scatter(v, i) + c."""
    for array, addend in ((x, y), (y, x)):
        found = _scattered(rw, z, addend)
        if found is not None:
            return _added(rw, z, array, found, found.equation.inputs[0])
    return None


@accumulate_in_place.rewrites(subtract)
def _subtract(rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """c − scatter(v, i)."""
    found = _scattered(rw, z, y)
    if found is None or z.dtype.kind not in "fc":
        return None
    return _added(rw, z, x, found, rw.bind(negative, found.equation.inputs[0]))


def _scattered(rw: Rewriting, z: Variable, x: Atom) -> Scattered | None:
    """The scatter that `x` comes from, perhaps by a reshape, if it is as large as the sum `z`."""
    if type(x) is not Variable or x.dtype != z.dtype or x.size != z.size:
        return None
    reshaped = rw.made_by(x, reshape)
    equation = rw.made_by(x if reshaped is None else reshaped.inputs[0], scatter)
    if equation is None:
        return None
    return Scattered(equation, "C" if reshaped is None else reshaped.params.get("order", "C"))


def _added(rw: Rewriting, z: Variable, array: Atom, found: Scattered, v: Atom) -> Atom:
    """`array` with `v` added where a scatter puts it."""
    equation, order = found
    shape, key = equation.params["shape"], equation.params["key"]
    array = _reshaped(rw, rw.fit(array, z), shape, order)
    total = rw.bind(index_add, array, v, *equation.inputs[1:], key=key)
    return _reshaped(rw, total, z.shape, order)


def _reshaped(rw: Rewriting, x: Atom, shape: tuple[int, ...], order: str) -> Atom:
    return x if shape_of(x) == shape else rw.bind(reshape, x, shape=shape, order=order)


@accumulate_in_place.rewrites(negative)
def _negative(rw: Rewriting, _y: Variable, x: Atom) -> Atom | None:
    """−scatter(v, i) = scatter(−v, i)."""
    equation = rw.made_by(x, scatter)
    if equation is None:
        return None
    v, *indices = equation.inputs
    return rw.bind(scatter, rw.bind(negative, v), *indices, **equation.params)
