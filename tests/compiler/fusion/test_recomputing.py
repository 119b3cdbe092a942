"""Cheap values that are computed again, and what is rather kept."""

from __future__ import annotations

import pytest

from pullback.compiler.loops import Copy, For, Scalar
from tests.compiler.fusion.written import (
    INT,
    agrees,
    at,
    axes,
    buffers,
    kernel,
    let,
    lines,
    load,
    name,
    number,
    op,
    program,
    write,
)

ALL = {"x": "input 8", "y": "output 8", "z": "output 1", "t": "scratch 8"}
HERE = ("i", 1)
DIFFERENCE = op("subtract", load("x", HERE), number(2.0))


def stored(value=DIFFERENCE):
    total = write(Scalar("r", "float64"), value, "add", number(0.0))
    return kernel(axes(i=8), total, write(at("t", HERE), value))


def used(place=("j", 1), offset=0):
    """Read for an element at another place, so that t cannot lie where y does."""
    scaled = op("multiply", load("t", place, offset=offset), name("r"))
    return kernel(axes(j=8), write(at("y", ("j", -place[1]), offset=7 - offset), scaled))


def test_a_difference_is_computed_again():
    after = agrees(program(buffers(**ALL), stored(), used(), write_of_r()))
    assert not [b for b in after.buffers if b.kind == "scratch"]
    assert sum("x[" in line for line in lines(after.body)) == 2


def write_of_r():
    return kernel(axes(k=1), write(at("z", ("k", 1)), name("r")))


def costly():
    return [stored(op("exp", load("x", HERE))), used()]


def in_many_steps():
    value = load("x", HERE)
    for _ in range(9):
        value = op("multiply", value, value)
    return [stored(value), used()]


def read_elsewhere():
    return [stored(), used(("j", -1), offset=7)]


def a_source_that_is_written_to():
    begun = For("n", number(3, INT), (), (Copy(at("y"), at("x"), 8),), (), ())
    difference = op("subtract", load("y", HERE), number(2.0))
    return [begun, stored(difference), used()]


@pytest.mark.parametrize(
    "case", [costly, in_many_steps, read_elsewhere, a_source_that_is_written_to]
)
def test_what_is_kept(case):
    after = agrees(program(buffers(**ALL), *case(), write_of_r()))
    assert [b.name for b in after.buffers if b.kind == "scratch"] == ["t"]


def test_two_arrays_are_not_read_for_one():
    both = {**ALL, "w": "input 8"}
    product = op("multiply", load("x", HERE), load("w", HERE))
    after = agrees(program(buffers(**both), stored(product), used(), write_of_r()))
    assert [b.name for b in after.buffers if b.kind == "scratch"] == ["t"]


def test_conditions_go_with_what_is_read():
    first = let("b", op("greater_equal", name("i", INT), number(1, INT), dtype="bool"))
    before = load("x", HERE, offset=-1, where=name("b", "bool"))
    value = op("subtract", load("x", HERE), before)
    kept = stored(value)
    kept = kernel(kept.axes, first, *kept.writes)
    after = agrees(program(buffers(**ALL), kept, used(), write_of_r()))
    assert not [b for b in after.buffers if b.kind == "scratch"]
