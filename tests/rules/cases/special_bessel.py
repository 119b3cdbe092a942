"""Points for the relatives of Bessel functions: `scaled_bessel` and its neighbours."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case
from tests.rules.points import Points

POINTS = Points(11)
between, disc, real = POINTS.between, POINTS.disc, POINTS.real
ORDERS = np.array([[0], [2]])


def of_order(low, high, *, orders=ORDERS, also=(), **params):
    """A function whose first argument is constant."""
    return [
        Case((orders, between(low, high, 3)), params),
        *(Case((orders, between(*limits, 2)), params) for limits in also),
    ]


IN_ORDER = [Case((between(0.5, 2, 3), between(0.5, 3, 2, 1)))]
COMPLEX_TOO = [*of_order(0.5, 3), Case((ORDERS, disc(2 + 1j, 0.5, 3)))]
AIRY = [*real(-2, 2), Case((disc(1 + 1j, 0.5, 3),))]

CASES = {
    **dict.fromkeys(("i0e", "i1e"), real(0.5, 3, also=[(-3, -0.5), (26, 40)])),
    **dict.fromkeys(("k0e", "k1e"), real(0.5, 3, also=[(26, 40)])),
    "ive": [*of_order(0.5, 3, also=[(26, 40)]), *IN_ORDER],
    "scaled_i": [*of_order(0.5, 3, order=1), Case(IN_ORDER[0].args, {"order": 1})],
    "kve": [
        *of_order(0.5, 3, also=[(26, 40)]),
        Case((between(0.5, 2, 3), between(0.5, 3, 2, 1))),
        Case((np.array([0, 1]), disc(2, 1, 2))),
    ],
    "scaled_k": [
        Case((between(0.5, 2, 3), between(0.5, 3, 2, 1)), {"order": 1, "degree": 1}),
        Case((between(-2, -0.5, 2), between(0.5, 3)), {"order": 0, "degree": 2}),
    ],
    **{name: [*of_order(0.5, 3), *IN_ORDER] for name in ("jve", "yve")},
    **{f"hankel{kind}": [*COMPLEX_TOO, *IN_ORDER] for kind in ("1", "2", "1e", "2e")},
    "struve": of_order(0.5, 3, also=[(5, 9)]),
    "modstruve": of_order(0.5, 3),
    **dict.fromkeys(("ber", "bei", "berp", "beip"), real(0.5, 3)),
    **dict.fromkeys(("ker", "kei", "kerp", "keip"), real(0.5, 3)),
    **dict.fromkeys(("ai", "aip", "bi", "bip"), AIRY),
    **dict.fromkeys(("airye_ai", "airye_aip"), real(0.5, 3, also=[(10, 12)])),
    **dict.fromkeys(("airye_bi", "airye_bip"), real(0.5, 3, also=[(10, 12), (-2, -0.5)])),
    **dict.fromkeys(("pbdv_value", "pbvv_value"), of_order(0.5, 2)),
    **dict.fromkeys(("pbdv_slope", "pbvv_slope"), of_order(0.5, 2)),
    **dict.fromkeys(("pbwa_value", "pbwa_slope"), of_order(0.5, 2)),
    **dict.fromkeys([f"itairy_{i}" for i in range(4)], real(0.05, 0.2)),
    **dict.fromkeys(
        [f"{name}_{i}" for name in ("itj0y0", "iti0k0", "it2j0y0", "it2i0k0") for i in (0, 1)],
        real(0.3, 0.9, also=[(1.1, 3)]),
    ),
    **dict.fromkeys(("itstruve0", "it2struve0", "itmodstruve0"), real(0.5, 3)),
    "besselpoly": [Case((between(0.5, 2, 3), 1, 2))],
    "wright_bessel": [Case((1, 2, between(0.5, 2, 3)))],
    "log_wright_bessel": [Case((1, 2, between(0.5, 2, 3)))],
    **dict.fromkeys(
        [f"spherical_{kind}{end}" for kind in ("jn", "yn", "in", "kn") for end in ("", "_slope")],
        COMPLEX_TOO,
    ),
}
