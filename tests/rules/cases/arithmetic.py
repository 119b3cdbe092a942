"""Points for `pullback.rules.arithmetic`, and for products in which zero wins."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case
from tests.rules.points import between, binary, disc, unary

POWERS = [
    *binary((0.5, 2), (-2, 3), centres=(1.5 + 1j, 0.5)),
    Case((between(-2, 2, 3), 2)),
    Case((between(-2, -1, 3), 3)),
    Case((between(-2, 2, 2, 3), np.array([0, 1, 4]))),
    Case((between(1, 2, 3), np.array([[-1], [-2]]))),
    Case((disc(1 + 1j, 0.5, 3), 3)),
    Case((3, between(-1, 2, 3))),
    Case((np.array([2, 3]), between(-1, 2, 3, 1))),
]

CASES = {
    "add": binary((-2, 2), (-2, 2), centres=(0, 1)),
    "subtract": binary((-2, 2), (-2, 2), centres=(0, 1)),
    "multiply": binary((-2, 2), (-2, 2), centres=(0, 1)),
    "strong_multiply": binary((0.5, 2), (-2, -0.5), centres=(1, 1)),
    "masked_multiply": [
        Case((between(0.5, 2, 2, 3), between(-2, -0.5, 3), np.array([True, False, True]))),
        Case((between(0.5, 2, 3), between(-2, -0.5, 3), np.array([[True], [False]]))),
        Case((disc(1, 0.4, 3), disc(1, 0.4, 3), True)),
    ],
    "ratio": [
        Case((between(-2, 2, 3), between(0.5, 2, 3))),
        Case((between(-2, 2, 3), between(-2, -0.5, 2, 1))),
        Case((0.5, between(0.5, 2, 3))),
    ],
    "guard": [Case((between(-2, 2, 2, 3), np.zeros(3, bool)), {"words": ("", "")})],
    "tie": [Case((between(-2, 2, 2, 3), np.zeros(3, bool)))],
    "divide": [
        *binary((-2, 2), (0.5, 2), centres=(0, 1.5)),
        Case((between(-2, 2, 3), between(-2, -0.5, 3))),
        Case((2, between(0.5, 2, 3))),
    ],
    "negative": unary(-2, 2, centre=0),
    "positive": unary(-2, 2, centre=0),
    "square": unary(-2, 2, centre=0),
    "reciprocal": [*unary(0.5, 2, centre=2j), Case((between(-2, -0.5, 3),))],
    "sqrt": unary(0.5, 3, centre=2 + 1j),
    "cbrt": [*unary(0.5, 3), Case((between(-3, -0.5, 4),))],
    "power": POWERS,
    "float_power": POWERS,
    "remainder": [
        *binary((2.2, 2.8), (0.9, 1.0)),
        Case((between(-2.8, -2.2, 3), between(0.9, 1.0, 3))),
        Case((between(2.2, 2.8, 3), between(-1.0, -0.9, 3))),
    ],
    "fmod": [
        *binary((2.2, 2.6), (0.9, 1.0)),
        Case((between(-2.6, -2.2, 3), between(0.9, 1.0, 3))),
        Case((between(2.2, 2.6, 3), between(-1.0, -0.9, 3))),
    ],
    "modf": [*unary(1.2, 1.8), Case((between(-2.8, -2.2, 3),))],
    "frexp": [*unary(1.2, 1.8), Case((between(-3.8, -2.2, 3),))],
    "ldexp": [
        Case((between(-2, 2), 3)),
        Case((between(-2, 2, 2, 3), np.array([1, 0, -2]))),
        Case((between(-2, 2, 3), np.array([[1], [-3]]))),
    ],
    "hypot": binary((0.5, 2), (-2, 2)),
}
