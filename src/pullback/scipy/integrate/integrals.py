"""Integrals in traced arithmetic, on the intervals that a quadrature of SciPy's has ended with.

SciPy integrates numbers, and its value is what is returned. The derivative is that of a sum over
nodes on its intervals, looked at once more (:mod:`~.meshes`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pullback.errors import ArgumentValueError
from pullback.numpy.operands import joined
from pullback.rules.custom import stop_gradient
from pullback.rules.implicit import anchored
from pullback.scipy.first_step import any_traced
from pullback.scipy.integrate.meshes import Mesh, Ranges, Resolved, resolved
from pullback.scipy.integrate.values import (
    Values,
    array_of,
    differentiated,
    mapped,
    replaying,
)
from pullback.transforms.batch import Batch, vmap

__all__ = ["Found", "Integrand", "alone", "full_output_of_several", "integral", "not_found"]


class Integrand:
    """A function of one number and of arguments that don't vary, evaluated at many at once."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.f = f
        self.args = args
        self.vectorises = True

    def __call__(self, x: Any) -> Any:
        return array_of(self.f(x, *self.args))

    def at(self, nodes: Any) -> Any:
        """Its values at nodes of shape (n,), along the first axis; what SciPy's value is not of."""
        with replaying(), np.errstate(all="ignore"):
            if self.vectorises:
                try:
                    return vmap(self)(nodes)
                except Exception:
                    self.vectorises = False  # it asks for the number itself
            return joined([self(x) for x in nodes])


class Found(NamedTuple):
    """What a quadrature of SciPy's has found for an example.

    `cuts` are the intervals that it has ended with, `low` and `high` the ends in their order, with
    `sign` −1 where they came in the other one. `rest` is what is returned besides the value.
    """

    value: Any
    low: float
    high: float
    sign: int
    cuts: list[tuple[float, float]]
    tolerance: float
    failure: str | None
    rest: tuple[Any, ...]


def integral(
    values: Values,
    integrand: Integrand,
    ends: tuple[Any, Any],
    points: Any,
    solve: Callable[[], Found],
) -> tuple[Any, list[Found]]:
    """SciPy's value with its derivatives, and what it found for each example."""
    batches, found = values.for_each_example(solve)
    if not values.traced:
        return found[0].value, found
    for each in found:
        if each.failure:
            raise not_found(values.name, each.failure)
    value = mapped([each.value for each in found], batches)
    if not values.levels:
        return value, found
    total, parts = _replayed(values, integrand, ends, points, found)
    for place, part, each in zip(values.places(batches), parts, found, strict=True):
        values.place = place
        apart = np.max(np.abs(values.of(total) - each.value), initial=0.0)
        _require_smooth(values.name, float(apart), part, each)
    return anchored(value, total), found


def alone(
    values: Values, integrand: Integrand, ends: tuple[Any, Any], points: Any, eps: Any
) -> Any:
    """The integral without SciPy's, inside of what is replayed."""

    def whole() -> Found:
        low, high = map(float, map(values.of, ends))
        sign = -1 if high < low else 1
        low, high = min(low, high), max(low, high)
        between = sorted({float(x) for x in values.of(list(points or ())) if low < x < high})
        cuts = [low, *between, high] if np.isfinite(high - low) else [0.0, 0.5, 1.0]
        return Found(None, low, high, sign, list(itertools.pairwise(cuts)), 0.0, None, ())

    _, found = values.for_each_example(whole)
    total, parts = _replayed(values, integrand, ends, points, found)
    for part, each in zip(parts, found, strict=True):
        tolerance = max(eps[0], eps[1] * part.size)
        _require_smooth(values.name, 0.0, part, each._replace(tolerance=tolerance))
    return total


def _replayed(
    values: Values,
    integrand: Integrand,
    ends: tuple[Any, Any],
    points: Any,
    found: list[Found],
) -> tuple[Any, list[Resolved]]:
    """The integral as a sum in traced arithmetic, and what it sums for each example."""
    batches = sorted(values.batches, key=lambda each: each.level)
    first, last = (end if differentiated(end) else None for end in ends)
    between = [point for point in points or () if differentiated(point)]
    moves = [end for end in (first, last, *between) if end is not None]
    ranges = []
    for place, each in zip(values.places(batches), found, strict=True):
        values.place = place
        number = iter(range(len(moves)))
        numbers = [None if end is None else next(number) for end in (first, last)]
        moving = {float(values.of(point)): next(number) for point in between}
        if len(moving) < len(between) or (moving and not np.isfinite(each.high - each.low)):
            raise _refused_points(values.name)
        low, high = numbers[:: each.sign]
        ranges.append(Ranges(each.low, each.high, each.cuts, low, high, moving))
    parts, total = _resolved(values, integrand, batches, ranges)
    total = total + _moving_part(integrand, [part.moving for part in parts], batches, moves)
    return mapped([each.sign for each in found], batches) * total, parts


def _resolved(
    values: Values, integrand: Integrand, batches: list[Batch], ranges: list[Ranges]
) -> tuple[list[Resolved], Any]:
    """Nodes and weights for each example, and the sums over those that don't move.

    All examples are asked for their nodes at once.
    """
    asking = [resolved(each) for each in ranges]
    nodes: list[Any] = [next(each) for each in asking]
    done: list[Any] = [None] * len(asking)
    seen = []
    while any(each is None for each in done):
        count = max(map(len, nodes))
        rows = [np.append(x, np.repeat(x[-1:], count - len(x))) for x in nodes]
        alike = all(np.array_equal(x, rows[0]) for x in rows)
        seen.append(integrand.at(rows[0] if alike else mapped(rows, batches)))
        for number, place in enumerate(values.places(batches)):
            values.place = place
            if done[number] is None:
                known = np.asarray(values.components(seen[-1]))[: len(nodes[number])]
                try:
                    nodes[number] = asking[number].send(known)
                except StopIteration as end:
                    done[number] = end.value
    count = max(len(part.still.x) for part in done)
    if not count:
        return done, 0.0
    meshes = [part.still.padded(count) for part in done]
    starts = np.cumsum([0, *(len(rows) for rows in seen)])
    chosen = [
        np.concatenate([start + kept for start, kept in zip(starts, part.kept, strict=False)])
        for part in done
    ]
    chosen = [np.append(each, np.zeros(count - len(each), int)) for each in chosen]
    there: Any = np.concatenate(seen) if len(seen) > 1 else seen[0]
    if all(np.array_equal(each, chosen[0]) for each in chosen):
        there = there[chosen[0]]
    elif any_traced((there,)):
        there = there[mapped(chosen, batches)]
    else:
        there = mapped([there[each] for each in chosen], batches)
    weights = mapped([mesh.weights for mesh in meshes], batches)
    return done, np.tensordot(weights, there, axes=1)


def _moving_part(
    integrand: Integrand, meshes: list[Mesh], batches: list[Batch], moves: list[Any]
) -> Any:
    """The integrals over the intervals that move, in traced arithmetic."""
    count = max(len(mesh.x) for mesh in meshes)
    if not count:
        return 0.0
    rows = zip(*(mesh.padded(count) for mesh in meshes), strict=True)
    mesh = Mesh(*(mapped(each, batches) for each in rows))
    by = joined([end - stop_gradient(end) for end in moves])
    x, weights = mesh.x + mesh.x_dot @ by, mesh.weights + mesh.weights_dot @ by
    return np.tensordot(weights, integrand.at(x), axes=1)


def not_found(name: str, failure: str) -> ArgumentValueError:
    """The error for an integral that SciPy itself says it has not found."""
    return ArgumentValueError(
        f"{name}: the integral is differentiated, and only one that SciPy has found has a "
        "derivative; give the points at which the integrand is singular or jumps as points=, "
        "raise limit, or ease epsabs and epsrel. SciPy says: " + " ".join(failure.split())
    )


def _refused_points(name: str) -> ArgumentValueError:
    return ArgumentValueError(
        f"{name}: points= are differentiated, and two of them are equal, or an end of the range is "
        "infinite; cut the integral into several, whose ends these points are"
    )


def _require_smooth(name: str, apart: float, part: Resolved, found: Found) -> None:
    """Raise where the sum that has the derivatives isn't the integral."""
    bound = 10 * found.tolerance + 1e-9 * part.size
    if not (apart <= bound and part.unsettled <= bound):
        raise ArgumentValueError(
            f"{name}: the integrand is not smooth enough between {found.low} and "
            f"{found.high} for the derivative of its integral: sums over intervals cut to "
            f"10⁻¹⁰ of the range differ by {max(apart, part.unsettled):.1e}, wanted "
            f"{bound:.1e}. Give the points where it is singular or jumps as points=, or cut the "
            "range there"
        )


def full_output_of_several(name: str) -> ArgumentValueError:
    return ArgumentValueError(
        f"{name}: full_output tells something else of each example of pullback.vmap; leave it out, "
        "or call the function outside of vmap"
    )
