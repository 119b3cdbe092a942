"""Recording what the user gives as a body, once for as long as nothing that it reads changes."""

from __future__ import annotations

import functools
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, cast

import numpy as np

from pullback.core.running import follows_integers, innermost, runs
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.singular import watch
from pullback.core.tracing import Tracer, is_number, known
from pullback.errors import ArgumentTypeError, DataDependenceError, NoRuleError
from pullback.graph.building import build, close
from pullback.graph.dependence import affected, read
from pullback.graph.graph import Graph
from pullback.graph.layout import layouts_through
from pullback.graph.numbering import shared
from pullback.graph.staging import Staging
from pullback.graph.variable import Variable
from pullback.rules.control_flow.derived import with_constants
from pullback.rules.control_flow.equality import with_each_once
from pullback.rules.control_flow.free_arrays import FreeArrays
from pullback.rules.control_flow.integers import relate
from pullback.rules.control_flow.leaves import Leaves
from pullback.rules.control_flow.reading import Before, Place, Reading, UnreadableError, kind_of
from pullback.rules.strictness import is_strict

__all__ = ["Recorded", "record", "record_unevaluated", "recorded"]

Recorded = tuple[Any, Sequence[Graph], Sequence[Any]]
"""What was recorded, its graphs, and the values from outside that it takes, or their places."""

_BYTES = 1 << 25
"""The most bytes of what all recordings that are remembered take, return and hold."""

_MOST = 256
"""How many recordings are remembered, and how much is derived from one of them."""


def record(
    function: Callable[..., Sequence[Any]],
    arguments: Mapping[Variable, str],
    name: str,
    position: int,
    unknown: tuple[type, ...] = (),
    reading: Reading | None = None,
) -> tuple[Graph, list[Any]]:
    """A body as a graph, and the values from outside that it takes at `position`.

    What is computed from values from outside alone is computed outside, but for those of the types
    `unknown`, `Tracer` or `ndarray`. With a reading of what the function reads, the graph holds for
    equal ones, and in place of the values there are the places that they come from.
    """
    free_variables: dict[Variable, Any] = {}
    seen_as = unknown if reading is None else (Tracer, np.ndarray)

    def seeing_tracers(*args: Tracer) -> Sequence[Any]:
        staging = cast(Staging, args[0]._interpreter)
        free = FreeArrays(staging, seen_as, collections=reading is not None)
        outs: Sequence[Any] = free.seen_by(function)(*(args if arguments else ()))
        if reading is not None and (free.changed or staging.refused is not None):
            raise UnreadableError  # it changes a collection, or goes on without elements
        free.require_unwritten(name)
        free_variables.update(free.variables)
        return outs

    given = arguments or {Variable((), np.dtype(np.bool_)): "nothing"}
    graph = build(seeing_tracers, [*given], name, [*given.values()])
    inputs, names = [*arguments], [*arguments.values()]
    flat = with_constants(name, inputs, graph.constants, graph.equations, graph.outputs, names)
    closed, values = close(flat, position, free_variables)
    if reading is None:
        relate(closed.inputs[position : position + len(values)], values)
        return with_each_once(closed, position, values)
    closed = shared(closed)
    if any(map(is_number, free_variables.values())) and any(map(_is_single, _values_in(closed))):
        raise UnreadableError  # a number that meets single precision keeps its own outside
    reading.see(free_variables.values())
    free = closed.inputs[position : position + len(values)]
    places = {x: reading.place(free_variables.get(x)) for x in free}
    same = [x for x in free if kind_of(free_variables[x]) not in unknown]
    return _computed_before(closed, places, position, same)


def _values_in(graph: Graph) -> Iterator[Variable]:
    yield from (*graph.inputs, *graph.constants)
    for equation in graph.equations:
        yield from equation.outputs


def _is_single(x: Variable) -> bool:
    return x.dtype.kind in "fc" and np.finfo(x.dtype).bits < 64


def _computed_before(
    graph: Graph, places: dict[Variable, int], position: int, same: Sequence[Variable]
) -> tuple[Graph, list[Place]]:
    """A body without what is computed from some of the values that it takes alone.

    These are `same`. The values from outside, inputs from `position` on, come from `places`.
    """
    moving = affected(graph.equations, set(graph.inputs).difference(same))
    early = [each for each in graph.equations if moving.isdisjoint(each.outputs)]
    if not early:
        return graph, list(places.values())
    late = [each for each in graph.equations if not moving.isdisjoint(each.outputs)]
    made = {x for each in early for x in each.outputs}
    used = dict.fromkeys(x for each in late for x in read(each))
    used.update(dict.fromkeys(x for x in graph.outputs if type(x) is Variable))
    needed = [x for x in used if x in made]
    if not needed:
        return graph, list(places.values())
    names = [f"free{i}" for i in range(len(same))]
    first = with_constants(f"{graph.name}_before", same, graph.constants, early, needed, names)
    before = Before(first, tuple(places[x] for x in same))
    for x, layout in zip(needed, layouts_through(first, same), strict=True):
        x.layout, x.array = layout, bool(x.shape)
    found: dict[Variable, Place] = {x: place for x, place in places.items() if x in used}
    found |= {x: (before, i) for i, x in enumerate(needed)}
    end = position + len(places)
    given, given_names = list(graph.inputs), list(graph.signature.names)
    given[position:end] = found
    given_names[position:end] = [f"free{i}" for i in range(len(found))]
    rest = with_constants(graph.name, given, graph.constants, late, graph.outputs, given_names)
    return rest, list(found.values())


def record_unevaluated(
    function: Callable[..., Sequence[Any]],
    arguments: Mapping[Variable, str],
    name: str,
    position: int,
    reading: Reading | None = None,
) -> tuple[Graph, list[Any]]:
    """As `record`, for a body that may not be run at all: nothing of it is evaluated yet.

    If its course depends on a plain array from outside, what is computed from plain arrays is.
    """
    everything = (Tracer, np.ndarray)
    with np.errstate(all="ignore"):
        try:
            return record(function, arguments, name, position, everything, reading)
        except (DataDependenceError, NoRuleError, ArgumentTypeError):
            if reading is not None:
                raise
            return record(function, arguments, name, position, (Tracer,))


# -- what is remembered ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Recording:
    """What was recorded; `None` if that depends on the elements of arrays."""

    made: tuple[Any, Sequence[Place]] | None
    graphs: Sequence[Graph]
    codes: Sequence[CodeType]

    @functools.cached_property
    def nbytes(self) -> int:
        """Of what its graphs take, return and hold, of which there may be copies among them."""
        rows = [(*graph.inputs, *graph.outputs, *graph.constants) for graph in self.graphs]
        return sum(dtype_of(x).itemsize * math.prod(shape_of(x)) for row in rows for x in row)


class _Recordings:
    """The latest recordings, by what they depend on."""

    def __init__(self) -> None:
        self._found: OrderedDict[Hashable, _Recording] = OrderedDict()
        self._nbytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> _Recording | None:
        with self._lock:
            found = self._found.get(key)
            if found is not None:
                self._found.move_to_end(key)
            return found

    def put(self, key: Hashable, recording: _Recording) -> None:
        with self._lock:
            self._remove(key)
            self._found[key] = recording
            self._nbytes += recording.nbytes
            while len(self._found) > _MOST or self._nbytes > _BYTES:
                self._remove(next(iter(self._found)))

    def remove(self, key: Hashable) -> None:
        with self._lock:
            self._remove(key)

    def _remove(self, key: Hashable) -> None:
        gone = self._found.pop(key, None)
        self._nbytes -= 0 if gone is None else gone.nbytes


recordings = _Recordings()


def recorded(
    make: Callable[[Reading | None], Recorded],
    where: str,
    reads: Sequence[Any],
    given: Sequence[Leaves],
    others: Sequence[Any] = (),
) -> tuple[Any, list[Any]]:
    """What `make` records, and the values from outside that it takes, made once for equal readings.

    ``make(reading)`` returns a result, its graphs, and where the values from outside come from;
    ``make(None)`` returns these values themselves, and may compute with them. It records what the
    user gave in `reads`, for the arguments `given`; what else it depends on are `others`, which
    functions may read as it is.
    """
    tells = all(leaves.is_plain and all(map(known, leaves.values)) for leaves in given)
    reading = _reading(reads, others) if tells else None
    if reading is None:
        result, _, values = make(None)
        return result, list(values)
    suspended = runs() and innermost() is None
    strict = watch.looks is not None and is_strict()
    settings = suspended, follows_integers(), strict, *np.geterr().values()
    key = where, reading.key, settings, *(leaves.key for leaves in given)
    found = recordings.get(key)
    if found is None:
        found = _attempted(reading, make)
        after = _reading(reads, others)
        if after is not None and after.key == reading.key:
            recordings.put(key, found)
    elif any(len(graph.derived) > _MOST for graph in found.graphs):
        recordings.remove(key)
    if found.made is None:
        result, _, values = make(None)
        return result, list(values)
    result, places = found.made
    return result, reading.values(places)


def _reading(reads: Sequence[Any], others: Sequence[Any]) -> Reading | None:
    try:
        return Reading(reads, others)
    except (UnreadableError, RecursionError):
        return None


def _attempted(reading: Reading, make: Callable[[Reading | None], Recorded]) -> _Recording:
    met: list[str] = []
    heard: dict[str, Any] = {kind: "call" for kind, how in np.geterr().items() if how != "ignore"}
    try:
        with np.errstate(call=lambda kind, _: met.append(kind), **heard):
            result, graphs, places = make(reading)
        if met or not reading.is_seen:
            raise UnreadableError  # NumPy warns, or raises, at each call
    except Exception:  # of a body that reads elements, or has an error, which it will have again
        reading.restore()
        return _Recording(None, (), reading.codes)
    before = [place[0].graph for place in places if isinstance(place, tuple)]
    return _Recording((result, places), [*graphs, *before], reading.codes)
