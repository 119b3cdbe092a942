"""Polynomials through points: in barycentric form, and in Newton's with derivatives given too."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import scipy.interpolate as si

from pullback.core.shapes import shape_of
from pullback.core.tracing import known, strip
from pullback.numpy.operands import operand
from pullback.rules.custom import stop_gradient
from pullback.scipy.constants import serves_followed
from pullback.scipy.interpolate.objects import (
    floating,
    holds,
    real,
    refuse_methods,
    required,
)
from pullback.scipy.interpolate.rows import finished, points, prepare

__all__: list[str] = []

holds("xi", "yi", "c")(si.KroghInterpolator)
holds("xi", "yi", "wi")(si.BarycentricInterpolator)


# -- Newton's form ---------------------------------------------------------------------------------


@serves_followed(si.KroghInterpolator.__init__)
def krogh(self: Any, xi: Any, yi: Any, axis: int = 0) -> None:
    """Divided differences; a point that is named several times in a row has derivatives given."""
    xi = operand(xi)
    rows = floating(prepare(self, shape_of(xi)[0], yi, axis))
    self.xi, self.yi = xi, rows
    self.n, self.r = shape_of(rows)
    if self.n > 30:
        warnings.warn(
            f"{self.n} degrees provided, degrees higher than about thirty cause problems with "
            "numerical instability with 'KroghInterpolator'",
            stacklevel=3,
        )
    plain = strip(xi) if known(xi) else None
    c, v = [rows[0]], [rows[0]] * (self.n + 1)
    for k in range(1, self.n):
        s = 0
        while plain is not None and s < k and np.all(plain[..., k - s - 1] == plain[..., k]):
            s += 1
        v[0] = rows[k] / float(math.factorial(s))
        for i in range(k - s):
            gap = xi[i] - xi[k]
            required(gap != 0, "Elements of `xi` can't be equal.")
            v[i + 1] = ((v[i + 1] if s else c[i]) - v[i]) / gap
        c.append(v[k - s])
    self.c = np.stack([*c, np.zeros_like(rows[0])])


@serves_followed(si.KroghInterpolator._evaluate)
def values(self: Any, x: Any) -> Any:
    """The values at a vector of points."""
    power: Any = 1.0
    out = np.broadcast_to(self.c[0], (shape_of(x)[0], self.r))
    for k in range(1, self.n):
        power = (x - self.xi[k - 1]) * power
        out = out + power[:, None] * self.c[k]
    return out


@serves_followed(si.KroghInterpolator.derivatives)
def derivatives(self: Any, x: Any, der: Any = None) -> Any:
    """The value and derivatives, `der` in all, along the first axis."""
    x, lead = points(x)
    parts = _derivatives(self, x, self.n if der is None else der)
    return np.stack([finished(self, each, lead) for each in parts])


@serves_followed(si.KroghInterpolator.derivative)
def derivative(self: Any, x: Any, der: int = 1) -> Any:
    x, lead = points(x)
    return finished(self, _derivatives(self, x, der + 1)[der], lead)


def _derivatives(self: Any, x: Any, count: int) -> list[Any]:
    if isinstance(self, si.BarycentricInterpolator):
        matrix, values, out = _differences(self.xi, self.wi), self.yi, []
        for _ in range(count):
            out.append(_barycentric(self.xi, self.wi, values, x))
            values = matrix @ values
        return out
    nothing = np.zeros_like(x[:, None] * self.c[0])
    found = [nothing + self.c[self.n - 1]] + [nothing] * (count - 1)
    for k in range(self.n - 2, -1, -1):
        step = (x - self.xi[k])[:, None]
        for order in range(count - 1, 0, -1):
            found[order] = found[order] * step + order * found[order - 1]
        found[0] = found[0] * step + self.c[k]
    return found


# -- the barycentric form --------------------------------------------------------------------------


def _weights(xi: Any, scale: Any) -> Any:
    """1/∏ⱼ s(xᵢ − xⱼ), over j ≠ i: the factor s⁻¹ keeps them from overflowing, and cancels."""
    n = shape_of(xi)[0]
    gaps = np.where(np.eye(n, dtype=bool), 1.0, scale * (xi[:, None] - xi))
    products = np.prod(gaps, axis=-1)
    required(products != 0, "Interpolation points xi must be distinct.")
    return 1.0 / products


@serves_followed(si.BarycentricInterpolator.__init__)
def barycentric(
    self: Any, xi: Any, yi: Any = None, axis: int = 0, *, wi: Any = None, rng: Any = None, **_: Any
) -> None:
    """Points, and weights that are made of them; the order in which SciPy multiplies is random."""
    self._y_axis, self._y_extra_shape, self.dtype = axis, None, None
    self.xi = real(xi, "BarycentricInterpolator", "xi")
    self._diff_cij = self._diff_baryint = None
    set_values(self, yi, axis)
    self.n = shape_of(self.xi)[0]
    self._inv_capacity = 4.0 / stop_gradient(np.max(self.xi) - np.min(self.xi))
    self.wi = _weights(self.xi, self._inv_capacity) if wi is None else operand(wi)


@serves_followed(si.BarycentricInterpolator.set_yi)
def set_values(self: Any, yi: Any, axis: Any = None) -> None:
    if yi is None:
        self.yi = None
        return
    axis = self._y_axis if axis is None else axis
    self.yi = prepare(self, shape_of(self.xi)[0], yi, axis)
    self.n, self.r = shape_of(self.yi)
    self._diff_baryint = None


@serves_followed(si.BarycentricInterpolator._evaluate)
def values_of_barycentric(self: Any, x: Any) -> Any:
    return _barycentric(self.xi, self.wi, self.yi, x)


@serves_followed(si.BarycentricInterpolator.derivative)
def derivative_of_barycentric(self: Any, x: Any, der: int = 1) -> Any:
    return derivative(self, x, der)


def _barycentric(xi: Any, wi: Any, yi: Any, x: Any) -> Any:
    """Σᵢ wᵢyᵢpᵢ(x)/Σᵢ wᵢpᵢ(x) with pᵢ(x) = ∏ⱼ s(x − xⱼ) over j ≠ i.

    Without quotients of x − xᵢ, so that it is smooth at the points themselves.
    """
    n = shape_of(xi)[0]
    scale = 4.0 / stop_gradient(np.max(xi) - np.min(xi)) if n > 1 else 1.0
    factors = scale * (x[:, None] - xi)
    before: list[Any] = [np.ones_like(x)]
    after: list[Any] = [np.ones_like(x)]
    for i in range(n - 1):
        before.append(before[-1] * factors[:, i])
        after.append(after[-1] * factors[:, n - 1 - i])
    products = np.stack(before, axis=-1) * np.stack(after[::-1], axis=-1) * wi
    return (products @ yi) / np.sum(products, axis=-1)[:, None]


def _differences(xi: Any, wi: Any) -> Any:
    """The matrix that takes values at the points to those of the derivative there."""
    n = shape_of(xi)[0]
    on = np.eye(n, dtype=bool)
    gaps = np.where(on, 1.0, xi[:, None] - xi)
    c = np.where(on, 0.0, wi / (gaps * wi[:, None]))
    return c - np.diag(np.sum(c, axis=1))


refuse_methods(
    si.BarycentricInterpolator,
    "add_xi",
    "Make the interpolator of all points, with np.concatenate",
)
