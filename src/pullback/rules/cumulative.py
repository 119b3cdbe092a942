"""Cumulative sums and products, and the linear recurrence behind the latter's rule."""

from __future__ import annotations

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import shape_of
from pullback.core.structure import Reduction, along_axis
from pullback.rules.complex import conjugated
from pullback.rules.registration import rule
from pullback.rules.shaping import concatenate

__all__ = ["cumprod", "cumsum", "recurrence"]


def _cumsum(x, *, axis, reverse=False):
    if not reverse:
        return np.cumsum(x, axis=axis)
    return np.flip(np.cumsum(np.flip(x, axis), axis=axis), axis)


@rule(_cumsum, Reduction(np.add, running=True, reorders=True))
def cumsum(_y, _x, *, axis, reverse=False):
    """yᵢ = Σₖ≤ᵢ xₖ along `axis`: x̄ᵢ = Σₖ≥ᵢ ȳₖ, the sum from the other end."""
    return Linear(
        lambda x_dot: cumsum(x_dot, axis=axis, reverse=reverse),
        lambda y_bar: cumsum(y_bar, axis=axis, reverse=not reverse),
    )


def _cumprod(x, *, axis):
    return np.cumprod(x, axis=axis)


@rule(_cumprod, Reduction(np.multiply, running=True))
def cumprod(y, x, *, axis):
    """yᵢ = yᵢ₋₁xᵢ along `axis`, from y₋₁ = 1.

    ẏᵢ = xᵢẏᵢ₋₁ + yᵢ₋₁ẋᵢ forward, and rᵢ = xᵢ₊₁rᵢ₊₁ + ȳᵢ, x̄ᵢ = yᵢ₋₁rᵢ backward. No division, so any
    number of zeros among the factors is handled exactly.
    """
    before = _shifted(y, axis, 1)

    def pullback(y_bar):
        following = conjugated(_shifted(x, axis, 0, reverse=True))
        return conjugated(before) * recurrence(following, y_bar, axis=axis, reverse=True)

    return Linear(lambda x_dot: recurrence(x, before * x_dot, axis=axis), pullback)


def _recurrence(a, b, *, axis, reverse=False):
    a, b = np.broadcast_arrays(a, b)
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    y = np.empty(a.shape, np.result_type(a, b))
    steps = range(len(a))
    total = np.zeros(a.shape[1:], y.dtype)
    for i in reversed(steps) if reverse else steps:
        total = y[i] = a[i] * total + b[i]
    return np.moveaxis(y, 0, axis)


@rule(_recurrence, along_axis(count=2, reorders=True, generic=True))
def recurrence(y, a, _b, *, axis, reverse=False):
    """yᵢ = aᵢyᵢ₋₁ + bᵢ along `axis`, from y₋₁ = 0; with `reverse`, from the other end.

    ẏ and b̄ obey recurrences of the same kind: ẏᵢ = aᵢẏᵢ₋₁ + (ȧᵢyᵢ₋₁ + ḃᵢ), and, from the other
    end, b̄ᵢ = aᵢ₊₁b̄ᵢ₊₁ + ȳᵢ; then āᵢ = yᵢ₋₁b̄ᵢ.
    """
    before = _shifted(y, axis, 0, reverse=reverse)

    def pull_b(y_bar):
        following = conjugated(_shifted(a, axis, 0, reverse=not reverse))
        return recurrence(following, y_bar, axis=axis, reverse=not reverse)

    return (
        Linear(
            lambda a_dot: recurrence(a, a_dot * before, axis=axis, reverse=reverse),
            lambda y_bar: conjugated(before) * pull_b(y_bar),
        ),
        Linear(lambda b_dot: recurrence(a, b_dot, axis=axis, reverse=reverse), pull_b),
    )


def _shifted(x, axis, first, *, reverse=False):
    """xᵢ₋₁ in place of xᵢ, and `first` in place of x₀; with `reverse`, from the other end."""
    shape = shape_of(x)
    if not shape[axis]:
        return x
    lead = (slice(None),) * (axis % len(shape))
    edge = np.full([1 if i == len(lead) else n for i, n in enumerate(shape)], first, x.dtype)
    if reverse:
        return concatenate(x[*lead, 1:], edge, axis=axis)
    return concatenate(edge, x[*lead, :-1], axis=axis)
