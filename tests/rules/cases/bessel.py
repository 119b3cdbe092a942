"""Points for `pullback.rules.bessel`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case
from tests.rules.points import between, unary

ORDERS = [Case((np.array([[0], [2]]), between(0.5, 3, *shape))) for shape in [(), (3,), (2, 1)]]

CASES = {
    **dict.fromkeys(("jv", "yv", "iv", "kv"), ORDERS),
    **dict.fromkeys(("j0", "j1", "i0", "i1"), unary(-2, 3)),
    **dict.fromkeys(("y0", "y1", "k0", "k1"), unary(0.5, 3)),
}
