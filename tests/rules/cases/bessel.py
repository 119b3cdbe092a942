"""Points for `pullback.rules.special.bessel`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case
from tests.rules.points import Points, between, unary

ORDERS = [Case((np.array([[0], [2]]), between(0.5, 3, *shape))) for shape in [(), (3,), (2, 1)]]
POINTS = Points(14)
REAL_ORDERS = [
    Case((POINTS.between(0.5, 2, 3), POINTS.between(0.5, 3, 2, 1))),
    Case((POINTS.between(-2, 2, 2), POINTS.between(9, 12))),
]
INTEGRALS = [
    Case((POINTS.between(-1, 2, 3), POINTS.between(0.5, 3, 2, 1)), {"order": 0, "degree": 1})
]

CASES = {
    **dict.fromkeys(("jv", "yv", "iv", "kv"), ORDERS + REAL_ORDERS),
    **dict.fromkeys(("bessel_around", "bessel_decay", "bessel_forward"), INTEGRALS),
    **dict.fromkeys(("yn", "kn"), ORDERS),
    **dict.fromkeys(("j0", "j1", "i0", "i1"), unary(-2, 3)),
    **dict.fromkeys(("y0", "y1", "k0", "k1"), unary(0.5, 3)),
}
