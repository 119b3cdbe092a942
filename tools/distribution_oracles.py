"""Write `tests/scipy/stats/distribution_oracles.json`: derivatives of distributions by mpmath.

    python tools/distribution_oracles.py [NAME ...]

For each distribution of the table, or for those named, at points over its domain and in its tails:
the logarithms of density and of both tails, their derivatives in x and in the shapes, and how much
each of those changes with its arguments, which is what rounding those can do to it. They are
quotients of differences with more digits than a floating number has. For continuous ones also the
quantiles of both tails there. It takes some minutes; the tests compare with what is stored.
"""

from __future__ import annotations

import functools
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import scipy.stats

__all__ = ["PATH", "TABLE", "Entry"]

PATH = Path(__file__).parents[1] / "tests" / "scipy" / "stats" / "distribution_oracles.json"
DIGITS, POINTS = 60, 100
STEP = mp.mpf(10) ** -20


@dataclass(frozen=True)
class Entry:
    """A distribution: density and lower and upper tail, of x and shapes, and the shapes' domains.

    A domain is the range of a shape's logarithm to base ten, or ``"p"`` for a probability, or
    ``"n"`` for a count.
    """

    density: Callable[..., Any]
    below: Callable[..., Any]
    above: Callable[..., Any]
    domains: tuple[Any, ...] = ()
    discrete: bool = False
    wide: tuple[float, float] = (-12, 6)


def _lower_gamma(a: Any, x: Any) -> Any:
    return mp.gammainc(a, 0, x, regularized=True)


def _upper_gamma(a: Any, x: Any) -> Any:
    return mp.gammainc(a, x, mp.inf, regularized=True)


def _lower_beta(a: Any, b: Any, x: Any) -> Any:
    return mp.betainc(a, b, 0, x, regularized=True)


def _t_density(x: Any, n: Any) -> Any:
    norm = mp.gamma((n + 1) / 2) / mp.gamma(n / 2) / mp.sqrt(mp.pi * n)
    return norm * (1 + x * x / n) ** (-(n + 1) / 2)


def _t_above(x: Any, n: Any) -> Any:
    if abs(x) < 1:
        return 0.5 - mp.sign(x) * _lower_beta(mp.mpf(1) / 2, n / 2, x * x / (n + x * x)) / 2
    half = _lower_beta(n / 2, mp.mpf(1) / 2, n / (n + x * x)) / 2
    return half if x > 0 else 1 - half


def _gamma_density(x: Any, a: Any) -> Any:
    return mp.exp((a - 1) * mp.log(x) - x - mp.loggamma(a))


def _lognorm_density(x: Any, s: Any) -> Any:
    return mp.npdf(mp.log(x) / s) / (s * x)


def _normal_below(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def _beta_density(x: Any, a: Any, b: Any) -> Any:
    return x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b)


def _binomial(n: Any, k: Any) -> Any:
    return mp.gamma(n + 1) / mp.gamma(k + 1) / mp.gamma(n - k + 1)


TABLE: dict[str, Entry] = {
    "norm": Entry(mp.npdf, _normal_below, lambda x: _normal_below(-x)),
    "t": Entry(_t_density, lambda x, n: _t_above(-x, n), _t_above, ((-1, 8),)),
    "gamma": Entry(
        _gamma_density, lambda x, a: _lower_gamma(a, x), lambda x, a: _upper_gamma(a, x), ((-2, 3),)
    ),
    "chi2": Entry(
        lambda x, k: _gamma_density(x / 2, k / 2) / 2,
        lambda x, k: _lower_gamma(k / 2, x / 2),
        lambda x, k: _upper_gamma(k / 2, x / 2),
        ((-2, 3),),
    ),
    "invgamma": Entry(
        lambda x, a: _gamma_density(1 / x, a) / (x * x),
        lambda x, a: _upper_gamma(a, 1 / x),
        lambda x, a: _lower_gamma(a, 1 / x),
        ((-2, 3),),
    ),
    "beta": Entry(
        _beta_density,
        lambda x, a, b: _lower_beta(a, b, x),
        lambda x, a, b: _lower_beta(b, a, 1 - x),
        ((-1.5, 2.5), (-1.5, 2.5)),
    ),
    "expon": Entry(lambda x: mp.exp(-x), lambda x: -mp.expm1(-x), lambda x: mp.exp(-x)),
    "uniform": Entry(lambda x: mp.mpf(1), lambda x: x, lambda x: 1 - x),
    "lognorm": Entry(
        _lognorm_density,
        lambda x, s: _normal_below(mp.log(x) / s),
        lambda x, s: _normal_below(-mp.log(x) / s),
        ((-2, 2),),
    ),
    "weibull_min": Entry(
        lambda x, c: c * x ** (c - 1) * mp.exp(-(x**c)),
        lambda x, c: -mp.expm1(-(x**c)),
        lambda x, c: mp.exp(-(x**c)),
        ((-2, 2),),
    ),
    "laplace": Entry(
        lambda x: mp.exp(-abs(x)) / 2,
        lambda x: mp.exp(x) / 2 if x < 0 else 1 - mp.exp(-x) / 2,
        lambda x: mp.exp(-x) / 2 if x > 0 else 1 - mp.exp(x) / 2,
    ),
    "logistic": Entry(
        lambda x: mp.sech(x / 2) ** 2 / 4,
        lambda x: 1 / (1 + mp.exp(-x)),
        lambda x: 1 / (1 + mp.exp(x)),
    ),
    "poisson": Entry(
        lambda k, m: mp.exp(k * mp.log(m) - m - mp.loggamma(k + 1)),
        lambda k, m: _upper_gamma(k + 1, m),
        lambda k, m: _lower_gamma(k + 1, m),
        ((-3, 3),),
        discrete=True,
    ),
    "bernoulli": Entry(
        lambda k, p: p if k else 1 - p,
        lambda k, p: mp.mpf(1) if k else 1 - p,
        lambda k, p: mp.mpf(0) if k else p,
        ("p",),
        discrete=True,
    ),
    "binom": Entry(
        lambda k, n, p: _binomial(n, k) * p**k * (1 - p) ** (n - k),
        lambda k, n, p: _lower_beta(n - k, k + 1, 1 - p) if k < n else mp.mpf(1),
        lambda k, n, p: _lower_beta(k + 1, n - k, p) if k < n else mp.mpf(0),
        ("n", "p"),
        discrete=True,
    ),
    "nbinom": Entry(
        lambda k, n, p: (
            mp.exp(mp.loggamma(n + k) - mp.loggamma(n) - mp.loggamma(k + 1)) * p**n * (1 - p) ** k
        ),
        lambda k, n, p: _lower_beta(n, k + 1, p),
        lambda k, n, p: _lower_beta(k + 1, n, 1 - p),
        ((-1.5, 2.5), "p"),
        discrete=True,
    ),
    "geom": Entry(
        lambda k, p: p * (1 - p) ** (k - 1),
        lambda k, p: 1 - (1 - p) ** k,
        lambda k, p: (1 - p) ** k,
        ("p",),
        discrete=True,
    ),
}  # fmt: skip


def _drawn(domain: Any, rng: Any) -> float:
    if domain == "p":
        p = float(10 ** rng.uniform(-6, -0.31))
        return p if rng.uniform() < 0.5 else 1 - p
    if domain == "n":
        return float(rng.integers(1, 300))
    return float(10 ** rng.uniform(*domain))


def points(name: str) -> list[tuple[float, ...]]:
    """Half of them in the bulk and in the tails by their probability, and half anywhere."""
    entry, rng = TABLE[name], np.random.default_rng(sum(map(ord, name)))
    d: Any = getattr(scipy.stats, name)
    found: list[tuple[float, ...]] = []
    with np.errstate(all="ignore"):
        while len(found) < POINTS:
            shapes = [_drawn(each, rng) for each in entry.domains]
            low, high = d.support(*shapes)
            q = 10 ** rng.uniform(-250, -0.31) if rng.uniform() < 0.5 else rng.uniform(0.01, 0.5)
            x = float(d.ppf(q, *shapes) if rng.uniform() < 0.5 else d.isf(q, *shapes))
            if rng.uniform() < 0.4 and not entry.discrete:
                x = float(10 ** rng.uniform(*entry.wide)) * (rng.choice([-1, 1]) if low < 0 else 1)
                x = x if x < high else x / (1 + x)
            inside = low <= x <= high if entry.discrete else low < x < high
            density = d.logpmf if entry.discrete else d.logpdf
            if inside and 1e-300 < abs(x) + entry.discrete < 1e15 and density(x, *shapes) > -1e5:
                found.append((x, *shapes))
    return found


def _log(p: Callable[..., Any], rest: Callable[..., Any], *args: Any) -> Any:
    """log p, by the rest where that is small."""
    value = rest(*args)
    return mp.log1p(-value) if value < 0.5 else mp.log(p(*args))


def _short(x: Any) -> float | None:
    return float(x) if mp.isfinite(x) and abs(x) < mp.mpf("1e300") else None


def _derivatives(f: Callable[..., Any], args: tuple[Any, ...], along: list[int]) -> list[Any]:
    """f, and for each argument its derivative and Σ |θⱼ·∂ of that by θⱼ|."""

    @functools.cache
    def at(*moved: int) -> Any:
        return f(*(x + m * STEP * x for x, m in zip(args, moved, strict=True)))

    def moved(*places: tuple[int, int]) -> Any:
        move = [0] * len(args)
        for place, by in places:
            move[place] += by
        return at(*move)

    out = [_short(at(*[0] * len(args)))]
    for i in along:
        derivative = (moved((i, 1)) - moved((i, -1))) / (2 * STEP * args[i])
        spread = mp.mpf(0)
        for j in along:
            if i == j:
                second = (moved((i, 1)) - 2 * moved() + moved((i, -1))) / STEP**2
            else:
                second = moved((i, 1), (j, 1)) - moved((i, 1), (j, -1))
                second = (second - moved((i, -1), (j, 1)) + moved((i, -1), (j, -1))) / 4 / STEP**2
            spread += abs(second / args[i])
        out += [_short(derivative), _rounded(spread)]
    return out


def _rounded(x: Any) -> float | None:
    short = _short(x)
    return None if short is None else float(f"{short:.2e}")


def _quantile(entry: Entry, point: tuple[float, ...], upper: bool) -> list[Any] | None:
    """A probability, its quantile, and the derivatives of that by it and by the shapes."""
    tail = entry.above if upper else entry.below
    x, *shapes = map(mp.mpf, point)
    q = float(tail(x, *shapes))
    if not 1e-290 < q < 1:
        return None
    sign = -1 if upper else 1
    for _ in range(4):
        x += sign * (q - tail(x, *shapes)) / entry.density(x, *shapes)
    by_x = sign * entry.density(x, *shapes)
    out = [q, _short(x), _short(1 / by_x)]
    for i in range(len(shapes)):
        near = [
            tail(x, *(s * (1 + STEP * sign) if i == j else s for j, s in enumerate(shapes)))
            for sign in (1, -1)
        ]
        out.append(_short(-(near[0] - near[1]) / (2 * STEP * shapes[i]) / by_x))
    return out


def row(name: str) -> dict[str, Any]:
    """What is stored of a distribution."""
    entry = TABLE[name]
    found: dict[str, Any] = {"points": [], "logpdf": [], "logcdf": [], "logsf": []}
    if not entry.discrete:
        found |= {"ppf": [], "isf": []}
    for point in points(name):
        with mp.workdps(DIGITS + (0 if entry.domains else _lost(point))):
            _enter(found, entry, point)
    return found


def _lost(point: tuple[float, ...]) -> int:
    """How many digits a step from an argument has less than one from 1, which counts near zero."""
    return max(0, *(-math.floor(math.log10(abs(x))) for x in point if x))


def _enter(found: dict[str, Any], entry: Entry, point: tuple[float, ...]) -> None:
    """Enter what is stored for a point."""
    args = tuple(map(mp.mpf, point))
    along = [i for i in range(len(args)) if not (entry.discrete and i == 0)]
    along = [i for i in along if i == 0 or entry.domains[i - 1] != "n"]
    found["points"].append(point)
    methods = {
        "logpdf": lambda *a: mp.log(entry.density(*a)),
        "logcdf": lambda *a: _log(entry.below, entry.above, *a),
        "logsf": lambda *a: _log(entry.above, entry.below, *a),
    }
    for method, f in methods.items():
        try:
            found[method].append(_derivatives(f, args, along))
        except (ValueError, mp.NoConvergence, ZeroDivisionError):
            found[method].append(None)
    if not entry.discrete:
        for method, upper in (("ppf", False), ("isf", True)):
            try:
                found[method].append(_quantile(entry, point, upper))
            except (ValueError, mp.NoConvergence, ZeroDivisionError):
                found[method].append(None)


def main(names: list[str]) -> None:
    """Compute what is stored of these distributions, and keep what is there of the others."""
    stored = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    with mp.workdps(DIGITS):
        for name in names or TABLE:
            stored[name] = row(name)
            print(name, flush=True)
    lines = [f'"{name}": {json.dumps(stored[name])}' for name in TABLE if name in stored]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
