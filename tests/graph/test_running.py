"""A graph gives what the function gives, to the last bit, through every transform."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
import scipy.special  # noqa: F401  # programs below find its functions in the rule book
from hypothesis import given, settings

import pullback as pb
from pullback.core.primitive import registry
from tests.graph.programs import TRANSFORMS, assert_same_bits, assert_traces, leaves
from tests.grouping import together
from tests.programs.generation import BINARY, OPERATIONS, PIECEWISE_BINARY, programs
from tests.rules.cases import CASES

INDEXING = {"index", "index_add", "index_update", "last_writes", "scatter"}
pytestmark = pytest.mark.filterwarnings("ignore::pullback.IndependentOutputWarning")
rng = np.random.default_rng(0)


# -- every primitive -----------------------------------------------------------------------------


@together()
@pytest.mark.parametrize("name", sorted(CASES))
def test_every_primitive(name):
    primitive = registry[name]
    for case in CASES[name]:
        # A mask decides the shape of what it selects, so it must be known.
        args = [np.asarray(a) if isinstance(a, np.ndarray) else a for a in case.args]
        varying = [
            i for i, a in enumerate(args) if np.asarray(a).dtype.kind != "b" or name not in INDEXING
        ]

        def f(*values, args=args, varying=varying, params=case.params):
            full = list(args)
            for position, value in zip(varying, values, strict=True):
                full[position] = value
            return primitive(*full, **params)

        chosen = [args[i] for i in varying]
        if name == "nonzero":
            with pytest.raises(pb.DataDependenceError, match="number of nonzero elements"):
                pb.trace(f, *chosen)
            continue
        graph = assert_traces(f, *chosen, what=name)
        assert [each.primitive for each in graph.equations] == [primitive] * bool(graph.inputs)


@together()
@pytest.mark.parametrize("name", sorted(CASES))
def test_what_does_not_rearrange_gives_c_order(name):
    primitive = registry[name]
    for case in CASES[name]:
        if primitive.structure.reorders or not all(
            np.asarray(a).flags.c_contiguous for a in case.args
        ):
            continue
        out = primitive(*case.args, **case.params)
        for each in out if primitive.multiple else (out,):
            assert np.asarray(each).flags.c_contiguous, case


# -- programs ------------------------------------------------------------------------------------


@together("name")
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"branch"}))
def test_operations_through_transforms(name, transform):
    f = OPERATIONS[name]
    count = 2 if name in {**BINARY, **PIECEWISE_BINARY} else 1
    for shape in [(), (3,), (2, 3)]:
        if shape == () and "vmap" in transform:
            continue
        args = [rng.normal(size=shape) for _ in range(count)]
        assert_traces(TRANSFORMS[transform](f), *args, what=(name, transform, shape))


def _branches(program):
    return any(name == "branch" for name, _ in program.instructions)


@settings(max_examples=60)
@given(programs())
def test_random_programs(program):
    if _branches(program):
        with pytest.raises(pb.DataDependenceError, match="condition of an if"):
            pb.trace(program, *program.arguments)
        return
    everything = tuple(range(len(program.arguments)))
    assert_traces(TRANSFORMS["value"](program), *program.arguments)
    assert_traces(pb.value_and_grad(program, everything), *program.arguments)
    assert_traces(pb.hessian(program, everything), *program.arguments)


@settings(max_examples=30)
@given(programs(analytic=True))
def test_transforms_of_graphs(program):
    """A graph is a function like any other: it is differentiated, batched and recorded again."""
    args = program.arguments
    graph = pb.trace(program, *args)
    assert_same_bits(pb.trace(graph, *args)(*args), graph(*args))
    gradient = pb.grad(program)(*args)
    np.testing.assert_allclose(pb.grad(graph)(*args), gradient, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(pb.trace(pb.grad(graph), *args)(*args), gradient, 1e-12, 1e-12)
    _, tangent = pb.pushforward(graph, args, args)
    np.testing.assert_allclose(tangent, pb.pushforward(program, args, args)[1], 1e-12, 1e-12)
    batched = [np.stack([x, 0.5 * x]) for x in args]
    rows = [graph(*(x[i] for x in batched)) for i in range(2)]
    np.testing.assert_allclose(pb.vmap(graph)(*batched), rows, 1e-12, 1e-12)


def test_trace_in_a_derivative_holds_the_outer_value():
    def f(x):
        return pb.trace(lambda y: np.sum(x * y**2), x)(x)

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(pb.grad(f)(x), 3 * x**2)


# -- arguments and results -----------------------------------------------------------------------


def test_descriptions_stand_for_arrays():
    def f(x):
        return np.sum(np.tanh(x), axis=0)

    x = rng.normal(size=(2, 3)).astype(np.float32)
    described = pb.trace(f, pb.ShapeDtype((2, 3), np.float32))
    assert str(described) == str(pb.trace(f, x))
    assert_same_bits(described(x), f(x))


@pytest.mark.parametrize("n", [2, 2.5, True, 1j, np.float64(2.5), np.int64(3), np.array(2.0)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_scalars_promote_as_in_numpy(n, dtype):
    def f(x, n):
        return x * n, n + x, np.where(x > 1, x, n), np.maximum(x.real, 1)

    assert_traces(f, np.arange(3).astype(dtype), n)


NUMBERS = {
    "+": lambda n: n + 1, "-": lambda n: 3 - n, "*": lambda n: n * n, "/": lambda n: 1 / n,
    "//": lambda n: n // 2, "%": lambda n: n % 2, "**": lambda n: n**2, "power": lambda n: 2.0**n,
    "negative": lambda n: -n, "abs": lambda n: abs(n), "several": lambda n: 1 - (n + 1) ** 2 / n,
    "a function": lambda n: np.sqrt(n), "a function of a sum": lambda n: np.sqrt(n + 1),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("n", [2, 2.5])
def test_what_python_computes_from_numbers_stays_a_number(name, n):
    """Python's operators make numbers, which take an array's dtype; NumPy's functions do not."""
    number = NUMBERS[name]

    def f(x, n):
        k = number(n)
        return x * k, k - x, np.where(x > 1, x, k), x > k / 3, np.maximum(k, x), np.stack([x[0], k])

    for dtype in ("float32", "complex64"):
        assert_traces(f, np.arange(3).astype(dtype), n)
    single = np.arange(1, 4).astype("float32")
    wanted = f(single, n)[0].dtype
    assert pb.value_and_grad(lambda n: np.sum(f(single, n)[0]))(float(n))[0].dtype == wanted
    assert pb.pushforward(lambda n: f(single, n)[0], (float(n),), (1.0,))[0].dtype == wanted
    loop = pb.fori_loop(1, 4, lambda i, y: (y * number(i)).astype(y.dtype) + i / 2, single)
    assert loop.dtype == np.float32


def test_numbers_from_outside_a_loop_stay_numbers():
    y, h = np.ones(3, np.float32), 0.1

    def march(y, h):
        return pb.fori_loop(0, 3, lambda i, y: y + h * np.cos(y + 0.5 * h * i), y)

    def choose(y, h):
        return pb.cond(y[0] > 0, lambda y, k: y * h + k, lambda y, k: y, y, 2 * h)

    def add_up(y, h):
        return pb.scan(lambda s, x: (s + h * x, s * (h + 1)), np.float32(0), y)

    for f in (march, choose, add_up):
        graph = assert_traces(f, y, h)
        assert {leaf.dtype for leaf in leaves(graph(y, h))} == {np.dtype(np.float32)}
        slope = pb.grad(lambda h, f=f: np.sum(leaves(f(y, h))[-1]))(h)
        assert slope.dtype == np.float64
        assert_traces(pb.grad(lambda y, h, f=f: np.sum(leaves(f(y, h))[-1])), y, h)


def test_pytrees_and_static_values():
    def f(net, mode, scale):
        x = net["W"] @ net["b"][0]
        return {"out": x * scale if mode == "wide" else x, "rest": [net["b"][1], 3.0]}

    net = {"W": rng.normal(size=(2, 2)), "b": (np.ones(2), np.arange(3))}
    graph = assert_traces(f, net, "wide", 2.0)
    assert graph.signature.names == ("net['W']", "net['b'][0]", "net['b'][1]", "scale")
    with pytest.raises(pb.ArgumentValueError, match=r"args.1. is 'narrow'.*recorded with 'wide'"):
        graph(net, "narrow", 2.0)


def test_arguments_are_checked():
    graph = pb.trace(lambda x, n: x * n, np.ones(3), 2.0)
    with pytest.raises(pb.ArgumentValueError, match=r"argument x has shape \(4,\), wanted \(3,\)"):
        graph(np.ones(4), 2.0)
    with pytest.raises(pb.ArgumentTypeError, match="argument x has dtype float32, wanted float64"):
        graph(np.ones(3, np.float32), 2.0)
    with pytest.raises(pb.ArgumentTypeError, match="argument n has dtype int64, wanted float64"):
        graph(np.ones(3), 2)
    with pytest.raises(pb.ArgumentValueError, match="the arguments have the structure"):
        graph(np.ones(3))


def test_results_are_fresh():
    constant = np.ones(3)
    constant.flags.writeable = False
    graph = pb.trace(lambda x: (x, x, x[:2], constant, x.T), np.ones(3))
    x = np.zeros(3)
    results = graph(x)
    for each in results:
        each += 5
    np.testing.assert_array_equal(x, 0)
    assert [each[0] for each in results] == [5, 5, 5, 6, 5]
    assert_same_bits(graph(x)[3], constant)


# -- constants -----------------------------------------------------------------------------------


def test_a_constant_stands_in_the_graph_once():
    a = rng.normal(size=4)
    a.flags.writeable = False
    graph = pb.trace(lambda x: a * np.sin(a * x) + np.flip(a), np.ones(4))
    assert len(graph.constants) == 2
    assert next(iter(graph.constants.values())) is a


def test_constants_that_are_written_to_meanwhile():
    def f(x):
        c = np.zeros(3)
        y = x
        for k in range(3):
            c[k] = k + 1
            y = y * (1 + c)
        return y

    graph = assert_traces(f, np.ones(3))
    assert len(graph.constants) == 3


def test_constants_from_outside_keep_their_value():
    a = np.ones(3)
    graph = pb.trace(lambda x: x * a, np.ones(3))
    a[:] = 7
    np.testing.assert_array_equal(graph(np.ones(3)), 1)


def test_what_is_constant_is_evaluated_at_once():
    graph = pb.trace(lambda x: x * np.sum(np.zeros_like(x) + 3.0), np.ones(3))
    assert [equation.primitive.name for equation in graph.equations] == ["multiply"]


# -- memory --------------------------------------------------------------------------------------


def test_values_are_freed_after_their_last_use():
    alive: list[weakref.ref[np.ndarray]] = []
    most = [0]

    @pb.primitive
    def probe(x):
        out = x + 1
        most[0] = max(most[0], sum(each() is not None for each in alive))
        alive.append(weakref.ref(out))
        return out

    @probe.shape
    def probe_shape(x):
        return x

    def chain(x):
        for _ in range(50):
            x = probe(x)
        return x

    graph = pb.trace(chain, np.ones(3))
    gc.collect()
    np.testing.assert_array_equal(graph(np.ones(3)), 51)
    assert len(alive) == 50
    assert most[0] <= 2


def test_a_graph_is_pickled_and_copied():
    def f(x):
        return np.sum(pb.scan(lambda c, row: (np.sin(c) * row, c), x, np.ones((3, 2)))[1])

    x = np.array([0.3, -1.2])
    graph = pb.trace(pb.grad(f), x)
    for other in (pickle.loads(pickle.dumps(graph)), copy.deepcopy(graph), copy.copy(graph)):
        other.verify()
        assert str(other) == str(graph)
        np.testing.assert_array_equal(other(x), graph(x))
    assert pickle.loads(pickle.dumps(graph.equations[0].primitive)) is graph.equations[0].primitive


def test_a_graph_with_a_primitive_of_the_users_own_is_not_pickled():
    @pb.primitive
    def twice(x):
        return 2 * x

    twice.shape(lambda x: x)
    graph = pb.trace(twice, 1.0)
    with pytest.raises(pickle.PicklingError, match="twice is a primitive of your own"):
        pickle.dumps(graph)
    assert copy.deepcopy(graph)(2.0) == 4.0


WITHOUT_AXES = {
    "an element": lambda x, s, a: x[0],
    "an element as an array": lambda x, s, a: x[0, ...],
    "a sum": lambda x, s, a: np.sum(x) * 2,
    "a sum as an array": lambda x, s, a: np.sum(x[:1], keepdims=True).reshape(()),
    "a scalar": lambda x, s, a: s,
    "an array": lambda x, s, a: a,
    "a function of an array": lambda x, s, a: np.sin(a),
    "a copy of one": lambda x, s, a: (1.0 * a).copy(),
    "a constant": lambda x, s, a: np.array(2.0) if s.dtype else s,
    "a number": lambda x, s, a: 3.0,
    "zeros": lambda x, s, a: x[:1].reshape(()) * 0,
    "what was written to": lambda x, s, a: _written(x[0, ...] * 1.0 + np.zeros(())),
    "carried": lambda x, s, a: pb.fori_loop(0, 3, lambda i, c: c * 2, s),
    "carried as an array": lambda x, s, a: pb.fori_loop(0, 3, lambda i, c: c * 2, a),
}


def _written(y):
    y = np.array(y)
    y[...] = y + 1
    return y


@pytest.mark.parametrize("name", WITHOUT_AXES)
def test_a_result_without_axes_is_an_array_where_it_is_one(name):
    f = WITHOUT_AXES[name]
    args = np.ones(3), np.float64(2.0), np.array(3.0)
    wanted = f(*args)
    graph = pb.trace(f, *args)
    known = graph.signature.arrays
    for each in (graph, pb.simplify(graph), pickle.loads(pickle.dumps(graph))):
        found = each(*args)
        assert type(found) is type(wanted)
        assert found == wanted
        assert each.signature.arrays == known
    if known and "carried" not in name:
        assert known == {0: isinstance(wanted, np.ndarray)}
