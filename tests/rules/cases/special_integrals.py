"""Points for special functions of one argument, and elliptic ones, that are integrals."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case
from tests.rules.points import Points

POINTS = Points(12)
between, disc, real = POINTS.between, POINTS.disc, POINTS.real
POSITIVE = [(0.5, 2), (0.7, 3), (0.2, 1.5), (0.4, 2)]


def symmetric(n, **params):
    """Carlson's integrals: arrays that are broadcast."""
    rows = POSITIVE[:n]
    shapes = [(3,), (2, 1), (), (3,)]
    return [
        Case(tuple(between(*row, *s) for row, s in zip(rows, shapes, strict=False)), params),
        Case(tuple(between(*row) for row in rows), params),
    ]


def pairs(some, others, /, **params):
    return [
        Case((between(*some, 3), between(*others, 2, 1)), params),
        Case((between(*some, 2), between(*others, 2)), params),
    ]


def holomorphic(low, high, centre, radius=0.5, **params):
    return [*real(low, high, **params), Case((disc(centre, radius, 3),), params)]


CASES = {
    # -- error functions
    "scaled_erfc": [
        *holomorphic(-2, 3, 0.5, order=0),
        *real(2, 8, order=1),
        Case((disc(3, 1, 3),), {"order": 2}),
    ],
    "dawson": [*holomorphic(-2, 3, 0.5, order=0), *real(5, 8, order=1)],
    "erfi": holomorphic(-2, 2, 0.5),
    "wofz": [Case((disc(0.5 + 1j, 0.5, 3),))],
    "ndtri_exp": real(-3, -0.1),
    "owens_t": pairs((-1, 2), (0.5, 2)),
    "voigt": [
        Case((between(-1, 1, 3), between(0.5, 1, 2, 1), between(0.5, 1)), {"order": 1, "turns": 1})
    ],
    "voigt_profile": [
        Case((between(-1, 1, 3), between(0.5, 1, 2, 1), between(0.5, 1))),
        Case((between(15, 18, 3), between(0.5, 1, 3), between(0.5, 1, 3)), dtypes=("float64",)),
    ],
    "quarter_turns": holomorphic(-2, 2, 0.5, phase=1),
    **dict.fromkeys(("fresnel_s", "fresnel_c"), holomorphic(-2, 2, 0.5)),
    **dict.fromkeys(
        ("modfresnelp_f", "modfresnelp_k", "modfresnelm_f", "modfresnelm_k"), real(0.3, 2)
    ),
    # -- exponential and other integrals, inverses
    "expn": [Case((np.array([[0], [1], [3]]), between(0.5, 2, 2)))],
    "any_expn": [Case((np.array([[-2], [0], [1]]), between(0.5, 2, 2)))],
    **dict.fromkeys(("si", "shi"), holomorphic(-2, 2, 0.5)),
    **dict.fromkeys(("ci", "chi"), holomorphic(0.5, 2, 2.0)),
    "sin_quotient": holomorphic(-3, 3, 0.5, order=1),
    "sinh_quotient": holomorphic(-3, 3, 0.5, order=1),
    "log_quotient": holomorphic(-0.6, 2, 0.3, 0.2, order=1),
    "log_over": [*holomorphic(0.2, 3, 2.5, order=0), *real(0.6, 1.4, order=1)],
    "relative_exponential": [*real(-3, 3, order=0), *real(-3, 3, order=1)],
    "spence": holomorphic(0.3, 3, 2.0),
    "lambertw": [
        Case((between(0.2, 3, 3), 0), {"tol": 1e-8}),
        Case((disc(2 + 1j, 0.5, 3), np.array([[0], [-1]])), {"tol": 1e-8}),
    ],
    "wrightomega": holomorphic(-2, 3, 1.0),
    "diric": [Case((between(0.3, 2, 3),), {"n": n, "order": k}) for n, k in [(4, 0), (5, 1)]],
    **dict.fromkeys(("sindg", "cosdg"), real(-200, 200)),
    **dict.fromkeys(("tandg", "cotdg"), real(30, 60)),
    "radian": [Case((between(0, 9, 3), between(0, 9, 2, 1), between(0, 9)))],
    "cosm1": real(-3, 3),
    "exp10": real(-1, 1),
    "direction": pairs((-2, 2), (0.5, 2)),
    "pseudo_huber": pairs((0.5, 2), (-2, 2)),
    "agm": pairs((0.5, 2), (0.5, 2)),
    # -- Box and Cox
    "boxcox": [*pairs((0.5, 3), (0.5, 2)), *pairs((0.5, 3), (-1, -0.2))],
    "boxcox1p": pairs((-0.3, 2), (0.5, 2)),
    "inv_boxcox": pairs((0.3, 1), (0.5, 1)),
    "inv_boxcox1p": pairs((0.3, 1), (0.5, 1)),
    "powm1": pairs((0.5, 2), (-1, 2)),
    "tklmbda": pairs((-0.5, 0.5), (0.3, 1.5)),
    # -- elliptic
    "elliprf": symmetric(3),
    "elliprd": symmetric(3),
    "elliprg": symmetric(3),
    "elliprj": symmetric(4),
    "elliprc": [*symmetric(2), Case((between(0.5, 2, 3), between(-2, -0.5, 3)))],
    "carlson": symmetric(3, exponents=(0.5, 1.5, 0.5)),
    "ellipk": real(-2, 0.8),
    "ellipkm1": real(0.2, 2),
    "ellipe": real(-2, 0.8),
    "ellipkinc": [*pairs((-1, 1), (-1, 0.7)), *pairs((2, 4), (0.2, 0.7))],
    "ellipeinc": [*pairs((-1, 1), (-1, 0.7)), *pairs((2, 4), (0.2, 0.7))],
    "legendre": [
        case
        for first in (True, False)
        for case in pairs((0.3, 1), (0.2, 0.7), order=1, first=first)
    ],
    **dict.fromkeys(("sn", "cn", "dn", "ph"), pairs((0.3, 2), (0.2, 0.7))),
}
