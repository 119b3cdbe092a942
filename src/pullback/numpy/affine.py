"""Integers that are not known, as sums of multiples of others.

The end of a slice and the index of a loop are such: of ``i + 1`` and ``2 * i - j`` it is known how
they depend on `i` and `j`, and so whether two of them are equal, and by how much they differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from pullback.core.shapes import shape_of
from pullback.core.tracing import Interpreter, Tracer
from pullback.graph.staging import Staging
from pullback.graph.variable import Variable

__all__ = ["Form", "call_of", "form_of", "number_of", "total"]

Form = dict[Any, int | Fraction]
"""What each value is multiplied by. The key `None` stands for 1.

A value that is computed from integers in another way is a tuple: the name of the primitive, and the
forms of what it is computed from, as `frozenset` of their items.
"""

_CALLS = frozenset({
    "maximum", "minimum", "floor_divide", "remainder", "multiply", "where", "less", "less_equal",
    "greater", "greater_equal", "equal", "not_equal", "logical_and", "logical_or", "logical_not",
    "bitwise_and", "bitwise_or", "invert",
})  # fmt: skip
"""The primitives whose results are told apart by what they are computed from."""

_DTYPES = (np.dtype(np.int64), np.dtype(np.bool_))

_SUMS = frozenset({"add", "subtract", "negative"})

_SAME = frozenset({"astype", "index"})  # of a scalar, an index of no entries

_NOTHING: Mapping[Any, Form] = {}


def total(one: Form, other: Form, factor: int | Fraction = 1) -> Form:
    """one + factor · other."""
    out = dict(one)
    for value, count in other.items():
        out[value] = out.get(value, 0) + factor * count
    return {value: count for value, count in out.items() if count}


def number_of(form: Form) -> int | Fraction | None:
    """The value of a form, if that is known."""
    return form.get(None, 0) if form.keys() <= {None} else None


def form_of(x: Any, same: Mapping[Any, Form] = _NOTHING) -> Form:
    """An integer, or a boolean, as a form; what is not known about it is a value of its own.

    Parameters
    ----------
    x : int or Tracer
    same : mapping
        The forms of arguments of what is recorded.
    """
    interpreter: Interpreter | None = None
    while type(x) is Tracer:
        if x._alias is not None:
            x._refresh()
        interpreter, x = x._interpreter, x._value
    if type(x) is not Variable:
        return _number(x)
    assert isinstance(interpreter, Staging)
    return _of_variable(x, interpreter, same)


def call_of(x: Any, same: Mapping[Any, Form] = _NOTHING) -> tuple[Any, ...] | None:
    """What a value is computed by, as a key of a form, if it is one of these primitives."""
    form = form_of(x, same)
    if len(form) == 1:
        ((key, factor),) = form.items()
        if type(key) is tuple and factor == 1:
            return key
    return None


def _number(x: Any) -> Form:
    if _kind(x) not in "iub" or shape_of(x):
        return {object(): 1}
    return {None: int(x)} if x else {}


def _kind(x: Any) -> str:
    return x.dtype.kind if type(x) is Variable else np.asarray(x).dtype.kind


def _of_variable(x: Any, staging: Staging, same: Mapping[Any, Form]) -> Form:
    if type(x) is not Variable:
        return _number(x)
    if x in same:
        return same[x]
    constant = staging.constants.get(x)
    if constant is not None:
        return {x: 1} if x.shape else form_of(constant, same)
    equation = staging.source(x)
    if equation is None or x.shape or x.dtype not in _DTYPES:  # narrow integers wrap around
        return {x: 1}
    name = equation.primitive.name
    if name not in _CALLS and name not in _SUMS and name not in _SAME:
        return {x: 1}
    if any(shape_of(each) or _kind(each) not in "iub" for each in equation.inputs):
        return {x: 1}
    forms = [_of_variable(each, staging, same) for each in equation.inputs]
    if name in _SAME:
        return forms[0]
    if name in ("add", "subtract"):
        return total(forms[0], forms[1], 1 if name == "add" else -1)
    if name == "negative":
        return total({}, forms[0], -1)
    if name == "multiply":
        for one, other in (forms, forms[::-1]):
            factor = number_of(one)
            if factor is not None:
                return total({}, other, factor)
    return {(name, *(frozenset(form.items()) for form in forms)): 1}
