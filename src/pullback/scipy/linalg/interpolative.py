"""What is said of `scipy.linalg.interpolative`, whose factors are chosen by random numbers."""

from __future__ import annotations

import types

from scipy.linalg import interpolative

from pullback.scipy.decisions import refused

__all__: list[str] = []

refused(
    interpolative,
    " ".join(
        name
        for name in interpolative.__all__
        if isinstance(getattr(interpolative, name), types.FunctionType)
    ),
    "Use scipy.linalg.qr(a, pivoting=True), whose first columns are the ones that are chosen, or "
    "numpy.linalg.svd",
)
