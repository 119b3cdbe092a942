"""Updates come after the other readers of their array."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import pullback as pb
from pullback.graph.ordering import outliving_views, updates_last

X = np.arange(6.0)


def order(function, *args):
    graph = pb.trace(function, *args)
    return [e.primitive.name for e in updates_last(graph.equations)]


def test_an_update_waits_for_a_reader():
    def f(x):
        y = x.copy()
        y[0] = 5.0
        return y, np.sin(x[1])

    assert order(f, X) == ["index", "index_update", "sin"]


def test_an_update_waits_for_the_readers_of_a_view():
    def f(x):
        y = x.copy()
        y[0] = 5.0
        return y, np.sin(x[1:][1:])

    assert order(f, X) == ["index", "index", "sin", "index_update"]


def test_what_depends_on_the_update_does_not_hold_it_up():
    def f(x):
        y = x.copy()
        y[0] = 5.0
        return y * x

    assert order(f, X) == ["index_update", "multiply"]


def test_without_updates_the_order_stays():
    graph = pb.trace(pb.grad(lambda x: np.sum(np.sin(x) * x[::-1])), X)
    assert updates_last(graph.equations) == list(graph.equations)


def test_a_view_that_is_needed_after_an_update_of_its_array():
    def f(x):
        x = np.sin(x)
        row = x[:2]
        y = x.copy()
        y[0] = np.sum(row)
        return y, row

    graph = pb.trace(f, X)
    equations = updates_last(graph.equations)
    (view,) = outliving_views(equations, graph.outputs)
    assert view is graph.outputs[1]
    assert outliving_views(equations, graph.outputs[:1]) == set()


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from("urv")), max_size=12))
def test_any_order_is_a_topological_one_of_the_same_equations(steps):
    def f(x):
        arrays = [np.cos(x)]
        for which, kind in steps:
            a = arrays[which % len(arrays)]
            if kind == "u":
                a = a.copy()
                a[0] = np.sum(a)
            arrays.append(a if kind == "u" else np.sin(a) if kind == "r" else a[::-1])
        return arrays

    graph = pb.trace(f, X)
    equations = updates_last(graph.equations)
    assert set(map(id, equations)) == set(map(id, graph.equations))
    defined = {*graph.inputs, *graph.constants}
    for equation in equations:
        assert all(x in defined for x in equation.inputs if hasattr(x, "shape") and x.shape)
        defined.update(equation.outputs)
    for one, other in zip(graph.evaluate([X.copy()]), f(X), strict=True):
        np.testing.assert_array_equal(one, other)
