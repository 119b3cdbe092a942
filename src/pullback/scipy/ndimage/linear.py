"""Linear filters of `scipy.ndimage`: sums by weights, and what is made of them."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import scipy.ndimage as nd

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand
from pullback.rules.custom import stop_gradient
from pullback.rules.image_filters import image_filter
from pullback.scipy.constants import serves_followed
from pullback.scipy.ndimage.arguments import (
    axes_of,
    axis_of,
    by_parts,
    each_of,
    in_dtype,
    mode_of,
    number,
    origin_in,
    placed,
)

__all__ = ["correlate1d", "correlate_lines"]


def _filtered(x: Any, w: Any, cval: Any, **params: Any) -> Any:
    """The primitive, for images, weights and a number beyond the edges that may be complex."""
    if dtype_of(w).kind == "c":
        real, imaginary = np.real(w), np.imag(w)
        return _filtered(x, real, cval, **params) + 1j * _filtered(x, imaginary, cval, **params)

    def of_real(x: Any, cval: Any) -> Any:
        if type(cval) is not Tracer:
            return image_filter(x, w, cval=float(cval), **params)
        ones = image_filter(np.zeros(shape_of(x), dtype_of(x)), w, cval=1.0, **params)
        return image_filter(x, w, cval=0.0, **params) + convert(cval * ones, dtype_of(x))

    return by_parts(x, of_real, cval)


def _vector(weights: Any) -> Any:
    w = operand(weights)
    if len(shape_of(w)) != 1 or not shape_of(w)[0]:
        raise RuntimeError("no filter weights given")
    return convert(w, np.dtype(np.complex128 if dtype_of(w).kind == "c" else np.float64))


def correlate_lines(
    x: Any, w: Any, axis: int, mode: Any, cval: Any, origin: int, *, running: bool = False
) -> Any:
    """The correlation of the lines along an axis with a vector of weights."""
    rank = len(shape_of(x))
    shape, origins = [1] * rank, [0] * rank
    shape[axis], origins[axis] = shape_of(w)[0], origin_in(origin, shape_of(w)[0])
    return _filtered(
        x, np.reshape(w, shape), cval, axis=axis, mode=mode_of(mode), origin=tuple(origins),
        running=running,
    )  # fmt: skip


@serves_followed(nd.correlate1d)
def correlate1d(
    input: Any, weights: Any, axis: Any = -1, output: Any = None, mode: Any = "reflect",
    cval: Any = 0.0, origin: Any = 0,
) -> Any:  # fmt: skip
    """Of complex weights the conjugates count."""
    w = _vector(weights)
    w = np.conj(w) if dtype_of(w).kind == "c" else w

    def compute(x: Any) -> Any:
        return correlate_lines(x, w, axis_of(axis, x), mode, cval, origin)

    return in_dtype("correlate1d", input, output, compute, weights=w)


@serves_followed(nd.convolve1d)
def convolve1d(
    input: Any, weights: Any, axis: Any = -1, output: Any = None, mode: Any = "reflect",
    cval: Any = 0.0, origin: Any = 0,
) -> Any:  # fmt: skip
    w = np.flip(_vector(weights))
    w = np.conj(w) if dtype_of(w).kind == "c" else w
    origin = -origin - (shape_of(w)[0] % 2 == 0)
    return correlate1d(input, w, axis, output, mode, cval, origin)


def _of_images(
    name: str, input: Any, weights: Any, output: Any, mode: Any, cval: Any, origin: Any, axes: Any
) -> Any:
    """Correlation with an array of weights, or convolution."""
    w = operand(weights)
    w = convert(w, np.dtype(np.complex128 if dtype_of(w).kind == "c" else np.float64))

    def compute(x: Any) -> Any:
        along = axes_of(axes, x)
        if len(shape_of(w)) != len(along):
            raise RuntimeError(
                f"weights.ndim ({len(shape_of(w))}) must match len(axes) ({len(along)})"
            )
        if not isinstance(mode, str):
            raise RuntimeError("A sequence of modes is not supported")
        rank, kernel = len(shape_of(x)), w
        sizes, starts = placed(shape_of(w), origin, along, rank)
        if name == "convolve":
            kernel = np.flip(kernel)
            starts = {axis: -start - (sizes[axis] % 2 == 0) for axis, start in starts.items()}
        elif dtype_of(w).kind == "c":
            kernel = np.conj(kernel)
        origins = [
            origin_in(starts[axis], sizes[axis]) if axis in sizes else 0 for axis in range(rank)
        ]
        kernel = np.reshape(kernel, [sizes.get(axis, 1) for axis in range(rank)])
        return _filtered(x, kernel, cval, axis=None, mode=mode_of(mode), origin=tuple(origins))

    return in_dtype(name, input, output, compute, weights=w)


@serves_followed(nd.correlate)
def correlate(
    input: Any, weights: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0,
    origin: Any = 0, *, axes: Any = None,
) -> Any:  # fmt: skip
    return _of_images("correlate", input, weights, output, mode, cval, origin, axes)


@serves_followed(nd.convolve)
def convolve(
    input: Any, weights: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0,
    origin: Any = 0, *, axes: Any = None,
) -> Any:  # fmt: skip
    return _of_images("convolve", input, weights, output, mode, cval, origin, axes)


# -- equal weights ---------------------------------------------------------------------------------


@serves_followed(nd.uniform_filter1d)
def uniform_filter1d(
    input: Any, size: Any, axis: Any = -1, output: Any = None, mode: Any = "reflect",
    cval: Any = 0.0, origin: Any = 0,
) -> Any:  # fmt: skip
    size = int(number("uniform_filter1d", "size", size))
    if size < 1:
        raise RuntimeError("incorrect filter size")
    w = np.full(size, 1 / size)

    def compute(x: Any) -> Any:
        return correlate_lines(x, w, axis_of(axis, x), mode, cval, origin, running=True)

    return in_dtype("uniform_filter1d", input, output, compute)


def _along_each(name: str, input: Any, output: Any, axes: Any, filter: Any, *settings: Any) -> Any:
    """A filter of lines along each axis, with a setting of each kind for each.

    What comes of one is in the dtype of the output, before the next.
    """
    x = in_dtype(name, input, output, lambda x: x) if not axes_of(axes, operand(input)) else input
    along = axes_of(axes, operand(input))
    given = [each_of(each, len(along)) for each in settings]
    for axis, *own in zip(along, *given, strict=True):

        def once(x: Any, axis: int = axis, own: Any = own) -> Any:
            return filter(x, axis, *own)

        x = in_dtype(name, x, output, once)
    return x


@serves_followed(nd.uniform_filter)
def uniform_filter(
    input: Any, size: Any = 3, output: Any = None, mode: Any = "reflect", cval: Any = 0.0,
    origin: Any = 0, *, axes: Any = None,
) -> Any:  # fmt: skip
    def lines(x: Any, axis: int, size: Any, mode: Any, origin: Any) -> Any:
        return uniform_filter1d(x, size, axis, None, mode, cval, origin) if size > 1 else x

    return _along_each("uniform_filter", input, output, axes, lines, size, mode, origin)


# -- Gaussians -------------------------------------------------------------------------------------


def _gaussian(sigma: Any, order: int, radius: int) -> Any:
    """The weights of a Gaussian, or of a derivative of it, which is a polynomial times it."""
    if order < 0:
        raise ValueError("order must be non-negative")
    x = np.arange(-radius, radius + 1)
    square = sigma * sigma
    phi = np.exp(-0.5 / square * x**2)
    phi = phi / np.sum(phi)
    if not order:
        return phi
    powers = np.arange(order + 1)
    q = np.eye(order + 1)[0]
    step = np.diag(powers[1:], 1) + np.diag(np.ones(order), -1) * (1 / -square)
    for _ in range(order):
        q = step @ q
    return ((x[:, None] ** powers) @ q) * phi


@serves_followed(nd.gaussian_filter1d)
def gaussian_filter1d(
    input: Any, sigma: Any, axis: Any = -1, order: Any = 0, output: Any = None,
    mode: Any = "reflect", cval: Any = 0.0, truncate: float = 4.0, *, radius: Any = None,
) -> Any:  # fmt: skip
    """How far the weights go does not depend on sigma differentiably; the weights do."""
    width = number("gaussian_filter1d", "sigma", stop_gradient(operand(sigma)))
    reach = int(truncate * float(width) + 0.5) if radius is None else radius
    if not isinstance(reach, int | np.integer) or reach < 0:
        raise ValueError("Radius must be a nonnegative integer.")
    w = np.flip(_gaussian(sigma if type(sigma) is Tracer else float(width), order, int(reach)))
    return correlate1d(input, w, axis, output, mode, cval, 0)


@serves_followed(nd.gaussian_filter)
def gaussian_filter(
    input: Any, sigma: Any, order: Any = 0, output: Any = None, mode: Any = "reflect",
    cval: Any = 0.0, truncate: float = 4.0, *, radius: Any = None, axes: Any = None,
) -> Any:  # fmt: skip
    def lines(x: Any, axis: int, sigma: Any, order: int, mode: Any, radius: Any) -> Any:
        if type(sigma) is not Tracer and sigma <= 1e-15:
            return x
        return gaussian_filter1d(x, sigma, axis, order, None, mode, cval, truncate, radius=radius)

    radii = radius if radius is None or np.ndim(radius) else int(radius)
    radii = [radii] * len(axes_of(axes, operand(input))) if radii is None else radii
    return _along_each("gaussian_filter", input, output, axes, lines, sigma, order, mode, radii)


# -- derivatives -----------------------------------------------------------------------------------


def _edges(name: str, across: list[int]) -> Any:
    def edges(
        input: Any, axis: Any = -1, output: Any = None, mode: Any = "reflect", cval: Any = 0.0
    ) -> Any:
        x = operand(input)
        along, rank = axis_of(axis, x), len(shape_of(x))

        def lines(x: Any, each: int, mode: Any) -> Any:
            w = np.array([-1.0, 0, 1] if each == along else across, np.float64)
            return correlate_lines(x, w, each, mode, cval, 0)

        order = [along, *(i for i in range(rank) if i != along)]
        modes = each_of(mode, rank)
        return _along_each(name, x, output, order, lines, [modes[each] for each in order])

    return edges


prewitt = serves_followed(nd.prewitt)(_edges("prewitt", [1, 1, 1]))
sobel = serves_followed(nd.sobel)(_edges("sobel", [1, 2, 1]))


def _over_axes(name: str, input: Any, output: Any, mode: Any, axes: Any, derivative: Any) -> Any:
    """The derivatives along each axis, in order."""
    x = operand(input)
    along = axes_of(axes, x)
    if not along:
        return in_dtype(name, x, output, lambda x: x)
    parts = []
    for axis, own in zip(along, each_of(mode, len(along)), strict=True):

        def once(x: Any, axis: int = axis, own: Any = own) -> Any:
            return derivative(x, axis, own)

        parts.append(in_dtype(name, x, output, once))
    if name == "gaussian_gradient_magnitude":
        return np.sqrt(functools.reduce(np.add, [part * part for part in parts]))
    return functools.reduce(np.add, parts)


@serves_followed(nd.laplace)
def laplace(
    input: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, *, axes: Any = None
) -> Any:
    w = np.array([1.0, -2, 1])

    def second(x: Any, axis: int, mode: Any) -> Any:
        return correlate_lines(x, w, axis, mode, cval, 0)

    return _over_axes("laplace", input, output, mode, axes, second)


def _gaussian_derivative(order: int, x: Any, sigma: Any, axes: Any, cval: Any, kwargs: Any) -> Any:
    along = axes_of(axes, x)
    sigmas = dict(zip(along, each_of(sigma, len(along)), strict=True))

    def derivative(x: Any, axis: int, mode: Any) -> Any:
        orders = [order if i == axis else 0 for i in range(len(shape_of(x)))]
        widths = [sigmas.get(i, 0) for i in range(len(shape_of(x)))]
        return gaussian_filter(x, widths, orders, None, mode, cval, **kwargs)

    return derivative


@serves_followed(nd.gaussian_laplace)
def gaussian_laplace(
    input: Any, sigma: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, *,
    axes: Any = None, **kwargs: Any,
) -> Any:  # fmt: skip
    x = operand(input)
    second = _gaussian_derivative(2, x, sigma, axes, cval, kwargs)
    return _over_axes("gaussian_laplace", x, output, mode, axes, second)


@serves_followed(nd.gaussian_gradient_magnitude)
def gaussian_gradient_magnitude(
    input: Any, sigma: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0, *,
    axes: Any = None, **kwargs: Any,
) -> Any:  # fmt: skip
    """The root of the sum of squares, with an infinite slope where the gradient is zero."""
    x = operand(input)
    if dtype_of(x).kind == "c":
        raise ArgumentTypeError(
            "scipy.ndimage.gaussian_gradient_magnitude: the image is complex; take np.real(x)"
        )
    first = _gaussian_derivative(1, x, sigma, axes, cval, kwargs)
    return _over_axes("gaussian_gradient_magnitude", x, output, mode, axes, first)
