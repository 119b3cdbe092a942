"""Points for the rules that SciPy's linear algebra is served by."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from tests.rules.cases.case import Case

assert scipy.linalg  # enters its functions in the rule book

RNG = np.random.default_rng(56)
DOUBLE = ("float64",)


def normal(*shape, imaginary=False):
    return RNG.normal(size=shape) + (1j * RNG.normal(size=shape) if imaginary else 0)


def positive(*shape, imaginary=False):
    """Matrices with eigenvalues to the right of the imaginary axis."""
    return 2 * np.eye(shape[-1]) + 0.3 * normal(*shape, imaginary=imaginary)


def definite(*shape):
    a = positive(*shape)
    return a @ np.swapaxes(a, -1, -2)


def of(name, **params):
    return [
        Case((positive(3, 3),), {"name": name, **params}),
        Case((positive(2, 2, 2),), {"name": name, **params}),
        Case((positive(2, 2, imaginary=True),), {"name": name, **params}, dtypes=DOUBLE),
    ]


def riccati(n, m, lead=()):
    q, r = (np.broadcast_to(np.eye(k), (*lead, k, k)) + 0.0 for k in (n, m))
    return 0.5 * normal(*lead, n, n), normal(*lead, n, m), q, r


CASES = {
    "lu_factors": [
        Case((positive(3, 3)[[2, 0, 1]],)),
        Case((normal(4, 2),)),
        Case((normal(2, 4),)),
        Case((normal(2, 3, 3),)),
        Case((normal(3, 3, imaginary=True),)),
    ],
    "permutation": [Case((np.array([2, 2, 2]),)), Case((np.array([[1, 1], [0, 1]]),))],
    "sylvester": [
        Case((positive(3, 3), positive(2, 2), normal(3, 2))),
        Case((positive(2, 2, 2), positive(2, 2), normal(2, 2))),
        Case((positive(2, 2, imaginary=True), positive(2, 2), normal(2, 2))),
    ],
    "riccati": [
        Case(riccati(3, 2), {"discrete": False}, dtypes=DOUBLE),
        Case(riccati(2, 1), {"discrete": True}, dtypes=DOUBLE),
        Case(riccati(2, 1, (2,)), {"discrete": False}, dtypes=DOUBLE),
    ],
    "matrix_function": [
        *of("expm"), *of("cosm"), *of("sinm"), Case((0.3 * positive(3, 3),), {"name": "sinhm"}),
        *(Case(each.args, {"name": "logm"}, dtypes=DOUBLE) for each in of("logm")),
        *of("fractional_matrix_power", exponent=0.3),
    ],
    "square_root": [
        Case((positive(3, 3),)),
        Case((positive(2, 2, 2),)),
        Case((positive(2, 2, imaginary=True),)),
    ],
    "banded_solve": [
        Case((normal(4, 5) + 5 * (np.arange(4) == 1)[:, None], normal(5, 2)),
                  {"lower": 2, "upper": 1}),
        Case((normal(2, 3, 4) + 5 * (np.arange(3) == 1)[:, None], normal(4, 1)),
             {"lower": 1, "upper": 1}),
        Case(
            (normal(2, 3, imaginary=True) + 4 * (np.arange(2) == 1)[:, None], normal(3, 2)),
            {"lower": 0, "upper": 1},
        ),
    ],
    "toeplitz_solve": [
        Case((normal(4) + 4 * np.eye(4)[0], normal(4), normal(4, 2))),
        Case((normal(2, 3) + 4 * np.eye(3)[0], normal(3), normal(3, 1))),
        Case((normal(3, imaginary=True) + 4 * np.eye(3)[0], normal(3), normal(3, 2))),
    ],
}  # fmt: skip
