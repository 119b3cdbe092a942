"""Points for `pullback.rules.sparse`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

RNG = np.random.default_rng(12)

ROWS = np.array([0, 0, 2, 2, 2, 3, 0], np.int32)
COLUMNS = np.array([1, 2, 0, 0, 4, 3, 1], np.int32)
"""Places of a matrix of four rows and five columns: one row is empty, two places are twice there,
and they are in no order."""


def normal(*shape, imaginary=False):
    return RNG.normal(size=shape) + (1j * RNG.normal(size=shape) if imaginary else 0)


def product(*columns, imaginary=(False, False), **more):
    data, x = normal(7, imaginary=imaginary[0]), normal(5, *columns, imaginary=imaginary[1])
    return Case((data, x, ROWS, COLUMNS), {"shape": (4, 5)}, **more)


NOWHERE = np.zeros(0, np.int64)

CASES = {
    "sparse_matmul": [
        product(),
        product(3),
        product(1),
        product(imaginary=(True, False)),
        product(2, imaginary=(False, True)),
        product(2, imaginary=(True, True)),
        Case((normal(0), normal(3), NOWHERE, NOWHERE), {"shape": (2, 3)}),
        Case((normal(0), normal(0, 2), NOWHERE, NOWHERE), {"shape": (3, 0)}),
        Case((normal(0), normal(3), NOWHERE, NOWHERE), {"shape": (0, 3)}),
    ],
}
