"""Each elementary function: what mpmath calls it, where it is swept, and who else computes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special
from mpmath import mp

from pullback.compiler.elementary.constants import DIGAMMA_ROOT

__all__ = ["CASES", "Case", "Sampler"]

Real = Any  # an mpf


class Sampler:
    """Points of a dtype, the same ones every time."""

    def __init__(self, dtype: str, count: int = 400) -> None:
        self.dtype, self.count = dtype, count
        self.limits = np.finfo(dtype)
        self.low = float(np.log(float(self.limits.smallest_subnormal))) - 1
        """exp underflows here."""
        self.high = float(np.log(float(self.limits.max))) + 0.1
        """exp overflows here."""
        self._rng = np.random.default_rng(7)

    def between(self, low: float, high: float) -> np.ndarray:
        return self._rng.uniform(low, high, self.count)

    def around(self, centre: float, reach: float = 0.5) -> np.ndarray:
        """As near as can be told from `centre`, and all distances up to `reach`."""
        nearest = float(self.limits.eps) / 2
        distance = np.exp(self.between(np.log(nearest), np.log(reach)))
        return centre + self.signs() * distance

    def small(self) -> np.ndarray:
        """Less than 1, of any magnitude, denormal numbers among them."""
        return self.signs() * self.positive(up_to=1.0)

    def positive(self, up_to: float = np.inf) -> np.ndarray:
        """Of any magnitude: uniform among the numbers of the dtype."""
        integer = np.dtype(self.dtype.replace("float", "int"))
        end = np.array(up_to, self.dtype).view(integer)
        return self._rng.integers(1, end, self.count, dtype=integer).view(self.dtype)

    def denormal(self) -> np.ndarray:
        return self.positive(up_to=float(self.limits.tiny))

    def signs(self) -> np.ndarray:
        return self._rng.choice([-1.0, 1.0], self.count)

    def halves(self, reach: int) -> np.ndarray:
        """Multiples of ½."""
        return self._rng.integers(-2 * reach, 2 * reach + 1, self.count) / 2


Points = Callable[[Sampler], Sequence[Any]]


@dataclass(frozen=True)
class Case:
    """An elementary function."""

    oracle: Callable[..., Real]
    """In as many digits as one likes."""
    reference: Callable[..., np.ndarray]
    """Of NumPy or SciPy, for special values."""
    points: Points
    """Arrays of points; for two arguments pairs of arrays."""
    bound: float = 1.2
    """How many ulp the error may be."""


def _positive(s: Sampler) -> Sequence[np.ndarray]:
    return s.positive(), s.denormal(), s.around(1.0), s.between(0.4, 3.0)


def _signed(s: Sampler) -> Sequence[np.ndarray]:
    return [s.signs() * x for x in (*_positive(s), s.small())]


def _exponential(s: Sampler) -> Sequence[np.ndarray]:
    return s.between(s.low, s.high), s.between(-2, 2), s.small()


def _hyperbolic(s: Sampler) -> Sequence[np.ndarray]:
    return s.between(-s.high - 0.5, s.high + 0.5), s.between(-2, 2), s.small()


def _angles(s: Sampler) -> Sequence[np.ndarray]:
    """Moderate ones, some next to multiples of π/2, and all others there are."""
    near = np.rint(s.between(-1e4, 1e4)) * (np.pi / 2)
    return s.between(-7, 7), s.between(-1e4, 1e4), near, s.signs() * s.positive(), s.small()


def _powers(s: Sampler) -> Sequence[tuple[np.ndarray, np.ndarray]]:
    """Powers that are numbers, and some that overflow or underflow."""
    bases = [s.positive(), s.denormal(), s.around(1.0), s.between(0.1, 9.0)]
    exponents = [s.between(s.low, s.high) / np.log(x.astype(np.float64)) for x in bases]
    negative = -s.positive(), np.rint(s.halves(20))
    return [*zip(bases, exponents, strict=True), negative, (s.positive(), s.halves(4))]


def _cube_root(x: Real) -> Real:
    return mp.sign(x) * mp.cbrt(abs(x))


def _logistic(x: Real) -> Real:
    return 1 / (1 + mp.exp(-x))


def _log_of_sum(x: Real, y: Real) -> Real:
    return mp.log(mp.exp(x) + mp.exp(y))


def _corrected(
    function: Callable[..., np.ndarray], oracle: Callable[..., Real]
) -> Callable[..., np.ndarray]:
    """SciPy's, but not next to poles and zeros, where that has a few digits only."""

    def reference(x: np.ndarray) -> np.ndarray:
        wanted = function(x)
        for i in np.flatnonzero((abs(x) < 9) & ~((x <= 0) & (x == np.rint(x)))):
            wanted[i] = float(oracle(float(x[i])))
        return wanted

    return reference


def _gammaln(x: Real) -> Real:
    return mp.re(mp.loggamma(x))


CASES: dict[str, Case] = {
    "exp": Case(mp.exp, np.exp, _exponential),
    "exp2": Case(
        lambda x: mp.mpf(2) ** x,
        np.exp2,
        lambda s: (s.between(s.low * 1.45, s.high * 1.45), s.between(-2, 2), s.small()),
    ),
    "expm1": Case(mp.expm1, np.expm1, _exponential, 1.5),
    "expit": Case(_logistic, scipy.special.expit, _exponential, 1.5),
    "log": Case(mp.log, np.log, _positive),
    "log2": Case(lambda x: mp.log(x) / mp.ln2, np.log2, _positive),
    "log10": Case(mp.log10, np.log10, _positive),
    "log1p": Case(
        mp.log1p, np.log1p, lambda s: (*_positive(s), s.small(), -1 - s.around(-1.0, 1.0))
    ),
    "logaddexp": Case(
        _log_of_sum,
        np.logaddexp,
        lambda s: [(s.between(0, 50), s.between(0, 50)), (s.between(0, 2), s.between(0, 2))],
    ),
    "xlogy": Case(
        lambda x, y: x * mp.log(y),
        scipy.special.xlogy,
        lambda s: [(s.between(-3, 3), s.around(1.0)), (s.between(-3, 3), s.positive())],
    ),
    "xlog1py": Case(
        lambda x, y: x * mp.log1p(y),
        scipy.special.xlog1py,
        lambda s: [(s.between(-3, 3), s.small()), (s.between(-3, 3), s.positive())],
        1.5,
    ),
    "log_expit": Case(
        lambda x: -mp.log1p(mp.exp(-x)),
        scipy.special.log_expit,
        lambda s: (*_exponential(s), s.signs() * s.positive(up_to=1e9)),
    ),
    "logaddexp2": Case(
        lambda x, y: mp.log(mp.mpf(2) ** x + mp.mpf(2) ** y) / mp.ln2,
        np.logaddexp2,
        lambda s: [(s.between(0, 60), s.between(0, 60)), (s.between(0, 2), s.between(0, 2))],
    ),
    "sinh": Case(mp.sinh, np.sinh, _hyperbolic),
    "cosh": Case(mp.cosh, np.cosh, _hyperbolic),
    "tanh": Case(
        mp.tanh, np.tanh, lambda s: (s.between(-20, 20), s.between(-1, 1), s.small()), 1.6
    ),
    "arcsinh": Case(mp.asinh, np.arcsinh, _signed),
    "arccosh": Case(
        mp.acosh, np.arccosh, lambda s: (1 + s.positive(), 1 + abs(s.around(0.0, 1.0)))
    ),
    "arctanh": Case(
        mp.atanh, np.arctanh, lambda s: (s.between(-1, 1), s.small(), 1 - abs(s.around(0.0)))
    ),
    "sin": Case(mp.sin, np.sin, _angles, 1.6),
    "cos": Case(mp.cos, np.cos, _angles, 1.6),
    "tan": Case(mp.tan, np.tan, _angles),
    "arcsin": Case(mp.asin, np.arcsin, lambda s: (s.between(-1, 1), s.small()), 1.5),
    "arccos": Case(mp.acos, np.arccos, lambda s: (s.between(-1, 1), s.small()), 1.5),
    "arctan": Case(mp.atan, np.arctan, _signed, 1.6),
    "arctan2": Case(
        mp.atan2,
        np.arctan2,
        lambda s: [
            (s.between(-1, 1), s.between(-1, 1)),
            (s.signs() * s.positive(), s.signs() * s.positive()),
            (s.denormal(), s.between(-1, 1)),
            (s.denormal(), s.signs() * s.denormal()),
        ],
        1.6,
    ),
    "erf": Case(mp.erf, scipy.special.erf, lambda s: (s.between(-6, 6), s.small()), 1.6),
    "erfc": Case(
        mp.erfc,
        scipy.special.erfc,
        lambda s: (s.between(-6, 27.5), s.between(-1, 10), s.small()),
        1.9,
    ),
    "gammaln": Case(
        _gammaln,
        _corrected(scipy.special.gammaln, _gammaln),
        lambda s: (
            s.between(0, 9),
            s.positive(up_to=float(s.limits.max) / 1e3),
            s.around(1.0),
            s.around(2.0),
        ),
        1.9,
    ),
    "digamma": Case(
        mp.digamma,
        _corrected(scipy.special.digamma, mp.digamma),
        lambda s: (s.between(0, 9), s.positive(), s.around(DIGAMMA_ROOT[0])),
        1.9,
    ),
    "power": Case(mp.power, np.power, _powers),
    "sqrt": Case(mp.sqrt, np.sqrt, _positive, 0.5),
    "cbrt": Case(_cube_root, np.cbrt, _signed),
    "hypot": Case(
        mp.hypot,
        np.hypot,
        lambda s: [
            (s.positive(), s.positive()),
            (s.between(-1, 1), s.between(-1, 1)),
            (s.denormal(), s.denormal()),
            (s.positive(), s.between(-9, 9)),
        ],
    ),
}
