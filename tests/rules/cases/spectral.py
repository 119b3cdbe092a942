"""Points for `pullback.rules.spectral`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

RNG = np.random.default_rng(6)


def graded(*shape):
    """Matrices with singular values well apart."""
    return 0.3 * RNG.normal(size=shape) + np.eye(*shape[-2:]) * np.arange(1.0, shape[-1] + 1)


CASES = {
    "eigh": [
        Case((graded(1, 1),)),
        Case((graded(3, 3),)),
        Case((graded(2, 3, 3),), {"uplo": "U"}),
    ],
    "svd": [
        Case((graded(1, 1),)),
        Case((graded(3, 3),)),
        Case((graded(4, 2),)),
        Case((graded(2, 3),)),
        Case((graded(2, 3, 2),)),
    ],
    "pinv": [
        Case((graded(3, 3),)),
        Case((graded(4, 2),)),
        Case((graded(2, 3),)),
        Case((graded(2, 3, 2),)),
        Case((graded(3, 2) + 0.5j * graded(3, 2),)),
    ],
}
