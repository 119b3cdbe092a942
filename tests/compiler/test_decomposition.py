"""Recipes give what the primitives give, at infinities and undefined numbers too."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import pullback as pb
from pullback.compiler.decomposition import RECIPES, decompose
from pullback.core.primitive import registry
from tests.rules.cases import CASES

ODD = [None, np.inf, -np.inf, np.nan, 1e300, -0.0]
FINITE = {"pinv": [None, 1e300, -0.0]}
"""Of what NumPy finds nothing, or goes on looking for ever, where numbers are not finite."""


def primitives(graph):
    """The names of all primitives in a graph and its nested graphs."""
    for equation in graph.equations:
        yield equation.primitive.name
        for nested in equation.graphs.values():
            yield from primitives(nested)


def floating(args):
    return [i for i, x in enumerate(args) if isinstance(x, np.ndarray) and x.dtype.kind == "f"]


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_gives_what_the_primitive_gives(name):
    primitive = registry[name]
    for case in CASES[name]:
        args, inputs = case.args, floating(case.args)
        if any(np.iscomplexobj(x) for x in args):
            continue

        def function(*arrays, args=args, inputs=inputs, params=case.params):
            full = [*args]
            for i, x in zip(inputs, arrays, strict=True):
                full[i] = x
            return primitive(*full, **params)

        for odd in FINITE.get(name, ODD):
            leaves = [np.array(args[i]) for i in inputs]
            for leaf in leaves:
                if odd is not None and leaf.size:
                    leaf.flat[0] = odd
            with np.errstate(all="ignore"):
                graph = decompose(pb.trace(function, *leaves))
                rows = [graph(*leaves), function(*leaves)]
            if not primitive.multiple:
                rows = [[row] for row in rows]
            for found, wanted in zip(*map(list, rows), strict=True):
                wanted = np.asarray(wanted)
                assert np.asarray(found).dtype == wanted.dtype
                rtol = 1e-5 if wanted.dtype == np.float32 else 1e-9
                np.testing.assert_allclose(found, wanted, rtol=rtol, atol=1e-12)
            kept = name == "round" and case.params.get("decimals", 0)
            kept = kept or (name == "argsort" and "kind" not in case.params)
            integers = len(inputs) < sum(isinstance(x, np.ndarray) for x in args)
            assert name not in primitives(graph) or kept or integers


VALUES = [0.0, -0.0, 1.0, -3.5, 700.0, -800.0, 1e300, -1e300, np.inf, -np.inf, np.nan, 5e-324]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_logsumexp_and_its_derivative_for_any_numbers_together(dtype):
    rng = np.random.default_rng(3)

    def both(x):
        return scipy.special.logsumexp(x, axis=1), pb.grad(
            lambda x: np.sum(scipy.special.logsumexp(x, axis=1))
        )(x)

    with np.errstate(all="ignore"):
        x = np.array([rng.choice(VALUES, 4) for _ in range(400)]).astype(dtype)
        x[:12] = np.array(VALUES)[:, np.newaxis]
        x[12:40] = rng.normal(size=(28, 4)) * 10
        rtol = 4 * np.finfo(dtype).eps
        for found, wanted in zip(pb.compile(both)(x), both(x), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=rtol)
        for empty in (x[:0], x[:, :0]):
            for found, wanted in zip(pb.compile(both)(empty), both(empty), strict=True):
                np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("f", [scipy.special.softmax, scipy.special.log_softmax])
def test_softmax_for_any_numbers(f):
    rng = np.random.default_rng(4)
    x = np.array([rng.choice(VALUES, 3) for _ in range(300)])
    compiled = pb.compile(lambda x: f(x, axis=-1))
    with np.errstate(all="ignore"):
        wanted, found = registry[f.__name__](x, axis=-1), compiled(x)
    np.testing.assert_allclose(found, wanted, rtol=1e-15)
    assert f.__name__ not in primitives(compiled.graph(x))


def test_a_logsumexp_and_its_derivative_take_one_exponential_of_each_element():
    def both(x):
        return pb.value_and_grad(lambda x: np.sum(scipy.special.logsumexp(x, axis=1)))(x)

    graph = pb.compile(both).graph(np.ones((5, 4)))
    taken = [*primitives(graph)]
    assert taken.count("exp") == taken.count("max") == 1, graph


def test_nested_graphs_are_decomposed():
    def function(x):
        return pb.scan(lambda c, row: (c + scipy.special.softmax(row), c), np.zeros(3), x)[0]

    x = np.arange(12.0).reshape(4, 3)
    graph = pb.trace(function, x)
    assert "softmax" in primitives(graph)
    found = decompose(graph)
    assert "softmax" not in primitives(found)
    np.testing.assert_allclose(found(x), graph(x), rtol=1e-12)
    assert decompose(found) is found
    plain = pb.trace(np.sin, x)
    assert decompose(plain) is plain
