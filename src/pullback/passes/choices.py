"""Choices: selections, comparisons and truth values of which a part is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.primitive import Primitive
from pullback.core.shapes import dtype_of, shape_of
from pullback.graph.program import Atom
from pullback.graph.variable import Variable
from pullback.passes.layout import narrow_shape, padded, reshaped
from pullback.passes.rewriting import Pass, Rewriting, is_number
from pullback.rules.arithmetic import add, divide, multiply, subtract
from pullback.rules.constants import CONSTANTS
from pullback.rules.registration import masked_multiply, strong_multiply
from pullback.rules.selection import fmax, fmin, maximum, minimum, where
from pullback.rules.shaping import reshape

__all__ = ["simplify_choices"]

simplify_choices = Pass()

_NOT = CONSTANTS["logical_not"], CONSTANTS["invert"]
_AND = CONSTANTS["logical_and"], CONSTANTS["bitwise_and"]
_OR = CONSTANTS["logical_or"], CONSTANTS["bitwise_or"]


@simplify_choices.rewrites(where)
def _where(rw: Rewriting, z: Variable, condition: Atom, x: Atom, y: Atom) -> Atom | None:
    """A condition that is known, or was negated, or chose before; two branches that are one."""
    if type(condition) is not Variable:
        return x if condition else y
    if x is y or (_number(x) is not None and _number(x) == _number(y)):
        return x
    for negation in _NOT:
        inner = rw.operand(condition, negation)
        if inner is not None and dtype_of(inner).kind == "b":
            return rw.bind(where, inner, y, x)
    earlier = rw.made_by(x, where)
    if earlier is not None and earlier.inputs[0] is condition:
        return rw.bind_like(z, where, condition, earlier.inputs[1], y)
    earlier = rw.made_by(y, where)
    if earlier is not None and earlier.inputs[0] is condition:
        return rw.bind_like(z, where, condition, x, earlier.inputs[2])
    return None


def _chosen(rw: Rewriting, x: Atom) -> tuple[Atom, Atom, Atom] | None:
    """Condition and branches, if `x` is a choice."""
    equation = rw.made_by(x, where)
    return None if equation is None else equation.inputs


@simplify_choices.rewrites(add)
def _sum(rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """(x where c, else 0) + (0 where c, else y) is x where c, else y."""
    one, other = _chosen(rw, x), _chosen(rw, y)
    if one is None or other is None or one[0] is not other[0]:
        return None
    branches = []
    for a, b in zip(one[1:], other[1:], strict=True):
        if not is_number(a, 0) and not is_number(b, 0):
            return None
        branches.append(b if is_number(a, 0) else a)
    return rw.bind_like(z, where, one[0], *branches)


@simplify_choices.rewrites(strong_multiply)
def _masked(rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """A strong product with k where c, else 0, is a choice between k times the other and 0."""
    for mask, other in ((x, y), (y, x)):
        choice = _chosen(rw, mask)
        if choice is None or Variable in map(type, choice[1:]):
            continue
        condition, *branches = choice
        zeros = [is_number(each, 0) for each in branches]
        if sum(zeros) != 1 or not np.isfinite(branches).all():
            continue
        taken = rw.bind_like(z, multiply, branches[zeros[0]], other)
        if taken is not None:
            nothing = z.dtype.type(0)
            pair = (nothing, taken) if zeros[0] else (taken, nothing)
            return rw.bind_like(z, where, condition, *pair)
    return None


@simplify_choices.rewrites(masked_multiply)
def _taken(rw: Rewriting, z: Variable, x: Atom, y: Atom, mask: Atom) -> Atom | None:
    """x·(y where c, else 0), in which what is not c is left out, is x·y where c, else 0."""
    number = _where_it_holds(rw, mask, y)
    taken = None if number is None else rw.bind_like(z, multiply, x, number)
    return None if taken is None else rw.bind_like(z, where, mask, taken, z.dtype.type(0))


def _where_it_holds(rw: Rewriting, condition: Atom, x: Atom) -> Atom | None:
    """What `x` is where a condition holds, if it is zero elsewhere; they may be reshaped alike."""
    choice = _chosen(rw, x)
    if choice is not None:
        return choice[1] if choice[0] is condition and is_number(choice[2], 0) else None
    one, other = rw.made_by(condition, reshape), rw.made_by(x, reshape)
    if one is None or other is None or one.params != other.params:
        return None
    before, new = shape_of(other.inputs[0]), shape_of(x)
    if shape_of(one.inputs[0]) != before:
        return None
    found = _where_it_holds(rw, one.inputs[0], other.inputs[0])
    if found is None or type(found) is not Variable:
        return found
    if found.shape == before:
        return rw.bind(reshape, found, **other.params)
    narrow = narrow_shape(padded(found.shape, len(before)), before, new)
    return None if narrow is None else reshaped(rw, found, narrow)


@simplify_choices.rewrites_each(add, subtract, multiply, divide)
def _of_numbers(primitive: Primitive, rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """A function of a choice between numbers, and a number, is a choice between numbers."""
    for chosen, number in ((x, y), (y, x)):
        choice = _chosen(rw, chosen)
        if choice is None or type(number) is Variable or not rw.used_once(chosen):
            continue
        condition, *branches = choice
        if Variable in map(type, branches):
            continue
        strong = [rw.cast(each, dtype_of(chosen)) for each in branches]
        results = [primitive.value(*((each, y) if chosen is x else (x, each))) for each in strong]
        return rw.bind_like(z, where, condition, *results)
    return None


def _number(x: Atom) -> Any:
    """What makes two numbers the same, sign of zero and all."""
    return None if type(x) is Variable else (type(x), repr(x))


@simplify_choices.rewrites(maximum, minimum, fmax, fmin)
def _of_one(_rw: Rewriting, _z: Variable, x: Atom, y: Atom) -> Atom | None:
    """max(x, x) = x."""
    return x if x is y and type(x) is Variable else None


@simplify_choices.rewrites_each(*_AND, *_OR)
def _absorbing(primitive: Primitive, _rw: Rewriting, z: Variable, x: Atom, y: Atom) -> Atom | None:
    """Conjunction (absorbed by False) or disjunction (by True) of truth values."""
    absorbing = primitive in _OR
    if z.dtype.kind != "b":
        return None
    for one, other in ((x, y), (y, x)):
        if type(one) is not Variable and dtype_of(one).kind == "b":
            if bool(one) is absorbing:
                return one
            if dtype_of(other).kind == "b":
                return other
    return x if x is y and dtype_of(x).kind == "b" else None


@simplify_choices.rewrites(*_AND)
def _infinite_and_equal(rw: Rewriting, _z: Variable, x: Atom, y: Atom) -> Atom | None:
    """Nothing infinite equals a finite number."""
    for one, other in ((x, y), (y, x)):
        infinite = rw.made_by(one, CONSTANTS["isinf"])
        equal = rw.made_by(other, CONSTANTS["equal"])
        if infinite is None or equal is None:
            continue
        a, b = equal.inputs
        for same, number in ((a, b), (b, a)):
            if same is infinite.inputs[0] and type(number) is not Variable and np.isfinite(number):
                return False
    return None


@simplify_choices.rewrites_each(*_NOT)
def _involution(primitive: Primitive, rw: Rewriting, _z: Variable, x: Atom) -> Atom | None:
    """Not (not x) = x."""
    return rw.operand(x, primitive) if dtype_of(x).kind == "b" else None


@simplify_choices.rewrites_each(*(CONSTANTS[name] for name in ("isfinite", "isinf", "isnan")))
def _for_integers(primitive: Primitive, _rw: Rewriting, _z: Variable, x: Atom) -> Atom | None:
    """Integers and truth values are finite."""
    return primitive is CONSTANTS["isfinite"] if dtype_of(x).kind in "biu" else None
