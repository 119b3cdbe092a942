"""The values of a recorded function, and what each of them is told by either sweep."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, is_inexact
from pullback.explain.program import Reading
from pullback.graph.program import Equation, Program
from pullback.graph.variable import Variable
from pullback.transforms.forward import pushforward
from pullback.transforms.reverse import vjp

__all__ = ["cotangents", "tangents", "values_of"]

Values = dict[Variable, Any]


def values_of(program: Program, inputs: list[Any]) -> Values:
    """The value of every variable."""
    state: Values = {x: np.asarray(array) for x, array in program.constants.items()}
    state.update((x, np.asarray(v)) for x, v in zip(program.inputs, inputs, strict=True))
    with np.errstate(all="ignore"):
        for equation in program.equations:
            args = [state[x] if type(x) is Variable else x for x in equation.inputs]
            out = equation.primitive(*args, **equation.params)
            outs = out if equation.primitive.multiple else (out,)
            for variable, value in zip(equation.outputs, outs, strict=True):
                state[variable] = np.asarray(value)
    return state


def _active_call(equation: Equation, reading: Reading, values: Values) -> tuple[list[int], Any]:
    """The positions that are differentiated, and the equation as a function of them."""
    args = [values[x] if type(x) is Variable else x for x in equation.inputs]
    places = [
        k for k, x in enumerate(equation.inputs)
        if type(x) is Variable and x in reading.active and dtype_of(x).kind in "fc"
    ]  # fmt: skip

    def call(*given: Any) -> Any:
        row = list(args)
        for k, x in zip(places, given, strict=True):
            row[k] = x
        return equation.primitive(*row, **equation.params)

    return places, call


def cotangents(reading: Reading, values: Values, seeds: Values) -> Values:
    """The cotangent of every variable that the results depend on.

    Each primitive's pullback is applied by itself, from the last equation to the first.
    """
    bars = dict(seeds)
    for equation in reversed(reading.program.equations):
        outs = [bars.get(x) for x in equation.outputs]
        if all(x is None for x in outs):
            continue
        places, call = _active_call(equation, reading, values)
        if not places or not any(x in reading.active for x in equation.outputs):
            continue
        with np.errstate(all="ignore"):
            _, pull = vjp(call, *(values[equation.inputs[k]] for k in places))
            full = [
                bar if bar is not None else np.zeros(x.shape, x.dtype) if is_inexact(x) else None
                for bar, x in zip(outs, equation.outputs, strict=True)
            ]
            found = pull(tuple(full) if equation.primitive.multiple else full[0])
        for k, bar in zip(places, found, strict=True):
            if bar is None:
                continue
            x = equation.inputs[k]
            bars[x] = bars[x] + bar if x in bars else np.asarray(bar)
    return bars


def tangents(reading: Reading, values: Values, given: Values) -> Values:
    """The tangent of every variable that depends on the arguments."""
    dots = dict(given)
    for equation in reading.program.equations:
        places, call = _active_call(equation, reading, values)
        places = [k for k in places if equation.inputs[k] in dots]
        if not places or not any(x in reading.active for x in equation.outputs):
            continue
        places, call = _active_call(equation, reading, values)
        primals = tuple(values[equation.inputs[k]] for k in places)
        dot = tuple(
            dots.get(equation.inputs[k], np.zeros_like(x))
            for k, x in zip(places, primals, strict=True)
        )
        with np.errstate(all="ignore"):
            _, found = pushforward(call, primals, dot)
        outs = found if equation.primitive.multiple else (found,)
        for x, value in zip(equation.outputs, outs, strict=True):
            if x in reading.active and value is not None:
                dots[x] = np.asarray(value)
    return dots
