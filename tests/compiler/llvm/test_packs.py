"""Elementary functions of scalars, some in the lanes of one vector, are those of each alone."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pullback.compiler.llvm.packs import planned
from pullback.compiler.loops import (
    Buffer,
    Const,
    For,
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
        groups = planned(body).units
        flat = [each for group in groups for each in group]
        assert len(flat) == len(body)
        assert {*map(id, flat)} == {*map(id, body)}
        verify(Program("row", random_row(seed, "float64").buffers, tuple(flat)))
        places = [n for n, each in enumerate(flat) if isinstance(each, Store)]
        assert places == [n for n, each in enumerate(body) if isinstance(each, Store)]
        for group in (group for group in groups if len(group) > 1):
            assert len({type(each) for each in group}) == 1
            if not isinstance(group[0], Let) or isinstance(group[0].value, Load):
                continue
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


# -- what is between the functions ----------------------------------------------------------------


def logsumexp_loop(states, dtype, steps=5):
    """A loop that carries aⱼ = log Σᵢ exp(aᵢ + tᵢⱼ − max) + max + xⱼ, and keeps all it computes."""
    count = 0
    body = []

    def let(value):
        nonlocal count
        count += 1
        body.append(Let(Scalar(f"v{count}", dtype), value))
        return Name(f"v{count}", dtype)

    def each(name, *columns):
        return [let(Op(name, args, dtype)) for args in zip(*columns, strict=True)]

    def reduced(name, rows):
        total = rows[0]
        for row in rows[1:]:
            total = each(name, total, row)
        return total

    every = range(states)
    weights = [[Name(f"t{i}{j}", dtype) for j in every] for i in every]
    carries = [Name(f"a{j}", dtype) for j in every]
    rows = [each("add", [carries[i]] * states, weights[i]) for i in every]
    top = reduced("maximum", rows)
    shifted = [x for row in rows for x in each("subtract", row, top)]
    powers = each("exp", shifted)
    total = reduced("add", [powers[n : n + states] for n in range(0, states**2, states)])
    logs = each("log", total)
    x = [let(Load(Place("x", j, (("n", states),)), dtype)) for j in every]
    nexts = each("add", each("add", top, logs), x)
    kept = [*carries, *powers, *nexts]
    width = len(kept)
    body += [Store(Place("y", k, (("n", width),)), each) for k, each in enumerate(kept)]
    outside = [
        Let(Scalar(f"t{i}{j}", dtype), Load(Place("t", states * i + j), dtype))
        for i in every for j in every
    ]  # fmt: skip
    loop = For(
        "n", Const(steps, "int64"),
        tuple((Scalar(f"a{j}", dtype), Const(0.1 * j, dtype)) for j in every),
        tuple(body), tuple(nexts), tuple(Scalar(f"r{j}", dtype) for j in every),
    )  # fmt: skip
    results = [Store(Place("z", j), Name(f"r{j}", dtype)) for j in every]
    buffers = (
        Buffer("t", dtype, states**2, "input"), Buffer("x", dtype, states * steps, "input"),
        Buffer("y", dtype, width * steps, "output"), Buffer("z", dtype, states, "output"),
    )  # fmt: skip
    return Program("loop", buffers, (*outside, loop, *results))


@together("dtype")
@DTYPES
@pytest.mark.parametrize("states", [2, 3, 4, 5, 9])
def test_a_loop_carries_vectors(states, dtype):
    """What is carried, read and kept is the same, whichever of it is in lanes."""
    program = logsumexp_loop(states, dtype)
    verify(program)
    random = np.random.default_rng(states)
    values = [random.normal(size=states**2), random.normal(size=5 * states)]
    values = [x.astype(dtype) for x in values]
    code, found = Native(program)(program, values)
    assert code == 0
    rtol = 1e-13 if dtype == "float64" else 1e-5
    for got, wanted in zip(found, interpret(program, values), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("undefined", [0, 3, 8])
def test_nan_stays_in_its_lanes(undefined):
    program = logsumexp_loop(3, "float64")
    weights = np.full(9, -np.inf)
    weights[undefined] = np.nan
    weights[[1, 5, 6]] = 0.5
    values = [weights, np.ones(15)]
    _, found = Native(program)(program, values)
    with np.errstate(all="ignore"):
        wanted = interpret(program, values)
    for got, right in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, right, rtol=1e-13)


def test_nothing_goes_into_lanes_within_the_loop():
    """Rows are vectors, so that no scalar is moved but the carries, each into all lanes of one."""
    text = Native(logsumexp_loop(3, "float64")).text
    run = text[text.index("define i32 @run") :]
    inside = run[run.index("phi <4 x double>") :]
    inside = inside[: inside.index("icmp slt")]
    assert len(re.findall(r"call .*@pb\.exp\.f64x4", inside)) == 3
    assert len(re.findall(r"call .*@pb\.log\.f64x4", inside)) == 1
    assert len(re.findall("insertelement", inside)) == 3
    assert len(re.findall("extractelement", inside)) == 3
    assert len(re.findall("masked.store.v4f64", inside)) == 5


def test_few_functions_in_many_vectors_are_one_vector():
    """Neighbours of neighbours stay so only where that doesn't take many times as long."""
    body = [Let(Scalar(f"a{n}", "float64"), Load(Place("x", n), "float64")) for n in range(8)]
    body += [Let(Scalar(f"b{n}", "float64"), Op("exp", (Name(f"a{n}", "float64"),), "float64"))
             for n in range(8)]  # fmt: skip
    pairs = [Op("add", (Name("b0", "float64"), Name(f"b{n}", "float64")), "float64")
             for n in (3, 4)]  # fmt: skip
    body += [Let(Scalar(f"c{n}", "float64"), Op("log", (x,), "float64"))
             for n, x in enumerate(pairs)]  # fmt: skip
    sizes = [len(unit) for unit in planned(body).units if isinstance(unit[0].value, Op)]
    assert sizes == [8, 2]


def test_elements_apart_are_no_vector():
    loads = [Let(Scalar(f"a{n}", "float64"), Load(Place("x", 2 * n), "float64")) for n in range(4)]
    calls = [Let(Scalar(f"b{n}", "float64"), Op("exp", (Name(f"a{n}", "float64"),), "float64"))
             for n in range(4)]  # fmt: skip
    stores = [Store(Place("y", 2 * n), Name(f"b{n}", "float64")) for n in range(4)]
    assert [len(unit) for unit in planned((*loads, *calls, *stores)).units] == [1] * 4 + [4] + [
        1
    ] * 4
