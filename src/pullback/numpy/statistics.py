"""NumPy's statistics: averages, order statistics and covariances."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.shapes import dtype_of, is_inexact, shape_of
from pullback.core.tracing import Tracer, known
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy import reductions as full
from pullback.numpy.conversion import convert, inexact, promoted
from pullback.numpy.indexing import take, take_along_axis
from pullback.numpy.operands import anywhere, operand
from pullback.numpy.registration import implements
from pullback.numpy.sorting import chosen, in_rising_order, ties
from pullback.numpy.views import element_of, in_order
from pullback.rules.custom import stop_gradient
from pullback.rules.shaping import reshape, transpose
from pullback.rules.strictness import is_strict

__all__ = ["quantile_of", "serve_quantiles"]


@implements(np.average)
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """Σ wx / Σ w, differentiable in the weights too.

    While a graph is recorded it is not known whether the weights sum to zero; the graph then gives
    what the division does.
    """
    x = operand(a)
    shape = shape_of(x)
    full.require_elements("np.average", x, axis)
    if weights is None:
        mean = full.mean(x, axis, keepdims=keepdims)
        count = math.prod(shape) // max(math.prod(shape_of(mean)), 1)
        return (mean, np.full(shape_of(mean), count, dtype_of(mean))[()]) if returned else mean
    w = _for_each("np.average", weights, shape, axis)
    x, w = promoted(inexact(x), w)
    total = full.sum(w, axis, keepdims=keepdims)
    if known(total) and anywhere(np.equal(total, 0)):
        raise ZeroDivisionError("np.average: the weights sum to zero, so there is no average")
    mean = full.sum(x * w, axis, keepdims=keepdims) / total
    return (mean, np.broadcast_to(total, shape_of(mean))) if returned else mean


def _for_each(name: str, weights: Any, shape: tuple[int, ...], axis: Any) -> Any:
    """A weight for each element of an array of this shape."""
    w = operand(weights)
    if shape_of(w) == shape:
        return w
    axes = () if axis is None else normalize_axis_tuple(axis, len(shape))
    if shape_of(w) != tuple(shape[place] for place in axes):
        raise ArgumentValueError(
            f"{name}: got weights of shape {shape_of(w)} for an array of shape {shape} and "
            f"axis={axis}; give weights of the array's shape, or of its shape along the axes"
        )
    w = transpose(w, axes=tuple(int(place) for place in np.argsort(axes)))
    w = reshape(w, shape=tuple(n if i in axes else 1 for i, n in enumerate(shape)))
    return np.broadcast_to(w, shape)


# -- order statistics -----------------------------------------------------------------------------


def _between(alpha: float, beta: float) -> Callable[[Any, int], Any]:
    """Hyndman's and Fan's continuous definitions, with their parameters."""
    return lambda q, n: n * q + (alpha + q * (1 - alpha - beta)) - 1


_POSITION: dict[str, Callable[[Any, int], Any]] = {
    "linear": lambda q, n: q * (n - 1),
    "lower": lambda q, n: np.floor(q * (n - 1)),
    "higher": lambda q, n: np.ceil(q * (n - 1)),
    "midpoint": lambda q, n: 0.5 * (np.floor(q * (n - 1)) + np.ceil(q * (n - 1))),
    "nearest": lambda q, n: np.rint(q * (n - 1)),
    "inverted_cdf": lambda q, n: np.ceil(q * n - 1),
    "averaged_inverted_cdf": lambda q, n: 0.5 * (np.ceil(q * n - 1) + np.floor(q * n)),
    "closest_observation": lambda q, n: np.rint(q * n) - 1,
    "weibull": _between(0, 0),
    "hazen": _between(0.5, 0.5),
    "median_unbiased": _between(1 / 3.0, 1 / 3.0),
    "normal_unbiased": _between(3 / 8.0, 3 / 8.0),
    "interpolated_inverted_cdf": _between(0, 1),
}
"""Where, among n sorted elements, the quantile q lies (R. J. Hyndman and Y. Fan, *Sample quantiles
in statistical packages*, The American Statistician 50, 1996)."""

_DISCRETE = frozenset({"lower", "higher", "nearest", "inverted_cdf", "closest_observation"})
"""The methods that lie on elements, never between two."""

_FLOAT64_IS_WEAK = np.quantile(np.zeros(1, np.float32), np.float64(0)).dtype == np.float32
"""Whether NumPy takes a quantile of this type for a Python number, as its older releases do."""


def serve_quantiles(function: Callable[..., Any], top: int = 1, *, missing: bool = False) -> None:
    """Serve `function`, whose quantiles lie between 0 and `top`.

    If some elements are `missing`, which NaN stands for, they are those of the others.
    """
    name = f"np.{function.__name__}"

    @implements(function)
    def quantiles(
        a: Any,
        q: Any,
        axis: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: bool = False,
        *,
        weights: Any = None,
    ) -> Any:
        """Between two sorted elements the derivative goes to both, by their distances.

        Where elements are equal it goes to those that a stable sort puts there.
        """
        if weights is None:
            return quantile_of(name, a, q, axis, method, keepdims, top=top, missing=missing)
        if method != "inverted_cdf":
            raise ArgumentValueError(
                f"{name}: got weights and method={method!r}; with weights it is 'inverted_cdf'"
            )
        x = operand(a)
        weights = _for_each(name, weights, shape_of(x), axis)
        q = _checked(name, q, top)
        return _weighted(x, q, stop_gradient(weights), axis, keepdims, missing=missing)


serve_quantiles(np.quantile)
serve_quantiles(np.percentile, 100)


@implements(np.median)
def median(a: Any, axis: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The derivative goes to the element in the middle, or half to each of two.

    Where elements are equal it goes to those that a stable sort puts there.
    """
    x = operand(a)
    full.require_elements("np.median", x, axis)
    line, kept = line_up(x, axis)
    n = shape_of(line)[-1]
    ordered = in_rising_order(line, -1)
    first, last = (n - 1) // 2, n // 2
    middle = chosen(ordered[..., first : last + 1], _tied_outside(ordered, first, last))
    middle = full.mean(middle, -1)
    middle = np.where(np.isnan(ordered[..., -1]), np.nan, middle) if n else middle
    return reshape(middle, shape=kept) if keepdims else element_of(middle)


def _tied_outside(ordered: Any, first: int, last: int) -> Any:
    """Whether what is from the first to the last place equals what lies beside it.

    Between themselves they may be equal, as their mean is asked for.
    """
    if not is_strict() or not is_inexact(ordered):
        return None
    neighbours = [i for i in (first - 1, last) if 0 <= i < shape_of(ordered)[-1] - 1]
    same = [np.equal(ordered[..., i], ordered[..., i + 1]) for i in neighbours]
    return functools.reduce(np.logical_or, same)[..., None] if same else None


def line_up(x: Any, axis: Any) -> tuple[Any, tuple[int, ...]]:
    """`x` with the axes in question merged into one at the end; the result's shape, axes kept."""
    shape = shape_of(x)
    axes = tuple(range(len(shape))) if axis is None else normalize_axis_tuple(axis, len(shape))
    rest = tuple(i for i in range(len(shape)) if i not in axes)
    line = transpose(x, axes=(*rest, *axes))
    extent = math.prod(shape[i] for i in axes)
    line = reshape(line, shape=(*(shape[i] for i in rest), extent))
    return line, tuple(1 if i in axes else n for i, n in enumerate(shape))


def quantile_of(
    name: str,
    a: Any,
    q: Any,
    axis: Any,
    method: str,
    keepdims: bool,
    *,
    top: int = 1,
    missing: bool = False,
) -> Any:
    """The quantiles `q`, between 0 and `top`, of an array, for the function called `name`."""
    x = operand(a)
    if method not in _POSITION:
        raise ArgumentTypeError(
            f"{name}: method={method!r} is not supported where an array is being differentiated; "
            f"use one of {sorted(_POSITION)}"
        )
    if top == 1 and _FLOAT64_IS_WEAK and type(q) is np.float64:
        q = float(q)
    weak = type(q) in (int, float)
    q = _checked(name, q, top)
    full.require_elements(name, x, axis)
    line, kept = line_up(x, axis)
    lines = shape_of(line)[:-1]
    n: Any = shape_of(line)[-1]
    if missing:
        n = np.count_nonzero(~np.isnan(line), axis=-1)[..., *(None,) * q.ndim]
    ordered = in_rising_order(line, -1)
    tied = ties(ordered, -1)

    def element(position: Any) -> Any:
        return chosen(picked(ordered, position), None if tied is None else picked(tied, position))

    def picked(elements: Any, position: Any) -> Any:
        if not missing:
            return take(elements, position, -1)
        found = take_along_axis(elements, np.reshape(position, (*lines, math.prod(q.shape))), -1)
        return np.reshape(found, (*lines, *q.shape))

    count = n.astype(q.dtype) if missing and q.dtype.kind == "f" else n
    place = np.clip(_POSITION[method](q, count), 0, count - 1)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, n - 1)
    between = (place - below).astype(dtype_of(x) if weak and is_inexact(x) else place.dtype)
    value = element(below)
    if method not in _DISCRETE and place.dtype.kind == "f":
        value = _interpolated(value, element(above), between)
    unknown = np.equal(n, 0) if missing else np.isnan(ordered[..., -1])[..., *(None,) * q.ndim]
    value = np.where(unknown, np.nan, value)
    value = np.moveaxis(value, range(value.ndim - q.ndim, value.ndim), range(q.ndim))
    value = in_order(value)
    return reshape(value, shape=q.shape + kept) if keepdims else element_of(value)


def _checked(name: str, q: Any, top: int) -> Any:
    """The quantiles between 0 and 1, of numbers between 0 and `top`."""
    q = operand(q) / top if top != 1 else q
    q = q if isinstance(q, Tracer) else np.asarray(q)
    if known(q) and anywhere(~((q >= 0) & (q <= 1))):
        raise ArgumentValueError(
            f"{name}: got q beyond the range of the data; give numbers from 0 to {top}"
        )
    return q


def _interpolated(a: Any, b: Any, t: Any) -> Any:
    """(1 − t)a + tb, from the nearer end, as in NumPy."""
    step = b - a
    from_b = np.greater_equal(t, 0.5)
    if not isinstance(from_b, Tracer):
        if np.all(from_b):
            return b - step * (1 - t)
        if not np.any(from_b):
            return a + step * t
    return np.where(from_b, b - step * (1 - t), a + step * t)


def _weighted(x: Any, q: Any, w: Any, axis: Any, keepdims: bool, *, missing: bool) -> Any:
    """The first of the sorted elements up to which there is the fraction `q` of the weight.

    Which one that is jumps, so that weights and quantiles are constant.
    """
    line, kept = line_up(x, axis)
    w, _ = line_up(w, axis)
    unknown = np.isnan(line)
    if missing:
        w = np.where(unknown, 0, w)
    order = np.argsort(line, axis=-1)
    below = np.cumsum(np.take_along_axis(w, order, -1), axis=-1, dtype=np.float64)
    total = below[..., -1:]
    if known(total) and not missing and anywhere(~(np.isfinite(total) & np.not_equal(total, 0))):
        raise ArgumentValueError("quantile: weights include NaN or infinity, or are all zero")
    below = below / np.where(np.equal(total, 0), 1, total)
    below = below.astype(q.dtype) if q.dtype.kind == "f" else below
    count = np.count_nonzero(~unknown, -1) if missing else shape_of(line)[-1]
    values = []
    for each in np.ravel(q):
        place = np.count_nonzero((below < each) | np.equal(below, 0), axis=-1)
        place = np.clip(np.minimum(place, count - 1), 0, None)[..., None]
        values.append(take_along_axis(line, np.take_along_axis(order, place, -1), -1)[..., 0])
    value = np.stack(values)
    none = np.all(unknown, axis=-1) if missing else np.any(unknown, axis=-1)
    value = np.where(none, np.nan, value)
    value = np.reshape(value, q.shape + (kept if keepdims else shape_of(value)[1:]))
    return element_of(value)


# -- covariances ----------------------------------------------------------------------------------


@implements(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    x = _variables(m, rowvar)
    if y is not None:
        x = np.concatenate((x, _variables(y, rowvar)), axis=0)
    full.require_elements("np.cov", x, 1)
    x = convert(x, np.dtype(np.result_type(dtype_of(x), np.float64) if dtype is None else dtype))
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = None
    fweights, aweights = (
        None if each is None else convert(operand(each), np.dtype(float))
        for each in (fweights, aweights)
    )
    for given in (fweights, aweights):
        if given is not None:
            weights = given if weights is None else weights * given
    mean = average(x, 1, weights, keepdims=True)
    if weights is None:
        free: Any = shape_of(x)[1] - ddof
    else:
        total = full.sum(weights)
        if aweights is None or ddof == 0:
            free = total - ddof
        else:
            free = total - ddof * full.sum(weights * aweights) / total
    deviation = x - mean
    weighted = deviation if weights is None else deviation * weights
    c = deviation @ np.conj(weighted).T
    return np.squeeze(convert(c * np.true_divide(1, free), dtype_of(c)))


def _variables(m: Any, rowvar: bool) -> Any:
    """The observations as a matrix with a row for each variable."""
    x = operand(m)
    if len(shape_of(x)) > 2:
        raise ArgumentValueError(
            f"np.cov: got an array of shape {shape_of(x)}; it wants at most two axes"
        )
    vector = len(shape_of(x)) < 2
    x = np.atleast_2d(x)
    return x if rowvar or vector else x.T


@implements(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    c = cov(x, y, rowvar, dtype=dtype)
    if not shape_of(c):
        return c / c
    deviation = np.sqrt(np.real(np.diagonal(c)))
    c = c / deviation[:, None] / deviation[None, :]
    if dtype_of(c).kind == "c":
        return np.clip(np.real(c), -1, 1) + 1j * np.clip(np.imag(c), -1, 1)
    return np.clip(c, -1, 1)
