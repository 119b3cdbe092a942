"""Points for the gamma function and its relatives, from a stream of random numbers of their own."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

_RNG = np.random.default_rng(12)
_SHAPES = [((2,), ()), ((2,), (2, 1, 2)), ((0, 2), (1, 2))]
_TRIPLES = [((), (), ()), ((2,), (), (2, 1))]


def points(intervals, shapes, **params):
    """Cases with arguments from the intervals, in each row of shapes."""
    return [
        Case(
            tuple(
                np.asarray(_RNG.uniform(*each, shape))
                for each, shape in zip(intervals, row, strict=True)
            ),
            params,
        )
        for row in shapes
    ]


def single(low, high, centre=None, **params):
    """Cases of a function of one argument; complex ones where a centre is given."""
    cases = points([(low, high)], [((),), ((2, 3),), ((0, 2),)], **params)
    if centre is not None:
        z = centre + _RNG.uniform(-1, 1, (2, 3)) + 1j * _RNG.uniform(-1, 1, (2, 3))
        cases += [Case((z[0],), params), Case((z[1, 0],), params)]
    return cases


POSITIVE = (0.5, 4)
PROPER = (0.2, 0.8)
LARGE = (20, 30)
MIDDLE = (0.4, 0.6)

CASES = {
    "gammaln": [*single(*POSITIVE), *points([(-1.7, -1.3)], [((3,),)])],
    "loggamma": single(*POSITIVE, centre=2),
    "gamma": [*single(*POSITIVE, centre=2), *points([(-1.7, -1.3)], [((3,),)])],
    "rgamma": [*single(0.6, 4, centre=2), *points([(-1.7, 0.4)], [((3,),)])],
    "digamma": [*single(*POSITIVE, centre=2), *points([(-1.7, -1.3)], [((3,),)])],
    "polygamma": [
        *single(*POSITIVE, n=1),
        *single(0.5, 2, centre=-2.5 + 0.1j, n=2),
        *points([(-1.7, -1.3)], [((3,),)], n=1),
    ],
    "polygamma_rise": [
        *points([POSITIVE, POSITIVE], _SHAPES, n=0),
        *points([LARGE, LARGE], [((2,), ())], n=1),
    ],
    "betaln": points([(0.5, 2), (0.5, 2)], _SHAPES),
    "beta": points([(0.5, 2), (0.5, 2)], _SHAPES),
    "poch": points([(0.5, 2), (0.5, 2)], _SHAPES),
    "binom": points([(3, 5), (0.5, 2)], _SHAPES),
    "hurwitz": [Case((np.array([2.0, 3.5]).astype(int), x)) for x in (np.array([0.7, 2.0]), 1.5)],
    "riemann": [Case((3,))],
    "zetac": [Case((3,))],
    "special_gammasgn": single(0.5, 2),
    "gammainc": [*points([POSITIVE, POSITIVE], _SHAPES), *points([LARGE, LARGE], [((2,), ())])],
    "gammaincc": [*points([POSITIVE, POSITIVE], _SHAPES), *points([LARGE, LARGE], [((2,), ())])],
    "gammaincinv": points([POSITIVE, PROPER], _SHAPES),
    "gammainccinv": points([POSITIVE, PROPER], _SHAPES),
    "gammaincc_in_a": [
        *points([POSITIVE, POSITIVE], _SHAPES, order=1),
        *points([LARGE, LARGE], [((2,), ())], order=2),
    ],
    "gamma_ratio": points([POSITIVE, POSITIVE], _SHAPES, order=1),
    "gamma_density": [*points([POSITIVE, POSITIVE], _SHAPES), *points([LARGE, LARGE], [((), ())])],
    "gamma_score": [*points([POSITIVE, POSITIVE], _SHAPES), *points([LARGE, LARGE], [((), ())])],
    "betainc": [
        *points([POSITIVE, POSITIVE, PROPER], _TRIPLES),
        *points([LARGE, LARGE, MIDDLE], [((2,), (), (2,))]),
    ],
    "betaincc": points([POSITIVE, POSITIVE, PROPER], _TRIPLES),
    "betaincinv": points([POSITIVE, POSITIVE, PROPER], _TRIPLES),
    "betainccinv": points([POSITIVE, POSITIVE, PROPER], _TRIPLES),
    "betainc_in_parameters": [
        *points([POSITIVE, POSITIVE, PROPER], _TRIPLES, orders=(1, 0)),
        *points([POSITIVE, POSITIVE, PROPER], _TRIPLES[1:2], orders=(1, 1)),
    ],
    "beta_ratio": points([POSITIVE, POSITIVE, PROPER], _TRIPLES, orders=(0, 1)),
    "beta_density": points([POSITIVE, POSITIVE, PROPER], _TRIPLES),
    "beta_score": [
        *points([POSITIVE, POSITIVE, PROPER], _TRIPLES, complement=False),
        *points([LARGE, LARGE, MIDDLE], _TRIPLES[:2], complement=True),
    ],
}
