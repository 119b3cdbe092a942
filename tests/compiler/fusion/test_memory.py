"""Which scratch buffers share memory."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pullback.compiler.fusion.memory import shared_memory
from pullback.compiler.loops import Branch, Buffer, Copy, For, Store
from tests.compiler.fusion.written import (
    INT,
    agrees,
    at,
    axes,
    buffers,
    kernel,
    load,
    number,
    op,
    program,
    write,
)


def moved(target, source, axis, what="sin", size=20):
    here = (axis, 1)
    return kernel(axes(**{axis: size}), write(at(target, here), op(what, load(source, here))))


def scratch(made):
    return {b.name: b.size for b in made.buffers if b.kind == "scratch"}


def run(sizes, *body, calls=()):
    declared = buffers(x="input 20", y="output 20", z="output 20")
    declared += buffers(**{name: f"scratch {size}" for name, size in sizes.items()})
    before = program(declared, Copy(at("y"), at("x"), 20), Copy(at("z"), at("x"), 20), *body)
    return scratch(agrees(before, shared_memory(before), calls=calls))


def test_a_chain_needs_two():
    """In a row, of different sizes: each is put into the smallest that is long enough."""
    found = run(
        {"a": 20, "b": 20, "c": 18, "d": 20},
        moved("a", "x", "i"),
        moved("b", "a", "j"),
        moved("c", "b", "k", size=18),
        moved("d", "c", "m", size=18),
        moved("y", "d", "n", size=18),
    )
    assert found == {"a": 20, "b": 20}


def test_a_buffer_grows_if_none_is_long_enough():
    found = run(
        {"a": 17, "b": 20},
        moved("a", "x", "i", size=17),
        moved("y", "a", "j", size=17),
        moved("b", "x", "k"),
        moved("z", "b", "m"),
    )
    assert found == {"a": 20}


def test_a_few_elements_are_left_alone_and_small_buffers_apart_from_long_ones():
    sizes = {"a": 6, "b": 6, "c": 20, "d": 600, "e": 20}
    chain = ["x", *sizes, "y"]
    body = [
        moved(target, source, f"i{k}", size=6)
        for k, (source, target) in enumerate(itertools.pairwise(chain))
    ]
    assert run(sizes, *body) == {"a": 6, "b": 6, "c": 20, "d": 600}


def test_dtypes_are_apart():
    declared = (
        *buffers(x="input 20", y="output 20", a="scratch 20"),
        Buffer("b", INT, 20, "scratch"),
    )
    before = program(
        declared,
        moved("a", "x", "i"),
        moved("y", "a", "j"),
        kernel(axes(k=20), write(at("b", ("k", 1)), op("convert", load("x", ("k", 1)), dtype=INT))),
        kernel(axes(m=20), write(at("y", ("m", 1)), op("convert", load("b", ("m", 1), dtype=INT)))),
    )
    assert scratch(agrees(before, shared_memory(before))) == {"a": 20, "b": 20}


def loop(*body, extent=3):
    return For(f"n{len(body)}", number(extent, INT), (), body, (), ())


def local_in_a_loop():
    """New in each iteration before it is read: one buffer for both, and for what follows."""
    inner = [moved("a", "y", "i"), moved("z", "a", "j"), moved("b", "z", "k"), moved("y", "b", "m")]
    return [loop(*inner), moved("c", "x", "p"), moved("z", "c", "q")]


def read_in_the_next_iteration():
    """a is read before it is written, and b must not be in its place in between."""
    inner = [moved("y", "a", "i"), moved("b", "y", "j"), moved("z", "b", "k"), moved("a", "z", "m")]
    return [moved("a", "x", "h"), loop(*inner), moved("c", "x", "p"), moved("y", "c", "q")]


def written_in_part():
    """In each iteration one element is new, and all are read: a lives as long as the loop."""
    one = Store(at("a", ("n4", 1)), number(2.0))
    inner = [one, moved("y", "a", "i"), moved("b", "y", "j"), moved("z", "b", "k")]
    return [moved("a", "x", "h"), loop(*inner), moved("c", "x", "p"), moved("y", "c", "q")]


def first_in_part():
    """The same if nothing outside of the loop touches it: what is in a is from the last time."""
    fill = moved("a", "x", "h")
    once = Branch(op("convert", load("y"), dtype=INT), (((fill,), ()), ((), ())), ())
    inner = [once, moved("z", "a", "i"), moved("b", "z", "j"), moved("y", "b", "k")]
    repeated = loop(*inner, Store(at("y"), number(1.0)))
    begin = [Store(at("y"), number(0.0)), moved("z", "x", "g")]
    return [*begin, repeated, moved("c", "x", "p"), moved("z", "c", "q")]


def read_outside_alone():
    """a is written before the loop, read in it, and not written there."""
    inner = [moved("y", "a", "i"), moved("b", "y", "j"), moved("z", "b", "k")]
    return [moved("a", "x", "h"), loop(*inner), moved("c", "x", "p"), moved("y", "c", "q")]


def in_two_loops():
    """A loop in a loop: a is new in each iteration of the outer one, not of the inner one."""
    inner = [moved("z", "a", "i"), moved("b", "z", "j"), moved("a", "b", "k")]
    outer = [moved("a", "x", "h"), loop(*inner), moved("c", "x", "p"), moved("y", "c", "q")]
    return [loop(*outer, extent=2)]


@pytest.mark.parametrize(
    ("made", "count"),
    [
        (local_in_a_loop, 1),
        (read_in_the_next_iteration, 2),
        (written_in_part, 2),
        (first_in_part, 2),
        (read_outside_alone, 2),
        (in_two_loops, 2),
    ],
)
def test_loops(made, count):
    assert len(run({"a": 20, "b": 20, "c": 20}, *made())) == count


def test_what_is_read_again_is_not_overwritten():
    """Random rows of statements, in which each buffer is read at some time after it is written."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        body, written = [], []
        for k in range(30):
            if not written or rng.random() < 0.4:
                written.append(f"t{k}")
                target = written[-1]
            else:
                target = "yz"[rng.integers(2)]
            source = rng.choice([*written[-6:-1], "x", "y"])
            body.append(moved(target, source, f"i{k}", "sin"))
        found = run(dict.fromkeys(written, 20), *body)
        assert len(found) < len(written)
