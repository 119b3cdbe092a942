"""Points for `pullback.rules.linalg`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

RNG = np.random.default_rng(5)
DOUBLE = ("float64",)


def regular(*shape, imaginary=False):
    """Well-conditioned matrices."""
    noise = RNG.normal(size=shape) + (1j * RNG.normal(size=shape) if imaginary else 0)
    return 2 * np.eye(shape[-1]) + 0.4 * noise


def definite(*shape, imaginary=False):
    a = regular(*shape, imaginary=imaginary)
    return a @ np.conj(np.swapaxes(a, -1, -2))


def of_rank(rank, n):
    return RNG.normal(size=(n, rank)) @ RNG.normal(size=(rank, n))


CASES = {
    "inv": [
        Case((regular(1, 1),)),
        Case((regular(3, 3),)),
        Case((regular(2, 3, 3),)),
        Case((regular(2, 2, imaginary=True),)),
    ],
    "solve": [
        Case((regular(3, 3), RNG.normal(size=(3, 2)))),
        Case((regular(2, 3, 3), RNG.normal(size=(3, 1)))),
        Case((regular(3, 3), RNG.normal(size=(2, 3, 2)))),
        Case((regular(1, 3, 3), RNG.normal(size=(2, 3, 2)))),
        Case((regular(2, 2, imaginary=True), RNG.normal(size=(2, 2)))),
    ],
    "det": [
        Case((regular(1, 1),)),
        Case((regular(3, 3),)),
        Case((regular(2, 3, 3),)),
        Case((np.zeros((2, 2)),), dtypes=DOUBLE),
        Case((of_rank(2, 3),), dtypes=DOUBLE),
        Case((of_rank(2, 4),), dtypes=DOUBLE),
        Case((of_rank(1, 4),), dtypes=DOUBLE),
        Case((regular(2, 2, imaginary=True),)),
        Case((regular(3, 3, imaginary=True) * np.array([1, 1, 0]),), dtypes=DOUBLE),
    ],
    "cofactors": [
        Case((regular(3, 3),)),
        Case((regular(2, 3, 3),)),
        Case((of_rank(2, 4),), smooth=False, dtypes=DOUBLE),
        Case((of_rank(1, 3),), smooth=False, dtypes=DOUBLE),
        Case((regular(3, 3, imaginary=True),)),
        Case((of_rank(1, 3) * (1 + 2j),), smooth=False, dtypes=DOUBLE),
    ],
    "slogdet": [
        Case((regular(1, 1),)),
        Case((regular(3, 3),)),
        Case((-regular(2, 3, 3),)),
        Case((regular(2, 2, imaginary=True),)),
    ],
    "cholesky": [
        Case((definite(1, 1),)),
        Case((definite(3, 3),)),
        Case((definite(2, 3, 3),)),
        Case((definite(2, 2, imaginary=True),)),
    ],
    "triangular_solve": [
        Case((regular(1, 1), RNG.normal(size=(1, 1))), {"lower": True, "adjoint": False}),
        Case((regular(3, 3), RNG.normal(size=(3, 2))), {"lower": True, "adjoint": False}),
        Case((regular(3, 3), RNG.normal(size=(3, 2))), {"lower": True, "adjoint": True}),
        Case((regular(3, 3), RNG.normal(size=(3, 2))), {"lower": False, "adjoint": False}),
        Case((regular(3, 3), RNG.normal(size=(3, 2))), {"lower": False, "adjoint": True}),
        Case((regular(2, 3, 3), RNG.normal(size=(3, 1))), {"lower": True, "adjoint": True}),
        Case((regular(3, 3), RNG.normal(size=(2, 3, 2))), {"lower": False, "adjoint": False}),
        Case(
            (regular(2, 2, imaginary=True), RNG.normal(size=(2, 2))),
            {"lower": True, "adjoint": False},
        ),
        Case(
            (regular(2, 2, imaginary=True), RNG.normal(size=(2, 2))),
            {"lower": False, "adjoint": True},
        ),
    ],
}
