"""What is derived from the graph of a body: its pushforward, its pullback, and batches of it.

What is derived is made once for each pattern of arguments and stays with the body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.singular import watch
from pullback.core.structure.axes import Marks, Row
from pullback.core.tracing import Tracer
from pullback.core.zeros import Begun, Kind, Zeros
from pullback.graph.building import build, flat_graph, like
from pullback.graph.dependence import live, read
from pullback.graph.graph import Graph
from pullback.graph.program import Atom, Equation
from pullback.graph.staging import Staging
from pullback.graph.variable import Variable
from pullback.rules.strictness import is_strict
from pullback.transforms.arguments import lower
from pullback.transforms.batch import MAPPED, Batch
from pullback.transforms.linearization import Linearization
from pullback.transforms.masks import mask_of, of_mask, zeros_of
from pullback.transforms.support import settled
from pullback.transforms.tape import Tape

__all__ = [
    "Recording",
    "batched",
    "both",
    "derived",
    "groups",
    "interleave",
    "linearized",
    "marked",
    "mask_like",
    "part_of",
    "present",
    "separate",
    "spread",
    "with_constants",
    "with_inputs",
    "zeros_like",
]

T = TypeVar("T")


def derived(graph: Graph, key: tuple[Any, ...], make: Callable[[], T]) -> T:
    """What `make` returns, made once for each graph and key."""
    found: T
    key = (watch.looks is not None and is_strict(), *key)
    if key in graph.derived:
        found = graph.derived[key]
    else:
        found = graph.derived[key] = make()
    return found


def part_of(graph: Graph, inputs: Sequence[int], outputs: Sequence[int]) -> Graph:
    """A graph with some of its inputs, and some of its outputs, and what these need."""
    kept = [graph.outputs[i] for i in outputs]
    return with_constants(
        graph.name,
        [graph.inputs[i] for i in inputs],
        graph.constants,
        live(graph.equations, kept),
        kept,
        [graph.signature.names[i] for i in inputs],
    )


def with_constants(
    name: str,
    inputs: Sequence[Variable],
    constants: Mapping[Variable, Any],
    equations: Sequence[Equation],
    outputs: Sequence[Atom],
    names: Sequence[str],
) -> Graph:
    """A flat graph of equations, with those constants that are read."""
    if not constants:
        return flat_graph(name, inputs, {}, equations, outputs, names)
    used = {x for equation in equations for x in read(equation)}
    used.update(x for x in outputs if type(x) is Variable)
    kept = {x: value for x, value in constants.items() if x in used}
    return flat_graph(name, inputs, kept, equations, outputs, names)


def with_inputs(graph: Graph, place: int, extra: Sequence[Variable], names: Sequence[str]) -> Graph:
    """A graph with more inputs, from a place on."""
    inputs, called = list(graph.inputs), list(graph.signature.names)
    inputs[place:place], called[place:place] = extra, names
    return flat_graph(graph.name, inputs, graph.constants, graph.equations, graph.outputs, called)


def groups(values: Sequence[T], sizes: Sequence[int]) -> Iterator[Sequence[T]]:
    """The values in consecutive groups of these sizes, the rest being the last."""
    start = 0
    for size in sizes:
        yield values[start : start + size]
        start += size
    yield values[start:]


def zeros_like(x: Any) -> Any:
    """Zeros of the shape and dtype of an array or of what stands for one."""
    return np.zeros(shape_of(x), dtype_of(x))[()]


def mask_like(x: Any) -> Variable:
    """A new variable for what tells the strong zeros of a tangent or cotangent."""
    return Variable(shape_of(x), np.dtype(bool), array=bool(shape_of(x)), layout=True)


def marked(row: Iterable[T], marks: Iterable[bool]) -> list[T]:
    """Those that are marked."""
    return [x for x, mark in zip(row, marks, strict=True) if mark]


def spread(row: Iterable[T], marks: Iterable[bool]) -> list[T | None]:
    """The inverse of `marked`, with `None` in place of what is not."""
    remaining = iter(row)
    return [next(remaining) if mark else None for mark in marks]


def both(some: Iterable[bool], others: Iterable[bool]) -> tuple[bool, ...]:
    """What is marked in both rows."""
    return tuple(a and b for a, b in zip(some, others, strict=True))


def present(row: Iterable[T | None]) -> dict[int, T]:
    """Those that are not `None`, by position."""
    return {i: x for i, x in enumerate(row) if x is not None}


def interleave(
    rows: Sequence[Row], marks: Sequence[Iterable[bool] | None], sizes: Sequence[int]
) -> list[Any]:
    """Group by group what is marked of each of several rows; `None` marks everything."""
    mixed: list[Any] = []
    split = [[*groups(row, sizes)] for row in rows]
    chosen = [None if each is None else [*groups([*each], sizes)] for each in marks]
    for number in range(len(sizes) + 1):
        for parts, each in zip(split, chosen, strict=True):
            mixed += parts[number] if each is None else marked(parts[number], each[number])
    return mixed


def separate(mixed: Iterable[T], marks: Sequence[Marks], sizes: Sequence[int]) -> list[list[Any]]:
    """The inverse of `interleave`: rows with `None` where there is no mark."""
    remaining = iter(mixed)
    rows: list[list[Any]] = [[] for _ in marks]
    for some in zip(*(groups(each, sizes) for each in marks), strict=True):
        for row, each in zip(rows, some, strict=True):
            row += [next(remaining) if mark else None for mark in each]
    return rows


def batched(
    body: Graph,
    size: int,
    mapped: Marks,
    wanted: Marks,
    around: Callable[[list[Any], list[Any]], list[Any]] | None = None,
    name: str = "batched",
) -> Graph:
    """A body that acts on `size` examples at once.

    The inputs that are `mapped` have, and the outputs that are `wanted` get, the mapped axis in
    front. ``around(inputs, outputs)`` gives the outputs of one example in place of those of the
    body; `name` tells what it does.
    """

    def make() -> Graph:
        def function(*args: Tracer) -> list[Any]:
            with Batch(f"vmap of {body.name}", size) as interpreter:
                values = [
                    Tracer(interpreter, x, MAPPED) if mark else x
                    for x, mark in zip(args, mapped, strict=True)
                ]
                outs = body.run(values)
                if around is not None:
                    outs = around(values, outs)
                pairs = [lower(out, interpreter, body.name) for out in outs]
            return [
                np.broadcast_to(out, (size, *shape_of(out)))
                if mark and payload is not MAPPED
                else out
                for (out, payload), mark in zip(pairs, wanted, strict=True)
            ]

        inputs = [
            Variable((size, *x.shape), x.dtype, array=True, layout=True) if mark else like(x)
            for x, mark in zip(body.inputs, mapped, strict=True)
        ]
        return build(function, inputs, f"{body.name}_{name}", body.signature.names)

    return derived(body, (name, size, tuple(mapped), tuple(wanted)), make)


class Recording:
    """A body and its pullback as one program.

    Attributes
    ----------
    inputs : list of Variable
        Those of the body.
    bars, bar_masks : list of (Variable or None)
        The cotangent of each output, `None` where it is zero; and what tells its strong zeros.
    onto, onto_masks : list of (Variable or None)
        For each input what its cotangent is added to, and what tells the strong zeros of that.
    primal, rest, telling : list of Equation
        Those of the body, those of its pullback, and those for the masks.
    outputs : list of (Variable or scalar)
        Those of the body.
    results, masks : list of (Variable, scalar or None)
        The cotangent of each input, `None` where it is zero, or not asked for; and what tells its
        strong zeros, `None` where it has none.
    zeros : list of Zeros
        What the zeros of the results are.
    constants : dict of Variable to array
    """

    def __init__(
        self,
        body: Graph,
        varying: Marks,
        seeded: Marks,
        onto: Marks,
        zeros: Sequence[Kind],
    ) -> None:
        self.inputs = [like(x) for x in body.inputs]
        self.bars = [
            like(x) if seed else None for x, seed in zip(body.outputs, seeded, strict=True)
        ]
        self.bar_masks = [
            mask_like(x) if x is not None and kind and not isinstance(kind, Begun) else None
            for x, kind in zip(self.bars, zeros, strict=True)
        ]
        self.onto = [like(x) if on else None for x, on in zip(body.inputs, onto, strict=True)]
        self.onto_masks = [None if x is None else mask_like(x) for x in self.onto]
        where = f"the pullback of {body.name}"
        with Staging(where) as staging:
            args = staging.tracers(self.inputs, body.signature.names)
            bars, masks, totals, total_masks = (
                [None if x is None else staging.tracer(x, where) for x in variables]
                for variables in (self.bars, self.bar_masks, self.onto, self.onto_masks)
            )
            outs, linear = linearized(body.run, args, varying, where)
            self.outputs = [_atom(staging, out) for out in outs]
            count = len(staging.equations)
            supports = [
                None if bar is None else of_mask(mask, kind, args[0])
                for bar, mask, kind in zip(bars, masks, zeros, strict=True)
            ]
            before = [of_mask(mask, Zeros.EVERYWHERE) for mask in marked(total_masks, varying)]
            found, after = linear.pull_followed(bars, supports, marked(totals, varying), before)
            self.results = [_atom(staging, x) for x in spread(found, varying)]
            pulled = len(staging.equations)
            after = list(map(settled, after))
            self.zeros = [kind or Zeros.ORDINARY for kind in spread(map(zeros_of, after), varying)]
            told = [mask_of(x, y) if x else None for x, y in zip(after, found, strict=True)]
            self.masks = [_atom(staging, x) for x in spread(told, varying)]
        self.primal, self.rest = staging.equations[:count], staging.equations[count:pulled]
        self.telling = staging.equations[pulled:]
        self.constants = staging.constants

    @property
    def equations(self) -> list[Equation]:
        """All of them."""
        return [*self.primal, *self.rest, *self.telling]

    @property
    def given(self) -> list[Variable | None]:
        """What it takes beside the inputs of the body."""
        return [*self.bars, *self.bar_masks, *self.onto, *self.onto_masks]

    @property
    def places(self) -> dict[Variable, tuple[int, int]]:
        """Where each value of the body is found in any recording of it.

        The number of its equation, -1 for the inputs, and which of the outputs it is.
        """
        rows = [self.inputs, *(equation.outputs for equation in self.primal)]
        return {x: (number, i) for number, row in enumerate(rows, -1) for i, x in enumerate(row)}

    def at(self, place: tuple[int, int]) -> Variable:
        """The value that is found there."""
        number, i = place
        return self.inputs[i] if number < 0 else self.primal[number].outputs[i]


def linearized(
    function: Callable[[list[Any]], list[Any]], values: Row, varying: Marks, where: str
) -> tuple[list[Any], Linearization]:
    """The results for these values, and their linear map in those that vary."""
    with Tape(where) as tape:
        followed = [tape.input(x) if mark else x for x, mark in zip(values, varying, strict=True)]
        pairs = [lower(out, tape, where) for out in function(followed)]
    nodes = [x._payload for x in marked(followed, varying)]
    linear = Linearization(nodes, [node for _, node in pairs], tape)
    return [out for out, _ in pairs], linear


def _atom(staging: Staging, x: Any) -> Atom | None:
    if x is None:
        return None
    if type(x) is Tracer and x._interpreter is staging:
        x = x._value
    return staging.atom(x)
