"""Axes with one index, kernels with one point, joins of one term."""

from __future__ import annotations

from pullback.compiler.fusion.degenerate import simple_kernels
from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.regions import apart
from pullback.compiler.loops import Copy, Place, Scalar, Store
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


def run(*body):
    before = program(
        buffers(x="input 6", y="output 6", z="output 6"),
        Copy(at("y"), at("x"), 6),
        Copy(at("z"), at("x"), 6),
        *body,
    )
    found = with_body(before, simple_kernels(before.body, Names(before)))
    return lines(agrees(before, found).body)[2:]


def test_an_index_that_is_always_zero():
    index = op("convert", name("i", INT))
    value = op("add", index, load("x", ("i", 3), ("j", 1)))
    assert run(kernel(axes(i=1, j=6), write(at("y", ("i", 4), ("j", 1)), value))) == [
        "for all j < 6:",
        "  y[j] = float64(0) + x[j]",
    ]


def test_a_kernel_with_one_point():
    """Values are computed before any of them is written."""
    assert run(
        kernel(
            axes(i=1, j=1),
            let("a", load("y", ("i", 2))),
            write(at("y", ("j", 1)), number(2.0)),
            write(at("z"), op("sin", load("y"))),
            write(at("z", offset=1), name("a"), "add"),
            write(at("z", offset=2), name("a"), "multiply", number(3.0)),
            write(Scalar("r", F), name("a"), "add", number(0.0)),
        ),
        Store(at("y", offset=1), name("r")),
    ) == [
        "a: float64 = y[0]",
        "w0: float64 = sin(y[0])",
        "y[0] = 2.0",
        "z[0] = w0",
        "w1: float64 = z[1]",
        "z[1] = w1 + a",
        "z[2] = 3.0 · a",
        "r: float64 = a",
        "y[1] = r",
    ]


def test_joins_of_one_term():
    value = load("x", ("i", 3), ("j", 1))
    here = at("y", ("i", 1), ("j", 2))
    assert run(
        kernel(axes(i=2, j=3), write(here, value, "add", number(0.0))),
        kernel(axes(k=6), write(at("y", ("k", 1)), load("x", ("k", 1)), "add", number(2.0))),
        kernel(axes(m=6), write(at("y", ("m", 1)), load("x", ("m", 1)), "maximum")),
        kernel(axes(n=2, o=3), write(at("z", ("o", 1)), load("x", ("n", 1)), "add", number(0.0))),
    ) == [
        "for all i < 2, j < 3:",
        "  y[i + 2·j] = x[3·i + j]",
        "for all k < 6:",
        "  y[k] = 2.0 + x[k]",
        "for all m < 6:",
        "  w0: float64 = y[m]",
        "  y[m] = maximum(w0, x[m])",
        "for all n < 2, o < 3:",
        "  z[o] add= x[n] from 0.0",
    ]


def test_which_places_are_apart():
    """Against all places, one by one."""
    for steps in [(1, 2, 6), (6, 2, 1), (1, 1, 6), (1, 3, 6), (1, -2, 6), (0, 1, 2), (3, 2, 20)]:
        names = ("i", "j", "k")
        extents = dict(zip(names, (2, 3, 2), strict=True))
        place = Place("x", 30, tuple(zip(names, steps, strict=True)))
        reached = {
            i * steps[0] + j * steps[1] + k * steps[2]
            for i in range(2)
            for j in range(3)
            for k in range(2)
        }
        # It may not be found out, as for 3·i + 2·j, where no step is longer than all smaller ones.
        if apart(place, extents):
            assert len(reached) == 12
        else:
            assert len(reached) < 12 or steps == (3, 2, 20)
    assert not apart(Place("x", 0, (("i", 1),)), {"i": 2, "j": 3})
