"""Where samples lie, against NumPy's own indexing."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pullback.compiler.loops import Place
from pullback.compiler.split.lying import Lying


def elements(place, extents):
    """The elements that a place is, at all points of the axes."""
    at = np.full(tuple(extents.values()) or (1,), place.offset)
    for k, (name, extent) in enumerate(extents.items()):
        shape = [1] * len(extents)
        shape[k] = extent
        at = at + dict(place.terms).get(name, 0) * np.arange(extent).reshape(shape)
    return at


@st.composite
def placed(draw):
    """A part of an array, its place, and the axes that run through it; the samples among them."""
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    axis = draw(st.integers(0, len(shape) - 1))
    samples = draw(st.integers(2, 6))
    shape = (*shape[:axis], samples, *shape[axis + 1 :])
    strides = [math.prod(shape[k + 1 :]) for k in range(len(shape))]
    offset, terms, extents = 0, [], {}
    for k, extent in enumerate(shape):
        name = f"i{k}"
        if k == axis:
            terms.append((name, strides[k]))
            extents[name] = extent
            continue
        first = draw(st.integers(0, extent - 1))
        step = draw(st.sampled_from([1, 2, -1]))
        room = (extent - 1 - first if step > 0 else first) // abs(step)
        extents[name] = draw(st.integers(1, room + 1))
        offset += first * strides[k]
        terms.append((name, step * strides[k]))
    return shape, axis, Place("x", offset, tuple(terms)), extents


@given(placed(), st.integers(6, 9))
def test_a_part_of_a_sample_is_where_the_array_of_the_tile_has_it(case, tile):
    shape, axis, place, extents = case
    lying = Lying(math.prod(shape[axis + 1 :]), shape[axis])
    found = lying.within(place, f"i{axis}", extents, tile)
    assert found is not None
    moved = np.moveaxis(np.arange(math.prod(shape)).reshape(shape), axis, -1)
    held = np.full((*moved.shape[:-1], tile), -1)
    held[..., : shape[axis]] = moved
    np.testing.assert_array_equal(
        held.reshape(-1)[elements(found, extents)], elements(place, extents)
    )


@given(placed(), st.data())
def test_what_belongs_to_another_sample_is_no_part_of_one(case, data):
    shape, axis, place, extents = case
    lying = Lying(math.prod(shape[axis + 1 :]), shape[axis])
    name, steps = f"i{axis}", dict(place.terms)
    offset = place.offset + data.draw(st.sampled_from([-1, 1, 2])) * lying.step
    if offset >= 0 and offset // lying.group == place.offset // lying.group:
        assert lying.within(place._replace(offset=offset), name, extents) is None
    others = tuple((each, step) for each, step in place.terms if each != name)
    assert lying.within(place._replace(terms=others), name, extents) is None
    doubled = tuple((each, step * (1 + (each == name))) for each, step in steps.items())
    assert lying.within(place._replace(terms=doubled), name, extents) is None
    unknown = (*place.terms, ("n", 1))
    assert lying.within(place._replace(terms=unknown), name, extents) is None
