"""Special functions of SciPy, element by element.

Importing this module imports `scipy.special`; :mod:`pullback.scipy.loading` sees to it that it is
imported when SciPy's module is, and not before.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import NoRuleError
from pullback.rules import arithmetic, exponential
from pullback.rules.missing import no_closed_form
from pullback.rules.registration import (
    array_ufuncs,
    constant,
    elementwise,
    strong_multiply,
    ufunc_behind,
)

__all__ = ["digamma", "expit", "gammaln", "gaussian", "log_expit", "polygamma", "xlogy"]

for _name, _primitive in {
    "cbrt": arithmetic.cbrt,
    "exp2": exponential.exp2,
    "expm1": exponential.expm1,
    "log1p": exponential.log1p,
}.items():
    array_ufuncs[ufunc_behind(getattr(sc, _name))] = _primitive  # type: ignore[index]

SQRT_PI = math.sqrt(math.pi)
SQRT_2PI = math.sqrt(2 * math.pi)


# -- the logistic function ------------------------------------------------------------------------


@elementwise(sc.expit)
def expit(_y, x):
    """y = 1/(1 + e⁻ˣ): ∂y/∂x = y(x)·y(−x), in which 1 − y would lose its digits for x ≫ 0."""
    return exponential.logistic_slope(x)


@elementwise(sc.log_expit)
def log_expit(_y, x):
    """y = −log(1 + e⁻ˣ): ∂y/∂x = 1/(1 + eˣ)."""
    return sc.expit(-x)


@elementwise(sc.logit, poles={0: np.inf, 1: np.inf})
def logit(_y, x):
    """y = log(x/(1 − x)): ∂y/∂x = 1/(x·(1 − x)). Infinite at 0 and 1, where zeros stay zero."""
    return 1 / (x * (1 - x))


# -- the error function and the normal distribution -----------------------------------------------


def _gaussian(x, *, scale):
    return np.exp(np.multiply(-scale * x, x))


@elementwise(_gaussian)
def gaussian(y, x, *, scale):
    """y = exp(−s·x²): ∂y/∂x = −2s·(x·y), in which x·y is small where x² would overflow."""
    return -2 * scale * (x * y)


@elementwise(sc.erf)
def erf(_y, x):
    """y = 2/√π ∫₀ˣ exp(−t²) dt: ∂y/∂x = 2/√π exp(−x²)."""
    return (2 / SQRT_PI) * gaussian(x, scale=1.0)


@elementwise(sc.erfc)
def erfc(_y, x):
    """y = 1 − erf x: ∂y/∂x = −2/√π exp(−x²)."""
    return (-2 / SQRT_PI) * gaussian(x, scale=1.0)


@elementwise(sc.erfinv, poles={1: np.inf, -1: np.inf})
def erfinv(y, _x):
    """erf y = x: ∂y/∂x = √π/2 exp(y²). Infinite at x = ±1, where zeros stay zero."""
    return (SQRT_PI / 2) * np.exp(y * y)


@elementwise(sc.erfcinv, poles={0: -np.inf, 2: -np.inf})
def erfcinv(y, _x):
    """erfc y = x: ∂y/∂x = −√π/2 exp(y²). Infinite at x = 0 and 2, where zeros stay zero."""
    return (-SQRT_PI / 2) * np.exp(y * y)


@elementwise(sc.ndtr)
def ndtr(_y, x):
    """y = Φ(x): ∂y/∂x = φ(x) = exp(−x²/2)/√(2π)."""
    return (1 / SQRT_2PI) * gaussian(x, scale=0.5)


@elementwise(sc.ndtri, poles={0: np.inf, 1: np.inf})
def ndtri(y, _x):
    """Φ(y) = x: ∂y/∂x = 1/φ(y). Infinite at x = 0 and 1, where zeros stay zero."""
    return SQRT_2PI * np.exp(y * (y / 2))


def _hazard(x):
    return math.sqrt(2 / math.pi) / sc.erfcx(x / math.sqrt(2))


@elementwise(_hazard)
def hazard(h, x):
    """h = φ(x)/Φ(−x), the hazard rate of the normal distribution: ∂h/∂x = h·(h − x)."""
    return h * hazard_excess(x)


def _hazard_excess(x):
    """h(x) − x; for large x by Laplace's continued fraction, where the difference cancels."""
    x = np.asarray(x)
    large = x > 4
    t = np.where(large, x, x.dtype.type(4))
    fraction = t
    for k in range(80, 1, -1):
        fraction = t + k / fraction
    return np.where(large, 1 / fraction, _hazard(x) - x)[()]


@elementwise(_hazard_excess)
def hazard_excess(e, x):
    """e = h − x, with the hazard rate h of the normal distribution: ∂e/∂x = h·e − 1.

    It is right to rounding beside 1, not beside itself: for large x it is about −1/x².
    """
    return hazard(x) * e - 1


@elementwise(sc.log_ndtr)
def log_ndtr(_y, x):
    """y = log Φ(x): ∂y/∂x = φ(x)/Φ(x), the hazard rate at −x."""
    return hazard(-x)


# -- exponential integrals ------------------------------------------------------------------------


@elementwise(sc.exp1, poles={0: -np.inf})
def exp1(_y, x):
    """y = ∫ₓ^∞ e⁻ᵗ/t dt: ∂y/∂x = −e⁻ˣ/x. Infinite at x = 0, where zeros stay zero."""
    return -np.exp(-x) / x


@elementwise(sc.expi, poles={0: np.inf})
def expi(_y, x):
    """y = −∫₋ₓ^∞ e⁻ᵗ/t dt: ∂y/∂x = eˣ/x. Infinite at x = 0, where zeros stay zero."""
    return np.exp(x) / x


# -- entropies and losses -------------------------------------------------------------------------


@elementwise(sc.xlogy, singular=True)
def xlogy(_z, x, y):
    """z = x·log y, and 0 at x = 0: ∂z/∂x = log y, ∂z/∂y = x/y, which is 0 at x = 0.

    ∂z/∂x is −∞ at y = 0, where zeros stay zero.
    """
    return lambda: np.log(y), lambda: strong_multiply(x, 1 / y)


xlogy.singular_at(
    "y = 0", lambda _x, y: np.equal(y, 0), (1.0, 0.0), (-np.inf, np.inf), (0, np.nan), "pole"
)
xlogy.singular_at(
    "x = y = 0",
    lambda x, y: np.equal(x, 0) & np.equal(y, 0),
    (0.0, 0.0), (-np.inf, 0), (0, 0), "pole",
)  # fmt: skip


@elementwise(sc.xlog1py, singular=True)
def xlog1py(_z, x, y):
    """z = x·log(1 + y), and 0 at x = 0: ∂z/∂x = log(1 + y), ∂z/∂y = x/(1 + y), 0 at x = 0.

    ∂z/∂x is −∞ at y = −1, where zeros stay zero.
    """
    return lambda: np.log1p(y), lambda: strong_multiply(x, 1 / (1 + y))


xlog1py.singular_at(
    "y = −1", lambda _x, y: np.equal(y, -1), (1.0, -1.0), (-np.inf, np.inf), (0, np.nan), "pole"
)


@elementwise(sc.entr, poles={0: np.inf})
def entr(_y, x):
    """y = −x·log x: ∂y/∂x = −log x − 1. Infinite at x = 0, where zeros stay zero."""
    return -np.log(x) - 1


@elementwise(sc.rel_entr, singular=True)
def rel_entr(_z, x, y):
    """z = x·log(x/y), and 0 at x = 0: ∂z/∂x = log(x/y) + 1, ∂z/∂y = −x/y.

    Infinite at x = 0 and at y = 0, where zeros stay zero.
    """
    return lambda: np.log(x / y) + 1, lambda: strong_multiply(-x, 1 / y)


@elementwise(sc.kl_div, singular=True)
def kl_div(_z, x, y):
    """z = x·log(x/y) − x + y, and y at x = 0: ∂z/∂x = log(x/y), ∂z/∂y = (y − x)/y.

    Infinite at x = 0 and at y = 0, where zeros stay zero.
    """
    return lambda: np.log(x / y), lambda: (y - x) / y


for _each, _first in ((rel_entr, (-np.inf, 0)), (kl_div, (-np.inf, 1))):
    _each.singular_at(
        "x = 0 or y = 0",
        lambda x, y: np.equal(x, 0) | np.equal(y, 0),
        (0.0, 1.0), _first, (np.nan, 0), "pole",
    )  # fmt: skip


@elementwise(sc.huber)
def huber(_z, delta, r):
    """z = r²/2 for |r| ≤ δ, else δ·(|r| − δ/2): ∂z/∂δ = max(|r| − δ, 0), ∂z/∂r = r within ±δ.

    Both are continuous at |r| = δ. For δ < 0, where z = ∞, they are not meaningful.
    """
    return lambda: np.maximum(np.abs(r) - delta, 0), lambda: np.clip(r, -delta, delta)


huber.singular_at(
    "|r| = δ: the slope has a kink",
    lambda delta, r: np.equal(np.abs(r), np.nan),
    (1.0, 1.0), (0, 1), (-0.5, 0.5),
)  # fmt: skip


# -- the gamma function ---------------------------------------------------------------------------


def _polygamma(x, *, n):
    return sc.polygamma(n, x)


@elementwise(_polygamma, singular=True)
def polygamma(_y, x, *, n):
    """y = ψ⁽ⁿ⁾(x), the derivative of order n + 1 of log Γ: ∂y/∂x = ψ⁽ⁿ⁺¹⁾(x).

    Has poles at 0, −1, −2, …, where zeros stay zero.
    """
    return polygamma(x, n=n + 1)


@elementwise(sc.digamma, name="digamma", singular=True)
def digamma(_y, x):
    """y = ψ(x) = Γ′(x)/Γ(x): ∂y/∂x = ψ⁽¹⁾(x). Has poles at 0, −1, −2, …, where zeros stay zero.

    ψ⁽¹⁾ is known for real x only.
    """
    if dtype_of(x).kind == "c":
        raise NoRuleError(
            f"scipy.special.digamma: got an argument of dtype {dtype_of(x)} and shape "
            f"{shape_of(x)}, wanted a real one: its derivative at complex numbers has no rule in "
            "pullback; detach it with pullback.stop_gradient if the derivative is not wanted"
        )
    return polygamma(x, n=1)


@elementwise(sc.gammaln, singular=True)
def gammaln(_y, x):
    """y = log|Γ(x)|: ∂y/∂x = ψ(x). Has poles at 0, −1, −2, …, where zeros stay zero."""
    return sc.digamma(x)


@elementwise(sc.gamma, singular=True)
def gamma(y, x):
    """y = Γ(x): ∂y/∂x = y·ψ(x). Has poles at 0, −1, −2, …, where zeros stay zero."""
    return y * sc.digamma(x)


def _at_pole(x, **_):
    return np.less_equal(x, 0) & np.equal(x, np.floor(x))


for _each, _slope, _params in (
    (polygamma, -np.inf, {"n": 1}), (digamma, np.inf, {}), (gammaln, -np.inf, {}),
    (gamma, -np.inf, {}),
):  # fmt: skip
    _each.singular_at("x = 0, −1, −2, …", _at_pole, 0.0, _slope, np.nan, "pole", params=_params)


@elementwise(sc.betaln, singular=True)
def betaln(_z, x, y):
    """z = log|B(x, y)|: ∂z/∂x = ψ(x) − ψ(x + y), ∂z/∂y = ψ(y) − ψ(x + y).

    Has poles where x or y is 0, −1, −2, …; there zeros stay zero.
    """
    return (
        lambda: sc.digamma(x) - sc.digamma(x + y),
        lambda: sc.digamma(y) - sc.digamma(x + y),
    )


@elementwise(sc.beta, singular=True)
def beta(z, x, y):
    """z = B(x, y): ∂z/∂x = z·(ψ(x) − ψ(x + y)), ∂z/∂y = z·(ψ(y) − ψ(x + y)).

    Has poles where x or y is 0, −1, −2, …; there zeros stay zero.
    """
    return (
        lambda: z * (sc.digamma(x) - sc.digamma(x + y)),
        lambda: z * (sc.digamma(y) - sc.digamma(x + y)),
    )


for _each, _slopes in ((betaln, (-np.inf, 0)), (beta, (-np.inf, np.nan))):
    _each.singular_at(
        "x or y = 0, −1, −2, …",
        lambda x, y: _at_pole(x) | _at_pole(y),
        (0.0, 1.0), _slopes, (np.nan, 0 if _each is betaln else np.nan), "pole",
    )  # fmt: skip


for _ufunc in (sc.gammasgn, sc.round):
    constant(_ufunc, name=f"special_{_ufunc.__name__}")


@elementwise(sc.gammainc, singular=True)
def gammainc(_z, a, x):
    """z = γ(a, x)/Γ(a): ∂z/∂x = xᵃ⁻¹e⁻ˣ/Γ(a); no rule for a. Infinite at x = 0 for a < 1."""
    return no_closed_form("gammainc", "a"), lambda: np.exp(sc.xlogy(a - 1, x) - x - sc.gammaln(a))


@elementwise(sc.gammaincc, singular=True)
def gammaincc(_z, a, x):
    """z = Γ(a, x)/Γ(a): ∂z/∂x = −xᵃ⁻¹e⁻ˣ/Γ(a); no rule for a. Infinite at x = 0 for a < 1."""
    return no_closed_form("gammaincc", "a"), lambda: -np.exp(sc.xlogy(a - 1, x) - x - sc.gammaln(a))


for _each, _slope in ((gammainc, np.inf), (gammaincc, -np.inf)):
    _each.singular_at(
        "x = 0 with a < 1",
        lambda a, x: np.equal(x, 0) & np.less(a, 1),
        (0.5, 0.0), (None, _slope), (None, np.nan), "pole",
    )  # fmt: skip


@elementwise(sc.betainc, singular=True)
def betainc(_z, a, b, x):
    """z = Iₓ(a, b): ∂z/∂x = xᵃ⁻¹(1 − x)ᵇ⁻¹/B(a, b); no rule for a and b.

    Infinite at x = 0 for a < 1 and at x = 1 for b < 1, where zeros stay zero.
    """
    return (
        no_closed_form("betainc", "a"),
        no_closed_form("betainc", "b"),
        lambda: np.exp(sc.xlogy(a - 1, x) + sc.xlog1py(b - 1, -x) - sc.betaln(a, b)),
    )


betainc.singular_at(
    "x = 0 with a < 1, or x = 1 with b < 1",
    lambda a, b, x: (np.equal(x, 0) & np.less(a, 1)) | (np.equal(x, 1) & np.less(b, 1)),
    (0.5, 1.0, 0.0), (None, None, np.inf), (None, None, np.nan), "pole",
)  # fmt: skip
