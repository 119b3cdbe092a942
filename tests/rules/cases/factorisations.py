"""Points for `pullback.rules.orthogonal` and `pullback.rules.eigenvalues`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

RNG = np.random.default_rng(55)


def graded(*shape, imaginary=False):
    """Matrices with eigenvalues well apart, with real ones if they are real."""
    noise = RNG.normal(size=shape) + (1j * RNG.normal(size=shape) if imaginary else 0)
    return 0.15 * noise + np.eye(*shape[-2:]) * np.arange(1.0, shape[-1] + 1)


PAIR = np.array([[1.0, -2.0, 0.1], [0.5, 1.2, 0.3], [0.2, -0.1, 4.0]])
"""A real matrix with a pair of complex eigenvalues."""

CASES = {
    "qr": [
        Case((graded(1, 1),)),
        Case((graded(3, 3),)),
        Case((graded(4, 2),)),
        Case((graded(2, 3, 2),)),
        Case((graded(3, 3, imaginary=True),)),
        Case((graded(4, 2, imaginary=True),)),
    ],
    "eig": [
        Case((graded(1, 1),)),
        Case((graded(3, 3),)),
        Case((graded(2, 3, 3),)),
        Case((PAIR,)),
        Case((graded(3, 3, imaginary=True),)),
    ],
}
