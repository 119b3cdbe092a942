"""Shapes and dtypes of what primitives return, from those of their arguments.

A shape rule is a function ``shape(primitive, *args, **params)``: each of `args` is an `Abstract`,
an array, a tracer or a scalar, of which the shape and the dtype are read, and nothing else. It
returns an `Abstract`, or a tuple of them for a primitive with several outputs.

Extents follow from the definition of a function; dtypes follow from NumPy itself, in which every
function has promotion rules of its own: they are those of the function's value on arrays of ones of
the same dtypes and ranks, with extent 1 along each axis. Each combination is evaluated once.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.errors import ArgumentValueError

__all__ = ["Shape", "broadcast", "concatenated", "convolution", "determinant", "eigensystem",
           "extremum_position", "matmul", "one_for_each", "order", "position_of_each",
           "pseudoinverse", "reduced", "reshaped", "row_reduced", "scalar", "sign_and_logarithm",
           "singular_system", "solution", "square", "stacked", "transposed",
           "unchanged"]  # fmt: skip

Shape = Callable[..., Abstract | tuple[Abstract, ...]]

_WEAK = (bool, int, float, complex)
_INTP = np.dtype(np.intp)


# -- dtypes ---------------------------------------------------------------------------------------


def dtypes(primitive: Primitive, *args: Any, **params: Any) -> Any:
    """The dtype of the primitive's value, or of each of its values."""
    kinds = tuple(
        type(arg) if type(arg) in _WEAK else (dtype_of(arg), len(shape_of(arg))) for arg in args
    )
    given = tuple((name, type(value), value) for name, value in params.items())
    try:
        hash(given)
    except TypeError:
        return _evaluated.__wrapped__(primitive, kinds, given)
    return _evaluated(primitive, kinds, given)


@functools.lru_cache(maxsize=4096)
def _evaluated(primitive: Primitive, kinds: tuple[Any, ...], given: tuple[Any, ...]) -> Any:
    ones = [
        kind(1) if isinstance(kind, type) else np.ones((1,) * kind[1], kind[0]) for kind in kinds
    ]
    with np.errstate(all="ignore"):
        value = primitive.value(*ones, **{name: param for name, _, param in given})
    return tuple(map(dtype_of, value)) if primitive.multiple else dtype_of(value)


# -- element by element ---------------------------------------------------------------------------


def broadcast(primitive: Primitive, *args: Any, **params: Any) -> Any:
    """Arguments that are broadcast against each other, and against parameters that are arrays."""
    arrays = [param for param in params.values() if isinstance(param, np.ndarray)]
    shape = common(primitive, [shape_of(arg) for arg in (*args, *arrays)])
    dtype = dtypes(primitive, *args, **params)
    if primitive.multiple:
        return tuple(Abstract(shape, each) for each in dtype)
    return Abstract(shape, dtype)


def common(primitive: Primitive, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to."""
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ArgumentValueError(
            f"{primitive.name}: arguments of the shapes {listed(shapes)} cannot be broadcast "
            "together: aligned at the last axis, their extents must be equal, or 1"
        ) from None


def listed(shapes: Sequence[tuple[int, ...]]) -> str:
    """Shapes as words of an error message."""
    return " and ".join(map(str, shapes))


def unchanged(primitive: Primitive, x: Any, **params: Any) -> Abstract:
    """One argument, whose shape is kept."""
    return Abstract(shape_of(x), dtypes(primitive, x, **params))


# -- reductions -----------------------------------------------------------------------------------


def without(shape: tuple[int, ...], axis: Any, *, keepdims: bool) -> tuple[int, ...]:
    """`shape` without the axes of `axis`, or with extent 1 along them.

    A scalar is taken to have one axis, as NumPy's reductions do.
    """
    rank = max(len(shape), 1)
    axes = range(rank) if axis is None else normalize_axis_tuple(axis, rank, "axis")
    if keepdims:
        return tuple(1 if i in axes else extent for i, extent in enumerate(shape))
    return tuple(extent for i, extent in enumerate(shape) if i not in axes)


def reduced(
    primitive: Primitive, x: Any, *, axis: Any = None, keepdims: bool = False, **_: Any
) -> Abstract:
    """A reduction over ``axis``: None, which is all of them, or one, or several."""
    return Abstract(without(shape_of(x), axis, keepdims=keepdims), dtypes(primitive, x))


def scalar(primitive: Primitive, *args: Any, **params: Any) -> Abstract:
    """A reduction of whole arrays to one number."""
    return Abstract((), dtypes(primitive, *args, **params))


def one_for_each(primitive: Primitive, x: Any, *, lead: int = 0, **params: Any) -> Abstract:
    """A reduction of whole examples to one number each; the first `lead` axes are theirs."""
    return Abstract(shape_of(x)[:lead], dtypes(primitive, x, lead=lead, **params))


def row_reduced(primitive: Primitive, *args: Any, **params: Any) -> Abstract:
    """Arguments that are broadcast against each other, and reduced over the last axis."""
    shape = common(primitive, [shape_of(arg) for arg in args])
    return Abstract(shape[:-1], dtypes(primitive, *args, **params))


# -- positions ------------------------------------------------------------------------------------


def extremum_position(
    _primitive: Primitive, x: Any, *, axis: Any = None, keepdims: bool = False, **_: Any
) -> Abstract:
    """The position, along an axis or in the flat array, of one element."""
    return Abstract(without(shape_of(x), axis, keepdims=keepdims), _INTP)


def order(_primitive: Primitive, x: Any, *, axis: Any = -1, **_: Any) -> Abstract:
    """The positions, along an axis or in the flat array, of all elements in another order.

    A scalar is taken to be an array of one element.
    """
    shape = shape_of(x) or (1,)
    if axis is None:
        return Abstract((math.prod(shape),), _INTP)
    normalize_axis_index(axis, len(shape))
    return Abstract(shape, _INTP)


def position_of_each(place: int) -> Shape:
    """A position for each element of the argument at this place."""

    def shape(_primitive: Primitive, *args: Any, **_: Any) -> Abstract:
        return Abstract(shape_of(args[place]), _INTP)

    return shape


# -- arrangements ---------------------------------------------------------------------------------


def reshaped(primitive: Primitive, x: Any, *, shape: int | tuple[int, ...], **_: Any) -> Abstract:
    """The elements of `x` in ``shape``, of which one extent may be −1, to be filled in."""
    size = math.prod(shape_of(x))
    wanted = [shape] if isinstance(shape, int | np.integer) else list(shape)
    if wanted.count(-1) == 1:
        others = -math.prod(wanted)
        if others and size % others == 0:
            wanted[wanted.index(-1)] = size // others
    if math.prod(wanted) != size or any(extent < 0 for extent in wanted):
        raise ArgumentValueError(
            f"{primitive.name}: an array of shape {shape_of(x)} has {size} elements, which do not "
            f"fit the shape {shape}"
        )
    return Abstract(tuple(map(int, wanted)), dtype_of(x))


def transposed(_primitive: Primitive, x: Any, *, axes: Sequence[int] | None = None) -> Abstract:
    """`x` with its axes permuted, or reversed."""
    shape = shape_of(x)
    if axes is None:
        return Abstract(shape[::-1], dtype_of(x))
    if len(axes) != len(shape):
        raise ArgumentValueError(
            f"transpose: axes are {tuple(axes)}, wanted one for each axis of the shape {shape}"
        )
    order = normalize_axis_tuple(axes, len(shape), "axes")
    return Abstract(tuple(shape[axis] for axis in order), dtype_of(x))


def concatenated(primitive: Primitive, *arrays: Any, axis: int) -> Abstract:
    """Arrays joined along an axis, in which alone their extents may differ."""
    dtype = dtypes(primitive, *arrays, axis=axis)
    shapes = [shape_of(array) for array in arrays]
    place = normalize_axis_index(axis, len(shapes[0]))
    if len({shape[:place] + shape[place + 1 :] for shape in shapes}) > 1:
        raise ArgumentValueError(
            f"{primitive.name}: arrays of the shapes {listed(shapes)} cannot be joined along "
            f"axis {axis}: their other extents must be equal"
        )
    joined = list(shapes[0])
    joined[place] = sum(shape[place] for shape in shapes)
    return Abstract(tuple(joined), dtype)


def stacked(primitive: Primitive, *arrays: Any, axis: int) -> Abstract:
    """Arrays of one shape, along a new axis."""
    dtype = dtypes(primitive, *arrays, axis=axis)
    shapes = [shape_of(array) for array in arrays]
    if len(set(shapes)) > 1:
        raise ArgumentValueError(
            f"{primitive.name}: arrays of the shapes {listed(shapes)} cannot be stacked: they must "
            "have one shape"
        )
    place = normalize_axis_index(axis, len(shapes[0]) + 1)
    return Abstract((*shapes[0][:place], len(arrays), *shapes[0][place:]), dtype)


# -- products -------------------------------------------------------------------------------------


def matmul(primitive: Primitive, a: Any, b: Any) -> Abstract:
    """Matrices over the last two axes; a vector loses its axis, leading axes are broadcast."""
    dtype = dtypes(primitive, a, b)
    left, right = shape_of(a), shape_of(b)
    if left[-1] != right[max(len(right) - 2, 0)]:
        raise ArgumentValueError(
            f"{primitive.name}: arguments of the shapes {left} and {right} cannot be multiplied: "
            "the last extent of the first must be that of the second along its last axis but one"
        )
    lead = common(primitive, [left[:-2], right[:-2]])
    return Abstract(lead + left[-2:-1] + (right[-1:] if len(right) > 1 else ()), dtype)


def convolution(primitive: Primitive, a: Any, v: Any) -> Abstract:
    """Vectors of m and n elements, which make one of m + n − 1."""
    dtype = dtypes(primitive, a, v)
    (m,), (n,) = shape_of(a) or (1,), shape_of(v) or (1,)
    if not m or not n:
        raise ArgumentValueError(
            f"{primitive.name}: got vectors of {m} and {n} elements, wanted one or more of each"
        )
    return Abstract((m + n - 1,), dtype)


# -- matrices -------------------------------------------------------------------------------------


def _square_shape(primitive: Primitive, a: Any) -> tuple[int, ...]:
    shape = shape_of(a)
    if len(shape) < 2 or shape[-2] != shape[-1]:
        raise ArgumentValueError(
            f"{primitive.name}: got an array of shape {shape}, wanted square matrices in its last "
            "two axes"
        )
    return shape


def square(primitive: Primitive, a: Any) -> Abstract:
    """A square matrix for each square matrix."""
    return Abstract(_square_shape(primitive, a), dtypes(primitive, a))


def determinant(primitive: Primitive, a: Any) -> Abstract:
    """A number for each square matrix."""
    return Abstract(_square_shape(primitive, a)[:-2], dtypes(primitive, a))


def sign_and_logarithm(primitive: Primitive, a: Any) -> tuple[Abstract, ...]:
    """Two numbers for each square matrix."""
    lead = _square_shape(primitive, a)[:-2]
    return tuple(Abstract(lead, dtype) for dtype in dtypes(primitive, a))


def solution(primitive: Primitive, a: Any, b: Any) -> Abstract:
    """As many columns as `b` has, for each square matrix."""
    dtype = dtypes(primitive, a, b)
    left, right = _square_shape(primitive, a), shape_of(b)
    core = right[-2:] if len(right) > 1 else right
    if core[0] != left[-1]:
        raise ArgumentValueError(
            f"{primitive.name}: a matrix of shape {left} and a right-hand side of shape {right} "
            "have different numbers of rows"
        )
    return Abstract(common(primitive, [left[:-2], right[:-2]]) + core, dtype)


def pseudoinverse(primitive: Primitive, a: Any, **_: Any) -> Abstract:
    """An n×m matrix for each m×n matrix."""
    dtype = dtypes(primitive, a)
    *lead, rows, columns = shape_of(a)
    return Abstract((*lead, columns, rows), dtype)


def eigensystem(primitive: Primitive, a: Any, **params: Any) -> tuple[Abstract, ...]:
    """n eigenvalues and the matrix of eigenvectors for each n×n matrix."""
    shape = _square_shape(primitive, a)
    w, v = dtypes(primitive, a, **params)
    return Abstract(shape[:-1], w), Abstract(shape, v)


def singular_system(primitive: Primitive, a: Any) -> tuple[Abstract, ...]:
    """Singular vectors and values of m×n matrices, min(m, n) of each."""
    u, s, vh = dtypes(primitive, a)
    *lead, rows, columns = shape_of(a)
    count = min(rows, columns)
    return (
        Abstract((*lead, rows, count), u),
        Abstract((*lead, count), s),
        Abstract((*lead, count, columns), vh),
    )
