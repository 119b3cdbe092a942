"""NumPy's functions from roots to coefficients and back, division of polynomials, and fits."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import ArgumentValueError, DataDependenceError
from pullback.graph.places import user_line
from pullback.numpy.conversion import inexact
from pullback.numpy.operands import operand
from pullback.numpy.registration import implements
from pullback.numpy.rewriting import NUMPY, rewritten
from pullback.rules.custom import stop_gradient
from pullback.rules.roots import roots as roots_of

__all__ = ["least_squares"]


def least_squares(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """`numpy.linalg.lstsq`, of a matrix of full rank where its rank can't be known."""
    matrix = stop_gradient(operand(a))
    if type(matrix) is not Tracer or matrix._is_constant:
        return np.linalg.lstsq(a, b, rcond)
    rows, columns = shape_of(a)
    x = np.linalg.pinv(a, rcond) @ b
    squares = np.sum(np.abs(b - a @ x) ** 2, axis=0, keepdims=len(shape_of(b)) == 1)
    squares = squares if rows > columns else squares[:0]
    return x, squares, min(rows, columns), np.linalg.svdvals(a)


implements(np.poly)(rewritten(np.poly))
_fit = rewritten(np.polyfit, lstsq=least_squares)


@implements(np.polyfit)
def polyfit(x: Any, y: Any, deg: Any, *options: Any, **others: Any) -> Any:
    return _fit(NUMPY.array(operand(x)), NUMPY.array(operand(y)), deg, *options, **others)


_divide = rewritten(np.polydiv)


@implements(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """What is near 0 at the front of the remainder is left out, as in NumPy."""
    whole = isinstance(u, np.poly1d) or isinstance(v, np.poly1d)
    u, v = (each.coeffs if isinstance(each, np.poly1d) else each for each in (u, v))
    quotient, remainder = _divide(NUMPY.array(operand(u)), NUMPY.array(operand(v)))
    return (np.poly1d(quotient), np.poly1d(remainder)) if whole else (quotient, remainder)


@implements(np.roots)
def roots(p: Any) -> Any:
    """A simple root moves by −ṗ(r)/p′(r); multiple ones have no derivative.

    With a zero in front the number of roots jumps, so that such a one is constant. Of mapped
    coefficients the roots are real if those of all examples are.
    """
    p = np.atleast_1d(operand(p))
    if len(shape_of(p)) != 1:
        raise ArgumentValueError(
            f"np.roots: got an array of shape {shape_of(p)}; it wants the coefficients in one axis"
        )
    x = inexact(p)
    if not known(x):
        if dtype_of(x).kind == "c":
            return roots_of(x, real=False)
        raise DataDependenceError(
            "numpy.roots: whether the result is real or complex depends on the values of an array "
            f"of dtype {dtype_of(x)} and shape {shape_of(x)}, which are not known while a graph is "
            f"recorded{user_line()}. Make the coefficients complex: p + 0j"
        )
    values = np.reshape(strip(x), (-1, shape_of(x)[-1]))
    leads = {int(np.argmax(row != 0)) if np.any(row) else len(row) - 1 for row in values}
    if len(leads) > 1:
        raise DataDependenceError(
            "numpy.roots: the coefficients of some examples lead with more zeros than those of "
            "others, so that the number of roots differs"
        )
    (lead,) = leads or {0}
    real = all(np.roots(row).dtype.kind != "c" for row in values)
    out = roots_of(x[lead:], real=real)
    return out if isinstance(out, Tracer) else np.asarray(out)
