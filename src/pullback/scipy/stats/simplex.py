"""The Dirichlet and the multinomial distribution, and the one of the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special as sc
from scipy.stats import dirichlet, dirichlet_multinomial, multinomial

from pullback.core.tracing import Tracer
from pullback.numpy.operands import operand
from pullback.rules.custom import stop_gradient
from pullback.scipy.stats.borrowed import chosen, known_true
from pullback.scipy.stats.vectorial import floats, serve, squeezed
from pullback.scipy.stats.whole import whole

__all__: list[str] = []


def _known(condition: Any) -> bool:
    """Whether a condition is known to hold somewhere."""
    return type(condition) is not Tracer and bool(np.any(condition))


def _array(x: Any) -> Any:
    x = operand(x)
    return x if hasattr(x, "dtype") else np.asarray(x)


# -- Dirichlet -------------------------------------------------------------------------------------


def _concentrations(alpha: Any) -> Any:
    alpha = _array(alpha)
    if _known(alpha <= 0):
        raise ValueError("All parameters must be greater than 0")
    if alpha.ndim != 1:
        raise ValueError(
            f"Parameter vector 'a' must be one dimensional, but a.shape = {alpha.shape}."
        )
    return alpha


def _on_simplex(x: Any, alpha: Any) -> Any:
    """The point with its last entry, which may be left out; the values are checked if known."""
    x = _array(x)
    n = alpha.shape[0]
    if x.shape[0] not in (n - 1, n):
        raise ValueError(
            "Vector 'x' must have either the same number of entries as, or one entry fewer than, "
            f"parameter vector 'a', but alpha.shape = {alpha.shape} and x.shape = {x.shape}."
        )
    if x.shape[0] != n:
        x = np.concatenate([x, 1 - np.sum(x, 0, keepdims=True)])
    if _known(x < 0) or _known(x > 1):
        raise ValueError("Each entry in 'x' must be between zero and one.")
    if _known((x == 0) & (alpha < 1 if x.ndim == 1 else (alpha < 1)[:, np.newaxis])):
        raise ValueError(
            "Each entry in 'x' must be greater than zero if its alpha is less than one."
        )
    total = np.sum(stop_gradient(x), 0)
    if _known(np.abs(total - 1.0) > 10e-10):
        raise ValueError(
            f"The input vector 'x' must lie within the normal simplex. but np.sum(x, 0) = {total}."
        )
    return x


def _log_beta(alpha: Any) -> Any:
    return np.sum(sc.gammaln(alpha)) - sc.gammaln(np.sum(alpha))


def _dirichlet_logpdf(self: Any, x: Any, alpha: Any) -> Any:
    """Σ (αᵢ − 1)·log xᵢ − log B(α)."""
    alpha = _concentrations(alpha)
    x = _on_simplex(x, alpha)
    return squeezed(-_log_beta(alpha) + np.sum(sc.xlogy(alpha - 1, x.T).T, 0))


def _dirichlet_pdf(self: Any, x: Any, alpha: Any) -> Any:
    return np.exp(_dirichlet_logpdf(self, x, alpha))


def _dirichlet_mean(self: Any, alpha: Any) -> Any:
    alpha = _concentrations(alpha)
    return squeezed(alpha / np.sum(alpha))


def _dirichlet_var(self: Any, alpha: Any) -> Any:
    alpha = _concentrations(alpha)
    total = np.sum(alpha)
    return squeezed((alpha * (total - alpha)) / ((total * total) * (total + 1)))


def _dirichlet_cov(self: Any, alpha: Any) -> Any:
    alpha = _concentrations(alpha)
    total = np.sum(alpha)
    a = alpha / total
    return squeezed((np.diag(a) - np.outer(a, a)) / (total + 1))


def _dirichlet_entropy(self: Any, alpha: Any) -> Any:
    alpha = _concentrations(alpha)
    total, count = np.sum(alpha), alpha.shape[0]
    spread = (total - count) * sc.psi(total) - np.sum((alpha - 1) * sc.psi(alpha))
    return squeezed(_log_beta(alpha) + spread)


serve(
    "dirichlet",
    dirichlet,
    {
        "logpdf": _dirichlet_logpdf, "pdf": _dirichlet_pdf, "mean": _dirichlet_mean,
        "var": _dirichlet_var, "cov": _dirichlet_cov, "entropy": _dirichlet_entropy,
    },
    (np.ones(2),),
    {"alpha": "alpha"},
)  # fmt: skip


# -- multinomial -----------------------------------------------------------------------------------


def _multinomial(n: Any, p: Any, method: str) -> tuple[Any, Any, Any]:
    """The counts, the probabilities, and where one of them is not valid."""
    n = whole(_array(n), f"scipy.stats.multinomial.{method}", "n")
    p = floats(p)
    rest = 1.0 - np.sum(p[..., :-1], axis=-1)
    off = np.abs(1 - np.sum(p, axis=-1)) > np.finfo(np.float64).eps * 10
    if not known_true(np.logical_not(off)):
        last = np.where(off, rest, p[..., -1])
        p = np.concatenate([p[..., :-1], last[..., np.newaxis]], axis=-1)
    bad = np.logical_or(np.any(p < 0, axis=-1) | np.any(p > 1, axis=-1), n < 0)
    return n, p, bad


def _multinomial_logpmf(self: Any, x: Any, n: Any, p: Any) -> Any:
    """log n! + Σ (xᵢ·log pᵢ − log xᵢ!)."""
    n, p, bad = _multinomial(n, p, "logpmf")
    x = whole(_array(x), "scipy.stats.multinomial.logpmf", "x")
    if x.ndim == 0:
        raise ValueError("x must be an array.")
    if x.size and x.shape[-1] != p.shape[-1]:
        raise ValueError(
            f"Size of each quantile should be size of p: received {x.shape[-1]}, but expected "
            f"{p.shape[-1]}."
        )
    outside = np.any(x != np.floor(x), axis=-1) | np.any(x < 0, axis=-1)
    outside = outside | (np.sum(x, axis=-1) != n)
    counts = x if known_true(np.logical_not(outside)) else np.where(outside[..., None], 0, x)
    out = sc.gammaln(n + 1) + np.sum(sc.xlogy(counts, p) - sc.gammaln(counts + 1), axis=-1)
    out = chosen(np.logical_not(outside), out, -np.inf)
    return chosen(np.logical_not(bad), out, np.nan)


def _multinomial_pmf(self: Any, x: Any, n: Any, p: Any) -> Any:
    return np.exp(_multinomial_logpmf(self, x, n, p))


def _multinomial_mean(self: Any, n: Any, p: Any) -> Any:
    n, p, bad = _multinomial(n, p, "mean")
    return chosen(np.logical_not(bad)[..., np.newaxis], n[..., np.newaxis] * p, np.nan)


def _multinomial_cov(self: Any, n: Any, p: Any) -> Any:
    n, p, bad = _multinomial(n, p, "cov")
    diagonal = p[..., np.newaxis] * np.eye(p.shape[-1])
    matrix = diagonal - p[..., :, np.newaxis] * p[..., np.newaxis, :]
    good = np.logical_not(bad)[..., np.newaxis, np.newaxis]
    return chosen(good, n[..., np.newaxis, np.newaxis] * matrix, np.nan)


serve(
    "multinomial",
    multinomial,
    {
        "logpmf": _multinomial_logpmf, "pmf": _multinomial_pmf, "mean": _multinomial_mean,
        "cov": _multinomial_cov,
    },
    (1, [0.5, 0.5]),
    {"n": "n", "p": "p"},
)  # fmt: skip


# -- Dirichlet–multinomial -------------------------------------------------------------------------


def _mixture(alpha: Any, n: Any, method: str) -> tuple[Any, Any, Any]:
    name = f"scipy.stats.dirichlet_multinomial.{method}"
    alpha, n = _array(alpha), whole(_array(n), name, "n")
    if _known(alpha <= 0):
        raise ValueError("`alpha` must contain only positive values.")
    if _known((n < 0) | (n != np.floor(n))):
        raise ValueError("`n` must be a non-negative integer.")
    total = np.sum(alpha, axis=-1)
    return alpha, total, n


def _mixture_logpmf(self: Any, x: Any, alpha: Any, n: Any) -> Any:
    """log Γ(A)·n!/Γ(n + A) + Σ log Γ(xᵢ + αᵢ)/(Γ(αᵢ)·xᵢ!), A = Σ αᵢ."""
    x = whole(_array(x), "scipy.stats.dirichlet_multinomial.logpmf", "x")
    alpha, total, n = _mixture(alpha, n, "logpmf")
    if _known((x < 0) | (x != np.floor(x))):
        raise ValueError("`x` must contain only non-negative integers.")
    log = sc.gammaln
    terms = log(x + alpha) - (log(alpha) + log(x + 1))
    out = log(total) + log(n + 1) - log(n + total) + np.sum(terms, axis=-1)
    return chosen(n == np.sum(x, axis=-1), out, -np.inf)


def _mixture_pmf(self: Any, x: Any, alpha: Any, n: Any) -> Any:
    return np.exp(_mixture_logpmf(self, x, alpha, n))


def _mixture_mean(self: Any, alpha: Any, n: Any) -> Any:
    alpha, total, n = _mixture(alpha, n, "mean")
    return n[..., np.newaxis] * alpha / total[..., np.newaxis]


def _mixture_var(self: Any, alpha: Any, n: Any) -> Any:
    alpha, total, n = _mixture(alpha, n, "var")
    n, total = n[..., np.newaxis], total[..., np.newaxis]
    return n * alpha / total * (1 - alpha / total) * (n + total) / (1 + total)


serve(
    "dirichlet_multinomial",
    dirichlet_multinomial,
    {
        "logpmf": _mixture_logpmf, "pmf": _mixture_pmf, "mean": _mixture_mean,
        "var": _mixture_var,
    },
    ([1.0, 2.0], 3),
    {"alpha": "alpha", "n": "n"},
)  # fmt: skip
