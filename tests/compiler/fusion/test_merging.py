"""Kernels that are merged, and kernels that must not be."""

from __future__ import annotations

import numpy as np
import pytest

from pullback.compiler.fusion import arrange, fuse
from pullback.compiler.loops import (
    Call,
    Check,
    Copy,
    For,
    Kernel,
    Let,
    Scalar,
    Store,
    interpret,
    verify,
)
from pullback.compiler.loops.interpreter import CheckFailedError
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

X, Y, Z = "input 6", "output 6", "output 6"


def pointwise(axis, source, target, what="sin"):
    """``target[i] = what(source[i])``."""
    here = (axis, 1)
    return kernel(axes(**{axis: 6}), write(at(target, here), op(what, load(source, here))))


def test_value_and_gradient_in_one_pass():
    """Values are passed on, equal ones computed once, and what is not read is not stored."""
    before = program(
        buffers(x=X, y=Y, s="output 1", t="scratch 6"),
        kernel(axes(i=6), write(at("t", ("i", 1)), op("sin", load("x", ("i", 1))))),
        kernel(
            axes(j=6),
            let("a", load("t", ("j", 1))),
            write(Scalar("r", F), op("multiply", name("a"), name("a")), "add", number(0.0)),
        ),
        kernel(
            axes(k=6),
            let("b", op("sin", load("x", ("k", 1)))),
            write(at("y", ("k", 1)), op("multiply", number(2.0), name("b"))),
        ),
        Store(at("s"), name("r")),
    )
    after = agrees(before)
    assert lines(after.body) == [
        "for all i < 6:",
        "  w0: float64 = x[i]",
        "  w1: float64 = sin(w0)",
        "  w2: float64 = w1 · w1",
        "  w3: float64 = 2.0 · w1",
        "  r: float64 add= w2 from 0.0",
        "  y[i] = w3",
        "s[0] = r",
    ]
    assert not [b for b in after.buffers if b.kind == "scratch"]


def test_a_permuted_and_a_flat_kernel_join():
    """The axes are told apart by the steps through what both touch; a single one is divided."""
    first = kernel(
        axes(i=2, j=3), write(at("t", ("i", 3), ("j", 1)), op("sin", load("x", ("i", 3), ("j", 1))))
    )
    second = kernel(
        axes(a=3, b=2),
        write(at("y", ("a", 2), ("b", 1)), op("exp", load("t", ("b", 3), ("a", 1)))),
    )
    third = kernel(axes(k=6), write(at("z", ("k", 1)), op("cos", load("t", ("k", 1)))))
    after = agrees(program(buffers(x=X, y=Y, z=Z, t="scratch 6"), first, second, third))
    assert lines(after.body) == [
        "for all i < 2, j < 3:",
        "  w0: float64 = x[3·i + j]",
        "  w1: float64 = sin(w0)",
        "  w2: float64 = exp(w1)",
        "  w3: float64 = cos(w1)",
        "  y[2·j + i] = w2",
        "  z[3·i + j] = w3",
    ]


def test_a_kernel_is_divided_for_one_that_joins():
    """The earlier kernel has the one axis."""
    first = kernel(axes(k=6), write(at("t", ("k", 1)), op("cos", load("x", ("k", 1)))))
    second = kernel(
        axes(i=2, j=3),
        write(at("y", ("i", 3), ("j", 1)), op("add", load("t", ("i", 3), ("j", 1)),
                                              load("x", ("j", 1)))),
    )  # fmt: skip
    after = agrees(program(buffers(x=X, y=Y, t="scratch 6"), first, second))
    (merged,) = after.body
    assert merged.axes == axes(i=2, j=3)


def test_a_masked_load_of_what_was_stored():
    inside = op("less", name("j", INT), number(4, INT), dtype="bool")
    before = program(
        buffers(x=X, y=Y, t="scratch 6"),
        pointwise("i", "x", "t"),
        kernel(axes(j=6), write(at("y", ("j", 1)), load("t", ("j", 1), where=inside))),
    )
    (merged,) = agrees(before).body
    assert lines([merged])[-3:] == [
        "  w2: bool = i < 4",
        "  w3: float64 = select(w2, w1, 0.0)",
        "  y[i] = w3",
    ]


def test_equal_constants_have_the_same_bits():
    """0.0 is not -0.0, 1 is not 1.0 or True."""
    one = op("convert", number(1, INT))
    before = program(
        buffers(x=X, y=Y, z=Z, u="output 6"),
        kernel(axes(i=6), write(at("y", ("i", 1)), op("copysign", number(1.0), number(0.0)))),
        kernel(axes(i2=6), write(at("z", ("i2", 1)), op("copysign", number(1.0), number(-0.0)))),
        kernel(
            axes(i3=6),
            write(
                at("u", ("i3", 1)),
                op("add", one, op("convert", number(True, "bool"))),
            ),
        ),
    )
    after = agrees(before)
    assert len(after.body) == 1
    assert len(after.body[0].body) == 5


# -- what must stay apart -------------------------------------------------------------------------


def scalar_between():
    total = kernel(axes(i=6), write(Scalar("r", F), load("x", ("i", 1)), "add", number(0.0)))
    scaled = op("multiply", load("x", ("j", 1)), name("r"))
    return [total, kernel(axes(j=6), write(at("y", ("j", 1)), scaled))]


def written_between():
    return [
        pointwise("i", "x", "t"),
        Store(at("t", offset=3), number(7.0)),
        pointwise("j", "t", "y"),
    ]


def read_between():
    """The kernel overwrites what a statement in between still reads."""
    return [
        pointwise("i", "x", "t"),
        pointwise("k", "x", "z"),
        Call(0, (at("t"), at("y")), 1),
        pointwise("j", "z", "t"),
        Copy(at("z"), at("t"), 6),
    ]


def neighbours():
    back = load("t", ("j", -1), offset=5)
    return [pointwise("i", "x", "t"), kernel(axes(j=6), write(at("y", ("j", 1)), back))]


def overwritten_elsewhere():
    """The first kernel reads each element beside the one that the second one writes."""
    beside = load("t", ("i", -1), offset=5)
    return [
        pointwise("k", "x", "t", "cos"),
        Call(0, (at("t"), at("z")), 1),
        kernel(axes(i=6), write(at("y", ("i", 1)), beside)),
        pointwise("j", "x", "t"),
        Call(0, (at("t"), at("z")), 1),
    ]


def joined_in_memory():
    """What is summed over one axis is read along it."""
    rows = kernel(
        axes(i=2, j=3),
        write(at("t", ("i", 1)), load("x", ("i", 3), ("j", 1)), "add", number(0.0)),
    )
    spread = op("multiply", load("t", ("a", 1)), load("x", ("a", 3), ("b", 1)))
    return [rows, kernel(axes(a=2, b=3), write(at("y", ("a", 3), ("b", 1)), spread))]


def in_two_places():
    """Both halves are written, and read the other way round."""
    halves = kernel(
        axes(i=3),
        write(at("t", ("i", 2)), load("x", ("i", 1))),
        write(at("t", ("i", 2), offset=1), load("x", ("i", 1), offset=3)),
    )
    other = op("subtract", load("t", ("j", 1)), load("t", ("j", 1), offset=3))
    return [halves, kernel(axes(j=3), write(at("y", ("j", 1)), other))]


@pytest.mark.parametrize(
    ("made", "kernels"),
    [
        (scalar_between, 2),
        (written_between, 2),
        (read_between, 2),
        (neighbours, 2),
        (overwritten_elsewhere, 3),
        (joined_in_memory, 2),
        (in_two_places, 2),
    ],
)
def test_what_must_stay_apart(made, kernels):
    def call(source, target):
        target[...] = np.sqrt(np.abs(source)) + 1

    before = program(buffers(x=X, y=Y, z=Z, t="scratch 6"), *made())
    after = agrees(before, calls=[call])
    assert sum(isinstance(each, Kernel) for each in after.body) == kernels


def test_a_kernel_in_place_joins():
    """A point may read what it overwrites: the last value is the one that is stored."""
    double = op("multiply", load("y", ("j", 1)), number(2.0))
    before = program(
        buffers(x=X, y=Y),
        pointwise("i", "x", "y"),
        kernel(axes(j=6), write(at("y", ("j", 1)), double)),
        kernel(axes(k=6), write(at("y", ("k", 1)), load("x", ("k", 1)), "add")),
    )
    (merged,) = agrees(before).body
    assert len(merged.writes) == 1


def test_parts_of_an_array_are_written_together():
    """Each in turn, and what is then read of one of them is known."""
    first = kernel(axes(i=2), write(at("y", ("i", 3)), op("sin", load("x", ("i", 1)))))
    second = kernel(axes(j=2), write(at("y", ("j", 3), offset=1), op("cos", load("x", ("j", 1)))))
    third = kernel(axes(k=2), write(at("y", ("k", 3), offset=2), load("y", ("k", 3), offset=1)))
    after = agrees(program(buffers(x="input 6", y="output 6"), first, second, third))
    assert lines(after.body) == [
        "for all i < 2:",
        "  w0: float64 = x[i]",
        "  w1: float64 = sin(w0)",
        "  w2: float64 = cos(w0)",
        "  y[3·i] = w1",
        "  y[1 + 3·i] = w2",
        "  y[2 + 3·i] = w2",
    ]


def test_carried_arrays_are_updated_in_place():
    """Next to what a loop carries there is no copy: the kernel reads it where it writes it."""
    new = op("add", load("a", ("i", 1)), load("x", ("i", 1)))
    before = program(
        buffers(x=X, y=Y, a="scratch 6", t="scratch 6"),
        Copy(at("a"), at("x"), 6),
        For(
            "n", number(3, INT), (),
            (kernel(axes(i=6), write(at("t", ("i", 1)), new)), Copy(at("a"), at("t"), 6)),
            (), (),
        ),
        Copy(at("y"), at("a"), 6),
    )  # fmt: skip
    assert lines(agrees(before).body) == [
        "y[0] = x[0], 6 elements",
        "for n < 3:",
        "  for all i < 6:",
        "    w2: float64 = y[i]",
        "    w3: float64 = x[i]",
        "    w4: float64 = w2 + w3",
        "    y[i] = w4",
    ]


def test_exchanged_carries_are_not_mixed_up():
    """a, b = b, a + b: none of both may be overwritten before it is read."""
    both = op("add", load("a", ("i", 1)), load("b", ("i", 1)))
    before = program(
        buffers(x=X, y=Y, z=Z, a="scratch 6", b="scratch 6", t="scratch 6", u="scratch 6"),
        Copy(at("a"), at("x"), 6),
        pointwise("k", "x", "b"),
        For(
            "n", number(3, INT), (),
            (
                kernel(axes(i=6), write(at("u", ("i", 1)), both)),
                Copy(at("t"), at("b"), 6),
                Copy(at("a"), at("t"), 6),
                Copy(at("b"), at("u"), 6),
            ),
            (), (),
        ),
        Copy(at("y"), at("a"), 6),
        Copy(at("z"), at("b"), 6),
    )  # fmt: skip
    after = agrees(before)
    (loop,) = (each for each in after.body if isinstance(each, For))
    assert len(loop.body) == 1
    assert not [b for b in after.buffers if b.kind == "scratch"]


def test_what_is_read_at_a_checked_place_stays_behind_the_check():
    position = let("p", op("convert", load("x", offset=0), dtype=INT))
    inside = op("less", name("p", INT), number(6, INT), dtype="bool")
    before = program(
        buffers(x=X, y=Y, z=Z),
        position,
        pointwise("i", "x", "y"),
        Check(inside, 4),
        kernel(axes(j=6), write(at("z", ("j", 1)), load("x", ("p", 1)))),
    )
    after = agrees(before, fill=lambda buffer: np.full(buffer.size, 3.0))
    assert [type(each) for each in after.body][-3:] == [Kernel, Check, Kernel]
    for each in (before, after):
        with pytest.raises(CheckFailedError) as failure:
            interpret(each, [np.full(6, 9.0)])
        assert failure.value.error == 4


def test_a_place_with_the_index_of_a_loop_needs_no_check():
    holds = op("less", name("s"), number(9.0), dtype="bool")
    place = ("n", 3)
    first = kernel(
        axes(i=3), write(at("y", place, ("i", 1)), op("sin", load("x", place, ("i", 1))))
    )
    second = kernel(
        axes(j=3), write(at("z", place, ("j", 1)), op("cos", load("x", place, ("j", 1))))
    )
    loop = For(
        "n", number(2, INT), (),
        (first, let("s", load("x", ("n", 1))), Check(holds, 1), second), (), (),
    )  # fmt: skip
    (after,) = agrees(program(buffers(x=X, y=Y, z=Z), loop)).body
    assert [type(each) for each in after.body] == [Kernel, Let, Check]


def test_a_check_without_writes_is_kept():
    row = let("v", load("x", ("i", 1)))
    holds = op("less", name("v"), number(2.0), dtype="bool")
    before = program(
        buffers(x=X, y=Y, t="scratch 6"),
        kernel(axes(i=6), row, Check(holds, 1), write(at("t", ("i", 1)), name("v"))),
        Store(at("y"), number(1.0)),
    )
    after = arrange(fuse(before))
    verify(after)
    assert lines(after.body)[:4] == [
        "for all i < 6:",
        "  v: float64 = x[i]",
        "  w0: bool = v < 2.0",
        "  check w0 else error 1",
    ]
    with pytest.raises(CheckFailedError):
        interpret(after, [np.arange(6.0)])


def test_products_of_matrices_stay_on_their_own():
    def product(i, j, k, target):
        term = op("multiply", load("x", (i, 2), (k, 1)), load("x", (k, 2), (j, 1)))
        return kernel(
            axes(**{i: 2, j: 2, k: 2}),
            write(at(target, (i, 2), (j, 1)), term, "add", number(0.0)),
        )

    before = program(
        buffers(x="input 4", y="output 4", z="output 4"),
        product("i", "j", "k", "y"),
        product("a", "b", "c", "z"),
    )
    assert len(agrees(before).body) == 2


def test_spaces_without_points():
    """What starts a join is kept; nothing is written."""
    before = program(
        buffers(x=X, y=Y, s="output 1"),
        Copy(at("y"), at("x"), 6),
        kernel(axes(i=0, j=6), write(at("y", ("i", 6), ("j", 1)), load("x", ("j", 1)))),
        kernel(axes(k=0), write(Scalar("r", F), load("x", ("k", 1)), "add", number(3.0))),
        kernel(axes(m=0, n=6), write(at("y", ("n", 1)), load("x", ("n", 1)), "add", number(5.0))),
        Store(at("s"), name("r")),
    )
    after = agrees(before)
    y, s = interpret(after, [np.arange(6.0)])
    assert s == 3.0
    assert np.all(y == 5.0)
