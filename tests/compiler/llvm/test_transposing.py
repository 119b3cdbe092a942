"""What lies side by side along another axis than the lanes: transposed in registers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pullback.compiler.llvm import numbers
from pullback.compiler.llvm.transposing import group
from pullback.compiler.loops import Axis, Buffer, Const, Kernel, Load, Op, Place, Program, Write
from tests.compiler.llvm.native import Native
from tests.compiler.llvm.programs import values_of
from tests.compiler.llvm.test_kernels import agrees, product
from tests.grouping import together

F = "float64"


def copy(rows, columns, dtype=F, *, twice=False):
    """``y[j, i] = x[i, j]``, or twice that."""
    load = Load(Place("x", 0, (("i", columns), ("j", 1))), dtype)
    value = Op("add", (load, load), dtype) if twice else load
    write = Write(Place("y", 0, (("j", rows), ("i", 1))), value)
    kernel = Kernel((Axis("i", rows), Axis("j", columns)), (), (write,))
    size = rows * columns
    buffers = (Buffer("x", dtype, size, "input"), Buffer("y", dtype, size, "output"))
    return Program("copy", buffers, (kernel,))


SHAPES = [
    (64, 64),
    (64, 3),
    (61, 2),
    (3, 50),
    (2, 100),
    (27, 3),
    (33, 7),
    (5, 41),
    (130, 12),
    (20, 33),
]


@together("dtype", "twice")
@pytest.mark.parametrize("dtype", [F, "float32", "int32"])
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_transposed_copies(rows, columns, dtype, twice):
    program = copy(rows, columns, dtype, twice=twice)
    x = np.arange(rows * columns).astype(dtype)
    code, (y,) = Native(program, level=0)(program, [x])
    assert code == 0
    wanted = x.reshape(rows, columns).T * (1 + twice)
    np.testing.assert_array_equal(y.reshape(columns, rows), wanted)


def test_copies_are_made_once_for_all_sizes():
    _, given = numbers(copy(40, 24))
    holes = {position: position for position in range(len(given))}
    native = Native(copy(40, 24), holes)
    for rows, columns in SHAPES:
        other = copy(rows, columns)
        _, given = numbers(other)
        x = np.arange(rows * columns, dtype=F)
        code, (y,) = native(other, [x], numbers=given)
        assert code == 0
        np.testing.assert_array_equal(y.reshape(columns, rows), x.reshape(rows, columns).T)


def test_no_element_is_gathered_or_scattered():
    for rows, columns in ((64, 64), (200, 8), (8, 200), (24, 4), (160, 3), (170, 2), (3, 161)):
        text = Native(copy(rows, columns), level=0).text
        assert "masked.gather" not in text, (rows, columns)
        assert "masked.scatter" not in text, (rows, columns)
    for sizes in ((80, 3, 3), (64, 8, 8), (32, 20, 12)):
        text = Native(product(*sizes, b=True), level=0).text
        assert "masked.gather" not in text, sizes
        assert "masked.scatter" not in text, sizes


@together("dtype", "sizes")
@pytest.mark.parametrize("dtype", [F, "float32"])
@pytest.mark.parametrize(
    "sizes", [(16, 8, 8), (17, 16, 31), (40, 64, 20), (33, 37, 16), (64, 13, 9), (16, 64, 200)]
)
def test_sums_of_products_of_rows(dtype, sizes):
    """``C = A Bᵀ`` whose sums are short: columns are transposed, and added to many rows."""
    program = product(*sizes, b=True, dtype=dtype)
    values = values_of(program, np.random.default_rng(7))
    agrees(program, Native(program, level=0), values)
    _, given = numbers(program)
    holes = {position: position for position in range(len(given))}
    agrees(program, Native(program, holes, level=0), values, given)


@together("dtype", "sizes")
@pytest.mark.parametrize("dtype", [F, "float32"])
@pytest.mark.parametrize(
    "sizes", [(40, 3, 3), (33, 2, 2), (100, 8, 8), (70, 20, 20), (129, 3, 2), (64, 5, 7)]
)
def test_small_matrices_times_the_rows_of_a_large_one(dtype, sizes):
    """Samples first, before and after: lanes along the samples."""
    program = product(*sizes, b=True, dtype=dtype)
    values = values_of(program, np.random.default_rng(8))
    native = Native(program, level=0)
    agrees(program, native, values)
    _, given = numbers(program)
    holes = {position: position for position in range(len(given))}
    agrees(program, Native(program, holes, level=0), values, given)


@pytest.mark.parametrize("start", [0.0, -0.0, 3.0, None])
@pytest.mark.parametrize("combine", ["add", "maximum"])
def test_values_and_their_sums_over_short_rows(combine, start):
    """``y[i, j] = 2 x[i, j]; t[i] add= x[i, j] from start``."""
    for rows, columns in itertools.product((3, 4, 6, 17), (9, 24, 64, 200)):
        x = Load(Place("x", 0, (("i", columns), ("j", 1))), F)
        double = Op("add", (x, x), F)
        first = None if start is None else Const(start, F)
        writes = (
            Write(Place("y", 0, (("i", columns), ("j", 1))), double),
            Write(Place("t", 0, (("i", 1),)), x, combine, first),
        )
        axes = (Axis("i", rows), Axis("j", columns))
        buffers = (
            Buffer("x", F, rows * columns, "input"),
            Buffer("y", F, rows * columns, "output"),
            Buffer("t", F, rows, "output"),
        )
        body = [Kernel(axes, (), writes)]
        if start is None:
            fill = Write(Place("t", 0, (("i", 1),)), Const(-2.0, F))
            body.insert(0, Kernel((Axis("i", rows),), (), (fill,)))
        program = Program("rows", buffers, tuple(body))
        agrees(program, Native(program, level=0), values_of(program, np.random.default_rng(rows)))


def test_groups_of_neighbours_are_powers_of_two():
    for count, lanes in itertools.product(range(1, 40), (2, 4, 8, 16)):
        seen = []
        while len(seen) < count:
            found = group(len(seen), count, lanes, 77)
            assert found.start == len(seen)
            assert len(found) <= min(8, lanes)
            assert len(found).bit_count() == 1
            assert all(group(each, count, lanes, 77) == found for each in found)
            seen += found
        assert len(seen) == count


def test_dense_rows_are_a_group():
    assert [group(2, 3, 8, 3), group(0, 2, 4, 2)] == [range(3), range(2)]
    assert group(2, 3, 8, 4) == range(2, 3)
