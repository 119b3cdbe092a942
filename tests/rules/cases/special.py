"""Points for `pullback.rules.special.elementary`."""

from __future__ import annotations

from tests.rules.cases.case import Case
from tests.rules.points import between, binary, unary

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
    "hazard_excess": [
        *unary(-3, 3, order=1),
        *unary(-3, 3, order=2),
        Case((between(5, 9, 4),), {"order": 1}),
        Case((between(5, 40, 4),), {"order": 2}),
    ],
    "exp1": unary(0.5, 3),
    "expi": [*unary(0.5, 3), Case((between(-3, -0.5, 4),))],
    "xlogy": binary((-2, 2), (0.5, 2)),
    "xlog1py": binary((-2, 2), (-0.5, 2)),
    "entr": unary(0.5, 2),
    "rel_entr": binary((0.5, 2), (0.5, 2)),
    "kl_div": binary((0.5, 2), (0.5, 2)),
    "huber": [*binary((1.5, 2), (-1, 1)), *binary((0.5, 1), (1.5, 2))],
    "special_round": unary(1.1, 1.4),
}
