"""Kernels as machine code against the interpreter: generated ones, and the forms of products."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pullback.compiler.llvm import numbers, pieces, planning
from pullback.compiler.llvm.holes import Hole
from pullback.compiler.loops import (
    Axis,
    Buffer,
    Check,
    Const,
    Kernel,
    Let,
    Load,
    Name,
    Op,
    Place,
    Program,
    Scalar,
    Store,
    Write,
    interpret,
    text,
    verify,
)
from pullback.compiler.loops.interpreter import CheckFailedError
from tests.compiler.llvm.native import Native
from tests.compiler.llvm.programs import random_kernel, values_of

F = "float64"
ZERO = Const(0.0, F)


def agrees(program, native, values, given=()):
    """Whether machine code gives what the interpreter does, to the last bit."""
    code, found = native(program, values, numbers=given)
    try:
        wanted = interpret(program, values)
    except CheckFailedError:
        assert code > 0, text(program)
        return
    assert code == 0, text(program)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=text(program))


@pytest.mark.parametrize("first", range(0, 90, 30))
def test_generated_kernels(first):
    for seed in range(first, first + 30):
        program = random_kernel(seed)
        verify(program)
        values = values_of(program, np.random.default_rng(seed))
        agrees(program, Native(program, level=0), values)


@pytest.mark.parametrize("block", [3, 16])
def test_generated_kernels_in_small_blocks(block, monkeypatch):
    """What is for large kernels is done for small ones, too."""
    for module, name, value in [
        (pieces, "BLOCK", block),
        (planning, "BLOCK", block),
        (planning, "_UNROLLED", 10),
        (planning, "_LONG", block),
        (planning, "_STAGED", 3),
        (planning, "_TILE", 1),
        (planning, "_ACCUMULATORS", 2),
        (planning, "_WRITTEN", 80),
    ]:
        monkeypatch.setattr(module, name, value)
    for seed in range(300, 325):
        program = random_kernel(seed)
        values = values_of(program, np.random.default_rng(seed))
        agrees(program, Native(program, level=0), values)


def test_generated_kernels_whose_numbers_are_arguments():
    for seed in range(200, 225):
        program = random_kernel(seed)
        _, given = numbers(program)
        holes = {position: index for index, position in enumerate(range(len(given))[::-1])}
        values = values_of(program, np.random.default_rng(seed))
        agrees(program, Native(program, holes, level=0), values, given)


def product(m, k, n, batch=1, *, a=False, b=False, dtype=F):
    """C = A B for each of a batch, with A, B or both stored as their transposes."""
    left = (("i", 1), ("k", m)) if a else (("i", k), ("k", 1))
    right = (("k", 1), ("j", k)) if b else (("k", n), ("j", 1))
    factors = (
        Load(Place("A", 0, (("z", m * k), *left)), dtype),
        Load(Place("B", 0, (("z", k * n), *right)), dtype),
    )
    target = Place("C", 0, (("z", m * n), ("i", n), ("j", 1)))
    write = Write(target, Op("multiply", factors, dtype), "add", Const(0, dtype))
    axes = (Axis("z", batch), Axis("i", m), Axis("k", k), Axis("j", n))
    buffers = (
        Buffer("A", dtype, batch * m * k, "input"),
        Buffer("B", dtype, batch * k * n, "input"),
        Buffer("C", dtype, batch * m * n, "output"),
    )
    return Program("product", buffers, (Kernel(axes, (), (write,)),))


SIZES = [(1, 1, 1), (4, 4, 4), (3, 5, 1), (1, 40, 20), (17, 9, 33), (12, 20, 31), (33, 65, 8)]


@pytest.mark.parametrize("dtype", [F, "float32"])
def test_products(dtype):
    random = np.random.default_rng(5)
    forms = itertools.product((False, True), repeat=2)
    for ((m, k, n), (a, b)), batch in zip(itertools.product(SIZES, forms), itertools.cycle((1, 3))):
        program = product(m, k, n, batch, a=a, b=b, dtype=dtype)
        values = values_of(program, random)
        agrees(program, Native(program, level=0), values)


def test_a_product_is_made_once_for_all_sizes():
    made = product(6, 7, 9, 2)
    key, given = numbers(made)
    holes = {position: position for position in range(len(given))}
    native = Native(made, holes)
    random = np.random.default_rng(1)
    for m, k, n, batch in [(6, 7, 9, 2), (2, 300, 2, 3), (40, 2, 17, 2), (9, 16, 8, 5)]:
        other = product(m, k, n, batch)
        same, given = numbers(other)
        assert same == key
        agrees(other, native, values_of(other, random), given)


def test_a_kernel_that_only_checks():
    """What it checks is the same along the axis: nothing is computed, read or written there."""
    holds = Op("less", (Load(Place("n"), "int64"), Const(5, "int64")), "bool")
    checked = (Check(Name("holds", "bool"), 3),)
    buffers = (Buffer("n", "int64", 1, "input"), Buffer("y", F, 1, "output"))
    body = (Let(Scalar("holds", "bool"), holds), Kernel((Axis("i", 300),), checked, ()))
    program = Program("checks", buffers, (*body, Store(Place("y"), ZERO)))
    for n in (4, 5):
        agrees(program, Native(program, level=0), [np.array([n])])


def heavy(size):
    """A kernel with a body that is long enough to be written once, and a sum beside it."""
    at = (("i", 1),)
    x = Load(Place("x", 0, at), F)
    beyond = Op("less", (Name("i", "int64"), Const(size - 3, "int64")), "bool")
    value = Op("add", (Op("tanh", (Op("exp", (x,), F),), F), Load(x.place, F, beyond)), F)
    body = (Let(Scalar("v", F), value),)
    write = Write(Place("y", 0, at), Name("v", F))
    kernel = Kernel((Axis("i", size),), body, (write, Write(Scalar("t", F), Name("v", F), "add")))
    buffers = (Buffer("x", F, size, "input"), Buffer("y", F, size, "output"))
    buffers = (*buffers, Buffer("z", F, 1, "output"))
    return Program("heavy", buffers, (kernel, Store(Place("z"), Name("t", F))))


def test_long_bodies_at_all_sizes():
    for size in (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 33, 67):
        program = heavy(size)
        x = np.random.default_rng(size).normal(size=size)
        code, (y, z) = Native(program, level=0)(program, [x])
        assert code == 0
        wanted = interpret(program, [x])
        np.testing.assert_allclose(y, wanted[0], rtol=1e-14)
        np.testing.assert_allclose(z, wanted[1], rtol=1e-14)


@pytest.mark.parametrize(
    ("wide", "narrow"), [("int64", "int8"), ("int64", "int32"), ("int32", "int16")]
)
def test_narrower_integers_stay_within_their_array(wide, narrow):
    """LLVM makes a store of one lane of truncated integers as wide as these were."""
    for step, size in itertools.product((1, -1), (9, 17)):
        at = (("i", size), ("j", 1))
        load = Load(Place("x", 0, at), wide)
        start = 0 if step == 1 else size - 1
        body = (Let(Scalar("v", narrow), Op("convert", (load,), narrow)),)
        writes = (
            Write(Place("y", start, (("i", size), ("j", step))), Name("v", narrow)),
            Write(Place("z", 0, (("i", 1),)), load, "add", Const(0, wide)),
        )
        kernel = Kernel((Axis("i", 3), Axis("j", size)), body, writes)
        buffers = (Buffer("x", wide, 3 * size, "input"), Buffer("y", narrow, 3 * size, "output"))
        program = Program("narrow", (*buffers, Buffer("z", wide, 3, "output")), (kernel,))
        verify(program)
        agrees(program, Native(program, level=2), [np.arange(3 * size)])


def test_long_chains():
    at = (("i", 1),)
    body = [Let(Scalar("v0", F), Load(Place("x", 0, at), F))]
    for n in range(1, 700):
        args = (Name(f"v{n - 1}", F), Const(n % 3 - 1.0, F))
        body.append(Let(Scalar(f"v{n}", F), Op("add", args, F)))
    write = Write(Place("y", 0, at), Name("v699", F))
    buffers = (Buffer("x", F, 20, "input"), Buffer("y", F, 20, "output"))
    program = Program("chain", buffers, (Kernel((Axis("i", 20),), tuple(body), (write,)),))
    x = np.arange(20.0)
    np.testing.assert_array_equal(Native(program, level=0)(program, [x])[1][0], x)


@pytest.mark.parametrize("combine", ["maximum", "minimum", "add", "multiply"])
def test_special_values_of_sums_and_extremes(combine):
    usual = {"maximum": -5.0, "minimum": 5.0, "add": 1.0, "multiply": 1.0}[combine]
    for size in (3, 20, 9000):
        program = total(size, combine, start=None)
        native = Native(program, level=0)
        for at in (0, size // 2, size - 1):
            for value in (np.nan, np.inf, -np.inf, -0.0):
                x = np.full(size, usual)
                x[at] = value
                agrees(program, native, [x])


def total(size, combine="add", start=ZERO):
    write = Write(Scalar("t", F), Load(Place("x", 0, (("i", 1),)), F), combine, start)
    body = (Kernel((Axis("i", size),), (), (write,)), Store(Place("y"), Name("t", F)))
    return Program("total", (Buffer("x", F, size, "input"), Buffer("y", F, 1, "output")), body)


def test_long_sums_are_as_accurate_as_pairwise_ones():
    random = np.random.default_rng(2)
    for size in (100_003, 8192, 4097):
        x = random.random(size) * 10.0 ** random.integers(-3, 3, size)
        program = total(size)
        _, ((found,),) = Native(program)(program, [x])
        exact = float(np.sum(x.astype(np.longdouble)))
        assert abs(found - exact) <= 4e-15 * exact


def test_the_order_of_a_sum_depends_on_its_extent_alone():
    x = np.random.default_rng(3).normal(size=20_001)
    program = total(x.size)
    native = Native(program)
    first = native(program, [x])[1][0]
    # The buffers of another run begin elsewhere relative to what vectors are aligned to.
    for _ in range(3):
        np.testing.assert_array_equal(native(program, [x])[1][0], first)


def test_equal_kernels_are_one_function():
    def layer(n, source, target):
        at, to = (Place(buffer, 0, ((f"i{n}", 1),)) for buffer in (source, target))
        value = Op("multiply", (Load(at, F), Const(2.0, F)), F)
        return Kernel((Axis(f"i{n}", 1000),), (), (Write(to, value),))

    names = ["x", *(f"s{n}" for n in range(19)), "y"]
    kinds = ["input", *["scratch"] * 19, "output"]
    buffers = [Buffer(name, F, 1000, kind) for name, kind in zip(names, kinds, strict=True)]
    buffers.sort(key=lambda b: ["input", "output", "scratch"].index(b.kind))
    body = [layer(n, *pair) for n, pair in enumerate(itertools.pairwise(names))]
    program = Program("layers", tuple(buffers), tuple(body))
    native = Native(program)
    assert native.text.count("define internal void @kernel") == 1
    x = np.arange(1000.0)
    np.testing.assert_array_equal(native(program, [x])[1][0], x * 2.0**20)


ROW = 96
"""Elements of a row of a tile, not all of which are there."""


def tile(size, rows, columns):
    """Products of a matrix and a tile, and of two tiles, and sums of rows, of `size` samples."""

    def at(buffer, *terms):
        return Load(Place(buffer, 0, terms), F)

    samples = Axis("s", Hole(0, size, most=ROW, multiple=8))
    i, j = Axis("i", rows), Axis("j", columns)
    y, z = at("Y", ("j", ROW), ("s", 1)), at("Z", ("i", ROW), ("s", 1))
    product = Op("multiply", (at("W", ("i", columns), ("j", 1)), y), F)
    copied = Place("T", 0, (("i", ROW), ("s", 1)))
    writes = (
        (Write(z.place, product, "add", ZERO),),
        (Write(Place("G", 0, (("i", columns), ("j", 1))), Op("multiply", (z, y), F), "add", ZERO),),
        (Write(copied, z), Write(Place("t", 0, (("i", 1),)), z, "add", ZERO)),
    )
    axes = ((i, j, samples), (i, j, samples), (i, samples))
    kernels = tuple(Kernel(each, (), write) for each, write in zip(axes, writes, strict=True))
    buffers = (
        Buffer("W", F, rows * columns, "input"),
        Buffer("Y", F, columns * ROW, "input"),
        Buffer("T", F, rows * ROW, "output"),
        Buffer("G", F, rows * columns, "output"),
        Buffer("t", F, rows, "output"),
        Buffer("Z", F, rows * ROW, "scratch"),
    )
    return Program("tile", buffers, kernels)


@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (5, 8), (17, 16), (33, 20)])
def test_numbers_that_keep_a_promise(rows, columns):
    made = tile(48, rows, columns)
    key, given = numbers(made)
    holes = {n: 0 for n, value in enumerate(given) if value == 48}
    native = Native(made, holes)
    assert "masked" not in native.text
    for size in (8, 16, 24, 40, 88, 96):
        program = tile(size, rows, columns)
        same, given = numbers(program)
        assert same == key
        code, found = native(program, values := values_of(program, np.random.default_rng(size)),
                             numbers=given)  # fmt: skip
        assert code == 0
        copied, *sums = interpret(program, values)
        for one, other in zip(found[1:], sums, strict=True):
            np.testing.assert_array_equal(one, other)
        rest = found[0].reshape(rows, ROW)[:, size:].copy()
        assert (rest.view(np.uint8) == 0xA5).all()
        np.testing.assert_array_equal(
            found[0].reshape(rows, ROW)[:, :size], copied.reshape(rows, ROW)[:, :size]
        )
