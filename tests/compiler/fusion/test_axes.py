"""Axes that are joined, and the order that axes are put into."""

from __future__ import annotations

import pytest

from pullback.compiler.fusion.axes import walked
from pullback.compiler.loops import Copy, Scalar
from tests.compiler.fusion.written import (
    INT,
    F,
    agrees,
    at,
    axes,
    buffers,
    kernel,
    lines,
    load,
    name,
    number,
    op,
    program,
    with_body,
    write,
)


def run(*body):
    before = program(buffers(x="input 24", y="output 24", z="output 24"), *body)
    return lines(agrees(before, with_body(before, walked(before.body))).body)


HERE = ("i", 12), ("j", 4), ("k", 1)


def test_axes_of_contiguous_arrays_are_joined():
    value = op("sin", load("x", *HERE))
    assert run(
        kernel(axes(i=2, j=3, k=4), write(at("y", *HERE), value)),
        kernel(
            axes(a=2, b=3, c=4),
            write(at("z", ("a", 12), ("b", 4), ("c", 1)), op("sin", load("x", ("c", 1)))),
        ),
    ) == [
        "for all k < 24:",
        "  y[k] = sin(x[k])",
        "for all b < 6, c < 4:",
        "  z[4·b + c] = sin(x[c])",
    ]


def test_axes_that_are_numbers_are_kept():
    inside = op("less", name("j", INT), number(2, INT), dtype="bool")
    value = load("x", *HERE, where=inside)
    assert run(kernel(axes(i=2, j=3, k=4), write(at("y", *HERE), value))) == [
        "for all i < 2, j < 3, k < 4:",
        "  y[12·i + 4·j + k] = (x[12·i + 4·j + k] where j < 2)",
    ]


@pytest.mark.parametrize("order", ["ijk", "kji", "jik"])
def test_the_innermost_axis_is_that_of_the_next_elements(order):
    """In whichever order they come, and whatever is summed."""
    extents = {"i": 2, "j": 3, "k": 4}
    product = op("multiply", load("x", ("i", 3), ("j", 1)), load("x", ("j", 4), ("k", 1)))
    found = run(
        kernel(
            axes(**{axis: extents[axis] for axis in order}),
            write(at("y", ("i", 4), ("k", 1)), product, "add", number(0.0)),
            write(Scalar("r", F), product, "add", number(0.0)),
        ),
        kernel(axes(a=24), write(at("z", ("a", 1)), name("r"))),
    )
    assert found[0] in ("for all i < 2, j < 3, k < 4:", "for all j < 3, i < 2, k < 4:")


def test_a_kernel_that_copies_is_a_copy():
    place = ("i", 12), ("j", 1)
    before = program(
        buffers(x="input 24", y="output 24", z="output 24"),
        kernel(axes(i=2, j=12), write(at("y", *place), load("x", *place))),
        kernel(axes(k=12), write(at("z", ("k", 1)), load("x", ("k", 2)))),
    )
    after = agrees(before)
    assert lines(after.body)[0] == "y[0] = x[0], 24 elements"
    assert not isinstance(after.body[1], Copy)
