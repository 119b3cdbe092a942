"""Points for `pullback.rules.selection`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case
from tests.rules.points import between, binary, disc

MASK = np.array([True, False, True])
HALVES = [
    *binary((0.2, 0.9), (1.1, 2)),
    *binary((1.1, 2), (0.2, 0.9)),
]

CASES = {
    "where": [
        Case((True, between(-2, 2), between(-2, 2))),
        Case((MASK, between(-2, 2, 3), between(-2, 2, 3))),
        Case((MASK, between(-2, 2), between(-2, 2, 2, 1))),
        Case((MASK[:, None], between(-2, 2, 3), 0.0)),
        Case((MASK, 1, between(-2, 2, 2, 3))),
        Case((between(1, 2, 3), between(-2, 2, 3), between(-2, 2, 1))),
        Case((MASK, disc(0, 1, 3), disc(0, 1))),
        Case((MASK, between(-2, 2, 3), disc(0, 1, 2, 3))),
        Case((np.zeros((0, 3), bool), between(-2, 2, 3), between(-2, 2))),
    ],
    "maximum": HALVES,
    "minimum": HALVES,
    "fmax": HALVES,
    "fmin": HALVES,
    "copysign": [*binary((0.5, 2), (0.5, 2)), *binary((-2, -0.5), (0.5, 2))],
    "heaviside": [
        *binary((0.5, 2), (-2, 2)),
        *binary((-2, -0.5), (-2, 2)),
        Case((np.array([-1, 0, 1]), between(-2, 2, 2, 1))),
    ],
    "nextafter": binary((1.1, 1.9), (2.1, 3)),
    "unwrap": [
        Case((np.cumsum(between(-1, 1, 6)),)),
        Case((np.array([0.0, 3.0, -3.0, 2.0, -2.0]),)),
        Case((between(-4, 4, 3, 4),), {"axis": 0}),
        Case((between(-4, 4, 3, 4),), {"axis": 1, "period": 2.0, "discont": 1.5}),
    ],
}
