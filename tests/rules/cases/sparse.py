"""Points for `pullback.rules.sparse`."""

from __future__ import annotations

import numpy as np

from pullback.rules.sparse_systems import Iteration
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


SQUARE = (np.array([0, 1, 2, 0, 2, 1], np.int32), np.array([0, 1, 2, 1, 0, 1], np.int32))
"""Places of a matrix of three rows and columns, with its diagonal, one of it twice."""


ONE = (np.zeros(2, np.int32), np.zeros(2, np.int32))


def solution(*columns, compressed="csc", imaginary=(False, False), places=SQUARE, **more):
    a, b = normal(6, imaginary=imaginary[0]), normal(3, *columns, imaginary=imaginary[1])
    a = 0.3 * a + np.array([2, 2, 2, 0, 0, 1])
    kept = slice(None)
    if "triangle" in more:
        rows, columns_ = places
        kept = rows > columns_ if more["triangle"] == "unit lower" else rows < columns_
    rows, columns_ = (each[kept] for each in places)
    return Case((a[kept], b, rows, columns_), {"compressed": compressed, **more})


def iterated(name, *, imaginary=False, symmetric=False, start=False):
    a, b = normal(6, imaginary=imaginary), normal(3, imaginary=imaginary)
    a = 0.3 * a + np.array([2, 2, 2, 0, 0, 1])
    rows, columns = SQUARE
    if symmetric:
        rows, columns = np.array([0, 1, 2, 1], np.int32), np.array([0, 1, 2, 1], np.int32)
        a = a[[0, 1, 2, 5]]
    exactly = Iteration(name, {"rtol": 1e-15, "atol": 0.0})
    given = (np.array([1, 2, 3]),) if start else ()
    return Case((b, *given, a, rows, columns), {"iteration": exactly}, dtypes=("float64",))


CONSTANT = np.array([2, -1, 1, 0, 3, 1])
"""Integers, which are no argument of a derivative."""

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
    "sparse_solve": [
        solution(),
        solution(compressed="csr"),
        solution(2),
        solution(ordering="NATURAL"),
        solution(imaginary=(True, True)),
        solution(2, compressed="csr", imaginary=(True, False)),
        solution(imaginary=(False, True)),
        Case((normal(2) + 2, normal(1), *ONE), {"compressed": "csc", "triangle": "lower"}),
        Case((normal(2) + 2, normal(1, 2), *ONE), {"compressed": "csr", "triangle": "upper"}),
        solution(triangle="unit lower"),
        solution(triangle="unit upper", imaginary=(True, True)),
    ],
    "exponential_product": [
        Case((normal(3), CONSTANT, *SQUARE)),
        Case((normal(3, 2), CONSTANT, *SQUARE)),
        Case((normal(3, imaginary=True), CONSTANT, *SQUARE)),
    ],
    "iterative_solve": [
        iterated("bicgstab"),
        iterated("bicgstab", start=True),
        iterated("gmres"),
        iterated("gmres", imaginary=True),
        iterated("cg", symmetric=True),
    ],
}
