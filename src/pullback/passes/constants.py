"""Constant folding: equations whose inputs are all known are evaluated.

Only what is small is evaluated, and a repeated number is never written out. An empty array is a
constant whatever it is made from.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import is_plain
from pullback.graph.program import Atom, Equation
from pullback.graph.variable import Variable
from pullback.passes.rewriting import Pass, Rewriting
from pullback.rules.shaping import broadcast_to

__all__ = ["MOST_ELEMENTS", "fold_constants"]

MOST_ELEMENTS = 1024
"""The largest arrays that are evaluated, and that something is evaluated of."""


def _fold(rewriting: Rewriting, equation: Equation) -> tuple[Atom, ...] | None:
    """The values of the outputs: if they are empty; if all inputs are known, and no array large."""
    primitive, inputs, outputs = equation.primitive, equation.inputs, equation.outputs
    if outputs and all(0 in out.shape for out in outputs):
        if primitive is broadcast_to and type(inputs[0]) is not Variable:
            return None
        if not all(out.dtype.isnative for out in outputs):
            return None  # no scalar is
        return tuple(out.dtype.type(0) for out in outputs)
    for x in inputs:
        if type(x) is Variable and x not in rewriting.constants and x not in rewriting.sources:
            return None
    if primitive is broadcast_to and outputs[0].shape:
        return None
    if any(out.size > MOST_ELEMENTS for out in outputs):
        return None
    values = [_value(rewriting, x) for x in inputs]
    if any(value is None for value in values):
        return None
    try:
        results = primitive.value(*values, **equation.params)
    except Exception:
        return None  # it is to fail when the graph is run, not now
    if not primitive.multiple:
        results = (results,)
    for result, out in zip(results, outputs, strict=True):
        if shape_of(result) != out.shape or dtype_of(result) != out.dtype:
            return None
    return tuple(map(rewriting.constant, results))


def _value(rewriting: Rewriting, x: Atom) -> Any:
    """What is known of `x`, or `None`."""
    if type(x) is not Variable:
        return x
    if x.size > MOST_ELEMENTS:
        return None
    value = rewriting.constants.get(x)
    if value is not None:
        return value if is_plain(value) else None
    source = _value(rewriting, rewriting.sources[x]) if x in rewriting.sources else None
    return None if source is None else np.broadcast_to(source, x.shape)


fold_constants = Pass(general=_fold)
