"""Points for `pullback.rules.folding`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

RNG = np.random.default_rng(31)

CASES = {
    "sums_from": [
        Case((RNG.normal(size=7),), {"places": (0, 3, 4), "axis": 0}),
        Case((RNG.normal(size=7),), {"places": (2, 5, 1, 1, 4), "axis": 0}),
        Case((RNG.normal(size=(3, 5)),), {"places": (1, 3), "axis": 1}),
        Case((RNG.normal(size=(4, 2)),), {"places": (3, 0), "axis": 0}),
        Case((RNG.normal(size=(2, 4)) + 1j * RNG.normal(size=(2, 4)),),
             {"places": (0, 2), "axis": 1}),
    ]
}  # fmt: skip
