"""Random programs of loops give the same before and after fusion, and are well formed."""

from __future__ import annotations

import numpy as np
import pytest

from pullback.compiler.fusion import arrange, fuse
from pullback.compiler.loops import interpret, text, verify
from pullback.compiler.loops.interpreter import CheckFailedError
from tests.compiler.fusion.random_loops import SIZE, random_program


def outcome(program, values):
    """The outputs, or `None` if a check fails."""
    try:
        return interpret(program, values)
    except CheckFailedError:
        return None


def same(program, fused, values):
    verify(fused)
    before, after = outcome(program, values), outcome(fused, values)
    assert (before is None) == (after is None)
    for one, other in zip(before or (), after or (), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-12)
    return before is not None


@pytest.mark.parametrize("part", range(3))
def test_random_programs(part):
    rng = np.random.default_rng(part)
    shorter = passed = 0
    for seed in range(40 * part, 40 * part + 40):
        program = random_program(seed)
        verify(program)
        values = [rng.normal(size=SIZE), rng.normal(size=SIZE), rng.permutation(SIZE)]
        if seed % 10 == 0:
            values[-1][rng.integers(SIZE)] = SIZE  # an index that a check finds, if it is read
        fused = arrange(fuse(program))
        try:
            passed += same(program, fused, values)
        except Exception as failure:
            failure.add_note(text(program))
            failure.add_note(text(fused))
            raise
        shorter += len(fused.body) < len(program.body)
    assert shorter > 20
    assert passed > 20
