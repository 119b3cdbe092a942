"""Splines through points, and those that are nearest to them: linear systems for coefficients."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import scipy.interpolate as si
import scipy.linalg

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import NoRuleError
from pullback.numpy.operands import operand
from pullback.rules.shaping import concatenate
from pullback.scipy.constants import serves_followed
from pullback.scipy.interpolate.bases import band_matrix, dense_matrix
from pullback.scipy.interpolate.objects import floating, real, required
from pullback.scipy.interpolate.splines import made

__all__ = ["banded_fit", "inner_knots", "nearest", "periodic_fit", "periodic_knots", "repeated"]


# -- knots -----------------------------------------------------------------------------------------


def repeated(x: Any, count: int) -> Any:
    """A vector that has one number so many times."""
    return np.broadcast_to(np.reshape(x, (1,)), (count,))


def inner_knots(x: Any, k: int) -> Any:
    """The knots between the ends, of a spline through points with no other condition."""
    if k % 2:
        half = (k + 1) // 2
        return x[half:-half]
    half = k // 2
    return ((x[1:] + x[:-1]) / 2)[half : shape_of(x)[0] - 1 - half]


def _open_knots(x: Any, k: int) -> Any:
    ends = repeated(x[0], k + 1), repeated(x[-1], k + 1)
    return concatenate(ends[0], inner_knots(x, k), ends[1], axis=0)


def periodic_knots(x: Any, k: int) -> Any:
    """Knots at the points, or between them for an even degree, and beyond both ends by periods."""
    n = shape_of(x)[0]
    if k % 2 == 0:
        steps = np.diff(x)
        x = concatenate(x[:1], x[1:-1] - steps[:-1] / 2, x[-1:], axis=0)
    steps = np.diff(x)
    before: list[Any] = []
    after: list[Any] = []
    for i in range(k):
        before.append((before[-1] if before else x[0]) - steps[-(i % (n - 1)) - 1])
        after.append((after[-1] if after else x[-1]) + steps[i % (n - 1)])
    return np.concatenate([np.stack(before[::-1]), x, np.stack(after)]) if k else x


# -- interpolation ---------------------------------------------------------------------------------


@serves_followed(si.make_interp_spline)
def make_interp_spline(
    x: Any,
    y: Any,
    k: Any = 3,
    t: Any = None,
    bc_type: Any = None,
    axis: int = 0,
    check_finite: bool = True,
) -> Any:
    """The spline through points, with conditions at its ends if there are more knots."""
    k = operator.index(k)
    x, y, axis = _points("make_interp_spline", x, y, axis, check_finite)
    required(np.diff(x) > 0, "Expect x to be a 1D strictly increasing sequence.")
    required(k >= 0, "Expect non-negative k.")
    is_periodic = isinstance(bc_type, str) and bc_type == "periodic"
    if is_periodic:
        required(
            np.abs(y[0] - y[-1]) <= 1e-15 + 1e-5 * np.abs(y[-1]),
            "First and last points does not match while periodic case expected",
        )
    ends = _ends(bc_type)
    if k < 2 and t is None:
        required(ends == [None, None], f"Too much info for k={k}: bc_type can only be None.")
        t = concatenate(*([x[:1]] * k), x, x[-1:], axis=0)
        return made(t, y, k, axis=axis)
    required(k > 0, "Too much info for k=0: t and bc_type can only be None.")
    if is_periodic:
        if t is not None:
            raise NotImplementedError(
                "For periodic case t is constructed automatically and can not be passed manually"
            )
        t = periodic_knots(x, k)
        return made(t, periodic_fit(t, k, x, y), k, "periodic", axis)
    if t is None:
        with_ends = any(each is not None for each in ends)
        t = (
            concatenate(repeated(x[0], k), x, repeated(x[-1], k), axis=0)
            if with_ends
            else _open_knots(x, k)
        )
    t = real(t, "make_interp_spline", "t")
    required(len(shape_of(t)) == 1, "Expect t to be a 1-D sorted array_like.")
    required(np.diff(t) >= 0, "Expect t to be a 1-D sorted array_like.")
    n = shape_of(x)[0]
    required(shape_of(t)[0] >= n + k + 1, f"Got {shape_of(t)[0]} knots, need at least {n + k + 1}.")
    required((x[0] >= t[k]) & (x[-1] <= t[-k]), "Out of bounds w/ x.")
    left, right = (_derivatives(each, shape_of(y)[1:], k) for each in ends)
    missing = shape_of(t)[0] - k - 1 - n
    required(
        missing == len(left) + len(right),
        "The number of derivatives at boundaries does not match: expected "
        f"{missing}, got {len(left)}+{len(right)}",
    )
    if 0 in shape_of(y):
        return made(t, np.zeros((n + missing, *shape_of(y)[1:])), k, axis=axis)
    rows = [
        *((x[:1], order) for order, _ in left),
        (x, 0),
        *((x[-1:], order) for order, _ in right),
    ]
    values = [value for _, value in left] + [y] + [value for _, value in right]
    return made(t, banded_fit(t, k, rows, np.concatenate(values)), k, axis=axis)


def _points(name: str, x: Any, y: Any, axis: int, check_finite: bool) -> tuple[Any, Any, int]:
    """Points, and values with the axis of interpolation first."""
    x, y = real(x, name, "x"), floating(y)
    rank = len(shape_of(y))
    if not -rank <= axis < rank:
        raise np.exceptions.AxisError(axis, rank)
    axis = axis % rank
    y = np.moveaxis(y, axis, 0)
    for each in (x, y) if check_finite else ():
        required(np.isfinite(each), "Array must not contain infs or nans.")
    required(len(shape_of(x)) == 1, "Expect x to be a 1-D sequence.")
    required(
        shape_of(x)[0] == shape_of(y)[0],
        f"Shapes of x {shape_of(x)} and y {shape_of(y)} are incompatible",
    )
    return x, y, axis


def _ends(bc_type: Any) -> list[Any]:
    """What is asked of both ends, `None` being nothing."""
    if bc_type is None or (isinstance(bc_type, str) and bc_type in ("not-a-knot", "periodic")):
        return [None, None]
    if isinstance(bc_type, str):
        return [bc_type, bc_type]
    try:
        first, last = bc_type
    except TypeError as error:
        raise ValueError(f"Unknown boundary condition: {bc_type}") from error
    return [first, last]


def _derivatives(end: Any, shape: tuple[int, ...], k: int) -> list[tuple[int, Any]]:
    """The orders of derivatives at an end, and their values, each as an array of one row."""
    if end is None:
        return []
    if isinstance(end, str):
        required(end in ("clamped", "natural"), f"Unknown boundary condition : {end}")
        end = [(1 if end == "clamped" else 2, np.zeros(shape))]
    try:
        pairs = [(int(order), value) for order, value in end]
    except TypeError as error:
        raise ValueError(
            "Derivatives, `bc_type`, should be specified as a pair of iterables of pairs of "
            "(order, value)."
        ) from error
    required([0 <= order <= k for order, _ in pairs], "Bad boundary conditions.")
    return [(order, np.reshape(floating(value), (1, *shape))) for order, value in pairs]


def banded_fit(t: Any, k: int, rows: Any, values: Any) -> Any:
    """The coefficients of a spline from its values, and its derivatives', at points in order."""
    band = band_matrix(t, k, rows)
    columns = np.reshape(values, (shape_of(values)[0], math.prod(shape_of(values)[1:])))
    found = scipy.linalg.solve_banded((k, k), band, columns, check_finite=False)
    return np.reshape(found, shape_of(values))


def periodic_fit(t: Any, k: int, x: Any, y: Any) -> Any:
    """The coefficients of the spline through points whose first k − 1 derivatives are periodic."""
    matrix, right = dense_matrix(t, k, [(x, 0)]), y
    if k > 1:
        first, last = (
            dense_matrix(t, k, [(end, nu) for nu in range(1, k)]) for end in (x[:1], x[-1:])
        )
        matrix = np.concatenate([first - last, matrix])
        zeros = np.zeros((k - 1, *shape_of(y)[1:]), dtype_of(y))
        right = concatenate(zeros, y, axis=0)
    columns = np.reshape(right, (shape_of(right)[0], math.prod(shape_of(right)[1:])))
    return np.reshape(np.linalg.solve(matrix, columns), shape_of(right))


# -- least squares ---------------------------------------------------------------------------------


@serves_followed(si.make_lsq_spline)
def make_lsq_spline(
    x: Any,
    y: Any,
    t: Any,
    k: Any = 3,
    w: Any = None,
    axis: int = 0,
    check_finite: bool = True,
    *,
    method: str = "qr",
) -> Any:
    """The spline with these knots that is nearest to points, by weights."""
    if method not in ("qr", "norm-eq"):
        raise ValueError(f"Unknown method ={method!r}.")
    k = operator.index(k)
    x, y, axis = _points("make_lsq_spline", x, y, axis, check_finite)
    t = real(t, "make_lsq_spline", "t")
    required(shape_of(x)[0] >= k + 1, "Need more x points.")
    required(k >= 0, "Expect non-negative k.")
    required(len(shape_of(t)) == 1, "Expect t to be a 1D strictly increasing sequence.")
    required(np.diff(t) >= 0, "Expect t to be a 1D strictly increasing sequence.")
    required(np.diff(x) >= 0, "Expect x to be a 1D non-decreasing sequence.")
    if k:
        required((x >= t[k]) & (x <= t[-k]), "Out of bounds w/ x.")
    if w is not None:
        w = real(w, "make_lsq_spline", "w")
        required(
            shape_of(w) == shape_of(x),
            f"Shapes of x {shape_of(x)} and w {shape_of(w)} are incompatible",
        )
    return made(t, nearest(t, k, x, y, w), k, axis=axis)


def nearest(t: Any, k: int, x: Any, y: Any, w: Any) -> Any:
    """The coefficients that minimise Σᵢ wᵢ²‖yᵢ − s(xᵢ)‖², from the factors A = QR."""
    matrix = dense_matrix(t, k, [(x, 0)])
    columns = np.reshape(y, (shape_of(y)[0], math.prod(shape_of(y)[1:])))
    if w is not None:
        matrix, columns = matrix * w[:, None], columns * w[:, None]
    q, r = np.linalg.qr(matrix)
    found = scipy.linalg.solve_triangular(r, np.transpose(q) @ columns, check_finite=False)
    return np.reshape(found, (shape_of(found)[0], *shape_of(y)[1:]))


# -- smoothing -------------------------------------------------------------------------------------


@serves_followed(si.make_smoothing_spline)
def make_smoothing_spline(x: Any, y: Any, w: Any = None, lam: Any = None, *, axis: int = 0) -> Any:
    """The natural cubic spline that minimises Σᵢ wᵢ(yᵢ − f(xᵢ))² + λ∫f″², for a λ that is given.

    With Q the second divided differences and R their products' integrals, its second derivatives γ
    at the points solve (R + λQᵀW⁻¹Q)γ = Qᵀy, and its values there are y − λW⁻¹Qγ (C. H. Reinsch,
    Numer. Math. 10, 177 (1967)).
    """
    if lam is None:
        raise NoRuleError(
            "scipy.interpolate.make_smoothing_spline: lam is None, and then it is chosen by "
            "cross-validation, which has no derivative rule in pullback; hand over lam, as a number"
        )
    x, y, axis = _points("make_smoothing_spline", x, y, axis, check_finite=True)
    required(np.diff(x) > 0, "``x`` should be an ascending array")
    n = shape_of(x)[0]
    required(n > 4, "``x`` and ``y`` length must be at least 5")
    lam = operand(lam)
    required(np.greater_equal(lam, 0), "Regularization parameter should be non-negative")
    weights = np.ones(n) if w is None else real(w, "make_smoothing_spline", "w")
    required(weights > 0, "Invalid vector of weights")
    h = np.diff(x)
    rows, inner = np.arange(n - 2), np.zeros((n - 2, n))
    inner = inner + 0 * h[0]
    inner[rows, rows] = 1 / h[:-1]
    inner[rows, rows + 1] = -1 / h[:-1] - 1 / h[1:]
    inner[rows, rows + 2] = 1 / h[1:]
    products = np.diag((h[:-1] + h[1:]) / 3) + np.diag(h[1:-1] / 6, 1) + np.diag(h[1:-1] / 6, -1)
    columns = np.reshape(y, (n, math.prod(shape_of(y)[1:])))
    over = np.transpose(inner) / weights[:, None]
    if shape_of(lam):
        solved = [
            _smoothed(inner, products, over, lam[i], columns[:, i : i + 1])
            for i in range(shape_of(lam)[0])
        ]
        values = np.concatenate(solved, axis=1)
    else:
        values = _smoothed(inner, products, over, lam, columns)
    values = np.moveaxis(np.reshape(values, shape_of(y)), 0, axis)
    return make_interp_spline(x, values, bc_type="natural", axis=axis)


def _smoothed(inner: Any, products: Any, over: Any, lam: Any, y: Any) -> Any:
    second = np.linalg.solve(products + lam * (inner @ over), inner @ y)
    return y - lam * (over @ second)
