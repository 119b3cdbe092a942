"""Containers as arguments and results."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optree
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb
from pullback.core.trees import NAMESPACE, map_tree, static

Pair = namedtuple("Pair", ["first", "second"])

A, B = np.array([1.0, 2.0]), np.array([3.0, -1.0, 0.5])


@dataclass
class Layer:
    W: Any
    b: Any
    activation: Any = static(default="tanh")


@dataclass(frozen=True)
class Frozen:
    x: Any
    inner: Any
    tag: str = field(default="t", metadata={"pytree_node": False})


class Registered:
    def __init__(self, x, y):
        self.x, self.y = x, y


optree.register_pytree_node(
    Registered,
    lambda node: ((node.x, node.y), None, ("x", "y")),
    lambda _aux, children: Registered(*children),
    namespace=NAMESPACE,
)

TREES = {
    "tuple": ((A, B), lambda t: t[0], lambda t: t[1]),
    "list": ([A, B], lambda t: t[0], lambda t: t[1]),
    "dict": ({"a": A, "b": B}, lambda t: t["a"], lambda t: t["b"]),
    "OrderedDict": (OrderedDict(z=A, y=B), lambda t: t["z"], lambda t: t["y"]),
    "defaultdict": (defaultdict(list, a=A, b=B), lambda t: t["a"], lambda t: t["b"]),
    "namedtuple": (Pair(A, B), lambda t: t.first, lambda t: t.second),
    "dataclass": (Layer(A, B), lambda t: t.W, lambda t: t.b),
    "frozen dataclass": (Frozen(A, {"k": [B, 3]}), lambda t: t.x, lambda t: t.inner["k"][0]),
    "registered class": (Registered(A, B), lambda t: t.x, lambda t: t.y),
    "nested": (
        {"l": [(A, None), Pair(2, B)]}, lambda t: t["l"][0][0], lambda t: t["l"][1].second
    ),
    "None inside": ((None, A, None, B), lambda t: t[1], lambda t: t[3]),
}  # fmt: skip

cases = pytest.mark.parametrize("name", TREES)


def loss_of(first, second):
    return lambda tree: np.sum(first(tree) ** 2) * np.sum(np.sin(second(tree)))


@cases
def test_gradient_has_the_structure_of_the_argument(name):
    tree, first, second = TREES[name]
    if name in ("frozen dataclass", "nested"):  # they hold an integer: `pullback` passes it
        _, (got,) = pb.pullback(loss_of(first, second), (tree,))
    else:
        got = pb.grad(loss_of(first, second))(tree)
    assert type(got) is type(tree)
    assert_allclose(first(got), 2 * A * np.sum(np.sin(B)), rtol=1e-15)
    assert_allclose(second(got), np.sum(A**2) * np.cos(B), rtol=1e-15)


@cases
def test_results_of_any_structure(name):
    tree, first, second = TREES[name]

    def f(t):
        return map_tree(lambda x: x * t if isinstance(x, np.ndarray) else x, tree)

    out, out_dot = pb.pushforward(f, (2.0,), (1.0,))
    assert type(out) is type(out_dot) is type(tree)
    assert_array_equal(first(out), 2 * A)
    assert_array_equal(second(out_dot), B)
    _, pull = pb.vjp(f, 2.0)
    bar = map_tree(lambda x: np.ones_like(x) if isinstance(x, np.ndarray) else None, tree)
    assert pull(bar)[0] == pytest.approx(np.sum(A) + np.sum(B))


@cases
def test_tangents_of_the_structure_of_the_argument(name):
    tree, first, second = TREES[name]
    dot = map_tree(lambda x: np.ones_like(x) if isinstance(x, np.ndarray) else None, tree)
    f = loss_of(first, second)
    _, got = pb.pushforward(f, (tree,), (dot,))
    expected = np.sum(2 * A) * np.sum(np.sin(B)) + np.sum(A**2) * np.sum(np.cos(B))
    assert got == pytest.approx(expected)
    assert pb.linearize(f, tree)[1](dot) == pytest.approx(expected)


def test_static_fields_are_kept_and_not_differentiated():
    layer = Layer(A, B, activation="relu")
    bar = pb.grad(lambda layer: np.sum(layer.W) if layer.activation == "relu" else 0.0)(layer)
    assert bar.activation == "relu"
    assert_array_equal(bar.W, np.ones(2))
    assert_array_equal(bar.b, np.zeros(3))


def test_a_missing_subtree_is_zero():
    tree = {"a": [A, B], "b": A}
    _, y_dot = pb.pushforward(
        lambda t: np.sum(t["a"][0]) + np.sum(t["a"][1]) + np.sum(t["b"]),
        (tree,),
        ({"a": None, "b": np.ones(2)},),
    )
    assert y_dot == 2.0


def test_the_function_gets_its_own_containers():
    tree = {"a": [A, B]}

    def f(tree):
        total = np.sum(tree["a"].pop() ** 2)
        tree["b"] = 3
        return total

    got = pb.grad(f)(tree)
    assert list(tree) == ["a"]
    assert len(tree["a"]) == 2
    assert_array_equal(got["a"][1], 2 * B)


def test_a_tree_without_leaves():
    assert pb.pullback(lambda t, x: x, ((), 2.0)) == (2.0, ((), 1.0))
    out, pull = pb.vjp(lambda x: (), 2.0)
    assert out == ()
    assert pull(())[0] == 0.0


def test_the_same_leaf_twice():
    got = pb.grad(lambda t: np.sum(t[0] * t[1] ** 2))((A, A))
    assert_allclose(got[0], A**2)
    assert_allclose(got[1], 2 * A**2)
    assert got[0] is not got[1]
