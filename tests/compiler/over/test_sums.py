"""The tree in which the sums of blocks are joined."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullback.compiler.loops import Buffer, Sum
from pullback.compiler.over.sums import Forest, Node, pieces


def in_rounds(values):
    """Two by two, then the pairs two by two; what has no partner waits for the next round."""
    values = [*values]
    while len(values) > 1:
        pairs = zip(values[::2], values[1::2], strict=False)
        values = [a + b for a, b in pairs] + values[len(values) // 2 * 2 :]
    return values[0]


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12).filter(sum),
    st.randoms(use_true_random=False),
)
def test_the_tree_is_that_of_all_blocks(counts, random):
    """Whatever chunks they come in, and in whatever order."""
    values = np.random.default_rng(sum(counts)).normal(size=sum(counts)) * 1e3
    nodes = []
    first = 0
    for count in counts:
        begin = first
        for level, number in pieces(first, count):
            assert number << level == begin and 1 << level <= count
            end = begin + (1 << level)
            nodes.append(Node(level, number, [np.array([in_rounds(values[begin:end])])]))
            begin = end
        first += count
        assert begin == first
    random.shuffle(nodes)
    forest = Forest(["add"])
    for node in nodes:
        forest.add(node)
    total = forest.total([Sum("s", "add")], [Buffer("s", "float64", 1, "scratch")])
    assert total[0] == in_rounds(values)
    assert len(forest.nodes) == bin(len(values)).count("1")


@pytest.mark.parametrize(
    ("combine", "dtype", "expected"),
    [
        ("add", "float64", -0.0),
        ("multiply", "float32", 1.0),
        ("maximum", "float64", -np.inf),
        ("minimum", "int64", np.iinfo("int64").max),
        ("logical_and", "bool", True),
        ("logical_or", "bool", False),
    ],
)
def test_no_samples_change_nothing(combine, dtype, expected):
    total = Forest([combine]).total([Sum("s", combine)], [Buffer("s", dtype, 2, "scratch")])
    assert total[0].dtype == dtype and total[0].tolist() == [expected] * 2
    assert np.signbit(total[0][0]) == np.signbit(expected)


def test_extremes_are_those_of_native_code():
    """A NaN on either side, and of zeros of both signs the second."""
    a, b = np.array([1.0, np.nan, 2.0, 0.0]), np.array([np.nan, 1.0, 3.0, -0.0])
    for combine, largest in (("maximum", 3.0), ("minimum", 2.0)):
        forest = Forest([combine])
        forest.add(Node(0, 1, [b]))
        forest.add(Node(0, 0, [a]))
        (found,) = forest.nodes[1, 0]
        assert np.isnan(found[:2]).all() and found[2] == largest and np.signbit(found[3])
