"""Where chunks come from: arrays that are cut, or an iterable of chunks and of what loads them."""

from __future__ import annotations

import functools
import itertools
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pullback.compiler.arguments import native
from pullback.core import trees, validation
from pullback.core.subclasses import elements_of
from pullback.errors import ArgumentTypeError, ArgumentValueError, ChunkError

__all__ = ["Blocks", "Chunk", "Data", "Layout", "arrays_of", "data_of"]

_BYTES = 1 << 26
"""About how many a chunk has that is cut from arrays."""

_WANTED = (
    "wanted arrays with all samples, such as numpy.memmap, as a tuple of arguments, or an iterable "
    "of chunks: of tuples of arguments, or of functions that load one"
)


class Kind(NamedTuple):
    """An array of a chunk, with 0 for the number of its samples."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    axis: int

    def full(self, samples: int) -> tuple[int, ...]:
        """The shape with so many samples."""
        return (*self.shape[: self.axis], samples, *self.shape[self.axis + 1 :])


@dataclass(frozen=True)
class Layout:
    """What all chunks have in common.

    Attributes
    ----------
    spec : TreeSpec
        The structure of their tuple of arguments.
    kinds : tuple of Kind
    """

    spec: trees.TreeSpec
    kinds: tuple[Kind, ...]

    @staticmethod
    def of(chunk: Any, axes: Sequence[int] | int, where: str) -> tuple[Layout, list[Any], int]:
        """That of a chunk; its arrays, and how many samples they have."""
        arguments = chunk if type(chunk) is tuple else (chunk,)
        if isinstance(axes, int):
            axes = (axes,) * len(arguments)
        if len(axes) != len(arguments):
            raise ArgumentValueError(
                f"{where}: a chunk has {len(arguments)} arguments, and axes are given for "
                f"{len(axes)} that have samples; give as many"
            )
        leaves: list[Any] = []
        kinds: list[Kind] = []
        counts: dict[int, str] = {}
        for argument, axis in zip(arguments, axes, strict=True):
            for leaf in trees.flatten(argument, f"{where}: a chunk")[0]:
                array = _array(leaf, where)
                shape = array.shape
                if not -len(shape) <= axis < len(shape):
                    raise ArgumentValueError(
                        f"{where}: an array of a chunk has the shape {shape}, and its samples are "
                        f"to be along axis {axis}; say along which they are: axes=..."
                    )
                axis %= len(shape)
                kind = Kind(array.dtype.newbyteorder("="), shape, axis)
                kinds.append(kind._replace(shape=kind.full(0)))
                counts.setdefault(shape[axis], f"{shape[axis]} along axis {axis} of {shape}")
                leaves.append(array)
        if not leaves:
            raise ArgumentValueError(f"{where}: a chunk has no arrays, {_WANTED}")
        if len(counts) > 1:
            raise ArgumentValueError(
                f"{where}: the arrays of a chunk have samples {' and '.join(counts.values())}; "
                "wanted as many in each"
            )
        return Layout(trees.flatten(arguments)[1], tuple(kinds)), leaves, next(iter(counts))

    def require(self, other: Layout, where: str) -> None:
        """Raise unless another chunk is like the first one."""
        if other.spec != self.spec:
            raise ArgumentValueError(
                f"{where}: the chunk has the structure {trees.contrast(other.spec, self.spec)}, "
                "that of the first chunk"
            )
        for one, two in zip(self.kinds, other.kinds, strict=True):
            if one != two:
                raise ArgumentValueError(
                    f"{where}: an array of the chunk is {_words(two)}, and in the first chunk it "
                    f"is {_words(one)}; convert it where it is loaded"
                )


def _words(kind: Kind) -> str:
    shape = [*map(str, kind.shape)]
    shape[kind.axis] = "samples"
    return f"{kind.dtype} of shape ({', '.join(shape)})"


def _array(leaf: Any, where: str) -> Any:
    if is_dask(leaf):
        return leaf
    if isinstance(leaf, np.ndarray | np.generic) or hasattr(leaf, "__array__"):
        array = np.asarray(elements_of(leaf, where))
        if array.dtype.kind in "biufc":
            return array
    raise ArgumentTypeError(
        f"{where}: in a chunk something is {validation.describe(leaf)}, wanted arrays of numbers"
    )


class Chunk(NamedTuple):
    """Some samples.

    Attributes
    ----------
    number : int
    load : callable
        Gives the tuple of arguments.
    samples : int, optional
        How many they are, if that is known.
    blocks : sequence of Delayed, optional
        What Dask computes its arrays from.
    remote : callable, optional
        What a worker is to load it by.
    """

    number: int
    load: Callable[[], Any]
    samples: int | None = None
    blocks: Sequence[Any] | None = None
    remote: Callable[[], Any] | None = None


class Data(ABC):
    """All samples.

    Attributes
    ----------
    layout : Layout
    total : int or None
        How many they are, if that is known.
    again : bool
        Whether they can be gone through more than once.
    """

    layout: Layout
    total: int | None
    again: bool = True

    @abstractmethod
    def chunks(self, block: int) -> Iterator[Chunk]:
        """The chunks, of a multiple of `block` samples each where that is ours to say."""


class Cut(Data):
    """Arrays that are cut."""

    def __init__(self, arguments: Any, axes: Sequence[int] | int, where: str) -> None:
        self.layout, self._leaves, self.total = Layout.of(arguments, axes, where)

    def chunks(self, block: int) -> Iterator[Chunk]:
        assert self.total is not None
        each = sum(math.prod(k.full(1)) * k.dtype.itemsize for k in self.layout.kinds)
        blocks = max(1, _BYTES // max(each * block, 1))
        step = block << (blocks.bit_length() - 1)
        for number, first in enumerate(range(0, max(self.total, 1), step)):
            end = min(first + step, self.total)
            yield Chunk(number, functools.partial(self._part, first, end), end - first)

    def _part(self, first: int, end: int) -> Any:
        parts = [
            leaf[(slice(None),) * kind.axis + (slice(first, end),)]
            for leaf, kind in zip(self._leaves, self.layout.kinds, strict=True)
        ]
        return trees.unflatten(self.layout.spec, parts)


class Blocks(Data):
    """Arrays of Dask, whose blocks are the chunks."""

    def __init__(self, arguments: Any, axes: Sequence[int] | int, where: str) -> None:
        import dask.array as da

        for leaf in trees.flatten(arguments)[0]:
            if any(extent != extent for extent in np.shape(leaf)):
                raise ArgumentValueError(
                    f"{where}: an array of Dask doesn't know the sizes of its chunks; compute them "
                    "first, by x.compute_chunk_sizes()"
                )
        self.layout, leaves, self.total = Layout.of(arguments, axes, where)
        kinds = self.layout.kinds
        arrays = [leaf if is_dask(leaf) else da.from_array(leaf) for leaf in leaves]
        first = next(i for i, leaf in enumerate(leaves) if is_dask(leaf))
        self._sizes = arrays[first].chunks[kinds[first].axis]
        self._rows = []
        for array, kind in zip(arrays, kinds, strict=True):
            sizes: list[Any] = [-1] * array.ndim
            sizes[kind.axis] = self._sizes
            # Each has one block along every other axis.
            self._rows.append(array.rechunk(tuple(sizes)).to_delayed().reshape(-1))

    def chunks(self, block: int) -> Iterator[Chunk]:
        for number, size in enumerate(self._sizes):
            blocks = [row[number] for row in self._rows]
            yield Chunk(number, functools.partial(self._load, blocks), size, blocks)

    def _load(self, blocks: Sequence[Any]) -> Any:
        import dask

        return trees.unflatten(self.layout.spec, dask.compute(*blocks))


class Chunked(Data):
    """An iterable of chunks; the first one is looked at, and kept until it is used."""

    def __init__(
        self, chunks: Iterable[Any], axes: Sequence[int] | int, samples: Any, where: str
    ) -> None:
        self._chunks, self._axes, self._where = chunks, axes, where
        self._rows = iter(chunks)
        self.again = self._rows is not chunks
        sizes = None if samples is None or validation.is_integer(samples) else [*samples]
        self._sizes: Sequence[int] | None = sizes
        self.total = None
        if sizes is not None:
            self.total = sum(sizes)
        elif samples is not None:
            self.total = int(samples)
        try:
            first = next(self._rows)
        except StopIteration:
            raise ArgumentValueError(f"{where}: there are no chunks, {_WANTED}") from None
        try:
            loaded = first() if callable(first) else first
        except Exception as error:
            raise ChunkError(
                f"{where}: chunk 0 failed with {type(error).__name__}: {error}", 0
            ) from error
        self.layout, _, _ = Layout.of(loaded, axes, where)
        self._first: Any = (loaded, first if callable(first) else None)
        if sizes is None and isinstance(chunks, list | tuple) and not any(map(callable, chunks)):
            self._sizes = [Layout.of(each, axes, where)[2] for each in chunks]
            if self.total is None:
                self.total = sum(self._sizes)

    def chunks(self, block: int) -> Iterator[Chunk]:
        rows, begun = self._rows, self._first
        if begun is None:
            rows = iter(self._chunks)
        self._first = None
        for number in itertools.count():
            try:
                row, remote = begun or (next(rows), None)
            except StopIteration:
                return
            begun = None
            size = None
            if self._sizes is not None:
                if number >= len(self._sizes):
                    raise ArgumentValueError(
                        f"{self._where}: there are more chunks than the {len(self._sizes)} whose "
                        "samples are given"
                    )
                size = self._sizes[number]
            if callable(row):
                remote = load = row
            else:
                load = functools.partial(_itself, row)
            yield Chunk(number, load, size, None, remote)
            del row, load


def _itself(x: Any) -> Any:
    return x


def is_dask(x: Any) -> bool:
    """Whether it is an array of Dask's, which is not imported for that."""
    module = sys.modules.get("dask.array")
    return module is not None and isinstance(x, module.Array)


def data_of(chunks: Any, axes: Sequence[int] | int, samples: Any, where: str) -> Data:
    """What was given as chunks.

    Parameters
    ----------
    chunks : array, tuple or iterable
    axes : int or sequence of int
        That of the samples, in each argument.
    samples : int or sequence of int, optional
        How many there are in all, or in each chunk.
    where : str
    """
    is_array = isinstance(chunks, np.ndarray) or hasattr(chunks, "__array__") or is_dask(chunks)
    if is_array or type(chunks) is tuple:
        leaves = trees.flatten(chunks, where)[0]
        cut: Data = (Blocks if any(map(is_dask, leaves)) else Cut)(chunks, axes, where)
        if samples is not None and (not validation.is_integer(samples) or samples != cut.total):
            raise ArgumentValueError(
                f"{where}: samples is {samples!r}, and the arrays have {cut.total}; leave it out"
            )
        return cut
    if isinstance(chunks, dict) or not isinstance(chunks, Iterable):
        raise ArgumentTypeError(f"{where}: chunks is {validation.describe(chunks)}, {_WANTED}")
    return Chunked(chunks, axes, samples, where)


def arrays_of(
    chunk: Chunk, layout: Layout, axes: Sequence[int] | int, where: str
) -> tuple[list[np.ndarray[Any, Any]], int]:
    """The arrays of a chunk, loaded, as native code reads them; how many samples they have."""
    found, leaves, samples = Layout.of(chunk.load(), axes, where)
    layout.require(found, where)
    if chunk.samples not in (None, samples):
        raise ArgumentValueError(
            f"{where}: the chunk has {samples} samples, and {chunk.samples} were announced"
        )
    return [native(leaf) for leaf in leaves], samples
