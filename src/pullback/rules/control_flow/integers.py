"""What is known of the integers that a body is given: what they are not less than.

An integer from outside that a body takes is at least a number, or by so much greater than another
one that it takes. That is found when the body is recorded, from how these integers are computed;
all that stand for the integer later have it, see `pullback.graph.variable`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Interpreter, Tracer
from pullback.graph.program import Equation
from pullback.graph.staging import Staging
from pullback.graph.variable import Least, Variable

__all__ = ["Form", "is_counter", "least_of", "lowest", "relate", "total"]

Form = Mapping[Any, int]
"""What each integer is multiplied by; the key `None` stands for 1."""

_DEEP = 24
"""How many equations back it is looked for."""

_BOUNDS = 6
"""How many integers are replaced by their bounds, one after the other."""


def total(one: Form, other: Form, factor: int = 1) -> Form:
    """one + factor · other."""
    out = dict(one)
    for key, count in other.items():
        out[key] = out.get(key, 0) + factor * count
    return {key: count for key, count in out.items() if count}


def is_counter(x: Any) -> bool:
    """Whether a value is an integer of 64 bits, which doesn't wrap around."""
    return not shape_of(x) and dtype_of(x) == np.int64


def least_of(x: Any) -> int | None:
    """What an integer, traced or not, is never less than, as its recording shows; or `None`."""
    form = _form_of(x)
    return None if form is None else lowest(form)


def relate(variables: Sequence[Variable], values: Sequence[Any]) -> None:
    """Note what inputs of a body that stand for these values from outside are not less than."""
    found = []
    for x, value in zip(variables, values, strict=True):
        form = _form_of(value) if is_counter(x) else None
        if form is not None:
            x.least = Least()
            found.append((x.least, form))
    for one, form in found:
        number = lowest(form)
        if number is not None:
            one.bounds.append((None, number))
        for other, its in found:
            least = None if other is one else lowest(total(form, its, -1))
            if least is not None:
                one.bounds.append((other, least))


def lowest(form: Form, deep: int = _BOUNDS) -> int | None:
    """A number that a form is not less than."""
    if form.keys() <= {None}:
        return form.get(None, 0)
    if not deep:
        return None
    for key, factor in form.items():
        if factor > 0 and type(key) is Least:
            rest = {x: count for x, count in form.items() if x is not key}
            bounds: list[Form] = [
                {None: number} if other is None else {other: 1, None: number}
                for other, number in key.bounds
            ]
            found = [lowest(total(rest, bound, factor), deep - 1) for bound in bounds]
            return max((each for each in found if each is not None), default=None)
    return None


def _form_of(x: Any) -> Form | None:
    interpreter: Interpreter | None = None
    while type(x) is Tracer:
        if x._alias is not None:
            x._refresh()
        interpreter, x = x._interpreter, x._value
    if not is_counter(x):
        return None
    if type(x) is not Variable:
        return _number(x)
    return _of_variable(x, interpreter if isinstance(interpreter, Staging) else None, _DEEP)


def _number(x: Any) -> Form:
    return {None: int(x)} if x else {}


def _of_variable(x: Any, staging: Staging | None, deep: int) -> Form:
    if type(x) is not Variable:
        return _number(x)
    own: Form = {x if x.least is None else x.least: 1}
    if staging is None or not deep:
        return own
    constant = staging.constants.get(x)
    if constant is not None:
        found = _form_of(constant)
        return own if found is None else found
    equation = staging.source(x)
    if equation is None:
        return own
    return _of_equation(equation, staging, deep - 1) or own


def _of_equation(equation: Equation, staging: Staging, deep: int) -> Form | None:
    """A sum of multiples, or `None`; that of zero is not told from it."""
    name = equation.primitive.name
    if name not in _SUMS and name not in _SAME and name != "multiply":
        return None
    if not all(map(is_counter, equation.inputs)):
        return None
    forms = [_of_variable(x, staging, deep) for x in equation.inputs]
    if name in _SAME:
        return forms[0]
    if name in _SUMS:
        return total(forms[0], forms[1], _SUMS[name])
    for one, other in (forms, forms[::-1]):
        if one.keys() == {None}:
            return total({}, other, one[None])
    return None


_SUMS = {"add": 1, "subtract": -1}
_SAME = frozenset({"astype", "index", "stop_gradient"})
