"""Every primitive of the rule book, at every point of its rule tests, compiled against eager."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.compiler.agreement import assert_agree
from tests.compiler.speed import quickly
from tests.rules.cases import CASES
from tests.rules.test_rules import POINTS, Point

UNKNOWN = {"nonzero"}
"""The shapes of what they return depend on values, so that there is no graph of them."""

TOGETHER = 40
"""How many points are compiled as one function: few functions are made, and none is too long."""


def points_of(name):
    """The points of a primitive, by their names."""
    return {each: Point(*POINTS[each]) for each in POINTS if POINTS[each][0] == name}


def derivatives(points):
    """The values at some points, the pushforwards along u, and the pullbacks of w."""

    def function(primals, tangents, cotangents):
        return [at(*each) for each in zip(points, primals, tangents, cotangents, strict=True)]

    def at(point, x, u, w):
        values, along = pb.pushforward(point, x, u)
        return values, along, pb.pullback(point, x, w)[1]

    return function


@pytest.mark.parametrize("name", sorted(set(CASES) - UNKNOWN))
def test_values_pushforwards_and_pullbacks(name):
    """The first point as users have it, and the others with code that is made quickly."""
    found = list(points_of(name).items())
    _check(*zip(*found[:1], strict=True))
    with quickly():
        for first in range(1, len(found), TOGETHER):
            _check(*zip(*found[first : first + TOGETHER], strict=True))


def _check(names, points):
    """One native function for the values and derivatives at all these points."""
    function = derivatives(points)
    arguments = [[point.primals for point in points], [p.u for p in points], [p.w for p in points]]
    with np.errstate(all="ignore"):
        expected = function(*arguments)
        got = pb.compile(function)(*arguments)
    for name, one, other in zip(names, got, expected, strict=True):
        assert_agree(one, other, name)


@pytest.mark.parametrize("name", sorted(UNKNOWN))
def test_what_has_no_shape_before_it_is_computed_says_so(name):
    for point in points_of(name).values():
        with pytest.raises(pb.DataDependenceError, match=name):
            pb.compile(point)(*point.primals)
