"""Rules compute in the precision of the result, whatever the dtypes of constants and arguments."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special as sc

import pullback as pb
from tests.fuzz.dtypes import Draw, fixed

DRAWS = fixed()


@pytest.mark.parametrize("name", DRAWS)
def test_every_dtype_of_a_constant_beside_every_dtype_of_an_argument(name):
    faults = {draw: fault for draw in DRAWS[name] if (fault := draw.fault()) is not None}
    assert not faults


FOUND = [
    Draw("dct", 8, ("complex128",), (0,), "forward"),
    Draw("riccati", 1, ("int64", "float32", ">f4", "longdouble"), (3,), "forward"),
    Draw("sin_quotient", 1, ("longdouble",), (0,), "vmap"),
]
"""What random draws once found."""


def test_what_once_went_wrong():
    assert [draw.fault() for draw in FOUND] == [None] * len(FOUND)


NARROW = {
    "an unsigned integer does not wrap": (lambda x: np.arctan2(np.uint8(3), x), -0.3),
    "nor does the smallest integer": (lambda x: x ** np.int8(-128), -128.0),
    "single precision divides in double": (lambda x: x / np.float32(3), 1 / 3),
    "half too": (lambda x: x / np.array([np.float16(3), 7], np.float16), 1 / 3 + 1 / 7),
    "a byte's logarithm is a double": (lambda x: np.int8(3) ** x, 3 * np.log(3.0)),
    "a boolean is a number": (lambda x: np.hypot(np.True_, x), 0.5**0.5),
    "a boolean can be negated": (lambda x: np.arctan2(np.array([True]), x), -0.5),
    "a large Python integer": (lambda x: 10**30 / (10**30 + 10**30 * x), -0.25),
    "a large unsigned one": (lambda x: np.uint64(2**63) / (x + np.uint64(1)), -(2.0**61)),
    "the other byte order": (lambda x: x / np.array([4.0, 5.0], ">f4"), 0.45),
}


@pytest.mark.parametrize("program", NARROW)
def test_constants_do_not_narrow_a_derivative(program):
    function, expected = NARROW[program]

    def f(x):
        return np.sum(function(x))

    got = {
        "reverse": pb.grad(f)(1.0),
        "forward": pb.pushforward(f, (np.float64(1.0),), (1.0,))[1],
        "recorded": pb.simplify(pb.trace(pb.grad(f), np.float64(1.0)))(np.float64(1.0)),
        "mapped": pb.vmap(pb.grad(f))(np.ones(2))[1],
        "a loop": pb.grad(lambda x: pb.scan(lambda c, _: (c, f(c)), x, None, 1)[1][0])(np.ones(())),
        "checkpoint": pb.grad(pb.checkpoint(f))(np.float64(1.0)),
    }
    for mode, value in got.items():
        np.testing.assert_allclose(value, expected, rtol=1e-15, err_msg=mode)


def test_a_rule_of_ones_own_computes_in_the_precision_of_the_result():
    seen = []

    @pb.primitive
    def quotient(x, y, n):
        return x / y * n

    @quotient.rule
    def quotient_rule(_z, x, y, n):
        seen.append((np.result_type(x), np.result_type(y), type(n)))
        return n / y, -x * n / y / y, None

    def f(x):
        return quotient(x, np.float32(3), 2)

    assert pb.grad(f)(1.0) == 2 / 3
    assert pb.pushforward(f, (1.0,), (1.0,))[1] == 2 / np.float32(3)  # a tangent has its dtype
    assert pb.grad(f)(np.float64(1.0)) == 2 / 3
    assert seen == [(np.float64, np.float64, int)] * 3


def test_signs_and_factors_of_numbers_in_graphs_do_not_wrap():
    def f(x):
        return -(np.uint16(2) / x), (x * np.float32(0.1)) * np.float32(0.3), np.int8(-128) / -x

    x = np.array([1.0, 4.0])
    for got, expected in zip(pb.simplify(pb.trace(f, x))(x), f(x), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-15)


# -- Python's numbers -------------------------------------------------------------------------

POLES = {
    "log": (np.log, np.inf),
    "log2": (np.log2, np.inf),
    "log10": (np.log10, np.inf),
    "sqrt": (np.sqrt, np.inf),
    "cbrt": (np.cbrt, np.inf),
    "reciprocal": (np.reciprocal, -np.inf),
    "quotient": (lambda x: 1 / x, -np.inf),
    "quotient by a number": (lambda x: np.exp(x) / 0.0, np.inf),
    "quotient by an integer": (lambda x: np.exp(x) / 0, np.inf),
    "root": (lambda x: x**0.5, np.inf),
    "negative power": (lambda x: x**-3, -np.inf),
    "log1p": (lambda x: np.log1p(x - 1), np.inf),
    "arctanh": (lambda x: np.arctanh(x + 1), np.inf),
    "arcsin": (lambda x: np.arcsin(x + 1), np.inf),
    "arccosh": (lambda x: np.arccosh(x + 1), np.inf),
    "xlogy": (lambda x: sc.xlogy(2.0, x), np.inf),
    "logit": (sc.logit, np.inf),
    "rel_entr": (lambda x: sc.rel_entr(1.0, x), -np.inf),
    "gammaln": (sc.gammaln, -np.inf),
}


@pytest.mark.parametrize("name", POLES)
def test_a_python_number_at_a_pole_is_infinite_as_an_array_is(name):
    function, expected_slope = POLES[name]

    def slope(x):
        return pb.pushforward(function, (x,), (1.0,))[1]

    ways = {
        "reverse": pb.grad(function),
        "forward": slope,
        "linearized": lambda x: pb.linearize(function, x)[1](1.0),
        "reverse over reverse": pb.grad(pb.grad(function)),
        "forward over reverse": lambda x: pb.pushforward(pb.grad(function), (x,), (1.0,))[1],
        "reverse over forward": pb.grad(slope),
        "recorded": lambda x: pb.simplify(pb.trace(pb.grad(function), x))(x),
        "checkpoint": pb.grad(pb.checkpoint(function)),
    }
    with np.errstate(all="ignore"):
        for way, derivative in ways.items():
            got, expected = derivative(0.0), derivative(np.zeros(()))
            np.testing.assert_array_equal(got, expected, err_msg=way)
        assert pb.grad(function)(0.0) == expected_slope
