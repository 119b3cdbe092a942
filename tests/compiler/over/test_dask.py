"""Chunks on workers of Dask, processes of their own: the bits are those of one machine."""

from __future__ import annotations

import itertools
import os
import signal

import dask.array as da
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster

import pullback as pb
from pullback.errors import ArgumentTypeError, ArgumentValueError, ChunkError
from tests.compiler.over.test_over import require_same
from tests.compiler.over.workloads import NET, SAMPLES, WORKLOADS, V, X, Y

SIZES = [4096] * (SAMPLES // 4096) + [SAMPLES % 4096]


def loaders(x, y, act=None):
    """Functions that load chunks, which are pickled with all they need."""

    def loader(number, x, y):
        def load():
            if act is not None:
                act(number)
            return x, y

        return load

    firsts = np.cumsum([0, *SIZES])
    rows = enumerate(itertools.pairwise(firsts))
    return [loader(number, x[i:j], y[i:j]) for number, (i, j) in rows]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    directory = tmp_path_factory.mktemp("dask")
    # A worker that is gone is replaced, and what it did is done again.
    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            local_directory=str(directory),
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def compiled():
    given = WORKLOADS["a net"]
    return pb.compile(given.f)


def test_the_bits_are_those_of_one_machine(client, compiled):
    """However the chunks are shared out, and in whatever order they are ready."""
    wanted = compiled(NET, X, Y)
    told = []
    over = compiled.over(
        loaders(X, Y), samples=SIZES, client=client, progress=lambda *about: told.append(about)
    )
    require_same(over(NET), wanted)
    assert sorted(chunk for chunk, _ in told) == [*range(len(SIZES))]
    assert told[-1][1] == SAMPLES
    require_same(over({**NET, "b": NET["b"] + 1}), compiled({**NET, "b": NET["b"] + 1}, X, Y))


def test_several_passes_and_rows(client):
    given = WORKLOADS["standardised rows"]
    compiled = pb.compile(given.f)
    rows = [lambda x=x: x for (x,) in given.chunks(4096)]
    got = compiled.over(rows, samples=SIZES, client=client)(V)
    require_same(got, compiled.over(given.chunks(4096))(V))


def test_arrays_of_dask(client, compiled):
    """On the client that there is, on one that is given, and here, where there is none."""
    wanted = compiled(NET, X, Y)
    x, y = da.from_array(X, chunks=(4096, 2)), da.from_array(Y, chunks=8192)
    require_same(compiled.over((x, y))(NET), wanted)
    require_same(compiled.over((x, Y), client=client)(NET), wanted)
    told = []
    with client.as_current():
        over = compiled.over((x, y), progress=lambda chunk, _: told.append(chunk))
        require_same(over(NET), wanted)
    assert sorted(told) == [*range(len(SIZES))]
    with pytest.raises(ArgumentValueError, match="the sizes of its chunks"):
        compiled.over((x[x[:, 0] > 0], y))(NET)


def test_arrays_of_dask_with_samples_along_another_axis():
    x, y = da.from_array(X.T, chunks=(2, 4096)), da.from_array(Y, chunks=4096)
    columns = pb.compile(WORKLOADS["columns"].f)
    got = columns.over((x, y), axes=(None, 1, 0))(V)
    require_same(got, columns(V, np.ascontiguousarray(X.T), Y))


def test_a_loader_raises(client, compiled, tmp_path):
    """The others' work is kept, and not done again."""
    broken, seen = tmp_path / "broken", tmp_path / "seen"
    broken.touch()
    seen.mkdir()

    def act(number):
        (seen / f"{number} {os.getpid()} {len([*seen.iterdir()])}").touch()
        if number == 5 and broken.exists():
            raise OSError("no such disk")

    rows = loaders(X, Y, act)
    with pytest.raises(ChunkError, match="chunk 5 failed with OSError: no such disk") as found:
        compiled.over(rows, samples=SIZES, client=client)(NET)
    assert found.value.chunk == 5 and len(found.value.state.done) == len(SIZES) - 1
    broken.unlink()
    before = len([*seen.iterdir()])
    again = compiled.over(rows, samples=SIZES, client=client, resume=found.value.state)
    require_same(again(NET), compiled(NET, X, Y))
    assert len([*seen.iterdir()]) == before + 2  # the first, here, and the one that had failed


def test_a_worker_is_killed(client, compiled, tmp_path):
    """In the middle; Dask has another one do what it did."""
    killed = tmp_path / "killed"

    def act(number):
        if number == 4 and not killed.exists():
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    got = compiled.over(loaders(X, Y, act), samples=SIZES, client=client)(NET)
    assert killed.exists()
    require_same(got, compiled(NET, X, Y))


def test_workers_of_another_version(client, compiled):
    """One is enough."""
    client.wait_for_workers(2)
    some = next(iter(client.scheduler_info()["workers"]))
    client.run(_pretend, "0.0.1", workers=[some])
    try:
        with pytest.raises(ArgumentValueError) as found:
            compiled.over(loaders(X, Y), samples=SIZES, client=client)(NET)
    finally:
        client.run(_pretend, pb.__version__, workers=[some])
    assert str(found.value).startswith(
        f"over of net: the worker {some} has pullback 0.0.1 and not {pb.__version__}, which are"
    )


def _pretend(version):
    import pullback

    pullback.__version__ = version


def test_what_workers_have_to_be_told(client, compiled):
    with pytest.raises(ArgumentValueError, match="aren't told how many samples it has"):
        compiled.over(loaders(X, Y), samples=SAMPLES, client=client)(NET)
    with pytest.raises(ArgumentValueError, match="aren't told how to load it there"):
        compiled.over((X, Y), client=client)(NET)
    with pytest.raises(ArgumentTypeError, match=r"client is .*, wanted a dask.distributed.Client"):
        compiled.over(loaders(X, Y), samples=SIZES, client="tcp://127.0.0.1")(NET)
