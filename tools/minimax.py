"""Find the polynomials of the elementary functions: minimax, with coefficients of the dtype.

    python tools/minimax.py [NAME ...]

Prints each polynomial of `POLYNOMIALS`, or those that are named, as Python text, with the largest
weighted error that it has. What is printed stands in
`src/pullback/compiler/elementary/coefficients.py`.

Remez's exchange gives the best polynomial in 60 digits. Its coefficients are then rounded one
after another, from that of the lowest degree, and those that are still free are fitted again after
each: what rounding takes the next coefficients give back. (If 0 is inside the interval, powers of x
without the first ones are no Chebyshev system. There the squares of errors are made small instead,
or all coefficients are rounded at once.)
"""

from __future__ import annotations

import argparse
import functools
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mpmath import mp

__all__ = ["POLYNOMIALS", "Problem", "main", "minimax", "rounded", "value"]

Real = Any  # an mpf

DIGITS = 60
POINTS = 40
"""In how many points for each coefficient the error's extrema are looked for."""


@dataclass(frozen=True)
class Problem:
    """Coefficients c with Σ cᵢ xⁱ ≈ `function`(x) for x in `interval`, the error weighted."""

    function: Callable[[Real], Real]
    interval: tuple[float, float]
    degree: int
    weight: Callable[[Real], Real]
    dtype: str = "float64"
    refit: bool = False
    """Whether 0 is inside the interval, and coefficients are yet to be fitted after each other."""


_REDUCED = (-0.34658, 0.34658)
"""Somewhat more than log(2)/2 to both sides: what remains of an argument of exp."""


def _expm1_tail(x: Real) -> Real:
    """(exp x − 1 − x)/x²."""
    if abs(x) < 1e-8:
        return mp.mpf(1) / 2 + x / 6 + x**2 / 24
    return (mp.expm1(x) - x) / x**2


def _log_series(first: int) -> Callable[[Real], Real]:
    """Σ 2zⁿ/(2(n + first) + 1), which with z = s² are terms of log((1 + s)/(1 − s))."""

    def series(z: Real) -> Real:
        return mp.fsum(2 * z**n / (2 * (n + first) + 1) for n in range(40))

    return series


_MANTISSAS = (math.sqrt(0.5) - 1 - 1e-5, math.sqrt(2) - 1 + 1e-5)
"""m − 1 for m between √½ and √2."""


def _log_tail(x: Real) -> Real:
    """(log(1 + x) − x + x²/2)/x³."""
    if abs(x) < 1e-6:
        return mp.fsum((-1) ** n * x**n / (n + 3) for n in range(12))
    return (mp.log1p(x) - x + x * x / 2) / x**3


def _log_weight(x: Real) -> Real:
    return x**3 / mp.log1p(x) if x else mp.mpf(0)


_SQUARES = (0.0, (math.sqrt(2) - 1) ** 4 * 1.0001)
"""Of (m − 1)/(m + 1) with m between √½ and √2."""


_QUARTER_TURN = (0.0, (math.pi / 4) ** 2 * 1.003)
"""Squares of what remains of an angle, in which multiples of π/2 are left out."""


def _taylor(first: int) -> Callable[[Real], Real]:
    """Σ ±sⁿ/(2n + first)!: the terms of sin r or cos r from that of rᶠⁱʳˢᵗ on, with s = r²."""

    def series(s: Real) -> Real:
        terms = ((-1) ** (n + first // 2) * s**n / mp.factorial(2 * n + first) for n in range(20))
        return mp.fsum(terms)

    return series


def _sine_weight(s: Real) -> Real:
    return s / mp.sinc(mp.sqrt(s))


def _cosine_weight(s: Real) -> Real:
    return s**2 / mp.cos(mp.sqrt(s))


def _odd_tail(function: Callable[[Real], Real], slope: Real, third: Real) -> Callable[[Real], Real]:
    """(function(x) − slope·x)/x³ with s = x², given its value at 0."""

    def tail(s: Real) -> Real:
        x = mp.sqrt(s)
        return third if s < 1e-30 else (function(x) - slope * x) / (s * x)

    return tail


def _odd_weight(function: Callable[[Real], Real]) -> Callable[[Real], Real]:
    """Of an error of the tail, which is x³ times that of the function."""

    def weight(s: Real) -> Real:
        x = mp.sqrt(s)
        return s * x / function(x) if s else mp.mpf(0)

    return weight


def _erf_excess(s: Real) -> Real:
    """erf(x)/x − 9/8 with s = x²."""
    if s < 1e-30:
        return 2 / mp.sqrt(mp.pi) - 1.125
    return mp.erf(mp.sqrt(s)) / mp.sqrt(s) - 1.125


def _erf_weight(s: Real) -> Real:
    return 1 / (1.125 + _erf_excess(s))


ERFC_CENTRE = {"float64": 3.31640625, "float32": 3.07421875}
"""c of the map of erfc: where (x + ½)·exp(x²)·erfc(x) is almost a number of the dtype."""


def _erfc_problem(dtype: str, largest: float, degree: int) -> Problem:
    """(h(t) − h(0))/t for h = (x + ½)·exp(x²)·erfc(x), in t = (x − c)/(x + c), x from ½ on."""
    c = mp.mpf(ERFC_CENTRE[dtype])

    def at(x: Real) -> Real:
        return (x + 0.5) * mp.exp(x * x) * mp.erfc(x)

    def h(t: Real) -> Real:
        return at(c * (1 + t) / (1 - t))

    def slope(t: Real) -> Real:
        t = t if abs(t) > 1e-15 else mp.mpf("1e-15")
        return (h(t) - at(c)) / t

    interval = float((0.499 - c) / (0.499 + c)), float((largest - c) / (largest + c))
    return Problem(slope, interval, degree, lambda t: abs(t / h(t)) + 1e-3, dtype, True)


@functools.cache
def _zeta(k: int) -> Real:
    return mp.zeta(k)


def _gammaln_curve(d: Real) -> Real:
    """(gammaln(2 + d)/d − (1 − γ))/d."""
    return mp.fsum((-1) ** k * (_zeta(k) - 1) / k * d ** (k - 2) for k in range(2, 110))


def _digamma_root() -> Real:
    return mp.findroot(mp.digamma, 1.4616321449683623)


@functools.cache
def _digamma_coefficient(k: int) -> Real:
    return (-1) ** (k + 1) * mp.zeta(k + 1, _digamma_root())


def _digamma_curve(d: Real) -> Real:
    """(digamma(r + d)/d − digamma′(r))/d at the root r between 1 and 2."""
    return mp.fsum(_digamma_coefficient(k) * d ** (k - 2) for k in range(2, 70))


def _stirling_tail(s: Real) -> Real:
    """x(gammaln(x) − (x − ½)(log x − 1) − log(2π)/2 + ½) with s = 1/x²."""
    if s < 1 / 400:
        return mp.fsum(
            mp.bernoulli(2 * n) / (2 * n * (2 * n - 1)) * s ** (n - 1) for n in range(1, 30)
        )
    x = 1 / mp.sqrt(s)
    return x * (mp.loggamma(x) - (x - 0.5) * (mp.log(x) - 1) - mp.log(2 * mp.pi) / 2 + 0.5)


def _digamma_tail(s: Real) -> Real:
    """x²(log x − 1/(2x) − digamma(x)) with s = 1/x²."""
    if s < 1 / 400:
        return mp.fsum(mp.bernoulli(2 * n) / (2 * n) * s ** (n - 1) for n in range(1, 30))
    x = 1 / mp.sqrt(s)
    return (mp.log(x) - 1 / (2 * x) - mp.digamma(x)) / s


def _exp_weight(x: Real) -> Real:
    return x**2 * mp.exp(-x)


def _for_each_dtype(
    function: Callable[[Real], Real],
    interval: tuple[float, float],
    weight: Callable[[Real], Real],
    degrees: tuple[int, int],
) -> tuple[Problem, ...]:
    """The same for float64 and for float32, which need different degrees."""
    double, single = degrees
    return (
        Problem(function, interval, double, weight),
        Problem(function, interval, single, weight, "float32"),
    )


POLYNOMIALS: dict[str, tuple[Problem, ...]] = {
    "EXP": _for_each_dtype(_expm1_tail, _REDUCED, _exp_weight, (10, 5)),
    "LOG": (
        Problem(_log_tail, _MANTISSAS, 19, _log_weight, refit=True),
        Problem(_log_tail, _MANTISSAS, 8, _log_weight, "float32", refit=True),
    ),
    "POWER": _for_each_dtype(_log_series(2), _SQUARES, lambda z: z**2, (7, 3)),
    "SINE": _for_each_dtype(_taylor(3), _QUARTER_TURN, _sine_weight, (5, 2)),
    "COSINE": _for_each_dtype(_taylor(4), _QUARTER_TURN, _cosine_weight, (5, 2)),
    "ARCTAN": _for_each_dtype(
        _odd_tail(mp.atan, 1, mp.mpf(-1) / 3), (0.0, 1.0), _odd_weight(mp.atan), (20, 8)
    ),
    "ARCSIN": _for_each_dtype(
        _odd_tail(mp.asin, 1, mp.mpf(1) / 6), (0.0, 0.25), _odd_weight(mp.asin), (12, 5)
    ),
    "ERF": _for_each_dtype(_erf_excess, (0.0, 0.2501), _erf_weight, (8, 4)),
    "ERFC": (_erfc_problem("float64", 27.5, 20), _erfc_problem("float32", 10.4, 8)),
    "GAMMALN": (
        Problem(_gammaln_curve, (-0.5, 0.5), 17, lambda d: 2.4 * abs(d) + 0.01, refit=True),
    ),
    "STIRLING": (Problem(_stirling_tail, (0.0, 4.5**-2), 7, lambda s: mp.sqrt(s) / 2),),
    "DIGAMMA": (Problem(_digamma_curve, (-0.25, 0.25), 14, lambda d: abs(d) + 0.005, refit=True),),
    "DIGAMMA_TAIL": (Problem(_digamma_tail, (0.0, 0.25), 15, lambda s: 2.4 * s),),
    "CBRT": _for_each_dtype(mp.cbrt, (0.707, 1.4143), lambda x: 1, (6, 3)),
}
"""By name, for float64 and for float32; the weight makes of an error that of the result."""


def value(coefficients: Sequence[Real], x: Real) -> Real:
    """Σ cᵢ xⁱ."""
    total = mp.mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def _extrema(error: Callable[[Real], Real], interval: tuple[Real, Real], count: int) -> list[Real]:
    """Where the error is extremal, so many points of alternating sign."""
    a, b = interval
    number = POINTS * count
    grid = [(a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * i / number) for i in range(number + 1)]
    values = [error(x) for x in grid]
    best: list[tuple[Real, Real]] = []
    for x, e in zip(grid, values, strict=True):
        if best and mp.sign(e) == mp.sign(best[-1][1]):
            if abs(e) > abs(best[-1][1]):
                best[-1] = (x, e)
        elif e != 0:
            best.append((x, e))
    while len(best) > count:  # the smaller end goes
        best.pop(0 if abs(best[0][1]) < abs(best[-1][1]) else -1)
    return [x for x, _ in best]


def minimax(problem: Problem, fixed: Sequence[Real] = ()) -> list[Real]:
    """The best polynomial whose first coefficients are given."""
    if len(fixed) > problem.degree:
        return list(fixed)
    a, b = (mp.mpf(end) for end in problem.interval)
    free = problem.degree + 1 - len(fixed)
    count = free + 1
    points = [
        (a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)
    ]
    coefficients: list[Real] = []

    def error(x: Real) -> Real:
        return problem.weight(x) * (value(coefficients, x) - problem.function(x))

    for _ in range(12):
        matrix = mp.matrix(count, count)
        right = mp.matrix(count, 1)
        for row, x in enumerate(points):
            for j in range(free):
                matrix[row, j] = problem.weight(x) * x ** (j + len(fixed))
            matrix[row, free] = (-1) ** row
            known = value(fixed, x)
            right[row] = problem.weight(x) * (problem.function(x) - known)
        solution = mp.lu_solve(matrix, right)
        coefficients = [*fixed, *(solution[j] for j in range(free))]
        level = abs(solution[free])
        found = _extrema(error, (a, b), count)
        largest = max(abs(error(x)) for x in found)
        if len(found) < count or largest < level * mp.mpf("1.01"):
            break
        points = found
    return coefficients


def least_squares(problem: Problem, fixed: Sequence[Real]) -> list[Real]:
    """A polynomial whose first coefficients are given, and whose error is small at many points."""
    free = range(len(fixed), problem.degree + 1)
    if not free:
        return list(fixed)
    (a, b), count = problem.interval, 4 * problem.degree
    matrix, right = mp.matrix(count, len(free)), mp.matrix(count, 1)
    for row in range(count):
        x = (a + b) / 2 - mp.mpf(b - a) / 2 * mp.cos(mp.pi * (row + 0.5) / count)
        weight = problem.weight(x)
        for column, power in enumerate(free):
            matrix[row, column] = weight * x**power
        right[row] = weight * (problem.function(x) - value(fixed, x))
    solution = mp.lu_solve(matrix.T * matrix, matrix.T * right)
    return [*fixed, *solution]


def rounded(problem: Problem) -> tuple[list[float], float]:
    """The coefficients as numbers of the dtype, and the largest weighted error with them."""
    mp.dps = DIGITS
    a, b = (mp.mpf(end) for end in problem.interval)
    coefficients = minimax(problem)
    for i in range(problem.degree + 1):
        coefficients[i] = mp.mpf(_nearest(coefficients[i], problem.dtype))
        if problem.refit:
            coefficients = least_squares(problem, coefficients[: i + 1])
        elif not a < 0 < b:
            coefficients = minimax(problem, coefficients[: i + 1])
    largest = max(
        abs(problem.weight(x) * (value(coefficients, x) - problem.function(x)))
        for x in (a + (b - a) * i / 1000 for i in range(1001))
    )
    return [float(c) for c in coefficients], float(largest)


def _nearest(x: Real, dtype: str) -> float:
    number = float(x)
    if dtype == "float32":
        (number,) = struct.unpack("<f", struct.pack("<f", number))
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the polynomials that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(POLYNOMIALS))
    for name in parser.parse_args(arguments).names or POLYNOMIALS:
        print(f"{name} = {{")
        for problem in POLYNOMIALS[name]:
            coefficients, error = rounded(problem)
            print(f'    "{problem.dtype}": (  # largest weighted error 2^{math.log2(error):.1f}')
            for c in coefficients:
                print(f"        {c!r},")
            print("    ),")
        print("}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
