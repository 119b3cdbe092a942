"""The walk itself: what rules are handed, and what becomes of what they return."""

from __future__ import annotations

import numpy as np

import pullback as pb
from pullback.passes.rewriting import Pass
from pullback.rules.arithmetic import add, multiply, negative
from pullback.rules.exponential import exp
from pullback.rules.trigonometric import cos, sin
from tests.passes.inspection import names

x = np.array([0.3, -1.2, 2.0])


def walk(f, *args, rules):
    graph = pb.trace(f, *args)
    new = rules(graph)
    new.verify()
    return graph, new


def test_a_rule_that_has_nothing_to_say():
    rules = Pass()
    seen = []

    @rules.rewrites(sin)
    def note(_rw, y, x):
        seen.append((y.shape, x.shape))

    graph, new = walk(lambda x: np.sin(x)[0], x, rules=rules)
    assert new is graph
    assert seen == [((3,), (3,))]


def test_what_a_rule_makes_goes_through_the_rules():
    rules = Pass()

    @rules.rewrites(sin)
    def to_cos(rw, _y, x):
        return rw.bind(cos, x)

    @rules.rewrites(cos)
    def to_exp(rw, _y, x):
        return rw.bind(exp, x)

    _, new = walk(lambda x: np.sin(x) + 1.0, x, rules=rules)
    assert names(new) == ["exp", "add"]
    np.testing.assert_array_equal(new(x), np.exp(x) + 1.0)


def test_results_are_broadcast_and_converted():
    rules = Pass()

    @rules.rewrites(add)
    def second(_rw, _z, _x, y):
        return y

    _, new = walk(lambda x, y: x + y, np.ones((2, 3)), np.float32(2), rules=rules)
    assert new.outputs[0].shape == (2, 3)
    assert new.outputs[0].dtype == np.float64
    np.testing.assert_array_equal(new(np.ones((2, 3)), np.float32(2)), np.full((2, 3), 2.0))


def test_a_product_that_would_change_the_dtype():
    rules = Pass()
    found = []

    @rules.rewrites(multiply)
    def try_it(rw, z, x, y):
        found.append(rw.bind_like(z, add, x, 1.0))
        found.append(rw.bind_like(z, add, y, 1.0))

    walk(lambda x, y: x * y, x, x.astype(np.float32), rules=rules)
    assert found[0] is not None
    assert found[1] is None


def test_who_reads_what():
    rules = Pass()
    uses = []

    @rules.rewrites(negative)
    def note(rw, _y, x):
        uses.append(rw.used_once(x))

    def f(x):
        y, z = np.sin(x), np.cos(x)
        return -y, -z, z

    walk(f, x, rules=rules)
    assert uses == [True, False]


def test_a_nested_graph_can_be_evaluated_in_place():
    rules = Pass()
    inner = pb.trace(lambda x, c: np.sin(x) * c + np.arange(3.0), x, 2.0)

    @rules.rewrites(exp)
    def instead(rw, _y, x):
        (out,) = rw.inline(inner, [x, 3.0])
        return out

    _, new = walk(lambda x: np.exp(x) + np.exp(-x), x, rules=rules)
    assert names(new) == ["sin", "multiply", "add", "negative", "sin", "multiply", "add", "add"]
    np.testing.assert_array_equal(
        new(x), np.sin(x) * 3 + np.arange(3.0) + (np.sin(-x) * 3 + np.arange(3.0))
    )


def test_graphs_inside_equations_are_walked_too():
    rules = Pass()

    @rules.rewrites(sin)
    def to_cos(rw, _y, x):
        return rw.bind(cos, x)

    _, new = walk(lambda x: pb.scan(lambda c, _: (np.sin(c), None), x, length=3)[0], x, rules=rules)
    assert names(new.equations[0].params["loop"].body) == ["cos"]
