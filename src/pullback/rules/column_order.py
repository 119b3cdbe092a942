"""The order in which columns of a matrix are taken by a QR factorisation with exchanges."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from pullback.core.structure import rowwise
from pullback.rules.registration import constant

__all__ = ["column_order"]


def _column_order(a):
    found = np.empty((*a.shape[:-2], a.shape[-1]), np.int32)
    for place in np.ndindex(a.shape[:-2]):
        found[place] = scipy.linalg.qr(a[place], mode="r", pivoting=True, check_finite=False)[-1]
    return found


column_order = constant(_column_order, rowwise("(m,n)->(n)", lambda m, n: 2 * m * n**2))
"""The columns, those first that are longest when what was taken before is taken out of them."""
