"""The primitives that have a formula in entries, and what it is.

All others are named, and their derivative is told "by the rule of …".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.explain.expression import (
    At,
    Expr,
    Fn,
    Index,
    Num,
    Power,
    Sigma,
    exact,
    plus,
    times,
)
from pullback.graph.program import Equation

__all__ = ["Formula", "formula_of", "is_nonlinear"]

Read = Callable[[int, tuple[At, ...]], Expr]
"""The entry of an input: ``read(position, at)``."""

Formula = Callable[[Equation, Read, tuple[At, ...]], Expr]
"""The entry of the output at these indices."""


def minus(x: Expr) -> Expr:
    return times(Num(exact(-x.value)) if isinstance(x, Num) else times(Num(-1), x))


def inverse(x: Expr) -> Expr:
    return Power(x, Num(-1))


def raised(x: Expr, n: Expr) -> Expr:
    return Power(x, n)


ELEMENTWISE: dict[str, Callable[..., Expr]] = {
    "add": plus,
    "subtract": lambda x, y: plus(x, minus(y)),
    "difference": lambda x, y: plus(x, minus(y)),
    "multiply": times,
    "strong_multiply": times,
    "product": times,
    "divide": lambda x, y: times(x, inverse(y)),
    "ratio": lambda x, y: times(x, inverse(y)),
    "negative": minus,
    "positive": lambda x: x,
    "square": lambda x: Power(x, Num(2)),
    "reciprocal": inverse,
    "sqrt": lambda x: Power(x, Num(Fraction(1, 2))),
    "power": raised,
    "float_power": raised,
    "one_minus_square": lambda x: plus(Num(1), minus(Power(x, Num(2)))),
    "log2": lambda x: times(Num(exact(1 / math.log(2))), Fn("log", (x,))),
    "log10": lambda x: times(Num(exact(1 / math.log(10))), Fn("log", (x,))),
    "logaddexp": lambda x, y: Fn("log", (plus(Fn("exp", (x,)), Fn("exp", (y,))),)),
    "hypot": lambda x, y: Power(plus(Power(x, Num(2)), Power(y, Num(2))), Num(Fraction(1, 2))),
    "maximum": lambda x, y: Fn("max", (x, y)),
    "minimum": lambda x, y: Fn("min", (x, y)),
    "where": lambda c, x, y: Fn("where", (c, x, y)),
}

FUNCTIONS = {
    "tanh": "tanh", "exp": "exp", "log": "log", "sin": "sin", "cos": "cos", "tan": "tan",
    "sinh": "sinh", "cosh": "cosh", "arctan": "arctan", "arcsin": "arcsin", "arccos": "arccos",
    "arcsinh": "arcsinh", "arctanh": "arctanh", "log1p": "log1p", "expm1": "expm1",
    "logistic": "σ", "absolute": "abs", "fabs": "abs",
}  # fmt: skip
"""Functions of one entry, and what they are called."""


def is_nonlinear(equation: Equation) -> bool:
    """Whether this is a function of one entry, whose argument is worth a name."""
    return equation.primitive.name in FUNCTIONS


def formula_of(equation: Equation) -> Formula | None:
    """The formula of an equation, or `None`."""
    name = equation.primitive.name
    if any(dtype_of(x).kind == "c" for x in (*equation.inputs, *equation.outputs)):
        return None
    if name in ELEMENTWISE:
        return _elementwise(ELEMENTWISE[name])
    if name in FUNCTIONS:
        return _elementwise(lambda x: Fn(FUNCTIONS[name], (x,)))
    if name in ("astype", "copy"):
        kept = all(dtype_of(x).kind == "f" for x in (*equation.inputs, *equation.outputs))
        return _elementwise(lambda x: x) if kept else None
    if name == "index":
        return _index if _is_simple(equation.params["key"]) else None
    if name == "reshape":
        return _reshape if _squeezed(equation) is not None else None
    if name in ("matmul",):
        return _matmul
    return FORMULAS.get(name)


def _elementwise(make: Callable[..., Expr]) -> Formula:
    def formula(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
        return make(*(read(k, aligned(shape_of(x), at)) for k, x in enumerate(equation.inputs)))

    return formula


def aligned(shape: Sequence[int], at: tuple[At, ...]) -> tuple[At, ...]:
    """The indices of an operand that is broadcast."""
    last = at[len(at) - len(shape) :] if shape else ()
    return tuple(0 if n == 1 else i for n, i in zip(shape, last, strict=True))


def _matmul(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    a, b = map(shape_of, equation.inputs)
    k = Index(a[-1])
    inner: At = k if a[-1] != 1 else 0
    rows, columns = len(a) > 1, len(b) > 1
    lead = at[: len(at) - rows - columns]
    row = (at[len(lead)],) if rows else ()
    column = (at[-1],) if columns else ()
    left = (*aligned(a[:-2], lead), *row, inner)
    right = (*aligned(b[:-2], lead), inner, *column)
    body = times(read(0, left), read(1, right))
    return body if inner == 0 else Sigma(k, body)


def _over(equation: Equation, at: tuple[At, ...]) -> tuple[tuple[At, ...], list[Index]]:
    """The indices of what is reduced, and those of them that are summed over."""
    shape = shape_of(equation.inputs[0])
    axis = equation.params.get("axis")
    keep = equation.params.get("keepdims", False)
    over = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    axes = {a % len(shape) for a in over} if shape else set()
    given = list(at)
    full: list[At] = []
    bound: list[Index] = []
    for position, n in enumerate(shape):
        if position in axes:
            if keep:
                given.pop(0)
            bound += [Index(n)] if n != 1 else []
            full.append(bound[-1] if n != 1 else 0)
        else:
            full.append(given.pop(0))
    return tuple(full), bound


def summed(bound: list[Index], body: Expr) -> Expr:
    """Σ over several indices, the first outermost."""
    for index in reversed(bound):
        body = Sigma(index, body)
    return body


def _sum(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    full, bound = _over(equation, at)
    return summed(bound, read(0, full))


def _mean(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    full, bound = _over(equation, at)
    count = math.prod(index.extent for index in bound)
    return times(Num(exact(Fraction(1, count))), summed(bound, read(0, full)))


def _logsumexp(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    full, bound = _over(equation, at)
    return Fn("log", (summed(bound, Fn("exp", (read(0, full),))),))


def _softmax_parts(equation: Equation, read: Read, at: tuple[At, ...]) -> tuple[Expr, Expr]:
    """The entry, and the sum of exponentials that goes with it."""
    shape = shape_of(equation.inputs[0])
    axis = equation.params.get("axis")
    over = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    axes = {a % len(shape) for a in over}
    full = [
        Index(n) if k in axes and n != 1 else i
        for k, (n, i) in enumerate(zip(shape, at, strict=True))
    ]
    bound = [x for x, i in zip(full, at, strict=True) if x is not i and isinstance(x, Index)]
    return read(0, at), summed(bound, Fn("exp", (read(0, tuple(full)),)))


def _softmax(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    entry, total = _softmax_parts(equation, read, at)
    return times(Fn("exp", (entry,)), inverse(total))


def _log_softmax(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    entry, total = _softmax_parts(equation, read, at)
    return plus(entry, minus(Fn("log", (total,))))


def _squared_norm(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    shape = shape_of(equation.inputs[0])
    full, bound = [*at], []
    for n in shape[len(at) :]:
        bound += [Index(n)] if n != 1 else []
        full.append(bound[-1] if n != 1 else 0)
    scale = Num(exact(float(equation.params["scale"])))
    return times(scale, summed(bound, Power(read(0, tuple(full)), Num(2))))


def _total(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    shape = shape_of(equation.inputs[0])
    full, bound = [*at], []
    for n in shape[len(at) :]:
        bound += [Index(n)] if n != 1 else []
        full.append(bound[-1] if n != 1 else 0)
    count = equation.params["count"]
    return times(Num(exact(Fraction(1, int(count)))), summed(bound, read(0, tuple(full))))


def _root(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    order = equation.params.get("order", 2)
    return Power(read(0, at), Num(exact(1 / order)))


def _transpose(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    axes = equation.params.get("axes") or tuple(reversed(range(len(at))))
    full: list[At] = [0] * len(at)
    for position, axis in enumerate(axes):
        full[axis] = at[position]
    return read(0, tuple(full))


def _broadcast_to(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    return read(0, aligned(shape_of(equation.inputs[0]), at))


def _diagonal(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    return read(0, (*at, at[-1]))


def _is_simple(key: Any) -> bool:
    """Whether an index consists of numbers, full slices and new axes."""
    full = slice(None)
    return isinstance(key, tuple) and all(
        k is None or k is Ellipsis or (type(k) is slice and k == full)
        or (isinstance(k, int | np.integer) and not isinstance(k, bool))
        for k in key
    )  # fmt: skip


def _index(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    shape = shape_of(equation.inputs[0])
    key = list(equation.params["key"])
    named = sum(k is not None and k is not Ellipsis for k in key)
    if Ellipsis in [k if k is Ellipsis else None for k in key]:
        place = next(n for n, k in enumerate(key) if k is Ellipsis)
        key[place : place + 1] = [slice(None)] * (len(shape) - named)
    else:
        key += [slice(None)] * (len(shape) - named)
    given, full = list(at), []
    for k in key:
        if k is None:
            given.pop(0)
        elif isinstance(k, slice):
            full.append(given.pop(0))
        else:
            full.append(int(k) % shape[len(full)])
    return read(0, tuple(full))


def _squeezed(equation: Equation) -> list[int | None] | None:
    """For each axis of the input that of the output; `None` unless only axes of length 1 change."""
    old, new = shape_of(equation.inputs[0]), equation.outputs[0].shape
    long = [k for k, n in enumerate(new) if n != 1]
    if [n for n in old if n != 1] != [new[k] for k in long]:
        return None
    remaining = iter(long)
    return [None if n == 1 else next(remaining) for n in old]


def _reshape(equation: Equation, read: Read, at: tuple[At, ...]) -> Expr:
    places = _squeezed(equation)
    assert places is not None
    return read(0, tuple(0 if k is None else at[k] for k in places))


FORMULAS: dict[str, Formula] = {
    "sum": _sum,
    "mean": _mean,
    "logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "squared_norm": _squared_norm,
    "total": _total,
    "root": _root,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
}
"""By the name of the primitive."""
