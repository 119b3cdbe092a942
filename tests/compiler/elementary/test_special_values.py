"""Special values are NumPy's, and what can be exact is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pullback.compiler.elementary import NAMES
from tests.compiler.elementary.cases import CASES
from tests.compiler.elementary.compilation import compiled
from tests.grouping import together

DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])
LANES = {"float64": 8, "float32": 16}


def special(dtype: str) -> np.ndarray:
    limits = np.finfo(dtype)
    values = [
        0, 0.25, 1 / 3, 0.5, 1, 1 + limits.eps, 1 - limits.epsneg, 2, 2.5, 3, 9, 40, 1100, 1e10,
        1e20, 2.0 / limits.eps - 1, 4.0 / limits.eps, limits.smallest_subnormal, limits.tiny,
        1e-10, 1e-20, limits.max, np.inf,
    ]  # fmt: skip
    positive = np.array(values, dtype)
    return np.concatenate([positive, -positive, np.array([np.nan], dtype)])


def test_every_function_has_a_case() -> None:
    assert set(CASES) == set(NAMES)


@together("dtype")
@DTYPES
@pytest.mark.parametrize("name", CASES)
def test_special_values_are_those_of_numpy(name: str, dtype: str) -> None:
    """NaN, infinity and 0 where NumPy has them, with its signs; other numbers are near."""
    inputs = np.array([*itertools.product(special(dtype), repeat=NAMES[name])], dtype).T
    got = compiled(name, dtype, LANES[dtype])(*inputs)
    with np.errstate(all="ignore"):
        wanted = CASES[name].reference(*inputs)
    assert wanted.dtype == got.dtype
    eps, least = (float(getattr(np.finfo(dtype), each)) for each in ("eps", "smallest_subnormal"))
    # The difference of logaddexp and its larger argument is what is precise there.
    slack = 4 * eps if name.startswith("logaddexp") else 0.0
    # Half of the least number is it or 0, as it is rounded once or twice, and SciPy does either.
    np.testing.assert_allclose(got, wanted, rtol=8 * eps, atol=slack or least)
    number = abs(wanted) >= slack
    whole = number & (abs(wanted) != least)
    np.testing.assert_array_equal(got[whole] == 0, wanted[whole] == 0)
    np.testing.assert_array_equal(np.signbit(got[number]), np.signbit(wanted[number]))


@together("dtype")
@DTYPES
@pytest.mark.parametrize(
    "name", ["expm1", "log1p", "sinh", "tanh", "arcsinh", "arctanh", "sin", "tan"]
)
def test_small_arguments_are_their_own_result(name: str, dtype: str) -> None:
    limits = np.finfo(dtype)
    x = np.geomspace(float(limits.tiny), float(limits.eps) / 4, 100).astype(dtype)
    x = np.concatenate([x, np.arange(100) * limits.smallest_subnormal]).astype(dtype)
    for each in (x, -x):
        got = compiled(name, dtype, LANES[dtype])(each)
        np.testing.assert_array_equal(got, each)
        np.testing.assert_array_equal(np.signbit(got), np.signbit(each))


@together("dtype")
@DTYPES
@pytest.mark.parametrize("name", ["sinh", "tanh", "arcsinh", "arctanh", "cbrt", "sin", "tan"])
def test_odd_functions_are_odd(name: str, dtype: str) -> None:
    x = np.linspace(0, 0.99, 1000).astype(dtype)
    call = compiled(name, dtype, LANES[dtype])
    np.testing.assert_array_equal(call(-x), -call(x))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_can_be_exact_is(dtype: str) -> None:
    def call(name: str, *inputs: np.ndarray) -> np.ndarray:
        return compiled(name, dtype, LANES[dtype])(*inputs)

    limits = np.finfo(dtype)
    exponents = np.arange(limits.minexp - limits.nmant, limits.maxexp)
    powers = np.ldexp(np.ones(len(exponents), dtype), exponents)
    np.testing.assert_array_equal(call("exp2", exponents), powers)
    np.testing.assert_array_equal(call("log2", powers), exponents)
    np.testing.assert_array_equal(call("power", np.full(len(powers), 2), exponents), powers)
    tens = np.arange(11 if dtype == "float32" else 23)
    np.testing.assert_array_equal(call("log10", 10.0**tens), tens)
    whole = np.arange(-100, 101)
    np.testing.assert_array_equal(call("cbrt", whole.astype(float) ** 3), whole)
    ones = np.ones(len(whole))
    np.testing.assert_array_equal(call("power", whole, 3 * ones), whole.astype(float) ** 3)
    x = np.random.default_rng(7).normal(size=whole.shape).astype(dtype)
    np.testing.assert_array_equal(call("power", x, ones), x)
    np.testing.assert_array_equal(call("power", x * x, 0.5 * ones), np.sqrt(x * x))
    np.testing.assert_array_equal(call("hypot", 3.0 * whole, 4.0 * whole), 5 * abs(whole))
    far = np.array([20.0, 30.0, 1e3, 1e30])
    np.testing.assert_array_equal(call("tanh", np.concatenate([far, -far])), [1.0] * 4 + [-1.0] * 4)
