"""What nothing needs is left out, and what anything needs is not."""

from __future__ import annotations

from pullback.compiler.fusion.dead import without_dead
from pullback.compiler.loops import Branch, Call, Check, Copy, For, Scalar, Store, While
from tests.compiler.fusion.written import (
    INT,
    F,
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


def test_stores_and_values_that_nothing_reads():
    before = program(
        buffers(x="input 6", y="output 6", t="scratch 6", u="scratch 6", v="scratch 6"),
        kernel(
            axes(i=6),
            let("a", load("x", ("i", 1))),
            let("b", op("sin", name("a"))),
            write(at("t", ("i", 1)), name("b")),
            write(at("y", ("i", 1)), name("a")),
        ),
        Copy(at("u"), at("t"), 6),
        let("c", load("u", offset=2)),
        Store(at("u", offset=1), name("c")),
        kernel(axes(j=6), write(Scalar("r", F), load("x", ("j", 1)), "add", number(0.0))),
        Store(at("v"), name("r")),
    )
    after = agrees(before, without_dead(before))
    assert [b.name for b in after.buffers] == ["x", "y"]
    assert lines(after.body) == ["for all i < 6:", "  a: float64 = x[i]", "  y[i] = a"]


def test_carries_that_feed_themselves_alone():
    """The second carry is read by the first, the third by nobody but itself."""
    carries = tuple((Scalar(c, F), number(1.0)) for c in "abc")
    nexts = (
        op("add", name("a"), name("b")), op("sin", name("b")), op("cos", name("c")),
    )  # fmt: skip
    results = tuple(Scalar(r, F) for r in ("ra", "rb", "rc"))
    before = program(
        buffers(y="output 1"),
        For("n", number(4, INT), carries, (), nexts, results),
        Store(at("y"), name("ra")),
    )
    after = agrees(before, without_dead(before))
    assert lines(after.body) == [
        "for n < 4; a: float64 = 1.0, b: float64 = 1.0:",
        "  next a + b, sin(b)",
        "  giving ra, rb",
        "y[0] = ra",
    ]


def test_loops_and_choices_without_effect():
    going = op("less", name("k", INT), number(3, INT), dtype="bool")
    more = op("add", name("k", INT), number(1, INT), dtype=INT)
    store = Store(at("t"), number(2.0))
    before = program(
        buffers(y="output 1", t="scratch 1"),
        While(((Scalar("k", INT), number(0, INT)),), (), going, (store,), (more,),
              (Scalar("end", INT),)),
        Branch(number(0, INT), (((store,), (number(1.0),)), ((), (number(2.0),))),
               (Scalar("unread", F),)),
        Store(at("y"), number(1.0)),
    )  # fmt: skip
    assert lines(agrees(before, without_dead(before)).body) == ["y[0] = 1.0"]


def test_what_decides_is_needed():
    """What a loop runs for, what a branch chooses by, what a check asks, what Python reads."""
    going = op("less", name("k"), load("t"), dtype="bool")
    more = op("add", name("k"), number(1.0))
    holds = op("less", load("u"), number(9.0), dtype="bool")

    def call(row):
        assert row[0] == 4.0

    before = program(
        buffers(y="output 1", t="scratch 1", u="scratch 1", v="scratch 1"),
        Store(at("t"), number(3.0)),
        Store(at("u"), number(5.0)),
        Store(at("v"), number(4.0)),
        While(((Scalar("k", F), number(0.0)),), (), going, (Store(at("y"), name("k")),), (more,),
              (Scalar("end", F),)),
        Check(holds, 1),
        Call(0, (at("v"),), 1),
    )  # fmt: skip
    after = agrees(before, without_dead(before), calls=[call])
    assert lines(after.body) == lines(before.body)
