"""Gaussian kernel density estimates at traced points, of traced data, weights and bandwidths."""

from __future__ import annotations

import math
from types import FunctionType
from typing import Any, NoReturn

import numpy as np
from scipy.special import logsumexp
from scipy.stats import gaussian_kde

from pullback.errors import NoRuleError
from pullback.numpy.operands import operand
from pullback.scipy.advice import for_scipy
from pullback.scipy.first_step import give_first_step, serves
from pullback.scipy.stats.vectorial import floats, logdet

__all__: list[str] = []


def _estimate(kde: Any, points: Any) -> Any:
    """log Σ wⱼ·exp(−|L⁻¹(x − xⱼ)|²/2), for each point, and log of what it is divided by."""
    points = np.atleast_2d(floats(points))
    d, m = points.shape
    if d != kde.d:
        if not (d == 1 and m == kde.d):
            raise ValueError(f"points have dimension {d}, dataset has dimension {kde.d}")
        points = np.reshape(points, (kde.d, 1))
        m = 1
    dev = points[:, :, np.newaxis] - kde.dataset[:, np.newaxis, :]
    rows = np.reshape(dev, (kde.d, m * kde.n))
    solved = np.linalg.solve(kde.covariance, rows)
    form = np.reshape(np.sum(rows * solved, axis=0), (m, kde.n))
    out = logsumexp(-0.5 * form, b=kde.weights, axis=1)
    return out, 0.5 * (kde.d * math.log(2 * math.pi) + logdet(kde.covariance))


@serves(gaussian_kde.evaluate, gaussian_kde.pdf)
def evaluate(self: Any, points: Any) -> Any:
    """The density at each point."""
    out, norm = _estimate(self, points)
    return np.exp(out - norm)


@serves(gaussian_kde.logpdf)
def logpdf(self: Any, x: Any) -> Any:
    """The logarithm of the density at each point."""
    out, norm = _estimate(self, x)
    return out - norm


class _TracedEstimate(gaussian_kde):  # type: ignore[misc]
    """An estimate whose data, weights or bandwidth are traced."""

    evaluate = pdf = __call__ = evaluate
    logpdf = logpdf


def _refusing(method: str) -> Any:
    name = f"scipy.stats.gaussian_kde.{method}"

    def refuse(*args: Any, **kwds: Any) -> NoReturn:
        raise NoRuleError(
            f"{name} met a traced value, and has no derivative rule in pullback. {for_scipy(name)}"
        )

    return refuse


for _method, _function in list(vars(gaussian_kde).items()):
    if type(_function) is FunctionType and (
        _method.startswith("integrate") or _method in ("resample", "marginal", "set_bandwidth")
    ):
        setattr(_TracedEstimate, _method, _refusing(_method))
        give_first_step(_function, _refusing(_method))


@serves(vars(gaussian_kde)["__init__"])
def estimate(self: Any, dataset: Any, bw_method: Any = None, weights: Any = None) -> None:
    """What the constructor does: bandwidth and covariance of data, which may be traced."""
    self.__class__ = _TracedEstimate
    self.dataset = np.atleast_2d(floats(dataset))
    if not self.dataset.size > 1:
        raise ValueError("`dataset` input should have multiple elements.")
    self.d, self.n = self.dataset.shape
    given = np.full(self.n, 1 / self.n) if weights is None else np.atleast_1d(floats(weights))
    if given.shape != (self.n,):
        raise ValueError("`weights` input should be of length n")
    self._weights = given if weights is None else given / np.sum(given)
    self._neff = 1 / np.sum(self._weights * self._weights)
    self.factor = _factor(self, bw_method)
    w = self._weights
    dev = self.dataset - np.sum(self.dataset * w, axis=1, keepdims=True)
    self._data_covariance = (dev * w) @ dev.T / (1 - np.sum(w * w))
    self.covariance = self._data_covariance * self.factor**2


def _factor(kde: Any, bw_method: Any) -> Any:
    power = -1.0 / (kde.d + 4)
    if bw_method is None or bw_method == "scott":
        return kde._neff**power
    if isinstance(bw_method, str):
        if bw_method == "silverman":
            return (kde._neff * (kde.d + 2.0) / 4.0) ** power
        raise ValueError("`bw_method` should be 'scott', 'silverman', a scalar or a callable.")
    return bw_method(kde) if callable(bw_method) else operand(bw_method)
