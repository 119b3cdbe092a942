"""Points for `pullback.rules.image_filters` and `image_sampling`, and for scattered data."""

from __future__ import annotations

import numpy as np
import scipy.interpolate
import scipy.ndimage  # noqa: F401  and its
from scipy.spatial import Delaunay, KDTree

from tests.rules.cases.case import Case

RNG = np.random.default_rng(33)
DOUBLE = ("float64",)


def normal(*shape):
    return RNG.normal(size=shape)


def at(order, mode, **others):
    return {"order": order, "mode": mode, **others}


PLACES = np.array([[0.31, 2.2, -1.3, 4.7], [1.2, 0.7, 2.6, 5.3]])

SCATTERED = RNG.uniform(size=(6, 2))

CASES = {
    "look_up_points": [
        Case((normal(3, 2),), {"finder": Delaunay(SCATTERED), "method": "simplex"}),
        Case((normal(3, 2),), {"finder": KDTree(SCATTERED), "method": "nearest"}),
    ],
    "image_filter": [
        Case((normal(5), normal(3)), {"axis": 0, "mode": "reflect", "origin": (1,)}),
        Case((normal(3, 4), normal(1, 2)), {"axis": 1, "mode": "mirror", "origin": (0, -1)}),
        Case((normal(3, 4), normal(3, 2)), {"axis": None, "mode": "wrap", "origin": (1, 0)}),
        Case(
            (normal(3, 4), normal(2, 2)),
            {"axis": None, "mode": "constant", "origin": (0, 0), "cval": 1.5},
        ),
        Case((normal(2), normal(6)), {"axis": 0, "mode": "nearest", "origin": (0,)}),
    ],
    "spline_coefficients": [
        Case((normal(5),), {**at(3, "mirror"), "axis": 0}, dtypes=DOUBLE),
        Case((normal(2, 4),), {**at(5, "reflect"), "axis": 1}, dtypes=DOUBLE),
        Case((normal(4, 2),), {**at(4, "grid-wrap"), "axis": 0}, dtypes=DOUBLE),
    ],
    "image_values": [
        Case((normal(4), np.array([[0.3, 2.2, 5.7]])), at(3, "constant"), dtypes=DOUBLE),
        Case((normal(3, 4), PLACES), at(3, "nearest"), dtypes=DOUBLE),
        Case((normal(3, 4), PLACES), at(2, "reflect", cval=0.5), dtypes=DOUBLE),
        Case((normal(3, 4), PLACES), at(3, "grid-constant", prefilter=False), dtypes=DOUBLE),
        Case((normal(3, 4), PLACES), at(1, "grid-wrap"), dtypes=DOUBLE),
    ],
}
