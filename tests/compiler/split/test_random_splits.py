"""Random programs of loops give the same in tiles, along whichever extent, as they do whole."""

from __future__ import annotations

import numpy as np
import pytest

from pullback.compiler.fusion import arrange, fuse
from pullback.compiler.loops import text, verify
from pullback.compiler.split import Sizes, split
from tests.compiler.fusion.random_loops import SIZE, random_program
from tests.compiler.fusion.test_random_loops import outcome, same
from tests.compiler.llvm.native import run


def tiles_of(tile):
    """Tiles of so many samples, two of which are a block, wherever there can be some."""
    return Sizes(
        least=tile, most=tile, streamed=tile, block=2 * tile, lanes=tile, little=0, much=0
    )  # fmt: skip


@pytest.mark.parametrize("part", range(3))
def test_random_programs(part):
    rng = np.random.default_rng(part)
    count = 0
    for seed in range(30 * part, 30 * part + 30):
        program = random_program(seed)
        values = [rng.normal(size=SIZE), rng.normal(size=SIZE), rng.permutation(SIZE)]
        fused = fuse(program)
        for samples in (24, 12, 6, 4):
            found = split(fused, [samples], tiles_of(int(rng.integers(1, 7))))
            count += found.phases
            try:
                verify(found.program)
                arranged = arrange(found.program)
                good = same(program, arranged, values)
                if good and seed % 6 == 0:
                    natively(program, arranged, values)
            except Exception as failure:
                failure.add_note(text(fused))
                failure.add_note(text(found.program))
                raise
    assert count > 150


def natively(program, tiled, values):
    """The same as machine code."""
    code, outputs = run(tiled, values)
    assert code == 0
    for one, other in zip(outcome(program, values), outputs, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-12)
