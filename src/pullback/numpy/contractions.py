"""NumPy's products that sum over shared axes: dot, inner, outer, tensordot and their relatives.

They bring their arguments to a form in which one matrix multiplication does the work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import ArgumentValueError
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand
from pullback.numpy.registration import implements
from pullback.numpy.rewriting import rewritten
from pullback.numpy.views import as_array
from pullback.rules import contractions, reductions
from pullback.rules.registration import array_ufuncs
from pullback.rules.shaping import reshape, transpose

__all__ = ["convolve"]


@implements(np.linalg.matmul)
def matmul(x1: Any, x2: Any, /) -> Any:
    return contractions.matmul(operand(x1), operand(x2))


@implements(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Any:
    a, b = operand(a), operand(b)
    rank_a, rank_b = len(shape_of(a)), len(shape_of(b))
    if rank_a == 0 or rank_b == 0:
        return np.multiply(a, b)
    if rank_b <= 2:
        return contractions.matmul(a, b)
    return tensordot(a, b, axes=(-1, -2))


@implements(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    a, b = operand(a), operand(b)
    if not shape_of(a) or not shape_of(b):
        return np.multiply(a, b)
    return tensordot(a, b, axes=(-1, -1))


@implements(np.vdot)
def vdot(a: Any, b: Any, /) -> Any:
    a, b = operand(a), operand(b)
    return contractions.matmul(_flat(_conjugated(a)), _flat(b))


def _flat(x: Any) -> Any:
    return reshape(x, shape=(math.prod(shape_of(x)),))


@implements(np.outer)
def outer(a: Any, b: Any) -> Any:
    a, b = _flat(operand(a)), _flat(operand(b))
    return reshape(a, shape=(*shape_of(a), 1)) * b


@implements(np.linalg.outer)
def linalg_outer(x1: Any, x2: Any, /) -> Any:
    x1, x2 = operand(x1), operand(x2)
    if len(shape_of(x1)) != 1 or len(shape_of(x2)) != 1:
        raise ArgumentValueError(
            f"np.linalg.outer: got arrays of shapes {shape_of(x1)} and {shape_of(x2)}; it wants "
            "two vectors: use np.outer, which flattens its arguments, or x1[..., :, None] * "
            "x2[..., None, :]"
        )
    return outer(x1, x2)


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    a, b = operand(a), operand(b)
    shape_a, shape_b = shape_of(a), shape_of(b)
    axes_a, axes_b = _summed_axes(axes, len(shape_a), len(shape_b))
    if [shape_a[axis] for axis in axes_a] != [shape_b[axis] for axis in axes_b]:
        raise ArgumentValueError(
            f"np.tensordot: the axes {axes_a} of shape {shape_a} and {axes_b} of shape {shape_b} "
            "are summed over together and must have the same extents"
        )
    free_a = [axis for axis in range(len(shape_a)) if axis not in axes_a]
    free_b = [axis for axis in range(len(shape_b)) if axis not in axes_b]
    rows = _matrix(a, free_a, axes_a)
    columns = _matrix(b, axes_b, free_b)
    shape = tuple(shape_a[axis] for axis in free_a) + tuple(shape_b[axis] for axis in free_b)
    product = contractions.matmul(rows, columns)
    return product if shape_of(product) == shape else as_array(reshape(product, shape=shape))


def _summed_axes(axes: Any, rank_a: int, rank_b: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes to sum over, of each argument."""
    if not isinstance(axes, Sequence | np.ndarray):
        count = int(axes)
        if not 0 <= count <= min(rank_a, rank_b):
            raise ArgumentValueError(
                f"np.tensordot: got axes={count} for arrays of {rank_a} and {rank_b} axes; no more "
                "axes can be summed over than each has"
            )
        return tuple(range(rank_a - count, rank_a)), tuple(range(count))
    axes_a = normalize_axis_tuple(axes[0], rank_a, "axes")
    axes_b = normalize_axis_tuple(axes[1], rank_b, "axes")
    if len(axes_a) != len(axes_b):
        raise ArgumentValueError(
            f"np.tensordot: got {len(axes_a)} axes of the first and {len(axes_b)} of the second "
            "argument; give as many of one as of the other"
        )
    return axes_a, axes_b


def _matrix(x: Any, rows: Sequence[int], columns: Sequence[int]) -> Any:
    """`x` as a matrix: some of its axes merged into the rows, the others into the columns."""
    shape = shape_of(x)
    order = (*rows, *columns)
    if order != tuple(range(len(shape))):
        x = transpose(x, axes=order)
    wide = (math.prod(shape[axis] for axis in rows), math.prod(shape[axis] for axis in columns))
    return x if shape_of(x) == wide else reshape(x, shape=wide)


@implements(np.kron)
def kron(a: Any, b: Any) -> Any:
    a, b = operand(a), operand(b)
    rank = max(len(shape_of(a)), len(shape_of(b)))
    shape_a = (1,) * (rank - len(shape_of(a))) + shape_of(a)
    shape_b = (1,) * (rank - len(shape_of(b))) + shape_of(b)
    spread_a = tuple(extent for pair in zip(shape_a, (1,) * rank, strict=True) for extent in pair)
    spread_b = tuple(extent for pair in zip((1,) * rank, shape_b, strict=True) for extent in pair)
    product = reshape(a, shape=spread_a) * reshape(b, shape=spread_b)
    return reshape(product, shape=tuple(m * n for m, n in zip(shape_a, shape_b, strict=True)))


_cross_of_other_vectors = rewritten(np.cross)


@implements(np.cross)
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = operand(a), operand(b)
    if shape_of(a)[axisa] != 3 or shape_of(b)[axisb] != 3:
        return _cross_of_other_vectors(a, b, axisa, axisb, axisc)
    a1, a2, a3 = _components(a, axisa)
    b1, b2, b3 = _components(b, axisb)
    parts = (a2 * b3 - a3 * b2, a3 * b1 - a1 * b3, a1 * b2 - a2 * b1)
    return np.stack(parts, axis=axisc)


@implements(np.linalg.cross)
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    x1, x2 = operand(x1), operand(x2)
    if shape_of(x1)[axis] != 3 or shape_of(x2)[axis] != 3:
        raise ArgumentValueError(
            f"np.linalg.cross: got vectors of {shape_of(x1)[axis]} and {shape_of(x2)[axis]} "
            "components along the axis, wanted 3; the product of two in the plane is x1*y2 - x2*y1"
        )
    return cross(x1, x2, axis=axis)


def _components(x: Any, axis: int) -> tuple[Any, ...]:
    lead = (slice(None),) * (axis % len(shape_of(x)))
    return tuple(x[*lead, position] for position in range(3))


# -- vectors and matrices along the last axes -----------------------------------------------------


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Σ conj(x₁)·x₂ along an axis."""
    x1, x2 = operand(x1), operand(x2)
    if axis != -1:
        x1, x2 = np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1)
    products = _conjugated(x1) * x2
    return convert(reductions.sum(products, axis=-1), dtype_of(products))  # of integers: as narrow


def matvec(x1: Any, x2: Any, /) -> Any:
    """A·x over the last axes, with batches of both."""
    x1, x2 = operand(x1), operand(x2)
    if len(shape_of(x2)) == 1:
        return contractions.matmul(x1, x2)
    product = contractions.matmul(x1, reshape(x2, shape=(*shape_of(x2), 1)))
    return reshape(product, shape=shape_of(product)[:-1])


def vecmat(x1: Any, x2: Any, /) -> Any:
    """conj(x)·A over the last axes, with batches of both."""
    x1, x2 = _conjugated(operand(x1)), operand(x2)
    if len(shape_of(x1)) == 1:
        return contractions.matmul(x1, x2)
    *batch, extent = shape_of(x1)
    product = contractions.matmul(reshape(x1, shape=(*batch, 1, extent)), x2)
    return reshape(product, shape=(*shape_of(product)[:-2], shape_of(product)[-1]))


def _conjugated(x: Any) -> Any:
    return np.conj(x) if dtype_of(x).kind == "c" else x


implements(np.linalg.vecdot)(vecdot)
array_ufuncs[np.vecdot] = array_ufuncs[np.vecdot, "__call__"] = vecdot
if hasattr(np, "matvec"):  # NumPy 2.2
    array_ufuncs[np.matvec] = matvec
    array_ufuncs[np.vecmat] = vecmat


# -- convolution ----------------------------------------------------------------------------------


@implements(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    a, v = _vector("np.convolve", a), _vector("np.convolve", v)
    if shape_of(v) > shape_of(a):
        a, v = v, a
    return _overlap("np.convolve", contractions.convolve(a, v), mode, shape_of(a), shape_of(v))


@implements(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Σᵢ aᵢ₊ₖ conj(vᵢ): the convolution with the reversed conjugate of `v`."""
    a, v = _vector("np.correlate", a), _conjugated(_vector("np.correlate", v))
    full = contractions.convolve(a, v[::-1])
    if shape_of(v) <= shape_of(a):
        return _overlap("np.correlate", full, mode, shape_of(a), shape_of(v))
    swapped = _overlap("np.correlate", full[::-1], mode, shape_of(v), shape_of(a))
    return swapped[::-1]


def _vector(name: str, x: Any) -> Any:
    x = operand(x)
    if len(shape_of(x)) == 0:
        x = reshape(x, shape=(1,))
    if len(shape_of(x)) != 1 or not shape_of(x)[0]:
        raise ArgumentValueError(
            f"{name}: got an array of shape {shape_of(x)}; it wants vectors that are not empty"
        )
    return x


def _overlap(name: str, full: Any, mode: str, long: tuple[int, ...], short: tuple[int, ...]) -> Any:
    """The part of a full convolution that `mode` asks for."""
    (n,), (m,) = long, short
    if mode not in ("full", "same", "valid"):
        raise ArgumentValueError(f"{name}: got mode={mode!r}; give 'full', 'same' or 'valid'")
    start, count = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}[
        mode
    ]
    return full if mode == "full" else full[start : start + count]
