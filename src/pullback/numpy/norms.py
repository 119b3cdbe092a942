"""NumPy's norms of vectors and matrices. The gradient of a norm at 0 is 0."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentValueError
from pullback.numpy.conversion import inexact
from pullback.numpy.operands import operand
from pullback.numpy.reductions import require_elements
from pullback.numpy.registration import implements
from pullback.rules import reductions
from pullback.rules.shaping import reshape

__all__ = ["norm"]


@implements(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    x = inexact(operand(x))
    rank = len(shape_of(x))
    if axis is None and ord is None:
        return _euclidean(x, None, keepdims)
    axes = tuple(range(rank)) if axis is None else normalize_axis_tuple(axis, rank)
    if len(axes) == 1:
        return _of_vectors(x, 2 if ord is None else ord, axes, keepdims)
    if len(axes) == 2:
        return _of_matrices(x, "fro" if ord is None else ord, axes, keepdims)
    raise ArgumentValueError(
        f"np.linalg.norm: got ord={ord!r} and {len(axes)} axes of an array of shape {shape_of(x)}; "
        "give one axis for norms of vectors, two for norms of matrices, or leave ord out"
    )


@implements(np.linalg.vector_norm)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    x = inexact(operand(x))
    rank = len(shape_of(x))
    axes = tuple(range(rank)) if axis is None else normalize_axis_tuple(axis, rank)
    return _of_vectors(x, ord, axes, keepdims)


def _euclidean(x: Any, axes: Any, keepdims: bool) -> Any:
    """√Σ|x|²."""
    squares = np.real(x * np.conj(x)) if dtype_of(x).kind == "c" else np.square(x)
    return reductions.root(reductions.sum(squares, axis=axes, keepdims=keepdims))


def _of_vectors(x: Any, ord: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """(Σ|x|ᵖ)^(1/p) with p = `ord`, and its limits."""
    if isinstance(ord, Tracer):
        return _of_order(x, ord, axes, keepdims)
    if ord == 2:
        return _euclidean(x, axes, keepdims)
    if not isinstance(ord, int | float | np.integer | np.floating):
        raise ArgumentValueError(
            f"np.linalg.norm: got ord={ord!r} for vectors; give a number, inf or -inf"
        )
    if abs(ord) == np.inf:
        require_elements("np.linalg.norm", x, axes)
    if ord == np.inf:
        return reductions.max(np.abs(x), axis=axes, keepdims=keepdims)
    if ord == -np.inf:
        return reductions.min(np.abs(x), axis=axes, keepdims=keepdims)
    if ord == 0:
        nonzero = reductions.count_nonzero(x, axis=axes, keepdims=keepdims)
        counted: Any = nonzero if isinstance(nonzero, Tracer) else np.asarray(nonzero)
        return counted.astype(np.abs(np.empty(0, dtype_of(x))).dtype)[()]
    if ord == 1:
        return reductions.sum(np.abs(x), axis=axes, keepdims=keepdims)
    return _of_order(x, ord, axes, keepdims)


def _of_order(x: Any, p: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """(Σ|x|ᵖ)^(1/p)."""
    power = reductions.sum(np.abs(x) ** p, axis=axes, keepdims=keepdims)
    if p < 0:
        return power ** (1 / p)
    if not isinstance(p, Tracer):
        return reductions.root(power, order=p)
    zero = np.equal(power, 0)
    inverse: Any = np.reciprocal(p)
    value = np.where(zero, 0, np.where(zero, 1, power) ** inverse)
    return value + 0 * reductions.root(np.minimum(power, 1))  # whose second derivative is NaN at 0


def _of_matrices(x: Any, ord: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    """Frobenius, spectral and nuclear norms, largest and smallest sums over rows and columns."""
    if ord in ("fro", "f"):
        return _euclidean(x, axes, keepdims)
    rows, columns = axes
    extremum = {1: "max", np.inf: "max", -1: "min", -np.inf: "min"}.get(ord)
    if extremum is not None:
        along = rows if abs(ord) == 1 else columns
        sums = reductions.sum(np.abs(x), axis=along, keepdims=True)
        value = getattr(reductions, extremum)(sums, axis=axes, keepdims=True)
    elif ord in ("nuc", 2, -2):
        values = np.linalg.svd(np.moveaxis(x, axes, (-2, -1)), compute_uv=False)
        chosen = {"nuc": reductions.sum, 2: reductions.max, -2: reductions.min}[ord]
        value = chosen(values, axis=-1)
    else:
        raise ArgumentValueError(
            f"np.linalg.norm: got ord={ord!r} for matrices; give 'fro', 'nuc', 1, 2, inf, or the "
            "negative of one of these numbers"
        )
    shape = tuple(
        1 if i in axes else extent
        for i, extent in enumerate(shape_of(x))
        if keepdims or i not in axes
    )
    return reshape(value, shape=shape)
