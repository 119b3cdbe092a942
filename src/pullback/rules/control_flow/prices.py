"""What it costs to evaluate an equation of a body again, rather than to keep its results.

Prices are in proportion to bytes. A byte that is kept is written, and read again, which counts as
`KEEPING`. Of a large array that takes longer than an elementary function, and ten times as long as
a sum or a product that is computed with others in one go. A few numbers are computed one at a time,
and what is kept of them is near: an elementary function costs more than to keep some of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of
from pullback.core.structure import Reduction
from pullback.core.structure.axes import size_of
from pullback.graph.program import Equation
from pullback.graph.variable import Variable
from pullback.rules.arithmetic import power

__all__ = ["price"]

_SIMPLE, _SIMPLE_OF_FEW = 1, 2
"""A sum or a product."""

_ELEMENTARY, _ELEMENTARY_OF_FEW = 6, 40
"""An exponential, or another function of NumPy's."""

_FEW = 3
"""The extent up to which an array is a few numbers: a point, a rotation. Graphs of larger ones keep
the same whatever their size, and so have one key."""

_LARGEST_POWER = 4
"""The exponent up to which a power is a few products."""


def price(equation: Equation) -> int | None:
    """What it costs to evaluate an equation again; `None` if it is not to be."""
    primitive = equation.primitive
    structure, nbytes = primitive.structure, _nbytes(equation.outputs)
    few = all(extent <= _FEW for x in equation.outputs for extent in x.shape)
    simple = _SIMPLE_OF_FEW if few else _SIMPLE
    if structure.cheap:
        return simple * nbytes
    if primitive is power and _is_small(equation.inputs[1]):
        return 2 * simple * nbytes
    if structure.elementwise and _is_elementary(primitive.value):
        return (_ELEMENTARY_OF_FEW if few else _ELEMENTARY) * nbytes
    if type(structure) is Reduction and structure.operation is not None:
        return simple * _nbytes(equation.inputs)
    return None


def _is_small(exponent: Any) -> bool:
    if type(exponent) is Variable:
        return False
    return bool(exponent in range(_LARGEST_POWER + 1))


def _is_elementary(function: Any) -> bool:
    return isinstance(function, np.ufunc) and getattr(np, function.__name__, None) is function


def _nbytes(values: Iterable[Any]) -> int:
    return sum(size_of(x) * dtype_of(x).itemsize for x in values)
