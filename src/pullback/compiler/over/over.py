"""`Compiled.over`: a compiled function whose samples come in chunks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from pullback.compiler.arguments import is_foreign, kind, native, recorded
from pullback.compiler.arguments import layout as memory_layout
from pullback.compiler.collection import uncollected
from pullback.compiler.over.data import Data, Layout, arrays_of, data_of
from pullback.compiler.over.running import Run, mark_of
from pullback.compiler.over.state import State
from pullback.compiler.over.stream import Given, Stream, difference, stream_of
from pullback.compiler.over.workers import ClusterRun, client_for
from pullback.compiler.samples import axes_given
from pullback.compiler.stages import results
from pullback.core import trees, validation
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError, ArgumentValueError, ChunkError
from pullback.graph.variable import ShapeDtype

__all__ = ["Over"]

_FEW = 512
"""Up to how many samples are put together, and the function called with all of them."""
_GUESSES = 1_000_003, 2_000_003
"""How many samples there are taken to be as long as it isn't known."""


class Function(Protocol):
    """What is asked of a compiled function."""

    function: Callable[..., Any]
    lift: bool
    name: str
    streams: dict[Any, Stream]

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class Over:
    """A compiled function of the arguments without samples; made by `Compiled.over`.

    Parameters
    ----------
    function : Compiled
    chunks : array, tuple or iterable
    axes : None, int or sequence of int or None
    options : dict
        The other arguments of `Compiled.over`, by name.
    """

    def __init__(self, function: Function, chunks: Any, axes: Any, options: dict[str, Any]) -> None:
        self._function, self._chunks = function, chunks
        self._where = f"over of {function.name}"
        self._samples: Any = _checked_samples(options["samples"], self._where)
        self._out, self._progress = options["out"], options["progress"]
        self._resume, self._client = options["resume"], options["client"]
        if self._resume is not None:
            validation.require_instance(
                self._resume, State, self._where, "resume", "the state of a ChunkError"
            )
        if self._progress is not None:
            wanted = "a function of the chunk's number and the samples so far, or None"
            validation.require_callable(self._progress, self._where, "progress", wanted)
        self._positions: tuple[int, ...] | None = None
        self._axes: int | tuple[int, ...]
        axes = axes_given(axes, self._where, "axes")
        if axes is None or isinstance(axes, int):
            self._axes = axes or 0
        else:
            self._positions = tuple(i for i, axis in enumerate(axes) if axis is not None)
            self._axes = tuple(axis for axis in axes if axis is not None)
            self._count = len(axes)

    def __repr__(self) -> str:
        return f"<{self._function.name} over chunks>"

    def __call__(self, *others: Any, **kwargs: Any) -> Any:
        """The function's result for all samples.

        Parameters
        ----------
        *others, **kwargs
            The arguments that don't come in chunks.

        Raises
        ------
        ChunkError
            Where a chunk can't be loaded or computed.
        """
        others, kwargs = self._plain(others), {k: self._plain(x) for k, x in kwargs.items()}
        data = data_of(self._chunks, self._axes, self._samples, self._where)
        call = _Call(self._function, others, kwargs, data.layout, self._placed)
        state: State | None = self._resume
        if state is not None and data.total is None:
            data.total = state.samples
        if data.total is not None and data.total <= _FEW:
            return self._at_once(data, others, kwargs)
        if data.total is None:
            stream, other = (call.stream(n) for n in _GUESSES)
            self._require_independent(stream, other)
        else:
            stream = call.stream(data.total)
        if len(stream.passes) > 1 and not data.again:
            raise ArgumentValueError(
                f"{self._where}: all samples are gone through {len(stream.passes)} times, as what "
                "they make together is needed by each again, and chunks is an iterator, which is "
                "gone through once; pass a list of functions that load a chunk, or what gives a "
                "new iterator each time"
            )
        mark = mark_of(stream, call.leaves)
        if state is None:
            state = State(mark, data.total)
        elif state.mark != mark:
            raise ArgumentValueError(
                f"{self._where}: resume is the state of a computation with another function or "
                "other arguments; pass those that it was begun with, or leave resume out"
            )
        outs = self._arrays(stream)
        given = (
            self._function.name, stream, data, stream.values(call.leaves), self._axes,
            self._progress, state, outs,
            call.stream if data.total is None else None,
        )  # fmt: skip
        client = client_for(self._client, data, self._where)
        run = Run(*given) if client is None else ClusterRun(*given, client)
        run.totals()
        end = run.stream.end(run.inputs())
        return _in_place(run.stream.result([*end.values()], state.rows), outs)

    # -- arguments ---------------------------------------------------------------------------------

    def _plain(self, tree: Any) -> Any:
        leaves, spec = trees.flatten(tree, f"{self._where}: an argument")
        for leaf in leaves:
            if type(leaf) is Tracer or is_foreign(leaf):
                what = "a traced value" if type(leaf) is Tracer else validation.describe(leaf)
                raise ArgumentTypeError(
                    f"{self._where}: an argument is {what}, wanted arrays of numbers; compile the "
                    "derivative: pullback.compile(pullback.grad(f)).over(chunks)"
                )
        return trees.unflatten(spec, map(native, leaves))

    def _placed(self, others: Sequence[Any], chunk: Sequence[Any]) -> tuple[Any, ...]:
        """All arguments by position."""
        if self._positions is None:
            return (*others, *chunk)
        args: list[Any] = [None] * self._count
        free = [i for i in range(self._count) if i not in self._positions]
        if len(free) > len(others):
            raise ArgumentValueError(
                f"{self._where}: axes is for {self._count} arguments, {len(free)} of which don't "
                f"come in chunks, and the call has {len(others)}; pass as many by position"
            )
        for position, value in zip((*self._positions, *free), (*chunk, *others), strict=False):
            args[position] = value
        return (*args, *others[len(free) :])

    # -- few samples -------------------------------------------------------------------------------

    def _at_once(self, data: Data, others: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call the function with all samples."""
        rows = []
        for chunk in data.chunks(_FEW):
            try:
                rows.append(arrays_of(chunk, data.layout, self._axes, self._where))
            except Exception as error:
                raise ChunkError(
                    f"{self._where}: chunk {chunk.number} failed with {type(error).__name__}: "
                    f"{error}",
                    chunk.number,
                ) from error
            if self._progress is not None:
                self._progress(chunk.number, sum(samples for _, samples in rows))
        count = sum(samples for _, samples in rows)
        if count != data.total:
            raise ArgumentValueError(
                f"{self._where}: the chunks have {count} samples, and samples is {data.total}"
            )
        arrays = [
            np.concatenate([row[i] for row, _ in rows], kind.axis)
            for i, kind in enumerate(data.layout.kinds)
        ]
        chunk = trees.unflatten(data.layout.spec, arrays)
        found = self._function(*self._placed(others, chunk), **kwargs)
        if self._out is None:
            return found
        outs = trees.flatten_like(trees.flatten(found)[1], self._out, f"{self._where}: out")
        return _in_place(found, {i: out for i, out in enumerate(outs) if out is not None})

    # -- many --------------------------------------------------------------------------------------

    def _require_independent(self, one: Stream, other: Stream) -> None:
        """Raise if it has to be known how many samples there are before they are gone through."""
        if any(tiled.rows for _, tiled in one.passes):
            raise ArgumentValueError(
                f"{self._where}: a result has an element for each sample, and it isn't known how "
                "many there are; say it: over(..., samples=n)"
            )
        pairs = [*zip(one.passes, other.passes, strict=False)][:1]
        for (head, tiled), (head2, tiled2) in pairs:
            heads = head is None or head2 is None or head.code.text == head2.code.text
            if not heads or not tiled.equals(tiled2):
                line = difference(one.program, other.program)
                raise ArgumentValueError(
                    f"{self._where}: what is computed of each sample depends on how many there are"
                    f"{line and f', at {line}'}; say it: over(..., samples=n)"
                )

    def _arrays(self, stream: Stream) -> dict[int, np.ndarray[Any, Any]]:
        """Where results are to be written, by their position."""
        if self._out is None:
            return {}
        where = f"{self._where}: out"
        outs = trees.flatten_like(stream.graph.signature.result, self._out, where)
        has_rows = {row.output for _, tiled in stream.passes for row in tiled.rows}
        found = {}
        for position, (out, wanted) in enumerate(zip(outs, results(stream.graph), strict=True)):
            if out is None:
                continue
            if position not in has_rows:
                raise ArgumentValueError(
                    f"{where} has an array for a result that has no samples; give None for it"
                )
            fits = isinstance(out, np.ndarray) and (out.shape, out.dtype) == (
                wanted.shape,
                wanted.dtype,
            )
            if not fits or not (out.flags.c_contiguous and out.flags.writeable):
                raise ArgumentValueError(
                    f"{where} has {validation.describe(out)}, wanted a writable array in C order "
                    f"of shape {wanted.shape} and dtype {wanted.dtype}"
                )
            found[position] = out
        return found


def _in_place(result: Any, outs: Mapping[int, np.ndarray[Any, Any]]) -> Any:
    """The result with the caller's own arrays in it, by their position among its leaves."""
    if not outs:
        return result
    leaves, spec = trees.flatten(result)
    for position, out in outs.items():
        # They are in its memory already, but for few samples, or where another array was begun.
        if not np.may_share_memory(leaves[position], out):
            out[...] = leaves[position]
        leaves[position] = out
    return trees.unflatten(spec, leaves)


class _Call:
    """What a function is called with beside chunks, and its streams."""

    def __init__(
        self,
        function: Function,
        others: tuple[Any, ...],
        kwargs: dict[str, Any],
        layout: Layout,
        placed: Callable[[Sequence[Any], Sequence[Any]], tuple[Any, ...]],
    ) -> None:
        self._function, self._others, self._kwargs = function, others, kwargs
        self._layout, self._placed = layout, placed
        leaves, self._spec = trees.flatten((others, kwargs))
        self._all = leaves
        self.leaves = [leaf for leaf in leaves if _is_number(leaf)]

    def stream(self, samples: int) -> Stream:
        """The code for so many samples."""
        function, layout = self._function, self._layout
        shapes = tuple((x.dtype, x.full(samples), x.axis) for x in layout.kinds)
        kinds = [(kind(leaf), memory_layout(leaf)) for leaf in self._all]
        key = (self._spec, *kinds, layout.spec, shapes, samples)
        found = function.streams.get(key)
        if found is None:
            with uncollected():
                found = self._made(samples)
            function.streams[key] = found
        return found

    def _made(self, samples: int) -> Stream:
        layout = self._layout
        stands = [ShapeDtype(x.full(samples), x.dtype) for x in layout.kinds]
        # Each other leaf stands for itself, by its place.
        numbers = iter(range(len(self._all)))
        others, kwargs = trees.unflatten(self._spec, map(_Place, numbers))
        args = self._placed(others, trees.unflatten(layout.spec, stands))
        places = trees.flatten((args, kwargs) if kwargs else args)[0]
        args = self._placed(self._others, trees.unflatten(layout.spec, stands))
        function = self._function
        graph, _ = recorded(
            function.function, function.name, args, self._kwargs, lift=function.lift
        )
        given, rest, position = [], {}, 0
        order = {id(each): i for i, each in enumerate(stands)}
        plain = [i for i, leaf in enumerate(self._all) if _is_number(leaf)]
        for leaf in places:
            if isinstance(leaf, ShapeDtype):
                array = order[id(leaf)]
                given.append(Given(position, array, layout.kinds[array].axis))
            elif leaf.number in plain:
                rest[position] = plain.index(leaf.number)
            else:
                continue
            position += 1
        return stream_of(graph, given, rest, samples)


class _Place:
    """Stands for a leaf."""

    def __init__(self, number: int) -> None:
        self.number = number


def _is_number(leaf: Any) -> bool:
    """Whether a leaf is an input of a recording, and no part of its structure."""
    return type(leaf) in (int, float, bool, complex) or hasattr(leaf, "__array__")


def _checked_samples(samples: Any, where: str) -> Any:
    if samples is None or validation.is_integer(samples):
        return samples
    try:
        sizes = [*samples]
    except TypeError:
        sizes = [None]
    if not all(map(validation.is_integer, sizes)):
        raise ArgumentTypeError(
            f"{where}: samples is {validation.describe(samples)}, wanted how many there are in all,"
            " or in each chunk"
        )
    return [int(size) for size in sizes]
