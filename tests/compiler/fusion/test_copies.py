"""Buffers that are written where they are copied to, and those that can't be."""

from __future__ import annotations

import pytest

from pullback.compiler.fusion.copies import without_copies
from pullback.compiler.loops import Call, Copy, External, For, Store
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

ALL = {"x": "input 6", "y": "output 6", "z": "output 6", "t": "scratch 6", "u": "scratch 6"}


def filled(target, axis, what="sin", source="x"):
    return kernel(
        axes(**{axis: 6}), write(at(target, (axis, 1)), op(what, load(source, (axis, 1))))
    )


def call(source, target):
    target[...] = source + 1.0


def copies(body):
    return [line for line in lines(body) if "elements" in line]


def test_a_buffer_becomes_the_output_that_it_is_copied_to():
    """Through two copies, what Python writes, and with reads after the copy."""
    before = program(
        buffers(**ALL),
        filled("t", "i"),
        Call(0, (at("t"), at("u")), 1),
        Copy(at("y"), at("u"), 6),
        filled("z", "j", "cos", "u"),
    )
    after = agrees(before, without_copies(before), calls=[call])
    assert lines(after.body) == [
        "for all i < 6:",
        "  t[i] = sin(x[i])",
        "y[0] = call 0(t[0])",
        "for all j < 6:",
        "  z[j] = cos(y[j])",
    ]
    assert "u" not in {b.name for b in after.buffers}


def test_what_a_library_writes_is_copied_nowhere():
    """It may read what it writes to: that has been filled before, and must be still."""

    def add(target, source, scale):
        target[...] += scale[0] * source

    before = program(
        buffers(**ALL),
        filled("t", "i"),
        filled("u", "k", "cos"),
        External("add", (at("u"), at("t"), number(2.0)), (0,)),
        Copy(at("y"), at("u"), 6),
        filled("z", "j", "exp", "t"),
    )
    after = agrees(before, symbols={"add": add})
    assert not copies(after.body)
    assert "u" not in {b.name for b in after.buffers}
    (merged, called) = after.body
    assert len(merged.writes) == 3
    assert called.arguments[0] == at("y")


def test_a_chain_of_copies():
    before = program(
        buffers(**ALL),
        filled("t", "i"),
        Copy(at("u"), at("t"), 6),
        Copy(at("y"), at("u"), 6),
        Copy(at("z"), at("u"), 6),
    )
    after = agrees(before, without_copies(before))
    assert copies(after.body) == ["z[0] = y[0], 6 elements"]


def in_a_loop(*body):
    return For("n", number(3, INT), (), body, (), ())


def touched_between():
    return [filled("y", "k", "cos"), filled("t", "i"), filled("z", "j", "exp", "y"),
            Copy(at("y"), at("t"), 6)]  # fmt: skip


def written_after():
    return [filled("t", "i"), Copy(at("y"), at("t"), 6), Store(at("t"), number(3.0)),
            filled("z", "j", "exp", "t")]  # fmt: skip


def target_written_after():
    return [filled("t", "i"), Copy(at("y"), at("t"), 6), Store(at("y"), number(3.0)),
            filled("z", "j", "exp", "t")]  # fmt: skip


def a_part():
    return [filled("y", "k"), filled("t", "i", "cos"), Copy(at("y"), at("t"), 3)]


def kept_from_one_iteration_to_the_next():
    """One element of t is new in each iteration; y is overwritten in between."""
    step = kernel(axes(i=1), write(at("t", ("n", 1)), number(2.0)))
    return [
        filled("t", "k"),
        in_a_loop(step, Copy(at("y"), at("t"), 6), filled("z", "j", "exp", "y")),
        filled("y", "m", "cos"),
    ]


def partly_new_in_each_iteration():
    """As before, and t is touched in the loop alone: of y is then read what was in t."""
    first = kernel(axes(i=1), write(at("t", ("n", 1)), number(2.0)))
    body = (filled("y", "k", "cos"), first, Copy(at("y"), at("t", offset=0), 6))
    return [in_a_loop(*body), *(Store(at("y", offset=k), number(0.0)) for k in (3, 4, 5))]


@pytest.mark.parametrize(
    "made",
    [
        touched_between,
        written_after,
        target_written_after,
        a_part,
        kept_from_one_iteration_to_the_next,
        partly_new_in_each_iteration,
    ],
)
def test_copies_that_are_needed(made):
    before = program(buffers(**ALL), *made())
    agrees(before)
    after = agrees(before, without_copies(before))
    assert len(copies(after.body)) == len(copies(before.body))


def test_in_a_loop_a_buffer_that_is_new_in_each_iteration():
    before = program(
        buffers(**ALL),
        in_a_loop(filled("t", "i"), Copy(at("y"), at("t"), 6), filled("z", "j", "exp", "t")),
    )
    after = agrees(before, without_copies(before))
    assert not copies(after.body)
