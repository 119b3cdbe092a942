"""Points for `pullback.rules.special`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case
from tests.rules.points import PAIRS, between, binary, unary

CASES = {
    "expit": unary(-3, 3),
    "log_expit": unary(-3, 3),
    "logit": unary(0.2, 0.8),
    "gaussian": [*unary(-2, 2, scale=1.0), *unary(-2, 2, scale=0.5)],
    "erf": unary(-2, 2),
    "erfc": unary(-2, 2),
    "erfinv": unary(-0.8, 0.8),
    "erfcinv": unary(0.2, 1.8),
    "ndtr": unary(-2, 2),
    "ndtri": unary(0.2, 0.8),
    "log_ndtr": [*unary(-3, 3), Case((between(-30, -5, 4),))],
    "hazard": [*unary(-3, 3), Case((between(5, 30, 4),))],
    "hazard_excess": [*unary(-3, 3), Case((between(5, 9, 4),))],
    "exp1": unary(0.5, 3),
    "expi": [*unary(0.5, 3), Case((between(-3, -0.5, 4),))],
    "xlogy": binary((-2, 2), (0.5, 2)),
    "xlog1py": binary((-2, 2), (-0.5, 2)),
    "entr": unary(0.5, 2),
    "rel_entr": binary((0.5, 2), (0.5, 2)),
    "kl_div": binary((0.5, 2), (0.5, 2)),
    "huber": [*binary((1.5, 2), (-1, 1)), *binary((0.5, 1), (1.5, 2))],
    "gammaln": [*unary(0.5, 4), Case((between(-1.7, -1.3, 3),))],
    "gamma": [*unary(0.5, 4), Case((between(-1.7, -1.3, 3),))],
    "digamma": [*unary(0.5, 4), Case((between(-1.7, -1.3, 3),))],
    "polygamma": [
        *unary(0.5, 4, n=1),
        *unary(0.5, 2, n=2),
        Case((between(-1.7, -1.3, 3),), {"n": 1}),
    ],
    "betaln": binary((0.5, 2), (0.5, 2)),
    "beta": binary((0.5, 2), (0.5, 2)),
    "gammainc": [Case((2, between(0.5, 2, *b))) for _, b in PAIRS],
    "gammaincc": [Case((np.array([[1], [3]]), between(0.5, 2, *b))) for _, b in PAIRS[:3]],
    "betainc": [Case((2, np.array([1, 3, 4]), between(0.2, 0.8, *b))) for b in [(), (3,), (2, 1)]],
    "special_gammasgn": unary(0.5, 2),
    "special_round": unary(1.1, 1.4),
}
