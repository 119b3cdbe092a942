"""Points for `pullback.rules.contractions`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

RNG = np.random.default_rng(2)

SHAPES = [
    ((3,), (3,)),
    ((1,), (1,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((1, 3), (3, 1)),
    ((3,), (2, 3, 4)),
    ((2, 4, 3), (3,)),
    ((2, 5, 4, 3), (3,)),
    ((2, 4, 3), (3, 2)),
    ((4, 3), (2, 3, 2)),
    ((2, 4, 3), (2, 3, 2)),
    ((1, 4, 3), (2, 3, 2)),
    ((2, 4, 3), (1, 3, 2)),
    ((5, 1, 2, 3), (4, 3, 2)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((0,), (0,)),
    ((0, 2, 3), (3, 2)),
    ((0, 2, 3), (3,)),
]


def pair(a, b, *, complex_a=False, complex_b=False):
    def draw(shape, complex_):
        values = RNG.normal(size=shape)
        return values + 1j * RNG.normal(size=shape) if complex_ else values

    return Case((draw(a, complex_a), draw(b, complex_b)))


CASES = {
    "convolve": [
        pair((5,), (3,)),
        pair((2,), (4,)),
        pair((1,), (1,)),
        pair((4,), (4,)),
        pair((4,), (3,), complex_a=True, complex_b=True),
    ],
    "matmul": [pair(a, b) for a, b in SHAPES]
    + [pair(a, b, complex_a=True, complex_b=True) for a, b in SHAPES[:12]]
    + [pair((2, 3), (3, 2), complex_a=True), pair((2, 3), (3,), complex_b=True)]
    + [
        Case((RNG.normal(size=(2, 3)), np.arange(6).reshape(3, 2))),
        Case((np.arange(3), RNG.normal(size=3))),
    ],
}
