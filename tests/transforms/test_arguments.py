"""What is said of odd arguments: values for functions, words for flags, trees without end."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.transforms.test_errors import X, assert_words, message, total, vector

TAKES_A_FUNCTION = {
    "grad": lambda f: pb.grad(f),
    "value_and_grad": lambda f: pb.value_and_grad(f),
    "jacobian": lambda f: pb.jacobian(f),
    "hessian": lambda f: pb.hessian(f),
    "hvp": lambda f: pb.hvp(f, (1.0,), (1.0,)),
    "pushforward": lambda f: pb.pushforward(f, (1.0,), (1.0,)),
    "pullback": lambda f: pb.pullback(f, (1.0,)),
    "vjp": lambda f: pb.vjp(f, 1.0),
    "linearize": lambda f: pb.linearize(f, 1.0),
    "vmap": lambda f: pb.vmap(f),
    "checkpoint": lambda f: pb.checkpoint(f),
    "trace": lambda f: pb.trace(f, 1.0),
    "scan": lambda f: pb.scan(f, 0.0, X),
    "fori_loop": lambda f: pb.fori_loop(0, 3, f, 1.0),
    "while_loop": lambda f: pb.while_loop(f, total, 1.0),
    "cond": lambda f: pb.cond(True, total, f, 1.0),
    "switch": lambda f: pb.switch(0, [total, f], 1.0),
    "primitive": lambda f: pb.primitive(f),
    "square.rule": lambda f: square().rule(f),
    "square.batch": lambda f: square().batch(f),
    "square.shape": lambda f: square().shape(f),
    "check": lambda f: pb.check(f, 1.0),
}


def square():
    @pb.primitive
    def square(x):
        return x * x

    return square


@pytest.mark.parametrize("name", TAKES_A_FUNCTION)
def test_a_value_in_place_of_a_function(name):
    for value in (np.sin(0.5), 3, X, [1.0, 2.0], {"a": 1.0}, (X, X)):
        text = message(TypeError, TAKES_A_FUNCTION[name], value)
        assert_words(text, f"{name}: ", "which is a value, wanted a function", "itself")
    for other in ("f", None, {1.0}):
        if other is not None or name != "primitive":
            text = message(TypeError, TAKES_A_FUNCTION[name], other)
            assert_words(text, f"{name}: ", "wanted a function")


def test_the_commonest_slip():
    text = message(TypeError, pb.grad, np.sin(0.5))
    assert_words(text, "grad: f is of type float64", "not what it returns: pullback.grad(f)(x)")


@pytest.mark.parametrize("transform", [pb.grad, pb.value_and_grad, pb.jacobian, pb.hessian])
def test_argnums_of_other_kinds(transform):
    for argnums in (None, 1.0, True, {0}, {"x": 0}, (0, 1.5), (None,), np.ones(2), np.ones((1, 1))):
        text = message(TypeError, transform, total, argnums)
        assert_words(text, "argnums", "of total", "the position of an argument")


def test_argnums_by_name():
    def f(x, y, *rest, scale=1.0, **more):
        return scale * x * y + sum(rest) + more.get("offset", 0.0)

    assert pb.grad(f, "y")(2.0, 3.0) == 2.0
    assert pb.grad(f, "x")(2.0, y=3.0) == 3.0
    assert pb.grad(f, ("scale", 0, "y"))(2.0, 3.0, scale=5.0) == (6.0, 15.0, 10.0)
    assert pb.grad(f, ("y", "x"))(y=3.0, x=2.0) == (2.0, 3.0)
    assert pb.grad(f, "offset")(2.0, 3.0, offset=1.0) == 1.0
    assert pb.grad(f, np.array([0, -1]))(2.0, 3.0) == (3.0, 2.0)
    assert pb.grad(f, np.int64(1))(2.0, 3.0) == 2.0
    assert pb.jacobian(f, "y")(2.0, y=3.0) == 2.0
    assert pb.hessian(f, ("x", "y"))(2.0, 3.0)[0][1] == 1.0
    text = message(ValueError, pb.grad(f, "w"), 2.0, 3.0)
    assert_words(text, "grad of f", "the argument 'w'", "no parameter", "x, y, rest, scale, more")
    text = message(ValueError, pb.grad(f, "scale"), 2.0, 3.0)
    assert_words(text, "'scale'", "did not give a value")
    message(ValueError, pb.grad(f, ("x", 0)), 2.0, 3.0)
    message(ValueError, pb.grad(f, "a" * 10**5), 2.0, 3.0)


def test_flags():
    for call in (
        lambda flag: pb.grad(total, has_aux=flag),
        lambda flag: pb.value_and_grad(total, holomorphic=flag),
        lambda flag: pb.jacobian(total, holomorphic=flag),
        lambda flag: pb.vjp(total, X, has_aux=flag),
        lambda flag: pb.scan(lambda c, x: (c, x), 0.0, X, reverse=flag),
        lambda flag: pb.simplify(pb.trace(total, X), verify=flag),
        lambda flag: pb.primitive(total, multiple=flag),
        lambda flag: pb.primitive(constant=flag),
    ):
        for flag in ("False", "", None, 0, X):
            assert_words(message(TypeError, call, flag), "wanted True or False", "write")


def test_trees_that_contain_themselves_or_are_too_deep():
    circular = [1.0]
    circular.append(circular)
    deep = 1.0
    for _ in range(10_000):
        deep = [deep]
    for tree in (circular, {"a": circular}, deep, (1.0, deep)):
        for call in (
            lambda x: pb.grad(total)(x),
            lambda x: pb.vjp(lambda _: x, 1.0),
            lambda x: pb.vjp(lambda y: (y, x), 1.0, has_aux=True),
            lambda x: pb.vjp(lambda x: [x, x], 1.0)[1](x),
            lambda x: pb.pushforward(total, (x,), (x,)),
            lambda x: pb.vmap(total, in_axes=x),
            lambda x: pb.vmap(total)(x),
            lambda x: pb.trace(total, x),
            lambda x: pb.checkpoint(total)(x),
            lambda x: pb.scan(lambda c, _: (c, x), 0.0, X),
            lambda x: pb.cond(True, total, total, x),
            lambda x: pb.stop_gradient(x),
            lambda x: pb.trace(total, 1.0)(x),
            lambda x: pb.check(total, x),
        ):
            text = message(ValueError, call, tree)
            assert "contains itself, or is nested more than 1000 levels deep" in text


def test_structures_are_shown_as_their_paths():
    tree = {"W": [1.0, 2.0], "b": (3.0,)}
    text = message(ValueError, pb.vjp(lambda d: d, tree)[1], {"W": (1.0, 2.0), "b": (3.0,)})
    assert_words(text, "['W'][0], ['W'][1], ['b'][0]", "at ['W']: a tuple", "in place of a list")
    text = message(ValueError, pb.trace(lambda d: d, tree), {"W": [1.0], "b": (3.0,)})
    assert_words(text, "[0]['W'][0], [0]['b'][0], wanted", "trace the function again")
    text = message(ValueError, pb.scan, lambda c, _: ([*c, 1.0], None), [1.0], None, 2)
    assert_words(text, "[0], [1], wanted a list with the leaf [0]")
    text = message(ValueError, pb.cond, True, lambda x: x, lambda x: (x, x), 1.0)
    assert_words(text, "a single leaf, wanted a tuple with the leaves [0], [1], that of branch 0")
    many = {f"k{i}": 1.0 for i in range(10_000)}
    text = message(ValueError, pb.vjp(lambda d: d, many)[1], [1.0] * 9_999)
    assert_words(text, "a list with 9999 leaves [0], [1], [2], …, [9998]", "10000 leaves")
    assert "PyTreeSpec" not in text


def test_graphs_are_run_on_a_value_for_each_input():
    graph = pb.trace(lambda d: d["a"] * d["b"], {"a": 1.0, "b": X})
    for method in ("run", "evaluate"):
        for values in (X, 1.0, None, {"a": 1.0, "b": X}, "ab", iter([1.0, X])):
            text = message(TypeError, getattr(graph, method), values)
            assert_words(text, f".{method}: values is", "a list with one value for each input")
        text = message(ValueError, getattr(graph, method), [X])
        assert_words(text, "1 entries, wanted 2", "graph(*args)")
    assert graph.run([2.0, X])[0].tolist() == (2.0 * X).tolist()


def test_more_than_32_dimensions():
    x = np.ones((1,) * 40)
    assert pb.trace(lambda x: np.sum(x * x[0] + 1.0), x)(x) == 2.0
    assert pb.grad(lambda x: np.sum(x * x[0] + 1.0))(x).shape == x.shape
    text = message(ValueError, pb.jacobian(vector), x)
    assert_words(text, "jacobian of vector", "40 dimensions", "64", "reshape")
    text = message(ValueError, pb.scan, lambda c, _: (c, c), np.ones((1,) * 64), X)
    assert_words(text, "64 dimensions", "stacked")


def test_shapes_and_dtypes_of_no_array():
    for shape in (-1, (2, -1), (1,) * 65, 2**70):
        assert_words(message(ValueError, pb.ShapeDtype, shape), "ShapeDtype: shape")
    for shape in (None, 2.5, "3", {1}, (2, "3")):
        assert_words(message(TypeError, pb.ShapeDtype, shape), "ShapeDtype: shape")
    for dtype in ("flaot", None, object, "U3", "M8[D]", 3):
        assert_words(message(TypeError, pb.ShapeDtype, 3, dtype), "ShapeDtype: dtype")
    assert "did you mean 'float'" in message(TypeError, pb.ShapeDtype, 3, "flaot")
    assert pb.ShapeDtype([2, np.int64(3)], int) == pb.ShapeDtype((2, 3), "int64")


def test_lengths_bounds_and_snapshots_of_loops():
    def body(carry, x):
        return carry, x

    for length in (2.0, "2", True, X):
        text = message(TypeError, pb.scan, body, 0.0, None, length)
        assert_words(text, "scan of body: length is", "a whole number")
    message(ValueError, pb.scan, body, 0.0, None, -1)
    message(ValueError, pb.scan, body, 0.0, None, 10**30)
    for checkpoint in ("sqr", 0, -1, 1.5, True, X, [1]):
        text = message(ValueError, pb.scan, body, 0.0, X, checkpoint=checkpoint)
        assert_words(text, "checkpoint is", "None, 'sqrt', or how many carries")
    for bound in (1.0, "3", None, X, [1]):
        message(TypeError, pb.fori_loop, 0, bound, lambda i, c: c, 1.0)
    message(ValueError, pb.fori_loop, 0, 10**30, lambda i, c: c, 1.0)
    message(ValueError, pb.fori_loop, 0, 2, lambda i, c: c, 2**64)


def test_what_an_array_function_is_given_inside():
    circular = [1.0]
    circular.append(circular)
    text = message(ValueError, pb.grad(lambda x: np.sum(x * np.sum(circular))), 1.0)
    assert_words(text, "contains itself")
    text = message(TypeError, pb.grad(lambda x: pb.fori_loop(0, np.ones(1), body_of(x), x)), 1.0)
    assert_words(text, "upper is", "wanted an integer")


def body_of(x):
    return lambda _i, carry: carry * x
