"""Choices that are made already, or need not be made."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.passes.inspection import names
from tests.passes.test_loops import loop_of, simplified

x = np.array([0.3, -1.2, 2.0])
y = np.array([0.7, 1.5, -0.4])


@pytest.mark.parametrize(
    ("place", "left"), [(0, "sin"), (1, "cos"), (2, "exp"), (-3, "sin"), (9, "exp")]
)
def test_a_choice_that_is_made(place, left):
    def f(x):
        return pb.switch(np.int64(place) + 0 * np.int64(1), [np.sin, np.cos, np.exp], x)

    assert names(simplified(f, x)) == [left]


def test_branches_that_are_all_the_same():
    def f(x):
        return pb.cond(x[0] > 0, lambda x: np.sin(x) * 1.0, lambda x: np.sin(x) + 0.0, x)

    assert names(simplified(f, x)) == ["sin"]


def test_operands_that_are_known():
    def f(x):
        return pb.cond(
            x[0] > 0,
            lambda a, b, c: a * b + c,
            lambda a, b, c: a - b * c,
            x,
            np.zeros(3, like=x) * 1.0,
            x,
        )

    equation = loop_of(simplified(f, x))
    assert len(equation.inputs) == 2
    assert [names(branch)[-1] for branch in equation.params["branches"]] == ["subtract", "add"]


def test_a_result_that_is_an_operand():
    def f(x, y):
        return pb.cond(x[0] > 0, lambda a, b: (a, np.sin(b)), lambda a, b: (a, np.cos(b)), x, y)

    equation = loop_of(simplified(f, x, y))
    assert len(equation.outputs) == 1
    assert len(equation.inputs) == 2


def test_nothing_is_left_to_choose():
    graph = simplified(lambda x, y: pb.cond(x[0] > 0, lambda a, b: b, lambda a, b: b, x, y), x, y)
    assert graph.equations == ()


@pytest.mark.parametrize("transform", [pb.grad, pb.hessian, lambda f: pb.vmap(pb.grad(f))])
def test_through_transforms(transform):
    def f(x):
        return np.sum(pb.cond(np.sum(x) > 0, lambda x: np.sin(x) * 1.0, lambda x: x * x + 0.0, x))

    for given in (x, -x):
        simplified(
            transform(f), np.stack([given, y]) if transform not in (pb.grad, pb.hessian) else given
        )
