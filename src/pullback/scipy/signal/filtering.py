"""Recursive filters, and what is made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import ArgumentValueError
from pullback.numpy.conversion import convert, inexact
from pullback.numpy.operands import anywhere, operand
from pullback.rules.filtering import linear_filter
from pullback.rules.shaping import concatenate, stack
from pullback.scipy.first_step import serves
from pullback.transforms.arguments import describe

__all__ = ["coefficients", "lfilter", "sosfilt"]


def coefficients(name: str, argument: str, c: Any) -> Any:
    """A vector, which is not empty."""
    c = np.atleast_1d(operand(c))
    if len(shape_of(c)) != 1 or not shape_of(c)[0]:
        raise ArgumentValueError(
            f"scipy.signal.{name}: {argument} is {describe(c)}, wanted a vector of coefficients"
        )
    return c


def _normalised(name: str, b: Any, a: Any) -> tuple[Any, Any]:
    """b/a₀, and a/a₀ without its first element."""
    first = a[0]
    if not known(a):
        return b / first, a[1:] / first
    if np.any(np.equal(strip(first), 0)):
        raise ArgumentValueError(
            f"scipy.signal.{name}: a is {describe(a)} and begins with 0, wanted another number"
        )
    if not isinstance(a, Tracer) and first == 1:
        return b, a[1:]
    return b / first, a[1:] / first


@serves(scipy.signal.lfilter)
def lfilter(b: Any, a: Any, x: Any, axis: Any = -1, zi: Any = None) -> Any:
    """The answer of a filter, and with an initial state the final one too."""
    b, a = coefficients("lfilter", "b", b), coefficients("lfilter", "a", a)
    x = operand(x)
    arrays = [b, a, x] if zi is None else [b, a, x, operand(zi)]
    dtype = np.result_type(*map(dtype_of, arrays))
    b, a, x, *state = (convert(each, dtype) for each in map(inexact, arrays))
    rank, order = len(shape_of(x)), max(shape_of(b)[0], shape_of(a)[0]) - 1
    if not rank:
        raise ArgumentValueError(
            f"scipy.signal.lfilter: x is {describe(x)}, wanted an array of one axis or more"
        )
    axis = normalize_axis_index(axis, rank)
    b, a = _normalised("lfilter", b, a)
    x = np.moveaxis(x, axis, -1)
    z = np.moveaxis(_state(state[0], x, axis, order), axis, -1) if state else np.zeros(order, dtype)
    y, end = linear_filter(b, a, x, z)
    y = np.moveaxis(y, -1, axis)
    return (y, np.moveaxis(end, -1, axis)) if state else y


def _state(zi: Any, x: Any, axis: int, order: int) -> Any:
    """The initial state, of a shape that fits the array, of which `axis` has become the last."""
    lead = shape_of(x)[:-1]
    wanted = (*lead[:axis], order, *lead[axis:])
    given = shape_of(zi)
    fits = len(given) == len(wanted) and all(
        m == n or (m == 1 and i != axis) for i, (m, n) in enumerate(zip(given, wanted, strict=True))
    )
    if not fits:
        raise ArgumentValueError(
            f"scipy.signal.lfilter: zi is {describe(zi)}, wanted one of shape {wanted}, or with "
            "extents of 1 other than along the axis of the filter"
        )
    return zi


@serves(scipy.signal.sosfilt)
def sosfilt(sos: Any, x: Any, axis: Any = -1, zi: Any = None) -> Any:
    """The answers of filters of second order one after the other."""
    sos, x = operand(sos), operand(x)
    if len(shape_of(sos)) != 2 or shape_of(sos)[1] != 6:
        raise ArgumentValueError(
            f"scipy.signal.sosfilt: sos is {describe(sos)}, wanted an array of shape (sections, 6)"
        )
    if not isinstance(sos, Tracer) and not np.all(sos[:, 3] == 1):
        raise ArgumentValueError(
            "scipy.signal.sosfilt: sos has denominators, of which the first coefficient, sos[:, 3],"
            f" is {sos[:, 3]}, wanted 1 in each"
        )
    arrays = [sos, x] if zi is None else [sos, x, operand(zi)]
    dtype = np.result_type(*map(dtype_of, arrays))
    sos, x, *state = (convert(each, dtype) for each in map(inexact, arrays))
    axis = normalize_axis_index(axis, len(shape_of(x)))
    sections = shape_of(sos)[0]
    x = np.moveaxis(x, axis, -1)
    wanted = (sections, *shape_of(x)[:axis], 2, *shape_of(x)[axis:-1])
    if state and shape_of(state[0]) != wanted:
        raise ArgumentValueError(
            f"scipy.signal.sosfilt: zi is {describe(state[0])}, wanted one of shape {wanted}"
        )
    starts = np.moveaxis(state[0], axis + 1, -1) if state else np.zeros((sections, 2), dtype)
    ends = []
    for i in range(sections):
        x, end = linear_filter(sos[i, :3], sos[i, 4:], x, starts[i])
        ends.append(np.moveaxis(end, -1, axis))
    y = np.moveaxis(x, -1, axis)
    return (y, stack(*ends, axis=0)) if state else y


@serves(scipy.signal.deconvolve)
def deconvolve(signal: Any, divisor: Any) -> Any:
    """The quotient and the remainder: what the filter 1/divisor answers to the signal."""
    signal = coefficients("deconvolve", "signal", signal)
    divisor = coefficients("deconvolve", "divisor", divisor)
    n = shape_of(signal)[0] - shape_of(divisor)[0] + 1
    if n < 1:
        return np.asarray([]), signal
    impulse = np.zeros(n, np.float64)
    impulse[0] = 1
    quotient = lfilter(signal, divisor, impulse)
    return quotient, signal - scipy.signal.convolve(divisor, quotient, mode="full")


_DIVIDES = bool(scipy.signal.lfiltic([1.0], [2.0, 1.0], [1.0])[0] == -0.5)
"""Whether SciPy divides this state by the first coefficient of a."""


@serves(scipy.signal.lfiltic)
def lfiltic(b: Any, a: Any, y: Any, x: Any = None) -> Any:
    """The state after the outputs y and the inputs x, the latest of them first."""
    b, a = coefficients("lfiltic", "b", b), coefficients("lfiltic", "a", a)
    past = [np.atleast_1d(inexact(operand(y)))] + ([] if x is None else [np.atleast_1d(operand(x))])
    dtype = np.result_type(*map(dtype_of, [b, a, *past]))
    b, a, *past = (convert(each, dtype) for each in map(inexact, [b, a, *past]))
    order = max(shape_of(b)[0], shape_of(a)[0]) - 1
    b, a = _normalised("lfiltic", b, a) if _DIVIDES else (b, a[1:])
    state = -_left(a, past[0], order)
    return state + _left(b[1:], past[1], order) if x is not None else state


def _left(c: Any, past: Any, order: int) -> Any:
    """Σₖ cₖvₜ₋ₖ over k > t for each t < `order`, where `past` is v₋₁, v₋₂, …, and c begins at 1."""
    if not order:
        return np.zeros(0, c.dtype)
    c = concatenate(c, np.zeros(2 * order - shape_of(c)[0], c.dtype), axis=0)
    past = concatenate(past[:order], np.zeros(max(0, order - shape_of(past)[0]), c.dtype), axis=0)
    return c[np.arange(order)[:, None] + np.arange(order)] @ past


@serves(scipy.signal.lfilter_zi)
def lfilter_zi(b: Any, a: Any) -> Any:
    """The state in which a filter answers 1, 1, … by the same number for ever.

    It is the solution of z = Aᵀz + B with A the companion matrix of a.
    """
    b, a = coefficients("lfilter_zi", "b", b), coefficients("lfilter_zi", "a", a)
    while known(a) and shape_of(a)[0] > 1 and not anywhere(a[0] != 0):
        a = a[1:]
    dtype = np.result_type(dtype_of(b), dtype_of(a))
    b, tail = _normalised("lfilter_zi", inexact(convert(b, dtype)), inexact(convert(a, dtype)))
    n = max(shape_of(tail)[0], shape_of(b)[0] - 1)
    b = concatenate(b, np.zeros(n + 1 - shape_of(b)[0], b.dtype), axis=0)
    tail = concatenate(tail, np.zeros(n - shape_of(tail)[0], tail.dtype), axis=0)
    shifts = np.eye(n, k=1, dtype=tail.dtype)[:, 1:]
    companion = concatenate(np.expand_dims(-tail, -1), shifts, axis=1)
    return np.linalg.solve(np.eye(n, dtype=tail.dtype) - companion, b[1:] - tail * b[0])
