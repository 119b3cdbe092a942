"""The working memory of tiles: as many sums as wait at once, and spans that threads share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pullback.compiler.llvm.areas import PER_WORKER, Area

extents = st.integers(0, 10**7)
areas = st.builds(
    Area, extents, st.integers(1, 4096), st.integers(1, 64), st.just(640), st.sampled_from([0, 64])
)


@given(areas, st.integers(1, 64))
def test_spans_are_as_many_blocks_as_a_power_of_two_and_not_too_many(area, workers):
    spans, blocks = area.spans(workers), area.blocks
    assert blocks == -(-area.extent // (area.tile * area.block))
    assert spans <= min(blocks, PER_WORKER * workers)
    lengths = [1 << n for n in range(40) if -(-blocks // (1 << n)) == spans]
    assert blocks == 0 or lengths
    # Half as long they would be too many.
    if blocks and lengths[0] > 1:
        assert -(-blocks // (lengths[0] // 2)) > PER_WORKER * workers


@given(st.integers(0, 5000))
def test_there_is_room_for_the_sums_that_wait(blocks):
    waiting, most = 0, 0
    for n in range(1, blocks + 1):
        waiting += 1
        most = max(most, waiting)
        while n % 2 == 0:
            waiting, n = waiting - 1, n // 2
    area = Area(blocks, 1, 1, 0, 64)
    assert area.bytes(1) >= 64 * (most + max(area.spans(1), 1))


@given(areas, st.integers(1, 63))
def test_more_threads_need_no_less(area, workers):
    assert area.bytes(workers) <= area.bytes(workers + 1)
