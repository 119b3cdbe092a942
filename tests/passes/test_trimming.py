"""Results of loops that nobody reads, and what only they need."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.passes.dead import remove_dead
from tests.passes.agreement import assert_agree

x = np.array([0.3, -1.2, 2.0])
y = np.array([0.7, 1.5, -0.4])


def trimmed(f, *args):
    """The only equation with a nested graph that is left."""
    graph = pb.trace(f, *args)
    smaller = remove_dead(graph)
    smaller.verify()
    assert remove_dead(smaller) is smaller
    assert_agree(smaller(*args), graph(*args))
    (equation,) = [each for each in smaller.equations if each.graphs]
    return equation


def test_stacked_results():
    def f(x):
        def body(c, s):
            return c + s, (np.sin(c), np.cos(s) * y)

        _, (first, _) = pb.scan(body, x, np.ones((4, 3)))
        return first

    equation = trimmed(f, x)
    assert len(equation.outputs) == 2
    assert "cos" not in str(equation.params["loop"].body)
    assert not equation.params["loop"].body.constants


def test_what_only_carries_itself_on():
    def f(x, y):
        def body(carry, _):
            a, b, c = carry
            return (a + 1.0, b * c, np.sin(c)), a

        (_, b, _), _ = pb.scan(body, (x, y, x), length=3)
        return b

    equation = trimmed(f, x, y)
    assert equation.params["loop"].carry == len(equation.outputs) == 2
    assert len(equation.inputs) == 2


def test_consts_and_scanned_arrays():
    def f(x, y):
        def body(c, s):
            return c + s[0], y * s[1]

        return pb.scan(body, x, (np.ones((4, 3)), np.ones((4, 3))))[0]

    equation = trimmed(f, x, y)
    assert equation.params["loop"].consts == 0
    assert len(equation.inputs) == 2


def test_what_a_condition_reads_is_needed():
    def f(x, y):
        def body(carry):
            n, a, b, c = carry
            return n + 1, a * y, b + n, c * 2.0

        return pb.while_loop(
            lambda carry: (carry[0] < 4) & np.all(carry[3] < 100), body, (0, x, x, y)
        )[1]

    equation = trimmed(f, x, y)
    assert equation.params["loop"].carry == 3
    assert len(equation.params["loop"].condition.inputs) == len(equation.inputs) == 4


def test_branches():
    def f(x, y):
        def one(a, b):
            return np.sin(a), b

        def other(a, b):
            return np.cos(a), np.exp(b)

        return pb.cond(np.sum(x) > 0, one, other, x, y)[0]

    equation = trimmed(f, x, y)
    assert len(equation.outputs) == 1
    assert len(equation.inputs) == 2
    assert "exp" not in str(equation.params["branches"][1])


def test_checkpoints():
    def f(x, y):
        return pb.checkpoint(lambda a, b: (np.sin(a), np.exp(b)))(x, y)[0]

    equation = trimmed(f, x, y)
    assert len(equation.inputs) == len(equation.outputs) == 1


@pytest.mark.parametrize("transform", [pb.grad, lambda f: f])
def test_a_loop_whose_results_are_all_read_stays(transform):
    def f(x):
        c, ys = pb.scan(lambda c, s: (np.sin(c) * s, c), x, np.ones((4, 3)))
        return np.sum(c) + np.sum(ys)

    graph = remove_dead(pb.trace(transform(f), x))
    assert remove_dead(graph) is graph
