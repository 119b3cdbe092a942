"""Nodes and weights for integrals whose derivatives are wanted, on the intervals of a quadrature.

A quadrature of SciPy's has cut a range until the integral of a function has its tolerance. Of the
integrals of the function's derivatives that says less: where the function has a kink its derivative
jumps, where it has an integrable pole that of the derivative is steeper. So each interval is looked
at again, with numbers alone: where Gauss' rule on its two halves agrees with the rule on the whole
to much more digits than asked for, the function is smooth there, and so are its derivatives;
otherwise the tanh-sinh rule is tried, whose nodes crowd at both ends; and where that doesn't settle
it the interval is cut, down to 10⁻¹⁰ of the range.

The ends of a range, and points in between that were given, may depend on what is differentiated.
The intervals that touch them move with them, and all others stay where they are: so it is right for
integrands that are singular at a moving end, and for those that jump at a fixed place in between.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Mesh", "Piece", "Ranges", "resolved"]

# -- rules on the interval from 0 to 1 -----------------------------------------------------------


class Rule(NamedTuple):
    """Nodes as distances from either end, as one of them loses digits, and weights."""

    from_low: Any
    from_high: Any
    weights: Any


def _gauss(count: int) -> Rule:
    x, weights = np.polynomial.legendre.leggauss(count)
    return Rule((1 + x) / 2, (1 - x) / 2, weights / 2)


def _halved(rule: Rule) -> Rule:
    low, high, weights = rule
    return Rule(
        np.concatenate([low / 2, (1 + low) / 2]),
        np.concatenate([(1 + high) / 2, high / 2]),
        np.concatenate([weights, weights]) / 2,
    )


def _tanh_sinh(step: float, last: float) -> Rule:
    """Takahasi and Mori's rule, to within exp(−π sinh(last)) of both ends."""
    t = step * np.arange(-round(last / step), round(last / step) + 1)
    reach = np.pi * np.sinh(t)
    low, high = 1 / (1 + np.exp(-reach)), 1 / (1 + np.exp(reach))
    return Rule(low, high, step * np.pi * np.cosh(t) * low * high)


_WHOLE = _gauss(16)
_HALVES = _halved(_WHOLE)
_SMOOTH = Rule(*(np.concatenate(pair) for pair in zip(_WHOLE, _HALVES, strict=True)))
_STEEP = _tanh_sinh(1 / 16, 4.5)

_SETTLED = 1e-11
"""To which part of an interval's own integral the two rules of Gauss agree on it."""
_ALIKE = 1e-7
"""To which part two tanh-sinh rules do, of which the finer one has twice the digits."""
_SMALL = 1e-17
"""Which part of the whole integral doesn't matter."""
_NARROW = 1e-10
"""Which part of the range isn't cut any more."""
_TRIES = 2
"""How often an interval is cut before there's no singular point at its end to look for."""

# -- intervals -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """An interval, and which of the moving ends its own ends move with, if any.

    With a `sign` it stands for x = anchor + sign·(1 − τ)/τ, with τ from `low` to `high` ≤ 1.
    """

    low: float
    high: float
    low_moves: int | None = None
    high_moves: int | None = None
    anchor: float = 0.0
    sign: int = 0
    cuts: int = 0

    @property
    def moves(self) -> bool:
        return self.low_moves is not None or self.high_moves is not None

    def halves(self) -> tuple[Piece, Piece]:
        middle = self.low + (self.high - self.low) / 2
        cut = replace(self, cuts=self.cuts + 1)
        return (
            replace(cut, high=middle, high_moves=None),
            replace(cut, low=middle, low_moves=None),
        )

    def at(self, rule: Rule) -> tuple[Any, Any]:
        """The nodes and the weights of a rule on it."""
        width = self.high - self.low
        x = np.where(
            rule.from_low < 0.5,
            self.low + width * rule.from_low,
            self.high - width * rule.from_high,
        )
        weights = width * rule.weights
        inside = (x > self.low) & (x < self.high) | (width <= 0)
        x, weights = np.where(inside, x, self.low + width / 2), np.where(inside, weights, 0)
        if self.sign:
            return self.anchor + self.sign * (1 - x) / x, weights / x**2
        return x, weights


class Mesh(NamedTuple):
    """Nodes x + ∂x·Δ and weights w + ∂w·Δ, with Δ how far each of the moving ends has moved."""

    x: Any
    weights: Any
    x_dot: Any
    weights_dot: Any

    @staticmethod
    def joined(parts: Sequence[Mesh], ends: int) -> Mesh:
        nothing = Mesh(np.empty(0), np.empty(0), np.empty((0, ends)), np.empty((0, ends)))
        return Mesh(*map(np.concatenate, zip(nothing, *parts, strict=True)))

    def padded(self, count: int) -> Mesh:
        """With nodes that don't count, so many in all."""
        more = count - len(self.x)
        last = np.broadcast_to(self.x[-1:], (more,))
        zeros = np.zeros((more, self.x_dot.shape[1]))
        return Mesh.joined([self, Mesh(last, np.zeros(more), zeros, zeros)], zeros.shape[1])


@dataclass(frozen=True, slots=True)
class Ranges:
    """What an integral goes over, as a quadrature has cut it.

    Attributes
    ----------
    low, high : float
        Its ends, of which either may be infinite.
    cuts : list of (float, float)
        The intervals; where an end is infinite in τ, for x = anchor ± (1 − τ)/τ.
    low_moves, high_moves : int or None
        The numbers of those ends that move.
    moving : dict of {float: int}
        Those of the points in between that do.
    """

    low: float
    high: float
    cuts: Sequence[tuple[float, float]]
    low_moves: int | None
    high_moves: int | None
    moving: dict[float, int]

    @property
    def count(self) -> int:
        """How many of its ends and points move."""
        return (self.low_moves is not None) + (self.high_moves is not None) + len(self.moving)

    def pieces(self) -> list[Piece]:
        """The intervals; none of those in τ moves."""
        finite = np.isfinite([self.low, self.high])
        if finite.all():
            if not self.cuts:
                return [Piece(self.low, self.high, self.low_moves, self.high_moves)]
            by = {**self.moving, self.low: self.low_moves, self.high: self.high_moves}
            return [Piece(low, high, by.get(low), by.get(high)) for low, high in self.cuts]
        pieces: list[Piece] = []
        if finite[0] or not finite.any():
            pieces += self._outward(self.low if finite[0] else 0.0, 1, self.low_moves)
        if finite[1] or not finite.any():
            pieces += self._outward(self.high if finite[1] else 0.0, -1, self.high_moves)
        return pieces

    def _outward(self, anchor: float, sign: int, moves: int | None) -> Iterator[Piece]:
        """The intervals from a finite place to infinity, of which the first one is one in x.

        That moves, if the place does; and the integrand may be singular there, where τ has no
        digits to tell.
        """
        for low, high in self.cuts:
            if high < 1:
                yield Piece(low, high, anchor=anchor, sign=sign)
                continue
            if not low:
                low = 0.5
                yield Piece(0.0, low, anchor=anchor, sign=sign)
            end = anchor + sign * (1 - low) / low
            if sign > 0:
                yield Piece(anchor, end, low_moves=moves)
            else:
                yield Piece(end, anchor, high_moves=moves)


class Resolved(NamedTuple):
    """What is to be summed, and what was found out by the way.

    Attributes
    ----------
    still, moving : Mesh
        Nodes and weights on the intervals that stay where they are, and on the others.
    kept : list of arrays
        Of the nodes of each request, which are the first, one after the other.
    unsettled : float
        How far the rules differ where cutting has ended.
    size : float
        The integral of the integrand's modulus.
    """

    still: Mesh
    moving: Mesh
    kept: list[Any]
    unsettled: float
    size: float


class _Look(NamedTuple):
    """What a rule has found on an interval: which of its nodes count, and how much is to be said.

    `size` is the integral of the modulus, `error` how far two rules differ.
    """

    counting: slice
    size: float
    error: float
    settled: bool


def _look(rule: Rule, weights: Any, values: Any) -> _Look:
    rough = slice(0, len(_WHOLE.weights)) if rule is _SMOOTH else slice(0, None, 2)
    fine = slice(len(_WHOLE.weights), None) if rule is _SMOOTH else slice(None)
    share = 1.0 if rule is _SMOOTH else 2.0
    total = np.tensordot(weights[fine], values[fine], axes=1)
    other = share * np.tensordot(weights[rough], values[rough], axes=1)
    errors = np.abs(total - other)
    sizes = np.tensordot(np.abs(weights[fine]), np.abs(values[fine]), axes=1)
    alike = _SETTLED if rule is _SMOOTH else _ALIKE
    return _Look(
        fine,
        float(np.max(sizes, initial=0.0)),
        float(np.max(errors, initial=0.0)),
        bool(np.all(errors <= alike * sizes)),
    )


def _mesh(piece: Piece, rule: Rule, counting: slice, ends: int) -> Mesh:
    x, weights = piece.at(rule)
    x_dot, weights_dot = np.zeros((2, len(x), ends))
    inside = (weights != 0) | (piece.high <= piece.low)
    for end, part, sign in (
        (piece.low_moves, rule.from_high, -1),
        (piece.high_moves, rule.from_low, 1),
    ):
        if end is not None:
            x_dot[:, end] += part
            weights_dot[:, end] += sign * rule.weights * inside
    return Mesh(x[counting], weights[counting], x_dot[counting], weights_dot[counting])


def resolved(ranges: Ranges) -> Generator[Any, Any, Resolved]:
    """Nodes and weights with which the integrand and its derivatives are integrated.

    It yields nodes of shape (n,), and is sent the values of the integrand there, along the first
    axis.
    """
    ends = ranges.count
    pieces = ranges.pieces()
    narrow = _NARROW * sum(piece.high - piece.low for piece in pieces)
    many = 4 * len(pieces) + 16
    waiting: list[tuple[Piece, Rule]] = [(piece, _SMOOTH) for piece in pieces]
    still: list[Mesh] = []
    moving: list[Mesh] = []
    requests: list[Any] = []
    size = unsettled = 0.0
    begun = False
    while waiting:
        where = [piece.at(rule) for piece, rule in waiting]
        values = yield np.concatenate([x for x, _ in where])
        bounds = np.cumsum([0, *(len(x) for x, _ in where)])
        looks = [
            _look(rule, weights, values[start:stop])
            for (_, rule), (_, weights), start, stop in zip(
                waiting, where, bounds[:-1], bounds[1:], strict=True
            )
        ]
        size = size if begun else float(np.nansum([look.size for look in looks]))
        begun = True
        # Single points are cut out by a few intervals; if all are cut, that's noise.
        noisy = len(waiting) > many
        after: list[tuple[Piece, Rule]] = []
        kept: list[Any] = []
        for (piece, rule), look, start, stop in zip(
            waiting, looks, bounds[:-1], bounds[1:], strict=True
        ):
            settled = look.settled or look.error <= _SMALL * size
            if settled or (rule is _SMOOTH and (noisy or piece.high - piece.low <= narrow)):
                unsettled += 0.0 if settled else look.error
                part = _mesh(piece, rule, look.counting, ends)
                if piece.moves:
                    moving.append(part)
                else:
                    still.append(part)
                    kept.append(np.arange(start, stop)[look.counting])
            elif rule is _SMOOTH and piece.cuts < _TRIES:
                after.append((piece, _STEEP))
            else:
                after += [(half, _SMOOTH) for half in piece.halves()]
        requests.append(np.concatenate(kept) if kept else np.empty(0, int))
        waiting = after
    return Resolved(Mesh.joined(still, ends), Mesh.joined(moving, ends), requests, unsettled, size)
