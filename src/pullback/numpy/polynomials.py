"""NumPy's polynomials, coefficients first to last by falling power, and numerical gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import ArgumentValueError
from pullback.numpy import contractions
from pullback.numpy.conversion import convert, inexact, promoted
from pullback.numpy.operands import operand
from pullback.numpy.registration import implements
from pullback.numpy.views import laid_like
from pullback.rules.shaping import concatenate, reshape

__all__: list[str] = []


@implements(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    """Horner's scheme."""
    p, x = operand(p), operand(x)
    y = np.zeros_like(x) * p[0] if shape_of(p)[0] else np.zeros_like(x)
    for coefficient in p:
        y = y * x + coefficient
    return y


def _coefficients(p: Any) -> Any:
    p = operand(p)
    return reshape(p, shape=(1,)) if len(shape_of(p)) == 0 else p


@implements(np.polymul)
def polymul(a1: Any, a2: Any) -> Any:
    """Coefficients that are zero at the front are kept."""
    return contractions.convolve(_coefficients(a1), _coefficients(a2))


@implements(np.polyder)
def polyder(p: Any, m: int = 1) -> Any:
    p = _coefficients(p)
    if m < 0:
        raise ArgumentValueError(f"np.polyder: got m={m}; the order must not be negative")
    for _ in range(m):
        degree = shape_of(p)[0] - 1
        p = p[:-1] * np.arange(degree, 0, -1)
    return p


@implements(np.polyint)
def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    p = _coefficients(p)
    if m < 0:
        raise ArgumentValueError(f"np.polyint: got m={m}; the order must not be negative")
    constants = np.broadcast_to(_coefficients(0.0 if k is None else k), (m,))
    for i in range(m):
        p = concatenate(p / np.arange(shape_of(p)[0], 0, -1), constants[i : i + 1], axis=0)
    return p


# -- numerical gradients --------------------------------------------------------------------------


@implements(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f = inexact(operand(f))
    shape = shape_of(f)
    axes = tuple(range(len(shape))) if axis is None else normalize_axis_tuple(axis, len(shape))
    spacings = varargs or (1.0,)
    if len(spacings) == 1 and not shape_of(operand(spacings[0])):
        spacings = spacings * len(axes)
    if len(spacings) != len(axes):
        raise ArgumentValueError(
            f"np.gradient: got {len(varargs)} spacings for {len(axes)} axes; give one for all, or "
            "one for each"
        )
    if edge_order not in (1, 2):
        raise ArgumentValueError(f"np.gradient: got edge_order={edge_order}; give 1 or 2")
    for place in axes:
        if shape[place] <= edge_order:
            raise ArgumentValueError(
                f"np.gradient: axis {place} of an array of shape {shape} is too short; "
                f"edge_order={edge_order} wants at least {edge_order + 1} elements"
            )
    slopes = tuple(
        _slope(f, place, promoted(f, inexact(operand(spacing)))[1], edge_order)
        for place, spacing in zip(axes, spacings, strict=True)
    )
    return slopes[0] if len(slopes) == 1 else slopes


def _slope(f: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    """Central differences inside, and of order `edge_order` at both ends, along one axis."""
    extent, dtype = shape_of(f)[axis], dtype_of(f)
    if shape_of(spacing) not in ((), (extent,)):
        raise ArgumentValueError(
            f"np.gradient: got positions of shape {shape_of(spacing)} for an axis of extent "
            f"{extent}; give one for each element"
        )
    whole, f = f, np.moveaxis(f, axis, -1)
    if shape_of(spacing):
        slope = _uneven(f, spacing[1:] - spacing[:-1], edge_order)
    else:
        slope = _even(f, spacing, edge_order)
    return laid_like(whole, np.moveaxis(convert(slope, dtype), -1, axis))


def _even(f: Any, h: Any, edge_order: int) -> Any:
    """The slopes of `f` at positions that are all `h` apart, along the last axis."""
    inside = (f[..., 2:] - f[..., :-2]) / (2 * h)
    if edge_order == 1:
        first = (f[..., 1:2] - f[..., :1]) / h
        last = (f[..., -1:] - f[..., -2:-1]) / h
    else:
        first = -1.5 / h * f[..., :1] + 2.0 / h * f[..., 1:2] + -0.5 / h * f[..., 2:3]
        last = 0.5 / h * f[..., -3:-2] + -2.0 / h * f[..., -2:-1] + 1.5 / h * f[..., -1:]
    return np.concatenate([first, inside, last], axis=-1)


def _uneven(f: Any, steps: Any, edge_order: int) -> Any:
    """The slopes of `f` at positions with these distances from one to the next."""
    h1, h2 = steps[:-1], steps[1:]
    inside = (
        -(h2 / (h1 * (h1 + h2))) * f[..., :-2]
        + (h2 - h1) / (h1 * h2) * f[..., 1:-1]
        + h1 / (h2 * (h1 + h2)) * f[..., 2:]
    )
    if edge_order == 1:
        first = (f[..., 1:2] - f[..., :1]) / steps[:1]
        last = (f[..., -1:] - f[..., -2:-1]) / steps[-1:]
    else:
        first = _first(f[..., :3], steps[0], steps[1])
        last = _last(f[..., -3:], steps[-2], steps[-1])
    return np.concatenate([first, inside, last], axis=-1)


def _first(f: Any, h1: Any, h2: Any) -> Any:
    """The slope at the first of three points, of the parabola through them."""
    slope = (
        -(2.0 * h1 + h2) / (h1 * (h1 + h2)) * f[..., 0]
        + (h1 + h2) / (h1 * h2) * f[..., 1]
        + -h1 / (h2 * (h1 + h2)) * f[..., 2]
    )
    return slope[..., None]


def _last(f: Any, h1: Any, h2: Any) -> Any:
    """The slope at the last of three points, of the parabola through them."""
    slope = (
        h2 / (h1 * (h1 + h2)) * f[..., 0]
        + -(h2 + h1) / (h1 * h2) * f[..., 1]
        + (2.0 * h2 + h1) / (h2 * (h1 + h2)) * f[..., 2]
    )
    return slope[..., None]
