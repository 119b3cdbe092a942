"""The derivative along a direction, from values of the function alone, with an error bound.

Central differences D(h) = (f(x + hd) − f(x − hd)) / 2h are taken at steps h = 4⁻ᵏ and extrapolated
over windows of three: the errors h² and h⁴ cancel, and how much the extrapolants differ says how
far they can be trusted (C. J. F. Ridders, "Accurate computation of F′(x) and F′(x)F″(x)", Advances
in Engineering Software 4 (1982)). The windows start at steps that suit most functions. Where
the extrapolants don't agree, the steps shrink, for functions that bend quickly, and then grow, for
functions whose rounding errors drown small steps. Each element of the output has its own window:
one may be resolved at 10⁻³ while another needs 10⁻⁹.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pullback.testing.directions import Array
from pullback.testing.ladder import Ladder

__all__ = ["PRECISIONS", "Precision", "Slope", "slope"]


@dataclass(frozen=True)
class Precision:
    """What can be asked of numbers of a precision.

    Attributes
    ----------
    start : int
        The first window has the steps 4⁻ˢ, 4⁻ˢ⁻¹ and 4⁻ˢ⁻².
    finest, coarsest : int
        The levels beyond which steps are no longer exact, or absurd.
    from_zero : int
        The finest level at x = 0, where steps of any size are exact.
    resolved : float
        The relative error at which a slope counts as known.
    differences, adjoint : float
        The relative discrepancies that are always allowed.
    """

    start: int
    finest: int
    coarsest: int
    from_zero: int
    resolved: float
    differences: float
    adjoint: float


PRECISIONS = {
    "double": Precision(5, 24, -20, 200, 1e-6, 1e-6, 1e-9),
    "single": Precision(1, 9, -10, 30, 1e-4, 2e-4, 1e-4),
    "mixed": Precision(5, 24, -20, 200, 1e-6, 2e-5, 1e-4),
}
"""In mixed precision the derivative is single, and the function can be evaluated in double."""


@dataclass
class Slope:
    """d/dt f(x + td) at t = 0, for each element of f.

    Attributes
    ----------
    value : array
    error : array
        How far `value` may be from the derivative.
    level : array of int
        The window that it came from.
    settled : array of bool
        Whether `value` is known as well as was asked for.
    resolved : array of bool
        Whether `value` is known well enough to contradict anything.
    still : array of bool
        Where neither the function nor the predicted slope moves by more than rounding errors.
    converges : array of bool
        Whether the differences approach the predicted slope by a factor of a thousand as the steps
        shrink. Where the slope is 0 that is all that can be known: x³ at 0.
    noise : array
        ‖f(x + hd) − f(x − hd) − 2hp‖ at the finest step taken, p being the predicted slope: what
        remains when the step goes to zero.
    """

    value: Array
    error: Array
    level: Array
    settled: Array
    resolved: Array
    still: Array
    converges: Array
    noise: Array


def slope(
    ladder: Ladder,
    predicted: Array,
    epsilon: Array,
    magnitude: Array,
    parts: Sequence[slice],
    precision: Precision,
) -> Slope:
    """The derivative along the ladder's direction, from the finest window that resolves it.

    How far to search depends on the slope that is `predicted`, and nothing else. Outputs have
    rounding errors of `epsilon` relative to the `magnitude` of what they are computed from, and
    belong to arrays that are `parts` of their vector.
    """
    search = _Search(ladder, predicted, epsilon, magnitude, parts, precision)
    with np.errstate(all="ignore"):
        search.start()
        search.refine()
        search.coarsen()
        search.confirm()
        search.corroborate()
        finest = max(ladder.rungs)
        ahead, behind = ladder.values(finest)
        noise = np.abs(ahead - behind - 2 * 4.0**-finest * predicted)
        converges = _converges(ladder, predicted, precision.start)
    resolved = search.settled | (search.relative <= _KNOWN)
    return Slope(
        search.value,
        search.error,
        search.level,
        search.settled,
        resolved,
        search.still,
        converges,
        noise,
    )


def _converges(ladder: Ladder, predicted: Array, start: int) -> Array:
    """Where two steps in a row come a thousand times closer to a slope than the first did."""
    apart = {}
    for level in sorted(ladder.rungs):
        if level >= start:
            ahead, behind = ladder.values(level)
            apart[level] = np.abs((ahead - behind) * (0.5 * 4.0**level) - predicted)
    found = np.zeros(predicted.shape, bool)
    for level in range(start + 1, max(apart)):
        both = np.maximum(apart[level], apart[level + 1])
        found |= both <= 1e-3 * apart[start]
    return found


_MANY = 16
"""How many elements make a statistic."""
_KNOWN = 1e-3
"""The relative error from which on a slope can contradict a prediction; larger ones may be luck."""


class _Search:
    """The best window of each element so far."""

    def __init__(
        self,
        ladder: Ladder,
        predicted: Array,
        epsilon: Array,
        magnitude: Array,
        parts: Sequence[slice],
        precision: Precision,
    ) -> None:
        self.ladder, self.predicted = ladder, predicted
        self.epsilon, self.magnitude, self.precision = epsilon, magnitude, precision
        self.parts = parts
        shape = ladder.at_x.shape
        self.value = np.zeros_like(ladder.at_x)
        self.error = np.full(shape, np.inf)
        self.relative = np.full(shape, np.inf)
        self.level: Array = np.full(shape, precision.start)
        self.settled = np.zeros(shape, bool)
        self.still = np.zeros(shape, bool)
        self.flat = np.full(shape, np.inf)

    def start(self) -> None:
        """The first window, and the elements that don't move there and needn't."""
        level = self.precision.start
        value, error = self._window(level)
        rounding = 64 * self.epsilon * self.magnitude
        usable = np.isfinite(error)
        moved = np.abs(value) * 4.0 ** -(level + 2)
        self.still = usable & (np.abs(self.predicted) <= rounding) & (moved <= rounding)
        self.settled = self.still.copy()
        self.flat = np.where(usable & (value == 0), error, np.inf)
        self._take(level, value, error, ~self.settled)

    def refine(self) -> None:
        """Smaller steps, until everything is settled or gets worse three times in a row."""
        stale = 0
        for level in range(self.precision.start + 1, self.precision.finest - 1):
            if self.settled.all():
                return
            value, error = self._window(level)
            self._doubt(level + 2)
            consistent = self._consistent(value)
            stale = 0 if self._take(level, value, error, ~self.settled & consistent) else stale + 1
            self._widen(~consistent & (error < self.error), np.abs(value - self.value))
            if stale == 3 and (self.relative[~self.settled] <= _KNOWN).all():
                return

    def coarsen(self) -> None:
        """Larger steps, for the elements whose slope is drowned by rounding at small ones.

        A larger step may know the slope better; it must not contradict what smaller ones know.
        """
        drowned = ~self.settled & ((self.level == self.precision.start) | (self.relative > _KNOWN))
        flat = np.isfinite(self.flat)
        stale = 0
        for level in range(self.precision.start - 1, self.precision.coarsest - 1, -1):
            drowned &= ~self.settled
            if not drowned.any():
                break
            value, error = self._window(level)
            flat &= value == 0
            self.flat = np.where(flat, np.minimum(self.flat, error), self.flat)
            for finer in self.ladder.rungs:
                if finer > level + 2:
                    error = np.maximum(error, self._contradiction(finer, level, value))
            agrees = np.abs(value - self.value) <= 20 * self.error
            candidates = drowned & (agrees | np.isinf(self.error))
            stale = 0 if self._take(level, value, error, candidates) else stale + 1
            if stale == 3 and (self.relative[drowned] <= _KNOWN).all():
                break
        self._flatten()

    def confirm(self) -> None:
        """The smallest steps, for slopes at x = 0 that refinement found and that say "wrong".

        A wave much shorter than the steps agrees with any slope once in a few hundred windows.
        """
        if self.precision.finest < self.precision.from_zero:
            return
        contradict = self.settled & (self.level > self.precision.start)
        contradict &= ~(np.abs(self.value - self.predicted) <= 20 * self.error)
        if contradict.any():
            rungs = dict(self.ladder.rungs)
            level = self.precision.finest - 2
            value, error = self._window(level)
            better = contradict & (error <= _KNOWN * np.abs(value))
            self.relative[better] = np.inf
            self._take(level, value, error, better)
            self.ladder.rungs = rungs  # the others are judged by the steps that they asked for

    def corroborate(self) -> None:
        """What the next finer windows say of the errors of slopes that say "wrong".

        Values rounded more coarsely than is known of them, as 1 − tanh²(x) far out, agree with each
        other in some window by luck. Rounding errors grow by four from a window to the next.
        """
        contradict = self.settled & ~(np.abs(self.value - self.predicted) <= 20 * self.error)
        rungs = dict(self.ladder.rungs)
        for level in np.unique(self.level[contradict]):
            chosen = contradict & (self.level == level)
            for finer in (1, 2):
                if level + finer + 2 <= self.precision.finest:
                    error = self._window(int(level) + finer)[1] / 4.0**finer
                    worse = chosen & np.isfinite(error) & (error > self.error)
                    self.error[worse] = error[worse]
        self.ladder.rungs = rungs

    def _window(self, level: int) -> tuple[Array, Array]:
        return self.ladder.window(level, self.epsilon * self.magnitude, self.epsilon)

    def _consistent(self, value: Array) -> Array:
        """Where a slope does not contradict what is known."""
        unknown = self.relative > _KNOWN
        consistent: Array = unknown | (np.abs(value - self.value) <= 20 * self.error)
        return consistent

    def _doubt(self, finer: int) -> None:
        """Raise the errors of estimates that a smaller step, now evaluated, contradicts."""
        error = self._contradiction(finer, self.level, self.value)
        self._widen(error > self.error, error)

    def _widen(self, where: Array, error: Array) -> None:
        """Raise the errors of estimates that are not settled."""
        where = where & ~self.settled & np.isfinite(self.error)
        self.error = np.where(where, error, self.error)
        size = np.maximum(np.abs(self.value), 1e-300)
        self.relative = np.where(where, self.error / size, self.relative)

    def _contradiction(self, finer: int, level: Array | int, value: Array) -> Array:
        """What a small step says against a slope found with larger ones.

        The remainder at the small step is rounding error or, if the slope is right, far smaller
        than at the larger steps. Its effect on the window is that of an error of this size.
        """
        ahead, behind = self.ladder.values(finer)
        rest = np.abs(0.5 * (ahead - behind) - 4.0**-finer * value)
        error: Array = rest * np.ldexp(1.0, 2 * (np.asarray(level) + 2))
        return np.where(np.isfinite(error), error, 0.0)

    def _take(self, level: int, value: Array, error: Array, candidates: Array) -> bool:
        """Adopt a window where it is better; whether it was anywhere."""
        relative = np.where(value != 0, error / np.maximum(np.abs(value), 1e-300), np.inf)
        better = candidates & (relative < self.relative)
        for mine, new in ((self.value, value), (self.error, error), (self.relative, relative)):
            mine[better] = new[better]
        self.level[better] = level
        self.settled |= self.relative <= self.precision.resolved
        self.settled |= candidates & (self.error <= self.precision.resolved * self._usual(value))
        return bool(better.any())

    def _usual(self, value: Array) -> Array:
        """The usual size of slopes in the same array.

        Among many elements some slopes are small by cancellation. They need not be known as well
        relative to themselves as the others are.
        """
        usual = np.zeros(value.shape)
        for part in self.parts:
            magnitude = np.maximum(self.magnitude[part], 1e-300)
            ratios = np.abs(value[part]) / magnitude
            ratios = ratios[(ratios > 0) & np.isfinite(ratios)]
            if ratios.size >= _MANY:
                usual[part] = np.median(ratios) * magnitude
        return usual

    def _flatten(self) -> None:
        """Where the function did not move at small steps and no window knows better, it is flat."""
        flat = np.isfinite(self.flat) & ~self.settled & (self.relative > _KNOWN)
        flat &= ~self._between_stairs()
        self.value[flat], self.error[flat] = 0, self.flat[flat]
        self.level[flat] = self.precision.start
        self.settled |= flat

    def _between_stairs(self) -> Array:
        """Where the function did not move since its values are rounded to coarse multiples.

        The first time that it moves it moves by more than was predicted until there, and by no
        more than a rounding error of what it reaches at larger steps.
        """
        stair = np.zeros(self.error.shape)
        largest = np.zeros(self.error.shape)
        due = np.zeros(self.error.shape)
        for level in sorted(self.ladder.rungs, reverse=True):
            ahead, behind = self.ladder.values(level)
            moved = np.nan_to_num(np.abs(ahead - behind), posinf=0.0)
            due = np.where(stair == 0, 2 * 4.0**-level * np.abs(self.predicted), due)
            stair = np.where(stair == 0, moved, stair)
            sizes = np.maximum(np.abs(ahead), np.abs(behind))
            largest = np.fmax(largest, np.where(np.isfinite(sizes), sizes, 0.0))
        between: Array = (due <= 16 * stair) & (stair <= 1e-9 * largest)
        return between
