"""Chunks that fail, and how to go on; calls of `Compiled.over` that are refused, in words."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

import pullback as pb
from pullback.errors import ArgumentTypeError, ArgumentValueError, ChunkError
from tests.compiler.over.test_over import require_close, require_same
from tests.compiler.over.workloads import NET, SAMPLES, WORKLOADS, V, X, Y, net, standardised

CHUNKS = WORKLOADS["a net"].chunks(4096)


class Loaders:
    """Functions that load chunks, the last of which fails until it is mended."""

    def __init__(self):
        self.broken, self.loaded = {9}, []

    def __iter__(self):
        return (lambda n=n: self.load(n) for n in range(len(CHUNKS)))

    def load(self, number):
        self.loaded.append(number)
        if number in self.broken:
            raise OSError("the disk is gone\nsaid the system")
        return CHUNKS[number]


@pytest.mark.parametrize("through", [lambda state: state, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_chunk_fails_and_the_others_are_kept(through):
    compiled, loaders = pb.compile(pb.value_and_grad(net)), Loaders()
    with pytest.raises(ChunkError, match="chunk 9 failed with OSError: the disk is gone;") as found:
        compiled.over(loaders, samples=SAMPLES)(NET)
    assert found.value.chunk == 9 and isinstance(found.value.__cause__, OSError)
    assert "\n" not in str(found.value)
    state = through(found.value.state)
    loaders.broken, loaders.loaded = set(), []
    again = compiled.over(loaders, samples=SAMPLES, resume=state)
    require_same(again(NET), compiled(NET, X, Y))
    assert loaders.loaded == [0, *range(9, len(CHUNKS))]  # the first says what chunks are like


def test_going_on_in_a_later_pass():
    """With the sums of those before, and with what was known by then."""
    compiled, loaders = pb.compile(pb.value_and_grad(standardised)), Loaders()
    wanted = compiled(V, X, Y)
    loaders.broken = set()

    def progress(chunk, samples):
        if chunk == 8:
            times.append(samples)
        loaders.broken = {9} if len(times) == 2 else set()

    for samples in (SAMPLES, [len(y) for _, y in CHUNKS]):
        times = []
        with pytest.raises(ChunkError, match="chunk 9") as found:
            compiled.over(loaders, samples=samples, progress=progress)(V)
        state = pickle.loads(pickle.dumps(found.value.state))
        assert state.number == 1 and len(state.done) == 9
        loaders.broken = set()
        require_same(compiled.over(loaders, samples=samples, resume=state)(V), wanted)


def test_results_with_samples_go_on_too():
    given = WORKLOADS["rows"]
    compiled, loaders = pb.compile(given.f), Loaders()
    with pytest.raises(ChunkError) as found:
        compiled.over(loaders, samples=SAMPLES)(V)
    loaders.broken = set()
    got = compiled.over(loaders, samples=SAMPLES, resume=found.value.state)(V)
    require_close(got, given.f(V, X, Y), 1e-12)


def test_an_iterator_fails():
    """Between chunks: the number is that of the one that did not come."""

    def chunks():
        yield from CHUNKS[:3]
        raise OSError

    compiled = pb.compile(net)
    with pytest.raises(ChunkError, match="chunk 3 failed with OSError;") as found:
        compiled.over(chunks(), samples=SAMPLES)(NET)
    got = compiled.over(iter(CHUNKS), samples=SAMPLES, resume=found.value.state)(NET)
    require_same(got, compiled.over(CHUNKS)(NET))


def test_a_chunk_is_not_like_the_first():
    compiled = pb.compile(net)
    x, y = CHUNKS[1]
    for chunk, words in (
        ((x.astype(np.float32), y), r"is float32 of shape \(samples, 3\), and in the first chunk"),
        ((x[:, :2], y), r"is float64 of shape \(samples, 2\)"),
        (([x], y), "has the structure a tuple with the leaves"),
        ((x, y[1:]), r"samples 4096 along axis 0 of \(4096, 3\) and 4095 along axis 0 of \(4095,"),
        ((x,), "has 1 arguments"),
        ((x[:5], y[:5]), "the chunk has 5 samples, and 4096 were announced"),
    ):
        loaders = [lambda: CHUNKS[0], lambda chunk=chunk: chunk]
        axes = (None, 0, 0)
        with pytest.raises(ChunkError) as found:
            compiled.over(loaders, samples=[4096, 4096], axes=axes)(NET)
        assert found.value.chunk == 1
        with pytest.raises(ArgumentValueError, match=words):
            raise found.value.__cause__


def test_the_function_fails_on_a_chunk():
    """An index that is not there is the chunk's fault."""

    def f(x, i):
        return np.sum(np.tanh(x) * np.asarray(np.arange(5.0), like=x)[i])

    i = np.zeros(SAMPLES, int)
    i[30_000] = 7
    with pytest.raises(ChunkError, match="chunk 1 failed with IndexError") as found:
        pb.compile(f).over([(Y[:20_000], i[:20_000]), (Y[20_000:], i[20_000:])])()
    assert isinstance(found.value.__cause__, IndexError)


def test_it_is_said_how_many_there_have_to_be():
    compiled = pb.compile(net)
    for samples, words in (
        (SAMPLES - 1, "have more samples"),
        (SAMPLES + 1, "were announced"),
    ):
        with pytest.raises((ArgumentValueError, ChunkError), match=words):
            compiled.over(iter(CHUNKS), samples=samples)(NET)
    with pytest.raises(ArgumentValueError, match="leave it out"):
        compiled.over((X, Y), samples=5)(NET)
    with pytest.raises(ArgumentTypeError, match=r"samples is .*, wanted how many"):
        compiled.over(CHUNKS, samples="many")


def test_state_of_another_computation():
    compiled, loaders = pb.compile(net), Loaders()
    with pytest.raises(ChunkError) as found:
        compiled.over(loaders, samples=SAMPLES)(NET)
    other = {**NET, "b": NET["b"] + 1}
    with pytest.raises(ArgumentValueError, match="resume is the state of a computation with ano"):
        compiled.over(loaders, samples=SAMPLES, resume=found.value.state)(other)
    with pytest.raises(ArgumentTypeError, match="resume"):
        compiled.over(loaders, resume=found.value)


def test_what_needs_all_samples_is_refused():
    """With the line, where it is known."""
    for f, words in (
        (lambda x: np.sum(np.cumsum(x)), r"np.cumsum\(x\).* is computed for all samples at once"),
        (lambda x: np.sum(np.sort(x)), r"sort at .*which Python evaluates, is computed for all"),
        (lambda x: np.sum((x[1:] - x[:-1]) ** 2), "is computed for all samples at once"),
        (lambda x: x[0] + np.sum(x), "for all samples at once"),
        (lambda x: x[::-1] * 2, "for"),
    ):
        with pytest.raises(ArgumentValueError, match=words):
            pb.compile(f).over([Y[:30_000], Y[30_000:]])()


def test_what_depends_on_how_many_there_are_is_refused():
    """Where nobody says it."""
    compiled = pb.compile(pb.grad(net))
    with pytest.raises(ArgumentValueError, match=r"depends on how many.*say it: .*samples=n"):
        compiled.over(iter(CHUNKS))(NET)
    with pytest.raises(ArgumentValueError, match="a result has an element for each sample"):
        pb.compile(lambda x, y: x[:, 0] * y).over(iter(CHUNKS))()


def test_several_passes_take_more_than_an_iterator():
    compiled = pb.compile(standardised)
    with pytest.raises(ArgumentValueError, match="gone through 3 times"):
        compiled.over(iter(CHUNKS), samples=SAMPLES)(V)


def test_arguments_that_are_refused():
    compiled = pb.compile(net)
    for chunks, kind, words in (
        (5, ArgumentTypeError, "chunks is of type int.*, wanted arrays with all samples"),
        ({"x": X}, ArgumentTypeError, "chunks is"),
        ([], ArgumentValueError, "there are no chunks"),
        ((), ArgumentValueError, "has no arrays"),
        ((np.array(["a"]), Y), ArgumentTypeError, "wanted arrays of numbers"),
        ((3.0, Y), ArgumentTypeError, "in a chunk something is of type float"),
        ((X, Y[:5]), ArgumentValueError, "wanted as many in each"),
    ):
        with pytest.raises(kind, match=words):
            compiled.over(chunks)(NET)
    with pytest.raises(ArgumentValueError, match="say along which they are: axes="):
        compiled.over((X, Y), axes=1)(NET)
    with pytest.raises(ArgumentValueError, match="2 arguments, and axes are given for 1"):
        compiled.over((X, Y), axes=(None, None, 0))(NET)
    with pytest.raises(ArgumentValueError, match="the call has 0; pass as many"):
        compiled.over((X, Y), axes=(None, 0, 0))()
    with pytest.raises(ArgumentTypeError, match="is a traced value"):
        pb.grad(lambda w: compiled.over((X, Y))(w))(NET)


def test_arrays_for_results_have_to_fit():
    given = WORKLOADS["rows"]
    compiled = pb.compile(given.f)
    z = np.zeros((SAMPLES, 3))
    for out, words in (
        ((None, None, {"z": z[:5]}), "wanted a writable array in C order of shape"),
        ((None, None, {"z": z.astype(np.float32)}), "dtype float64"),
        ((None, None, {"z": np.asfortranarray(z)}), "in C order"),
        ((None, np.empty(3), {"z": z}), "for a result that has no samples"),
    ):
        with pytest.raises(ArgumentValueError, match=words):
            compiled.over(given.data, out=out)(V)
    got = compiled.over(given.data, out=(None, None, {"z": z}))(V)
    assert got[2]["z"] is z
    require_close(got, given.f(V, X, Y), 1e-12)


def test_ctrl_c_is_not_a_failing_chunk():
    def load():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pb.compile(net).over([lambda: CHUNKS[0], load], samples=SAMPLES)(NET)


def test_chunks_in_memory_are_left_alone(tmp_path):
    """What is read-only stays so, as does a file."""
    x = np.memmap(tmp_path / "x", np.float64, "w+", shape=X.shape)
    x[...] = X
    x.flush()
    before = os.stat(tmp_path / "x").st_mtime_ns
    readonly = np.memmap(tmp_path / "x", np.float64, "r", shape=X.shape)
    pb.compile(net).over((readonly, Y))(NET)
    assert os.stat(tmp_path / "x").st_mtime_ns == before
