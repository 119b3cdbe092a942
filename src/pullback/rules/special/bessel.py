"""Bessel functions of SciPy, differentiated with respect to their argument.

The derivative of order v is made of those of the orders v − 1 and v + 1, which unlike the formulas
with a quotient by x holds at x = 0. There Yᵥ and Kᵥ have poles, and Jᵥ and Iᵥ an infinite
derivative for 0 < v < 1; zeros stay zero. The derivative with respect to the order is that of
`pullback.rules.special.bessel_orders`, for real arguments above 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sc

from pullback.core.shapes import dtype_of
from pullback.rules.registration import array_ufuncs, elementwise, ufunc_behind
from pullback.rules.special.bessel_orders import (
    iv_in_order,
    jv_in_order,
    kv_in_order,
    yv_in_order,
)
from pullback.rules.special.missing import no_closed_form

__all__: list[str] = []

_IN_ORDER: dict[Any, Callable[..., Any]] = {
    sc.jv: jv_in_order, sc.yv: yv_in_order, sc.iv: iv_in_order, sc.kv: kv_in_order
}  # fmt: skip
"""The derivatives in the order, of real arguments."""

_FAMILIES = (
    (sc.jv, sc.j0, sc.j1, 1, -1),
    (sc.yv, sc.y0, sc.y1, 1, -1),
    (sc.iv, sc.i0, sc.i1, 1, 1),
    (sc.kv, sc.k0, sc.k1, -1, -1),
)


def _enter(function, zero, one, below, above):
    """Enter the family with y′ᵥ = (below·yᵥ₋₁ + above·yᵥ₊₁)/2, and y′₀ = above·y₁."""

    def general(_y, v, x):
        """∂y/∂x = (±yᵥ₋₁ ± yᵥ₊₁)/2, ∂y/∂v by integrals and series for x > 0; NaN elsewhere."""

        def in_order():
            if dtype_of(x).kind == "c":
                no_closed_form(function.__name__, "v")()
            return _IN_ORDER[function](v, x)

        return (
            in_order,
            lambda: (below * function(v - 1, x) + above * function(v + 1, x)) / 2,
        )

    def order_zero(_y, x):
        """∂y/∂x = ±y₁."""
        return above * one(x)

    def order_one(_y, x):
        """∂y/∂x = (±y₀ ± y₂)/2."""
        return (below * zero(x) + above * function(2, x)) / 2

    elementwise(function, singular=True)(general)
    elementwise(zero, singular=True)(order_zero)
    elementwise(one, singular=True)(order_one)


for _family in _FAMILIES:
    _enter(*_family)


@elementwise(sc.yn, singular=True)
def yn(_y, n, x):
    """∂y/∂x = (Yₙ₋₁ − Yₙ₊₁)/2, for whole orders n; no rule for them."""
    return no_closed_form("yn", "n"), lambda: (sc.yv(n - 1, x) - sc.yv(n + 1, x)) / 2


@elementwise(sc.kn, singular=True)
def kn(_y, n, x):
    """∂y/∂x = −(Kₙ₋₁ + Kₙ₊₁)/2, for whole orders n; no rule for them."""
    return no_closed_form("kn", "n"), lambda: -(sc.kv(n - 1, x) + sc.kv(n + 1, x)) / 2


def _primitive(name):
    return array_ufuncs[ufunc_behind(getattr(sc, name))]  # type: ignore[index]


def _at_zero(x):
    return np.equal(x, 0)


for _name, _slope in (("y0", np.inf), ("y1", np.nan), ("k0", -np.inf), ("k1", -np.inf)):
    _primitive(_name).singular_at("x = 0", _at_zero, 0.0, _slope, np.nan, "pole")
for _name, _slope in (("yv", np.nan), ("kv", -np.inf)):
    _primitive(_name).singular_at(
        "x = 0", lambda _v, x: np.equal(x, 0), (0.5, 0.0), (None, _slope), (None, np.nan), "pole"
    )
for _name in ("jv", "iv"):
    _primitive(_name).singular_at(
        "x = 0 with 0 < v < 1",
        lambda v, x: np.equal(x, 0) & np.greater(v, 0) & np.less(v, 1),
        (0.5, 0.0), (None, np.inf), (None, np.nan), "pole",
    )  # fmt: skip
