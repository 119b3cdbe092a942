"""How much memory it takes to go through more samples than a chunk has."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import pullback as pb

SAMPLES = 12_000_000


def net(w, x):
    h = np.tanh(w * x)
    return np.sum(np.tanh(h + w * np.tanh(h)) * x)


@pytest.mark.parametrize("axis", [0, 1])
def test_memory_maps_are_not_read_as_a_whole(tmp_path, axis):
    """Of 192 MB there are 64 at a time, where they have to be copied; tiles have the rest."""
    shape = (SAMPLES, 2) if axis == 0 else (2, SAMPLES)
    x = np.memmap(tmp_path / "x", np.float64, "w+", shape=shape)
    compiled = pb.compile(pb.value_and_grad(net))
    over = compiled.over(x, axes=axis)
    over(0.3)  # compiled before it is measured
    tracemalloc.start()
    try:
        assert over(0.5) == (0.0, 0.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < (8e6 if axis == 0 else 76e6)
