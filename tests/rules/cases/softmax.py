"""Points for `pullback.rules.softmax`."""

from __future__ import annotations

from tests.rules.cases.case import Case
from tests.rules.points import between

POINTS = [
    Case((between(-2, 2),)),
    Case((between(-2, 2, 5),)),
    Case((between(-2, 2, 1),), {"axis": 0}),
    Case((between(-2, 2, 2, 3),)),
    Case((between(-2, 2, 2, 3),), {"axis": -1}),
    Case((between(-2, 2, 2, 3, 4),), {"axis": (0, 2)}),
]
KEEPING = [
    Case((between(-2, 2, 2, 3),), {"keepdims": True}),
    Case((between(-2, 2, 2, 3),), {"axis": 0, "keepdims": True}),
]

CASES = {
    "logsumexp": POINTS + KEEPING,
    "softmax": [*POINTS, Case((between(-2, 2, 2, 3),), {"axis": 1, "limit": True})],
    "log_softmax": POINTS,
}
