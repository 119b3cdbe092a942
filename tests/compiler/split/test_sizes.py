"""Tiles and blocks are so long that those of several phases begin together again soon."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pullback.compiler.split.sizes import Sizes, sizes_here

sizes = Sizes()
bytes_ = st.integers(1, 10**7)


@given(bytes_, st.booleans(), st.integers(0, 5000), st.booleans(), st.integers(1, 10**8))
def test_tiles_and_blocks_are_powers_of_two(each, keeps, wide, apart, operations):
    tile = sizes.tile(each, keeps=keeps, wide=wide, apart=apart)
    block = sizes.tiles(tile, operations)
    assert tile & (tile - 1) == block & (block - 1) == 0
    assert 1 <= tile <= (sizes.most if keeps else sizes.streamed)
    assert tile >= sizes.least or (apart and not keeps)
    assert block == 1 or tile * block <= sizes.block


@given(bytes_)
def test_a_tile_that_keeps_something_fits_the_cache(each):
    tile = sizes.tile(each, keeps=True)
    assert tile in (sizes.least, sizes.most) or sizes.cache / 2 <= each * tile <= sizes.cache


def test_this_machine_has_a_cache():
    assert 1 << 17 <= sizes_here().cache <= 1 << 23
