"""The logarithm of a sum of exponentials, and the softmax that is its gradient.

Every value and derivative is finite for finite arguments, however large.
"""

from __future__ import annotations

import numpy as np

from pullback.core.linear import Linear
from pullback.core.structure import Reduction, along_axis
from pullback.core.sums import counted, highest, summed
from pullback.rules.registration import rule

__all__ = ["log_softmax", "logsumexp", "softmax"]


def _shifted(x, axis, *, limit=False):
    """x − max x, and that maximum, or 0 where the maximum is infinite.

    With `limit`, where the maximum is infinite: 0 at the maxima, −∞ elsewhere.
    """
    top = highest(x, axis)
    finite = np.isfinite(top)
    if np.logical_and.reduce(finite, axis=None):
        return x - top, top
    if limit:
        return np.where(finite, x - top, np.where(x == top, 0, -np.inf)).astype(x.dtype), top
    top = np.where(finite | np.isnan(top), top, 0).astype(x.dtype)
    return x - top, top


def _log_sum(shifted, axis):
    """log Σ exp of shifted numbers: log n + log(1 + r/n), where n of them are 0 and r is the rest.

    So a rest that is too small to be seen beside 1 still counts.
    """
    largest = shifted == 0
    count = counted(largest, axis, shifted.dtype)
    rest = summed(np.where(largest, 0, np.exp(shifted)), axis, True)
    some = np.maximum(count, 1)
    return np.where(count > 0, np.log(some) + np.log1p(rest / some), np.log(rest))


def _inexact(x):
    """`x` as an array that can hold an exponential."""
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.result_type(x, np.float16))


def _logsumexp(x, *, axis=None, keepdims=False):
    with np.errstate(all="ignore"):
        shifted, top = _shifted(_inexact(x), axis)
        y = _log_sum(shifted, axis) + top
    return y if keepdims else np.squeeze(y, axis=axis)[()]


def _softmax(x, *, axis=None, limit=False):
    with np.errstate(all="ignore"):
        x = _inexact(x)
        if limit:
            shifted, _ = _shifted(x, axis, limit=True)
        else:
            shifted = x - highest(x, axis)
        own = shifted if np.ndim(shifted) else None
        e = np.exp(shifted, out=own)
        return np.divide(e, summed(e, axis, True), out=own)[()]


def _log_softmax(x, *, axis=None):
    with np.errstate(all="ignore"):
        x = _inexact(x)
        shifted, _ = _shifted(x, axis)
        y = shifted - _log_sum(shifted, axis)
        if np.isinf(y).any():
            y = np.where(np.isfinite(x) & np.isinf(y), np.finfo(y.dtype).min, y)
    return y[()]


@rule(_logsumexp, Reduction(count=4))
def logsumexp(_y, x, *, axis=None, keepdims=False):
    """y = log Σ exp x: ẏ = Σ pẋ, x̄ = pȳ, with p = softmax x.

    Where y is infinite, p is its limit as the largest x tend to infinity together: the derivative
    is split evenly between them.
    """
    p = softmax(x, axis=axis, limit=True)

    def pullback(y_bar):
        return p * (y_bar if keepdims or axis is None else np.expand_dims(y_bar, axis))

    return Linear(lambda x_dot: np.sum(p * x_dot, axis=axis, keepdims=keepdims), pullback)


@rule(_softmax, along_axis(default=None, count=5, generic=True))
def softmax(p, _x, *, axis=None, limit=False):
    """p = exp x / Σ exp x: ṗ = p·(ẋ − Σ pẋ), which is its own adjoint.

    With `limit`, where an x is +∞ or all are −∞, p is split evenly between the largest; without,
    it is NaN.
    """

    def spread(x_dot):
        return p * (x_dot - np.sum(p * x_dot, axis=axis, keepdims=True))

    return Linear(spread, spread)


@rule(_log_softmax, along_axis(default=None, count=5, generic=True))
def log_softmax(y, _x, *, axis=None):
    """y = x − log Σ exp x: ẏ = ẋ − Σ pẋ, x̄ = ȳ − p·Σ ȳ, with p = exp y = softmax x.

    A y below the smallest finite number is that number.
    """
    p = np.exp(y)
    return Linear(
        lambda x_dot: x_dot - np.sum(p * x_dot, axis=axis, keepdims=True),
        lambda y_bar: y_bar - p * np.sum(y_bar, axis=axis, keepdims=True),
    )
