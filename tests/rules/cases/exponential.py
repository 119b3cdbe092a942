"""Points for `pullback.rules.exponential`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case
from tests.rules.points import binary, unary

CASES = {
    "exp": unary(-2, 2, centre=0),
    "exp2": unary(-2, 2, centre=0),
    "expm1": unary(-2, 2, centre=0),
    "log": unary(0.5, 3, centre=2j),
    "log2": unary(0.5, 3, centre=2j),
    "log10": unary(0.5, 3, centre=2j),
    "log1p": unary(-0.5, 3, centre=2j),
    "logistic": unary(-3, 3),
    "logistic_slope": [Case((np.array([-2.7, -0.4, 0.3, 1.9]),))],
    "logaddexp": binary((-2, 2), (-2, 2)),
    "logaddexp2": binary((-2, 2), (-2, 2)),
}
