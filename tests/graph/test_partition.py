"""What a late part keeps of an early one, and what it computes again."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pullback as pb
from pullback.graph.dependence import affected, affected_outputs, live, varying_outputs
from pullback.graph.partition import KEEPING, kept_values, recomputation
from pullback.graph.program import Equation
from pullback.graph.variable import Variable
from pullback.rules.arithmetic import add


def cheap(equation):
    return equation.primitive.structure.cheap


def price(equation):
    """A byte of what is cheap costs a tenth of one that is kept."""
    return sum(x.size * x.dtype.itemsize for x in equation.outputs) if cheap(equation) else None


def values(graph):
    """The values of a graph by the names of what computes them, the last of each name."""
    return {e.primitive.name: e.outputs[0] for e in graph.equations}


def kept(function, names, *args, free=()):
    """The names of what is kept where the late part needs these values."""
    graph = pb.trace(function, *args)
    found = values(graph)
    inputs = dict(zip(graph.signature.names, graph.inputs, strict=True))
    named = found | inputs
    chosen = kept_values(
        graph.equations,
        [named[name] for name in names],
        [named[name] for name in free],
        price,
    )
    again = recomputation(
        graph.equations, [named[n] for n in names], [*chosen, *(named[n] for n in free)]
    )
    assert all(map(cheap, again))
    return {name for name, x in named.items() if x in chosen}


X = np.ones(8)


def test_a_cheap_value_is_computed_from_one_that_is_kept_anyway():
    def f(x):
        y = np.tanh(x)
        return y, 1 - y

    assert kept(f, ["tanh", "subtract"], X) == {"tanh"}
    assert kept(f, ["subtract"], X) == {"subtract"}  # nothing would be gained


def test_one_value_is_kept_in_place_of_several_that_are_cheap():
    """None of them alone would be worth it."""

    def f(x):
        return x + 1, x * 2, np.negative(x)

    assert kept(f, ["add", "multiply", "negative"], X) == {"x"}


def test_a_costly_value_is_kept():
    assert kept(lambda x: np.exp(np.sin(x)), ["sin", "exp"], X) == {"sin", "exp"}


def test_what_is_free_is_not_kept():
    assert kept(lambda x: 2 * x, ["multiply", "x"], X, free=["x"]) == set()
    assert kept(lambda x: np.sin(x), ["sin"], X, free=["x"]) == {"sin"}


def test_of_an_array_that_is_read_in_places_the_places_are_kept():
    assert kept(lambda x: x[2] * 3, ["index"], X) == {"index"}
    assert kept(lambda x: x[2] * 3, ["index", "x"], X) == {"x"}


def test_the_smaller_of_a_value_and_its_origin_is_kept():
    def f(x):
        return np.broadcast_to(np.sin(x), (50, 8))

    assert kept(f, ["broadcast_to"], X) == {"sin"}


PRICES = [None, 1, 20, 50, 90, 200]


@st.composite
def programs(draw):
    """Equations with their prices, and which of the values are needed, and which are free."""
    values = [Variable((draw(st.integers(1, 3)),), np.dtype(float)) for _ in range(2)]
    equations, prices = [], {}
    for _ in range(draw(st.integers(1, 6))):
        reads = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True))
        shape = (draw(st.integers(1, 3)),)
        outputs = [Variable(shape, np.dtype(float)) for _ in range(draw(st.integers(1, 2)))]
        equations.append(Equation(add, tuple(reads), {}, tuple(outputs)))
        prices[equations[-1]] = draw(st.sampled_from(PRICES))
        values += outputs
    needed = draw(st.lists(st.sampled_from(values), min_size=1, max_size=4, unique=True))
    free = draw(st.lists(st.sampled_from(values), max_size=2, unique=True))
    return values, equations, prices, needed, free


@given(programs())
def test_nothing_cheaper_could_be_kept(made):
    values, equations, prices, needed, free = made

    def cost(kept):
        """What it costs to keep these; `None` if that is not enough."""
        try:
            again = recomputation(equations, needed, [*kept, *free])
        except ValueError:
            return None
        each = [prices[equation] for equation in again]
        return None if None in each else sum(each) + sum(KEEPING * 8 * x.size for x in kept)

    chosen = kept_values(equations, needed, free, prices.__getitem__)
    rows = itertools.chain.from_iterable(
        itertools.combinations(values, count) for count in range(min(len(values), 5) + 1)
    )
    wanted = min(found for row in rows if (found := cost(row)) is not None)
    assert cost(chosen) <= wanted


def test_what_cannot_be_computed_is_an_error():
    graph = pb.trace(lambda x: np.sin(x), X)
    with pytest.raises(ValueError, match="1 values are not computable"):
        recomputation(graph.equations, [graph.outputs[0]], [])


def test_dependence():
    graph = pb.trace(lambda x, y, n: (x * y, np.floor(x), y + n, 2.0 * n), X, X, 3)
    assert affected_outputs(graph, [True, False, False]) == [True, True, False, False]
    assert affected_outputs(graph, [False, False, True]) == [False, False, True, True]
    assert varying_outputs(graph, [True, False, False]) == [True, False, False, False]
    product, *_ = graph.equations
    assert live(graph.equations, [graph.outputs[0]]) == [product]
    assert affected(graph.equations, [graph.inputs[0]]) >= {graph.inputs[0], *product.outputs}
