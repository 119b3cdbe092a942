"""Small arrays are scalars, also where they end in memory."""

from __future__ import annotations

import numpy as np

import pullback as pb
from pullback.compiler.fusion import arrange, fuse
from pullback.compiler.loops import Kernel, Store
from tests.compiler.interpreted import interpreted


def test_an_output_that_is_computed_from_scalars_is_stored_from_them():
    x = np.linspace(0.5, 2.0, 6).reshape(2, 3)

    def of_scalars(x):
        return np.exp(x - np.max(x, axis=1, keepdims=True))

    def of_memory(x):
        return np.exp(x)

    found = {}
    for function in (of_scalars, of_memory):
        (value,), lowered = interpreted(pb.trace(function, x), (x,))
        np.testing.assert_allclose(value, function(x), rtol=1e-15)
        found[function] = [type(each) for each in arrange(fuse(lowered.program)).body]
    assert Kernel not in found[of_scalars]
    assert found[of_scalars].count(Store) == x.size
    assert found[of_memory] == [Kernel]
