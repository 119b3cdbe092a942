"""Strong products that are plain ones, and masks that are conditions."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.passes.simplification import simplify
from pullback.passes.strength import weaken_products
from pullback.rules.registration import masked_multiply, strong_multiply
from tests.passes.agreement import rewritten
from tests.passes.inspection import names

x = np.array([0.3, 0.0, 2.0, 0.7])
y = np.array([np.inf, 1.0, np.nan, 0.0])
c = np.array([True, False, True, False])
n = np.array([0, 1, -2, 3])
TABLE = np.array([1.0, 0.0, -3.0, 0.5])
TWOS = np.array([2.0, -2.0, 1.5, 3.0])


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x, y, c, n: strong_multiply(x, 1.0), ["multiply"]),
        (lambda x, y, c, n: strong_multiply(2.0, x), ["multiply"]),
        (lambda x, y, c, n: strong_multiply(0.0, x), ["broadcast_to"]),
        (lambda x, y, c, n: strong_multiply(np.inf, x), ["strong_multiply"]),
        (lambda x, y, c, n: strong_multiply(np.nan, x), ["strong_multiply"]),
        (lambda x, y, c, n: strong_multiply(n, n), ["multiply"]),
        # by what is finite
        (lambda x, y, c, n: strong_multiply(n * 1.0, np.tanh(n)), ["multiply", "tanh", "multiply"]),
        (lambda x, y, c, n: strong_multiply(n, y), ["strong_multiply"]),
        (lambda x, y, c, n: strong_multiply(TABLE, y), ["strong_multiply"]),
        (lambda x, y, c, n: strong_multiply(TWOS, y), ["multiply"]),
        (lambda x, y, c, n: strong_multiply(y, TWOS), ["multiply"]),
        (lambda x, y, c, n: masked_multiply(n, y, c), ["multiply"]),
        (lambda x, y, c, n: masked_multiply(TABLE[::-1], y, c), ["multiply"]),
        (lambda x, y, c, n: masked_multiply(np.where(c, 0.5, TABLE), y, c), ["where", "multiply"]),
        (lambda x, y, c, n: masked_multiply(np.where(c, 0.5, x), y, c),
         ["where", "masked_multiply"]),
        (lambda x, y, c, n: masked_multiply(np.exp(1e9 * n), y, c),
         ["multiply", "exp", "masked_multiply"]),
        (lambda x, y, c, n: masked_multiply(y, x, c), ["masked_multiply"]),
        # by what has no strong zero
        (lambda x, y, c, n: masked_multiply(y, TWOS, c), ["multiply"]),
        (lambda x, y, c, n: masked_multiply(y, x, np.array(True)), ["multiply"]),
        (lambda x, y, c, n: masked_multiply(y, TABLE, TABLE == 0), ["multiply"]),
        (lambda x, y, c, n: masked_multiply(y, TABLE, TABLE > 0), ["masked_multiply"]),
        # masks
        (lambda x, y, c, n: np.where(c, 1.0, 0.0) != 0, []),
        (lambda x, y, c, n: np.where(c, TWOS, np.zeros(4)) != 0, []),
        (lambda x, y, c, n: np.not_equal(0, np.where(c[:, None], TWOS, 0)),
         ["index", "broadcast_to"]),
        (lambda x, y, c, n: np.where(n, 1.0, 0.0) != 0, ["where", "not_equal"]),
        (lambda x, y, c, n: np.where(c, TABLE, 0) != 0, ["where", "not_equal"]),
        (lambda x, y, c, n: np.where(c, 1.0, 0.0) != 1, ["where", "not_equal"]),
        (lambda x, y, c, n: np.where(c, 1.0, 0.0).reshape(2, 2) != 0, ["reshape"]),
        (lambda x, y, c, n: np.where(c, 1.0, 0.0).reshape(2, 2).T != 0, ["reshape", "transpose"]),
        (lambda x, y, c, n: np.where(c, x, 0).reshape(2, 2) != 0,
         ["where", "reshape", "not_equal"]),
        # what no fraction of is zero, and what some are
        (lambda x, y, c, n: np.where(c, 1.0 / np.sum(c * 1.0), 0) != 0, []),
        (lambda x, y, c, n: np.where(c, 1 / n, 0) != 0, []),
        (lambda x, y, c, n: np.where(c, 1 / x, 0) != 0, ["divide", "where", "not_equal"]),
        (lambda x, y, c, n: np.where(c, 0 / (n + 0.5), 0) != 0,
         ["add", "divide", "where", "not_equal"]),
        (lambda x, y, c, n: np.where(c, 1e-300 / (n * 1e30), 0) != 0,
         ["multiply", "divide", "where", "not_equal"]),
    ],
)  # fmt: skip
def test_rules(f, left):
    assert names(rewritten(weaken_products, f, x, y, c, n)) == left


@pytest.mark.parametrize("f", [np.sum, lambda x: np.sum(np.tanh(x) ** 2)])
def test_the_derivative_for_a_seed_that_is_known_to_be_whole(f):
    def product(x, weights):
        return pb.vjp(lambda x: np.cumsum(f(x) * x), x)[1](weights * TWOS)

    graph = simplify(pb.trace(product, x, np.array([True])))
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(graph(x, np.array([True])), product(x, np.array([True])))


def test_a_product_with_constants_in_a_gradient():
    table = np.linspace(0.5, 2.0, 4)

    def f(x):
        return pb.jvp(lambda x: np.pad(x, 1)[1:-1] * table, (x,), (x,))[1]

    graph = simplify(pb.trace(f, x))
    assert "masked_multiply" not in names(graph)
    np.testing.assert_array_equal(graph(y), y * table)
