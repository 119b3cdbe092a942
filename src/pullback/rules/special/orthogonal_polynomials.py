"""Orthogonal polynomials in their argument: the derivative is one of the next family (DLMF 18.9).

The degree and the parameters have no rule. The derivative of degree 0 is 0. Legendre functions of
the first kind (DLMF 14.10.1, 2 and 5).
"""

from __future__ import annotations

import numpy as np
import scipy.special as sc

from pullback.core.shapes import dtype_of
from pullback.core.tracing import Tracer
from pullback.rules.registration import elementwise
from pullback.rules.special.missing import no_closed_form

__all__: list[str] = []


def _whole(n):
    """Whole degrees as integers, of which SciPy evaluates polynomials by their recurrences."""
    if type(n) is not Tracer and dtype_of(n).kind == "f" and np.all(np.equal(n, np.rint(n))):
        return np.asarray(n).astype(np.int64)
    return n


def _unless_constant(n, slope):
    """The slope, and 0 of a polynomial of degree 0."""
    n = _whole(n)
    return np.where(np.equal(n, 0), 0, slope(np.where(np.equal(n, 0), 1, n)))


def _enter(ufunc, slope, parameters=()):
    """Enter a polynomial with the slope ``slope(n, *parameters, x)``."""

    def entries(n, *rest):
        *others, x = rest
        return (
            no_closed_form(ufunc.__name__, "n"),
            *(no_closed_form(ufunc.__name__, name) for name in parameters),
            lambda: _unless_constant(n, lambda n: slope(n, *others, x)),
        )

    def of_two(_y, n, x):
        """∂y/∂x is of the degree n − 1 in the next family; no rule for n."""
        return entries(n, x)

    def of_three(_y, n, alpha, x):
        """∂y/∂x is of the degree n − 1 and a parameter more; no rule for the others."""
        return entries(n, alpha, x)

    def of_four(_y, n, alpha, beta, x):
        """∂y/∂x is of the degree n − 1 and parameters more; no rule for the others."""
        return entries(n, alpha, beta, x)

    rule = (of_two, of_three, of_four)[len(parameters)]
    elementwise(ufunc)(rule)


_enter(sc.eval_legendre, lambda n, x: sc.eval_gegenbauer(n - 1, 1.5, x))
_enter(sc.eval_sh_legendre, lambda n, x: 2 * sc.eval_gegenbauer(n - 1, 1.5, 2 * x - 1))
_enter(sc.eval_chebyt, lambda n, x: n * sc.eval_chebyu(n - 1, x))
_enter(sc.eval_chebyu, lambda n, x: 2 * sc.eval_gegenbauer(n - 1, 2.0, x))
_enter(sc.eval_chebyc, lambda n, x: n * sc.eval_chebys(n - 1, x))
_enter(sc.eval_chebys, lambda n, x: sc.eval_gegenbauer(n - 1, 2.0, 0.5 * x))
_enter(sc.eval_sh_chebyt, lambda n, x: 2 * n * sc.eval_sh_chebyu(n - 1, x))
_enter(sc.eval_sh_chebyu, lambda n, x: 4 * sc.eval_gegenbauer(n - 1, 2.0, 2 * x - 1))
_enter(sc.eval_hermite, lambda n, x: 2 * n * sc.eval_hermite(n - 1, x))
_enter(sc.eval_hermitenorm, lambda n, x: n * sc.eval_hermitenorm(n - 1, x))
_enter(sc.eval_laguerre, lambda n, x: -sc.eval_genlaguerre(n - 1, 1.0, x))
_enter(
    sc.eval_genlaguerre, lambda n, alpha, x: -sc.eval_genlaguerre(n - 1, alpha + 1, x), ("alpha",)
)
_enter(
    sc.eval_gegenbauer,
    lambda n, alpha, x: 2 * alpha * sc.eval_gegenbauer(n - 1, alpha + 1, x),
    ("alpha",),
)
_enter(
    sc.eval_jacobi,
    lambda n, alpha, beta, x: (
        (0.5 * (n + alpha + beta + 1)) * sc.eval_jacobi(n - 1, alpha + 1, beta + 1, x)
    ),
    ("alpha", "beta"),
)
_enter(
    sc.eval_sh_jacobi,
    lambda n, p, q, x: (
        ((n + p) / sc.binom(2 * n + p - 1, n)) * sc.eval_jacobi(n - 1, p - q + 1, q, 2 * x - 1)
    ),
    ("p", "q"),
)


@elementwise(sc.lpmv, singular=True)
def lpmv(_y, m, v, x):
    """y = Pᵥᵐ(x) with Condon and Shortley's sign: of the orders m − 1 and m + 1, ∂y/∂x is

    ((v + m)(v − m + 1)·Pᵥᵐ⁻¹ − Pᵥᵐ⁺¹)/(2√(1 − x²)), for m = 0 a Gegenbauer function, which holds
    at ±1; there the slope for m = 1 is infinite, and zeros stay zero. No rule for m and v.
    """

    def slope():
        root = np.sqrt((1 - x) * (1 + x))
        lower = (v + m) * (v - m + 1) * sc.lpmv(np.maximum(m - 1, 0), v, x)
        general = (lower - sc.lpmv(m + 1, v, x)) / (2 * root)
        zonal = np.where(np.equal(v, 0), 0, sc.eval_gegenbauer(v - 1.0, 1.5, x))
        return np.where(np.equal(m, 0), zonal, general)

    return no_closed_form("lpmv", "m"), no_closed_form("lpmv", "v"), slope
