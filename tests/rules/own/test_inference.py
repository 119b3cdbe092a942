"""Shapes of the results of own primitives that have no shape rule."""

from __future__ import annotations

import copy
import math
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import pullback as pb
from pullback.rules.own.inference import frozen, signature

X = np.arange(1.0, 5.0)


def counted(function, **options):
    calls = []

    @pb.primitive(**options)
    def f(*args, **params):
        calls.append(args[0] if type(args[0]) is np.ndarray else type(args[0]).__name__)
        return function(*args, **params)

    return f, calls


def test_numpy_calls_are_recorded_once_for_each_signature():
    f, calls = counted(lambda x: np.tanh(x)[:2])
    graph = pb.trace(lambda x: f(x) + f(x), X)
    assert calls == ["Tracer"]
    graph.verify()
    pb.simplify(graph)
    assert len(calls) == 1
    assert_allclose(graph(X), 2 * np.tanh(X[:2]), rtol=1e-15)
    pb.trace(f, X[:3])
    pb.trace(f, X.astype(np.float32))
    assert sum(type(x) is str for x in calls) == 3


@pytest.mark.parametrize(
    ("function", "args", "shape", "dtype"),
    [
        (lambda x: x * np.float32(2), (np.float32(1.5),), (), "float32"),
        (lambda x: x * 2, (np.ones(2, np.float32),), (2,), "float32"),
        (lambda x: [x, x], (1.0,), (2,), "float64"),
        (lambda x: x > 1, (X,), (4,), "bool"),
        (lambda x: np.argmax(x), (X,), (), "int64"),
        (lambda x: 1j * x, (X,), (4,), "complex128"),
        (lambda x: float(x[0]), (X,), (), "float64"),
        (lambda x: np.array([*map(float, x)], np.float32), (X,), (4,), "float32"),
        (lambda x, n: x[:n], (X, 2), (2,), "float64"),
        (lambda x, n: np.array([float(x[0])] * n), (X, 3), (3,), "float64"),
        (lambda x, mask: x[mask], (X, X > 2), (2,), "float64"),
    ],
)
def test_shape_and_dtype_are_those_of_the_function(function, args, shape, dtype):
    f, _ = counted(function)
    graph = pb.trace(lambda x: f(x, *args[1:]), args[0])
    assert (graph.outputs[0].shape, str(graph.outputs[0].dtype)) == (shape, dtype)
    assert_array_equal(graph(args[0]), function(*args))


def test_what_cannot_be_recorded_is_evaluated_once_on_ones():
    f, calls = counted(lambda x, n: np.array([float(each) for each in x] * int(n)))
    graph = pb.trace(lambda x: f(x, 2) + f(x, 2), X)
    assert len(calls) == 2  # the recording that failed, and the evaluation
    assert_array_equal(calls[1], np.ones(4))
    pb.simplify(graph).verify()
    assert len(calls) == 2
    assert_array_equal(graph(X), 2 * np.tile(X, 2))


def test_matrices_of_the_evaluation_are_regular():
    def inverse(a):
        assert type(a) is np.ndarray
        np.linalg.cholesky(a)
        return np.linalg.inv(a)

    f, calls = counted(inverse)
    assert pb.trace(f, np.eye(3)).outputs[0].shape == (3, 3)
    assert_array_equal(calls[-1], np.ones((3, 3)) + 3 * np.eye(3))
    assert pb.trace(f, np.ones((2, 3, 3))).outputs[0].shape == (2, 3, 3)


def test_what_neither_way_serves_says_so():
    f, _ = counted(lambda x: np.array([math.acosh(each - 1) for each in x]))
    with pytest.raises(
        pb.NoRuleError,
        match=r"f has no shape rule.*cannot be recorded \(DataDependenceError: .*evaluated on ones "
        r"it raises ValueError: .*@f\.shape",
    ) as caught:
        pb.trace(f, X)
    assert isinstance(caught.value.__cause__, ValueError)
    f.shape(lambda x: x)
    assert_allclose(pb.trace(f, X)(X + 1), np.arccosh(X), rtol=1e-15)


def test_an_error_of_the_functions_own_comes_out():
    def strict(x):
        if x.ndim != 1:
            raise ValueError("want a vector")
        return x

    f, _ = counted(strict)
    with pytest.raises(ValueError, match=r"^want a vector$"):
        pb.trace(f, np.ones((2, 2)))


def test_a_result_that_is_not_as_declared_is_refused_by_the_graph():
    f, _ = counted(lambda x: x[x > 0.5])
    graph = pb.trace(lambda x: 2 * f(x), X)
    assert_array_equal(graph(X), 2 * X)
    f.rule(lambda _y, _x: None)
    for run in (graph, pb.simplify(graph), pb.vmap(graph), pb.grad(lambda x: np.sum(graph(x)))):
        x = np.zeros((1, 4)) if run.__name__.startswith("vmap") else np.zeros(4)
        with pytest.raises(pb.ArgumentValueError, match=r"returned dtype float64 and shape"):
            run(x)
    assert f(np.zeros(4)).shape == (0,)  # outside of graphs it may do as it likes


def test_a_wrong_shape_rule_is_found_out():
    f, _ = counted(lambda x: x[:2])
    f.shape(lambda x: x)
    with pytest.raises(
        pb.ArgumentValueError, match=r"shape \(2,\), and in the graph .* shape \(4,\).*@f\.shape"
    ):
        pb.trace(f, X)(X)


def test_graphs_are_copied_and_cost_what_the_function_does():
    f, _ = counted(lambda x: np.sum(np.sin(x) * x))
    f.rule(lambda _y, x: pb.Linear(pullback=lambda bar: bar * (np.sin(x) + x * np.cos(x))))
    graph = pb.trace(f, X)
    assert graph.cost().operations == 3 * 4
    assert graph.cost().bytes == 4 * 8 + 8
    batch = np.ones((5, 4))
    assert pb.trace(pb.vmap(f), batch).cost().operations == 5 * 12
    for each in (copy.copy(graph), copy.deepcopy(graph)):
        each.verify()
        assert each(X) == graph(X)
        assert_allclose(pb.grad(each)(X), np.sin(X) + X * np.cos(X), rtol=1e-14)
    g, _ = counted(lambda x: np.array([*map(math.sin, x)]))
    assert pb.trace(g, X).cost().operations == 4
    f.shape(lambda x: ((), x.dtype))
    assert pb.trace(f, X).cost().operations == 1


def test_long_loops_in_the_function_are_no_matter():
    def long(x):
        for _ in range(400):
            x = np.sin(x)
        return x

    f, _ = counted(long)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pb.trace(f, X)
    with pytest.warns(pb.UnrolledLoopWarning):
        pb.trace(long, X)


def test_a_function_that_stores_what_it_is_given_is_evaluated():
    kept = []

    def hoarding(x):
        kept.append(x)
        return 2 * x

    f, _ = counted(hoarding)
    graph = pb.trace(lambda x: f(x), X)
    assert [type(x).__name__ for x in kept] == ["Tracer", "ndarray"]
    kept.clear()
    assert_array_equal(graph(X), 2 * X)


def test_keywords_of_any_kind():
    f, calls = counted(lambda x, *, table, options: x * table + len(options))
    table = np.arange(4.0)

    def use(x):
        return f(x, table=table, options={"a": [1, 2], "b": object()})

    graph = pb.trace(use, X)
    assert_array_equal(graph(X), X * table + 2)
    pb.simplify(graph)
    assert len(calls) == 2  # recorded, and run


def test_signatures_tell_apart_what_decides_on_a_shape():
    mask, other = X > 2, X > 3
    rows = [
        ((1,), {}), ((1.0,), {}), ((True,), {}), ((np.float64(1),), {}), ((np.float32(1),), {}),
        ((mask,), {}), ((other,), {}), ((mask.astype(float),), {}), ((mask.reshape(2, 2),), {}),
        ((pb.ShapeDtype(4),), {}), ((pb.ShapeDtype(4, "float32"),), {}), ((), {"n": 1}),
        ((), {"n": 1.0}), ((), {"n": (1,)}), ((), {"n": [1]}), ((), {"m": 1}), ((), {"n": mask}),
        ((), {"n": {"a": mask}}), ((), {"n": {"a": other}}),
    ]  # fmt: skip
    keys = [signature(args, params) for args, params in rows]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    assert keys == [signature(args, params) for args, params in copy.deepcopy(rows)]
    assert signature((), {"n": {1, 2}}) is None
    assert frozen(mask.copy()) == frozen(mask)


def test_what_has_no_signature_is_found_out_each_time():
    f, calls = counted(lambda x, *, which: x * len(which))
    graph = pb.trace(lambda x: f(x, which={1, 2}), X)
    assert len(calls) > 1
    assert_array_equal(graph(X), 2 * X)
