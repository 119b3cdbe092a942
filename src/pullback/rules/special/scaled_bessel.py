"""Bessel functions that are scaled exponentially, of the first kind, and others.

For e⁻ˣ·Iᵥ Hankel's expansions are differentiated where they are good to the last digit, and nearer
to 0 derivatives are differences in the order, as :mod:`pullback.rules.special.scaled_k` has them.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import NoRuleError
from pullback.rules.registration import elementwise
from pullback.rules.special.bessel_orders import ive_in_order, jv_in_order, yv_in_order
from pullback.rules.special.expansions import in_double
from pullback.rules.special.missing import no_closed_form
from pullback.rules.special.scaled_k import NEAR, differences, hankel

__all__ = ["scaled_i"]


# -- the first kind -------------------------------------------------------------------------------


@in_double
def _scaled_i(v, x, *, order):
    u = np.abs(x)
    value = differences(sc.ive, v, u, order, 1)
    series, good = hankel(v, np.where(u > NEAR, u, NEAR), order, -1)
    value = np.where(good & (u > NEAR), series / math.sqrt(2 * math.pi), value)
    odd = np.mod(v + order, 2) == 1
    value = np.where((x < 0) & odd, -value, value)
    value = np.where((x == 0) & odd, 0.0, value)
    return np.where((x < 0) & (v != np.rint(v)), np.nan, value)


@elementwise(_scaled_i)
def scaled_i(_y, v, x, *, order):
    """y = the derivative of e^(−|x|)·Iᵥ(x) of this order in x.

    At 0, for integers v, it is the mean of both sides. For x > 25 where v² is larger than x and
    there is no expansion, it is right to (2x)ⁿ·2e-16. In v for x > 0, and NaN elsewhere.
    """
    return lambda: ive_in_order(v, x, order=order), lambda: scaled_i(v, x, order=order + 1)


def _require_real(x, name):
    if dtype_of(x).kind == "c":
        raise NoRuleError(
            f"scipy.special.{name}: got an argument of dtype {dtype_of(x)} and shape "
            f"{shape_of(x)}, wanted a real one: its factor, of |Re z| or |Im z|, has no complex "
            "derivative; use the function that is not scaled, or detach the argument with "
            "pullback.stop_gradient"
        )


@elementwise(sc.ive, singular=True)
def ive(_y, v, x):
    """y = e^(−|x|)·Iᵥ(x) for real x: ∂y/∂x, at x = 0 the mean of both sides; ∂y/∂v for x > 0."""

    def in_order():
        _require_real(x, "ive")
        return ive_in_order(v, x)

    def slope():
        _require_real(x, "ive")
        return scaled_i(v, x, order=1)

    return in_order, slope


@elementwise(sc.i0e)
def i0e(_y, x):
    """y = e^(−|x|)·I₀(x): ∂y/∂x without cancellation for large x, and 0 at the kink x = 0."""
    return scaled_i(0.0, x, order=1)


@elementwise(sc.i1e)
def i1e(_y, x):
    """y = e^(−|x|)·I₁(x): ∂y/∂x without cancellation for large x."""
    return scaled_i(1.0, x, order=1)


i0e.singular_at("x = 0", lambda x: np.equal(x, 0), 0.0, 0, 1.5)
i1e.singular_at("x = 0: the slope has a kink", lambda x: np.equal(x, np.nan), 0.0, 0.5, 0)


# -- the other kinds ------------------------------------------------------------------------------


def _enter_scaled(ufunc, order_of):
    def rule(_y, v, x):
        """For real x it is the function that is not scaled: ∂y/∂x = (yᵥ₋₁ − yᵥ₊₁)/2, and ∂y/∂v
        for x > 0.
        """

        def in_order():
            _require_real(x, ufunc.__name__)
            return order_of(v, x)

        def slope():
            _require_real(x, ufunc.__name__)
            return (ufunc(v - 1, x) - ufunc(v + 1, x)) / 2

        return in_order, slope

    elementwise(ufunc, singular=True)(rule)


_enter_scaled(sc.jve, jv_in_order)
_enter_scaled(sc.yve, yv_in_order)


def _enter_hankel(ufunc, side, turn):
    def rule(y, v, z):
        """∂y/∂z = (yᵥ₋₁ − yᵥ₊₁)/2, less ±i·y where it is scaled (DLMF 10.6.1); ∂y/∂v for z > 0.

        That difference is right to some |z|·4e-16.
        """

        def in_order():
            if dtype_of(z).kind == "c":
                no_closed_form(ufunc.__name__, "v")()
            found = jv_in_order(v, z) + side * yv_in_order(v, z)
            return found * np.exp(-turn * z) if turn else found

        def slope():
            difference = (ufunc(v - 1, z) - ufunc(v + 1, z)) / 2
            return difference - turn * y if turn else difference

        return in_order, slope

    elementwise(ufunc, singular=True)(rule)


for _each, _scaled, _side in ((sc.hankel1, sc.hankel1e, 1j), (sc.hankel2, sc.hankel2e, -1j)):
    _enter_hankel(_each, _side, 0)
    _enter_hankel(_scaled, _side, _side)
