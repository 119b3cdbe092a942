"""Scratch is in the place of an output where it is read for the last time as that is written."""

from __future__ import annotations

import itertools

from pullback.compiler.fusion.outputs import in_outputs
from pullback.compiler.loops import Copy, For, Store
from tests.compiler.fusion.written import (
    agrees,
    at,
    axes,
    buffers,
    kernel,
    let,
    load,
    name,
    number,
    op,
    program,
    write,
)

N = 30


def run(*body, **more):
    """The statements with scratch in outputs, which do the same; what scratch there is."""
    declared = buffers(x=f"input {N}", y=f"output {N}", z=f"output {N}", t=f"scratch {N}", **more)
    before = program(declared, *body)
    after = in_outputs(before)
    agrees(before, after)
    return [buffer.name for buffer in after.buffers if buffer.kind == "scratch"]


COUNT = itertools.count()


def row(function, *sources, targets, extent=N):
    """``target[i] = function(source[i], ...)``; a source may say at which place it is read."""
    number_ = next(COUNT)
    index = f"i{number_}"
    reads = [each if isinstance(each, tuple) else (each, 1, 0) for each in sources]
    lets = [
        let(f"a{number_}_{n}", load(buffer, (index, step), offset=offset))
        for n, (buffer, step, offset) in enumerate(reads)
    ]
    value = op(function, *(name(each.scalar.name) for each in lets))
    writes = [write(at(target, (index, 1)), value) for target in targets]
    return kernel(axes(**{index: extent}), *lets, *writes)


def doubled(source, target, *, by=1, offset=0, extent=N):
    """``target[i] = f(source[by·i + offset])``."""
    return row("negative", (source, by, offset), targets=[target], extent=extent)


MADE = doubled("x", "t")
OTHER = doubled("x", "z")


def test_in_the_output_that_it_is_read_for():
    assert run(MADE, OTHER, doubled("t", "y")) == []
    assert run(MADE, OTHER, Copy(at("y"), at("t"), N)) == []


def test_what_is_read_elsewhere_stays():
    assert run(MADE, OTHER, doubled("t", "y", by=-1, offset=N - 1)) == ["t"]
    assert run(MADE, OTHER, Copy(at("y", offset=1), at("t"), N - 1), doubled("x", "y")) == ["t"]


def test_what_is_read_once_more_stays():
    assert run(MADE, doubled("t", "y"), doubled("t", "z")) == []  # in the last of them
    assert run(MADE, doubled("t", "z"), doubled("t", "y"), doubled("t", "z")) == ["t"]


def test_an_output_that_is_in_use_is_left_alone():
    assert run(doubled("x", "y"), MADE, OTHER, doubled("t", "y")) == ["t"]


def test_sums_into_the_output_are_no_places_of_its_elements():
    total = kernel(axes(i=N), let("a", load("t", ("i", 1))),
                   write(at("y"), name("a"), "add", number(0.0)))  # fmt: skip
    assert run(MADE, OTHER, total, Copy(at("y"), at("x"), N)) == ["t"]


def test_of_another_size():
    made = doubled("x", "u", extent=N - 1)
    rest = (
        doubled("x", "z"),
        doubled("u", "y", extent=N - 1),
        Store(at("y", offset=N - 1), number(1.0)),
    )
    assert run(made, *rest, MADE, u=f"scratch {N - 1}") == ["t", "u"]


def test_one_for_each_output():
    both = row("add", "t", "u", targets=["y", "z"])
    assert run(MADE, doubled("x", "u"), both, u=f"scratch {N}") == []
    one = row("add", "t", "u", targets=["y"])
    assert run(MADE, doubled("x", "u"), OTHER, one, u=f"scratch {N}") == ["u"]


def test_in_a_loop_nothing_is_known_of_the_last_time():
    loop = For("n", number(2, "int64"), (), (MADE, doubled("t", "y")), (), ())
    assert run(OTHER, loop) == ["t"]
