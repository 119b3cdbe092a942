"""What subscripts name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullback.graph.variable import Variable
from pullback.passes.places import are_apart, key_of, place_of, region, with_numbers

__all__ = ["keys"]


@st.composite
def keys(draw):
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    named = draw(st.integers(0, len(shape)))
    before = draw(st.none() | st.integers(0, named))  # an ellipsis, if there is one
    leading = named if before is None else before
    entries = []
    for extent in shape[:leading] + shape[len(shape) - named + leading :]:
        if draw(st.booleans()):
            entries.append(draw(st.integers(-extent, extent - 1)))
        else:
            bound = st.none() | st.integers(-5, 5)
            step = st.none() | st.sampled_from([-2, -1, 1, 2])
            entries.append(slice(draw(bound), draw(bound), draw(step)))
    if before is not None:
        entries.insert(before, Ellipsis)
    return shape, tuple(entries)


@given(keys())
def test_the_one_spelling_of_a_subscript(given):
    shape, key = given
    array = np.arange(np.prod(shape)).reshape(shape)
    named = region(key, shape)
    canonical = key_of(named, shape)
    np.testing.assert_array_equal(array[canonical], array[key])
    again = region(canonical, shape)
    assert key_of(again, shape) == canonical


def test_what_is_no_region():
    assert region((None, 0), (3,)) is None
    assert region((np.int64(1),), (3,)) is None


@given(keys(), keys())
def test_subscripts_that_have_nothing_in_common(one, other):
    shape, key = one
    array = np.arange(np.prod(shape)).reshape(shape)
    try:
        theirs = np.ravel(array[other[1]])
    except IndexError:
        return
    ours = np.ravel(array[key])
    first, second = region(key, shape), region(other[1], shape)
    if are_apart(first, second):
        assert not set(ours) & set(theirs)
    if first == second:
        np.testing.assert_array_equal(ours, theirs)


def test_computed_places():
    i, j = (Variable((), np.dtype(int)) for _ in range(2))
    key, rows = ("array", slice(1, None)), Variable((3,), np.dtype(int))
    assert place_of(key, (i,), (3, 4)) == place_of(key, (i,), (3, 4))
    assert place_of(key, (i,), (3, 4)) != place_of(key, (j,), (3, 4))
    assert place_of(key, (rows,), (3, 4)) is None
    assert not are_apart(place_of(key, (i,), (3, 4)), place_of(key, (j,), (3, 4)))
    assert not are_apart(place_of(key, (i,), (3, 4)), region((0,), (3, 4)))


@pytest.mark.parametrize(
    ("key", "numbers", "wanted"),
    [
        (("array",), (np.int64(2),), (2,)),
        ((slice(None), "array"), (-1,), (slice(None), -1)),
        ((Ellipsis, None, "array"), (3,), (Ellipsis, None, 3)),
        (("array", "array"), (0, np.uint8(3)), (0, 3)),
        (("array",), (3,), None),
        ((slice(None), "array"), (4,), None),
        (("array",), (np.bool_(True),), None),
    ],
)
def test_numbers_in_a_template(key, numbers, wanted):
    found = with_numbers(key, numbers, (3, 4))
    assert found == (None if wanted is None else (wanted, []))


def test_numbers_beside_masks():
    mask, i = Variable((2, 3), np.dtype(bool)), Variable((2,), np.dtype(int))
    key = ("array", "array", "array")
    assert with_numbers(key, (mask, 4, i), (2, 3, 5, 7)) == (("array", 4, "array"), [mask, i])
    assert with_numbers(key, (mask, 5, i), (2, 3, 5, 7)) is None
