"""The pushforward against the function: the slope along a direction, and the Taylor remainder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pullback.testing.directions import NOISE_SAMPLES, Array, shaken
from pullback.testing.probes import NOISE_SAFETY, Probe, hint, narrowest, number, place
from pullback.testing.report import Row
from pullback.testing.subject import pack

__all__ = ["differences", "taylor"]

_FIRST_ORDER = (2.0, 8.0)
"""Ratios of remainders at steps 4:1 that belong to the first order; the second has 16."""


def differences(probe: Probe, name: str) -> Row:
    """Jd by forward mode against the slope of the function along d."""
    argument = probe.subject.names[probe.position]
    found = _discrepancy(probe)
    if found is None:
        return Row(name, argument, None, probe.subject.precision.differences, "ok")
    detail = ""
    if found.verdict == "wrong":
        detail = _describe_difference(narrowest(probe, _excess))
    return Row(name, argument, found.relative, found.allowed, found.verdict, detail)


@dataclass(frozen=True)
class _Discrepancy:
    """The element of a vector that is worst for what it is allowed."""

    element: int
    excess: float
    relative: float
    allowed: float
    verdict: str


def _discrepancy(probe: Probe) -> _Discrepancy | None:
    """Where pushforward and differences are furthest apart; `None` if nothing moves."""
    found, predicted = probe.slope, probe.predicted
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(found.value), np.abs(predicted))
        live = ~(size == 0) & ~found.still
        if not live.any():
            return None
        apart = np.abs(found.value - predicted)
        allowed = probe.allowed
        known = found.resolved & (found.settled | (allowed <= 0.5 * size))
        excess = np.where(known, apart / allowed, 0.0)
        excess[~np.isfinite(predicted)] = np.inf
        known |= found.converges & ~found.resolved
        lost = live & ~known & np.isfinite(predicted)
        if lost.any():
            excess[lost & ~_rounding(probe)] = np.inf
        excess[~live] = -1.0
        pool = np.where(known | (excess > 1), excess, np.where(live, -0.5, -1.0))
        worst = int(np.argmax(pool))
        verdict = "wrong" if excess[worst] > 1 else "ok" if known[worst] else "unresolved"
        return _Discrepancy(
            worst,
            float(excess[worst]),
            float(apart[worst] / size[worst]),
            float(allowed[worst] / size[worst]),
            verdict,
        )


def _rounding(probe: Probe) -> Array:
    """Where what is left at the finest step is no more than rounding errors of the function.

    They are tiny; or no more than how the values on one side of x differ among themselves, which
    they hardly do beside a jump; or small and as large as the effect of roundings of the arguments.
    """
    subject, noise = probe.subject, probe.slope.noise
    around = np.abs(np.array(probe.ladder.values(subject.precision.start)))
    usable = around[np.isfinite(around)]
    sizes = np.maximum(pack(subject.magnitudes).real, subject.noise)
    largest = np.max(usable, initial=np.max(sizes, initial=0.0))
    below: Array = noise <= np.maximum(largest * subject.epsilons() ** 0.6, 1e-300)
    if not below.all():
        below |= noise <= NOISE_SAFETY * probe.ladder.scatter()
        rng = np.random.default_rng(0)
        here = pack(subject.y)
        samples = [subject.vector(shaken(subject.x, rng)) - here for _ in range(NOISE_SAMPLES)]
        sensitivity = np.max(np.abs(np.array(samples)), axis=0)
        below |= (noise <= NOISE_SAFETY * sensitivity) & (noise <= 0.01 * largest)
    return below


def _excess(probe: Probe) -> float:
    found = _discrepancy(probe)
    return 0.0 if found is None else found.excess


def _describe_difference(probe: Probe) -> str:
    """Where the pushforward and the function part, for a message."""
    found = _discrepancy(probe)
    assert found is not None
    worst = found.element
    where, unit = place(probe, probe.subject.locate(worst))
    expected, got = probe.slope.value[worst] / unit, probe.predicted[worst] / unit
    if not np.isfinite(got):
        return f"{where}: the pushforward is {number(got)}, not a finite number"
    if not probe.slope.resolved[worst]:
        return (
            f"{where}: no step makes the differences of the function converge, and the "
            f"pushforward gives {number(got)}. There is a jump or a kink nearby, or rounding "
            "errors of the function hide its derivative"
        )
    return (
        f"{where}: expected {number(expected)} (differences of the function), got "
        f"{number(got)} (pushforward){hint(expected, got)}"
    )


def taylor(probe: Probe, name: str) -> Row:
    """The order in h of ‖f(x + hd) − f(x) − hJd‖, which is 2 where f is smooth."""
    argument = probe.subject.names[probe.position]
    found, predicted = probe.slope, probe.predicted
    with np.errstate(all="ignore"):
        rest = probe.ladder.remainders(found.level, predicted)
        h = 4.0 ** -(found.level + 2.0)
        floor = 800 * probe.subject.epsilons() * pack(probe.subject.magnitudes).real
        floor = floor + 10 * h * np.where(found.still, 0, probe.allowed)
        visible = np.isfinite(rest[0]) & (rest[2] > floor) & np.isfinite(floor)
        visible &= found.resolved
        ratios = rest[0] / rest[1], rest[1] / rest[2]
        low, high = _FIRST_ORDER
        first = visible & np.logical_and.reduce([(low < r) & (r < high) for r in ratios])
        order = 0.25 * np.log2(rest[0] / rest[2])
    if first.any():
        worst = int(np.argmax(np.where(first, rest[2] / np.maximum(floor, 1e-300), -1)))
        detail = (
            f"{place(probe, probe.subject.locate(worst))[0]}: the remainder at the steps "
            f"4:1 falls like {ratios[0][worst]:.2f}:1 and {ratios[1][worst]:.2f}:1, wanted 16:1. "
            "The slopes to either side differ: a kink"
        )
        return Row(name, argument, float(order[worst]), 1.5, "wrong", detail)
    if not visible.any():
        return Row(name, argument, None, 1.5, "ok")
    clearest = int(np.argmax(np.where(visible, rest[2] / np.maximum(floor, 1e-300), -1)))
    return Row(name, argument, float(order[clearest]), 1.5, "ok")
