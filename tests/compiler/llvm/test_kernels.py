"""Kernels as machine code against the interpreter: generated ones, and the forms of products."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pullback.compiler.llvm import numbers
from pullback.compiler.loops import (
    Axis,
    Buffer,
    Const,
    Kernel,
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


@pytest.mark.parametrize("first", range(0, 120, 40))
def test_generated_kernels(first):
    for seed in range(first, first + 40):
        program = random_kernel(seed)
        verify(program)
        values = values_of(program, np.random.default_rng(seed))
        agrees(program, Native(program, level=0), values)


def test_generated_kernels_whose_numbers_are_arguments():
    for seed in range(200, 230):
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


def total(size, combine="add", dtype=F):
    write = Write(
        Scalar("t", dtype), Load(Place("x", 0, (("i", 1),)), dtype), combine, Const(0, dtype)
    )
    body = (Kernel((Axis("i", size),), (), (write,)), Store(Place("y"), Name("t", dtype)))
    return Program(
        "total", (Buffer("x", dtype, size, "input"), Buffer("y", dtype, 1, "output")), body
    )


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
