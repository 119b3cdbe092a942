"""Evaluation in place: what can be seen is never overwritten, and what cannot be is not copied."""

from __future__ import annotations

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pullback as pb
from pullback.core.primitive import Primitive, registry
from pullback.core.structure import Nested, Opaque
from pullback.graph import execution
from pullback.graph.execution import unshared
from tests.graph.programs import assert_same_bits

index, index_update, index_add = (registry[name] for name in ("index", "index_update", "index_add"))
BACKWARDS = slice(None, None, -1)
CONSTANT = np.arange(12.0).reshape(3, 4)


@pytest.fixture(autouse=True, scope="module")
def operands_of_any_size():
    """Let ufuncs work in the memory of small operands, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "_LARGE", 0)
        yield


def updates(monkeypatch):
    """Counts of the updates that were made in place, and of those that copied."""
    counts = {"in place": 0, "copied": 0}

    def counted(kind, function):
        def call(*args, **params):
            counts[kind] += 1
            return function(*args, **params)

        return call

    for primitive in (index_update, index_add):
        in_place = counted("in place", primitive.structure.in_place)
        monkeypatch.setattr(primitive, "structure", replace(primitive.structure, in_place=in_place))
        monkeypatch.setattr(primitive, "value", counted("copied", primitive.value))
    return counts


# -- random programs ---------------------------------------------------------------------------

# Each takes two of the values so far, which may be the same one, or share memory.
STEPS = {
    "row": lambda a, b: index(a, key=(slice(1, None),)),
    "reversed": lambda a, b: index(a, key=(BACKWARDS,)),
    "whole": lambda a, b: index(a, key=(Ellipsis,)),
    "added axis": lambda a, b: index(index(a, key=(None,)), key=(0,)),
    "transposed twice": lambda a, b: np.transpose(np.transpose(a)),
    "reshaped": lambda a, b: np.reshape(np.reshape(a, (-1,)), a.shape),
    "same": lambda a, b: np.reshape(a, a.shape),
    "sum": lambda a, b: a + np.sum(b),
    "product": lambda a, b: a * 0.5,
    "square": lambda a, b: a * a,
    "difference": lambda a, b: b - a,
    "sum with itself from the end": lambda a, b: a + index(a, key=(BACKWARDS,)),
    "columns": lambda a, b: np.transpose(np.transpose(a) + 1.0),
    "products": lambda a, b: np.matmul(np.transpose(a), b)[: len(a)],
    "set": lambda a, b: index_update(a, np.sum(b) * 0.25, key=(0,)),
    "set from": lambda a, b: index_update(a, index(b, key=(0,)), key=(0,)),
    "set from itself": lambda a, b: index_update(a, index(a, key=(0,)), key=(-1,)),
    "set all": lambda a, b: index_update(a, index(a, key=(BACKWARDS,)), key=(Ellipsis,)),
    "add": lambda a, b: index_add(a, index(b, key=(0,)), key=(0,)),
    "add repeatedly": lambda a, b: index_add(a, 1.5, np.array([0, 0]), key=("array",)),
}  # fmt: skip
MATCHING = {"set from", "add", "difference", "products"}


class Program:
    """Steps, each with the numbers of its operands; and the numbers of what is returned."""

    def __init__(self, steps, returned):
        self.steps, self.returned = steps, returned

    def __call__(self, x, y):
        values = [x, y, np.asarray(CONSTANT, like=x)]
        for name, first, second in self.steps:
            a, b = values[first % len(values)], values[second % len(values)]
            values.append(STEPS[name](a, a if name in MATCHING and b.shape != a.shape else b))
            if values[-1].shape[0] < 1:
                values.pop()
        return [values[i % len(values)] for i in self.returned]

    def __repr__(self):
        return f"Program({self.steps}, {self.returned})"


def _axes(x):
    """The axes in the order in which they lie in memory; a copy of a view keeps that."""
    steps = [abs(s) for s, extent in zip(x.strides, x.shape, strict=True) if extent > 1]
    return sorted(range(len(steps)), key=lambda axis: -steps[axis])


recent = st.one_of(st.integers(-4, -1), st.integers(0, 11))
programs = st.builds(
    Program,
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), recent, recent), min_size=1, max_size=12),
    st.lists(recent, min_size=1, max_size=3),
)


@settings(max_examples=300, deadline=None)
@given(programs, st.sampled_from(["given away", "kept", "the same twice", "views"]))
def test_random_programs(program, arguments):
    x, y = np.arange(12.0).reshape(3, 4) + 0.5, np.arange(12.0).reshape(3, 4) * 2
    graph = pb.trace(program, x, y)
    wanted = graph.run([x.copy(), y.copy()])
    held = [x.copy(), y.copy()]
    if arguments == "the same twice":
        wanted = graph.run([x.copy(), x.copy()])
        held = [x.copy()] * 2
    elif arguments == "views":
        held = [x.copy()[...], y.copy()[...]]
    before = [each.copy() for each in held]
    values = [*held]
    if arguments == "given away":
        held.clear()
        before.clear()
    results = graph.evaluate(values)
    assert values == []
    assert_same_bits(results, wanted)
    assert [_axes(out) for out in results] == [_axes(out) for out in wanted]
    assert_same_bits(held, before)
    np.testing.assert_array_equal(CONSTANT, np.arange(12.0).reshape(3, 4))


# -- what is seen elsewhere ----------------------------------------------------------------------


def _set_first(y):
    return index_update(y, -1.0, key=(0,))


@pytest.fixture
def graph():
    return pb.trace(_set_first, np.ones(4))


HOLDERS = {
    "a name": lambda x: x,
    "a view": lambda x: x[1:],
    "a view of a view": lambda x: x[1:][::-1],
    "a reshaped view": lambda x: x.reshape(2, 2).T,
    "a buffer": memoryview,
    "a container": lambda x: {"x": (x,)},
    "an iterator": iter,
    "a closure": lambda x: lambda: x,
    "a flat iterator": lambda x: x.flat,
    "pointers": lambda x: x.ctypes,
    "the interface of its memory": lambda x: np.asarray(_Interface(x)),
}


class _Interface:
    def __init__(self, x):
        self.x = x
        self.__array_interface__ = x.__array_interface__


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_is_held_elsewhere_is_copied(graph, holder, monkeypatch):
    counts = updates(monkeypatch)
    values = [np.ones(4)]
    held = HOLDERS[holder](values[0])
    (result,) = pb.trace(_set_first, np.ones(4)).evaluate(values)
    assert counts == {"in place": 0, "copied": 1}
    del held
    values = [result]
    del result
    pb.trace(_set_first, np.ones(4)).evaluate(values)
    assert counts == {"in place": 1, "copied": 1}


def test_read_only_arrays_and_borrowed_memory_are_copied(graph):
    x = np.ones(4)
    x.flags.writeable = False
    values = [x]
    del x
    np.testing.assert_array_equal(graph.evaluate(values)[0], [-1, 1, 1, 1])
    memory = bytearray(np.ones(4).tobytes())
    values = [np.frombuffer(memory)]
    assert not unshared(values, 0)
    graph.evaluate(values)
    assert memory == np.ones(4).tobytes()


class _Subclass(np.ndarray):
    pass


@pytest.mark.parametrize("x", [1.0, np.float64(1), None, np.ones(3).view(_Subclass)])
def test_only_arrays_can_be_overwritten(x):
    values = [x]
    del x
    assert not unshared(values, 0)


def test_an_array_of_one_list():
    values = [np.ones(3), np.ones(3)]
    assert unshared(values, 0)
    assert unshared(values, 1)
    values[0] = values[1]
    assert not unshared(values, 0)


def test_constants_stay():
    graph = pb.trace(lambda x: index_update(np.asarray(CONSTANT, like=x), x, key=(0, 0)), 1.0)
    for _ in range(2):
        graph.evaluate([5.0])
        np.testing.assert_array_equal(next(iter(graph.constants.values())), CONSTANT)


def test_an_array_that_is_an_argument_twice_is_copied(monkeypatch):
    counts = updates(monkeypatch)
    graph = pb.trace(lambda x: index_update(x * 1.0, x * 1.0, key=(Ellipsis,)), np.ones(3))
    graph.evaluate([np.ones(3)])
    assert counts == {"in place": 1, "copied": 0}

    def f(x):
        y = x * 1.0
        return index_update(y, y, key=(Ellipsis,))

    pb.trace(f, np.ones(3)).evaluate([np.ones(3)])
    assert counts == {"in place": 1, "copied": 1}


# -- what is not -----------------------------------------------------------------------------------


def test_a_loop_of_element_updates_keeps_one_array():
    n, count = 100_000, 200

    def body(x, i):
        y = np.sin(x[i - 1])
        return index_update(x, y, i, key=("array",))

    graph = pb.trace(body, np.ones(n), np.int64(0))
    state = graph.evaluate([np.ones(n), np.int64(0)])
    address = state[0].ctypes.data
    tracemalloc.start()
    try:
        for i in range(1, count):
            values = [*state, np.int64(i)]
            del state
            state = graph.evaluate(values)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert state[0].ctypes.data == address
    assert peak < 8 * n
    expected = np.ones(n)
    for i in range(count):
        expected[i] = np.sin(expected[i - 1])
    np.testing.assert_array_equal(state[0], expected)


def test_updates_one_after_another_copy_once(monkeypatch):
    def f(x):
        y = x
        for i in range(10):
            y = index_update(y, np.sum(y[i : i + 2]), key=(i,))
            y = index_add(y, y[0], key=(-1,))
        return y

    counts = updates(monkeypatch)
    x = np.linspace(0, 1, 12)
    graph = pb.trace(f, x)
    results = graph.evaluate([x])
    assert counts == {"in place": 19, "copied": 1}
    assert_same_bits(results, graph.run([x]))


def test_nothing_is_held_after_its_last_use():
    def f(x):
        for _ in range(20):
            x = np.sin(x)
        return x

    graph = pb.trace(f, np.ones(10_000))
    values = [np.ones(10_000)]
    graph.evaluate([np.ones(10_000)])
    tracemalloc.start()
    try:
        graph.evaluate(values)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * 80_000


def test_the_list_is_emptied_even_after_an_error():
    def f(x):
        return broken(x + 1)

    def fail(x):
        raise FloatingPointError("broken")

    broken = Primitive("broken", fail, Opaque(lambda _primitive, x: x))
    values = [np.ones(3)]
    with pytest.raises(FloatingPointError, match="broken"):
        pb.trace(f, np.ones(3)).evaluate(values)
    assert values == []


def test_elementwise_functions_work_in_one_array():
    def f(x, y):
        for _ in range(20):
            x = y - np.tanh(x) * 0.5
        return x

    n = 10_000
    x = np.linspace(-1, 1, n)
    graph = pb.trace(f, x, x)
    (wanted,) = graph.run([x, x])
    graph.evaluate([x, x])
    values = [x + 0, x]
    address = values[0].ctypes.data
    tracemalloc.start()
    try:
        (result,) = graph.evaluate(values)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.ctypes.data == address
    assert peak < 8 * n
    assert_same_bits(result, wanted)


@pytest.mark.parametrize("order", ["C", "F"])
def test_results_lie_as_numpy_lays_them(order):
    graph = pb.trace(lambda x, y: np.exp(x) + y, np.ones((3, 4)), np.ones((3, 4)))
    x, y = (np.array(np.ones((3, 4)), order=each) for each in (order, "C"))
    (wanted,) = graph.run([x, y])
    (result,) = graph.evaluate([x.copy("K"), y.copy("K")])
    assert result.strides == wanted.strides


@pytest.mark.parametrize(
    "f", [np.matmul, lambda x, y: x > y, lambda x, y: x[0] + y, lambda x, y: x * 1j]
)
def test_results_that_do_not_fit_get_memory_of_their_own(f):
    x = np.arange(9.0).reshape(3, 3)
    graph = pb.trace(f, x, x)
    assert_same_bits(graph.evaluate([x + 0, x + 0]), graph.run([x, x]))


# -- primitives with a body ----------------------------------------------------------------------


def _repeated(x, *, body, count):
    return _repeat([x], body=body, count=count)


def _repeat(args, *, body, count):
    for _ in range(count):
        args = body.evaluate(args)
    return args[0]


repeated = Primitive(
    "repeated",
    _repeated,
    Nested(lambda _primitive, x, *, body, count: body.inputs[0], take_over=_repeat, multiple=False),
)


def test_a_loop_takes_over_what_only_it_reads(monkeypatch):
    counts = updates(monkeypatch)
    body = pb.trace(_set_first, np.ones(4))

    def f(x):
        return repeated(repeated(x * 1.0, body=body, count=3), body=body, count=2)

    x = np.ones(4)
    graph = pb.trace(f, x)
    assert_same_bits(graph.evaluate([x]), [np.array([-1.0, 1, 1, 1])])
    assert counts == {"in place": 5, "copied": 0}

    def g(x):
        y = x * 1.0
        return repeated(y, body=body, count=3), y

    counts.update({"in place": 0, "copied": 0})
    results = pb.trace(g, x).evaluate([x])
    assert_same_bits(results, [np.array([-1.0, 1, 1, 1]), np.ones(4)])
    assert counts == {"in place": 2, "copied": 1}


def test_threads_do_not_disturb_each_other():
    def body(x, i):
        return index_update(x, np.sum(x) * 1e-3, i, key=("array",))

    graph = pb.trace(body, np.ones(50), np.int64(0))

    def loop(start):
        state = [np.full(50, start)]
        for i in range(300):
            values = [*state, np.int64(i % 50)]
            del state
            state = graph.evaluate(values)
        return state[0]

    starts = [1.0, 2.0, 3.0, 4.0]
    wanted = [loop(start) for start in starts]
    with ThreadPoolExecutor(4) as pool:
        assert_same_bits(list(pool.map(loop, starts)), wanted)


# -- results ------------------------------------------------------------------------------------


def test_several_results_of_a_primitive():
    def f(x):
        values, vectors = np.linalg.eigh(x)
        return vectors * values, values

    x = np.array([[2.0, 1.0], [1.0, 3.0]])
    graph = pb.trace(f, x)
    assert_same_bits(graph.evaluate([x]), graph.run([x]))


def test_no_equations_and_literals():
    graph = pb.trace(lambda x: (x, 2.0, x), np.ones(2))
    x = np.ones(2)
    first, two, second = graph.evaluate([x])
    assert first is x
    assert second is x
    assert two == 2.0
