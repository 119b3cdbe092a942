"""Python's operators on traced arrays."""

from __future__ import annotations

import functools
import math
import operator

import numpy as np
import pytest

import pullback as pb
from tests.numpy.agreement import assert_analytic, assert_constant

X = np.array([[0.5, 1.5], [2.0, 3.0]])
ROW = [2.0, 4.0]

OTHERS = {
    "float": 3.0,
    "int": 3,
    "bool": True,
    "complex": 2.0 - 1.0j,
    "float64": np.float64(3.0),
    "int32": np.int32(3),
    "array": np.array(ROW),
    "integers": np.array([2, 4]),
    "list": ROW,
    "tuple": tuple(ROW),
    "range": range(2, 4),
    "nested list": [[1.0, 2.0], [3.0, 4.0]],
}
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("binary", BINARY)
def test_arithmetic_with_what_numpy_takes(binary, other):
    assert_analytic(lambda x: binary(x, x[::-1]), X, rtol=1e-12)
    if isinstance(other, complex):
        _, out_dot = pb.pushforward(lambda x: binary(x, other), (X,), (np.ones_like(X),))
        step = binary(X + 1e-7, other) - binary(X - 1e-7, other)
        np.testing.assert_allclose(out_dot, step / 2e-7, rtol=1e-6, atol=1e-7)
        return
    assert_analytic(lambda x: binary(x, other), X, rtol=1e-12)
    assert_analytic(lambda x: binary(other, x), X, rtol=1e-12)


def test_matrix_products():
    assert_analytic(lambda x: x @ x, X)
    assert_analytic(lambda x: x @ np.array(ROW), X)
    assert_analytic(lambda x: np.array(ROW) @ x, X)
    assert_analytic(lambda x: x @ ROW, X)
    assert_analytic(lambda x: [ROW, ROW] @ x, X)


def test_unary_operators():
    assert_analytic(lambda x: -x + +x * 2, X)
    np.testing.assert_array_equal(pb.grad(lambda x: np.sum(abs(x)))(X - 1.75), np.sign(X - 1.75))


@pytest.mark.parametrize(
    "compare",
    [operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge],
)
def test_comparisons_are_plain_booleans(compare):
    assert_constant(lambda x: compare(x, 1.5), X)
    assert_constant(lambda x: compare(1.5, x), X)
    assert_constant(lambda x: compare(x, x.T), X)
    assert_constant(lambda x: compare(np.array(ROW), x), X)


def test_quotient_and_remainder():
    def f(x):
        quotient, remainder = divmod(x, 1.25)
        again, rest = divmod(10.0, x)
        return x // 0.7 + x % 0.7 + quotient + remainder + again + rest + 10.0 % x

    x = np.array([0.5, 2.0, 3.0])
    np.testing.assert_allclose(np.diag(pb.jacobian(f)(x)), 2 - 2 * (10.0 // x))


def test_the_square_has_the_bits_of_numpy():
    x = np.random.default_rng(0).normal(size=1000)
    for exponent in (2, 0.5, -1, 1, 3):
        with np.errstate(invalid="ignore"):
            value = pb.vjp(lambda x, e=exponent: x**e, x)[0]
            np.testing.assert_array_equal(value, x**exponent)


def test_python_numbers():
    assert pb.grad(lambda x: (3 - x) ** 2 / x)(2.0) == -1.25
    assert pb.grad(lambda x: 2**x)(3.0) == pytest.approx(8 * math.log(2))


def test_in_place_operators_change_the_array_that_others_hold():
    def f(x):
        y = x * 1.0
        same = y
        y += 1.0
        y -= x[0]
        y *= 2.0
        y /= 4.0
        y **= 3
        y @= np.array([[1.0, 2.0], [3.0, 4.0]])
        return same

    assert_analytic(f, X)


def test_in_place_quotients():
    def f(x):
        y = x * 1.0
        y //= 0.7
        z = x * 1.0
        z %= 0.7
        return np.sum(y * x + z)

    np.testing.assert_allclose(pb.grad(f)(X), X // 0.7 + 1.0)


def test_in_place_operators_rebind_scalars():
    def f(x):
        s = x[0, 0]
        kept = s
        s *= 100.0
        s **= 2
        return kept + 0.5 * s

    np.testing.assert_array_equal(pb.grad(f)(X), [[5001.0, 0.0], [0.0, 0.0]])


def test_a_plain_array_on_the_left():
    def f(x):
        return np.sum(np.array(ROW) * x - np.array(ROW) / x)

    np.testing.assert_allclose(pb.grad(f)(X), np.array(ROW) + np.array(ROW) / X**2)


@pytest.mark.parametrize(
    ("symbol", "use"),
    [
        ("&", lambda x: x & 1),
        ("&", lambda x: True & x),
        (r"\|", lambda x: x | x),
        (r"\^", lambda x: x ^ 1),
        ("<<", lambda x: x << 1),
        (">>", lambda x: 1 >> x),
        ("~", lambda x: ~x),
        ("&", lambda x: operator.iand(x, 1)),
    ],
)
def test_bitwise_operators_are_refused(symbol, use):
    with pytest.raises(pb.ArgumentTypeError, match=f"operator {symbol} takes integers.*float64"):
        pb.grad(use)(X)


def test_masks_combine():
    gradient = pb.grad(lambda x: np.sum(x[(x > 1) & ~(x > 2.5)]))(X)
    np.testing.assert_array_equal(gradient, [[0.0, 1.0], [1.0, 0.0]])


class Unknown:
    def __radd__(self, other):
        return "mine"

    def __rmatmul__(self, other):
        return "mine too"


def test_unknown_types_have_their_turn():
    def f(x):
        assert x + Unknown() == "mine"
        assert x @ Unknown() == "mine too"
        for compare in (operator.eq, operator.ne):
            for other in (None, "x"):
                np.testing.assert_array_equal(compare(x, other), compare(X, other))
            assert compare(x[0, 0], None) == compare(X[0, 0], None)
        with pytest.raises(TypeError, match="unsupported operand"):
            x * Unknown()
        with pytest.raises(TypeError, match="unsupported operand"):
            x + {1: 2}
        return np.sum(x)

    pb.grad(f)(X)


def test_conversions_to_python_integers_are_constant():
    def f(x):
        assert math.floor(x) == 2 and math.ceil(x) == 3 and math.trunc(x) == 2 and round(x) == 3
        assert type(round(x)) is int
        return x * math.floor(x)

    assert pb.grad(f)(2.75) == 2.0


def test_membership():
    def f(x):
        assert 2.0 in x
        assert 7.0 not in x
        return np.sum(x)

    pb.grad(f)(X)


def test_hashes():
    for call in (
        lambda: pb.grad(lambda x: {x: 1})(1.0),
        lambda: pb.vmap(lambda x: {x})(np.ones(2)),
        lambda: pb.trace(functools.lru_cache(np.sin), 1.0),
    ):
        with pytest.raises(TypeError, match="hash, for a set, for the keys of a dict or for a cac"):
            call()

    def f(x):
        with pytest.raises(TypeError, match=r"unhashable type: 'numpy\.ndarray'"):
            hash(x * np.ones(2))
        c = pb.stop_gradient(x)
        return x * {c: 3.0}[float(c)]

    assert pb.grad(f)(1.5) == 3.0


def test_quotients_of_numbers_are_infinite_as_numpys():
    """Python's operators raise where a divisor is zero; NumPy's functions don't."""
    for f, x, slope in (
        (lambda x: x / 0.0, 2.0, np.inf),
        (lambda x: 3.0 / x, 0.0, -np.inf),
        (lambda x: x + x // 0.0, 2.0, 1.0),
        (lambda x: x + 0.0 * (x % 0.0), 2.0, 1.0),
    ):
        with np.errstate(all="ignore"):
            expected = f(np.float64(x))
            value, bar = pb.value_and_grad(f)(x)
            pushed, dot = pb.jvp(f, (x,), (1.0,))
        np.testing.assert_array_equal([value, pushed], [expected, expected])
        np.testing.assert_array_equal([bar, dot], [slope, slope])


def test_numbers_stay_numbers_and_take_an_arrays_dtype():
    single = np.ones(2, np.float32)

    def f(x):
        y = (x * x + 2.0 * x - x / 3.0) * single
        assert y.dtype == np.float32
        return np.sum(y)

    expected = 2 * (1.0 + 2.0 - 1.0 / 3.0)
    np.testing.assert_allclose(pb.grad(f)(0.5), expected, rtol=1e-6)
    np.testing.assert_allclose(pb.jvp(f, (0.5,), (1.0,))[1], expected, rtol=1e-6)
    nested = pb.grad(lambda x: pb.jvp(f, (x,), (1.0,))[1])
    np.testing.assert_allclose(nested(0.5), 4.0, rtol=1e-6)
