"""Strong products: those that are plain ones.

In a strong product a zero wins over what is infinite or not a number. Where the other factor is
finite whatever the inputs are, or where nothing can be a strong zero, it is a product like others.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import is_plain
from pullback.graph.program import Atom
from pullback.graph.variable import Variable
from pullback.passes.bounds import bound
from pullback.passes.rewriting import Pass, Rewriting, is_number
from pullback.rules.arithmetic import divide, multiply
from pullback.rules.constants import CONSTANTS
from pullback.rules.registration import masked_multiply, strong_multiply
from pullback.rules.selection import where
from pullback.rules.shaping import reshape, transpose

__all__ = ["weaken_products"]

weaken_products = Pass()


@weaken_products.rewrites(strong_multiply)
def _strong_multiply(rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """A product with a number other than 0 is a plain one, with 0 it is 0; so is one of bounds."""
    if z.dtype.kind in "biu":
        return rw.bind(multiply, x, y)
    for number, other in ((x, y), (y, x)):
        if type(number) is not Variable:
            if number == 0:
                return z.dtype.type(0)
            if np.isfinite(number):
                return rw.bind_like(z, multiply, number, other)
        elif bound(rw, number) < math.inf and (_never_zero(rw, number) or _finite(rw, other)):
            return rw.bind_like(z, multiply, x, y)
    return None


@weaken_products.rewrites(masked_multiply)
def _masked_multiply(rw: Rewriting, z: Variable, x: Atom, y: Atom, mask: Atom) -> Atom | None:
    """A product that leaves nothing out, or a finite number's, is a plain one."""
    if _finite(rw, x) or _never_zero(rw, y) or _kept(rw, y, mask):
        return rw.bind_like(z, multiply, x, y)
    return None


def _finite(rw: Rewriting, x: Atom) -> bool:
    return bound(rw, x) < math.inf


def _never_zero(rw: Rewriting, x: Atom) -> bool:
    """Whether it is known that no element is zero, as none of a number's finite fractions is."""
    known = _values(rw, x)
    if known is not None:
        return bool(np.all(known != 0))
    quotient = rw.made_by(x, divide)
    if quotient is None or type(quotient.inputs[0]) is Variable:
        return False
    number, divisor = quotient.inputs
    return bool(abs(number) > np.finfo(dtype_of(x)).tiny * bound(rw, divisor))


def _kept(rw: Rewriting, y: Atom, mask: Atom) -> bool:
    """Whether it is known that an element of `y` that is zero is in the mask."""
    known = _values(rw, mask)
    if known is None:
        return False
    values = _values(rw, y)
    return bool(np.all(known if values is None else known | (values != 0)))


def _values(rw: Rewriting, x: Atom) -> Any:
    """What is known of an atom."""
    source = rw.source(x)
    if source is not None and type(source) is not Variable:
        return np.asarray(source)
    value = rw.constants.get(x) if type(x) is Variable else None
    return value if is_plain(value, np.ndarray) else None


# -- masks ----------------------------------------------------------------------------------------


@weaken_products.rewrites(CONSTANTS["not_equal"])
def _not_equal(rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """Where numbers that are chosen by a condition are not 0: where it holds."""
    for chosen, number in ((x, y), (y, x)):
        if is_number(number, 0):
            return _condition(rw, chosen)
    return None


def _condition(rw: Rewriting, x: Atom) -> Atom | None:
    """What holds where `x`, numbers that are chosen and then rearranged, is not 0."""
    equation = rw.made_by(x, where)
    if equation is not None:
        condition, *branches = equation.inputs
        if _never_zero(rw, branches[0]) and rw.filled_with(branches[1], 0):
            return condition if dtype_of(condition).kind == "b" else None
        return None
    equation = rw.made_by(x, reshape) or rw.made_by(x, transpose)
    if equation is None:
        return None
    chosen = equation.inputs[0]
    condition = _condition(rw, chosen)
    if condition is None or shape_of(condition) != shape_of(chosen):
        return None
    return rw.bind(equation.primitive, condition, **equation.params)
