"""NumPy's functions from roots to coefficients and back, division of polynomials, and fits."""

from __future__ import annotations

import sys
from traceback import walk_stack
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import ArgumentValueError, DataDependenceError
from pullback.graph.places import user_line
from pullback.numpy.conversion import convert, inexact
from pullback.numpy.operands import operand
from pullback.numpy.protocol import are_constant
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


@implements(np.polydiv)
def polydiv(u: Any, v: Any) -> tuple[Any, Any]:
    """The remainder has as many coefficients as the divisor, less one; NumPy trims zeros of it.

    That a coefficient is zero does not say that its derivative is.
    """
    whole = isinstance(u, np.poly1d) or isinstance(v, np.poly1d)
    u, v = (each.coeffs if isinstance(each, np.poly1d) else each for each in (u, v))
    u, v = np.atleast_1d(operand(u)) + 0.0, np.atleast_1d(operand(v)) + 0.0
    dtype = dtype_of(u[0] + v[0])
    steps, n = shape_of(u)[0] - shape_of(v)[0] + 1, shape_of(v)[0]
    scale, rest, found = 1.0 / v[0], convert(u, dtype), []
    for _ in range(steps):
        found.append(scale * rest[0])
        rest = np.concatenate([rest[1:n] - (found[-1] * v)[1:], rest[n:]])
    quotient = np.stack(found) if found else np.zeros(1, dtype)
    if not shape_of(rest)[0]:
        rest = np.zeros(1, dtype)
    return (np.poly1d(quotient), np.poly1d(rest)) if whole else (quotient, rest)


@implements(np.trim_zeros)
def trim_zeros(filt: Any, *options: Any, **others: Any) -> Any:
    """What is asked for is cut off; the coefficients that `numpy.poly1d` has it trim are kept.

    That a coefficient is zero does not say that its derivative is.
    """
    if _is_called_by("numpy.lib._polynomial_impl") and not are_constant(filt):
        return filt
    return _trim_zeros(filt, *options, **others)


_trim_zeros = rewritten(np.trim_zeros)


def _is_called_by(module: str) -> bool:
    """Whether the first function that isn't pullback's is in a module of this name."""
    callers = (frame for frame, _ in walk_stack(sys._getframe(1)))
    names = (frame.f_globals.get("__name__", "") for frame in callers)
    return next((name for name in names if not name.startswith("pullback.")), "") == module


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
