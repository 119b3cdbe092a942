"""`pullback.compile`: what a user sees of it."""

from __future__ import annotations

import copy
import os
import pickle
import signal
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

import pullback as pb
from pullback.compiler.compiled import Compiled
from pullback.core import trees

X = np.linspace(0.1, 1.3, 6)


def loss(p, x):
    return np.sum(np.tanh(x @ p["W"] + p["b"]) ** 2)


PARAMETERS = {"b": np.array([0.1, -0.2]), "W": np.array([[0.3, -0.5], [0.7, 0.2], [0.1, 0.4]])}


def test_trees_go_in_and_come_out():
    x = np.arange(6.0).reshape(2, 3)
    compiled = pb.compile(pb.value_and_grad(loss))
    for _ in range(2):
        value, slopes = compiled(PARAMETERS, x)
        expected, expected_slopes = pb.value_and_grad(loss)(PARAMETERS, x)
        assert list(slopes) == list(expected_slopes)
        np.testing.assert_allclose(value, expected, rtol=1e-14)
        for name, slope in slopes.items():
            np.testing.assert_allclose(slope, expected_slopes[name], rtol=1e-12)
    np.testing.assert_allclose(compiled(PARAMETERS, x=x)[0], expected, rtol=1e-14)


def test_results_are_of_the_kinds_that_the_function_returns():
    def f(x, s):
        return np.sum(x), x[0], [x * s, (s, np.sum(x, keepdims=True))], np.asarray(np.sum(x))

    compiled = pb.compile(f)
    for s in (2.0, np.float64(2.0), 3, np.array(2.0)):
        one, other = compiled(X, s), f(X, s)
        assert [type(x) for x in one] == [type(x) for x in other]
        assert type(one[2][1][0]) is type(other[2][1][0])
        np.testing.assert_allclose(one[2][0], other[2][0])


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x[::-1],
        lambda x: np.asfortranarray(x.reshape(2, 3)),
        lambda x: x.reshape(3, 2).T,
        lambda x: np.repeat(x, 2)[::2],
        lambda x: x.astype(">f8"),
        lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float64),
        lambda x: x[:0],
        lambda x: x[2],
        lambda x: x.astype(np.float32),
        lambda x: np.broadcast_to(x[0], (4, 3)),
    ],
)
def test_arrays_lie_as_they_like(change):
    x = change(X)
    kept = np.array(x)
    compiled = pb.compile(lambda x: (np.sum(x * x), x * 2, np.ravel(x)))
    for found, expected in zip(compiled(x), compiled.function(x), strict=True):
        assert found.dtype == np.asarray(expected).dtype.newbyteorder("=")
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(x, kept)
    assert not any(np.shares_memory(out, x) for out in compiled(x) if isinstance(out, np.ndarray))


@pytest.mark.parametrize("size", [2, 100])
def test_constants_lie_as_they_like(size):
    rows = np.arange(2.0 * size).reshape(size, 2)
    for constant in (rows.astype(">f8"), np.asfortranarray(rows), rows[::-1, ::-1]):
        compiled = pb.compile(lambda x, constant=constant: x * constant)
        np.testing.assert_array_equal(compiled(np.full((size, 2), 2.0)), 2 * constant)


def test_an_order_in_memory_that_counts_is_kept():
    x = np.arange(6.0).reshape(2, 3)
    compiled = pb.compile(lambda x: x.ravel("K") * np.arange(6.0))
    for array in (x, np.asfortranarray(x), x[:, ::-1], x):
        np.testing.assert_array_equal(compiled(array), compiled.function(array))


def test_compiled_functions_are_transformed_as_what_they_compile():
    inner = pb.compile(lambda x: np.sin(x) * x)

    def outer(x):
        return np.sum(inner(x) ** 2)

    expected = pb.grad(lambda x: np.sum((np.sin(x) * x) ** 2))(X)
    np.testing.assert_allclose(pb.grad(outer)(X), expected, rtol=1e-14)
    np.testing.assert_allclose(pb.compile(pb.grad(outer))(X), expected, rtol=1e-12)
    np.testing.assert_allclose(pb.vmap(inner)(X), inner(X), rtol=1e-14)
    assert isinstance(pb.compile(inner), Compiled)

    def around(x):
        return pb.grad(lambda s: np.sum(pb.compile(lambda y: y * s)(X)))(x)

    assert around(2.0) == np.sum(X)


def codes(compiled):
    """How many pieces of machine code there are."""
    return len({version.function.address for version in compiled._versions.values()})


def test_one_code_for_all_sizes():
    compiled = pb.compile(pb.grad(lambda x: np.sum(np.diff(np.exp(x)) ** 2) / x.size))
    for size in (40, 57, 100, 61, 1001):
        x = np.linspace(0, 1, size)
        np.testing.assert_allclose(compiled(x), compiled.function(x), rtol=1e-10, atol=1e-13)
    assert len(compiled._versions) == 5
    assert codes(compiled) == 2


def test_small_sizes_and_large_ones_share_code():
    compiled = pb.compile(lambda x: np.sum(np.exp(x)) + x[-1])
    for size in (3, 50, 4, 7, 200):
        x = np.linspace(0, 1, size)
        np.testing.assert_allclose(compiled(x), compiled.function(x), rtol=1e-14)
    assert codes(compiled) == 2


def test_memory_that_is_given_away_is_used():
    step = pb.compile(lambda x, g: (x - 0.1 * g, np.sum(g)), donate=0)
    x, g = np.ones(1000), np.arange(1000.0)
    out, total = step(x, g)
    assert out is x
    assert total == g.sum()
    np.testing.assert_allclose(x, 1 - 0.1 * g, rtol=1e-12, atol=1e-12)
    view = np.ones(2000)[:1000]
    assert step(view, g)[0] is not view
    np.testing.assert_array_equal(view, 1)


def test_memory_is_given_away_beside_what_is_no_array():
    step = pb.compile(lambda how, x, y: 2 * x, donate=1)
    x, y = np.ones(1000), np.arange(1000.0)
    assert step("doubled", x, y) is x
    np.testing.assert_array_equal(x, 2)
    np.testing.assert_array_equal(y, np.arange(1000.0))


def test_memory_of_arrays_without_axes_is_given_to_arrays_alone():
    step = pb.compile(lambda x, s: (np.sum(x), np.asarray(x * 2), s + 1), donate=(0, 1))
    x = np.array(3.0)
    total, doubled, following = step(x, np.float64(1.0))
    assert (type(total), type(following)) == (np.float64, np.float64)
    assert type(doubled) is np.ndarray
    assert (total, doubled, following) == (3.0, 6.0, 2.0)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x[::-1] * 2, np.sum(x)),
        lambda x: (np.cumsum(x), x[0] + x[-1]),
        lambda x: (2 * x, np.diff(x)),
        lambda x: (pb.fori_loop(0, 3, lambda i, y: y * x[i], x), np.max(x)),
        lambda x: (np.roll(x, 1), x.sum()),
        lambda x: x.copy(),
    ],
)
def test_memory_that_is_still_read_is_not_used(function):
    expected, found = function(X.copy()), pb.compile(function, donate=0)(X.copy())
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


def test_what_is_no_array_belongs_to_the_structure():
    compiled = pb.compile(lambda x, how: np.sum(x) if how == "sum" else np.max(x))
    assert compiled(X, "sum") == pytest.approx(np.sum(X))
    assert compiled(X, "max") == np.max(X)
    assert compiled(X, "sum") == pytest.approx(np.sum(X))


def test_methods_can_be_compiled():
    class Model:
        def __init__(self, factor):
            self.factor = factor

        @pb.compile
        def scaled(self, x):
            return self.factor * x

    np.testing.assert_array_equal(Model(2.0).scaled(X), 2 * X)
    np.testing.assert_array_equal(Model(3.0).scaled(X), 3 * X)


def test_what_it_has_become_can_be_looked_at():
    compiled = pb.compile(pb.grad(lambda x: np.sum(np.exp(x) * np.bitwise_count(3))))
    x = np.ones(100)
    report = compiled.report(x)
    assert report.operations > 0
    assert not report.fallbacks
    assert "ms" in str(report)
    assert compiled.graph(x).verify() is None
    assert "for all" in compiled.loops(x)
    assert "define i32 @run" in compiled.llvm(x)
    assert "ret" in compiled.assembly(x)


def test_what_is_not_native_is_called_and_said():
    compiled = pb.compile(lambda x: np.exp(np.sort(x)[::-1]) + scipy.special.j0(x))
    np.testing.assert_allclose(compiled(X), compiled.function(X), rtol=1e-12)
    names = [each.primitive for each in compiled.report(X).fallbacks]
    assert names == ["j0"]
    assert "j0 is called through Python" in str(compiled.report(X))
    assert "line" in compiled.report(X).fallbacks[0].line


def test_errors_of_what_is_called_come_out():
    @pb.primitive
    def careful(x):
        if np.asarray(x).sum() < 0:
            raise ArithmeticError("a sum below zero")
        return np.sqrt(x)

    careful.shape(lambda x: x)
    compiled = pb.compile(lambda x: careful(x) + 1)
    np.testing.assert_allclose(compiled(X), np.sqrt(X) + 1)
    with pytest.raises(ArithmeticError, match="below zero"):
        compiled(-X)
    np.testing.assert_allclose(compiled(X), np.sqrt(X) + 1)


def test_an_index_outside_is_an_error():
    compiled = pb.compile(lambda x, i: x[i])
    assert compiled(X, np.array(2)) == X[2]
    assert compiled(X, np.array(-1)) == X[-1]
    for outside in (6, -7):
        with pytest.raises(IndexError, match="out of bounds"):
            compiled(X, np.array(outside))


OUTSIDE: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "an index": (lambda x, i: x[i] * 2, (X, np.array(6))),
    "the second axis": (lambda x, i: x[:, i], (np.ones((3, 4)), np.array([0, 3, -5, 9]))),
    "a list": (lambda x, i: [x[0][i], x[1]], ([X, 1.0], np.arange(8)[::-1])),
    "a gradient": (
        pb.grad(lambda x, i: np.sum(np.exp(x)[i] ** 2)),
        (np.ones(500), np.array([500])),
    ),
    "a loop": (
        lambda x, i: pb.fori_loop(0, 9, lambda k, c: c + x[i[k]], 0.0),
        (X, np.arange(-2, 7)),
    ),
    "what is written": (lambda x, i: _written(x, i), (X, np.array([1, 77]))),
    "by samples": (
        lambda x, i: np.sum(np.sin(x[i]) ** 2),
        (X, np.where(np.arange(20_000) == 12_345, 66, 3)),
    ),
}


def _written(x: Any, i: Any) -> Any:
    y = x * 1.0
    np.add.at(y, i, 2.0)
    return y


@pytest.mark.parametrize("case", OUTSIDE)
def test_an_index_outside_is_named_as_numpy_does(case: str) -> None:
    """Which one it is, along which axis, and where the function has it."""
    f, args = OUTSIDE[case]
    with pytest.raises(IndexError) as eager:
        f(*args)
    words = str(eager.value)
    for entry in (lambda c: c, portable):
        compiled = pb.compile(f)
        with pytest.raises(IndexError) as native:
            entry(compiled)(*args)
        assert words in str(native.value)
        assert any("test_compile.py" in note for note in native.value.__notes__)


def portable(compiled: Any) -> Any:
    """With the entry for any build of Python."""

    def call(*args: Any) -> Any:
        compiled.graph(*args)
        (version,) = compiled._versions.values()
        return version.entry._portable(*trees.flatten(args)[0])

    return call


def test_an_index_into_what_was_given_away() -> None:
    """It may have been written to before: the axis is known, and the index is not."""
    compiled = pb.compile(lambda x, i: x * x[i], donate=0)
    with pytest.raises(IndexError, match="an index is out of bounds for axis 0 with size 6"):
        compiled(X.copy(), np.array(17))


def test_what_cannot_be_recorded_says_where():
    def refuses(x):
        if x[0] > 0:
            raise ValueError("positive")
        return x

    choice = pb.compile(lambda x: x if x[0] > 0 else -x, lift=False)
    for compiled in (pb.compile(refuses), choice):
        with pytest.raises(pb.DataDependenceError, match="test_compile"):
            compiled(X)
    with pytest.raises(pb.ArgumentTypeError, match=r"pullback\.compile\(f\)"):
        pb.compile(3)


@pytest.mark.parametrize(
    ("function", "x", "words"),
    [
        (np.sin, X.astype(np.longdouble), r"compile of sin: the argument \w+ has the dtype"),
        (lambda x: np.astype(x, np.longdouble) * 2, X, "a result has the dtype"),
        (lambda x: (x, np.array(["a"])), X, "a result has the dtype <U1"),
        (lambda x: x + np.ones(6, np.longdouble), X, "has the dtype"),
    ],
)
def test_what_has_no_form_in_machine_code_is_refused(function, x, words):
    if np.dtype(np.longdouble) != np.float64 or "U1" in words:
        with pytest.raises(pb.ArgumentTypeError, match=words):
            pb.compile(function)(x)


def test_what_is_given_away_is_named_by_position():
    words = r"compile: donate is -1, wanted a whole number of at least 0"
    with pytest.raises(pb.ArgumentValueError, match=words):
        pb.compile(np.sin, donate=-1)
    with pytest.raises(pb.ArgumentTypeError, match="donate is 'x', wanted the position of an arg"):
        pb.compile(np.sin, donate="x")
    with pytest.raises(pb.ArgumentTypeError, match=r"donate\[1\] is 1\.5, wanted a whole number"):
        pb.compile(np.sin, donate=(0, 1.5))


def test_arrays_of_what_are_no_numbers_are_handed_to_the_function():
    compiled = pb.compile(lambda x: np.sum(x * 2))
    for values in ([1, 2], [3, 4]):
        assert compiled(np.array(values, object)) == 2 * sum(values)


def test_whole_numbers_larger_than_those_of_numpy_are_handed_to_the_function():
    compiled = pb.compile(lambda x: [2 * each for each in x])
    for x in ([3, -(2**62)], [3, 2**63], [-(2**63) - 1, 2], [3, 4]):
        assert compiled(x) == [2 * each for each in x]


def test_scalars_of_a_class_of_ones_own_are_numbers():
    class Length(np.float64):
        pass

    compiled = pb.compile(lambda x: 2 * x)
    for x in (np.float64(1.5), Length(2.5)):
        assert type(compiled(x)) is np.float64
        assert compiled(x) == 2 * x


def test_structures_may_have_nothing_in_them():
    compiled = pb.compile(lambda x, empty: ([], {"none": empty}))
    for _ in range(2):
        assert compiled(X, ()) == ([], {"none": ()})


def test_what_is_shown_is_what_is_called():
    compiled = pb.compile(np.sin)
    assert compiled.report(X.astype(">f8")).equations == 1
    assert len(compiled._versions) == 1
    assert compiled(X) is not None
    assert len(compiled._versions) == 1
    words = r"compile of sin: an argument is .*object.*x\.astype"
    with pytest.raises(pb.ArgumentTypeError, match=words):
        compiled.report(np.array([1, 2], object))


def test_what_is_given_away_is_among_the_arguments():
    compiled = pb.compile(lambda x, y: x + y, donate=1)
    np.testing.assert_array_equal(compiled(X, np.ones(6)), X + 1)
    with pytest.raises(
        pb.ArgumentValueError, match="donate has the position 1, and the call has 1"
    ):
        compiled(X, y=np.ones(6))


def test_it_can_be_sent_elsewhere():
    compiled = pickle.loads(pickle.dumps(pb.compile(np.sin, donate=0)))
    assert compiled.donate == (0,)
    np.testing.assert_allclose(copy.deepcopy(compiled)(X), np.sin(X), rtol=1e-14)


def test_threads_call_at_once():
    compiled = pb.compile(pb.value_and_grad(lambda x: np.sum(np.tanh(x) ** 2)))
    wrong = []

    def work(number):
        for k in range(50):
            x = np.linspace(0, number + 1, 20 + k % 3)
            value, slope = compiled(x)
            if not np.allclose(value, np.sum(np.tanh(x) ** 2)) or slope.shape != x.shape:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_other_threads_run_while_a_loop_waits_for_its_condition():
    compiled = pb.compile(lambda x: pb.while_loop(lambda c: c < 1e8, lambda c: c + 1.0, x))
    compiled(1e8)
    begun, seen, ended = threading.Event(), [], threading.Event()

    def count():
        begun.set()
        while not ended.wait(1e-3):
            seen.append(0)

    thread = threading.Thread(target=count)
    thread.start()
    begun.wait()
    before = len(seen)
    compiled(0.0)  # about a tenth of a second
    during = len(seen) - before
    ended.set()
    thread.join()
    assert during > 3


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals between threads")
def test_a_long_loop_can_be_interrupted():
    compiled = pb.compile(lambda x: pb.fori_loop(0, 10**11, lambda i, y: 0.999 * y + 1e-3, x))
    compiled.graph(1.0)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        compiled(1.0)
    timer.join()
