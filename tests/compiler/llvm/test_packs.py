"""Elementary functions of scalars, some in the lanes of one vector, are those of each alone."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pullback.compiler.llvm.packs import packed
from pullback.compiler.loops import (
    Buffer,
    Let,
    Load,
    Name,
    Op,
    Place,
    Program,
    Scalar,
    Store,
    interpret,
    verify,
)
from tests.compiler.llvm.native import Native
from tests.grouping import together

DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])
UNARY = ["exp", "log1p", "tanh", "sin", "absolute", "sqrt", "negative"]
BINARY = ["add", "multiply", "maximum", "arctan2", "hypot"]
COUNT = 60


def random_row(seed, dtype):
    """Scalars of bounded functions of scalars before them, with loads and stores here and there."""
    random = np.random.default_rng(seed)
    buffers = [Buffer("x", dtype, 8, "input"), Buffer("y", dtype, COUNT, "output")]
    body = [Let(Scalar(f"v{n}", dtype), Load(Place("x", n), dtype)) for n in range(8)]
    stores = random.random(COUNT) < random.choice([0.0, 0.2])
    for n in range(8, COUNT):
        names = [Name(f"v{k}", dtype) for k in random.integers(max(0, n - 25), n, 2)]
        if stores[n]:
            body.append(Store(Place("y", n - 1), names[0]))
            names[1] = Load(Place("y", n - 1), dtype)
        name = str(random.choice(UNARY + BINARY))
        value = Op(name, tuple(names if name in BINARY else names[1:]), dtype)
        value = Op("tanh", (value,), dtype) if random.random() < 0.5 else value
        body.append(Let(Scalar(f"v{n}", dtype), Op("absolute", (value,), dtype)
                        if random.random() < 0.3 else value))  # fmt: skip
    body += [Store(Place("y", n), Name(f"v{n}", dtype)) for n in range(COUNT)]
    return Program("row", tuple(buffers), tuple(body))


@together("dtype")
@DTYPES
@pytest.mark.parametrize("seed", range(3))
def test_values(seed, dtype):
    program = random_row(seed, dtype)
    verify(program)
    values = [np.random.default_rng(seed).uniform(0, 1, 8)]
    code, (found,) = Native(program)(program, values)
    assert code == 0
    rtol = 1e-11 if dtype == "float64" else 1e-3
    with np.errstate(all="ignore"):
        (wanted,) = interpret(program, [values[0].astype(dtype)])
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=rtol)


def test_an_order_in_which_all_is_known():
    """Nothing is lost or read before it is given, and nothing goes past a store."""
    shared = 0
    for seed in range(40):
        body = random_row(seed, "float64").body
        groups = [*packed(body)]
        flat = [each for group in groups for each in group]
        assert len(flat) == len(body)
        assert {*map(id, flat)} == {*map(id, body)}
        verify(Program("row", random_row(seed, "float64").buffers, tuple(flat)))
        places = [n for n, each in enumerate(flat) if isinstance(each, Store)]
        assert places == [n for n, each in enumerate(body) if isinstance(each, Store)]
        for group in (group for group in groups if len(group) > 1):
            shared += 1
            assert len({let.value.name for let in group}) == 1
            given = {let.scalar.name for let in group}
            read = {arg.name for let in group for arg in let.value.args if isinstance(arg, Name)}
            assert not given & read
    assert shared > 40


@together("dtype")
@DTYPES
@pytest.mark.parametrize("count", [1, 2, 3, 9, 20])
def test_lanes(count, dtype):
    """As many vectors as are needed, and none for one scalar."""
    buffers = Buffer("x", dtype, count, "input"), Buffer("y", dtype, count, "output")
    loads = [Let(Scalar(f"a{n}", dtype), Load(Place("x", n), dtype)) for n in range(count)]
    calls = [Let(Scalar(f"b{n}", dtype), Op("exp", (Name(f"a{n}", dtype),), dtype))
             for n in range(count)]  # fmt: skip
    stores = [Store(Place("y", n), Name(f"b{n}", dtype)) for n in range(count)]
    program = Program("row", buffers, (*loads, *calls, *stores))
    native = Native(program)
    (x,) = values = [np.linspace(-700, 700, count).astype(dtype)]
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(native(program, values)[1][0], np.exp(x), rtol=1e-6)
    run = native.text[native.text.index("@run") :]
    lanes = 8 if dtype == "float64" else 16
    assert len(re.findall(r"call .*@pb\.exp", run)) == -(-count // lanes)
