"""Points for `pullback.rules.reductions`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

RNG = np.random.default_rng(1)


def normal(*shape):
    return RNG.normal(size=shape)


def complex_normal(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def apart(*shape):
    """No two elements closer than 1/2, so that a small step does not change an extremum."""
    size = int(np.prod(shape))
    return (RNG.permutation(size) + RNG.uniform(-0.25, 0.25, size)).reshape(shape)


def over_axes(make, **params):
    return [
        Case((make(),), params),
        Case((make(5),), params),
        Case((make(1),), {"axis": 0, **params}),
        Case((make(3, 4),), params),
        Case((make(3, 4),), {"axis": 0, **params}),
        Case((make(3, 4),), {"axis": -1, "keepdims": True, **params}),
        Case((make(2, 3, 4),), {"axis": (0, 2), **params}),
        Case((make(2, 3, 4),), {"axis": (-1, 1), "keepdims": True, **params}),
        Case((make(2, 1, 3),), {"axis": 1, **params}),
        Case((make(2, 3),), {"axis": (), **params}),
        Case((make(3, 2),), {"keepdims": True, **params}),
    ]


EMPTY = [
    Case((np.zeros((0,)),)),
    Case((np.zeros((0, 3)),), {"axis": 0}),
    Case((np.zeros((3, 0)),), {"axis": 1, "keepdims": True}),
    Case((np.zeros((0, 3)),), {"axis": 1}),
]

WITH_ZEROS = [
    Case((np.array([1.5, 0.0, -2.0, 3.0]),)),
    Case((np.array([1.5, 0.0, -2.0, 0.0]),)),
    Case((np.array([0.0, 0.0, -2.0, 0.0]),)),
    Case((np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]),), {"axis": 1}),
    Case((np.array([[0.0, 2.0], [3.0, 0.0], [1.5, 0.5]]),), {"axis": (0, 1), "keepdims": True}),
]

CONSTANTS = [Case((apart(4),)), Case((apart(2, 3),), {"axis": 1}), Case((np.arange(3),))]

CASES = {
    "sum": [
        *over_axes(normal),
        *EMPTY,
        Case((complex_normal(2, 3),), {"axis": 0}),
    ],
    "mean": [
        *over_axes(normal),
        Case((np.zeros((0, 3)),), {"axis": 1}),
        Case((complex_normal(2, 3),), {"axis": 1, "keepdims": True}),
        Case((complex_normal(2, 3),)),
    ],
    "var": [
        *over_axes(normal),
        Case((normal(5),), {"ddof": 1}),
        Case((normal(3, 4),), {"axis": 0, "ddof": 1.5, "keepdims": True}),
        Case((np.full((2, 3), 1.5),), {"axis": 1}),
        Case((complex_normal(4),)),
        Case((complex_normal(3, 2),), {"axis": 0, "ddof": 1}),
    ],
    "root": [
        Case((np.array([0.5, 1.0, 4.0]),)),
        Case((np.array([0.5, 4.0]),), {"order": 3}),
        Case((np.array(2.0),)),
        Case((np.zeros((0,)),)),
    ],
    "prod": [
        *over_axes(normal),
        *EMPTY,
        *WITH_ZEROS,
        Case((complex_normal(4),)),
        Case((complex_normal(2, 3, 2) * np.array([0.0, 1.0]),), {"axis": (0, 1)}),
    ],
    "max": [
        *over_axes(apart),
    ],
    "min": over_axes(apart),
    "all": CONSTANTS,
    "any": CONSTANTS,
    "argmax": CONSTANTS,
    "argmin": CONSTANTS,
    "count_nonzero": CONSTANTS,
}
