"""Integrals of functions of one variable under SciPy's names: `quad` and `quad_vec`.

SciPy integrates numbers, and its value is what is returned. The derivative is that of a sum over
nodes on the intervals that it has ended with, looked at once more (:mod:`~.meshes`).
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.integrate

from pullback.core.tracing import Tracer
from pullback.errors import ArgumentValueError, NoRuleError
from pullback.numpy.operands import joined
from pullback.rules.custom import stop_gradient
from pullback.scipy.first_step import plain
from pullback.scipy.integrate.meshes import Mesh, Ranges, Resolved, resolved
from pullback.scipy.integrate.serving import serves_always
from pullback.scipy.integrate.values import (
    Values,
    anchored,
    array_of,
    differentiated,
    mapped,
    replaying,
    solves_plainly,
)
from pullback.transforms.batch import Batch, vmap

__all__ = ["Integrand", "full_output_of_several", "not_found", "quad", "quad_vec"]


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


class _Found(NamedTuple):
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


def _integral(
    values: Values,
    integrand: Integrand,
    ends: tuple[Any, Any],
    points: Any,
    solve: Callable[[], _Found],
) -> tuple[Any, list[_Found]]:
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


def _alone(
    values: Values, integrand: Integrand, ends: tuple[Any, Any], points: Any, eps: Any
) -> Any:
    """The integral without SciPy's, inside of what is replayed."""

    def whole() -> _Found:
        low, high = map(float, map(values.of, ends))
        sign = -1 if high < low else 1
        low, high = min(low, high), max(low, high)
        between = sorted({float(x) for x in values.of(list(points or ())) if low < x < high})
        cuts = [low, *between, high] if np.isfinite(high - low) else [0.0, 0.5, 1.0]
        return _Found(None, low, high, sign, list(itertools.pairwise(cuts)), 0.0, None, ())

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
    found: list[_Found],
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
                there = np.asarray(values.components(seen[-1]))[: len(nodes[number])]
                try:
                    nodes[number] = asking[number].send(there)
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
    elif type(there) is Tracer:
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


def _require_smooth(name: str, apart: float, part: Resolved, found: _Found) -> None:
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


@serves_always(scipy.integrate.quad)
def quad(
    func: Any,
    a: Any,
    b: Any,
    args: Any = (),
    full_output: Any = 0,
    epsabs: float = 1.49e-8,
    epsrel: float = 1.49e-8,
    limit: int = 50,
    points: Any = None,
    weight: Any = None,
    wvar: Any = None,
    wopts: Any = None,
    maxp1: int = 50,
    limlst: int = 50,
    complex_func: bool = False,
) -> Any:
    args = args if isinstance(args, tuple) else (args,)
    own = plain(scipy.integrate.quad)
    options = {
        "epsabs": epsabs, "epsrel": epsrel, "limit": limit, "weight": weight, "wopts": wopts,
        "maxp1": maxp1, "limlst": limlst, "complex_func": complex_func,
    }  # fmt: skip

    def by_scipy(values: Values, full: Any) -> Any:
        f = values.function(func) if callable(func) else func
        ends = values.of(a), values.of(b)
        between = None if points is None else values.of(list(points))
        return own(f, *ends, values.of(args), full, points=between, wvar=values.of(wvar), **options)

    outer = solves_plainly()
    if outer is not None:
        return by_scipy(outer, full_output)
    values = Values("scipy.integrate.quad")
    integrand = Integrand(func, args)
    if replaying.runs() and not full_output and weight is None:
        return _alone(values, integrand, (a, b), points, (epsabs, epsrel)), 0.0

    def solve() -> _Found:
        out = by_scipy(values, 1)
        if weight is not None and values.traced:
            raise NoRuleError(
                f"scipy.integrate.quad: weight={weight!r} has no derivative rule in pullback; "
                "write the weight as a factor of the integrand, with its singular points as "
                "points=, and leave weight and wvar out"
            )
        value, error, info, *failure = out
        infos, words = [info], failure[0] if failure else None
        if complex_func and "real" in info:
            infos = [info["real"][0], info["imag"][0]]
            words = next((each[1] for each in info.values() if len(each) > 1), None)
        low, high = values.of(a), values.of(b)
        sign = -1 if high < low else 1
        tolerance = max(epsabs, epsrel * abs(value))
        cuts = _common_cuts(infos) if weight is None else []
        return _Found(
            value, min(low, high), max(low, high), sign, cuts, tolerance, words, (error, *out[2:])
        )

    value, found = _integral(values, integrand, (a, b), points, solve)
    if found[0].failure and not full_output:
        warnings.warn(found[0].failure, scipy.integrate.IntegrationWarning, stacklevel=2)
    error = mapped([each.rest[0] for each in found], sorted(values.batches, key=_level))
    if not full_output:
        return value, error
    if len(found) > 1:
        raise full_output_of_several("scipy.integrate.quad")
    return value, error, *found[0].rest[1:]


def _level(batch: Any) -> float:
    return float(batch.level)


def full_output_of_several(name: str) -> ArgumentValueError:
    return ArgumentValueError(
        f"{name}: full_output tells something else of each example of pullback.vmap; leave it out, "
        "or call the function outside of vmap"
    )


def _common_cuts(infos: list[dict[str, Any]]) -> list[tuple[float, float]]:
    """The intervals between all points at which any of these quadratures has cut the range."""
    points: list[Any] = []
    for info in infos:
        last = info.get("last", 0)
        points += [info["alist"][:last], info["blist"][:last]] if last else []
    cuts = np.unique(np.concatenate(points)) if points else np.empty(0)
    return [(float(low), float(high)) for low, high in itertools.pairwise(cuts)]


@serves_always(scipy.integrate.quad_vec)
def quad_vec(
    f: Any,
    a: Any,
    b: Any,
    epsabs: float = 1e-200,
    epsrel: float = 1e-8,
    norm: Any = "2",
    cache_size: float = 100e6,
    limit: int = 10000,
    workers: Any = 1,
    points: Any = None,
    quadrature: Any = None,
    full_output: bool = False,
    *,
    args: Any = (),
) -> Any:
    args = args if isinstance(args, tuple) else (args,)
    own = plain(scipy.integrate.quad_vec)

    def by_scipy(values: Values, full: bool) -> Any:
        between = None if points is None else [values.of(each) for each in points]
        return own(
            values.function(f), values.of(a), values.of(b), epsabs, epsrel, norm, cache_size, limit,
            workers, between, quadrature, full, args=values.of(args),
        )  # fmt: skip

    outer = solves_plainly()
    if outer is not None:
        return by_scipy(outer, full_output)
    values = Values("scipy.integrate.quad_vec")
    integrand = Integrand(f, args)
    if replaying.runs() and not full_output:
        return _alone(values, integrand, (a, b), points, (epsabs, epsrel)), 0.0

    def solve() -> _Found:
        value, error, info = by_scipy(values, True)
        low, high = values.of(a), values.of(b)
        sign = -1 if high < low else 1
        low, high = min(low, high), max(low, high)
        size = np.max(np.abs(value), initial=0.0)
        failure = None if info.success else info.message
        cuts = _cuts_of_vectors(np.asarray(info.intervals), low, high)
        tolerance = max(epsabs, epsrel * size)
        return _Found(value, low, high, sign, cuts, tolerance, failure, (error, info))

    value, found = _integral(values, integrand, (a, b), points, solve)
    error = mapped([each.rest[0] for each in found], sorted(values.batches, key=_level))
    if not full_output:
        return value, error
    if len(found) > 1:
        raise full_output_of_several("scipy.integrate.quad_vec")
    return value, error, found[0].rest[1]


def _cuts_of_vectors(intervals: Any, low: float, high: float) -> list[tuple[float, float]]:
    """The intervals as `Ranges` has them: where both ends are infinite, with both halves' cuts."""
    cuts = np.abs(intervals) if np.isinf([low, high]).all() else intervals
    cuts = np.unique(cuts)
    return [(float(low), float(high)) for low, high in itertools.pairwise(cuts)]
