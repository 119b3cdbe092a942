"""Which places are apart: what is said to be so is, looked at place by place."""

from __future__ import annotations

import itertools

import numpy as np

from pullback.compiler.fusion.regions import apart, disjoint
from pullback.compiler.loops import Place


def elements(place, extents):
    """All elements that a place is, one for each point."""
    names = [name for name, _ in place.terms if name in extents]
    steps = dict(place.terms)
    return [
        place.offset + sum(steps[name] * k for name, k in zip(names, point, strict=True))
        for point in itertools.product(*(range(extents[name]) for name in names))
    ]


def test_random_places():
    rng = np.random.default_rng(5)
    extents = {"i": 4, "j": 3, "k": 2}
    steps = [-12, -6, -2, -1, 1, 2, 3, 4, 6, 8, 12, 24]

    def place():
        names = rng.permutation(list(extents))[: rng.integers(1, 4)]
        terms = tuple((str(name), int(rng.choice(steps))) for name in names)
        return Place("x", int(rng.integers(60)), terms)

    said = {disjoint: 0, apart: 0}
    for _ in range(3000):
        one, other = place(), place()
        if disjoint(one, other, extents):
            said[disjoint] += 1
            assert not {*elements(one, extents)} & {*elements(other, extents)}
        own = {name: extents[name] for name, _ in one.terms}
        if apart(one, own):
            said[apart] += 1
            assert len({*elements(one, extents)}) == len(elements(one, extents))
    assert min(said.values()) > 300


def test_parts_that_are_known_to_be_apart():
    """Columns of rows, each second element, halves, other slices of a record, rows backwards."""
    extents = {"i": 4, "j": 3}
    rows = Place("x", 0, (("i", 12), ("j", 1)))
    assert disjoint(rows, rows._replace(offset=3), extents)
    assert not disjoint(rows, rows._replace(offset=2), extents)
    assert disjoint(Place("x", 0, (("i", 2),)), Place("x", 1, (("i", 2),)), extents)
    assert disjoint(Place("x", 0, (("i", 1),)), Place("x", 4, (("i", 1),)), extents)
    record = Place("x", 0, (("n", 12), ("i", 3), ("j", 1)))
    assert disjoint(record, record._replace(offset=12), extents)
    assert not disjoint(record, Place("x", 12, (("m", 12), ("i", 3), ("j", 1))), extents)
    assert disjoint(Place("x", 11, (("i", -3),)), Place("x", 0, (("i", 3),)), extents)
