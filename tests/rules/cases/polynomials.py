"""Points for hypergeometric functions and orthogonal polynomials in their argument."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case
from tests.rules.points import Points

POINTS = Points(13)
between, disc = POINTS.between, POINTS.disc
N = np.array([[0], [1], [4]])
M = np.array([[0], [1], [2]])
# SciPy evaluates integer degrees in double precision alone.
DOUBLE = ("float64",)


def of_degree(*parameters):
    return [Case((N, *parameters, between(-0.8, 0.8, 3)), dtypes=DOUBLE)]


POLYNOMIALS = [
    "legendre", "chebyt", "chebyu", "chebyc", "chebys", "laguerre", "sh_legendre", "sh_chebyt",
    "sh_chebyu",
]  # fmt: skip

CASES = {
    "hyp0f1": [Case((np.array([[1], [3]]), between(-2, 2, 3))), Case((2, disc(0.5, 0.5, 3)))],
    "hyp1f1": [Case((np.array([[1], [2]]), 3, between(-2, 2, 3))), Case((1, 3, disc(0.5, 0.5, 3)))],
    "hyp2f1": [
        Case((np.array([[1], [2]]), 2, 5, between(-0.7, 0.7, 3))),
        Case((1, 2, 5, disc(0, 0.5, 3))),
    ],
    "hyperu": [Case((np.array([[1], [2]]), 2, between(0.5, 2, 3)))],
    **{f"eval_{name}": of_degree() for name in POLYNOMIALS},
    "eval_hermite": of_degree(),
    "eval_hermitenorm": of_degree(),
    "eval_genlaguerre": of_degree(1),
    "eval_gegenbauer": of_degree(2),
    "eval_jacobi": of_degree(1, 2),
    "eval_sh_jacobi": of_degree(3, 2),
    "lpmv": [Case((M, 3, between(-0.8, 0.8, 3)))],
    "legendre_p": [Case((N, between(-0.8, 0.8, 3)), {"order": k}, dtypes=DOUBLE) for k in (0, 2)],
    "assoc_legendre_p": [
        Case(
            (3, np.array([[0], [-1]]), between(-0.8, 0.8, 3)),
            {"branch_cut": 2, "norm": False, "order": 0},
            dtypes=DOUBLE,
        )
    ],
    "sph_legendre_p": [Case((3, np.array([[0], [-1], [3]]), between(0.3, 2, 3)), dtypes=DOUBLE)],
    "sph_harm_y": [
        Case((3, np.array([[0], [-1], [3]]), between(0.3, 2, 3), between(0, 3)), dtypes=DOUBLE)
    ],
}
