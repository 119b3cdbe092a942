"""Elements that are known are not read, and those that may have changed are."""

from __future__ import annotations

import pytest

from pullback.compiler.fusion.forwarding import forwarded
from pullback.compiler.loops import Branch, Copy, For, Scalar, Store
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
    with_body,
    write,
)


def run(*body, sizes="6"):
    before = program(buffers(x=f"input {sizes}", y="output 6", t="scratch 6"), *body)
    return lines(agrees(before, with_body(before, forwarded(before.body))).body)


def test_stores_and_loads_are_forwarded():
    twice = op("add", load("t", offset=1), load("t"))
    assert run(
        Store(at("t"), op("sin", load("x"))),
        let("a", load("t")),
        Store(at("t", offset=1), name("a")),
        let("b", load("t")),
        Store(at("y"), twice),
        kernel(axes(i=5), write(at("y", ("i", 1), offset=1), load("t", offset=1))),
        let("c", load("x")),
        let("d", load("x")),
        Store(at("y", offset=2), op("add", name("d"), name("b"))),
    ) == [
        "t[0] = sin(x[0])",
        "a: float64 = t[0]",
        "t[1] = a",
        "y[0] = a + a",
        "for all i < 5:",
        "  y[1 + i] = a",
        "c: float64 = x[0]",
        "y[2] = c + a",
    ]


def kernel_over_it():
    return kernel(axes(i=6), write(at("t", ("i", 1)), load("x", ("i", 1))))


def at_an_index():
    return Store(at("t", ("p", 1)), number(2.0))


def copied_to():
    return Copy(at("t"), at("x", offset=1), 2)


def in_a_loop():
    return For("n", number(2, INT), (), (Store(at("t"), number(4.0)), let("in", load("t"))), (), ())


def in_a_branch():
    store = Store(at("t"), number(4.0))
    return Branch(name("p", INT), (((store,), ()), ((), ())), ())


@pytest.mark.parametrize("made", [kernel_over_it, at_an_index, copied_to, in_a_loop, in_a_branch])
def test_writes_that_may_be_anywhere(made):
    """After each of them the element is read again, and before it isn't."""
    found = run(
        kernel(axes(k=6), write(at("t", ("k", 1)), number(3.0)),
               write(at("y", ("k", 1)), number(0.0))),
        let("p", op("convert", op("multiply", load("x"), number(0.0)), dtype=INT)),
        Store(at("t"), number(1.0)),
        let("a", load("t")),
        made(),
        let("b", load("t")),
        Store(at("y"), name("a")),
        Store(at("y", offset=1), name("b")),
    )  # fmt: skip
    assert found[-3:] == ["b: float64 = t[0]", "y[0] = 1.0", "y[1] = b"]
    assert not any("in: " in line for line in found)


def test_places_in_loops():
    """``t[n]`` is one place during an iteration; another one in the next."""
    here = ("n", 1)
    before = load("t", ("n", 1), offset=-1)
    found = run(
        kernel(axes(k=6), write(at("t", ("k", 1)), number(3.0)),
               write(at("y", ("k", 1)), number(0.0))),
        For(
            "m", number(5, INT), ((Scalar("a", F), number(0.0)),),
            (
                let("n", op("add", name("m", INT), number(1, INT), dtype=INT)),
                let("old", before),
                Store(at("t", here), op("add", name("old"), load("x", here))),
                let("new", load("t", here)),
                Store(at("y", here), op("add", name("new"), name("a"))),
            ),
            (name("new"),), (Scalar("end", F),),
        ),
    )  # fmt: skip
    assert found[-7:] == [
        "  n: int64 = m + 1",
        "  old: float64 = t[-1 + n]",
        "  t[n] = old + x[n]",
        "  new: float64 = t[n]",
        "  y[n] = new + a",
        "  next new",
        "  giving end",
    ]


def test_what_a_loop_hands_on_is_forwarded_too():
    found = run(
        Store(at("t"), load("x")),
        kernel(axes(k=6), write(at("y", ("k", 1)), number(0.0))),
        For(
            "n", number(2, INT), ((Scalar("a", F), number(1.0)),),
            (let("b", load("x", offset=1)), let("c", load("x", offset=1))),
            (op("add", name("c"), name("a")),), (Scalar("r", F),),
        ),
        Store(at("y"), name("r")),
    )  # fmt: skip
    assert "  next b + a" in found
