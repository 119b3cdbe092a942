"""Equal eigenvalues and singular values: what is well defined there, and what depends on a choice.

Vectors of equal values are any basis of their space. The derivative of a function that does not
depend on it (a function of a matrix, a projector, a part of low rank) takes more than values and
vectors at a point: how the cotangent of the vectors changes as the values part. So values that are
equal are set apart by a formal infinitesimal, wᵢ + εi, in the direction of the vectors that
were chosen, and the terms of a rule that are divided by differences are split in two: those of
different values, and those of equal ones, which are of order 1/ε; see
`pullback.transforms.infinitesimals`.

So that a function that does depend on the choice shows it, and is not stationary by accident, as
Σ vᵢⱼ³ is at vectors that are unit vectors, a derivative goes on with the basis turned by fixed,
irrational angles.

Values are equal if they differ by no more than 4nε times the largest, or are linked by such, for n
values and the spacing ε of numbers at 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracer import Tracer, known, strip
from pullback.errors import ArgumentValueError
from pullback.transforms.forward import Pushforward
from pullback.transforms.infinitesimals import (
    GOLDEN,
    Infinitesimal,
    dual,
    first_order,
    irrational,
)
from pullback.transforms.tape import Tape

__all__ = [
    "NONE",
    "apart",
    "equal",
    "may_separate",
    "parts",
    "require_determined",
    "separated",
    "turn",
    "turn_outside",
    "vanishing",
]


NONE = np.False_
"""The mask of pairs or values of which there are none."""


# -- which values are equal -----------------------------------------------------------------------


def _tiny(w: Any) -> Any:
    """What differences between values are rounding, for each matrix."""
    return 4 * shape_of(w)[-1] * np.finfo(dtype_of(w)).eps * _largest(w, 1)[..., None]


def equal(w: Any) -> Any:
    """Which pairs i ≠ j of ordered values are equal, (…, n, n); `NONE` if it is known of none."""
    steps = np.greater(np.abs(w[..., 1:] - w[..., :-1]), _tiny(w))
    if known(steps) and strip(steps).all():
        return NONE
    first = np.zeros((*shape_of(w)[:-1], min(shape_of(w)[-1], 1)), bool)
    group = np.cumsum(np.concatenate([first, steps], axis=-1), axis=-1)
    off = ~np.eye(shape_of(w)[-1], dtype=bool)
    return off & np.equal(group[..., :, None], group[..., None, :])


def vanishing(s: Any) -> Any:
    """Which singular values are 0, (…, n); `NONE` if it is known of none."""
    zero = np.less_equal(s, _tiny(s))
    return NONE if known(zero) and not strip(zero).any() else zero


# -- setting them apart ---------------------------------------------------------------------------


def may_separate(interpreter: Any, a: Any, w: Any) -> bool:
    """Whether a derivative can set equal values of a matrix `a` apart.

    It can't while elements are not known, or where derivatives outside this one follow the matrix.
    It does so for values alone too: the vectors may come from another decomposition.
    """
    if type(interpreter) not in (Pushforward, Tape) or not shape_of(w)[-1] or not known(w):
        return False
    while type(a) is Tracer:
        if a._payload is not None and isinstance(a._interpreter, Pushforward | Tape):
            return False
        a = a._value
    return True


def apart(interpreter: Any, w: Any, same: Any, member: Any) -> Any:
    """w + εβ, for two generic directions β of increasing numbers, 0 where `member` is not true.

    Values that are equal to rounding are made equal.
    """
    if same is not NONE:
        group = same | np.eye(shape_of(w)[-1], dtype=bool)
        total = np.sum(np.where(group, w[..., None, :], 0), axis=-1)
        w = np.where(member, (total / np.sum(group, axis=-1)).astype(dtype_of(w)), w)
    scale = _scale(w)[..., None]
    even = np.arange(1, shape_of(w)[-1] + 1)
    uneven = even + 0.5 * (even * GOLDEN % 1)
    directions = [np.where(member, scale * each, 0).astype(dtype_of(w)) for each in (even, uneven)]
    return Infinitesimal.below(interpreter).set_apart(w, *directions)


def turn(v: Any, same: Any, offset: float = 0.0) -> Any:
    """A unitary matrix that mixes the vectors of equal values, (…, n, n): two reflections."""
    n, dtype = shape_of(v)[-1], dtype_of(v)
    eye = np.eye(n)
    if same is NONE:
        return eye.astype(dtype)
    member = np.any(same, axis=-1)[..., None]
    block = member & (same | eye.astype(bool))
    turned = eye
    for number in (0.0, 1.0):
        u = irrational((n,), dtype, 2 * offset + number)
        u = u if number else u * (-1.0) ** np.arange(n)
        length = np.sum(np.where(block, (u * np.conj(u)).real, 0), axis=-1)[..., None]
        outer = u[:, None] * np.conj(u)
        turned = turned @ (eye - np.where(block, 2 * outer / np.where(member, length, 1), 0))
    return turned.astype(dtype)


def turn_outside(u: Any, zero: Any) -> Any:
    """The vectors, those of 0 reflected in the space that the others leave."""
    others = np.where(zero[..., None, :], 0, u)
    normal = irrational(shape_of(u)[-2:-1], dtype_of(u), 3.0).astype(dtype_of(u))
    for _ in range(2):
        normal = normal - (others @ (np.conj(others).mT @ normal[..., None]))[..., 0]
    length = np.sum((normal * np.conj(normal)).real, axis=-1)[..., None, None]
    length = np.where(np.any(zero, axis=-1)[..., None, None], length, 1)
    along = np.sum(np.conj(normal)[..., None] * u, axis=-2, keepdims=True)
    return np.where(zero[..., None, :], u - normal[..., None] * (2 * along / length), u)


ROUNDING = 1000
"""How many times √n times the spacing of numbers a term may be off and count as zero."""


# -- rules ----------------------------------------------------------------------------------------


def parts(w: Any) -> tuple[Any, Any]:
    """The values without ε, and what it comes with; `None` if they were not set apart."""
    of = w._interpreter if type(w) is Tracer else None
    if not isinstance(of, Infinitesimal) or not of.has_set_apart(w):
        return w, None
    return of.settled(w), first_order(w, of=of)


def require_determined(name: str, factors: Any) -> None:
    """Raise where a rule would divide by the difference of equal values."""
    if known(factors) and np.isnan(strip(factors)).any():
        raise _undetermined(name)


def _undetermined(name: str) -> ArgumentValueError:
    return ArgumentValueError(
        f"{name}: the derivative of the vectors is asked for where some of the values are equal to "
        "rounding, so that the vectors are not determined. First derivatives of what does not "
        "depend on their choice are known there (functions of the matrix, projectors), second "
        "ones, and those of a decomposition of what follows another one, are not; use the values "
        "alone, or a function of the matrix that needs no decomposition (inv, solve, matrix_power)"
    )


def separated(name: str, w: Any, position: int, regular: Linear, singular: Linear) -> Linear:
    """The map of a decomposition some of whose values were set apart.

    Parameters
    ----------
    name : str
        Of the function, for messages.
    w : Tracer
        The values, with ε.
    position : int
        Of the values among the outputs.
    regular, singular : Linear
        The terms that are finite, and the coefficients of 1/ε, which concern the vectors alone.
    """
    of: Infinitesimal = w._interpreter
    precedes = of.precedes(w)
    w = of.settled(w)
    scale = _scale(w)
    rounding = ROUNDING * shape_of(w)[-1] ** 0.5 * np.finfo(dtype_of(w)).eps

    def pushforward(a_dot: Any) -> Any:
        a_dot = of.unscaled(a_dot)
        found, infinite = regular.pushforward(a_dot), singular.pushforward(a_dot)
        size: Any = 0
        for number, leading in enumerate(infinite):
            if number != position:
                size = np.maximum(size, of.along(_largest(leading))[0])
        outs = []
        for number, (x, leading) in enumerate(zip(found, infinite, strict=True)):
            rank = 1 if number == position else 2
            scaled = dual(np.zeros_like(x) if rank == 1 else leading, x, of=of)
            noise = irrational(shape_of(x)[-rank:], dtype_of(x), number)
            noise = noise * _in_front(size * scale if rank == 1 else size, rank)
            noise = np.broadcast_to(noise, shape_of(x)).astype(dtype_of(x))
            outs.append(dual(scaled, noise, of=of.probe))
        return tuple(outs)

    def pullback(bars: Any) -> Any:
        settled = [of.settled(bar) for bar in bars]
        a_bar = regular.pullback(settled)
        if any(bar is not None for i, bar in enumerate(bars) if i != position):
            a_bar = a_bar + limit(bars, settled)
        # How it changes with ε is not known.
        return dual(a_bar, np.full_like(a_bar, np.nan), of=of) if precedes else a_bar

    def limit(bars: Any, settled: list[Any]) -> Any:
        """The terms of equal values, from how the cotangents of the vectors change."""
        changes = [None if bar is None else first_order(bar, of=of) for bar in bars]
        changes[position], values, vectors = None, settled[position], list(settled)
        vectors[position] = None
        size = 0 if values is None else _largest(values, 1)
        for bar in (*vectors, *changes):
            if bar is not None:
                size = size + of.along(_largest(bar) / scale)[0]
        most = rounding * _in_front(size, 2)
        infinite, change = singular.pullback(vectors), singular.pullback(changes)
        one, other = of.along(change)
        off = np.greater(np.abs(infinite), most) | np.greater(np.abs(one - other), most)
        off = np.logical_or(*of.along(off | (np.isnan(change) & ~np.isnan(infinite))))
        if known(off) and strip(off).any():
            raise _undetermined(name)
        return np.where(off, np.nan, one).astype(dtype_of(one))

    return Linear(pushforward, pullback)


def _scale(w: Any) -> Any:
    """The largest value of each matrix, and 1 where that is 0."""
    largest = _largest(w, 1)
    return np.where(np.greater(largest, 0), largest, 1)


def _largest(x: Any, rank: int = 2) -> Any:
    """The largest modulus in each matrix, or vector."""
    return np.max(np.abs(x), axis=tuple(range(-rank, 0)), initial=0)


def _in_front(x: Any, rank: int) -> Any:
    """A number for each matrix, or vector, to multiply it by."""
    return x[(..., *(None,) * rank)]
