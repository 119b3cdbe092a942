"""Spherical Bessel functions, real and complex, of whole orders.

(2n + 1)·f′ₙ = ±n·f_{n−1} ± (n + 1)·f_{n+1} (DLMF 10.51.2 and 5), which holds at z = 0 too.
"""

from __future__ import annotations

import numpy as np
import scipy.special as sc

from pullback.core.primitive import Primitive
from pullback.rules.registration import elementwise
from pullback.rules.special.missing import no_closed_form

__all__ = ["SPHERICAL"]

SPHERICAL: dict[str, tuple[Primitive, Primitive]] = {}
"""For each name, the primitives of the function and of its derivative."""


def _enter(name, below, above):
    function = getattr(sc, name)

    def value(n, z):
        return np.asarray(function(n, z), order="C")[()]

    def slope(n, z):
        return np.asarray(function(n, z, derivative=True), order="C")[()]

    def climbed(each, n, z):
        lower = np.where(np.equal(n, 0), 0, n) * each(np.maximum(n - 1, 0), z)
        return (below * lower + above * (n + 1) * each(n + 1, z)) / (2 * n + 1)

    def first(_y, n, z):
        """∂y/∂z = (±n·f_{n−1} ± (n + 1)·f_{n+1})/(2n + 1); no rule for the order."""
        return no_closed_form(name, "n"), lambda: climbed(entered, n, z)

    def second(_y, n, z):
        """y = f′ₙ: ∂y/∂z by the same formula of f′; no rule for the order."""
        return no_closed_form(name, "n"), lambda: climbed(lambda n, z: climbed(entered, n, z), n, z)

    entered = elementwise(value, name=name, singular=True)(first)
    SPHERICAL[name] = entered, elementwise(slope, name=f"{name}_slope", singular=True)(second)


_enter("spherical_jn", 1, -1)
_enter("spherical_yn", 1, -1)
_enter("spherical_in", 1, 1)
_enter("spherical_kn", -1, -1)
