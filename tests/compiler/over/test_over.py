"""`Compiled.over`: chunk by chunk there are the bits of a call with all samples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import pullback as pb
from pullback.core import trees
from tests.compiler.over.workloads import NET, SAMPLES, WORKLOADS, V, X, Y, net


def leaves(tree):
    return trees.flatten(tree)[0]


def require_same(got, wanted):
    assert trees.flatten(got)[1] == trees.flatten(wanted)[1]
    for one, other in zip(leaves(got), leaves(wanted), strict=True):
        assert type(one) is type(other)
        one, other = np.asarray(one), np.asarray(other)
        assert one.dtype == other.dtype and one.shape == other.shape
        assert one.tobytes() == other.tobytes()


def require_close(got, wanted, tolerance):
    for one, other in zip(leaves(got), leaves(wanted), strict=True):
        scale = np.max(np.abs(other), initial=0)
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * scale)


SINGLE = ("a net", "standardised", "complex", "extremes", "counts")
"""Of which there is a test in single precision, too."""


@pytest.mark.parametrize(
    ("name", "dtype"),
    [*((name, "float64") for name in WORKLOADS), *((name, "float32") for name in SINGLE)],
)
def test_the_bits_do_not_depend_on_the_chunks(name, dtype):
    """Of blocks; others change the order of sums, and no more than that."""
    given = WORKLOADS[name].cast(dtype)
    compiled = pb.compile(given.f, split=given.all_axes)
    whole = compiled(*given.others, *given.data)
    report = compiled.report(*given.others, *given.data)
    assert report.samples in (0, SAMPLES) and (report.samples or not given.split)
    in_one = compiled.over(given.data)(*given.others)
    if report.samples:
        require_same(in_one, whole)
    require_close(in_one, whole, 1e-12 if dtype == "float64" else 1e-4)
    block = report.block or 4096
    for size in (block, 3 * block, SAMPLES):
        require_same(compiled.over(given.chunks(size))(*given.others), in_one)
    tolerance = 1e-11 if dtype == "float64" else 1e-3
    odd = [*given.chunks(777)[:3], given.part(3 * 777, 3 * 777), given.part(3 * 777, SAMPLES)]
    require_close(compiled.over(odd)(*given.others), whole, tolerance)


def test_chunks_of_all_kinds():
    """Iterators, functions that load one, and chunks that are given by name."""
    given = WORKLOADS["a net"]
    compiled = pb.compile(pb.value_and_grad(net))
    wanted = compiled(NET, X, Y)
    chunks = given.chunks(4096)
    loaders = [lambda chunk=chunk: chunk for chunk in chunks]
    sizes = [len(x) for x, _ in chunks]
    for over in (
        compiled.over(chunks),
        compiled.over(loaders, samples=SAMPLES),
        compiled.over(loaders, samples=sizes),
        compiled.over(iter(chunks), samples=SAMPLES),
        compiled.over((each for each in loaders), samples=iter(sizes)),
        compiled.over((X, Y), axes=(None, 0, 0)),
        compiled.over((np.asfortranarray(X), Y.astype(">f8"))),
        compiled.over((np.repeat(X, 2, axis=0)[::2], Y)),
    ):
        require_same(over(NET), wanted)


def test_a_call_can_be_repeated():
    """With other arguments, and without being compiled anew."""
    compiled = pb.compile(pb.grad(net))
    over = compiled.over(WORKLOADS["a net"].chunks(4096))
    for scale in (1.0, 0.5, 2.0):
        w = trees.map_tree(lambda x, s=scale: s * x, NET)
        require_same(over(w), compiled(w, X, Y))
    assert len(compiled.streams) == 1


def test_arguments_may_stand_anywhere():
    def f(x, scale, y, *, power):
        return np.sum(np.tanh(np.tanh(x["a"]) * scale) ** power, axis=0) + np.sum(y)

    compiled = pb.compile(f, split=(0, None, 0))
    got = compiled.over(({"a": X}, Y))(V, power=2.0)
    require_close(got, f({"a": X}, V, Y, power=2.0), 1e-12)
    got = pb.compile(f).over(({"a": X}, Y), axes=(0, None, 0))(V, power=2.0)
    require_close(got, f({"a": X}, V, Y, power=2.0), 1e-12)


@pytest.mark.parametrize("samples", [0, 1, 2, 17, 511, 512, 513, 1023])
def test_few_samples(samples):
    """And none, as long as there is a chunk that says what they would be."""
    compiled = pb.compile(rows_and_sums)
    x = X[:samples]
    wanted = rows_and_sums(V, x)
    for chunks in (x, [x], [x[:0], x, x[:0]], [x[:5], x[5:]]):
        got = compiled.over(chunks)(V)
        require_close(got, wanted, 1e-12)
        assert [np.shape(each) for each in got] == [np.shape(each) for each in wanted]


def rows_and_sums(v, x):
    return np.tanh(x * v), np.sum(x, axis=0), np.sum(np.sin(x) @ v)


def test_memory_maps(tmp_path):
    """They are cut where blocks end; results that have samples are written to others."""
    x = np.memmap(tmp_path / "x", np.float64, "w+", shape=(3, SAMPLES))
    x[...] = X.T
    out = np.memmap(tmp_path / "out", np.float64, "w+", shape=(3, SAMPLES))

    def f(v, x):
        return np.tanh(np.tanh(x).T * v).T, np.sum(x**2, axis=1)

    compiled = pb.compile(f)
    first, second = compiled.over(x, axes=1, out=(out, None))(V)
    wanted = f(V, X.T)
    assert first is out
    require_close((out, second), wanted, 1e-13)
    part = out[:, :100]
    small = pb.compile(f).over(x[:, :100], axes=1, out=(part, None))(V)
    assert small[0] is part
    require_close(small, f(V, X.T[:, :100]), 1e-13)


def test_how_many_there_are_may_come_out_in_the_end():
    """Where only what is done with the sums depends on it."""

    def f(v, x, y):
        return np.mean(np.tanh(np.tanh(x * v) @ v) * y), np.var(y)

    compiled = pb.compile(f)
    chunks = WORKLOADS["a net"].chunks(4096)
    known = compiled.over(chunks)(V)
    require_same(compiled.over([lambda c=c: c for c in chunks])(V), known)
    require_close(known, f(V, X, Y), 1e-12)


def test_progress_is_told():
    told = []
    given = WORKLOADS["a net"]
    compiled = pb.compile(given.f)
    compiled.over(given.chunks(20_000), progress=lambda *about: told.append(about))(NET)
    assert told == [(0, 20_000), (1, 40_000), (2, SAMPLES)]


def test_one_chunk_is_in_memory_at_a_time():
    """Of an iterator, and of functions."""
    alive = itertools.count()
    living = set()

    class Tracked(np.ndarray):
        def __del__(self):
            living.discard(self.number)

    def load():
        x = np.ones((4096, 3)).view(Tracked)
        x.number = next(alive)
        living.add(x.number)
        assert len(living) <= 2  # the one that a loader is about to replace is not counted
        return x

    compiled = pb.compile(lambda v, x: np.sum(np.tanh(x * v)))
    loaded = compiled.over((load() for _ in range(6)), samples=6 * 4096)(V)
    again = compiled.over([load] * 6, samples=6 * 4096)(V)
    assert loaded == again


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"axes": "x"}, "over of net: axes is 'x', wanted None, or the samples' axis"),
        ({"axes": (None, 0.5, 0)}, r"over of net: axes\[1\] is 0.5, wanted a whole number"),
        ({"progress": 5}, "over of net: progress is 5, wanted a function"),
    ],
)
def test_options_that_are_none_are_refused(options, words):
    with pytest.raises(pb.errors.ArgumentTypeError, match=words):
        pb.compile(net).over((X, Y), **options)
