"""Points for `pullback.rules.convolution` and `pullback.rules.filtering`."""

from __future__ import annotations

import numpy as np
import scipy.signal  # noqa: F401  what serves it enters its rules

from tests.rules.cases.case import Case

RNG = np.random.default_rng(32)
FULL, VALID = {"mode": "full"}, {"mode": "valid"}


def normal(*shape):
    return RNG.normal(size=shape)


def complex_normal(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def poles(*shape):
    """Denominators of stable filters, without the 1 that they begin with."""
    return 0.2 * normal(*shape)


CASES = {
    "convolution": [
        Case((normal(4), normal(3)), FULL),
        Case((normal(2), normal(3)), FULL),
        Case((normal(4), normal(3)), VALID),
        Case((normal(3, 4), normal(2, 3)), FULL),
        Case((normal(3, 4), normal(2, 3)), VALID),
        Case((normal(2, 3, 2), normal(2, 1, 1)), FULL),
        Case((complex_normal(3, 2), complex_normal(2, 2)), FULL),
        Case((complex_normal(3, 3), normal(2, 3)), VALID),
    ],
    "linear_filter": [
        Case((normal(3), poles(2), normal(5), normal(2))),
        Case((normal(2), poles(3), normal(2, 5), normal(3))),
        Case((normal(4), poles(1), normal(2, 5), normal(2, 3))),
        Case((normal(3), poles(0), normal(4), normal(2))),
        Case((normal(1), poles(0), normal(3), normal(0))),
        Case((normal(4), poles(2), normal(2), normal(3))),
        Case((normal(2, 3), poles(2, 1), normal(2, 4), normal(2, 2))),
        Case((complex_normal(2), poles(2) + 0j, complex_normal(4), complex_normal(2))),
    ],
}
