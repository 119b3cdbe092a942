"""Points for `pullback.rules.roots`."""

from __future__ import annotations

import numpy as np

from tests.rules.cases.case import Case

P = np.array([1.0, -6.1, 11.3, -6.2])
SIMPLE = {"real": True}

CASES = {
    "roots": [
        Case((P,), SIMPLE),
        Case((np.array([0.7, -1.2]),), SIMPLE),
        Case((np.array([1.0, 0.3, 2.0, 0.4]),), {"real": False}),
        Case((np.array([2.0, 1.0, 0.5, 0.0]),), {"real": False}),
        Case((P + 1j * np.array([0.2, 0.5, -0.4, 0.3]),), {"real": False}),
        Case((np.stack([P, 2 * P + np.array([0.0, 0.1, 0.0, 0.0])]),), SIMPLE),
    ]
}
