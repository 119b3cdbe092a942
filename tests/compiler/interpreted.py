"""Graphs run through the interpreter of the language of loops."""

from __future__ import annotations

import math

import numpy as np

from pullback.compiler.loops import interpret, verify
from pullback.compiler.lowering import lower
from pullback.core.shapes import dtype_of, shape_of
from tests.compiler.fortran import SYMBOLS


def parts(x):
    """An array in C order; of a complex one the parts, as they lie in memory."""
    x = np.ascontiguousarray(x)
    return x.view(x.real.dtype)


def python_call(call):
    """What `interpret` calls for an equation that stays Python's."""

    def run(*operands):
        kinds = (*call.reads, *call.writes)
        arrays = [
            row.view(dtype)[: math.prod(shape)].reshape(shape)
            for row, (shape, dtype) in zip(operands, kinds, strict=True)
        ]
        given = iter(arrays)
        equation = call.equation
        args = [
            call.literals[i] if i in call.literals else next(given)
            for i in range(len(equation.inputs))
        ]
        with np.errstate(all="ignore"):
            out = equation.primitive.value(*args, **equation.params)
        outs = out if equation.primitive.multiple else (out,)
        for array, value in zip(given, outs, strict=True):
            array[...] = value

    return run


def interpreted(graph, leaves, lowered=None):
    """The outputs of a graph that is lowered, and what it was lowered to."""
    lowered = lowered or lower(graph)
    verify(lowered.program)
    values = [parts(np.asarray(x)) for x in (*leaves, *lowered.constants)]
    calls = list(map(python_call, lowered.calls))
    rows = interpret(lowered.program, values, calls, SYMBOLS)
    return [
        row.view(dtype_of(out)).reshape(shape_of(out))
        for row, out in zip(rows, graph.outputs, strict=True)
    ], lowered
