"""Pytrees: flattening, structures, paths, and dataclasses taken on first sight."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import pullback as pb
from pullback.core.trees import flatten, flatten_like, leaf_paths, map_tree, static, unflatten
from pullback.errors import ArgumentValueError


@dataclass
class Point:
    x: Any
    y: Any
    name: str = static(default="p")


@dataclass(frozen=True)
class Nested:
    points: Any
    tag: str = field(default="n", metadata={"pytree_node": False})


def test_round_trip():
    tree = {"a": [1.0, (2.0, None)], "b": Nested([Point(3.0, 4.0, "q"), 5.0], "t")}
    leaves, spec = flatten(tree)
    assert leaves == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert unflatten(spec, leaves) == tree


def test_paths_are_spelled_as_python_does():
    _, spec = flatten({"W": [1.0, Point(2.0, [3.0])], "b": 0.0})
    assert leaf_paths(spec) == ["['W'][0]", "['W'][1].x", "['W'][1].y[0]", "['b']"]
    assert leaf_paths(flatten(1.0)[1]) == [""]


def test_paths_reach_the_leaves():
    pair = namedtuple("pair", "first second")
    tree = {
        "a": [1.0, None, (), deque([2.0, {3: 4.0, "b": None}])],
        (1, "c"): pair(OrderedDict(z=5.0, y=(6.0,)), Nested([Point(7.0, [8.0]), 9.0])),
        "d": defaultdict(list, {"e": [10.0], "f": []}),
    }
    leaves, spec = flatten(tree)
    assert len(leaves) == 9
    assert [eval("tree" + path, {"tree": tree}) for path in leaf_paths(spec)] == leaves
    deep = 1.0
    for _ in range(900):
        deep = [deep]
    assert leaf_paths(flatten(deep)[1]) == ["[0]" * 900]


def test_static_fields_belong_to_the_structure():
    assert flatten(Point(1.0, 2.0, "a"))[1] == flatten(Point(3.0, 4.0, "a"))[1]
    assert flatten(Point(1.0, 2.0, "a"))[1] != flatten(Point(1.0, 2.0, "b"))[1]


def test_none_stands_for_zero_at_any_depth():
    _, spec = flatten({"a": [1.0, 2.0], "b": (3.0, {"c": 4.0})})
    assert flatten_like(spec, None, "t") == [None] * 4
    assert flatten_like(spec, {"a": None, "b": (7.0, None)}, "t") == [None, None, 7.0, None]
    assert flatten_like(spec, {"a": [5.0, None], "b": None}, "t") == [5.0, None, None, None]


@pytest.mark.parametrize(
    "other", [{"a": [1.0]}, {"a": (1.0, 2.0)}, {"c": [1.0, 2.0]}, [1.0, 2.0], 1.0]
)
def test_another_structure_is_an_error(other):
    _, spec = flatten({"a": [1.0, 2.0]})
    with pytest.raises(ArgumentValueError, match=r"f: the seed has the structure .*, wanted"):
        flatten_like(spec, other, "f: the seed")


def test_map_tree():
    got = map_tree(lambda x, y: x + y, {"a": [1.0, 2.0]}, {"a": [10.0, 20.0]})
    assert got == {"a": [11.0, 22.0]}


def test_a_dataclass_seen_first_by_several_threads():
    @dataclass
    class Fresh:
        x: Any

    barrier, results = threading.Barrier(6), []

    def work():
        barrier.wait()
        results.append(flatten([Fresh(np.float64(1.0))] * 3)[0])

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[1.0, 1.0, 1.0]] * 6


@dataclass
class Grid:
    values: object
    nodes: object = static(default=None)


def test_static_fields_are_compared_element_by_element():
    nodes = np.arange(3.0)

    def scaled(grid):
        return Grid(2.0 * grid.values, grid.nodes.copy())

    y, pull = pb.vjp(scaled, Grid(np.ones(3), nodes))
    (bar,) = pull(Grid(np.ones(3), nodes.copy()))
    assert bar.values.tolist() == [2.0, 2.0, 2.0] and bar.nodes.tolist() == nodes.tolist()
    graph = pb.trace(scaled, y)
    assert graph(Grid(np.ones(3), nodes.copy())).values.tolist() == [2.0, 2.0, 2.0]
    assert pb.cond(True, scaled, lambda grid: grid, y).values.tolist() == [4.0, 4.0, 4.0]
    for other in (nodes + 1, np.arange(4.0), None, "nodes"):
        with pytest.raises(ArgumentValueError, match="what is static there differs"):
            pull(Grid(np.ones(3), other))


def test_a_dataclass_itself_is_a_leaf():
    leaves, _ = flatten([Grid, 1.0])
    assert leaves == [Grid, 1.0]


def test_a_field_without_a_value():
    grid = Grid(1.0)
    del grid.values
    with pytest.raises(ArgumentValueError, match="a Grid in a pytree has no value"):
        flatten(grid)
