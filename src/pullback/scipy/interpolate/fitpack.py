"""The splines of FITPACK: tuples of knots, coefficients and a degree, and `UnivariateSpline`.

A spline through points has the knots that FITPACK chooses for it, and its coefficients solve the
same equations; those of least squares have the knots that are given. A smoothing spline, for which
FITPACK looks for knots, is refused.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
import scipy.interpolate as si

from pullback.core.shapes import shape_of
from pullback.errors import NoRuleError
from pullback.numpy.operands import operand
from pullback.rules.shaping import concatenate
from pullback.scipy.constants import serves_followed
from pullback.scipy.first_step import any_traced
from pullback.scipy.interpolate.fitting import (
    banded_fit,
    inner_knots,
    nearest,
    periodic_fit,
    periodic_knots,
    repeated,
)
from pullback.scipy.interpolate.objects import (
    holds,
    part,
    real,
    refuse_methods,
    required,
)
from pullback.scipy.interpolate.splines import antiderived, derived, evaluated, integral

__all__ = ["fit", "split"]


# -- tuples ----------------------------------------------------------------------------------------


def split(tck: Any) -> tuple[Any, list[Any] | Any, int]:
    """Knots, coefficients (a list of them for a curve) and degree."""
    t, c, k = tck
    if isinstance(c, list | tuple) and len(c) and np.ndim(c[0]):
        c = [operand(each) for each in c]
    else:
        c = operand(c)
        c = [c[i] for i in range(shape_of(c)[0])] if len(shape_of(c)) > 1 else c
    return operand(t), c, k


def _each(tck: Any, function: Any) -> Any:
    """A function of one spline, or of each coordinate of a curve."""
    t, c, k = split(tck)
    return [function(t, each, k) for each in c] if isinstance(c, list) else function(t, c, k)


@serves_followed(si.splev)
def splev(x: Any, tck: Any, der: Any = 0, ext: Any = 0) -> Any:
    """A spline at points; `ext` says what it is beyond its knots."""
    if isinstance(tck, si.BSpline):
        required(
            len(shape_of(part(tck, "c"))) == 1,
            "Calling splev() with BSpline objects with c.ndim > 1 is not allowed. Use "
            "BSpline.__call__(x) instead.",
        )
        required(ext == 0, f"Extrapolation mode {ext} is not supported by BSpline.")
        return tck(x, der, extrapolate=True)
    return _each(tck, lambda t, c, k: _value(real(x, "splev", "x"), t, c, k, der, ext))


def _value(x: Any, t: Any, c: Any, k: int, der: int, ext: int) -> Any:
    required(0 <= der <= k, f"0<=der={der}<=k={k} must hold")
    required(ext in (0, 1, 2, 3), f"ext = {ext} not in (0, 1, 2, 3) ")
    first, last = t[k], t[shape_of(t)[0] - k - 1]
    below, above = x < first, x > last
    if ext == 2:
        required(~(below | above), "Found x value not in the domain")
    if ext == 3 and not der:
        x = np.where(below, first, np.where(above, last, x))
    out = evaluated(t, real(c, "splev", "tck"), k, x, der, True)
    return np.where(below | above, 0.0, out) if ext == 1 else out


@serves_followed(si.splint)
def splint(a: Any, b: Any, tck: Any, full_output: Any = 0) -> Any:
    """The integral of a spline, which is 0 beyond its knots."""
    if full_output:
        raise NoRuleError(
            "scipy.interpolate.splint: full_output is set, and the integrals of the B-splines have "
            "no derivative rule in pullback; leave full_output out"
        )
    if isinstance(tck, si.BSpline):
        return tck.integrate(a, b, extrapolate=False)
    return _each(tck, lambda t, c, k: integral((t, c, k), a, b, extrapolate=False))


@serves_followed(si.splder)
def splder(tck: Any, n: int = 1) -> Any:
    """The spline that is the derivative, as a tuple."""
    if n < 0:
        return splantider(tck, -n)
    if isinstance(tck, si.BSpline):
        return tck.derivative(n)
    t, c, k = tck
    return derived(operand(t), operand(c), k, n)


@serves_followed(si.splantider)
def splantider(tck: Any, n: int = 1) -> Any:
    """The spline that is an antiderivative, as a tuple."""
    if n < 0:
        return splder(tck, -n)
    if isinstance(tck, si.BSpline):
        return tck.antiderivative(n)
    t, c, k = tck
    return antiderived(operand(t), operand(c), k, n)


@serves_followed(si.spalde)
def spalde(x: Any, tck: Any) -> Any:
    """All derivatives at a point, or a list of those at each point."""
    if isinstance(tck, si.BSpline):
        raise TypeError("spalde does not accept BSpline instances.")

    def all_at(t: Any, c: Any, k: int) -> Any:
        points = np.atleast_1d(real(x, "spalde", "x"))
        whole = np.stack([evaluated(t, c, k, points, nu, True) for nu in range(k + 1)], axis=-1)
        rows = [whole[i] for i in range(shape_of(points)[0])]
        return rows if len(rows) > 1 else rows[0]

    return _each(tck, all_at)


# -- fits ------------------------------------------------------------------------------------------


def _refuse_smoothing(name: str) -> NoReturn:
    raise NoRuleError(
        f"scipy.interpolate.{name}: a smoothing spline, whose knots FITPACK looks for, has no "
        "derivative rule in pullback. Interpolate, with s=0; or find the knots for detached data, "
        "t = splrep(stop_gradient(x), stop_gradient(y), s=s)[0], and hand them to "
        "make_lsq_spline(x, y, t); or give a factor to make_smoothing_spline(x, y, lam=lam)"
    )


def fit(
    name: str, x: Any, y: Any, w: Any, ends: tuple[Any, Any], k: int, s: Any, t: Any = None
) -> tuple[Any, Any, int]:
    """Knots, coefficients and degree of a spline through points, or nearest to them for knots."""
    x, y = real(x, name, "x"), real(y, name, "y")
    m = shape_of(x)[0]
    required(1 <= k <= 5, f"Given degree of the spline (k={k}) is not supported. (1<=k<=5)")
    required(m > k, "m > k must hold")
    required(shape_of(x) == shape_of(y), "x and y should have a same length")
    first, last = (
        real(x[i] if end is None else end, name, "xb and xe")
        for i, end in zip((0, -1), ends, strict=True)
    )
    if t is not None:
        t = _with_ends(first, real(t, name, "t"), last, k)
        return t, nearest(t, k, x, y, None if w is None else real(w, name, "w")), k
    if s is None or any_traced((s,)) or s != 0:
        _refuse_smoothing(name)
    required(np.diff(x) > 0, "x must be strictly increasing if s = 0")
    t = _with_ends(first, inner_knots(x, k), last, k)
    return t, banded_fit(t, k, [(x, 0)], y), k


def _with_ends(first: Any, t: Any, last: Any, k: int) -> Any:
    return concatenate(repeated(first, k + 1), t, repeated(last, k + 1), axis=0)


def _filled(c: Any, k: int) -> Any:
    """Coefficients with as many zeros after them as FITPACK has."""
    return concatenate(c, np.zeros(k + 1), axis=0)


@serves_followed(si.splrep)
def splrep(
    x: Any,
    y: Any,
    w: Any = None,
    xb: Any = None,
    xe: Any = None,
    k: Any = 3,
    task: Any = 0,
    s: Any = None,
    t: Any = None,
    full_output: Any = 0,
    per: Any = 0,
    quiet: Any = 1,
) -> Any:
    """The spline through points (s=0), or the nearest to them with the inner knots `t`."""
    if full_output or task == 1 or (task == -1 and t is None):
        raise NoRuleError(
            "scipy.interpolate.splrep: full_output, and a task that goes on with another call, "
            "have no derivative rule in pullback; leave them out, and hand over t for knots"
        )
    if s is None and t is None and w is None:
        s = 0.0
    if per and t is None and s == 0:
        x, y = real(x, "splrep", "x"), real(y, "splrep", "y")
        y = concatenate(y[:-1], y[:1], axis=0)
        t = periodic_knots(x, k)
        return t, _filled(periodic_fit(t, k, x, y), k), k
    if per:
        _refuse_smoothing("splrep with per=1")
    t, c, k = fit("splrep", x, y, w, (xb, xe), k, s, t)
    return t, _filled(c, k), k


# -- objects ---------------------------------------------------------------------------------------

holds("_eval_args")(si.UnivariateSpline)

_MODES = {0: 0, "extrapolate": 0, 1: 1, "zeros": 1, 2: 2, "raise": 2, 3: 3, "const": 3}


def _mode(ext: Any) -> int:
    try:
        return _MODES[ext]
    except KeyError as error:
        raise ValueError(f"Unknown extrapolation mode {ext}.") from error


def _keep(self: Any, tck: tuple[Any, Any, int], data: tuple[Any, ...], ext: Any) -> None:
    t, c, k = tck
    c = _filled(c, k)
    x, y, w, first, last = data
    self.ext = _mode(ext)
    self._eval_args = (t, c, k)
    n = shape_of(t)[0]
    self._data = (x, y, w, first, last, k, 0.0, n, t, c, None, None, None, -1)


@serves_followed(si.UnivariateSpline.__init__)
def univariate(
    self: Any,
    x: Any,
    y: Any,
    w: Any = None,
    bbox: Any = (None, None),
    k: Any = 3,
    s: Any = None,
    ext: Any = 0,
    check_finite: bool = False,
) -> None:
    tck = fit(type(self).__name__, x, y, w, tuple(bbox), k, s)
    _keep(self, tck, (operand(x), operand(y), w, *bbox), ext)
    if type(self) is si.UnivariateSpline:
        self.__class__ = si.InterpolatedUnivariateSpline


@serves_followed(si.InterpolatedUnivariateSpline.__init__)
def interpolated(
    self: Any,
    x: Any,
    y: Any,
    w: Any = None,
    bbox: Any = (None, None),
    k: Any = 3,
    ext: Any = 0,
    check_finite: bool = False,
) -> None:
    tck = fit("InterpolatedUnivariateSpline", x, y, w, tuple(bbox), k, 0)
    _keep(self, tck, (operand(x), operand(y), w, *bbox), ext)


@serves_followed(si.LSQUnivariateSpline.__init__)
def least_squares(
    self: Any,
    x: Any,
    y: Any,
    t: Any,
    w: Any = None,
    bbox: Any = (None, None),
    k: Any = 3,
    ext: Any = 0,
    check_finite: bool = False,
) -> None:
    tck = fit("LSQUnivariateSpline", x, y, w, tuple(bbox), k, None, t)
    _keep(self, tck, (operand(x), operand(y), w, *bbox), ext)


@serves_followed(si.UnivariateSpline.__call__)
def call(self: Any, x: Any, nu: Any = 0, ext: Any = None) -> Any:
    x = operand(x)
    if 0 in shape_of(x):
        return np.zeros(0)
    return splev(x, self._eval_args, nu, self.ext if ext is None else _mode(ext))


@serves_followed(si.UnivariateSpline.integral)
def integral_of(self: Any, a: Any, b: Any) -> Any:
    return splint(a, b, self._eval_args)


@serves_followed(si.UnivariateSpline.derivatives)
def derivatives(self: Any, x: Any) -> Any:
    return spalde(x, self._eval_args)


@serves_followed(si.UnivariateSpline.derivative)
def derivative(self: Any, n: int = 1) -> Any:
    return _of_tuple(splder(self._eval_args, n), 1 if self.ext == 3 else self.ext)


@serves_followed(si.UnivariateSpline.antiderivative)
def antiderivative(self: Any, n: int = 1) -> Any:
    return _of_tuple(splantider(self._eval_args, n), self.ext)


def _of_tuple(tck: tuple[Any, Any, int], ext: int) -> Any:
    out = object.__new__(si.UnivariateSpline)
    t, c, k = tck
    out._eval_args, out.ext = tck, ext
    n = shape_of(t)[0]
    out._data = (None, None, None, None, None, k, None, n, t, c, None, None, None, None)
    return out


_ROOTS = (
    "Find the roots r of the detached spline, and take a step of Newton's method from there, "
    "r - s(r) / s(r, 1), which has the derivative"
)
refuse_methods(si.UnivariateSpline, "roots", _ROOTS)
refuse_methods(
    si.UnivariateSpline, "set_smoothing_factor get_residual",
    "Interpolate, with s=0, and compute residuals as y - spline(x)",
)  # fmt: skip
