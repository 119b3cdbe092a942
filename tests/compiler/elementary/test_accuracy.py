"""Elementary functions against mpmath, in units of the last place of what is right."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from tests.compiler.elementary.cases import CASES, Sampler
from tests.compiler.elementary.compilation import compiled
from tests.grouping import together

Real = Any  # an mpf

LANES = {"float64": 8, "float32": 16}


def points(name: str, dtype: str) -> list[np.ndarray]:
    """All points of a sweep, an array for each argument."""
    arrays = [x if isinstance(x, tuple) else (x,) for x in CASES[name].points(Sampler(dtype))]
    with np.errstate(over="ignore", under="ignore"):
        columns = [np.concatenate(xs).astype(dtype) for xs in zip(*arrays, strict=True)]
    kept = np.isfinite(columns).all(axis=0)
    return [column[kept] for column in columns]


@functools.cache
def right(name: str, dtype: str) -> list[Real]:
    with mp.workprec(140):
        rows = zip(*points(name, dtype), strict=True)
        return [CASES[name].oracle(*(mp.mpf(float(x)) for x in row)) for row in rows]


def error(got: np.generic, exact: Real) -> float:
    """The distance from what is right, in units of its last place."""
    largest = float(np.finfo(got.dtype).max)
    unit = float(np.spacing(got.dtype.type(min(abs(exact), largest / 1.5))))
    if np.isinf(got):
        return 0.0 if np.sign(got) * exact > largest else np.inf
    distance = abs(mp.mpf(float(got)) - exact) / unit
    return float(distance) if distance < largest else np.inf  # NaN is no distance


@together("dtype")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CASES)
def test_errors_are_within_the_bound(name: str, dtype: str) -> None:
    inputs = points(name, dtype)
    got = compiled(name, dtype, LANES[dtype])(*inputs)
    with mp.workprec(140):
        errors = [error(y, exact) for y, exact in zip(got, right(name, dtype), strict=True)]
    worst = int(np.argmax(errors))
    assert errors[worst] <= CASES[name].bound, [
        *(x[worst] for x in inputs),
        got[worst],
        right(name, dtype)[worst],
    ]


@together("dtype")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CASES)
def test_results_do_not_depend_on_the_lanes(name: str, dtype: str) -> None:
    inputs = [x[::7] for x in points(name, dtype)]
    one, two, many = (compiled(name, dtype, lanes)(*inputs) for lanes in (1, 2, 16))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one, many)


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "power", "cbrt", "sin", "erf", "gammaln"])
def test_results_do_not_depend_on_the_machine(name: str) -> None:
    inputs = [x[::7] for x in points(name, "float64")]
    np.testing.assert_array_equal(
        compiled(name, "float64", 8)(*inputs), compiled(name, "float64", 8, plain=True)(*inputs)
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_logaddexp_loses_no_more_than_its_larger_argument_has(dtype: str) -> None:
    """Where that is negative and cancels the logarithm, the unit is its last place."""
    sampler = Sampler(dtype)
    x, y = (sampler.between(-4, 0).astype(dtype) for _ in "xy")
    got = compiled("logaddexp", dtype, LANES[dtype])(x, y).astype(float)
    with mp.workprec(140):
        exact = [
            CASES["logaddexp"].oracle(*(mp.mpf(float(v)) for v in row))
            for row in zip(x, y, strict=True)
        ]
        distance = [abs(float(mp.mpf(one) - other)) for one, other in zip(got, exact, strict=True)]
    assert max(distance / np.spacing(np.maximum(abs(got), -np.maximum(x, y)).astype(dtype))) <= 1.5
