"""The multivariate normal, t and matrix normal distributions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sc
from scipy.stats import Covariance, matrix_normal, multivariate_normal, multivariate_t

from pullback.core.tracing import Tracer, known
from pullback.errors import ArgumentValueError, NoRuleError
from pullback.numpy.operands import refuse
from pullback.rules.custom import stop_gradient
from pullback.rules.registration import elementwise
from pullback.scipy.first_step import plain
from pullback.scipy.stats.borrowed import known_true
from pullback.scipy.stats.vectorial import floats, logdet, quadratic, serve, squeezed

__all__ = ["binormal"]

LOG_2PI = math.log(2 * math.pi)


def _parameters(mean: Any, cov: Any, what: str) -> tuple[int, Any, Any]:
    """The dimension, the mean as a vector and the covariance as a matrix."""
    if isinstance(cov, Covariance):
        dim = cov.shape[-1]
        return dim, np.zeros(dim) if mean is None else floats(mean), cov
    cov = np.asarray(1.0) if cov is None else floats(cov)
    if mean is None:
        dim = 1 if cov.ndim < 2 else cov.shape[0]
        mean = np.zeros(dim)
    else:
        mean = floats(mean)
        dim = mean.size
    if dim == 1:
        mean, cov = np.reshape(mean, (1,)), np.reshape(cov, (1, 1))
    if mean.ndim != 1 or mean.shape[0] != dim:
        raise ValueError(f"Array 'mean' must be a vector of length {dim}.")
    if cov.ndim == 0:
        cov = cov * np.eye(dim)
    elif cov.ndim == 1:
        cov = np.diag(cov)
    if cov.shape != (dim, dim):
        raise ValueError(
            f"{what}: the matrix has shape {cov.shape}, wanted {(dim, dim)} beside a vector of "
            f"length {dim}"
        )
    return dim, mean, cov


def _points(x: Any, dim: int) -> Any:
    """Points as the rows of an array."""
    x = floats(x)
    if x.ndim == 0:
        return np.reshape(x, (1,))
    if x.ndim == 1:
        return np.reshape(x, (-1, 1) if dim == 1 else (1, -1))
    return x


def _full_rank(matrix: Any, allow_singular: bool, what: str) -> None:
    """Raise where a traced matrix is known to have no full rank."""
    if not known(matrix):
        return
    values = np.linalg.eigvalsh(stop_gradient(matrix))
    smallest: Any = values[..., 0] <= 1e6 * np.finfo(np.float64).eps * values[..., -1]
    if type(smallest) is not Tracer and np.any(smallest):
        if allow_singular:
            raise NoRuleError(
                f"{what}: the matrix, of shape {matrix.shape}, is singular and is being "
                "differentiated; its rank would change. Detach it with pullback.stop_gradient, or "
                "add a multiple of the identity"
            )
        raise np.linalg.LinAlgError(
            "When `allow_singular is False`, the input matrix must be symmetric positive definite."
        )


# -- the normal distribution -----------------------------------------------------------------------


def _normal_logpdf(
    self: Any, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False
) -> Any:
    """−(k·log 2π + log |Σ| + (x − μ)ᵀΣ⁻¹(x − μ))/2."""
    what = "scipy.stats.multivariate_normal.logpdf"
    dim, mean, cov = _parameters(mean, cov, what)
    x = _points(x, dim)
    dev = x - mean
    if type(cov) is Tracer:
        _full_rank(cov, allow_singular, what)
        maha, log_det, rank = quadratic(cov, dev, allow_singular=allow_singular)
        return squeezed(-0.5 * (rank * LOG_2PI + log_det + maha))
    _, _, info = plain(type(self)._process_parameters)(self, np.zeros(dim), cov, allow_singular)
    log_det, rank = info.log_pdet, info.rank
    if dev.ndim > 1:
        log_det, rank = log_det[..., np.newaxis], rank[..., np.newaxis]
    maha = np.sum(np.square(info._whiten(dev)), axis=-1)
    out = -0.5 * (rank * LOG_2PI + log_det + maha)
    if np.any(info.rank < dim):
        out = np.where(info._support_mask(stop_gradient(dev)), out, -np.inf)
    return squeezed(out)


def _normal_pdf(
    self: Any, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False
) -> Any:
    return np.exp(_normal_logpdf(self, x, mean, cov, allow_singular))


def _normal_entropy(self: Any, mean: Any = None, cov: Any = 1) -> Any:
    """(k·(1 + log 2π) + log |Σ|)/2."""
    what = "scipy.stats.multivariate_normal.entropy"
    dim, _, matrix = _parameters(mean, cov, what)
    if type(matrix) is Tracer:
        _full_rank(matrix, True, what)
        return 0.5 * (dim * (LOG_2PI + 1) + logdet(matrix))
    _, _, info = self._process_parameters(np.zeros(dim), matrix)
    return 0.5 * (info.rank * (LOG_2PI + 1) + info.log_pdet)


def _binormal(h: Any, k: Any, r: Any) -> Any:
    """P(X ≤ h, Y ≤ k) of correlation r, by Owen's T (Owen 1956)."""
    h, k = np.where(np.equal(h, 0), 1e-300, h), np.where(np.equal(k, 0), 1e-300, k)
    root = np.sqrt((1 - r) * (1 + r))
    with np.errstate(all="ignore"):
        finite = np.isfinite(h) & np.isfinite(k)
        hf, kf = np.where(finite, h, 1.0), np.where(finite, k, 1.0)
        t = sc.owens_t(hf, (kf - r * hf) / (hf * root)) + sc.owens_t(
            kf, (hf - r * kf) / (kf * root)
        )
        out = 0.5 * (sc.ndtr(hf) + sc.ndtr(kf)) - t - np.where(hf * kf < 0, 0.5, 0.0)
        ends = np.where(np.isposinf(h), sc.ndtr(k), np.where(np.isposinf(k), sc.ndtr(h), 0.0))
    return np.clip(np.where(finite, out, ends), 0, 1)


@elementwise(_binormal, name="binormal", singular=True)
def binormal(_y: Any, h: Any, k: Any, r: Any) -> Any:
    """y = P(X ≤ h, Y ≤ k): ∂y/∂h = φ(h)·Φ((k − r·h)/√(1 − r²)), ∂y/∂k likewise, and
    ∂y/∂r = φ₂(h, k; r), the joint density (Plackett 1954). Undefined at r = ±1.
    """
    root = np.sqrt((1 - r) * (1 + r))

    def by_end(a: Any, b: Any) -> Any:
        return np.exp(-0.5 * a * a) / math.sqrt(2 * math.pi) * sc.ndtr((b - r * a) / root)

    def by_r() -> Any:
        form = (h * h - 2 * r * h * k + k * k) / (root * root)
        return np.exp(-0.5 * form) / (2 * math.pi * root)

    return lambda: by_end(h, k), lambda: by_end(k, h), by_r


def _normal_cdf(
    self: Any,
    x: Any,
    mean: Any = None,
    cov: Any = 1,
    allow_singular: bool = False,
    maxpts: Any = None,
    *tolerances: Any,
    lower_limit: Any = None,
    **kwds: Any,
) -> Any:
    """P(X ≤ x) in one or two dimensions."""
    what = "scipy.stats.multivariate_normal.cdf"
    dim, mean, cov = _parameters(mean, cov, what)
    if dim > 2:
        raise NoRuleError(
            f"{what} met a traced value in {dim} dimensions, and has no derivative rule in "
            "pullback above two, as SciPy samples there. Estimate it from plain samples z of a "
            "standard normal distribution, smoothed"
        )
    if lower_limit is not None:
        refuse(what, "lower_limit", lower_limit, "subtract the values at the ends")
    if isinstance(cov, Covariance):
        cov = cov.covariance
    dev = _points(x, dim) - mean
    deviation = np.sqrt(np.diagonal(cov))
    z = dev / deviation
    if dim == 1:
        return squeezed(sc.ndtr(z[..., 0]))
    r = cov[1, 0] / (deviation[0] * deviation[1])
    return squeezed(binormal(z[..., 0], z[..., 1], r))


def _normal_logcdf(self: Any, *args: Any, **kwds: Any) -> Any:
    return np.log(_normal_cdf(self, *args, **kwds))


serve(
    "multivariate_normal",
    multivariate_normal,
    {
        "logpdf": _normal_logpdf, "pdf": _normal_pdf, "entropy": _normal_entropy,
        "cdf": _normal_cdf, "logcdf": _normal_logcdf,
    },
    (np.zeros(2),),
    {"mean": "mean", "cov": "cov_object", "allow_singular": "allow_singular"},
)  # fmt: skip


# -- the t distribution ----------------------------------------------------------------------------


def _t_logpdf(self: Any, x: Any, loc: Any = None, shape: Any = 1, df: Any = 1) -> Any:
    return _t(x, loc, shape, df, True)


def _t_pdf(
    self: Any, x: Any, loc: Any = None, shape: Any = 1, df: Any = 1, allow_singular: bool = False
) -> Any:
    return np.exp(_t(x, loc, shape, df, allow_singular))


def _t(x: Any, loc: Any, shape: Any, df: Any, allow_singular: bool) -> Any:
    what = "scipy.stats.multivariate_t.logpdf"
    dim, loc, shape = _parameters(loc, shape, what)
    df = _degrees(df)
    if known_true(np.isposinf(df)):
        return multivariate_normal.logpdf(x, loc, shape, allow_singular=True)
    if type(shape) is Tracer:
        _full_rank(shape, allow_singular, what)
    maha, log_det, _ = quadratic(shape, _points(x, dim) - loc, allow_singular=allow_singular)
    t = 0.5 * (df + dim)
    constant = sc.gammaln(t) - sc.gammaln(0.5 * df) - dim / 2.0 * np.log(df * math.pi)
    return squeezed(constant - 0.5 * log_det + -t * np.log(1 + (1.0 / df) * maha))


def _degrees(df: Any) -> Any:
    df = 1 if df is None else df
    if known_true(np.logical_not(df > 0)):
        raise ValueError("'df' must be greater than zero.")
    return df


def _t_entropy(self: Any, loc: Any = None, shape: Any = 1, df: Any = 1) -> Any:
    what = "scipy.stats.multivariate_t.entropy"
    dim, _, shape = _parameters(None, shape, what)
    df = _degrees(df)
    if known_true(np.isposinf(df)):
        return multivariate_normal.entropy(None, cov=shape)
    half, half_df = 0.5 * (dim + df), 0.5 * df
    out = -sc.gammaln(half) + sc.gammaln(half_df) + 0.5 * dim * np.log(df * math.pi)
    out = out + half * (sc.psi(half) - sc.psi(half_df))
    return out + 0.5 * quadratic(shape, np.zeros((1, dim)), allow_singular=True)[1]


serve(
    "multivariate_t",
    multivariate_t,
    {"logpdf": _t_logpdf, "pdf": _t_pdf, "entropy": _t_entropy},
    (np.zeros(2),),
    {"loc": "loc", "shape": "shape", "df": "df", "allow_singular": "allow_singular"},
)


# -- matrices --------------------------------------------------------------------------------------


def _matrix_logpdf(self: Any, X: Any, mean: Any = None, rowcov: Any = 1, colcov: Any = 1) -> Any:
    """−(mn·log 2π + n·log |U| + m·log |V| + tr V⁻¹(X − M)ᵀU⁻¹(X − M))/2."""
    mean, rows, columns = _matrix_parameters(mean, rowcov, colcov)
    m, n = mean.shape
    X = floats(X)
    if X.shape[-2:] != (m, n):
        raise ValueError(
            "The shape of array `X` is not compatible with the distribution parameters."
        )
    dev = X - mean
    left = np.linalg.solve(rows, dev)
    right = np.linalg.solve(columns, np.swapaxes(dev, -1, -2))
    maha = np.sum(left * np.swapaxes(right, -1, -2), axis=(-2, -1))
    out = -0.5 * (m * n * LOG_2PI + n * logdet(rows) + m * logdet(columns) + maha)
    return squeezed(out)


def _matrix_parameters(mean: Any, rowcov: Any, colcov: Any) -> tuple[Any, Any, Any]:
    mean = None if mean is None else floats(mean)
    found = []
    for axis, given in enumerate((rowcov, colcov)):
        matrix = floats(given)
        if matrix.ndim == 0:
            matrix = matrix * np.eye(1 if mean is None else mean.shape[axis])
        elif matrix.ndim == 1:
            matrix = np.diag(matrix)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ArgumentValueError(
                f"scipy.stats.matrix_normal: {('rowcov', 'colcov')[axis]} has shape "
                f"{matrix.shape}, wanted a number, a diagonal or a square matrix"
            )
        found.append(matrix)
    rows, columns = found
    if mean is None:
        mean = np.zeros((rows.shape[0], columns.shape[0]))
    if mean.shape != (rows.shape[0], columns.shape[0]):
        raise ValueError("Arrays `mean`, `rowcov` and `colcov` must have the same extents.")
    return mean, rows, columns


def _matrix_pdf(self: Any, X: Any, mean: Any = None, rowcov: Any = 1, colcov: Any = 1) -> Any:
    return np.exp(_matrix_logpdf(self, X, mean, rowcov, colcov))


def _matrix_entropy(self: Any, rowcov: Any = 1, colcov: Any = 1) -> Any:
    mean, rows, columns = _matrix_parameters(None, rowcov, colcov)
    m, n = mean.shape
    return 0.5 * (m * n * (LOG_2PI + 1) + n * logdet(rows) + m * logdet(columns))


serve(
    "matrix_normal",
    matrix_normal,
    {"logpdf": _matrix_logpdf, "pdf": _matrix_pdf, "entropy": _matrix_entropy},
    (np.zeros((2, 2)),),
    {"mean": "mean", "rowcov": "rowcov", "colcov": "colcov"},
)
