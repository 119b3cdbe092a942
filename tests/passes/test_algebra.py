"""Neutral elements, signs and powers, each for the numbers it holds for."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.passes.algebra import simplify_algebra
from pullback.rules.losses import difference, product
from pullback.rules.registration import strong_multiply
from tests.grouping import together
from tests.passes.agreement import rewritten
from tests.passes.inspection import names

x = np.array([0.3, -1.2, 2.0])
y = np.array([0.7, 1.5, -0.4])


@together()
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x: x + 0, []),
        (lambda x: 0.0 + x, []),
        (lambda x: x - 0, []),
        (lambda x: 0 - x, ["negative"]),
        (lambda x: x * 1, []),
        (lambda x: 1.0 * x, []),
        (lambda x: x * -1, ["negative"]),
        (lambda x: -1.0 * x, ["negative"]),
        (lambda x: x / 1, []),
        (lambda x: x / -1, ["negative"]),
        (lambda x: x**1, []),
        (lambda x: +x, []),
        (lambda x: np.negative(-x), []),
        (lambda x: -(2 * x), ["multiply"]),
        (lambda x: -(x / 2), ["divide"]),
        (lambda x: 3 * -x, ["multiply"]),
        (lambda x: -x / 3, ["divide"]),
        (lambda x: -x * -x, ["square"]),
        (lambda x: x * x, ["square"]),
        (lambda x: np.square(-x), ["square"]),
        (lambda x: abs(-x), ["absolute"]),
    ],
)
def test_of_one_variable(f, left, dtype):
    assert names(rewritten(simplify_algebra, f, x.astype(dtype))) == left


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x, y: x + -y, ["subtract"]),
        (lambda x, y: -x + y, ["subtract"]),
        (lambda x, y: x - -y, ["add"]),
        (lambda x, y: -(x - y), ["subtract"]),
        (lambda x, y: -x * -y, ["multiply"]),
        (lambda x, y: -x / -y, ["divide"]),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_signs_of_two_variables(f, left, dtype):
    assert names(rewritten(simplify_algebra, f, x.astype(dtype), y.astype(dtype))) == left


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x, y: x + -y * x, ["multiply", "subtract"]),
        (lambda x, y: -x / y + y, ["divide", "subtract"]),
        (lambda x, y: strong_multiply(-x, y) - y, ["strong_multiply", "negative", "subtract"]),
        (lambda x, y: y - strong_multiply(x, -y), ["strong_multiply", "add"]),
        (lambda x, y: y[:2] + (-x)[1:], ["index", "index", "subtract"]),
        (lambda x, y: y[:, None] - (-x).reshape(3, 1), ["index", "reshape", "add"]),
        (lambda x, y: -np.sum(x) * y, ["sum", "negative", "multiply"]),
        (lambda x, y: -x[:, None] @ x[None, :2], ["negative", "index", "index", "matmul"]),
        (lambda x, y: y[0] + -x @ y, ["index", "matmul", "subtract"]),
    ],
)
def test_signs_move_towards_the_result_where_that_is_no_larger(f, left):
    assert sorted(names(rewritten(simplify_algebra, f, x, y))) == sorted(left)


def test_a_sign_that_is_used_twice_stays():
    def f(x, y):
        z = -x
        return z * y, z / y

    assert names(rewritten(simplify_algebra, f, x, y)) == ["negative", "multiply", "divide"]


# -- what must stay ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x: 0 * x,
        lambda x: x - x,
        lambda x: x / x,
        lambda x: 0 / x,
        lambda x: x**0.5,
        lambda x: product(2.0, x),
        lambda x: difference(x, 1.0),
    ],
)
def test_what_nan_and_infinity_keep(f):
    assert len(rewritten(simplify_algebra, f, x).equations) == 1


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x: 1 / x / x, ["divide", "square"]),
        (lambda x: np.reciprocal(x) / x, ["reciprocal", "square"]),
        (lambda x: 2 / x / x, ["divide", "divide"]),
        (lambda x: 1 / x / (x + 1), ["divide", "add", "divide"]),
        (lambda x: 1 / x.astype(complex) / x, ["astype", "divide", "divide"]),
    ],
)
def test_a_reciprocal_over_the_same(f, left):
    x = np.array([0.3, -1.2, 2.0, 1e200, 1e-200, 1e-310, 1e308, 0.0, -0.0])
    assert names(rewritten(simplify_algebra, f, x)) == left


def test_zero_times_an_integer_is_zero():
    graph = rewritten(simplify_algebra, lambda n: 0 * n, np.arange(3))
    assert names(graph) == ["broadcast_to"]


@pytest.mark.parametrize(
    ("c", "d", "joined"),
    [
        (0.5, 0.25, True),
        (2.0, 3.0, True),
        (0.5, 2.0, False),
        (1e-200, 1e-200, False),
        (1e200, 1e200, False),
    ],
)
def test_factors_are_joined_where_nothing_overflows_in_between(c, d, joined):
    graph = rewritten(simplify_algebra, lambda x: c * (d * x), x)
    assert names(graph) == ["multiply"] * (1 if joined else 2)
    for value in (1e300, 1e-300, 5e-324):
        given = np.full(3, value)
        with np.errstate(over="ignore"):
            np.testing.assert_array_equal(graph(given), c * (d * given))


def test_saturated_products_are_plain_where_nothing_overflows():
    graph = rewritten(simplify_algebra, lambda x: (product(x, 1.0), product(-0.5, x)), x)
    assert names(graph) == ["multiply"]
    assert names(rewritten(simplify_algebra, lambda x: difference(x, 0.0), x)) == []


# -- dtypes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["bool", "int8", "uint8", "int64", "float16", "float32"])
@pytest.mark.parametrize("number", [1, 1.0, np.float32(1), np.float64(1), 1 + 0j, np.int64(1)])
def test_the_dtype_stays(given, number):
    values = np.array([0, 1, 3]).astype(given)
    graph = rewritten(
        simplify_algebra, lambda x: (x * number, x + (number - 1), x / number), values
    )
    assert not {"multiply", "add", "divide"} & set(names(graph))


@pytest.mark.parametrize("value", [2, 2.5, 1j])
def test_python_numbers_stay_weak(value):
    def f(n, x):
        return (n * 1) * x, (n + 0) * x, np.negative(-n) * x, n * x

    rewritten(simplify_algebra, f, value, x.astype(np.float32))


def test_numbers_have_one_spelling():
    def f(x):
        return x * 2, x * 2.0, x * np.float64(2), 2 * x

    assert str(simplify_algebra(pb.trace(f, x))).count("multiply(x, 2.0)") == 3
    single = simplify_algebra(pb.trace(lambda x: 0.1 * x, x.astype(np.float32)))
    assert f"multiply({float(np.float32(0.1))}, x)" in str(single)


# -- complex numbers ---------------------------------------------------------------------------


def test_parts_of_real_numbers():
    f = lambda x: (np.conj(x), np.real(x), np.imag(x))  # noqa: E731
    assert names(rewritten(simplify_algebra, f, x)) == []
    assert names(rewritten(simplify_algebra, f, x + 1j)) == ["conjugate", "real", "imag"]


def test_conjugated_twice():
    assert names(rewritten(simplify_algebra, lambda z: np.conj(np.conj(z)), x + 1j)) == []


def test_the_real_part_of_what_was_real():
    graph = rewritten(simplify_algebra, lambda x: x.astype(np.complex128).real, x)
    assert names(graph) == []


# -- what is used otherwise --------------------------------------------------------------------


def test_a_sign_is_not_put_into_a_product_that_is_used_twice():
    graph = rewritten(simplify_algebra, lambda x: (2 * x, -(2 * x)), x)
    assert names(graph) == ["multiply", "multiply"]

    def shared(x):
        y = 2 * x
        return y, -y

    assert names(rewritten(simplify_algebra, shared, x)) == ["multiply", "negative"]
