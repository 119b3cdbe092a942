"""Losses: the steps of a loss whose closed form is safer than a composition.

The value of a loss may be larger than any float although the predictions are finite. What these
primitives return for finite inputs is finite all the same: the largest float stands for anything
larger, so that neither an infinity nor the NaN that follows from one enters a gradient. Infinite
and undefined inputs are passed on as they are.
"""

from __future__ import annotations

import math

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Opaque, rowwise
from pullback.core.structure.axes import dtypes
from pullback.rules.exponential import logistic
from pullback.rules.registration import elementwise, rule
from pullback.rules.softmax import log_softmax, softmax

__all__ = [
    "bernoulli",
    "bernoulli_logits",
    "bounded_reciprocal",
    "categorical",
    "difference",
    "product",
    "squared_norm",
    "total",
    "zero_one",
]


def _saturated(x):
    """`x` with the largest float in place of infinity."""
    top = np.finfo(dtype_of(x)).max
    return np.clip(x, -top, top)


def _saturating(function):
    """`function` of two arrays, saturated where finite numbers overflow.

    The processor tells whether any did, so that nothing is looked at twice.
    """

    def evaluate(x, y):
        try:
            with np.errstate(over="raise"):
                return function(x, y)
        except FloatingPointError:
            with np.errstate(over="ignore", invalid="ignore"):
                z = function(x, y)
            if z.dtype.kind == "c":
                return z
            return np.where(np.isfinite(x) & np.isfinite(y), _saturated(z), z)

    return evaluate


@elementwise(_saturating(np.subtract), name="difference")
def difference(_z, _x, _y):
    """z = x − y, saturated: ∂z/∂x = 1, ∂z/∂y = −1."""
    return 1, -1


@elementwise(_saturating(np.multiply), name="product", multilinear=True)
def product(_z, x, y):
    """z = x·y, saturated: ∂z/∂x = y, ∂z/∂y = x."""
    return y, x


# -- regression -------------------------------------------------------------------------------

BLOCK = 1024
"""How many squares are added up in one go; their sums are then added pairwise."""


def _sum_of_squares(x):
    """Σᵢ |xᵢ|², in one pass, with an error that hardly grows with the length."""
    x = np.ravel(x)
    if x.size <= BLOCK:
        return np.vdot(x, x).real
    whole = x.size // BLOCK * BLOCK
    blocks, rest = np.reshape(x[:whole], (-1, BLOCK)), x[whole:]
    with np.errstate(over="ignore"):
        return np.sum(np.vecdot(blocks, blocks).real) + np.vdot(rest, rest).real


def _squared_norm(x, *, scale, lead=0):
    if lead:
        return _squared_norms(_rows(x, lead), scale).reshape(x.shape[:lead])
    y = scale * _sum_of_squares(x)
    if not math.isfinite(y) and np.isfinite(x).all():
        y = _saturated(_sum_of_squares(math.sqrt(scale) * x))
    return y


def _squared_norms(rows, scale):
    with np.errstate(over="ignore", invalid="ignore"):
        y = scale * np.vecdot(rows, rows).real
        if not np.isfinite(y).all():
            scaled = math.sqrt(scale) * rows
            finite = np.isfinite(rows).all(axis=1)
            y = np.where(finite & ~np.isfinite(y), _saturated(np.vecdot(scaled, scaled).real), y)
    return y


def _rows(x, lead):
    """The elements of each example, in a row; `lead` axes are those of examples."""
    return np.reshape(x, (math.prod(x.shape[:lead]), math.prod(x.shape[lead:])))


def _one_for_each(primitive, x, *, lead=0, **params):
    return Abstract(shape_of(x)[:lead], dtypes(primitive, x, lead=lead, **params))


def _one_more_axis(primitive, _size, _mapped, values, params):
    return primitive(*values, **{**params, "lead": params.get("lead", 0) + 1})


def _names(args, outs, _params):
    (examples,) = outs
    names = tuple(range(len(examples)))
    return [(*names, *[None] * (len(args[0]) - len(names)))], [names]


@rule(
    _squared_norm,
    Opaque(_one_for_each, _one_more_axis, names=_names, count=2, generic=True),
)
def squared_norm(_y, x, *, scale, lead=0):
    """y = s Σᵢ |xᵢ|², saturated: ẏ = 2s Re Σᵢ conj(xᵢ)·ẋᵢ, x̄ = 2s ȳx.

    The sum is over all axes but the first `lead`, which are those of examples.
    """
    over = tuple(range(lead, x.ndim))
    if x.dtype.kind == "c":
        return Linear(
            lambda x_dot: 2 * scale * np.sum(np.real(np.conj(x) * x_dot), axis=over),
            lambda y_bar: 2 * scale * _each(y_bar, over) * x,
        )
    return Linear(
        lambda x_dot: total(product(x, 2 * scale * x_dot), count=1, lead=lead),
        lambda y_bar: product(2 * scale * _each(y_bar, over), x),
    )


def _each(y_bar, over):
    """A cotangent of sums over these axes, as one of what is summed."""
    return np.expand_dims(y_bar, over) if shape_of(y_bar) else y_bar


def _total(losses, *, count, lead=0):
    if lead:
        return _totals(_rows(losses, lead), count).reshape(losses.shape[:lead])
    with np.errstate(over="ignore"):
        total = np.sum(losses) / count
        if not np.isfinite(total) and np.isfinite(losses).all():
            total = _saturated(np.sum(losses / count))
    return total


def _totals(rows, count):
    with np.errstate(over="ignore", invalid="ignore"):
        totals = np.sum(rows, axis=1) / count
        if not np.isfinite(totals).all():
            finite = np.isfinite(rows).all(axis=1) & ~np.isfinite(totals)
            totals = np.where(finite, _saturated(np.sum(rows / count, axis=1)), totals)
    return totals


@rule(_total, Opaque(_one_for_each, _one_more_axis, names=_names, count=1))
def total(_y, _losses, *, count, lead=0):
    """y = Σᵢ ℓᵢ / n, without overflow on the way: ẏ = Σᵢ ℓ̇ᵢ / n, ℓ̄ᵢ = ȳ / n.

    The sum is over all axes but the first `lead`, which are those of examples.
    """
    over = tuple(range(lead, len(shape_of(_losses))))
    return Linear(
        lambda dots: np.sum(dots, axis=over) / count,
        lambda y_bar: _each(y_bar, over) / count,
    )


# -- classification ---------------------------------------------------------------------------


def _zero_one(margin):
    return np.where(np.isnan(margin), margin, np.less_equal(margin, 0)).astype(dtype_of(margin))


@elementwise(_zero_one)
def zero_one(_y, _margin):
    """y = 1 where the margin m ≤ 0, otherwise 0: ∂y/∂m = 0, at the jump m = 0 too.

    A zero in writing: it is the derivative that was asked for, not a sign of a lost dependence.
    """
    return np.zeros(shape_of(_margin), dtype_of(_margin))


zero_one.singular_at("m = 0", lambda margin: np.equal(margin, 0), 0.0, 0, 0, "jump")


def _bounded_reciprocal(p):
    return 1 / np.maximum(p, np.finfo(dtype_of(p)).tiny)


@elementwise(_bounded_reciprocal)
def bounded_reciprocal(r, _p):
    """r = 1/p for p ≥ 0, with the smallest normal float in place of a smaller p: ∂r/∂p = −r²."""
    return -product(r, r)


def _bernoulli(p, t):
    p, t = np.asarray(p), np.asarray(t)
    tiny = np.finfo(p.dtype).tiny
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = np.log(np.maximum(p, tiny))
        log_q = np.maximum(np.log1p(-p), np.log(tiny))
    return -(t * log_p + (1 - t) * log_q)


@elementwise(_bernoulli)
def bernoulli(_y, p, t):
    """y = −t ln p − (1 − t) ln(1 − p): ∂y/∂p = (1 − t)/(1 − p) − t/p, ∂y/∂t = ln(1 − p) − ln p.

    At p = 0 and p = 1 the smallest normal float stands in for a zero under the logarithm and in
    the denominator.
    """
    return (
        lambda: (1 - t) * bounded_reciprocal(1 - p) - t * bounded_reciprocal(p),
        lambda: bernoulli(p, np.ones_like(t)) - bernoulli(p, np.zeros_like(t)),
    )


def _weighted(weight, x):
    """weight · x, and 0 where the weight is 0, even if x is infinite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(np.equal(weight, 0), 0, weight * x)


def _bernoulli_logits(z, t):
    return _weighted(t, np.logaddexp(0, -z)) + _weighted(1 - t, np.logaddexp(0, z))


@elementwise(_bernoulli_logits)
def bernoulli_logits(_y, z, t):
    """y = t ln(1 + e⁻ᶻ) + (1 − t) ln(1 + eᶻ): ∂y/∂z = (1 − t) σ(z) − t σ(−z), ∂y/∂t = −z.

    The derivative is σ(z) − t without the cancellation where the prediction is right.
    """
    return lambda: (1 - t) * logistic(z) - t * logistic(-z), lambda: -z


def _categorical(z, t):
    losses = -np.sum(_weighted(t, log_softmax(z, axis=-1)), axis=-1)
    if np.isinf(losses).any():
        losses = np.where(np.isfinite(z).all(axis=-1), _saturated(losses), losses)
    return losses


@rule(_categorical, rowwise("(k),(k)->()", lambda k: 7 * k))
def categorical(_y, z, t):
    """y = −Σₖ tₖ ln pₖ over the last axis, p = softmax(z).

    ∂y/∂z = p Σₖ tₖ − t, ∂y/∂t = −ln p.
    """
    return (
        lambda: _along_last_axis(softmax(z, axis=-1) * np.sum(t, axis=-1, keepdims=True) - t),
        lambda: _along_last_axis(-log_softmax(z, axis=-1)),
    )


def _along_last_axis(gradient):
    """The map of a function of each row: its gradient, as a product over the last axis."""
    return Linear(
        lambda x_dot: np.sum(gradient * x_dot, axis=-1),
        lambda y_bar: gradient * np.expand_dims(y_bar, -1),
    )
