"""Points for `pullback.rules.sinc`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case
from tests.rules.points import unary

CASES = {
    "sinc": [
        *unary(-3, 3, centre=0, order=0),
        *unary(-2, 2, order=1),
        *unary(-2, 2, order=3),
        Case((np.array([0.0, 1e-3, -1e-9, 1.0]),), {"order": 0}),
        Case((np.array([0.0, 1e-3, -1e-9, 1.0]),), {"order": 2}),
    ]
}
