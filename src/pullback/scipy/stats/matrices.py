"""The Wishart distribution and its inverse, and directions by von Mises and Fisher."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.special as sc
from scipy.stats import invwishart, vonmises_fisher, wishart

from pullback.core.tracing import Tracer
from pullback.scipy.stats.vectorial import floats, logdet, serve, squeezed

__all__: list[str] = []

LOG_2 = math.log(2)


def _log_multigamma(a: Any, dim: int) -> Any:
    """log of the multivariate gamma function."""
    constant = dim * (dim - 1) * 0.25 * math.log(math.pi)
    return constant + sum(sc.gammaln(a - 0.5 * j) for j in range(dim))


def _parameters(df: Any, scale: Any) -> tuple[int, Any, Any]:
    scale = floats(1.0 if scale is None else scale)
    if scale.ndim == 0:
        scale = np.reshape(scale, (1, 1))
    elif scale.ndim == 1:
        scale = np.diag(scale)
    if scale.ndim != 2 or scale.shape[0] != scale.shape[1]:
        raise ValueError(
            "Array 'scale' must be square if it is two dimensional, but scale.scale = "
            f"{scale.shape}."
        )
    dim = scale.shape[0]
    df = dim if df is None else df
    if np.ndim(df):
        raise ValueError("Degrees of freedom must be a scalar.")
    low = df <= dim - 1
    if type(low) is not Tracer and low:
        raise ValueError(
            "Degrees of freedom must be greater than the dimension of scale matrix minus 1."
        )
    return dim, df, scale


def _matrices(x: Any, dim: int) -> Any:
    """The points, as a stack of matrices; SciPy's stack is along the last axis."""
    x = floats(x)
    if x.ndim == 0:
        x = (x * np.eye(dim))[np.newaxis]
    elif x.ndim == 1:
        x = np.reshape(x, (-1, 1, 1)) if dim == 1 else np.diag(x)[np.newaxis]
    elif x.ndim == 2:
        x = x[np.newaxis]
    else:
        x = np.moveaxis(x, -1, 0)
    if x.shape[1:] != (dim, dim):
        raise ValueError(
            f"Quantiles have incompatible dimensions: should be {(dim, dim)}, got {x.shape[1:]}."
        )
    return x


def _trace(a: Any) -> Any:
    return np.trace(a, axis1=-2, axis2=-1)


def _wishart_logpdf(self: Any, x: Any, df: Any, scale: Any) -> Any:
    """((ν − p − 1)·log |X| − tr V⁻¹X − νp·log 2 − ν·log |V|)/2 − log Γₚ(ν/2)."""
    dim, df, scale = _parameters(df, scale)
    x = _matrices(x, dim)
    form = 0.5 * (df - dim - 1) * logdet(x) - 0.5 * _trace(np.linalg.solve(scale, x))
    norm = 0.5 * df * dim * LOG_2 + 0.5 * df * logdet(scale) + _log_multigamma(0.5 * df, dim)
    return squeezed(form - norm)


def _wishart_pdf(self: Any, x: Any, df: Any, scale: Any) -> Any:
    return np.exp(_wishart_logpdf(self, x, df, scale))


def _wishart_mean(self: Any, df: Any, scale: Any) -> Any:
    _, df, scale = _parameters(df, scale)
    return squeezed(df * scale)


def _wishart_entropy(self: Any, df: Any, scale: Any) -> Any:
    dim, df, scale = _parameters(df, scale)
    orders = sum(sc.psi(0.5 * (df - i)) for i in range(dim))
    return (
        0.5 * (dim + 1) * logdet(scale)
        + 0.5 * dim * (dim + 1) * LOG_2
        + _log_multigamma(0.5 * df, dim)
        - 0.5 * (df - dim - 1) * orders
        + 0.5 * df * dim
    )


serve(
    "wishart",
    wishart,
    {
        "logpdf": _wishart_logpdf, "pdf": _wishart_pdf, "mean": _wishart_mean,
        "entropy": _wishart_entropy,
    },
    (3, np.eye(2)),
    {"df": "df", "scale": "scale"},
)  # fmt: skip


def _invwishart_logpdf(self: Any, x: Any, df: Any, scale: Any) -> Any:
    """(ν·log |Ψ| − tr ΨX⁻¹ − νp·log 2 − (ν + p + 1)·log |X|)/2 − log Γₚ(ν/2)."""
    dim, df, scale = _parameters(df, scale)
    x = _matrices(x, dim)
    form = 0.5 * df * logdet(scale) - 0.5 * _trace(np.linalg.solve(x, scale))
    norm = 0.5 * df * dim * LOG_2 + 0.5 * (df + dim + 1) * logdet(x)
    return squeezed(form - norm - _log_multigamma(0.5 * df, dim))


def _invwishart_pdf(self: Any, x: Any, df: Any, scale: Any) -> Any:
    return np.exp(_invwishart_logpdf(self, x, df, scale))


def _invwishart_entropy(self: Any, df: Any, scale: Any) -> Any:
    dim, df, scale = _parameters(df, scale)
    orders = sum(sc.psi(0.5 * (df - dim + i)) for i in range(1, dim + 1))
    return (
        _log_multigamma(0.5 * df, dim)
        + 0.5 * dim * df
        + 0.5 * (dim + 1) * (logdet(scale) - LOG_2)
        - 0.5 * (df + dim + 1) * orders
    )


serve(
    "invwishart",
    invwishart,
    {"logpdf": _invwishart_logpdf, "pdf": _invwishart_pdf, "entropy": _invwishart_entropy},
    (3, np.eye(2)),
    {"df": "df", "scale": "scale"},
)


# -- directions ------------------------------------------------------------------------------------


def _direction_logpdf(self: Any, x: Any, mu: Any = None, kappa: Any = 1) -> Any:
    """κ·(μᵀx − 1) − log C, where C = (2π)^(d/2)·e⁻ᵏ·I₍d/2−1₎(κ)/κ^(d/2−1)."""
    mu, x = floats(mu), floats(x)
    if mu.ndim != 1 or x.shape[-1] != mu.shape[0]:
        raise ValueError(
            "The dimensionality of the last axis of 'x' must match the dimensionality of the von "
            f"Mises Fisher distribution, got {x.shape} and {mu.shape}."
        )
    order = 0.5 * mu.shape[0] - 1
    halfdim = 0.5 * mu.shape[0]
    norm = halfdim * math.log(2 * math.pi) + np.log(sc.ive(order, kappa)) - order * np.log(kappa)
    return kappa * (np.einsum("i,...i->...", mu, x) - 1) - norm


def _direction_pdf(self: Any, x: Any, mu: Any = None, kappa: Any = 1) -> Any:
    return np.exp(_direction_logpdf(self, x, mu, kappa))


serve(
    "vonmises_fisher",
    vonmises_fisher,
    {"logpdf": _direction_logpdf, "pdf": _direction_pdf},
    ([1.0, 0.0], 1.0),
    {"mu": "mu", "kappa": "kappa"},
)
