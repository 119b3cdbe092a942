"""Points for `pullback.rules.shaping`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

RNG = np.random.default_rng(3)


def normal(*shape):
    return RNG.normal(size=shape)


def complex_normal(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


CASES = {
    "reshape": [
        Case((normal(2, 3),), {"shape": (6,)}),
        Case((normal(2, 3),), {"shape": (3, 2), "order": "F"}),
        Case((normal(),), {"shape": (1, 1)}),
        Case((normal(1, 1),), {"shape": ()}),
        Case((normal(2, 3),), {"shape": (1, 2, 1, 3)}),
        Case((np.zeros((0, 3)),), {"shape": (3, 0)}),
        Case((complex_normal(4),), {"shape": (2, 2)}),
    ],
    "transpose": [
        Case((normal(2, 3),)),
        Case((normal(),)),
        Case((normal(3),), {"axes": (0,)}),
        Case((normal(2, 3, 4),), {"axes": (1, 2, 0)}),
        Case((normal(2, 3, 4),), {"axes": (2, 0, 1)}),
        Case((complex_normal(2, 3),), {"axes": (1, 0)}),
        Case((np.zeros((0, 3)),), {"axes": (1, 0)}),
    ],
    "broadcast_to": [
        Case((normal(),), {"shape": (2, 3)}),
        Case((normal(3),), {"shape": (2, 3)}),
        Case((normal(2, 1),), {"shape": (2, 3)}),
        Case((normal(1, 3, 1),), {"shape": (4, 2, 3, 2)}),
        Case((normal(2, 3),), {"shape": (2, 3)}),
        Case((normal(1, 3),), {"shape": (0, 3)}),
        Case((complex_normal(1, 2),), {"shape": (3, 2)}),
    ],
    "concatenate": [
        Case((normal(2), normal(3)), {"axis": 0}),
        Case((normal(2, 3), normal(2, 1), normal(2, 2)), {"axis": 1}),
        Case((normal(2, 3), np.zeros((0, 3)), normal(1, 3)), {"axis": -2}),
        Case((normal(4),), {"axis": 0}),
        Case((normal(2), np.arange(3), normal(1)), {"axis": 0}),
        Case((normal(2), complex_normal(2)), {"axis": 0}),
    ],
    "stack": [
        Case((normal(), normal(), normal()), {"axis": 0}),
        Case((normal(2, 3), normal(2, 3)), {"axis": 1}),
        Case((normal(2, 3), normal(2, 3)), {"axis": -1}),
        Case((normal(2), np.arange(2)), {"axis": 0}),
        Case((normal(2), complex_normal(2)), {"axis": -2}),
    ],
    "diagonal": [
        Case((normal(3, 3),)),
        Case((normal(2, 4),), {"offset": 1}),
        Case((normal(4, 2),), {"offset": -2}),
        Case((normal(2, 4),), {"offset": 5}),
        Case((normal(2, 3, 4),), {"offset": -1}),
        Case((complex_normal(2, 2),)),
    ],
    "embed_diagonal": [
        Case((normal(3),), {"shape": (3, 3)}),
        Case((normal(2),), {"shape": (2, 4), "offset": 1}),
        Case((normal(2),), {"shape": (4, 2), "offset": -2}),
        Case((normal(2, 2),), {"shape": (3, 4), "offset": -1}),
        Case((complex_normal(2),), {"shape": (2, 2)}),
    ],
    "windows": [
        Case((normal(4),), {"widths": (2,), "axes": (0,)}),
        Case((normal(3, 4),), {"widths": (2, 3), "axes": (0, 1)}),
        Case((normal(3, 4),), {"widths": (2, 2), "axes": (1, 1)}),
        Case((normal(2, 3),), {"widths": (3,), "axes": (1,)}),
        Case((complex_normal(3),), {"widths": (1,), "axes": (0,)}),
    ],
}
