"""Every operation on every dtype, as scalars and as vectors, against NumPy at special values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pullback.compiler.elementary import NAMES as ELEMENTARY
from pullback.compiler.llvm import can
from pullback.compiler.loops import (
    OPERATIONS,
    Axis,
    Buffer,
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
)
from tests.compiler.llvm.native import run

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
DTYPES = ["float64", "float32", "bool", *INTEGERS]
BOOLEAN = {"select", "convert"} | {n for n in OPERATIONS if n.startswith(("logical", "bitwise"))}
BOOLEAN |= {"invert", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}


def special(dtype):
    """Values of a dtype around all that is special in it."""
    if dtype == "bool":
        return np.array([False, True])
    if dtype.startswith("float"):
        info = np.finfo(dtype)
        some = [0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, -7, 10, 0.1, np.pi, 1e5, -123.456]
        edges = [np.nan, np.inf, -np.inf, info.max, info.min, info.tiny, info.smallest_subnormal]
        return np.array([*some, *edges, info.eps], dtype)
    info = np.iinfo(dtype)
    some = [0, 1, 2, 3, 5, 7, 8, 31, 63, 64, 100, info.max, info.max - 1, info.min, info.min + 1]
    return np.array([x % (1 << info.bits) for x in (*some, -1, -2, -3, -7)], "u8").astype(dtype)


def arguments(name, dtype, arity):
    """All combinations, flat; of three arguments some, those of a select with a condition."""
    values = special(dtype)
    if name == "select":
        pairs = list(itertools.product(values, values))
        chosen = np.arange(len(pairs)) % 3 == 0
        return [chosen, *(np.array(column, dtype) for column in zip(*pairs, strict=True))]
    if arity == 3:
        values = values[::3]
    rows = list(itertools.product(values, repeat=arity))
    columns = [np.array(column, dtype) for column in zip(*rows, strict=True)]
    if name == "power":
        columns[1] = abs(columns[1]) % 7
    return columns


def program(points):
    """Each operation in a kernel over all arguments, and as a scalar of the last ones.

    `points` are names, columns of arguments and dtypes of results.
    """
    inputs, outputs, body = [], [], []
    for n, (name, columns, result) in enumerate(points):
        given = [Buffer(f"x{n}.{k}", c.dtype.name, c.size, "input") for k, c in enumerate(columns)]
        size, terms = columns[0].size, ((f"i{n}", 1),)
        inputs += given
        outputs.append(Buffer(f"y{n}", result, size, "output"))
        outputs.append(Buffer(f"z{n}", result, 1, "output"))
        lanes = tuple(Load(Place(b.name, 0, terms), b.dtype) for b in given)
        write = Write(Place(f"y{n}", 0, terms), Op(name, lanes, result))
        body.append(Kernel((Axis(f"i{n}", size),), (), (write,)))
        last = tuple(Load(Place(b.name, size - 1), b.dtype) for b in given)
        body.append(Let(Scalar(f"v{n}", result), Op(name, last, result)))
        body.append(Store(Place(f"z{n}"), Name(f"v{n}", result)))
    return Program("operations", (*inputs, *outputs), tuple(body))


def check(points):
    """Run operations natively and by the interpreter, all in one program."""
    given = [(name, arguments(name, dtype, OPERATIONS[name].arity), result)
             for name, dtype, result in points]  # fmt: skip
    made = program(given)
    values = [column for _, columns, _ in given for column in columns]
    wanted = interpret(made, values)
    code, found = run(made, values, level=0)
    assert code == 0
    for n, (name, columns, result) in enumerate(given):
        for which in (2 * n, 2 * n + 1):
            part = columns[0] if which % 2 == 0 else columns[0][-1:]
            where = defined(part, result) if name == "convert" else np.ones(part.size, bool)
            compare(name, part.dtype, found[which][where], wanted[which][where])


def compare(name, dtype, found, want):
    message = f"{name} of {dtype} to {want.dtype}"
    if name == "fma" and want.dtype.kind == "f":
        finite = np.isfinite(want)  # rounded once, a sum may be finite that isn't if rounded twice
        np.testing.assert_allclose(found[finite], want[finite], rtol=1e-6, err_msg=message)
        return
    np.testing.assert_array_equal(found, want, err_msg=message)
    if want.dtype.kind == "f" and name not in ("maximum", "minimum", "fmax", "fmin"):
        numbers = ~np.isnan(want)
        signs = np.signbit(found)[numbers], np.signbit(want)[numbers]
        np.testing.assert_array_equal(*signs, err_msg=f"signs, {message}")


def defined(values, dtype):
    """Where a value has one in another dtype: floats, if they are integers that the dtype has."""
    if values.dtype.kind != "f" or dtype == "bool" or dtype.startswith("float"):
        return np.ones(values.size, bool)
    info = np.iinfo(dtype)
    with np.errstate(invalid="ignore"):
        return (values > float(info.min) - 1) & (values < float(info.max))


def exact(dtype):
    """The operations that have one right value, or NaN."""
    for name, operation in OPERATIONS.items():
        if name == "convert" or name in ELEMENTARY or not can(name, dtype):
            continue
        if dtype == "bool" and name not in BOOLEAN:
            continue
        if name in ("divide", "rint") and not dtype.startswith("float"):
            continue  # NumPy computes floats
        yield name, dtype, "bool" if operation.gives == "bool" else dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_operation(dtype):
    points = list(exact(dtype))
    assert len(points) >= 14
    check(points)


def test_conversions():
    check([("convert", source, target) for source in DTYPES for target in DTYPES])
