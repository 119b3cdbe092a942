"""Choices of which a part is known."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.passes.choices import simplify_choices
from pullback.rules.registration import masked_multiply, strong_multiply
from tests.passes.agreement import rewritten
from tests.passes.inspection import names

x = np.array([0.3, -1.2, 2.0])
y = np.array([0.7, 1.5, -0.4])
c = np.array([True, False, True])


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda c, x, y: np.where(c, x, x), []),
        (lambda c, x, y: np.where(c, 2.0, 2.0), ["broadcast_to"]),
        (lambda c, x, y: np.where(c, 0.0, -0.0), ["where"]),
        (lambda c, x, y: np.where(~c, x, y), ["where"]),
        (lambda c, x, y: np.where(np.logical_not(c), x, y), ["where"]),
        (lambda c, x, y: np.where(c, np.where(c, x, 1.0), y), ["where"]),
        (lambda c, x, y: np.where(c, x, np.where(c, 1.0, y)), ["where"]),
        (lambda c, x, y: np.where(c, np.where(c, 1, 2), 3.5), ["where"]),
        (lambda c, x, y: np.where(c, x, np.where(y > 0, x, y)), ["greater", "where", "where"]),
        (lambda c, x, y: ~~c, []),
        (lambda c, x, y: c & c, []),
        (lambda c, x, y: c | False, []),
        (lambda c, x, y: c & True, []),
        (lambda c, x, y: c & False, ["broadcast_to"]),
        (lambda c, x, y: True | c, ["broadcast_to"]),
        (lambda c, x, y: np.maximum(x, x), []),
        (lambda c, x, y: np.fmin(x, x), []),
        (lambda c, x, y: np.isnan(c), ["broadcast_to"]),
        (lambda c, x, y: np.isfinite(c), ["broadcast_to"]),
        (lambda c, x, y: np.isinf(x) & (x == 0), ["broadcast_to"]),
        (lambda c, x, y: (x == 2.0) & np.isinf(x), ["broadcast_to"]),
        (lambda c, x, y: np.isinf(x) & (x == np.inf), ["isinf", "equal", "bitwise_and"]),
        (lambda c, x, y: np.isinf(x) & (y == 0), ["isinf", "equal", "bitwise_and"]),
        (lambda c, x, y: np.where(c, x, 0) + np.where(c, 0, y), ["where"]),
        (lambda c, x, y: np.where(c, x, 0) + np.where(c, 0.0, 2.0), ["where"]),
        (lambda c, x, y: np.where(c, x, 0) + np.where(c, y, 0), ["where", "where", "add"]),
        (lambda c, x, y: np.where(c, x, 0) + np.where(~c, y, 0), ["where"]),
        (lambda c, x, y: 0.1 * np.where(c, 0, 2.0), ["where"]),
        (lambda c, x, y: 1 - np.where(c, 0, 2.0) / 4, ["where"]),
        (lambda c, x, y: strong_multiply(np.where(c, 1.0, 0), x), ["multiply", "where"]),
        (lambda c, x, y: strong_multiply(x, np.where(c, 0, 0.5)), ["multiply", "where"]),
        (lambda c, x, y: np.where(c, 1.0, 0) * x, ["where", "multiply"]),
        (lambda c, x, y: masked_multiply(y, np.where(c, x, 0), c), ["multiply", "where"]),
        (lambda c, x, y: masked_multiply(y, np.where(c, x, 0), ~c),
         ["where", "invert", "masked_multiply"]),
        (lambda c, x, y: masked_multiply(np.stack([y, y], 1),
                                         np.where(c, x, 0).reshape(3, 1), c.reshape(3, 1)),
         ["stack", "reshape", "reshape", "multiply", "where"]),
        (lambda c, x, y: masked_multiply(x, np.where(c, x[0], 0).reshape(3, 1), c.reshape(3, 1)),
         ["index", "reshape", "reshape", "multiply", "where"]),
        (lambda c, x, y: strong_multiply(np.where(c, 2.0, 1), x), ["where", "strong_multiply"]),
    ],
)  # fmt: skip
def test_rules(f, left):
    assert names(rewritten(simplify_choices, f, c, x, y)) == left


@pytest.mark.parametrize("condition", [True, False])
def test_a_condition_that_is_known(condition):
    known = np.bool_(condition)
    f = lambda x, y: np.where(known, x, y)  # noqa: E731
    assert names(rewritten(simplify_choices, f, x, y)) == []
    single = x.astype(np.float32)
    assert names(rewritten(simplify_choices, f, single, y)) == ["astype"] * condition
    wide = rewritten(simplify_choices, f, x, np.ones((2, 3)))
    assert names(wide) == ["broadcast_to"] * condition


def test_a_nested_choice_keeps_the_dtype():
    def f(c, x):
        return np.where(c, np.where(c, 1, np.float64(2)), x)

    graph = rewritten(simplify_choices, f, c, x.astype(np.float32))
    assert graph.outputs[0].dtype == np.float64


def test_the_branch_that_is_not_taken_stays_out_of_a_gradient():
    f = pb.grad(lambda x: np.sum(np.where(x > 0, np.log(x), 0.0)))
    graph = rewritten(simplify_choices, f, np.array([1.0, -1.0]))
    np.testing.assert_array_equal(graph(np.array([2.0, 0.0])), [0.5, 0.0])
