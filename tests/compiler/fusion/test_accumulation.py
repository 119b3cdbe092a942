"""Sums that are computed where they are added to, and those that can't be."""

from __future__ import annotations

import pytest

from pullback.compiler.loops import Call, Copy, For, Kernel
from tests.compiler.fusion.written import (
    INT,
    agrees,
    at,
    axes,
    buffers,
    kernel,
    lines,
    load,
    number,
    op,
    program,
    write,
)

ALL = {"x": "input 12", "y": "output 4", "z": "output 4", "t": "scratch 4"}
TERM = load("x", ("i", 3), ("k", 1))


def sums(combine="add", start=0.0, value=TERM):
    return kernel(axes(i=4, k=3), write(at("t", ("i", 1)), value, combine, number(start)))


def addition(what="add", to="y", source="t", size=4):
    here = ("j", 1)
    value = op(what, load(to, here), load(source, here))
    return kernel(axes(j=size), write(at(to, here), value))


def begin(target="y"):
    return Copy(at(target), at("x"), 4)


@pytest.mark.parametrize(("what", "start"), [("add", 0.0), ("multiply", 1.0)])
def test_a_sum_is_added_where_it_is_computed(what, start):
    before = program(
        buffers(**ALL),
        begin(),
        begin("z"),
        For("n", number(3, INT), (), (sums(what, start), addition(what)), (), ()),
    )
    after = agrees(before)
    assert lines(after.body)[-4:] == [
        "for n < 3:",
        "  for all i < 4, k < 3:",
        "    w4: float64 = x[3·i + k]",
        f"    y[i] {what}= w4",
    ]
    assert not [b for b in after.buffers if b.kind == "scratch"]


def another_start():
    return [sums(start=2.0), addition()]


def another_operation():
    return [sums(), addition("multiply")]


def a_part_of_it():
    return [sums(), addition(size=3)]


def read_again():
    return [sums(), addition(), Call(0, (at("t"), at("z")), 1)]


def touched_between():
    return [sums(), Call(0, (at("y"), at("z")), 1), addition()]


def touched_in_the_sums():
    product = op("multiply", TERM, load("y", ("k", 1)))
    return [sums(value=product), addition()]


def backwards():
    value = op("add", load("y", ("j", 1)), load("t", ("j", -1), offset=3))
    return [sums(), kernel(axes(j=4), write(at("y", ("j", 1)), value))]


def used_twice():
    value = op("add", load("y", ("j", 1)), load("t", ("j", 1)))
    both = (write(at("y", ("j", 1)), value), write(at("z", ("j", 1)), value))
    return [sums(), kernel(axes(j=4), *both)]


@pytest.mark.parametrize(
    "made",
    [
        another_start,
        another_operation,
        a_part_of_it,
        read_again,
        touched_between,
        touched_in_the_sums,
        backwards,
        used_twice,
    ],
)
def test_sums_that_stay_apart(made):
    def call(source, target):
        target[:4] = source[:4] + 1

    before = program(buffers(**ALL), begin(), begin("z"), *made())
    after = agrees(before, calls=[call])
    (first,) = (x for x in after.body if isinstance(x, Kernel) and len(x.axes) == 2)
    assert first.writes[0].start is not None
