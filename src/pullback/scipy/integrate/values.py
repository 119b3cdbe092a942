"""What a solver of SciPy's sees of functions that return traced values: numbers, of one example.

A function that is integrated closes over what is traced, and none of the solver's arguments need
be. So the solver is handed a function whose results are stripped of their levels, and `Values`
takes note of what was traced in them: whether anything was, at how many levels it is
differentiated, and by which levels it is mapped. Where it is mapped, the solver runs once for each
example, as it would choose other points for each.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from pullback.core.running import innermost
from pullback.core.tracing import Interpreter, Tracer, known
from pullback.errors import DataDependenceError
from pullback.numpy.operands import joined, operand
from pullback.rules.implicit import lifted
from pullback.scipy.first_step import any_traced
from pullback.transforms.batch import MAPPED, Batch

__all__ = [
    "Ground",
    "UnknownValueError",
    "Values",
    "array_of",
    "differentiated",
    "mapped",
    "replaying",
    "solves_plainly",
]


class _Thread(threading.local):
    values: Values | None = None
    replays = 0


_thread = _Thread()


class UnknownValueError(DataDependenceError):
    """A value is not known, as a graph is recorded."""


class Values:
    """The numbers underneath what is traced, of one example where levels are mapped.

    Attributes
    ----------
    name : str
        The function of SciPy's, as it is called in error messages.
    levels : set of Interpreter
        Those that differentiate something of what was seen.
    batches : set of Batch
        Those that something of what was seen is mapped by.
    place : dict
        For each level that maps, which example is seen: by default the first one.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.levels: set[Interpreter] = set()
        self.batches: set[Batch] = set()
        self.place: dict[Batch, int] = {}
        self._at: Interpreter | None = None

    @property
    def traced(self) -> bool:
        """Whether anything of what was seen is followed by any level."""
        return bool(self.levels or self.batches)

    @property
    def order(self) -> int:
        """How often in all what was seen is differentiated at most."""
        return len(self.levels)

    def of(self, x: Any) -> Any:
        """`x` with numbers in the place of what is traced in it."""
        kind = type(x)
        if kind is Tracer:
            return self._number(x)
        if kind in (list, tuple) and any_traced(x):
            return kind(map(self.of, x))
        if kind is dict and any_traced((x,)):
            return {key: self.of(each) for key, each in x.items()}
        if kind is np.ndarray and x.dtype.hasobject and any_traced((x,)):
            return self._number(joined(x))
        return x

    def components(self, x: Any) -> Any:
        """As `of`, with what other levels map along axes at the end."""
        x, axes = self.whole(x)
        index = tuple(self.place.get(each, slice(None)) for each in axes)
        others = index.count(slice(None))
        return np.moveaxis(x[index], range(others), range(-others, 0)) if axes else x

    def _number(self, x: Any) -> Any:
        x, axes = self.whole(x)
        return x[tuple(self.place.get(each, 0) for each in axes)] if axes else x

    def whole(self, x: Any) -> tuple[Any, list[Batch]]:
        """What is underneath of all levels, and those that map it, one for each axis in front."""
        axes: list[Any] = []
        levels: list[Any] = []
        while type(x) is Tracer:
            if x._alias is not None:
                x._refresh()
            if x._payload is MAPPED:
                axes.append(x._interpreter)
            elif x._payload is not None:
                levels.append(x._interpreter)
            x = x._value
        if not known(x):
            raise UnknownValueError(
                f"{self.name}: a value of dtype {x.dtype} and shape {x.shape} that it takes is "
                "not known while a graph is recorded, and SciPy chooses its points by values. Call "
                "it outside of what pullback.trace and pullback.compile record, and hand over what "
                "it returns"
            )
        self.levels.update(levels)
        self.batches.update(axes)
        return x, axes[::-1]

    def function(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """`f`, returning numbers."""

        def plain_f(*args: Any, **kwargs: Any) -> Any:
            return self.of(f(*args, **kwargs))

        return plain_f

    def for_each_example(self, solve: Callable[[], Any]) -> tuple[list[Batch], list[Any]]:
        """What a solver gives for each example, and the levels that map, the outermost first.

        Which levels those are is known only once the solver has seen what is mapped.
        """
        batches: list[Batch] = []
        while True:
            results = []
            for place in self.places(batches):
                self.place = place
                results.append(self.solve(solve))
            if len(self.batches) == len(batches) or not results:
                return batches, results
            batches = sorted(self.batches, key=lambda each: each.level)

    @staticmethod
    def places(batches: Sequence[Batch]) -> Iterator[dict[Batch, int]]:
        """Which example of each level it is, example by example."""
        for place in itertools.product(*(range(each.size) for each in batches)):
            yield dict(zip(batches, place, strict=True))

    def solve(self, solve: Callable[[], Any]) -> Any:
        """Run a solver for the example at hand; of solvers inside of it only values are wanted."""
        before, self._at = _thread.values, innermost()
        try:
            _thread.values = self
            return solve()
        finally:
            _thread.values = before


def solves_plainly() -> Values | None:
    """What sees the values of an outer solver that runs, if nothing else is wanted of this one.

    A transformation that has begun since then wants derivatives.
    """
    values = _thread.values
    return values if values is not None and values._at is innermost() else None


class replaying:  # noqa: N801
    """A context in which what is computed has derivatives that count, and values that don't.

    Values are those of what SciPy has found before, so that integrals inside of it need be as
    accurate as that, and need not be SciPy's.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        _thread.replays += 1

    def __exit__(self, *_: object) -> None:
        _thread.replays -= 1

    @staticmethod
    def runs() -> bool:
        """Whether the code that asks runs in one."""
        return bool(_thread.replays)


def mapped(results: Sequence[Any], batches: Sequence[Batch]) -> Any:
    """Arrays of one shape, one for each example, as one that is mapped by these levels."""
    if not batches:
        (x,) = results
        return x
    x = np.stack(list(map(np.asarray, results)))
    return lifted(x.reshape((*(each.size for each in batches), *x.shape[1:])), batches)


class Ground:
    """Between what is mapped and the numbers of all examples, with axes in front for the levels."""

    def __init__(self, values: Values, batches: Sequence[Batch]) -> None:
        self.values = values
        self.batches = batches
        self.sizes = tuple(each.size for each in batches)

    def plain(self, x: Any) -> Any:
        """The numbers underneath of what is traced."""
        x, axes = self.values.whole(x)
        x = np.asarray(x)
        for position, batch in enumerate(self.batches):
            if batch not in axes:
                x = np.repeat(np.expand_dims(x, position), batch.size, position)
        return x

    def lift(self, x: Any) -> Any:
        """Numbers of all examples as what is mapped."""
        return lifted(x, self.batches)


def array_of(x: Any) -> Any:
    """What a function has returned, as an array, whatever is traced in it."""
    x = operand(x)
    return x if type(x) is Tracer else np.asarray(x)


def differentiated(x: Any) -> bool:
    """Whether a level that differentiates follows it."""
    if type(x) is not Tracer:
        return False
    look = Values("")
    look.of(x)
    return bool(look.levels)
