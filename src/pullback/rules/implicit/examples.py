"""The examples of a batch, one at a time, for what can't take them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import Abstract
from pullback.core.tracing import Tracer
from pullback.errors import DataDependenceError
from pullback.transforms.batch import MAPPED, Batch

__all__ = ["Examples", "are_known", "depth", "lifted"]


class Examples:
    """The examples of all the batches that some values belong to; one, if they belong to none.

    Parameters
    ----------
    values : iterable
        Those of them that are traced are looked at.
    where : str
        The function that asks, for messages.

    Raises
    ------
    DataDependenceError
        If a value is not known, because a graph is being recorded.
    """

    def __init__(self, values: Iterable[Any], where: str) -> None:
        self.where = where
        found: dict[float, Batch] = {}
        for value in values:
            for x in _levels(value):
                if type(x._interpreter) is Batch and x._payload is MAPPED:
                    found[x._interpreter.level] = x._interpreter
            if isinstance(_ground(value), Abstract):
                raise DataDependenceError(
                    f"{where}: what is solved depends on a value that is not known, because a "
                    "graph is being recorded (by trace, compile, checkpoint, or the body of a "
                    "loop). Call it outside of that; or put the call into a function of all that "
                    "it depends on, under @pullback.implicit(condition), which is solved when the "
                    "graph runs"
                )
        self.batches = [found[level] for level in sorted(found)]

    @classmethod
    def of(cls, batches: Sequence[Batch], where: str) -> Examples:
        """The examples of these batches, the outermost first."""
        examples = cls((), where)
        examples.batches = [*batches]
        return examples

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return np.ndindex(*(each.size for each in self.batches))

    def one(self, x: Any, example: Sequence[int]) -> Any:
        """The plain value of one example: an array of its own, or a scalar."""
        if type(x) is not Tracer:
            return x
        place: list[int] = []
        for each in _levels(x):
            if type(each._interpreter) is Batch and each._payload is MAPPED:
                if each._interpreter not in self.batches:
                    raise DataDependenceError(
                        f"{self.where}: the function returned a mapped value where it had "
                        "returned one that isn't before; let it depend on the mapped values at "
                        "every point"
                    )
                place.insert(0, example[self.batches.index(each._interpreter)])
        value = _ground(x)
        if place:
            value = value[tuple(place)]
        return value.copy() if isinstance(value, np.ndarray) else value

    def together(self, values: Sequence[Any]) -> Any:
        """Values of equal shapes, one for each example in order, as one value of the batches."""
        if not self.batches:
            return values[0]
        return self.lifted(np.stack([np.asarray(value) for value in values]))

    def lifted(self, stacked: Any) -> Any:
        """The values of all examples, along the first axis in order, as a value of the batches."""
        if not self.batches:
            return stacked[0]
        sizes = [each.size for each in self.batches]
        return lifted(np.reshape(stacked, (*sizes, *stacked.shape[1:])), self.batches)


def lifted(x: Any, batches: Sequence[Batch]) -> Any:
    """An array with an axis in front for each batch, the outermost first, as a value of these."""
    for each in batches:
        x = Tracer(each, x, MAPPED)
    return x


def are_known(values: Iterable[Any]) -> bool:
    """Whether all values are there; those of a graph that is being recorded are not."""
    return not any(isinstance(_ground(x), Abstract) for x in values)


def depth(x: Any) -> int:
    """How many derivatives follow a value, one within the other."""
    return sum(
        each._payload is not None and type(each._interpreter) is not Batch for each in _levels(x)
    )


def _levels(x: Any) -> Iterator[Tracer]:
    """A traced value, as its levels see it, innermost first."""
    while type(x) is Tracer:
        if x._alias is not None:
            x._refresh()
        yield x
        x = x._value


def _ground(x: Any) -> Any:
    while type(x) is Tracer:
        x = x._value
    return x
