"""Write the table of derivatives of special functions that the tests compare with.

    python tools/special_values.py

The table, ``tests/rules/special_values.json``, has for each function points over its domain, spaced
by logarithms and into the tails, and the derivatives of first order in each argument, and of second
order for some, by central differences with mpmath at 60 digits. A function is there by a formula
that is right to all digits in its smaller tail. mpmath takes too long for the tests themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import scipy.special as sc

PATH = Path(__file__).parents[1] / "tests" / "rules" / "special_values.json"
POINTS = 100
STEP = mp.mpf(10) ** -18


def lower_gamma(a: Any, x: Any) -> Any:
    """P(a, x), by its series."""
    return mp.gammainc(a, 0, x, regularized=True)


def upper_gamma(a: Any, x: Any) -> Any:
    """Q(a, x)."""
    return mp.gammainc(a, x, mp.inf, regularized=True)


def lower_beta(a: Any, b: Any, x: Any) -> Any:
    """Iₓ(a, b), by its series of positive terms."""
    term = total = mp.mpf(1)
    for k in range(5000):
        term *= (a + b + k) / (a + 1 + k) * x
        total += term
        if term < total * mp.eps:
            return x**a * (1 - x) ** b / (a * mp.beta(a, b)) * total
    raise ValueError("the series is too slow here")


def cdf_gamma(a: Any, x: Any, above: bool) -> Any:
    """P, or P − 1 for a point above the mean: what of it has all digits."""
    return -upper_gamma(a, x) if above else lower_gamma(a, x)


def cdf_beta(a: Any, b: Any, x: Any, y: Any, above: bool) -> Any:
    """I at x = 1 − y, or I − 1 above the mean."""
    return -lower_beta(b, a, y) if above else lower_beta(a, b, x)


def gammainc(point: Any) -> Callable[..., Any]:
    """P(a, x)."""
    above = point[1] > point[0]
    return lambda a, x: cdf_gamma(a, x, above)


def betainc(point: Any) -> Callable[..., Any]:
    """Iₓ(a, b)."""
    a, b, x = point
    above = x > (a + 0.5) / (a + b + 1)
    return lambda a, b, x: cdf_beta(a, b, x, 1 - x, above)


def chdtr(point: Any) -> Callable[..., Any]:
    """The distribution function of χ²."""
    above = point[1] > point[0]
    return lambda v, x: cdf_gamma(v / 2, x / 2, above)


def gdtr(point: Any) -> Callable[..., Any]:
    """That of the gamma distribution."""
    above = point[0] * point[2] > point[1]
    return lambda a, b, x: cdf_gamma(b, a * x, above)


def pdtr(point: Any) -> Callable[..., Any]:
    """That of Poisson's."""
    above = point[1] > point[0]
    return lambda k, m: -cdf_gamma(k + 1, m, above)


def bdtr(point: Any) -> Callable[..., Any]:
    """That of the binomial one."""
    k, n, p = point
    above = p > (k + 1) / (n + 1)
    return lambda k, n, p: -cdf_beta(k + 1, n - k, p, 1 - p, above)


def fdtr(point: Any) -> Callable[..., Any]:
    """That of F."""
    above = point[2] > 1

    def cdf(m: Any, n: Any, x: Any) -> Any:
        return cdf_beta(m / 2, n / 2, m * x / (m * x + n), n / (m * x + n), above)

    return cdf


def stdtr(point: Any) -> Callable[..., Any]:
    """That of Student's t, less 1/2 for small t."""
    side, near = mp.sign(point[1]), abs(point[1]) < 1.5

    def cdf(v: Any, t: Any) -> Any:
        if near:
            return side * lower_beta(mp.mpf(1) / 2, v / 2, t * t / (v + t * t)) / 2
        return -side * lower_beta(v / 2, mp.mpf(1) / 2, v / (v + t * t)) / 2

    return cdf


def chndtr(_point: Any) -> Callable[..., Any]:
    """That of non-central χ²."""

    def cdf(x: Any, v: Any, nc: Any) -> Any:
        return mp.nsum(
            lambda j: mp.exp(-nc / 2) * (nc / 2) ** j / mp.factorial(j)
            * mp.gammainc(v / 2 + j, 0, x / 2, regularized=True), [0, 120], method="d",
        )  # fmt: skip

    return cdf


def closed(function: Callable[..., Any]) -> Callable[[Any], Callable[..., Any]]:
    """One formula for every point."""
    return lambda _point: function


def kolmogorov(y: Any) -> Any:
    """Kolmogorov's, from above."""
    return 2 * mp.nsum(lambda k: (-1) ** (int(k) - 1) * mp.exp(-2 * k * k * y * y), [1, 40])


# -- points ---------------------------------------------------------------------------------------


def log_between(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between the powers of ten."""
    return float(10 ** rng.uniform(low, high))


def about(rng: np.random.Generator, mean: float, deviation: float) -> float:
    """Near the mean, up to eight deviations off, or anywhere at all in proportion to it."""
    if rng.random() < 0.5:
        return abs(mean + rng.uniform(-8, 8) * deviation)
    return mean * log_between(rng, -2, 1)


def gamma_point(rng: np.random.Generator) -> tuple[float, ...]:
    """a and x."""
    a = log_between(rng, -6, 4.5)
    return a, about(rng, a, a**0.5)


def beta_point(rng: np.random.Generator) -> tuple[float, ...]:
    """a, b and x."""
    a, b = log_between(rng, -6, 4), log_between(rng, -6, 4)
    mean = a / (a + b)
    if rng.random() < 0.5:
        x = about(rng, mean, (mean * (1 - mean) / (a + b + 1)) ** 0.5)
    else:
        x = 1 / (1 + log_between(rng, -8, 8))
    return a, b, x if 0 < x < 1 else float(rng.uniform(0.01, 0.99))


def gdtr_point(rng: np.random.Generator) -> tuple[float, ...]:
    """a, b and x."""
    a, (b, z) = log_between(rng, -3, 3), gamma_point(rng)
    return a, b, z / a


def pdtr_point(rng: np.random.Generator) -> tuple[float, ...]:
    """k and m."""
    k = int(log_between(rng, 0, 4))
    return float(k), about(rng, k + 1.0, k**0.5)


def bdtr_point(rng: np.random.Generator) -> tuple[float, ...]:
    """k, n and p."""
    n = 1 + int(log_between(rng, 0, 3.5))
    k = int(rng.integers(0, n))
    return float(k), float(n), 1 / (1 + log_between(rng, -4, 4))


def fdtr_point(rng: np.random.Generator) -> tuple[float, ...]:
    """The degrees of freedom and x."""
    m, n = log_between(rng, -1, 3), log_between(rng, -1, 3)
    return m, n, log_between(rng, -1, 1) ** (2 / m + 2 / n) ** 0.5


def stdtr_point(rng: np.random.Generator) -> tuple[float, ...]:
    """The degrees of freedom and t."""
    side = 1 if rng.random() < 0.5 else -1
    return log_between(rng, -1, 6), side * log_between(rng, -3, 1.3)


def pair(low: float, high: float) -> Callable[[np.random.Generator], tuple[float, ...]]:
    """Two numbers, each spaced by its logarithm."""
    return lambda rng: (log_between(rng, low, high), log_between(rng, low, high))


def chndtr_point(rng: np.random.Generator) -> tuple[float, ...]:
    """x, the degrees of freedom and the non-centrality."""
    v, nc = log_between(rng, -1, 2), log_between(rng, -3, 1.5)
    return (v + nc) * log_between(rng, -2, 0.5), v, nc


FUNCTIONS: dict[str, tuple[Any, Any, tuple[int, ...], bool]] = {
    "gammainc": (gammainc, gamma_point, (0, 1), True),
    "betainc": (betainc, beta_point, (0, 1, 2), True),
    "chdtr": (chdtr, gamma_point, (0, 1), False),
    "gdtr": (gdtr, gdtr_point, (0, 1, 2), False),
    "pdtr": (pdtr, pdtr_point, (1,), False),
    "bdtr": (bdtr, bdtr_point, (2,), False),
    "fdtr": (fdtr, fdtr_point, (0, 1, 2), False),
    "stdtr": (stdtr, stdtr_point, (0, 1), True),
    "chndtr": (chndtr, chndtr_point, (0, 2), False),
    "kolmogorov": (closed(kolmogorov), lambda rng: (log_between(rng, -0.5, 0.8),), (0,), False),
    "betaln": (closed(lambda x, y: mp.log(mp.beta(x, y))), pair(-6, 6), (0, 1), False),
    "poch": (closed(mp.rf), pair(-3, 1.8), (0, 1), False),
    "binom": (
        closed(mp.binomial),
        lambda rng: ((n := log_between(rng, -2, 2)), n * float(rng.uniform(0, 1))), (0, 1), False,
    ),
    "rgamma": (closed(mp.rgamma), lambda rng: (float(rng.uniform(-20, 60)),), (0,), False),
    "loggamma": (closed(mp.loggamma), lambda rng: (log_between(rng, -6, 6),), (0,), False),
    "zeta": (
        closed(mp.zeta), lambda rng: (1 + log_between(rng, -2, 1.5), log_between(rng, -3, 3)),
        (1,), False,
    ),
}  # fmt: skip


def derivatives(f: Callable[..., Any], point: Any, positions: Any, second: bool) -> list[Any]:
    """Those of first order, and those of second order with the first position before."""
    where = [mp.mpf(x) for x in point]
    steps = [abs(x) * STEP for x in where]

    def at(*moves: int) -> Any:
        return f(*(x + m * h for x, m, h in zip(where, moves, steps, strict=True)))

    def unit(*places: int) -> list[int]:
        return [places.count(i) for i in range(len(where))]

    def back(move: list[int]) -> list[int]:
        return [-m for m in move]

    middle: Any = at(*unit()) if second else None
    found = []
    ahead = {i: at(*unit(i)) for i in positions}
    behind = {i: at(*back(unit(i))) for i in positions}
    for i in positions:
        found.append((ahead[i] - behind[i]) / (2 * steps[i]))
    if second:
        for i in positions:
            for j in positions[positions.index(i) :]:
                if i == j:
                    value = ahead[i] - 2 * middle + behind[i]
                else:
                    both = at(*unit(i, j)) + at(*back(unit(i, j)))
                    value = (both - ahead[i] - behind[i] - ahead[j] - behind[j] + 2 * middle) / 2
                found.append(value / (steps[i] * steps[j]))
    return [float(value) for value in found]


def rows(name: str) -> list[list[float]]:
    """Points and derivatives of a function."""
    oracle, draw, positions, second = FUNCTIONS[name]
    rng = np.random.default_rng(sum(name.encode()))
    found: list[list[float]] = []
    while len(found) < POINTS:
        point = draw(rng)
        try:
            values = derivatives(oracle(point), point, positions, second)
        except (ValueError, mp.libmp.NoConvergence):
            continue
        if all(1e-280 < abs(value) < 1e280 for value in values) and np.isfinite(
            getattr(sc, name)(*point)
        ):
            found.append([*point, *values])
    return found


def main() -> None:
    """Write the table."""
    mp.mp.dps = 70
    table = {
        name: {"positions": FUNCTIONS[name][2], "second": FUNCTIONS[name][3], "rows": rows(name)}
        for name in FUNCTIONS
    }
    text = json.dumps(table).replace('"rows": [', '"rows": [\n').replace("], [", "],\n[")
    PATH.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
