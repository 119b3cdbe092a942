"""Counts of references that tell who holds an array, as the interpreter learns and optimises.

Python's newer releases pass arguments and read locals without counting them where some frame holds
them anyway, and put faster instructions in the place of those that ran often. What is held in a
frame alone must stay as it is all the same, from the first run to the last.
"""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.core.primitive import registry
from pullback.graph.execution import unshared

index_update = registry["index_update"]
RUNS = 3_000


def in_a_frame(graph, x):
    (result,) = graph.evaluate([x])
    return x, result


def in_frames_one_above_the_other(graph, x):
    return in_a_frame(graph, x)


def in_a_suspended_frame(graph, x):
    def generate(x):
        yield graph.evaluate([x])[0]
        yield x

    result, kept = generate(x)
    return kept, result


def below_compiled_code(graph, x):
    def each(x):
        return x, graph.evaluate([x])[0]

    (pair,) = map(each, [x])
    return pair


def in_arguments_that_are_spread(graph, *args):
    (result,) = graph.evaluate([*args])
    return *args, result


@pytest.mark.parametrize(
    "hold",
    [
        in_a_frame,
        in_frames_one_above_the_other,
        in_a_suspended_frame,
        below_compiled_code,
        in_arguments_that_are_spread,
    ],
)
def test_an_array_that_is_held_in_a_frame_alone_is_copied(hold):
    graph = pb.trace(lambda y: index_update(y, -1.0, key=(0,)), np.ones(4))
    for _ in range(RUNS):
        kept, result = hold(graph, np.ones(4))
        assert kept[0] == 1
        assert result[0] == -1


def test_a_list_alone_and_a_list_beside_a_name_are_told_apart():
    values = [np.ones(4), np.ones(4)]
    held = values[1]
    for _ in range(RUNS):
        assert unshared(values, 0)
        assert not unshared(values, 1)
    assert held is values[1]
