"""Chunks on the workers of Dask.

A task loads a chunk, goes through its samples, and gives back its sums, which are joined here in
the tree that they are joined in on one machine. What tasks have in common, the code as text and the
arguments without samples, is the result of a task of its own, so that each worker gets it once, and
again if it is lost; what it has compiled a worker keeps. Who computes what, and once more where a
worker is gone, is Dask's business.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import llvmlite
import numpy as np
import scipy

from pullback.compiler.over.data import Blocks, Chunk, Data, Layout, arrays_of
from pullback.compiler.over.running import Run, Spot
from pullback.compiler.over.stream import Tiled, Values
from pullback.compiler.over.sums import Node
from pullback.core import trees, validation
from pullback.errors import ArgumentTypeError, ArgumentValueError

__all__ = ["ClusterRun", "client_for", "versions"]

_MOST = 8
"""So many functions a worker keeps compiled."""


def versions() -> dict[str, str]:
    """Of what results depend on, in this process."""
    package = sys.modules[__name__.partition(".")[0]]
    modules = {"pullback": package, "numpy": np, "scipy": scipy, "llvmlite": llvmlite}
    return {name: str(module.__version__) for name, module in modules.items()}


def require_alike(theirs: dict[str, str], mine: dict[str, str], worker: str, where: str) -> None:
    """Raise where a worker has other versions."""
    others = [
        f"{name} {theirs.get(name)} and not {version}"
        for name, version in mine.items()
        if theirs.get(name) != version
    ]
    if others:
        raise ArgumentValueError(
            f"{where}: the worker {worker} has {', '.join(others)}, which are here; results would "
            "depend on who computes them: install the same on all machines"
        )


class Common(NamedTuple):
    """What the tasks of a pass have in common.

    Attributes
    ----------
    versions : dict
        Where it comes from.
    packed : bytes
        The code, and what is known of the chunks.
    values : dict
        The inputs that don't come in chunks.
    where : str
    """

    versions: dict[str, str]
    packed: bytes
    values: Values
    where: str


class Packed(NamedTuple):
    """What a worker keeps."""

    tiled: Tiled
    layout: Layout
    axes: Sequence[int] | int


_kept: OrderedDict[str, Packed] = OrderedDict()
_keeping = threading.Lock()


def _unpacked(packed: bytes) -> Packed:
    """The same object for the same code, with what was compiled of it."""
    key = hashlib.sha256(packed).hexdigest()
    with _keeping:
        found = _kept.pop(key, None)
        if found is None:
            found = pickle.loads(packed)
        _kept[key] = found
        while len(_kept) > _MOST:
            _kept.popitem(last=False)
    return found


def common_to_all(common: Common) -> Common:
    """The task whose result is what the others have in common."""
    return common


def computed(
    common: Common, chunk: Chunk, before: tuple[int, int], *blocks: Any
) -> tuple[int, list[Node], list[np.ndarray[Any, Any]]]:
    """The task of a chunk: its samples, sums and rows."""
    from dask.distributed import get_worker

    require_alike(versions(), common.versions, get_worker().address, common.where)
    tiled, layout, axes = _unpacked(common.packed)
    if blocks:
        chunk = chunk._replace(load=lambda: trees.unflatten(layout.spec, blocks))
    arrays, samples = arrays_of(chunk, layout, axes, common.where)
    # The scheduler sees to it that all cores have something to do.
    return samples, *tiled(common.values, arrays, samples, before, threads=1)


def _nothing() -> Any:
    raise AssertionError("its blocks are there")


def client_for(client: Any, data: Data, where: str) -> Any:
    """The client whose workers are to compute, if there is one."""
    if client is None:
        module = sys.modules.get("distributed")
        if module is None or not isinstance(data, Blocks):
            return None
        try:
            return module.Client.current()
        except ValueError:
            return None
    distributed = sys.modules.get("distributed")
    if distributed is None or not isinstance(client, distributed.Client):
        raise ArgumentTypeError(
            f"{where}: client is {validation.describe(client)}, wanted a dask.distributed.Client"
        )
    if client.asynchronous:
        raise ArgumentValueError(
            f"{where}: client is asynchronous, wanted one that waits: Client(address)"
        )
    return client


def _alike(client: Any, where: str) -> dict[str, str]:
    """The versions, which all workers have."""
    mine = versions()
    try:
        found = client.run(versions)
    except Exception as error:
        raise ArgumentValueError(
            f"{where}: the workers can't say which version of pullback they have ({error}); "
            f"install pullback {mine['pullback']} on all machines"
        ) from error
    for worker, theirs in found.items():
        require_alike(theirs, mine, worker, where)
    return mine


@dataclass
class ClusterRun(Run):
    """A computation on the workers of a client.

    Attributes
    ----------
    client : distributed.Client, optional
    """

    client: Any = None

    def through(self, tiled: Tiled, values: Values) -> None:
        """Once through the chunks, in any order."""
        where = f"over of {self.name}"
        packed = pickle.dumps(Packed(tiled, self.data.layout, self.axes))
        own = {name: values[name] for name in tiled.inputs if name not in tiled.given}
        common = Common(_alike(self.client, where), packed, own, where)
        spots, total = self._spots(tiled.block, where)
        self.require_all(total)
        failures = self._compute(common, spots, tiled)
        if failures:
            number = min(failures)
            raise self.failed(number, failures[number]) from failures[number]

    def _spots(self, block: int, where: str) -> tuple[list[tuple[Chunk, Spot]], int]:
        """The chunks that are to be computed, each with where it stands; samples in all."""
        spot, found = Spot(), []
        for chunk in self.chunks(block):
            is_told = chunk.blocks is not None or chunk.remote is not None
            if chunk.samples is None or not is_told:
                what = "how many samples it has" if is_told else "how to load it there"
                raise ArgumentValueError(
                    f"{where}: for chunk {chunk.number} workers aren't told {what}; give arrays of "
                    "Dask, or functions that load a chunk, and their samples: over(loaders, "
                    "samples=[...], client=client)"
                )
            if chunk.number not in self.state.done:
                found.append((chunk, Spot(spot.samples, spot.blocks)))
            spot.move(chunk.samples, block)
        return found, spot.samples

    def _compute(
        self, common: Common, spots: Sequence[tuple[Chunk, Spot]], tiled: Tiled
    ) -> dict[int, BaseException]:
        """Have the chunks computed, and take in what they give; what went wrong with others."""
        import dask
        from dask.distributed import as_completed

        shared = self.client.submit(common_to_all, common, pure=False)
        task = dask.delayed(computed, pure=False)
        tasks = [
            task(
                shared,
                Chunk(chunk.number, chunk.remote or _nothing, chunk.samples),
                (spot.samples, spot.blocks),
                *(chunk.blocks or ()),
            )
            for chunk, spot in spots
        ]
        futures = self.client.compute(tasks)
        places = {future.key: each for future, each in zip(futures, spots, strict=True)}
        del tasks
        failures: dict[int, BaseException] = {}
        try:
            for future in as_completed(futures, loop=self.client.loop):
                chunk, spot = places[future.key]
                try:
                    samples, nodes, rows = future.result()
                except Exception as error:
                    failures[chunk.number] = error
                    continue
                finally:
                    future.release()
                found = [*zip(tiled.rows, rows, strict=True)]
                self.state.take(chunk.number, samples, spot.samples, nodes, found)
                self.tell(chunk.number, sum(self.state.done.values()))
        finally:
            self.client.cancel([*futures, shared])
        return failures
