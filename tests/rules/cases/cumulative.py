"""Points for `pullback.rules.cumulative`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

RNG = np.random.default_rng(4)


def normal(*shape):
    return RNG.normal(size=shape)


def complex_normal(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


CASES = {
    "cumsum": [
        Case((normal(4),), {"axis": 0}),
        Case((normal(3, 4),), {"axis": 1}),
        Case((normal(2, 3, 2),), {"axis": -2, "reverse": True}),
        Case((np.zeros((0, 2)),), {"axis": 0}),
        Case((complex_normal(3),), {"axis": 0}),
    ],
    "cumprod": [
        Case((normal(4),), {"axis": 0}),
        Case((normal(3, 4),), {"axis": 1}),
        Case((normal(2, 3, 2),), {"axis": -2}),
        Case((np.array([1.5, 0.0, 2.0, 3.0]),), {"axis": 0}),
        Case((np.array([1.5, 0.0, 2.0, 0.0, 3.0]),), {"axis": 0}),
        Case((np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 2.0]]),), {"axis": 1}),
        Case((np.zeros((0, 2)),), {"axis": 0}),
        Case((complex_normal(3),), {"axis": 0}),
    ],
    "recurrence": [
        Case((normal(4), normal(4)), {"axis": 0}),
        Case((normal(4), normal(4)), {"axis": 0, "reverse": True}),
        Case((normal(2, 3), normal(2, 3)), {"axis": -1}),
        Case((normal(2, 3), normal(2, 3)), {"axis": 0, "reverse": True}),
        Case((np.array([1.0, 0.0, 2.0, 0.0]), normal(4)), {"axis": 0}),
        Case((np.zeros((0,)), np.zeros((0,))), {"axis": 0}),
        Case((complex_normal(3), complex_normal(3)), {"axis": 0}),
    ],
}
