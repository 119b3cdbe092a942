"""Going through the chunks, one after the other, pass after pass."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pullback.compiler.over.data import Chunk, Data, arrays_of
from pullback.compiler.over.state import State
from pullback.compiler.over.stream import Stream, Tiled, Values
from pullback.compiler.over.sums import Forest
from pullback.errors import ArgumentValueError, ChunkError

__all__ = ["Run", "Spot", "mark_of"]

Progress = Callable[[int, int], Any]


@dataclass
class Spot:
    """Where a chunk stands: how many samples and blocks are before it."""

    samples: int = 0
    blocks: int = 0

    def move(self, samples: int, block: int) -> None:
        """Go on behind a chunk."""
        self.samples += samples
        self.blocks += -(-samples // block)


@dataclass
class Run:
    """A computation over chunks.

    Attributes
    ----------
    name : str
        Of the function.
    stream : Stream
    data : Data
    values : dict
        The inputs that don't come in chunks.
    axes : int or sequence of int
        Those of the samples in the arguments of a chunk.
    progress : callable, optional
    state : State
    out : mapping of int to array
        Arrays for results that have samples.
    known : callable, optional
        Makes the stream once it is known how many samples there are, if it isn't at first.
    """

    name: str
    stream: Stream
    data: Data
    values: Values
    axes: Sequence[int] | int
    progress: Progress | None
    state: State
    out: Mapping[int, np.ndarray[Any, Any]] = field(default_factory=dict)
    known: Callable[[int], Stream] | None = None

    def totals(self) -> list[list[np.ndarray[Any, Any]]]:
        """The sums of each pass."""
        state = self.state
        while state.number < len(self.stream.passes):
            head, tiled = self.stream.passes[state.number]
            if not state.done:
                state.forest = Forest([each.combine for each in tiled.sums])
                self._make_rows(tiled)
            values = self.inputs()
            if head is not None:
                values.update(head(values))
            self.through(tiled, values)
            state.totals.append(state.forest.total(tiled.sums, tiled.buffers))
            state.forest, state.done = Forest(()), {}
            state.number += 1
            self._know()
        return state.totals

    def inputs(self) -> Values:
        """The inputs, and the sums of the passes that are done."""
        values = dict(self.values)
        for (_, tiled), totals in zip(self.stream.passes, self.state.totals, strict=False):
            values.update(zip((each.buffer for each in tiled.sums), totals, strict=True))
        return values

    def _know(self) -> None:
        """Have the code for as many samples as there are."""
        samples = self.data.total
        if self.known is not None and samples is not None:
            stream, self.known = self.known(samples), None
            first, now = self.stream.passes, stream.passes
            if len(first) != len(now) or not first[0][1].equals(now[0][1]):
                raise ArgumentValueError(
                    f"over of {self.name}: {samples} samples take other code than more of them; "
                    f"say beforehand how many there are: over(..., samples={samples})"
                )
            self.stream = stream

    def _make_rows(self, tiled: Tiled) -> None:
        for each in tiled.rows:
            shape, out = each.shape(self.stream.samples), self.out.get(each.output)
            row = np.empty(shape, each.dtype) if out is None else out.reshape(shape)
            self.state.rows[each.output] = row

    def through(self, tiled: Tiled, values: Values) -> None:
        """Once through the chunks."""
        state, spot = self.state, Spot()
        for chunk in self.chunks(tiled.block):
            samples = state.done.get(chunk.number)
            if samples is None:
                samples = self._one(chunk, tiled, values, spot)
            spot.move(samples, tiled.block)
            del chunk
            self._require_room(spot.samples)
        self.require_all(spot.samples)

    def chunks(self, block: int) -> Iterator[Chunk]:
        """The chunks; what goes wrong between them has the next one's number."""
        number, rows = 0, self.data.chunks(block)
        while True:
            try:
                chunk = next(rows)
            except StopIteration:
                return
            except Exception as error:
                raise self.failed(number, error) from error
            yield chunk
            number = chunk.number + 1
            del chunk

    def _one(self, chunk: Chunk, tiled: Tiled, values: Values, spot: Spot) -> int:
        where = f"over of {self.name}"
        try:
            arrays, samples = arrays_of(chunk, self.data.layout, self.axes, where)
            self._require_room(spot.samples + samples)
            nodes, rows = tiled(values, arrays, samples, (spot.samples, spot.blocks))
        except Exception as error:
            raise self.failed(chunk.number, error) from error
        found = [*zip(tiled.rows, rows, strict=True)]
        self.state.take(chunk.number, samples, spot.samples, nodes, found)
        self.tell(chunk.number, spot.samples + samples)
        return samples

    def tell(self, chunk: int, samples: int) -> None:
        """Say how far it is."""
        if self.progress is not None:
            self.progress(chunk, samples)

    def failed(self, chunk: int, error: BaseException) -> ChunkError:
        """The error for a chunk."""
        words = str(error).splitlines()
        return ChunkError(
            f"over of {self.name}: chunk {chunk} failed with {type(error).__name__}"
            f"{': ' + words[0] if words else ''}; what {len(self.state.done)} other chunks have "
            "given is kept: over(..., resume=error.state) goes on",
            chunk,
            self.state,
        )

    def _require_room(self, samples: int) -> None:
        total = self.data.total
        if total is not None and samples > total:
            raise ArgumentValueError(
                f"over of {self.name}: the chunks have more samples than the {total} that were "
                "announced by samples="
            )

    def require_all(self, samples: int) -> None:
        """Raise unless all samples have come, and keep how many they are."""
        if self.data.total is None:
            self.data.total = self.state.samples = samples
        if samples != self.data.total:
            raise ArgumentValueError(
                f"over of {self.name}: the chunks have {samples} samples, and {self.data.total} "
                "were announced, by samples= or by the chunks when they were gone through before"
            )


def mark_of(stream: Stream, leaves: Sequence[Any]) -> str:
    """What tells a computation from others."""
    state = hashlib.sha256()
    for _, tiled in stream.passes[:1]:
        state.update(tiled.code.text.encode() + b"\0")
    for leaf in leaves:
        array = np.ascontiguousarray(leaf)
        state.update(f"{array.dtype.str} {array.shape};".encode() + array.tobytes())
    return state.hexdigest()
