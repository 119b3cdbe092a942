"""Histograms, functions of sets and of polynomials, by their full names."""

from __future__ import annotations

import numpy as np
import numpy.polynomial.polyutils as pu
from numpy.polynomial import chebyshev, polynomial

from tests.numpy.batched.case import Case, J, M, N, Q, V, W, X, case, data, same

P = np.array([1.0, -6.1, 11.3, -6.2])
SOME = np.array([1.0, 2.5, 3.0])
TIED = np.array([1.0, 3.0, 1.0, 2.0])
INT = np.array([[0, 2, 1], [1, 0, 3]])
SAMPLE = data(6, 2, seed=9)
RANGE = [(0.0, 2.5), (0.0, 2.5)]
EDGES = np.array([0.2, 0.61, 1.31, 2.3])


def fits(**options):
    return lambda x, y, w: np.polyfit(x, y, 2, w=w, **options)


FUNCTIONS: dict[str, list[Case]] = {
    "numpy.histogram": [
        case(lambda x, w: np.histogram(x, 3, (0.0, 2.5), weights=w), M, M[::-1]),
        case(lambda x: np.histogram(x, 4, density=True), M),
        case(lambda x, e: np.histogram(x, e, density=True), V, EDGES),
    ],
    "numpy.histogram_bin_edges": [
        case(lambda x: np.histogram_bin_edges(x, 4, (0.0, 2.5)), M),
        case(lambda x: np.histogram_bin_edges(x, 4), M, refused=(0,)),
    ],
    "numpy.histogram2d": [
        case(lambda x, y, w: np.histogram2d(x, y, 3, RANGE, weights=w)[0], V, W, V[::-1]),
    ],
    "numpy.histogramdd": [
        case(lambda x: np.histogramdd(x, (2, 3), RANGE)[0], SAMPLE),
        case(
            lambda x, w: np.histogramdd(x, 3, RANGE, density=True, weights=w)[0],
            SAMPLE,
            data(6, seed=10),
        ),
        case(lambda x: np.histogramdd(x, 2)[0], SAMPLE, refused=(0,)),
    ],
    "numpy.unique": [case(np.unique, TIED, refused=(0,))],
    **{
        f"numpy.unique_{name}": [case(getattr(np, f"unique_{name}"), TIED, refused=(0,))]
        for name in ("all", "counts", "inverse", "values")
    },
    **{
        f"numpy.{name}": [case(getattr(np, name), TIED, SOME, refused=(0, 1))]
        for name in ("intersect1d", "setdiff1d", "setxor1d", "union1d")
    },
    "numpy.isin": [case(np.isin, N, J), case(lambda x: np.isin(x, [1.0, 2.0], invert=True), TIED)],
    "numpy.ix_": [same("ix_", V, W)],
    "numpy.trim_zeros": [case(np.trim_zeros, np.array([0.0, 1.0, 2.0, 0.0]), refused=(0,))],
    "numpy.kaiser": [case(lambda b: np.kaiser(5, b), X)],
    "numpy.ravel_multi_index": [
        case(lambda i: np.ravel_multi_index(tuple(i), (4, 4)), INT),
        case(lambda i: np.ravel_multi_index(tuple(i), (2, 3), mode=("wrap", "clip"), order="F"),
             INT),
    ],
    "numpy.unravel_index": [
        case(lambda i: np.unravel_index(i, (2, 2)), N),
        case(lambda i: np.unravel_index(i, 4, order="F"), N),
        case(lambda i: np.unravel_index(i, (1, 3, 2), order="F"), N),
    ],
    # polynomials
    "numpy.poly": [same("poly", P)],
    "numpy.polydiv": [case(np.polydiv, P, V[:2]), case(np.polydiv, V[:2], P)],
    "numpy.polyfit": [
        case(fits(), data(6, seed=11), data(6, seed=12), data(6, seed=13), rtol=1e-9),
        case(fits(cov=True), data(6, seed=11), data(6, seed=12), data(6, seed=13), rtol=1e-8),
        case(lambda y: np.polyfit(data(6, seed=11), y, 1, full=True)[:4], data(6, 2), rtol=1e-9),
    ],
    "numpy.roots": [same("roots", P), case(np.roots, np.array([1.0, 0.3, 2.0, 0.4]), widens=True)],
    "numpy.polynomial.polynomial.polyval2d": [case(polynomial.polyval2d, V, W, M)],
    "numpy.polynomial.polynomial.polygrid2d": [case(polynomial.polygrid2d, V, W, M)],
    "numpy.polynomial.polyutils.trimseq": [case(lambda x: pu.trimseq(x), V)],
    "numpy.polynomial.polyutils.as_series": [case(lambda x, y: pu.as_series([x, y]), V, W)],
    "numpy.polynomial.polyutils.trimcoef": [case(lambda x: pu.trimcoef(x), V, refused=(0,))],
    "numpy.polynomial.polyutils.getdomain": [case(lambda x: pu.getdomain(x), V)],
    "numpy.polynomial.polyutils.mapdomain": [
        case(lambda x, a: pu.mapdomain(x, [0.0, 1.0], [a, 3.0]), V, X)
    ],
    "numpy.polynomial.polyutils._add": [case(polynomial.polyadd, V, W[:2])],
    "numpy.polynomial.polyutils._sub": [case(chebyshev.chebsub, V, W[:2])],
    "numpy.polynomial.polyutils._pow": [case(lambda x: chebyshev.chebpow(x, 2), V)],
    "numpy.polynomial.polyutils._div": [
        case(lambda x: chebyshev.chebdiv(x, [0.5, 1.0])[0], V)
    ],
    "numpy.polynomial.polyutils._fromroots": [case(chebyshev.chebfromroots, V)],
    "numpy.polynomial.polyutils._fit": [
        case(lambda x, y: chebyshev.chebfit(x, y, 2), data(6, seed=11), Q[:, 0].repeat(2)[:6],
             rtol=1e-9),
    ],
}  # fmt: skip
