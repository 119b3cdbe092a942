"""Keys and holes: what a graph is without its numbers, and its numbers."""

from __future__ import annotations

import dataclasses
import enum
import functools
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

import pullback as pb
from pullback.core.primitive import Primitive
from pullback.core.structure import Nested
from pullback.graph.key import Hole

SIZES = (4, 5, 7, 12, 30)
WINDOWS = np.lib.stride_tricks.sliding_window_view
rng = np.random.default_rng(0)


def line(n):
    return (np.linspace(0.5, 1.5, n),)


def two(n):
    return np.linspace(0.5, 1.5, n), np.cos(np.arange(1.0 * n))


def square(n):
    return (np.eye(n) * 3 + np.sin(np.arange(1.0 * n * n)).reshape(n, n),)


def samples(n):
    return np.ones((3, 2)), np.linspace(-1, 1, 2 * n).reshape(n, 2), np.arange(n) % 3


def layers(n):
    return [(np.ones((4, 3)), np.ones(4)), (np.ones((2, 4)), np.ones(2))], np.ones((n, 3))


def network(params, x):
    for W, b in params:
        x = np.tanh(x @ W.T + b)
    return np.sum(x)


def residual(x):
    for _ in range(3):
        x = x + 0.5 * np.tanh(2.0 * x)
    return np.sum(x**2)


def dealt_with(x):
    """Another way for an odd number of elements."""
    return np.sum(np.sin(x)) if len(x) % 2 else np.sum(np.cos(x))


def unrolled(x):
    total = 0.0
    for i in range(len(x) // 4):
        total = total + x[i] ** 2
    return total


def by_length(x):
    return np.sum(x[: len(x) // 2]) * (1.0 if len(x) < 10 else np.mean(x))


def swept(x):
    y = np.zeros(len(x) + 2) * x[0]
    y[1:-1] = x
    for _ in range(2):
        y[1:-1] = 0.5 * (y[:-2] + y[2:])
    return np.sum(y**2)


def same(n):
    return 0


PROGRAMS = {
    "sum of squares": (lambda x: np.sum(x**2), line, same),
    "mean": (lambda x: np.mean(np.exp(-x)), line, same),
    "spread": (np.std, line, same),
    "norm": (np.linalg.norm, line, same),
    "log of a sum": (lambda x: np.log(np.sum(np.exp(x))), line, same),
    "differences": (lambda x: np.sum(np.diff(x) ** 2), line, same),
    "slices": (lambda x: np.sum(x[1:] * x[:-1]), line, same),
    "reversed": (lambda x: np.sum(x[::-1] * np.arange(len(x))), line, same),
    "running sum": (lambda x: np.cumsum(x)[-1] ** 2, line, same),
    "running product": (lambda x: np.sum(np.cumprod(x)), line, same),
    "sorted": (lambda x: np.sort(x)[1], line, same),
    "greatest": (lambda x: np.max(x) - np.min(x), line, same),
    "chosen": (lambda x: np.sum(np.where(x > 1, x, x * x)), line, same),
    "inner product": (lambda x, y: x @ y, two, same),
    "outer product": (lambda x, y: np.sum(np.outer(x, y) ** 2), two, same),
    "concatenated": (lambda x, y: np.sum(np.concatenate([x, y]) ** 3), two, same),
    "windows": (lambda x: np.sum(WINDOWS(x, 3).mean(axis=1) ** 2), line, same),
    "rows": (lambda a: np.sum(np.tanh(a).sum(axis=1) ** 2), square, same),
    "transposed": (lambda a: np.sum(a.T @ a), square, same),
    "solved": (lambda a: np.sum(np.linalg.solve(a, np.ones(len(a)))), square, same),
    "determinant": (lambda a: np.linalg.slogdet(a)[1], square, same),
    "diagonal": (lambda a: np.sum(np.diagonal(a) ** 2), square, same),
    "einsum": (lambda a: np.einsum("ij,jk,ki->", a, a, a), square, same),
    "classes": (
        lambda W, x, t: pb.losses.softmax_cross_entropy(x @ W.T, t, reduction="mean"),
        samples, same,
    ),
    "network": (network, layers, same),
    "residual": (residual, line, same),
    "scanned": (lambda x: pb.scan(lambda c, y: (np.sin(c) + y, c * y), 0.5, x)[0], line, same),
    "repeated": (
        lambda x: np.sum(pb.fori_loop(0, 6, lambda i, y: y * np.cos(y) + i, x)), line, same,
    ),
    "one of two": (lambda x: np.sum(pb.cond(x[0] > 1, np.sin, lambda x: x * 2, x)), line, same),
    "computed again": (lambda x: np.sum(pb.checkpoint(np.sin)(x) * x), line, same),
    "mapped": (lambda a: np.sum(pb.vmap(lambda row: np.cumsum(row)[::-1])(a) ** 2), square, same),
    "swept": (swept, line, same),
    "odd or even": (dealt_with, line, lambda n: n % 2),
    "unrolled": (unrolled, line, lambda n: n // 4),
    "long or short": (by_length, line, lambda n: n < 10),
}  # fmt: skip


def recorded(name, n, *, simplified):
    f, arguments, _ = PROGRAMS[name]
    args = arguments(n)
    argnums = [i for i, x in enumerate(args) if not isinstance(x, np.ndarray) or x.dtype == float]
    graph = pb.trace(pb.grad(f, argnums=tuple(argnums)), *args)
    return pb.simplify(graph) if simplified else graph


@pytest.mark.parametrize("simplified", [False, True], ids=["recorded", "simplified"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_graphs_of_all_sizes(name, simplified):
    """Keys are equal where Python takes the same path; holes are all that differs."""
    path = PROGRAMS[name][2]
    graphs = {n: recorded(name, n, simplified=simplified) for n in SIZES}
    for n, other in itertools.combinations(SIZES, 2):
        one, two = graphs[n], graphs[other]
        if path(n) != path(other):
            assert one.key() != two.key()
            with pytest.raises(pb.ArgumentValueError, match="with another key"):
                one.differences(two)
            continue
        assert one.key() == two.key()
        mine, theirs = one.holes(), two.holes()
        found = one.differences(two)
        assert found == two.differences(one)
        assert found
        for position, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            assert (a.kind, a.where) == (b.kind, b.where)
            differ = np.shape(a.value) != np.shape(b.value) or bool(np.any(a.value != b.value))
            assert differ == (position in found), a
    again = recorded(name, SIZES[0], simplified=simplified)
    assert graphs[SIZES[0]].key() == again.key()
    assert graphs[SIZES[0]].differences(again) == ()


def test_the_holes_of_a_graph():
    def f(x, y):
        return np.sum(2.0 * x[2:, :5] + y) * np.array([1.5, 2.5])

    rows, columns, constant, *rest = pb.trace(f, pb.ShapeDtype((4, 9)), 3.0).holes()
    assert rows == Hole("extent", "x, axis 0", 4)
    assert columns == Hole("extent", "x, axis 1", 9)
    assert constant[:2] == ("constant", "c0")
    np.testing.assert_array_equal(constant.value, [1.5, 2.5])
    assert rest == [
        Hole("parameter", "v0 = index, key[0].start", 2),
        Hole("parameter", "v0 = index, key[1].stop", 5),
        Hole("extent", "v0, axis 0", 2),
        Hole("extent", "v0, axis 1", 5),
        Hole("literal", "v1 = multiply, argument 0", 2.0),
        Hole("extent", "v1, axis 0", 2),
        Hole("extent", "v1, axis 1", 5),
        Hole("extent", "v2, axis 0", 2),
        Hole("extent", "v2, axis 1", 5),
        Hole("extent", "v4, axis 0", 2),
    ]


def test_holes_of_nested_graphs_say_where_they_are():
    graph = pb.trace(lambda x: pb.fori_loop(0, 7, lambda i, y: y * 2.5, x), np.ones(3))
    literals = [hole for hole in graph.holes() if hole.value == 2.5]
    assert [hole.kind for hole in literals] == ["literal"]
    assert "body: v0 = multiply, argument 1" in literals[0].where
    assert [hole.kind for hole in graph.holes() if hole.value == 7] == ["parameter"]


def key(f, *args):
    return pb.trace(f, *args).key()


DIFFERENT = {
    "a primitive": (np.sin, np.cos),
    "an order of arguments": (lambda x: x - x[::-1], lambda x: x[::-1] - x),
    "an axis": (lambda x: np.sum(x, axis=0), lambda x: np.sum(x, axis=1)),
    "a string": (lambda x: x.reshape(-1, order="F"), lambda x: x.reshape(-1)),
    "a dtype": (lambda x: x.astype(np.float32), lambda x: x.astype(complex)),
    "a slice": (lambda x: x[1:], lambda x: x[:1]),
    "where a slice starts": (lambda x: x[0:2], lambda x: x[1:3]),
    "the kind of a literal": (lambda x: x * 2.0, lambda x: x * np.float32(2.0)),
    "a result": (lambda x: (x, x), lambda x: [x, x]),
    "the name in a result": (lambda x: {"a": x}, lambda x: {"b": x}),
    "a result's kind": (lambda x: x[0, 0], lambda x: x[0, 0, ...]),
    "a body": (
        lambda x: pb.fori_loop(0, 3, lambda i, y: y * 2, x),
        lambda x: pb.fori_loop(0, 3, lambda i, y: y + 2, x),
    ),
    "the kind of a loop": (
        lambda x: pb.fori_loop(0, 3, lambda i, y: y * 2, x),
        lambda x: pb.while_loop(lambda y: y[0, 0] < 3, lambda y: y * 2, x),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DIFFERENT)
def test_keys_differ_by(what):
    x = np.ones((3, 3))
    one, other = DIFFERENT[what]
    assert key(one, x) != key(other, x)


@pytest.mark.parametrize("extent", [0, 1])
def test_no_extent_and_one_are_kept_apart(extent):
    assert key(np.sum, np.ones(2)) == key(np.sum, np.ones(3))
    assert key(np.sum, np.ones(extent)) != key(np.sum, np.ones(2))
    assert key(np.sum, np.ones((2, extent))) != key(np.sum, np.ones((extent, 2)))


def test_arguments_belong_to_the_structure():
    def f(x, y):
        return x + y

    keys = {
        key(f, np.ones(3), np.ones(3)), key(f, np.ones(3), 1.0), key(f, np.ones(3), np.float64(1)),
        key(f, np.ones(3), np.array(1.0)), key(f, np.ones(3), np.ones(3, np.float32)),
        key(f, np.ones((2, 3)), np.ones(3)), key(f, 1.0, np.ones(3)),
    }  # fmt: skip
    assert len(keys) == 7
    assert key(lambda d: d["a"], {"a": 1.0}) != key(lambda d: d["b"], {"b": 1.0})


class Kind(enum.Enum):
    ONE = 1
    TWO = 2


@dataclasses.dataclass(frozen=True)
class Settings:
    name: str
    count: int
    inner: object = None
    cache: object = dataclasses.field(default=None, compare=False)


class Opaque:
    pass


SUM, LONGER_SUM = pb.trace(np.sum, np.ones(3)), pb.trace(np.sum, np.ones(4))
MAX = pb.trace(np.max, np.ones(3))


def with_parameter(value):
    """A graph of a primitive that has this parameter."""
    structure = Nested(lambda _, x, **__: x, multiple=False)
    primitive = Primitive("has_parameter", lambda x, *, value: x, structure)
    return pb.trace(lambda x: primitive(x, value=value), np.ones(3))


def adding(n):
    return lambda x: x + n


def scale(x, by=2.0):
    return x * by


def times(x, by=2.0):
    return by * x


SAME_STRUCTURE = [
    (2, 3), (2.0, 2.5), (1j, 2j), (np.int64(5), np.int64(7)), ((2, 3), (4, 5)), ([2], [9]),
    ({"a": 2}, {"a": 3}), (slice(2, None), slice(5, None)), (np.ones(3), np.zeros(4)),
    (adding(2), adding(3)), (functools.partial(scale, by=3.0), functools.partial(scale, by=4.0)),
    (Settings("a", 2), Settings("a", 3)), (Settings("a", 2, (4,)), Settings("a", 2, (5,))),
    (pb.ShapeDtype((4, 5)), pb.ShapeDtype((4, 6))), (Opaque(), Opaque()), (2.0, float("nan")),
    (0.0, -0.0), (SUM, LONGER_SUM),
    (Settings("a", 2, SUM), Settings("a", 2, LONGER_SUM)),
]  # fmt: skip
OTHER_STRUCTURE = [
    (0, 1), (1, 2), (2, 2.0), (2, np.int64(2)), ("a", "b"), (True, False), (None, 2), ((2,), [2]),
    ((2,), (2, 2)), ({"a": 2}, {"b": 2}), (slice(2, None), slice(None, 2)), (Kind.ONE, Kind.TWO),
    (np.dtype(float), np.dtype(int)), (np.sin, np.cos), (scale, times), (int, float),
    (Settings("a", 2), Settings("b", 2)), (Settings("a", 2), ("a", 2)), (Opaque(), Kind.ONE),
    (np.ones(3), np.ones(3, int)), (np.ones(3), np.ones((3, 1))), (b"a", b"b"),
    (SUM, MAX), (..., None),
    (Settings("a", 2, SUM), Settings("a", 2, MAX)),
    (frozenset({"a"}), frozenset({"b"})), ("tanh".upper, "tanh".lower),
]  # fmt: skip


def test_parameters_are_read_by_their_type():
    for one, other in SAME_STRUCTURE:
        first, second = with_parameter(one), with_parameter(other)
        assert first.key() == second.key(), (one, other)
        assert len(first.differences(second)) >= 1, (one, other)
        assert first.differences(with_parameter(one)) == ()
    for one, other in OTHER_STRUCTURE:
        assert with_parameter(one).key() != with_parameter(other).key(), (one, other)
    assert with_parameter(Settings("a", 2, cache=3)).key() == with_parameter(Settings("a", 2)).key()


def test_a_graph_that_is_shared_is_read_once():
    graph = pb.trace(lambda x: np.sin(x) * 2.5, np.ones(3))
    for _ in range(5):  # each has the one before twice
        graph = with_parameter((graph, graph))
    assert len(graph.key()) == 64
    assert sum(hole.value == 2.5 or hole.value == 2.5 for hole in graph.holes()) == 1


def test_primitives_of_ones_own():
    def made(code):
        space: dict = {"pb": pb, "np": np}
        exec(f"@pb.primitive\ndef mine(x):\n    return {code}", space)
        return key(lambda x: space["mine"](x), np.ones(3))

    assert made("2 * x") == made("2 * x")
    assert made("2 * x") != made("3 * x")


SCRIPT = """
import numpy as np, pullback as pb
from tests.graph import test_key as t
for name in ("network", "scanned", "one of two", "classes", "swept"):
    print(t.recorded(name, 5, simplified=True).key())
values = t.adding(2), t.Settings("a", 2), {"b": 1, "a": 2}, frozenset("abc"), t.Kind.ONE, np.sin
for value in values:
    print(t.with_parameter(value).key())
net = pb.nn.Dense(np.ones((2, 3)), np.ones(2), "tanh")
print(pb.trace(lambda net, x: net(x), net, np.ones(3)).key())
"""


def test_keys_are_the_same_in_every_process():
    printed = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert len(done.stdout.split()) == 12
        printed.add(done.stdout)
    assert len(printed) == 1


def test_what_is_no_graph_is_refused():
    with pytest.raises(pb.ArgumentTypeError, match=r"sum\.differences: .*other"):
        pb.trace(np.sum, np.ones(3)).differences(np.sum)
