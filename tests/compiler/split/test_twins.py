"""Buffers of a tile that are written alike."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.compiler import stages
from pullback.compiler.fusion import fuse
from pullback.compiler.loops import (
    Axis,
    Buffer,
    Const,
    Count,
    For,
    Kernel,
    Let,
    Load,
    Name,
    Place,
    Scalar,
    Tiles,
    Write,
    interpret,
    verify,
)
from pullback.compiler.lowering import lower
from pullback.compiler.split import Sizes, split
from pullback.compiler.split.twins import without_twins

SMALL = Sizes(least=16, most=16, streamed=16, block=32, little=0, much=0)
INNER = [Buffer("a", "float64", 64, "tile"), Buffer("b", "float64", 64, "tile")]
PLACE = Place("a", 0, (("i", 16), ("n", 1)))
VALUE = Name("v", "float64")
ZERO = Const(0.0, "float64")


def kernel(*writes):
    load = Let(Scalar("v", "float64"), Load(Place("x", 0, (("n", 1),)), "float64"))
    return Kernel((Axis("i", 4), Axis("n", Count("count", 16))), (load,), writes)


def read(name):
    load = Let(Scalar("w", "float64"), Load(Place(name, 0, (("k", 1),)), "float64"))
    write = Write(Place("y", 0, (("k", 1),)), Name("w", "float64"))
    return Kernel((Axis("k", Count("count", 16)),), (load,), (write,))


def tiles(*body):
    return Tiles("first", "count", 100, 16, 2, (), body)


def into(name, **more):
    return Write(PLACE._replace(buffer=name, **more), VALUE)


def test_one_of_two_is_written_and_read():
    body = kernel(into("a"), into("b")), read("a"), read("b")
    found, twins = without_twins(tiles(*body), INNER)
    assert twins == {"b"}
    assert found.body == (kernel(into("a")), read("a"), read("a"))
    sums = [Write(PLACE._replace(buffer=name), VALUE, "add", ZERO) for name in "ab"]
    found, twins = without_twins(tiles(kernel(*sums), read("b")), INNER)
    assert twins == {"b"}
    assert found.body == (kernel(sums[0]), read("a"))


def test_they_may_stand_in_a_loop():
    loop = For("t", Const(3, "int64"), (), (kernel(into("a"), into("b")), read("b")), (), ())
    found, twins = without_twins(tiles(loop), INNER)
    assert twins == {"b"}
    (inside,) = found.body
    assert inside.body == (kernel(into("a")), read("a"))


@pytest.mark.parametrize(
    "body",
    [
        (kernel(into("a"), into("b", offset=1)),),
        (kernel(into("a"), Write(PLACE._replace(buffer="b"), ZERO)),),
        (kernel(into("a")), kernel(into("b"))),
        (kernel(into("a"), into("b")), kernel(into("a"))),
        (kernel(into("a"), into("b")), kernel(into("b"))),
        (kernel(*(Write(PLACE._replace(buffer=name), VALUE, "add") for name in "ab")),),
    ],
)
def test_what_differs_stays(body):
    before = tiles(*body, read("b"))
    assert without_twins(before, INNER) == (before, set())


def test_buffers_of_other_sizes_or_dtypes_stay():
    before = tiles(kernel(into("a"), into("b")), read("b"))
    for other in (Buffer("b", "float64", 80, "tile"), Buffer("b", "float32", 64, "tile")):
        assert without_twins(before, [INNER[0], other]) == (before, set())
    assert without_twins(before, INNER[:1]) == (before, set())


def test_a_value_that_two_products_read_in_two_orders():
    def f(Q, means, x):
        centred = np.einsum("kij,nkj->nki", Q, x[:, np.newaxis] - means)
        return np.sum(np.sin(centred) ** 2)

    rng = np.random.default_rng(0)
    args = rng.normal(size=(3, 4, 4)), rng.normal(size=(3, 4)), rng.normal(size=(83, 4))
    gradient = pb.grad(f, argnums=(0, 1))
    lowered = lower(stages.Stages(pb.trace(gradient, *args)).graph)
    found = split(fuse(lowered.program), [83], SMALL).program
    verify(found)
    values = [*args, *lowered.constants]
    for one, other in zip(interpret(found, values), gradient(*args), strict=True):
        np.testing.assert_allclose(one, other.ravel(), rtol=1e-11)
    stored = [
        (each.axes, write.target.terms, write.value)
        for statement in found.body
        if isinstance(statement, Tiles)
        for each in statement.body
        if isinstance(each, Kernel)
        for write in each.writes
        if not write.combine
    ]
    assert len(stored) == len(set(stored))
