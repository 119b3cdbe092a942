"""Points for elementwise functions: arrays of several shapes within an interval or a disc."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

__all__ = ["Points", "between", "binary", "disc", "unary"]

_RNG = np.random.default_rng(5)

PAIRS = [
    ((), ()),
    ((3,), (3,)),
    ((2, 3), ()),
    ((3,), (2, 1, 3)),
    ((1, 3), (2, 1)),
    ((0, 2), (1, 2)),
]


def between(low, high, *shape):
    """An array with elements in the interval."""
    return np.asarray(_RNG.uniform(low, high, shape))


def disc(centre, radius, *shape):
    """A complex array with elements in a disc."""
    size = radius * np.sqrt(_RNG.uniform(0, 1, shape))
    return np.asarray(centre + size * np.exp(2j * np.pi * _RNG.uniform(0, 1, shape)))


class Points:
    """Arrays from a generator of its own, which those of other families do not shift."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def between(self, low, high, *shape):
        """An array with elements in the interval."""
        return np.asarray(self.rng.uniform(low, high, shape))

    def disc(self, centre, radius, *shape):
        """A complex array with elements in a disc."""
        size = radius * np.sqrt(self.rng.uniform(0, 1, shape))
        return np.asarray(centre + size * np.exp(2j * np.pi * self.rng.uniform(0, 1, shape)))

    def real(self, low, high, also=(), **params):
        """Cases of a function of one real argument, from an interval and from others."""
        return [
            Case((self.between(low, high, 2, 3),), params),
            Case((self.between(low, high),), params),
            *(Case((self.between(*limits, 3),), params) for limits in also),
        ]


def unary(low, high, centre=None, radius=1.0, **params):
    """Cases of a function of one argument; complex ones where a centre is given."""
    shapes = [(), (2, 3), (0, 2)]
    cases = [Case((between(low, high, *shape),), params) for shape in shapes]
    if centre is not None:
        cases += [Case((disc(centre, radius, *shape),), params) for shape in [(), (3,)]]
    return cases


def binary(first, second, centres=None, radius=0.5):
    """Cases of a function of two arguments from intervals, with every way to broadcast them."""
    cases = [Case((between(*first, *a), between(*second, *b))) for a, b in PAIRS]
    if centres is not None:
        x, y = centres
        cases += [
            Case((disc(x, radius, 2, 3), disc(y, radius, 3))),
            Case((disc(x, radius, 3), between(*second, 2, 1))),
            Case((between(*first, 2, 3), disc(y, radius))),
        ]
    return cases
