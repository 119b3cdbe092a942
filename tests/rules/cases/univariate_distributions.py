"""Points for the primitives of `pullback.scipy.stats`."""

from __future__ import annotations

import numpy as np
import scipy.stats

from pullback.scipy.private import moved
from pullback.scipy.stats.expectations import Integrand
from tests.rules.cases.case import Case
from tests.rules.points import PAIRS, between, binary, unary

COUNTS, TRIALS = np.array([2, 0, 5]), np.array([5, 4, 5])
INVGAMMA, ALPHA = scipy.stats.invgamma, scipy.stats.alpha
TAIL, SMALL_TAIL = np.full(3, -500.0), {"distribution": scipy.stats.weibull_min, "method": "_sf"}

BY_DECREE = {
    "valued": [Case((between(1, 2, 3), between(1, 2, 3, 1)))],
    "log_tail": [Case((TAIL, between(0.8, 2, 3), between(1.5, 2, 3)), SMALL_TAIL)],
    "plain_method": [
        Case(
            (between(0.2, 0.8, 3), between(1, 2)),
            {"distribution": scipy.stats.kappa3, "method": "_cdf"},
        )
    ],
}
"""Primitives that take a value from one place and a derivative from another, or none."""

CASES = {
    "whole_number": [Case((COUNTS,), {"function": "scipy.stats.geom.pmf", "argument": "k"})],
    "quantile": [
        Case((between(0.1, 0.9, 3),), {"distribution": scipy.stats.cosine, "upper": False}),
        Case(
            (between(0.1, 0.9, 2, 1), between(1.5, 2, 3)),
            {"distribution": scipy.stats.weibull_min, "upper": True},
        ),
    ],
    "whole_quantile": [
        Case((0.3, between(0.2, 0.6, 3)), {"distribution": scipy.stats.geom, "upper": False})
    ],
    "expectation_total": [
        Case((between(1.5, 2, 2),), {"of": Integrand(scipy.stats.planck, "entropy")}),
        Case((between(0.5, 1, 2), between(1.5, 2, 2)), {"of": Integrand(ALPHA, "cdf")}),
    ],
    "tail_ratio": [
        Case((TAIL, between(0.8, 2, 3), between(1.5, 2)), {**SMALL_TAIL, "along": (1,)})
    ],
    "binormal": [Case((between(-1, 1, 3), between(-1, 1, 2, 1), between(-0.7, 0.7, 3)))],
    "stats_beta_pdf": [
        Case((between(0.2, 0.8, *a), between(1.5, 3, *b), between(0.5, 2, *a))) for a, b in PAIRS
    ],
    "stats_binom_pmf": [Case((COUNTS, TRIALS, between(0.2, 0.8, 3)))],
    "stats_binom_cdf": [Case((COUNTS, TRIALS, between(0.2, 0.8, 3)))],
    "stats_binom_sf": [Case((COUNTS, TRIALS, between(0.2, 0.8, 3)))],
    "stats_nbinom_pmf": [Case((COUNTS, between(1, 3, 3), between(0.2, 0.8, 3)))],
    "stats_nbinom_cdf": [Case((COUNTS, np.array([2, 3, 4]), between(0.2, 0.8, 3)))],
    "stats_nbinom_sf": [Case((COUNTS, np.array([2, 3, 4]), between(0.2, 0.8, 3)))],
    "stats_nbinom_mean": binary((1, 3), (0.2, 0.8)),
    "stats_nbinom_variance": binary((1, 3), (0.2, 0.8)),
    "stats_nbinom_skewness": binary((1, 3), (0.2, 0.8)),
    "stats_nbinom_kurtosis_excess": binary((1, 3), (0.2, 0.8)),
    "stats_skewnorm_cdf": [
        Case((between(-1, 1, *a), between(-0.5, 0.5, *b), between(1, 2, *a), between(-1, 2, *b)))
        for a, b in PAIRS
    ],
    "stats_ncx2_pdf": [Case((between(1, 4, 3), between(3, 5, 3), between(0.5, 2, 3)))],
    "stats_ncx2_sf": [Case((between(1, 4, 3), between(3, 5, 3), between(0.5, 2, 3)))],
    "stats_cosine_cdf": unary(-3, 3),
    "stats_log1mexp": unary(-3, -0.3),
    "stats_scaled_exp1": unary(0.3, 3),
}
for _path in moved:  # the ufuncs that the SciPy that runs has not got
    CASES.pop(f"stats{_path.partition(':')[2]}", None)
