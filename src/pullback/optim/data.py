"""The data of a training run: arrays with the samples along the first axis, and batches of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.shapes import is_inexact, shape_of
from pullback.core.tracing import Tracer, is_plain, known, strip
from pullback.core.validation import describe, refuse
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.transforms.foreign import by_position, columns_of

__all__ = ["Batch", "Data", "as_arrays", "remedy_for_data"]


@dataclass(frozen=True)
class Batch:
    """Some of the samples, in the order in which they were drawn.

    Attributes
    ----------
    number, of : int
        The batch's, in its epoch, from 1 on.
    rows : array of int
        Which samples of the data.
    parts : tuple
        What the objective gets.
    """

    number: int
    of: int
    rows: Any
    parts: tuple[Any, ...]


class Data:
    """Samples, as arrays.

    Parameters
    ----------
    data : tuple of pytrees of arrays
    where : str
        The function and argument, for messages: ``"train: data"``.
    args : tuple
        Further arguments of the objective, after each batch.

    Attributes
    ----------
    parts : tuple of pytrees of arrays
    size : int
        Number of samples.
    """

    def __init__(self, data: Any, where: str = "train: data", args: tuple[Any, ...] = ()) -> None:
        self._args = args
        named = enumerate(map(columns_of, data)) if isinstance(data, tuple) else ()
        self._frames = {number: columns for number, columns in named if columns}
        if not isinstance(data, tuple) or not data:
            raise ArgumentTypeError(
                f"{where} is {describe(data)}, wanted a tuple of arrays with the samples "
                "along the first axis, (x, target); with batches of your own call method.update"
            )
        self.parts = tuple(as_arrays(part, f"{where}[{i}]") for i, part in enumerate(data))
        shapes = [shape_of(leaf) for leaf in trees.flatten(self.parts)[0]]
        if len({shape[:1] for shape in shapes}) != 1 or shapes[0][:1] in ((), (0,)):
            raise ArgumentValueError(
                f"{where} has arrays of shapes {', '.join(map(str, shapes))}; wanted the same "
                "number of samples, at least 1, along the first axis of each"
            )
        self.size = int(shapes[0][0])

    def batches(
        self,
        batch_size: int | None,
        rng: np.random.Generator | None = None,
        prepare: Callable[..., Any] | None = None,
    ) -> Iterator[Batch]:
        """All samples once, in an order that `rng` draws, or in their own.

        `prepare`, where it is given, makes what the objective gets of each batch.
        """
        order = np.arange(self.size) if rng is None else rng.permutation(self.size)
        length = self.size if batch_size is None else batch_size
        count = -(-self.size // length)
        for number, start in enumerate(range(0, self.size, length), start=1):
            rows = order[start : start + length]
            whole = len(rows) == self.size and rng is None
            parts = self.parts if whole else _take(self.parts, rows)
            if prepare is not None:
                parts = _prepared(prepare, parts)
            yield Batch(number, count, rows, (*parts, *self._args))

    def nameless(self) -> str | None:
        """What to write for a column of a frame, if there are frames among the data."""
        if not self._frames:
            return None
        number, columns = next(iter(self._frames.items()))
        return (
            f"train: the objective asks data[{number}] for a column by name, and gets the frame's "
            f"rows as an array; write batch[:, 0] for {columns[0]!r}, or give dict(frame) in place "
            "of the frame"
        )


def _take(data: tuple[Any, ...], rows: Any) -> tuple[Any, ...]:
    return tuple(trees.map_tree(lambda array: array[rows], part) for part in data)


def _prepared(prepare: Callable[..., Any], batch: tuple[Any, ...]) -> tuple[Any, ...]:
    made = prepare(*batch)
    if not isinstance(made, tuple):
        wanted = "a tuple, the batch for the objective"
        remedy = "write return (x,) for a single part"
        raise refuse("train", "what prepare returns", made, wanted, remedy)
    return made


def remedy_for_data(rows: Any = None, /, **data: Any) -> str | None:
    """What to do where data themselves, given by name, hold something that isn't finite.

    Where it is known which `rows` of the whole they are, the first sample is named by its own.
    """
    for name, part in data.items():
        leaves, spec = trees.flatten(part)
        for position, leaf in enumerate(leaves):
            if not is_inexact(leaf) or not known(leaf) or np.isfinite(strip(leaf)).all():
                continue
            path = trees.leaf_paths(spec)[position]
            array = np.asarray(strip(leaf))
            place = ""
            if rows is not None and array.shape[:1] == (len(rows),):
                finite = np.isfinite(array).reshape(len(array), -1).all(axis=1)
                place = f" in sample {rows[int(np.argmin(finite))]}"
            return f"{name}{path} holds NaN or infinity{place}: leave those samples out"
    return None


def as_arrays(part: Any, where: str) -> Any:
    """A pytree with an array in place of each leaf, and of each list of numbers."""
    leaves, spec = trees.flatten(part, where)
    if type(part) is dict:
        return {name: as_arrays(each, f"{where}[{name!r}]") for name, each in part.items()}
    if is_plain(part, list | tuple) and not any(map(_has_axes, leaves)):
        return by_position(part, where)
    for number, leaf in enumerate(leaves):
        if type(leaf) is not Tracer and type(leaf) is not np.ndarray:
            leaves[number] = by_position(leaf, where + trees.leaf_paths(spec)[number])
    return trees.unflatten(spec, leaves)


def _has_axes(leaf: Any) -> bool:
    return not is_plain(leaf, int | float | complex | str) and bool(np.ndim(leaf))
