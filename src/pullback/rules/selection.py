"""Selection: functions that hand on one of their arguments, or choose between them."""

from __future__ import annotations

import numpy as np

from pullback.core.choice import Branch, Choice
from pullback.core.shapes import shape_of
from pullback.core.structure import along_axis
from pullback.rules.registration import elementwise, rule

__all__ = ["copysign", "fmax", "fmin", "heaviside", "maximum", "minimum", "unwrap", "where"]


@elementwise(np.where, cheap=True, masks=True, numbers=False, chooses=True)
def where(_z, condition, _x, _y):
    """z = x where the condition holds, y elsewhere: so are ż, x̄ = z̄ or 0, and ȳ = 0 or z̄.

    The condition is constant. A tangent of the argument that was not taken, infinite or NaN though
    it be, is not looked at, and its cotangent is exactly zero.
    """

    def taken(dot_or_bar):
        return np.where(condition, dot_or_bar, 0)

    def left(dot_or_bar):
        return np.where(condition, 0, dot_or_bar)

    return (
        None,
        Branch(taken, condition),
        Branch(left, condition, negated=True),
    )


def _share(wins, loses, dtype):
    """1 where it wins, 0 where it loses, ½ where it does both or neither."""
    return Choice(np.where(np.equal(wins, loses), dtype.type(0.5), wins))


def _shares(x_wins, y_wins, dtype):
    return lambda: _share(x_wins, y_wins, dtype), lambda: _share(y_wins, x_wins, dtype)


@elementwise(np.maximum, cheap=True, masks=True)
def maximum(_z, x, y):
    """z = max(x, y): the derivative goes to the larger argument.

    It is split evenly between ties, and where z is NaN because x or y is.
    """
    return _shares(np.greater_equal(x, y), np.less_equal(x, y), _z.dtype)


@elementwise(np.minimum, cheap=True, masks=True)
def minimum(_z, x, y):
    """z = min(x, y): the derivative goes to the smaller argument.

    It is split evenly between ties, and where z is NaN because x or y is.
    """
    return _shares(np.less_equal(x, y), np.greater_equal(x, y), _z.dtype)


@elementwise(np.fmax, masks=True)
def fmax(_z, x, y):
    """z = max(x, y), or the one that is not NaN: the derivative goes to the argument taken.

    It is split evenly between ties, and where both are NaN.
    """
    above = np.greater_equal(x, y) | np.isnan(y)
    below = np.less_equal(x, y) | np.isnan(x)
    return _shares(above, below, _z.dtype)


@elementwise(np.fmin, masks=True)
def fmin(_z, x, y):
    """z = min(x, y), or the one that is not NaN: the derivative goes to the argument taken.

    It is split evenly between ties, and where both are NaN.
    """
    above = np.greater_equal(x, y) | np.isnan(x)
    below = np.less_equal(x, y) | np.isnan(y)
    return _shares(below, above, _z.dtype)


for _each in (maximum, minimum, fmax, fmin):
    _each.singular_at("x = y", np.equal, (1.0, 1.0), (0.5, 0.5), (0, 0))


@elementwise(np.copysign)
def copysign(_z, x, y):
    """z = |x|·sgn y: ∂z/∂x = sgn x·sgn y, 0 at the kink x = 0; ∂z/∂y = 0."""
    return lambda: np.sign(x) * np.copysign(1, y), None


copysign.singular_at("x = 0", lambda x, _y: np.equal(x, 0), (0.0, 1.0), (0, 0), (0, 0))
copysign.singular_at(
    "y = 0", lambda _x, y: np.equal(y, 0), (2.0, 0.0), (1, 0), (0, 0), "jump", arguments=(1,)
)


@elementwise(np.heaviside, masks=True)
def heaviside(_z, x, _h):
    """z = 0 for x < 0, h at x = 0, 1 for x > 0: ∂z/∂x = 0, also at the jump; ∂z/∂h = [x = 0]."""
    return None, lambda: Choice(np.equal(x, 0))


heaviside.singular_at(
    "x = 0", lambda x, _h: np.equal(x, 0), (0.0, 0.5), (0, 1), (0, 0), "jump", arguments=(0,)
)


@rule(np.unwrap, along_axis())
def unwrap(_y, _x, *, discont=None, axis=-1, period=2 * np.pi):
    """y = x + multiples of the period that take away jumps along the axis: ∂y/∂x = 1.

    At a jump that is as large as `discont`, where y is discontinuous, that is the derivative too.
    """
    return 1


def _is_at_jump(x, *, discont=None, axis=-1, period=2 * np.pi):
    """Whether a step before, which moves all that comes after, could go either way."""
    steps = np.diff(np.moveaxis(x, axis, -1))
    at = np.equal(np.remainder(steps, period), period / 2)
    if discont is not None and discont > period / 2:
        at = np.equal(np.abs(steps), discont) | (at & np.greater(np.abs(steps), discont))
    first = np.zeros((*shape_of(steps)[:-1], 1), bool)
    moved = np.cumsum(np.concatenate([first, at], -1), axis=-1)
    return np.moveaxis(np.greater(moved, 0), -1, axis)


unwrap.singular_at(
    "a step of half a period, or of `discont`",
    _is_at_jump,
    (np.array([0.0, 2.0]),), None, None, kind="jump", params={"period": 4.0},
)  # fmt: skip
