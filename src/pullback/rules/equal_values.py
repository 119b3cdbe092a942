"""Equal eigenvalues and singular values: what is well defined there, and what depends on a choice.

Vectors of equal values are any basis of their space. The derivative of a function that does not
depend on it (a function of a matrix, a projector, a part of low rank) takes more than values and
vectors at a point: how the cotangent of the vectors changes as the values part. So values that are
equal are set apart by a formal infinitesimal, w + εβ, in the directions of the vectors that were
chosen, and the terms of a rule that are divided by differences are split in two: those of different
values, and those of equal ones, which are of order 1/ε; see `pullback.transforms.infinitesimals`.
Singular values that are 0 are among these, as there are divisions by the values too.

So that a function that does depend on the choice shows it, and is not stationary by accident, as
Σ vᵢⱼ³ is at vectors that are unit vectors, a derivative goes on with the basis turned by fixed,
irrational angles.

All this judges by first orders, at one basis. A function of values alone is not judged: of one
that is not symmetric in equal values, as the largest, a derivative along one choice is given. And
vectors that enter twice, as in vᵀ(vᵀBv)v, can hide that a gradient depends on the choice.

Values are equal if they differ by no more than 4n times the spacing of numbers at the largest, or
are linked by such, for n values. The same goes for those that count as 0. Between values that
differ by δ, and are not equal, derivatives have errors of the order of the spacing over δ.

For the theorem behind it, that a function of a matrix has the divided differences f[wᵢ, wⱼ] for its
derivative, f′(w) where they are equal: R. Bhatia, *Matrix Analysis*, Springer 1997, theorem V.3.3;
for what of eigenvectors is differentiable at equal eigenvalues: A. L. Andrew, K.-W. E. Chu and
P. Lancaster, *Derivatives of eigenvalues and eigenvectors of matrix functions*, SIAM J. Matrix
Anal. Appl. 14, 1993.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.transforms.forward import Pushforward
from pullback.transforms.infinitesimals import (
    COUNTERTURN,
    EVEN,
    GOLDEN,
    PROBE,
    TURN,
    UNEVEN,
    Infinitesimal,
    irrational,
    undetermined,
)
from pullback.transforms.tape import Tape

__all__ = [
    "NONE",
    "apart",
    "equal",
    "may_separate",
    "outside",
    "parts",
    "require_determined",
    "separated",
    "settled",
    "skew",
    "some_equal",
    "some_vanishing",
    "turn",
    "turn_outside",
    "vanishing",
]


NONE = np.False_
"""The mask of pairs or values of which there are none."""


# -- which values are equal -----------------------------------------------------------------------


def _tiny(w: Any) -> Any:
    """What differences between values are rounding, for each matrix."""
    largest = np.maximum(np.abs(w[..., :1]), np.abs(w[..., -1:]))  # as they are in order
    return 4 * shape_of(w)[-1] * spacing(dtype_of(w)) * largest


@functools.cache
def spacing(dtype: np.dtype[Any]) -> Any:
    """That of numbers at 1."""
    return np.finfo(dtype).eps


def equal(w: Any) -> Any:
    """Which pairs i ≠ j of ordered values are equal, (…, n, n); `NONE` if it is known of none."""
    steps = np.greater(np.abs(w[..., 1:] - w[..., :-1]), _tiny(w))
    if known(steps) and np.logical_and.reduce(strip(steps), axis=None):
        return NONE
    first = np.zeros((*shape_of(w)[:-1], min(shape_of(w)[-1], 1)), bool)
    group = np.cumsum(np.concatenate([first, steps], axis=-1), axis=-1)
    off = ~np.eye(shape_of(w)[-1], dtype=bool)
    return off & np.equal(group[..., :, None], group[..., None, :])


def some_equal(w: Any) -> Any:
    """Whether some of the ordered values are equal."""
    return np.any(np.less_equal(np.abs(w[..., 1:] - w[..., :-1]), _tiny(w)))


def some_vanishing(s: Any) -> Any:
    """Whether some of the singular values are 0."""
    return np.any(np.less_equal(s, _tiny(s)))


def vanishing(s: Any) -> Any:
    """Which singular values are 0, (…, n); `NONE` if it is known of none."""
    zero = np.less_equal(s, _tiny(s))
    return NONE if known(zero) and not np.logical_or.reduce(strip(zero), axis=None) else zero


# -- setting them apart ---------------------------------------------------------------------------


def may_separate(interpreter: Any, a: Any, w: Any) -> bool:
    """Whether a derivative can set equal values of a matrix `a` apart.

    It can't where derivatives outside this one follow the matrix. It does so for values alone too:
    the vectors may come from another decomposition.
    """
    if type(interpreter) not in (Pushforward, Tape) or not shape_of(w)[-1]:
        return False
    while type(a) is Tracer:
        if a._payload is not None and isinstance(a._interpreter, Pushforward | Tape):
            return False
        a = a._value
    return True


def apart(interpreter: Any, w: Any, same: Any, member: Any, *vectors: Any) -> tuple[Any, ...]:
    """Values as w + εβ where `member` is true, and vectors as V + εV̇, for all directions.

    Values that are equal to rounding are made equal. With each V comes what it becomes when the
    vectors of equal values are turned.
    """
    if same is not NONE:
        group = same | np.eye(shape_of(w)[-1], dtype=bool)
        total = np.sum(np.where(group, w[..., None, :], 0), axis=-1)
        w = np.where(member, (total / np.sum(group, axis=-1)).astype(dtype_of(w)), w)
    even = np.arange(1, shape_of(w)[-1] + 1)
    uneven = even + 0.5 * (even * GOLDEN % 1)
    changes = (even, uneven, 0 * even, 0 * even, irrational(shape_of(w)[-1:], float, 4.0))
    scale = _scale(w)[..., None]
    of = Infinitesimal.below(interpreter)
    amount = of.amount()
    found = [
        of.set_apart(w, *(np.where(member, scale * x, 0).astype(dtype_of(w)) for x in changes))
    ]
    for v, turned in vectors:
        none = np.zeros_like(v)
        probe = none + irrational(shape_of(v)[-2:], dtype_of(v), 5.0)
        probe = np.where(member[..., None, :], probe, 0).astype(dtype_of(v))
        turned = turned.astype(dtype_of(v))
        found.append(of.moved(v, none, none, turned, amount * turned, probe))
    return tuple(found)


def skew(v: Any, same: Any, offset: float = 0.0) -> Any:
    """A skew-Hermitian matrix with elements for pairs of equal values, (…, n, n)."""
    n = shape_of(v)[-1]
    x = irrational((n, n), dtype_of(v), 6.0 + offset)
    return np.where(same, x - np.conj(x.T), 0)


def outside(u: Any, zero: Any) -> Any:
    """What vectors of 0 become when they are turned out of the space of all these vectors."""
    normal = irrational(shape_of(u)[-2:-1], dtype_of(u), 8.0).astype(dtype_of(u))
    for _ in range(2):
        normal = normal - (u @ (np.conj(u).mT @ normal[..., None]))[..., 0]
    return np.where(zero[..., None, :], normal[..., None], 0)


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
    """The values without ε, and a pair of what it comes with; `None` if they were not set apart."""
    of = w._interpreter if type(w) is Tracer else None
    if not isinstance(of, Infinitesimal) or not of.has_set_apart(w):
        return w, None
    return of.settled(w), (of.change(w, EVEN), of.change(w, UNEVEN))


def settled(w: Any, *vectors: Any) -> tuple[Any, ...]:
    """Vectors without ε, if their values were set apart."""
    return tuple(map(w._interpreter.settled, vectors))


def require_determined(name: str, factors: Any) -> None:
    """Raise where a rule would divide by the difference of equal values."""
    if known(factors) and np.logical_or.reduce(np.isnan(strip(factors)), axis=None):
        raise undetermined(name)


def separated(
    name: str, w: Any, position: int, regular: Linear, even: Linear, uneven: Linear
) -> Linear:
    """The map of a decomposition some of whose values were set apart.

    The values w, with ε, are at `position` among the outputs of the function. The terms that are
    finite are `regular`; `even` and `uneven` are the coefficients of 1/ε for either direction,
    which concern the vectors alone.
    """
    of: Infinitesimal = w._interpreter
    precedes, amount = of.precedes(w), of.amount_of(w)
    w = of.settled(w)
    scale = _scale(w)
    rounding = ROUNDING * shape_of(w)[-1] ** 0.5 * spacing(dtype_of(w))

    def pushforward(a_dot: Any) -> Any:
        a_dot = of.unscaled(a_dot)
        rows = zip(*(each.pushforward(a_dot) for each in (regular, even, uneven)), strict=True)
        outputs = list(rows)
        size: Any = 0
        for number, (_, leading, _) in enumerate(outputs):
            if number != position:
                size = np.maximum(size, _largest(leading))
        outs = []
        for number, (x, *leading) in enumerate(outputs):
            rank = 1 if number == position else 2
            even_part, uneven_part = [np.zeros_like(x)] * 2 if rank == 1 else leading
            probe = irrational(shape_of(x)[-rank:], dtype_of(x), number)
            probe = probe * _in_front(size * scale if rank == 1 else size, rank)
            probe = np.broadcast_to(probe, shape_of(x)).astype(dtype_of(x))
            outs.append(of.made(x, even_part, uneven_part, probe, amount))
        return tuple(outs)

    def pullback(bars: Any) -> Any:
        settled = [of.settled(bar) for bar in bars]
        a_bar = regular.pullback(settled)
        if any(bar is not None for i, bar in enumerate(bars) if i != position):
            a_bar = a_bar + limit(bars, settled)
        # How it changes with ε is not known; when the vectors of others turn, it may.
        lost, none = np.full_like(a_bar, np.nan if precedes else 0), np.zeros_like(a_bar)
        turned = [
            None if bar is None else amount * of.change(bar, TURN) - of.change(bar, COUNTERTURN)
            for bar in bars
        ]
        probe = regular.pullback([of.change(bar, PROBE) for bar in bars])
        return of.moved(a_bar, lost, lost, regular.pullback(turned), none, probe)

    def limit(bars: Any, settled: list[Any]) -> Any:
        """The terms of equal values, from how the cotangents of the vectors change."""
        values = settled[position]
        rows = [
            [None if i == position else x for i, x in enumerate(row)]
            for row in (
                settled,
                [of.change(bar, EVEN) for bar in bars],
                [of.change(bar, UNEVEN) for bar in bars],
            )
        ]
        size = 0 if values is None else _largest(values, 1)
        for row in rows:
            for bar in row:
                size = size + (0 if bar is None else _largest(bar) / scale)
        most = rounding * _in_front(size, 2)
        infinite = np.abs(even.pullback(rows[0])) + np.abs(uneven.pullback(rows[0]))
        one, other = even.pullback(rows[1]), uneven.pullback(rows[2])
        off = np.greater(infinite, most) | np.greater(np.abs(one - other), most)
        off = off | (np.isnan(one) & ~np.isnan(infinite))
        if known(off) and strip(off).any():
            raise undetermined(name)
        return np.where(off, np.nan, one).astype(dtype_of(one))

    return Linear(pushforward, pullback)


def _scale(w: Any) -> Any:
    """The largest value of each matrix, and 1 where that is 0."""
    largest = _largest(w, 1)
    return np.where(np.greater(largest, 0), largest, 1)


def _largest(x: Any, rank: int = 2) -> Any:
    """The largest modulus in each matrix, or vector."""
    return np.maximum.reduce(np.abs(x), axis=-1 if rank == 1 else (-2, -1), initial=0)


def _in_front(x: Any, rank: int) -> Any:
    """A number for each matrix, or vector, to multiply it by."""
    return x[(..., *(None,) * rank)]
