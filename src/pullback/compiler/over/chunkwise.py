"""The method of compiled functions by which their samples come in chunks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from pullback.compiler.over.over import Over
from pullback.compiler.over.state import State
from pullback.compiler.over.stream import Stream
from pullback.compiler.samples import Samples

__all__ = ["Chunkwise"]


class Chunkwise(ABC):
    """A function that can go through its samples chunk by chunk.

    Attributes
    ----------
    function : callable
    lift : bool
        Whether Python's loops are kept where they can be.
    name : str
    split : Samples
        What is said about them.
    streams : dict
        The code for chunks, by what it is for.
    """

    function: Callable[..., Any]
    lift: bool
    name: str
    split: Samples

    def __init__(self) -> None:
        self.streams: dict[Any, Stream] = {}

    @abstractmethod
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns."""

    def over(
        self,
        chunks: Any,
        *,
        axes: int | Sequence[int | None] | None = None,
        samples: int | Sequence[int] | None = None,
        out: Any = None,
        client: Any = None,
        progress: Callable[[int, int], Any] | None = None,
        resume: State | None = None,
    ) -> Over:
        """The function of samples that come in chunks, of which one is in memory at a time.

        Parameters
        ----------
        chunks : array, tuple of arrays, or iterable
            Arrays with all samples, such as `numpy.memmap` or `dask.array.Array`, as a tuple of
            arguments, which are pytrees; or an iterable of chunks, each a tuple of arguments or a
            function without arguments that returns one. A single argument needs no tuple.
        axes : int or sequence of int or None, optional
            Along which axis the samples are in each argument by position, `None` for those that
            aren't in chunks; an integer is for all of the chunks' arguments, which are the last
            ones then. By default what the function was given as ``split``, or else 0.
        samples : int or sequence of int, optional
            How many there are in all, or in each chunk.
        out : pytree, optional
            Like the result: arrays in C order that results with samples are written to, and `None`
            for all others.
        client : dask.distributed.Client, optional
            Its workers compute the chunks.
        progress : callable, optional
            ``progress(chunk, samples)`` is called after each chunk, with its number and the samples
            so far.
        resume : State, optional
            That of a `ChunkError`: the chunks that are done are not computed again.

        Returns
        -------
        Over
            A function of the other arguments, which can be called again with others.

        Raises
        ------
        ArgumentTypeError, ArgumentValueError
            Where an argument doesn't fit; at a call, where the function needs more samples at a
            time, or has to know how many there are.
        ChunkError
            At a call, where a chunk can't be loaded or computed.

        Notes
        -----
        Where a call with all samples is split along them, and leaves no product to BLAS, the bits
        are the same if every chunk but the last is a multiple of `Report.block` samples, as those
        are that arrays are cut into.

        Examples
        --------
        >>> import numpy as np
        >>> import pullback as pb
        >>> f = pb.compile(lambda w, x: np.sum((x @ w) ** 2))
        >>> chunks = [lambda k=k: np.full((2, 3), float(k)) for k in range(4)]
        >>> f.over(chunks, samples=8)(np.ones(3))
        np.float64(252.0)
        """
        options = {
            "samples": samples,
            "out": out,
            "client": client,
            "progress": progress,
            "resume": resume,
        }
        return Over(self, chunks, self.split.axes if axes is None else axes, options)
