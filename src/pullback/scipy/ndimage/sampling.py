"""Images at other places than those of their elements: shifted, turned, stretched, by splines.

All of them are values at coordinates, which depend on a shift, a matrix or an angle: so the
derivative in the image and in what moves it is that of the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.ndimage as nd
import scipy.special

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import ArgumentTypeError
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand
from pullback.numpy.protocol import are_constant
from pullback.rules.custom import stop_gradient
from pullback.rules.image_filters import spline_coefficients
from pullback.rules.image_sampling import image_values
from pullback.scipy.constants import serves_followed
from pullback.scipy.first_step import any_traced
from pullback.scipy.ndimage.arguments import (
    axis_of,
    by_parts,
    each_of,
    in_dtype,
    mode_of,
    number,
)

__all__: list[str] = []


def _order(order: Any) -> int:
    if not 0 <= order <= 5:
        raise RuntimeError("spline order not supported")
    return int(order)


@serves_followed(nd.spline_filter1d)
def spline_filter1d(
    input: Any, order: Any = 3, axis: Any = -1, output: Any = np.float64, mode: Any = "mirror"
) -> Any:
    order = _order(order)

    def compute(x: Any) -> Any:
        if order < 2:
            return x
        along = axis_of(axis, x)
        return by_parts(
            x,
            lambda x, _: spline_coefficients(x, order=order, axis=along, mode=mode_of(mode)),
        )

    return in_dtype("spline_filter1d", input, output, compute)


@serves_followed(nd.spline_filter)
def spline_filter(
    input: Any, order: Any = 3, output: Any = np.float64, mode: Any = "mirror"
) -> Any:
    if not 2 <= order <= 5:
        raise RuntimeError("spline order not supported")

    def compute(x: Any) -> Any:
        for axis in range(len(shape_of(x))):
            x = spline_filter1d(x, order, axis, np.float64, mode)
        return x

    return in_dtype("spline_filter", input, output, compute)


def _values(
    name: str, input: Any, coordinates: Any, output: Any, order: Any, mode: Any, cval: Any,
    prefilter: bool,
) -> Any:  # fmt: skip
    """The values at coordinates along the first axis."""
    params = {"order": _order(order), "mode": mode_of(mode), "prefilter": bool(prefilter)}
    u = operand(coordinates)
    if dtype_of(u).kind == "c":
        raise TypeError("Complex type not supported")
    u = convert(u, np.dtype(np.float64))

    def of_real(x: Any, cval: Any) -> Any:
        if type(cval) is not Tracer:
            return image_values(x, u, cval=float(cval), **params)
        ones = image_values(np.zeros(shape_of(x), dtype_of(x)), u, cval=1.0, **params)
        return image_values(x, u, cval=0.0, **params) + convert(cval * ones, dtype_of(x))

    def compute(x: Any) -> Any:
        if not shape_of(x) or len(shape_of(u)) < 2:
            raise RuntimeError("input and output rank must be > 0")
        if shape_of(u)[0] != len(shape_of(x)):
            raise RuntimeError("invalid shape for coordinate array")
        return by_parts(x, of_real, cval)

    return in_dtype(name, input, output, compute)


@serves_followed(nd.map_coordinates)
def map_coordinates(
    input: Any, coordinates: Any, output: Any = None, order: Any = 3, mode: Any = "constant",
    cval: Any = 0.0, prefilter: bool = True,
) -> Any:  # fmt: skip
    return _values("map_coordinates", input, coordinates, output, order, mode, cval, prefilter)


def _grid(shape: Sequence[int]) -> Any:
    return np.indices(tuple(shape), dtype=np.float64)


def _down(x: Any, rank: int) -> Any:
    """A vector along the first axis, before the axes of a grid."""
    return np.reshape(x, (-1,) + (1,) * rank)


def _vector(value: Any, rank: int) -> Any:
    return np.stack([convert(operand(each), np.dtype(np.float64)) for each in each_of(value, rank)])


@serves_followed(nd.shift)
def shift(
    input: Any, shift: Any, output: Any = None, order: Any = 3, mode: Any = "constant",
    cval: Any = 0.0, prefilter: bool = True,
) -> Any:  # fmt: skip
    """The derivative in the shift is minus that in the coordinates."""
    x = operand(input)
    rank = len(shape_of(x))
    if not rank:
        raise RuntimeError("input and output rank must be > 0")
    u = _grid(shape_of(x)) + _down(-_vector(shift, rank), rank)
    return _values("shift", x, u, output, order, mode, cval, prefilter)


@serves_followed(nd.zoom)
def zoom(
    input: Any, zoom: Any, output: Any = None, order: Any = 3, mode: Any = "constant",
    cval: Any = 0.0, prefilter: bool = True, *, grid_mode: bool = False,
) -> Any:  # fmt: skip
    """The factors decide on the shape, by which the places are spread; they are constant."""
    x = operand(input)
    extents = shape_of(x)
    factors = [
        float(number("zoom", "zoom", stop_gradient(operand(each))))
        for each in each_of(zoom, len(extents))
    ]
    if any_traced((zoom,)) and not are_constant((zoom,)):
        raise ArgumentTypeError(
            "scipy.ndimage.zoom: the factors are traced, and decide on a shape; hand over "
            "pullback.stop_gradient(zoom), or take map_coordinates at places that depend on them"
        )
    shape = [round(n * factor) for n, factor in zip(extents, factors, strict=True)]
    if all(factor == 1 for factor in factors) and prefilter:
        return in_dtype("zoom", x, output, lambda x: x + 0)
    if 0 in shape:
        return in_dtype("zoom", x, output, lambda x: np.zeros(shape, dtype_of(x)))
    steps = [
        (n - (not grid_mode)) / (m - (not grid_mode)) if m - (not grid_mode) else 1.0
        for n, m in zip(extents, shape, strict=True)
    ]
    rank = len(extents)
    u = _grid(shape)
    u = (u + 0.5) * _down(steps, rank) - 0.5 if grid_mode else u * _down(steps, rank)
    return _values("zoom", x, u, output, order, mode, cval, prefilter)


@serves_followed(nd.affine_transform)
def affine_transform(
    input: Any, matrix: Any, offset: Any = 0.0, output_shape: Any = None, output: Any = None,
    order: Any = 3, mode: Any = "constant", cval: Any = 0.0, prefilter: bool = True,
) -> Any:  # fmt: skip
    """The values at the places to which a matrix and an offset take those of the output."""
    x, m = operand(input), convert(operand(matrix), np.dtype(np.float64))
    rank = len(shape_of(x))
    shape = shape_of(x) if output_shape is None else tuple(int(n) for n in output_shape)
    if not rank or not shape:
        raise RuntimeError("input and output rank must be > 0")
    if len(shape_of(m)) not in (1, 2) or not shape_of(m)[0]:
        raise RuntimeError("no proper affine matrix provided")
    if len(shape_of(m)) == 2 and shape_of(m)[1] == rank + 1 and shape_of(m)[0] in (rank, rank + 1):
        if shape_of(m)[0] == rank + 1 and known(m):
            last = strip(m)[..., rank, :]
            if not np.all(last == [0] * rank + [1]):
                raise ValueError(
                    "Expected homogeneous transformation matrix, but the bottom row was not equal "
                    f"to {[0] * rank + [1]}"
                )
        offset, m = m[:rank, rank], m[:rank, :rank]
    if shape_of(m)[0] != rank:
        raise RuntimeError("affine matrix has wrong number of rows")
    if len(shape_of(m)) == 2 and shape_of(m)[1] != len(shape):
        raise RuntimeError("affine matrix has wrong number of columns")
    grid, start = _grid(shape), _down(_vector(offset, rank), len(shape))
    if len(shape_of(m)) == 1:
        u = _down(m, len(shape)) * (grid + start / _down(m, len(shape)))
    else:
        u = start  # and the terms in the order of SciPy's code
        for axis in range(len(shape)):
            u = u + _down(m[:, axis], len(shape)) * grid[axis]
    return _values("affine_transform", x, u, output, order, mode, cval, prefilter)


@serves_followed(nd.rotate)
def rotate(
    input: Any, angle: Any, axes: Any = (1, 0), reshape: bool = True, output: Any = None,
    order: Any = 3, mode: Any = "constant", cval: Any = 0.0, prefilter: bool = True,
) -> Any:  # fmt: skip
    """The shape of what is reshaped is that of the angle's value."""
    x = operand(input)
    rank = len(shape_of(x))
    if rank < 2:
        raise ValueError("input array should be at least 2D")
    if len(axes) != 2:
        raise ValueError("axes should contain exactly two values")
    first, second = sorted(axis_of(axis, x) for axis in axes)
    plane = np.array([shape_of(x)[first], shape_of(x)[second]])
    shape = plane
    if reshape:
        degrees = number("rotate", "angle", stop_gradient(operand(angle)))
        c, s = scipy.special.cosdg(degrees), scipy.special.sindg(degrees)
        corners = np.array([[c, s], [-s, c]]) @ [[0, 0, *[plane[0]] * 2], [0, plane[1]] * 2]
        shape = (np.ptp(corners, axis=1) + 0.5).astype(int)
    cosine, sine = scipy.special.cosdg(angle), scipy.special.sindg(angle)
    turn = np.stack([np.stack([cosine, sine]), np.stack([-sine, cosine])])
    offset = (plane - 1) / 2 - turn @ ((shape - 1) / 2)

    def of_plane(image: Any) -> Any:
        return affine_transform(image, turn, offset, tuple(shape), None, order, mode, cval,
                                prefilter)  # fmt: skip

    def compute(x: Any) -> Any:
        if rank == 2:
            return of_plane(x)
        moved = np.moveaxis(x, (first, second), (-2, -1))
        lead = shape_of(moved)[:-2]
        flat = np.reshape(moved, (-1, *shape_of(moved)[-2:]))
        planes = np.stack([of_plane(flat[i]) for i in range(shape_of(flat)[0])])
        return np.moveaxis(np.reshape(planes, (*lead, *shape)), (-2, -1), (first, second))

    return in_dtype("rotate", x, output, compute)
