"""Reverse against forward mode, and the mixes of both.

Adjointness compares two inner products; the mixes of modes compare two gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from pullback.testing.directions import NOISE_SAMPLES, Array, scales, shaken
from pullback.testing.probes import NOISE_SAFETY, Probe, hint, narrowest, number, place
from pullback.testing.report import Row
from pullback.testing.subject import Subject, pack, shared

__all__ = ["adjointness", "agreement", "contraction"]


def adjointness(probe: Probe, w: Sequence[Array], bars: Sequence[Array], name: str) -> Row:
    """⟨Jd, w⟩ = ⟨d, Jᵀw⟩, relative to the sum of the magnitudes of the products."""
    subject, position, d = probe.subject, probe.position, probe.d
    row = _balance(subject, position, (probe.pushed, w), (d, bars), name)
    if row.verdict == "wrong":
        row = replace(row, detail=_part(probe, w, row.bound))
    return row


def contraction(
    along: Subject,
    position: int,
    v: Sequence[Array],
    w: Sequence[Array],
    hessian_d: Sequence[Array],
    name: str,
) -> Row:
    """⟨w, D²f[d, v]⟩ = ⟨Hd, v⟩: `along` is x ↦ J(x)d, by forward mode, H is that of ⟨w, f⟩."""
    row = _balance(along, position, (along.push(v), w), (v, hessian_d), name)
    if row.verdict == "wrong":
        detail = f"in the direction of {row.argument}: ⟨w, D²f[d, v]⟩ differs from ⟨Hd, v⟩"
        row = replace(row, detail=detail)
    return row


def _balance(
    subject: Subject,
    position: int,
    left: tuple[Sequence[Array], Sequence[Array]],
    right: tuple[Sequence[Array], Sequence[Array]],
    name: str,
) -> Row:
    """Compare ⟨Jd, w⟩ and ⟨d, Jᵀw⟩."""
    forward, f_scale = _inner(*left)
    reverse, r_scale = _inner(*right)
    scale = f_scale + r_scale
    apart = abs(forward - reverse)
    argument = subject.names[position]
    tolerance, rounding = subject.precision.adjoint, subject.rounding(left[1])
    if scale == 0 or scale <= rounding:
        return Row(name, argument, None, tolerance, "ok")
    tolerance = max(tolerance, rounding / scale)
    if not apart <= tolerance * scale:
        noise = NOISE_SAFETY * _noise(subject, right[0], left[1])
        noise += NOISE_SAFETY * float(np.sum(np.abs(pack(left[1])) * subject.noise))
        for computed, weights in (left, right[::-1]):
            noise += shared([np.abs(x) for x in computed], weights, computed)
        tolerance = max(tolerance, noise / scale)
    if not apart <= tolerance * scale:
        return Row(name, argument, apart / scale, tolerance, "wrong")
    return Row(name, argument, apart / scale, tolerance, "ok" if tolerance < 0.1 else "unresolved")


def _inner(xs: Sequence[Array], ys: Sequence[Array]) -> tuple[float, float]:
    """Re Σ conj(x)·y in double precision, and the sum of the magnitudes of its terms."""
    total, magnitude = 0.0, 0.0
    with np.errstate(all="ignore"):
        for x, y in zip(xs, ys, strict=True):
            x, y = pack([x]), pack([y])
            terms = np.where((x == 0) | (y == 0), 0, np.conj(x) * y)
            total += float(np.sum(terms.real))
            magnitude += float(np.sum(np.abs(terms)))
    return total, magnitude


def _noise(subject: Subject, d: Sequence[Array], w: Sequence[Array]) -> float:
    """How much the two sides of the adjoint identity vary with roundings of their inputs."""
    rng = np.random.default_rng(0)
    sides: list[tuple[float, float]] = []
    for _ in range(NOISE_SAMPLES):
        x, dot, bar = shaken(subject.x, rng), shaken(d, rng), shaken(w, rng)
        sides.append((_inner(subject.push(dot, x), bar)[0], _inner(dot, subject.pull(bar, x))[0]))
    spread = float(np.max(np.ptp(np.array(sides), axis=0)))
    return spread if np.isfinite(spread) else 0.0


def _part(probe: Probe, w: Sequence[Array], tolerance: float) -> str:
    """Which element of the Jacobian forward and reverse mode disagree on, for a message."""
    subject, position = probe.subject, probe.position

    def excess(part: Probe) -> float:
        pulled = subject.pull(w)[position]
        forward, reverse = _inner(part.pushed, w), _inner([part.d[position]], [pulled])
        scale = forward[1] + reverse[1]
        return abs(forward[0] - reverse[0]) / (tolerance * scale) if scale else 0.0

    probe = narrowest(probe, excess)
    best = (0.0, 0, 0.0, 0.0)
    places = np.flatnonzero(pack(w))
    while places.size:
        halves = (places[: places.size // 2], places[places.size // 2 :])
        scored = []
        for half in halves:
            if not half.size:
                continue
            bar = _restricted(w, half)
            pulled = subject.pull(bar)[position]
            forward = _inner(probe.pushed, bar)[0]
            reverse = _inner([probe.d[position]], [pulled])[0]
            scored.append((abs(forward - reverse), half, forward, reverse))
        apart, places, forward, reverse = max(scored, key=lambda entry: entry[0])
        best = (apart, int(places[0]), forward, reverse)
        if places.size == 1:
            break
    _, element, forward, reverse = best
    where, unit = place(probe, subject.locate(element))
    weight = pack(w)[element] * unit
    weight = weight.real if weight.imag == 0 else 1.0
    expected, got = forward / weight, reverse / weight
    return (
        f"{where}: expected {number(expected)} (pushforward), got {number(got)} "
        f"(pullback){hint(expected, got)}"
    )


def _restricted(w: Sequence[Array], places: Array) -> list[Array]:
    """A cotangent with all but some elements of its vector set to zero."""
    out, start = [], 0
    for bar in w:
        mask = np.isin(np.arange(start, start + bar.size), places).reshape(bar.shape)
        out.append(np.where(mask, bar, 0).astype(bar.dtype))
        start += bar.size
    return out


def agreement(
    subject: Subject,
    position: int,
    got: Sequence[Array],
    expected: Sequence[Array],
    name: str,
    rounding: float,
    again: Callable[[np.random.Generator], tuple[Sequence[Array], Sequence[Array]]],
) -> Row:
    """Two ways to the same arrays, each the size of an argument.

    From rounding errors alone the results, times the size of their arguments, may be as large as
    `rounding`; `again` gives both of them from inputs that differ by roundings.
    """
    argument = subject.names[position]
    sizes = [scales(x).astype(float) for x in subject.x]
    with np.errstate(all="ignore"):
        peaks = [
            float(np.max(s * np.maximum(np.abs(a), np.abs(b)), initial=0.0))
            for s, a, b in zip(sizes, got, expected, strict=True)
        ]
        overall = max(peaks, default=0.0)
        tolerance = 10 * subject.precision.adjoint
        if overall <= rounding:
            return Row(name, argument, None, tolerance, "ok")
        worst, figure, where, scale = -1.0, 0.0, (0, 0), overall
        for k, (s, a, b) in enumerate(zip(sizes, got, expected, strict=True)):
            apart = s * np.abs(a.astype(complex) - b)
            if not apart.size:
                continue
            element = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
            value = float(apart.ravel()[element]) / max(peaks[k], overall * 1e-6)
            if not value <= worst:
                worst, figure, where = value, value, (k, element)
                scale = max(peaks[k], overall * 1e-6)
    tolerance = max(tolerance, rounding / scale)
    if not figure <= tolerance:
        rng = np.random.default_rng(0)
        k, _ = where
        samples = np.array([[pack([side[k]]) for side in again(rng)] for _ in range(NOISE_SAMPLES)])
        spread = np.max(np.ptp(samples.real, axis=0), axis=0)
        noise = float(np.max(spread * sizes[k].ravel())) / scale
        tolerance = max(tolerance, NOISE_SAFETY * noise)
    if figure <= tolerance:
        verdict = "ok" if tolerance < 0.1 else "unresolved"
        return Row(name, argument, figure, tolerance, verdict)
    k, element = where
    a, b = got[k].ravel()[element], expected[k].ravel()[element]
    leaf, index = subject.names[k].reach(np.unravel_index(element, got[k].shape))
    detail = (
        f"gradient[{leaf}]{index}, in the direction of {argument}: "
        f"expected {number(b)} (forward over reverse), got {number(a)}{hint(b, a)}"
    )
    return Row(name, argument, figure, tolerance, "wrong", detail)
