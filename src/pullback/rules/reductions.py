"""Reductions: sums, means, variances, products and extrema over axes.

`axis` is None (all axes), an integer or a tuple of integers, as NumPy has it. The pullback of a
reduction spreads ȳ over the axes that were reduced: it puts them back with extent 1 (`_kept`),
and the engine broadcasts.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.structure import Reduction
from pullback.core.sums import summed
from pullback.rules.arithmetic import ratio
from pullback.rules.registration import constant, elementwise, rule
from pullback.rules.shaping import inverse, reshape, transpose

__all__ = ["all", "any", "argmax", "argmin", "count_nonzero", "max", "mean", "min", "prod", "root",
           "sum", "var"]  # fmt: skip


def _kept(shape, axis):
    """`shape` with extent 1 along the reduced axes. A scalar has none, but NumPy takes axis 0."""
    if axis is None or not shape:
        return (1,) * len(shape)
    kept = list(shape)
    for position in (axis,) if isinstance(axis, int | np.integer) else axis:
        kept[position] = 1
    return tuple(kept)


def _spread(y, x_shape, axis, keepdims):
    """`y`, a reduction over `axis`, so that it broadcasts against what was reduced."""
    if keepdims or axis is None:
        return y
    kept = _kept(x_shape, axis)
    return y.reshape(kept) if type(y) is np.ndarray else reshape(y, shape=kept)


def _extent(shape, axis):
    """The number of elements that each element of the result stands for."""
    if axis is None:
        return math.prod(shape)
    count = 1
    for before, after in zip(shape, _kept(shape, axis), strict=True):
        if after != before:
            count *= before
    return count


# -- sums -----------------------------------------------------------------------------------------


def _reduce(operation):
    """The function that joins elements by an operation."""

    def reduced(x, *, axis=None, keepdims=False):
        return operation.reduce(x, axis=axis, keepdims=keepdims)

    return reduced


def _sum(x, *, axis=None, keepdims=False):
    return summed(x, axis, keepdims)


@rule(_sum, Reduction(np.add), name="sum")
def sum(_y, _x, *, axis=None, keepdims=False):
    """y = Σ x over `axis`: ẏ = Σ ẋ, and x̄ is ȳ, broadcast."""
    shape = shape_of(_x)
    return Linear(
        lambda x_dot: sum(x_dot, axis=axis, keepdims=keepdims),
        lambda y_bar: _spread(y_bar, shape, axis, keepdims),
    )


def _mean(x, *, axis=None, keepdims=False):
    if dtype_of(x).char in "fd":
        count = _extent(shape_of(x), axis)
        if count:
            return summed(x, axis, keepdims) / count
    return np.mean(x, axis=axis, keepdims=keepdims)


@rule(_mean, Reduction(np.add, mean=True))
def mean(_y, _x, *, axis=None, keepdims=False):
    """y = (1/n) Σ x over `axis`: ẏ = (1/n) Σ ẋ, and x̄ is ȳ/n, broadcast."""
    shape = shape_of(_x)
    return Linear(
        lambda x_dot: mean(x_dot, axis=axis, keepdims=keepdims),
        lambda y_bar: _spread(y_bar, shape, axis, keepdims) / _extent(shape, axis),
    )


def _var(x, *, axis=None, ddof=0, keepdims=False):
    return np.var(x, axis=axis, ddof=ddof, keepdims=keepdims)


@rule(_var, Reduction(count=4))
def var(_y, x, *, axis=None, ddof=0, keepdims=False):
    """y = Σ |x − x̂|² / (n − d) over `axis`, with the mean x̂ and d = `ddof`.

    ẏ = 2/(n − d) Re Σ conj(x − x̂) ẋ and x̄ = 2/(n − d) (x − x̂) ȳ: the mean's own derivative
    drops out, for the deviations sum to 0. Undefined where n ≤ d, as the variance is.
    """
    deviation = x - mean(x, axis=axis, keepdims=True)
    free = _extent(shape_of(x), axis) - ddof
    scale = 2 / free if free > 0 else np.nan

    def pushforward(x_dot):
        if deviation.dtype.kind == "c":
            product = np.real(np.conj(deviation) * x_dot)
        else:
            product = deviation * x_dot
        return sum(product, axis=axis, keepdims=keepdims) * scale

    def pullback(y_bar):
        return _spread(y_bar, shape_of(x), axis, keepdims) * scale * deviation

    return Linear(pushforward, pullback)


def _root(x, *, order=2):
    return np.sqrt(x) if order == 2 else np.power(x, 1 / order)


@elementwise(_root, singular=True)
def root(y, x, *, order=2):
    """y = ᵖ√x with p = `order` of a sum of powers, as in a norm: ∂y/∂x = y/(p·x), and 0 at x = 0.

    There all the powers are 0, the norm has a kink like |x|, and 0 is the middle of its
    subdifferential. Beside it the second derivative grows without bound, and there it is NaN.
    """
    return ratio(dtype_of(y).type(0.5), y) if order == 2 else ratio(y, x) / order


root.singular_at("x = 0", lambda x, **_: np.equal(x, 0), 0.0, 0, np.nan)
root.singular_at("x = 0", lambda x, **_: np.equal(x, 0), 0.0, 0, np.nan, params={"order": 3})


# -- products -------------------------------------------------------------------------------------


@rule(_reduce(np.multiply), Reduction(np.multiply), name="prod")
def prod(_y, x, *, axis=None, keepdims=False):
    """y = ∏ x over `axis`: ∂y/∂xᵢ = ∏ₖ≠ᵢ xₖ.

    The product of the others is that of those before i times that of those after i, without a
    division: exact, and differentiable again, with any number of zeros among the factors.
    """
    shape = shape_of(x)

    def others():
        line, back = _one_axis(x, axis)
        if shape_of(line)[-1] == 0:
            return x
        ones = np.ones((*shape_of(line)[:-1], 1), line.dtype)
        before = np.concatenate([ones, np.cumprod(line[..., :-1], axis=-1)], axis=-1)
        after = np.flip(np.cumprod(np.flip(line[..., 1:], -1), axis=-1), -1)
        return back(before * np.concatenate([after, ones], axis=-1))

    rest = others()

    def pullback(y_bar):
        conjugate = np.conj(rest) if rest.dtype.kind == "c" else rest
        return _spread(y_bar, shape, axis, keepdims) * conjugate

    return Linear(lambda x_dot: sum(rest * x_dot, axis=axis, keepdims=keepdims), pullback)


def _one_axis(x, axis):
    """`x` with the axes of `axis` merged into one at the end, and the way back."""
    shape = shape_of(x)
    if axis is None:
        return reshape(x, shape=(-1,)), lambda line: reshape(line, shape=shape)
    if not shape:
        return reshape(x, shape=(1,)), lambda line: reshape(line, shape=())
    axes = (axis,) if isinstance(axis, int | np.integer) else axis
    last = tuple(int(position) % len(shape) for position in axes)
    first = tuple(position for position in range(len(shape)) if position not in last)
    order = first + last
    moved = transpose(x, axes=order)
    wide = shape_of(moved)
    extent = 1
    for position in last:
        extent *= shape[position]
    return (
        reshape(moved, shape=(*wide[: len(first)], extent)),
        lambda line: transpose(reshape(line, shape=wide), axes=inverse(order)),
    )


# -- extrema --------------------------------------------------------------------------------------


def _extremum(y, x, axis, keepdims):
    """The map of max and min: the mean over the elements that attain the extremum."""
    shape = shape_of(x)
    attained = np.equal(x, _spread(y, shape, axis, keepdims)) | np.isnan(x)
    count = np.add.reduce(attained, axis=axis, keepdims=True, dtype=y.dtype)

    def pushforward(x_dot):
        return sum(np.where(attained, x_dot / count, 0), axis=axis, keepdims=keepdims)

    def pullback(y_bar):
        return np.where(attained, _spread(y_bar, shape, axis, keepdims) / count, 0)

    return Linear(pushforward, pullback)


@rule(_reduce(np.maximum), Reduction(np.maximum), name="max")
def max(y, x, *, axis=None, keepdims=False):
    """y = max x over `axis`: ẏ is the mean of ẋ over the elements equal to y.

    Ties, where the maximum has a kink, share ȳ evenly. A NaN among the elements is the maximum.
    """
    return _extremum(y, x, axis, keepdims)


@rule(_reduce(np.minimum), Reduction(np.minimum), name="min")
def min(y, x, *, axis=None, keepdims=False):
    """y = min x over `axis`: ẏ is the mean of ẋ over the elements equal to y.

    Ties, where the minimum has a kink, share ȳ evenly. A NaN among the elements is the minimum.
    """
    return _extremum(y, x, axis, keepdims)


def _tied(x, *, axis=None, keepdims=False, extremum):
    attained = np.equal(x, extremum(x, axis=axis, keepdims=True))
    return np.greater(np.sum(attained, axis=axis, keepdims=keepdims), 1)


_TIE = (np.array([1.0, 1.0]),), (np.array([0.5, 0.5]),), (np.zeros(2),)
max.singular_at(
    "two elements are the largest", functools.partial(_tied, extremum=np.max), *_TIE, whole=True
)
min.singular_at(
    "two elements are the smallest", functools.partial(_tied, extremum=np.min), *_TIE, whole=True
)


# -- constants ------------------------------------------------------------------------------------

all = constant(np.all, Reduction(np.logical_and))
any = constant(np.any, Reduction(np.logical_or))
argmax = constant(np.argmax, Reduction(np.maximum, position=True))
argmin = constant(np.argmin, Reduction(np.minimum, position=True))
count_nonzero = constant(np.count_nonzero, Reduction(np.add, kernel=np.bool_))
