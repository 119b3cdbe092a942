"""One direction at one argument, and what there is to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import zip_longest

import numpy as np

from pullback.core.shapes import Abstract
from pullback.errors import DetachedError
from pullback.testing.differences import Slope, slope
from pullback.testing.directions import NOISE_SAMPLES, Array, direction, groups, scales, shaken
from pullback.testing.subject import Subject, pack

__all__ = ["NOISE_SAFETY", "Probe", "cotangents", "hint", "narrowest", "number", "place", "probes"]

NOISE_SAFETY = 30.0
"""How many times what it then varies by a discrepancy may be."""

_CUBED = 0.3
"""The part of the range of exponents for cotangents: third derivatives multiply three of them."""

_DIFFERENCES_SAFETY = 8.0
"""How many times the estimated error of a slope a discrepancy may be."""


class Probe:
    """One direction at one argument: the tangent, what forward mode makes of it, and the ladder.

    Attributes
    ----------
    position : int
        The argument that moves.
    mask : array of bool
        Which of its elements move.
    d : list of array
        The tangent: zero in the other arguments.
    pushed : list of array
        Jd by forward mode.
    """

    def __init__(self, subject: Subject, position: int, mask: Array, moving: Array) -> None:
        self.subject, self.position, self.mask = subject, position, mask
        self.d = [np.zeros_like(x) for x in subject.x]
        self.d[position] = np.asarray(np.where(mask, moving, 0).astype(moving.dtype))
        self.pushed = self._push()
        self.predicted = pack(self.pushed)
        self.ladder = subject.ladder(self.d)

    def _push(self) -> list[Array]:
        others_rest = [d if k == self.position else None for k, d in enumerate(self.d)]
        try:
            return self.subject.push(others_rest)
        except DetachedError:
            # An array made like an argument that is no tracer cannot hold one: move all of them.
            return self.subject.push(self.d)

    @cached_property
    def slope(self) -> Slope:
        """The derivative along the direction from values of the function alone."""
        subject, precision = self.subject, self.subject.precision
        if not subject.x[self.position][self.mask].any():
            precision = replace(precision, finest=precision.from_zero)
        magnitude = pack(subject.magnitudes).real
        return slope(
            self.ladder, self.predicted, subject.epsilons(), magnitude, subject.parts(), precision
        )

    @cached_property
    def allowed(self) -> Array:
        """How far the pushforward may be from the slope."""
        found, predicted = self.slope, self.predicted
        with np.errstate(all="ignore"):
            size = np.maximum(np.abs(found.value), np.abs(predicted))
            allowed: Array = self.subject.precision.differences * size
            allowed = np.maximum(allowed, _DIFFERENCES_SAFETY * found.error)
            allowed = np.maximum(allowed, 16 * self.subject.rule_rounding())
            apart = np.abs(found.value - predicted)
            if (~found.still & ~(apart <= allowed)).any():
                allowed = np.maximum(allowed, NOISE_SAFETY * pushed_noise(self))
                finest = 4.0 ** (found.level + 2.0)
                allowed = np.maximum(allowed, NOISE_SAFETY * finest * self.subject.noise)
        return allowed

    def forget(self) -> None:
        """Free the values of the function; they are as large as its results, for each step."""
        self.ladder.rungs.clear()
        for name in ("slope", "allowed"):
            self.__dict__.pop(name, None)

    def halves(self) -> list[Probe]:
        """The same direction, restricted to either half of its elements."""
        places = np.flatnonzero(self.mask)
        halves = []
        for part in (places[: places.size // 2], places[places.size // 2 :]):
            mask = np.zeros(self.mask.size, bool)
            mask[part] = True
            mask = mask.reshape(self.mask.shape)
            halves.append(Probe(self.subject, self.position, mask, self.d[self.position]))
        return halves


def pushed_noise(probe: Probe) -> Array:
    """How much each element of Jd varies with roundings of x and d."""
    rng = np.random.default_rng(0)
    subject = probe.subject
    samples = [
        pack(subject.push(shaken(probe.d, rng), shaken(subject.x, rng)))
        for _ in range(NOISE_SAMPLES)
    ]
    noise: Array = np.max(np.abs(np.array(samples) - probe.predicted), axis=0)
    return np.where(np.isfinite(noise), noise, 0.0)


def probes(subject: Subject, position: int, rng: np.random.Generator) -> list[Probe]:
    """Random directions at one argument, one for each magnitude among its elements."""
    x = subject.x[position]
    scale = scales(x)
    moving = direction(scale, Abstract.of(x), rng)
    return [Probe(subject, position, mask, moving) for mask in groups(scale)]


def cotangents(
    subject: Subject, all_probes: Sequence[Probe], rng: np.random.Generator
) -> list[list[Array]]:
    """Random cotangents, such that each element of the output counts alike."""
    per_result: list[list[Array]] = []
    for position, y in enumerate(subject.y):
        size = np.abs(y).astype(float)
        with np.errstate(all="ignore"):
            moved = sum(np.abs(probe.pushed[position]).astype(float) for probe in all_probes)
        size = np.where((moved > 0) & np.isfinite(moved), moved, size)
        scale = scales(np.asarray(size))
        limit = _CUBED * np.finfo(y.dtype).maxexp
        exponents = np.clip(np.frexp(scale)[1] - 1, -limit, limit).astype(int)
        w = direction(np.ldexp(1.0, -exponents), Abstract.of(y), rng)
        per_result.append([np.where(mask, w, 0).astype(y.dtype) for mask in groups(scale)])
    return [
        [
            np.zeros_like(y) if part is None else np.asarray(part)
            for part, y in zip(parts, subject.y, strict=True)
        ]
        for parts in zip_longest(*per_result)
    ]


def narrowest(probe: Probe, excess: Callable[[Probe], float]) -> Probe:
    """The smallest part of the direction that shows the discrepancy as well."""
    while np.count_nonzero(probe.mask) > 1:
        scored = [(excess(half), number, half) for number, half in enumerate(probe.halves())]
        score, _, best = max(scored, key=lambda entry: entry[:2])
        if score <= 1:
            break
        probe = best
    return probe


def place(probe: Probe, result: str) -> tuple[str, complex]:
    """Which derivative it is about, and what the direction has to be divided by."""
    name = probe.subject.names[probe.position]
    places = np.argwhere(probe.mask)
    if len(places) == 1:
        unit = probe.d[probe.position][probe.mask][0]
        element = "".join(name.reach(places[0]))
        return f"∂{result}/∂{element}", unit if unit.imag == 0 else 1.0
    return f"{result}, when {len(places)} elements of {name} move in a random direction", 1.0


def number(x: complex) -> str:
    """A number as messages show it."""
    return f"{x:.10g}"


def hint(expected: complex, got: complex) -> str:
    """What the ratio of the two suggests."""
    if not expected or not got or not np.isfinite(got):
        return ""
    ratio = got / expected
    if abs(ratio + 1) < 1e-3:
        return "; the sign is reversed"
    if abs(np.imag(ratio)) < 1e-6 * abs(ratio):
        return f"; the ratio is {np.real(ratio):.8g}"
    return ""
