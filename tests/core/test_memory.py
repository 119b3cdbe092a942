"""Copies of arrays, and whether they are still right."""

from __future__ import annotations

import numpy as np

from pullback.core.memory import Snapshots, is_unchanged, once_each, repeated, same_elements
from pullback.core.strides import copied

LAYOUTS = {
    "C": lambda a: a,
    "F": np.asfortranarray,
    "gaps": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: a[::-1],
    "repeated": lambda a: np.broadcast_to(a[:1], a.shape),
}
DTYPES = "float64", "float32", "float16", "complex128", "complex64", "int8", "bool", "longdouble"


def test_an_array_is_unchanged_if_its_bits_are():
    for dtype in DTYPES:
        for name, layout in LAYOUTS.items():
            array = layout(np.arange(1, 61).reshape(15, 4).astype(dtype))
            copy = copied(array)
            assert copy.strides == array.strides or name == "gaps"
            assert is_unchanged(copy, array), (dtype, name)
            if name == "repeated":
                continue
            array[7, 2] = 0
            assert not is_unchanged(copy, array), (dtype, name)


def test_zeros_have_signs_and_nan_is_itself():
    array = np.array([0.0, np.nan])
    copy = array.copy()
    assert is_unchanged(copy, array)
    array[0] = -0.0
    assert not is_unchanged(copy, array)


def test_an_array_of_several_pieces():
    array = np.zeros(200_000)
    copy = array.copy()
    for place in (0, 99_999, 199_999):
        array[place] = 1
        assert not is_unchanged(copy, array)
        array[place] = 0
    assert is_unchanged(copy, array)
    assert is_unchanged(np.zeros((0, 3)), np.zeros((0, 3)))


def test_a_number_that_is_everywhere_is_looked_at_where_it_is():
    ones, row = np.ones((1, 3)), np.array([[1.0, 1.0, 2.0]])
    assert repeated(np.broadcast_to(ones, (10**12, 3))) == 1
    assert repeated(np.broadcast_to(row, (10**12, 3))) is None
    assert repeated(np.broadcast_to(row[:, 2:], (5, 10**12))) == 2
    assert repeated(np.broadcast_to(ones, (0, 3))) == 0
    one, other = (np.broadcast_to(x, (10**12, 3)) for x in (ones, row))
    assert same_elements(one, np.broadcast_to(ones.copy(), one.shape))
    assert not same_elements(one, other)
    assert one[once_each(one)].shape == one[once_each(one, other)].shape == (1, 3)


def test_a_copy_serves_until_the_array_is_written_to():
    snapshots = Snapshots()
    array = np.ones((200, 200))
    first = snapshots.of(array)
    assert first is not array and not first.flags.writeable
    assert snapshots.of(array) is first and snapshots.of(array[:]) is first
    transposed = snapshots.of(array.T)
    assert transposed is not first and transposed.flags.f_contiguous
    array[3, 3] = 2
    second = snapshots.of(array)
    assert second is not first and first[3, 3] == 1 and second[3, 3] == 2
    assert snapshots.of(first) is first
    small = np.ones(3)
    assert snapshots.of(small) is not snapshots.of(small)


def test_copies_that_nobody_needs_are_freed():
    snapshots = Snapshots()
    for _ in range(3):
        snapshots.of(np.ones((200, 200)))
    assert not snapshots._copies
