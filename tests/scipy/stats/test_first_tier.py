"""The common distributions over their domains and in their tails, against mpmath.

What mpmath gives is stored, see `tools.distribution_oracles`. A derivative is compared where the
value of SciPy's is right to as many digits. It may be wrong by what rounding the arguments does,
and by what is wrong with the value, of which it is made.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.stats

import pullback as pb
from tools.distribution_oracles import PATH, TABLE

STORED = json.loads(PATH.read_text(encoding="utf-8"))
TOLERANCE = 1e-12
ROUNDING = 8e-16
SMALLEST, LARGEST = 1e-290, 1e290


@dataclass
class Wanted:
    """A value, its derivatives by argument, what rounding does to those, and what an error of the
    value does to them, as a factor.
    """

    value: object
    slopes: dict
    spreads: dict
    factors: dict


def numbers(rows, width):
    """Rows of numbers as columns, with NaN for what is not known."""
    filled = [[np.nan if x is None else x for x in row or [None] * width] for row in rows]
    return np.array(filled, float).T


def of_logarithm(columns, along):
    """What is wanted of the logarithm of a density or a tail p: ∂ log p = ∂p/p."""
    slopes = dict(zip(along, columns[1::2], strict=True))
    factors = {i: np.abs(slope) for i, slope in slopes.items()}
    return Wanted(columns[0], slopes, dict(zip(along, columns[2::2], strict=True)), factors)


def of_exponential(log, args):
    """What is wanted of the density or tail itself."""
    p = np.exp(log.value)
    change = sum(np.abs(slope * args[i]) for i, slope in log.slopes.items())
    slopes = {i: p * slope for i, slope in log.slopes.items()}
    spreads = {i: p * (log.spreads[i] + np.abs(log.slopes[i]) * change) for i in slopes}
    return Wanted(p, slopes, spreads, {i: np.abs(slope) for i, slope in log.slopes.items()})


def of_quantile(columns, density):
    """What is wanted of a quantile, with the derivatives of the logarithm of the density there."""
    slopes = dict(enumerate(columns[2:]))
    bent = np.abs(density.slopes[0])
    factors = {i: bent * np.abs(slope) for i, slope in slopes.items()}
    for i in factors:
        factors[i] = factors[i] + (np.abs(density.slopes[i]) if i else 0)
    return Wanted(columns[1], slopes, dict.fromkeys(slopes, np.zeros(len(bent))), factors)


def complaints(name, method, args, wanted):
    """Where a method's value is not SciPy's, or a derivative is wrong."""
    called = method.replace("pdf", "pmf") if TABLE[name].discrete else method
    f = getattr(getattr(scipy.stats, name), called)
    plain = f(*args)
    error = np.abs(plain - wanted.value)
    reached = (error <= TOLERANCE * np.abs(wanted.value)) & (np.abs(wanted.value) > SMALLEST)
    if method in ("logcdf", "logsf"):
        tail = getattr(getattr(scipy.stats, name), method[3:])(*args)
        reached &= (tail == 0) | (tail > SMALLEST)  # between, it has few digits
    for place, slope in wanted.slopes.items():

        def at(t, place=place):
            return f(*args[:place], t, *args[place + 1 :])

        x = args[place]
        value, forward = pb.pushforward(at, (x,), (np.ones_like(x),))
        if not np.allclose(value, plain, rtol=2e-14, atol=0, equal_nan=True):
            yield f"{name}.{called}: the value differs from SciPy's"
        reverse = pb.vjp(at, x)[1](np.ones_like(value))[0]
        asked = reached & (np.abs(slope) > SMALLEST) & (np.abs(slope) < LARGEST)
        allowed = TOLERANCE * np.abs(slope) + ROUNDING * wanted.spreads[place]
        allowed = allowed + error * wanted.factors[place]
        for mode, found in (("forward", forward), ("reverse", reverse)):
            excess = np.abs(found - slope) / np.where(allowed > 0, allowed, 1)
            wrong = asked & ~(excess <= 1)
            worst = np.argmax(np.where(wrong, excess, -1))
            if wrong.any():
                yield (
                    f"{name}.{called} {mode} in argument {place} at {wrong.sum()} of {asked.sum()} "
                    f"points, as {tuple(float(a[worst]) for a in args)}: {found[worst]!r}, wanted "
                    f"{slope[worst]!r}"
                )


@pytest.mark.parametrize("name", TABLE)
def test_derivatives_are_right_wherever_the_value_is(name):
    stored, entry = STORED[name], TABLE[name]
    args = list(np.array(stored["points"], float).T)
    along = [i for i in range(len(args)) if not (entry.discrete and i == 0)]
    along = [i for i in along if i == 0 or entry.domains[i - 1] != "n"]
    out = []
    # SciPy's quantiles warn of points at which they do not converge.
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        for method in ("logpdf", "logcdf", "logsf"):
            log = of_logarithm(numbers(stored[method], 1 + 2 * len(along)), along)
            out += complaints(name, method, args, log)
            out += complaints(name, method[3:], args, of_exponential(log, args))
        for method in () if entry.discrete else ("ppf", "isf"):
            density = of_logarithm(numbers(stored["logpdf"], 1 + 2 * len(along)), along)
            columns = numbers(stored[method], 2 + len(args))
            columns[0] = np.where(np.isfinite(columns[0]), columns[0], 0.5)
            wanted = of_quantile(columns, density)
            out += complaints(name, method, [columns[0], *args[1:]], wanted)
    assert not out, "\n".join(out)
