"""Airy functions of real arguments that are scaled exponentially, with all their derivatives.

With ζ = ⅔·x^{3/2}, s = √x, y = Ai·e^ζ and p = Ai′·e^ζ it is y′ = p + s·y and p′ = x·y + s·p, sums
that cancel for large x; for Bi·e^{−ζ}, −s stands for s. For x > 9 the expansions DLMF 9.7.5–8 are
differentiated; below, the errors of SciPy's values come in some 4x^{3/2}-fold with each order:
second derivatives are right to 1e-11.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special as sc

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import NoRuleError
from pullback.rules.registration import array_ufuncs, elementwise
from pullback.rules.special.expansions import descending_powers, in_double

__all__: list[str] = []

FAR = 9.0
TERMS = 50


def _coefficients():
    """Those of u and v by powers of x^(−3/2)."""
    u, v = [1.0], [1.0]
    for k in range(1, TERMS):
        u.append(u[-1] * (6 * k - 5) * (6 * k - 1) / (72 * k) * 1.5)
        v.append(-u[-1] * (6 * k + 1) / (6 * k - 1))
    return u, v


U, V = _coefficients()


def _climbed(y, p, s, x, order, primed):
    """The derivative of this order of y, or of p if primed, by Leibniz's rule."""
    ys, ps = [y], [p]
    roots = [s]
    for k in range(1, order):
        root = math.prod(0.5 - i for i in range(k)) * s * x ** (-float(k))
        roots.append(np.where(s == 0, 0.0, root))
    for n in range(order):
        both = [math.comb(n, k) * roots[k] for k in range(n + 1)]
        ys_next = ps[n] + sum(b * ys[n - k] for k, b in enumerate(both))
        ps_next = x * ys[n] + (n * ys[n - 1] if n else 0)
        ps_next = ps_next + sum(b * ps[n - k] for k, b in enumerate(both))
        ys.append(ys_next)
        ps.append(ps_next)
    return (ps if primed else ys)[order]


def _derivative(position):
    second, primed = position >= 2, position % 2 == 1

    @in_double
    def derivative(x, *, order):
        values = sc.airye(x)
        first = position - primed
        root = np.sqrt(np.maximum(x, 0)) if second else np.sqrt(x)
        s = -root if second else root
        near = _climbed(values[first], values[first + 1], s, x, order, primed)
        far = np.where(x > FAR, x, FAR)
        sign = 1 if second else -1
        row = V if primed else U
        start = 0.25 if primed else -0.25
        terms = [c * sign**k for k, c in enumerate(row)]
        series = descending_powers(far, terms, start, 1.5, order)[0]
        scale = (1 if second else (-0.5 if primed else 0.5)) / math.sqrt(math.pi)
        return np.where(x > FAR, scale * series, near)

    def value(x, *, order=0):
        return derivative(x, order=order) if order else sc.airye(x)[position]

    return value


def _enter(position, name):
    value = _derivative(position)

    def rule(_y, x, *, order=0):
        """y = a scaled Airy function of real x, or a derivative of it: ∂y⁽ⁿ⁾/∂x = y⁽ⁿ⁺¹⁾.

        At x = 0 the second derivatives are infinite.
        """
        if dtype_of(x).kind == "c":
            raise NoRuleError(
                f"scipy.special.airye: got an argument of dtype {dtype_of(x)} and shape "
                f"{shape_of(x)}, wanted a real one: its factor exp(−|Re ζ|) has no complex "
                "derivative; use airy, or detach the argument with pullback.stop_gradient"
            )
        return primitive(x, order=order + 1)

    primitive = elementwise(value, name=name, singular=True)(rule)
    return primitive


_PARTS = [_enter(i, f"airye_{name}") for i, name in enumerate(("ai", "aip", "bi", "bip"))]
array_ufuncs[sc.airye] = lambda x: tuple(part(x) for part in _PARTS)
