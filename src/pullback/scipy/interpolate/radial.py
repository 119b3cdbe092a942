"""Radial basis functions: sums of functions of the distance from each data point.

The functions are written in the square of the distance wherever they are smooth in it, so that
their derivatives of every order are right where a point is evaluated at which data are.
"""

from __future__ import annotations

import warnings
from itertools import combinations_with_replacement
from math import comb
from typing import Any

import numpy as np
import scipy.interpolate as si
import scipy.special as sc
from scipy.spatial import KDTree

from pullback.core.shapes import dtype_of, shape_of
from pullback.numpy.operands import operand, plain_values
from pullback.scipy.constants import serves_followed
from pullback.scipy.interpolate.objects import (
    floating,
    holds,
    real,
    refuse_methods,
    required,
)

__all__: list[str] = []

holds("y", "d", "smoothing", "epsilon", "_coeffs")(si.RBFInterpolator)


def _odd_power(square: Any, exponent: float) -> Any:
    """r³ and r⁵, from r²: where that is 0, so are the derivatives of the first two orders."""
    level = np.equal(square, 0)
    return np.where(level, 0.0, np.where(level, 1.0, square) ** exponent)


_KERNELS = {
    "thin_plate_spline": lambda s: sc.xlogy(s, s) / 2,
    "cubic": lambda s: _odd_power(s, 1.5),
    "quintic": lambda s: -_odd_power(s, 2.5),
    "multiquadric": lambda s: -np.sqrt(s + 1),
    "inverse_multiquadric": lambda s: 1.0 / np.sqrt(s + 1.0),
    "inverse_quadratic": lambda s: 1.0 / (s + 1.0),
    "gaussian": lambda s: np.exp(-s),
}
"""The functions of the squared distance; "linear" is one of the distance."""

_SCALE_INVARIANT = ("linear", "thin_plate_spline", "cubic", "quintic")
_LEAST_DEGREES = {
    "multiquadric": 0, "linear": 0, "thin_plate_spline": 1, "cubic": 1, "quintic": 2
}  # fmt: skip


def _kernel(name: str, apart: Any) -> Any:
    if name == "linear":
        return -np.linalg.norm(apart, axis=-1)
    return _KERNELS[name](np.sum(apart * apart, axis=-1))


def _among(name: str, y: Any) -> Any:
    """The function of the distances among points, which from each to itself is always 0."""
    n = shape_of(y)[0]
    on = np.eye(n, dtype=bool)
    apart = y[:, None, :] - y[None, :, :]
    apart = np.where(on[:, :, None], 1.0, apart)
    at_zero = _kernel(name, np.zeros((1, shape_of(y)[1])))[0]
    return np.where(on, at_zero, _kernel(name, apart))


def _monomials(x: Any, powers: Any) -> Any:
    """The products of powers of coordinates, a column for each row of `powers`."""
    columns = []
    for row in powers:
        column = np.ones_like(x[:, 0])
        for axis, power in enumerate(row):
            for _ in range(int(power)):
                column = column * x[:, axis]
        columns.append(column)
    return np.stack(columns, axis=-1) if columns else np.zeros((shape_of(x)[0], 0))


def _fitted(
    y: Any, d: Any, smoothing: Any, kernel: str, epsilon: Any, powers: Any
) -> tuple[Any, Any, Any]:
    """Where the monomials have their origin, their scale, and the coefficients of all functions."""
    low, high = np.min(y, axis=0), np.max(y, axis=0)
    shift, scale = (high + low) / 2, (high - low) / 2
    scale = np.where(scale == 0.0, 1.0, scale)
    kernels = _among(kernel, y * epsilon) + np.diag(smoothing)
    monomials = _monomials((y - shift) / scale, powers)
    r = len(powers)
    left = np.concatenate(
        [
            np.concatenate([kernels, monomials], axis=1),
            np.concatenate([np.transpose(monomials), np.zeros((r, r))], axis=1),
        ]
    )
    right = np.concatenate([d, np.zeros((r, shape_of(d)[1]), dtype_of(d))])
    return shift, scale, np.linalg.solve(left, right)


@serves_followed(si.RBFInterpolator.__init__)
def set_up(
    self: Any,
    y: Any,
    d: Any,
    neighbors: Any = None,
    smoothing: Any = 0.0,
    kernel: str = "thin_plate_spline",
    epsilon: Any = None,
    degree: Any = None,
) -> None:
    """What `__init__` does; which points are neighbours does not depend on them differentiably."""
    y, d = real(y, "RBFInterpolator", "y"), floating(d)
    required(len(shape_of(y)) == 2, "`y` must be a 2-dimensional array.")
    n, ndim = shape_of(y)
    required(shape_of(d)[0] == n, f"Expected the first axis of `d` to have length {n}.")
    smoothing = real(smoothing, "RBFInterpolator", "smoothing")
    if not shape_of(smoothing):
        smoothing = np.broadcast_to(smoothing, (n,))
    required(
        shape_of(smoothing) == (n,),
        f"Expected `smoothing` to be a scalar or have shape ({n},).",
    )
    kernel = kernel.lower()
    required(
        kernel == "linear" or kernel in _KERNELS,
        f"`kernel` must be one of { {'linear', *_KERNELS} }.",
    )
    if epsilon is None:
        required(
            kernel in _SCALE_INVARIANT,
            f"`epsilon` must be specified if `kernel` is not one of {set(_SCALE_INVARIANT)}.",
        )
        epsilon = 1.0
    degree = _degree(kernel, degree)
    count = n if neighbors is None else int(min(neighbors, n))
    powers = _powers(ndim, degree)
    required(
        len(powers) <= count,
        f"At least {len(powers)} data points are required when `degree` is {degree} and the number "
        f"of dimensions is {ndim}.",
    )
    self.d_shape, self.d_dtype = shape_of(d)[1:], dtype_of(d).type
    self.y, self.d = y, np.reshape(d, (n, -1))
    self.neighbors = None if neighbors is None else count
    self.smoothing, self.kernel, self.epsilon = smoothing, kernel, operand(epsilon)
    self.powers, self._xp = powers, np
    if neighbors is None:
        self._shift, self._scale, self._coeffs = _fitted(
            y, self.d, smoothing, kernel, self.epsilon, powers
        )
    else:
        self._tree = KDTree(plain_values("scipy.interpolate.RBFInterpolator", "y", y))


def _degree(kernel: str, degree: Any) -> int:
    least = _LEAST_DEGREES.get(kernel, -1)
    if degree is None:
        return max(least, 0)
    degree = int(degree)
    required(degree >= -1, "`degree` must be at least -1.")
    if -1 < degree < least:
        warnings.warn(
            f"`degree` should not be below {least} except -1 when `kernel` is '{kernel}'."
            "The interpolant may not be uniquely solvable, and the smoothing parameter may have an "
            "unintuitive effect.",
            UserWarning,
            stacklevel=4,
        )
    return int(degree)


def _powers(ndim: int, degree: int) -> Any:
    out = np.zeros((comb(degree + ndim, ndim) if degree >= 0 else 0, ndim), np.int64)
    row = 0
    for total in range(degree + 1):
        for monomial in combinations_with_replacement(range(ndim), total):
            for variable in monomial:
                out[row, variable] += 1
            row += 1
    return out


@serves_followed(si.RBFInterpolator.__call__)
def call(self: Any, x: Any) -> Any:
    """The values at points, each a row."""
    x = real(x, "RBFInterpolator", "x")
    required(len(shape_of(x)) == 2, "`x` must be a 2-dimensional array.")
    ndim = shape_of(self.y)[1]
    required(shape_of(x)[1] == ndim, f"Expected the second axis of `x` to have length {ndim}.")
    if self.neighbors is None:
        out = _evaluated(self, x, self.y, self._shift, self._scale, _complex(self, self._coeffs))
    else:
        out = _by_neighbours(self, x)
    return np.reshape(out, (shape_of(x)[0], *self.d_shape))


def _complex(self: Any, c: Any) -> Any:
    """Coefficients, of which SciPy keeps the real and imaginary parts in turns."""
    if np.dtype(self.d_dtype).kind != "c" or dtype_of(c).kind == "c":
        return c
    return c[:, ::2] + 1j * c[:, 1::2]


def _evaluated(self: Any, x: Any, y: Any, shift: Any, scale: Any, c: Any) -> Any:
    apart = (x[:, None, :] - y[None, :, :]) * self.epsilon
    functions = [_kernel(self.kernel, apart), _monomials((x - shift) / scale, self.powers)]
    return np.concatenate(functions, axis=-1) @ c


def _by_neighbours(self: Any, x: Any) -> Any:
    """An interpolator for each set of neighbours, evaluated at those points that have it."""
    plain = plain_values("scipy.interpolate.RBFInterpolator", "x", x)
    _, near = self._tree.query(plain, self.neighbors)
    near = np.sort(np.reshape(near, (len(plain), self.neighbors)), axis=1)
    sets, which = np.unique(near, return_inverse=True, axis=0)
    which = np.reshape(which, (-1,))
    d = _complex(self, self.d)
    parts, order = [], []
    for i, places in enumerate(sets):
        rows = np.flatnonzero(which == i)
        y = self.y[places]
        fitted = _fitted(
            y, d[places], self.smoothing[places], self.kernel, self.epsilon, self.powers
        )
        parts.append(_evaluated(self, x[rows], y, *fitted))
        order.append(rows)
    return np.concatenate(parts)[np.argsort(np.concatenate(order))]


refuse_methods(
    si.Rbf,
    "__init__ __call__",
    "It is superseded by scipy.interpolate.RBFInterpolator, which is served",
)
