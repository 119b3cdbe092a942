"""Bounds: how large the elements of an array can be, whatever the inputs are.

Nothing is known of floating-point inputs, which may be infinite or not a number. Integers, truth
values and constants are finite, and so are many functions of them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.primitive import Primitive, registry
from pullback.core.shapes import dtype_of, shape_of
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.rewriting import Rewriting
from pullback.rules import arithmetic, reductions, shaping
from pullback.rules.complex import absolute, conjugate, imag, real
from pullback.rules.contractions import matmul
from pullback.rules.conversion import astype
from pullback.rules.exponential import exp, logistic
from pullback.rules.indexing import index
from pullback.rules.selection import maximum, minimum, where

__all__ = ["DEEPEST", "bound"]

DEEPEST = 12
"""How many equations back a bound is looked for."""


def bound(rw: Rewriting, x: Atom, depth: int = DEEPEST) -> float:
    """A number that no element of `x` exceeds in modulus; infinite if none is known.

    Where there is one, no element is NaN either.
    """
    if type(x) is not Variable:
        return _of_values(np.asarray(x))
    if x.dtype.kind not in "fc":
        return _of_integers(x.dtype)
    key = (bound, x)
    found, looked = rw.notes.get(key, (math.inf, -1))
    # Where it was looked for as far back, there is no other one.
    if found == math.inf and looked < depth:
        found = _of_variable(rw, x, depth)
        rw.notes[key] = found, depth
    return float(found)


def _of_variable(rw: Rewriting, x: Variable, depth: int) -> float:
    if x in rw.constants:
        return _of_values(np.asarray(rw.constants[x]))
    equation = rw.origin.get(x)
    rule = None if equation is None else _RULES.get(equation.primitive)
    if rule is None or equation is None or not depth:
        return math.inf
    bounds = [bound(rw, each, depth - 1) for each in equation.inputs]
    try:
        found = float(rule(equation, *bounds))
    except OverflowError:
        return math.inf
    # Less than half of the largest number, for what is computed is rounded.
    return found if 2 * found <= _largest_number(x.dtype) else math.inf


@functools.cache
def _largest_number(dtype: np.dtype[Any]) -> float:
    return float(np.finfo(dtype).max)


def _of_integers(dtype: np.dtype[Any]) -> float:
    if dtype.kind == "b":
        return 1.0
    limits = np.iinfo(dtype)
    return float(max(-int(limits.min), int(limits.max)))


def _of_values(values: np.ndarray[Any, Any]) -> float:
    if values.dtype.kind not in "biufc":
        return math.inf
    with np.errstate(all="ignore"):
        most = float(np.max(np.abs(values), initial=0)) if values.dtype.kind != "b" else 1.0
    return most if most < math.inf else math.inf


# -- rules ----------------------------------------------------------------------------------------

Bound = Callable[..., float]
"""``rule(equation, *bounds)``, from those of the arguments."""


def _same(_equation: Equation, x: float, *_: float) -> float:
    return x


def _largest(_equation: Equation, *xs: float) -> float:
    return max(xs)


def _one(_equation: Equation, x: float) -> float:
    """Of what is at most 1 for every finite number."""
    return 1.0 if x < math.inf else math.inf


def _chosen(_equation: Equation, _condition: float, x: float, y: float) -> float:
    return max(x, y)


def _sum(_equation: Equation, x: float, y: float) -> float:
    return x + y


def _product(_equation: Equation, x: float, y: float) -> float:
    return x * y if max(x, y) < math.inf else math.inf


def _square(_equation: Equation, x: float) -> float:
    return x * x


def _exponential(_equation: Equation, x: float) -> float:
    return math.exp(x) if x < math.inf else math.inf


def _quotient(equation: Equation, x: float, _y: float) -> float:
    """Of a number that is not 0."""
    y = equation.inputs[1]
    return x / abs(y) if type(y) is not Variable and y != 0 else math.inf


def _total(equation: Equation, x: float) -> float:
    size = math.prod(shape_of(equation.inputs[0])) // max(equation.outputs[0].size, 1)
    return x * size if x < math.inf else math.inf


def _contraction(equation: Equation, x: float, y: float) -> float:
    left, right = equation.inputs
    if dtype_of(left) != dtype_of(right) or max(x, y) == math.inf:
        return math.inf
    return x * y * shape_of(left)[-1]


_RULES: dict[Primitive, Bound] = {
    **dict.fromkeys((index, shaping.reshape, shaping.transpose, shaping.broadcast_to), _same),
    **dict.fromkeys((astype, arithmetic.negative, absolute, conjugate, real, imag), _same),
    **dict.fromkeys((shaping.stack, shaping.concatenate, maximum, minimum), _largest),
    **dict.fromkeys((*(registry[name] for name in ("sin", "cos", "tanh", "sign")), logistic), _one),
    **dict.fromkeys((arithmetic.add, arithmetic.subtract), _sum),
    where: _chosen,
    arithmetic.multiply: _product,
    arithmetic.square: _square,
    arithmetic.divide: _quotient,
    exp: _exponential,
    reductions.sum: _total,
    matmul: _contraction,
}
