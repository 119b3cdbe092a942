"""Metrics of vectors, which are the last axes of arrays; all axes before are broadcast.

Each takes the vectors, the weights of their components or `None`, and what else SciPy's function of
that name does. Where two points meet a distance has the gradient 0, as a norm has, and second
derivatives that are not numbers, but for the squared one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from pullback.rules.custom import stop_gradient

__all__ = ["ALIASES", "LOCALLY_CONSTANT", "METRICS", "root"]

Metric = Callable[..., Any]


def _norm(x: Any, order: Any = 2) -> Any:
    return np.linalg.norm(x, ord=order, axis=-1)


def _total(x: Any, w: Any) -> Any:
    return np.sum(x if w is None else w * x, axis=-1)


def root(squared: Any, difference: Any) -> Any:
    """√q, where q is 0 for a difference of 0: its derivatives there are those of a norm."""
    at = squared == 0
    meeting = np.where(np.all(difference == 0, axis=-1), _norm(difference), 0)
    return np.where(at, meeting, np.sqrt(np.where(at, 1, squared)))


def euclidean(u: Any, v: Any, w: Any = None) -> Any:
    """√Σ w(u − v)²."""
    return minkowski(u, v, w, 2)


def sqeuclidean(u: Any, v: Any, w: Any = None) -> Any:
    """Σ w(u − v)²."""
    difference = u - v
    return _total(difference * difference, w)


def cityblock(u: Any, v: Any, w: Any = None) -> Any:
    """Σ w|u − v|."""
    return _total(np.abs(u - v), w)


def chebyshev(u: Any, v: Any, w: Any = None) -> Any:
    """The largest |u − v| of those whose weight is not 0."""
    distance = np.abs(u - v)
    return np.max(distance if w is None else np.where(w > 0, distance, 0), axis=-1)


def minkowski(u: Any, v: Any, w: Any = None, p: Any = 2) -> Any:
    """(Σ w|u − v|ᵖ)^(1/p)."""
    if p == np.inf:
        return chebyshev(u, v, w)
    difference = u - v
    if w is not None:
        difference = (np.sqrt(w) if p == 2 else w ** (1 / p)) * difference
    return _norm(difference, p)


def seuclidean(u: Any, v: Any, w: Any = None, V: Any = None) -> Any:
    """√Σ (u − v)²/V."""
    return _norm((u - v) / np.sqrt(V))


def mahalanobis(u: Any, v: Any, w: Any = None, VI: Any = None) -> Any:
    """√((u − v)ᵀ VI (u − v))."""
    difference = u - v
    return root(np.sum((difference @ VI) * difference, axis=-1), difference)


def _cosine(u: Any, v: Any, w: Any) -> Any:
    """The cosine of the angle; where rounding takes it beyond ±1 its derivatives go on."""
    c = _total(u * v, w) / np.sqrt(_total(u * u, w) * _total(v * v, w))
    return c - stop_gradient(c - np.clip(c, -1, 1))


def cosine(u: Any, v: Any, w: Any = None) -> Any:
    """1 − u·v/(|u||v|)."""
    return 1 - _cosine(u, v, w)


def correlation(u: Any, v: Any, w: Any = None, centered: bool = True) -> Any:
    """1 − the cosine between what lies beside the means."""
    if not centered:
        return cosine(u, v, w)
    if w is not None:
        w = w / np.sum(w)
        return cosine(u - _total(u, w)[..., None], v - _total(v, w)[..., None], w)
    centred = (x - np.mean(x, axis=-1, keepdims=True) for x in (u, v))
    return cosine(*centred)


def canberra(u: Any, v: Any, w: Any = None) -> Any:
    """Σ w|u − v|/(|u| + |v|), where 0/0 is 0."""
    over, under = np.abs(u - v), np.abs(u) + np.abs(v)
    nothing = under == 0
    return _total(np.where(nothing, 0, over / np.where(nothing, 1, under)), w)


def braycurtis(u: Any, v: Any, w: Any = None) -> Any:
    """Σ w|u − v| / Σ w|u + v|."""
    return _total(np.abs(u - v), w) / _total(np.abs(u + v), w)


def jensenshannon(u: Any, v: Any, w: Any = None, base: Any = None) -> Any:
    """√(½ Σ p log(p/m) + ½ Σ q log(q/m)), m = (p + q)/2, with p and q of sum 1 made of u and v."""
    p, q = (x / np.sum(x, axis=-1, keepdims=True) for x in (u, v))
    m = (p + q) / 2
    divergence = np.sum(scipy.special.rel_entr(p, m), axis=-1)
    divergence = divergence + np.sum(scipy.special.rel_entr(q, m), axis=-1)
    if base is not None:
        divergence = divergence / np.log(base)
    return root(divergence / 2, p - q)


METRICS: dict[str, Metric] = {
    each.__name__: each
    for each in (
        braycurtis, canberra, chebyshev, cityblock, correlation, cosine, euclidean, jensenshannon,
        mahalanobis, minkowski, seuclidean, sqeuclidean,
    )
}  # fmt: skip
"""By SciPy's name."""

ALIASES = {
    name: metric
    for metric, names in {
        "chebyshev": "chebychev cheby cheb ch",
        "cityblock": "cblock cb c",
        "correlation": "co",
        "cosine": "cos",
        "euclidean": "euclid eu e",
        "jensenshannon": "js",
        "mahalanobis": "mahal mah",
        "minkowski": "mi m pnorm",
        "seuclidean": "se s",
        "sqeuclidean": "sqe sqeuclid",
        "hamming": "matching hamm ha h",
        "jaccard": "jacc ja j",
    }.items()
    for name in names.split()
}

LOCALLY_CONSTANT = frozenset({
    "dice", "hamming", "jaccard", "rogerstanimoto", "russellrao", "sokalmichener", "sokalsneath",
    "yule",
})  # fmt: skip
"""Those that ask which components are equal, or are not 0."""
