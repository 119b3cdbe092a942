"""Points for `pullback.rules.complex`."""

from __future__ import annotations

from tests.rules.cases.case import Case
from tests.rules.points import between, binary, disc, unary

AWAY = [
    *unary(0.5, 2),
    Case((between(-2, -0.5, 3),)),
    Case((disc(1 + 1j, 1, 2, 3),)),
    Case((disc(-2, 1),)),
]

CASES = {
    "real": unary(-2, 2, centre=0),
    "imag": unary(-2, 2, centre=0),
    "conjugate": unary(-2, 2, centre=0),
    "from_parts": binary((-2, 2), (-2, 2)),
    "sign": AWAY,
    "absolute": AWAY,
    "fabs": AWAY[:-2],
}
