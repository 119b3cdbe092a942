"""Integrals of functions of one variable under SciPy's names: `quad` and `quad_vec`."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import scipy.integrate

from pullback.core.shapes import Abstract
from pullback.errors import NoRuleError
from pullback.scipy.first_step import plain, serves_always
from pullback.scipy.integrate.integrals import (
    Found,
    Integrand,
    alone,
    full_output_of_several,
    integral,
)
from pullback.scipy.integrate.recorded import in_graph
from pullback.scipy.integrate.values import (
    UnknownValueError,
    Values,
    mapped,
    replaying,
    solves_plainly,
)

__all__ = ["quad", "quad_vec"]


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
    try:
        return _quad(by_scipy, (func, a, b, args, points), (epsabs, epsrel), weight, full_output)
    except UnknownValueError:
        if full_output or not callable(func):
            raise
    keywords = {"points": points, "wvar": wvar}

    def call(functions: list[Any], given: Any) -> Any:
        a, b, args, keywords = given
        return quad(functions[0], a, b, args, 0, **keywords, **options)

    number = Abstract((), np.dtype(complex if complex_func else float))
    return in_graph(call, [(func, (0.5, *args))], (a, b, args, keywords), [number] * 2)


def _number(x: Any) -> Any:
    """A limit that is an array of no axes, as a number."""
    return x[()] if isinstance(x, np.ndarray) else x


def _quad(by_scipy: Any, given: Any, eps: Any, weight: Any, full_output: Any) -> Any:
    """What `quad` returns where values are known."""
    (func, a, b, args, points), (epsabs, epsrel) = given, eps
    values = Values("scipy.integrate.quad")
    integrand = Integrand(func, args)
    if replaying.runs() and not full_output and weight is None:
        return alone(values, integrand, (a, b), points, (epsabs, epsrel)), 0.0

    def solve() -> Found:
        out = by_scipy(values, 1)
        if weight is not None and values.traced:
            raise NoRuleError(
                f"scipy.integrate.quad: weight={weight!r} has no derivative rule in pullback; "
                "write the weight as a factor of the integrand, with its singular points as "
                "points=, and leave weight and wvar out"
            )
        value, error, info, *failure = out
        infos, words = [info], failure[0] if failure else None
        if "real" in info:
            infos = [info["real"][0], info["imag"][0]]
            words = next((each[1] for each in info.values() if len(each) > 1), None)
        low, high = map(_number, (values.of(a), values.of(b)))
        sign = -1 if high < low else 1
        tolerance = max(epsabs, epsrel * abs(value))
        cuts = _common_cuts(infos) if weight is None else []
        return Found(
            value, min(low, high), max(low, high), sign, cuts, tolerance, words, (error, *out[2:])
        )

    value, found = integral(values, integrand, (a, b), points, solve)
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
        return alone(values, integrand, (a, b), points, (epsabs, epsrel)), 0.0

    def solve() -> Found:
        value, error, info = by_scipy(values, True)
        low, high = values.of(a), values.of(b)
        sign = -1 if high < low else 1
        low, high = min(low, high), max(low, high)
        size = np.max(np.abs(value), initial=0.0)
        failure = None if info.success else info.message
        cuts = _cuts_of_vectors(np.asarray(info.intervals), low, high)
        tolerance = max(epsabs, epsrel * size)
        return Found(value, low, high, sign, cuts, tolerance, failure, (error, info))

    value, found = integral(values, integrand, (a, b), points, solve)
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
