"""What is derived from the graph of a body: its pushforward, its pullback, and batches of it.

What is derived is made once for each pattern of arguments and stays with the body, but for what
takes values: what the derivative of a decomposition is made of depends on whether some of its
values are equal, which a recording cannot know; see `pullback.transforms.infinitesimals`. Where the
arguments of a body that has one are known, its derivative is that of its equations, one after the
other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.singular import watch
from pullback.core.structure.axes import Marks, Row
from pullback.core.tracing import Tracer
from pullback.core.zeros import Changing, Zeros
from pullback.graph.building import build, flat_graph, like
from pullback.graph.dependence import live, read
from pullback.graph.graph import Graph
from pullback.graph.program import Atom, Equation
from pullback.graph.staging import Staging
from pullback.graph.variable import Variable
from pullback.rules.control_flow.idle import idle_inputs, idle_outputs, with_idle
from pullback.rules.strictness import is_strict
from pullback.transforms.arguments import lower
from pullback.transforms.batch import MAPPED, Batch
from pullback.transforms.forward import Pushforward
from pullback.transforms.linearization import Linearization
from pullback.transforms.support import of_zeros, zeros_of
from pullback.transforms.tape import Tape

__all__ = [
    "Recording",
    "batched",
    "both",
    "derived",
    "groups",
    "interleave",
    "marked",
    "part_of",
    "present",
    "pull",
    "push",
    "pushed",
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


def interleave(primals: Row, dots: Row, marks: Marks, sizes: Sequence[int]) -> list[Any]:
    """Group by group the primals, and after them the tangents of those that are marked."""
    mixed: list[Any] = []
    for group in groups(list(zip(primals, dots, marks, strict=True)), sizes):
        mixed += [primal for primal, _, _ in group]
        mixed += [dot for _, dot, mark in group if mark]
    return mixed


def separate(
    mixed: Sequence[T], marks: Marks, sizes: Sequence[int]
) -> tuple[list[T], list[T | None]]:
    """The inverse of `interleave`, with a tangent for each mark."""
    remaining = iter(mixed)
    primals: list[T] = []
    dots: list[T | None] = []
    for some in groups(marks, sizes):
        primals += [next(remaining) for _ in some]
        dots += [next(remaining) if mark else None for mark in some]
    return primals, dots


def pushed(
    body: Graph,
    dotted: Marks,
    zeros: Sequence[Zeros | Changing],
    wanted: Marks,
    in_sizes: Sequence[int] = (),
    out_sizes: Sequence[int] = (),
) -> tuple[Graph, tuple[Zeros, ...]]:
    """The pushforward of a body, from primals and tangents to primals and tangents.

    The inputs that are `dotted` have a tangent, the outputs that are `wanted` get one: zeros, where
    theirs is zero. After each group of inputs and outputs come its tangents. With the graph comes
    what the zeros of the outputs' tangents are, if those of the inputs' are these `zeros`.
    """

    def make() -> tuple[Graph, tuple[Zeros, ...]]:
        found: list[Zeros] = []
        idle_in, idle_out = idle_inputs(body), idle_outputs(body)
        names = body.signature.names
        dots = [like(x) for x in body.inputs]
        dot_names = [f"{name}_dot" for name in names]

        def function(*mixed: Tracer) -> list[Any]:
            primals, tangents = separate(mixed, dotted, in_sizes)
            with Pushforward(f"the pushforward of {body.name}") as interpreter:
                supports = [
                    of_zeros(dot, kind, primals[0])
                    for dot, kind in zip(tangents, zeros, strict=True)
                ]
                outs = body.run(
                    [
                        x if dot is None else interpreter.carry(x, dot, support)
                        for x, dot, support in zip(primals, tangents, supports, strict=True)
                    ]
                )
                pairs = [interpreter.lower(out, body.name) for out in outs]
                found[:] = [
                    Zeros.ORDINARY
                    if rests or not want
                    else Zeros.EVERYWHERE
                    if dot is None
                    else zeros_of(interpreter.support_of(out))
                    for out, (_, dot), want, rests in zip(
                        outs, pairs, wanted, idle_out, strict=True
                    )
                ]
            out_dots = [zeros_like(out) if dot is None else dot for out, dot in pairs]
            return interleave([out for out, _ in pairs], out_dots, wanted, out_sizes)

        inputs = interleave([like(x) for x in body.inputs], dots, dotted, in_sizes)
        called = interleave(names, dot_names, dotted, in_sizes)
        graph = build(function, inputs, f"{body.name}_dot", called)
        with_idle(
            graph,
            interleave(idle_in, idle_in, dotted, in_sizes),
            interleave(idle_out, idle_out, wanted, out_sizes),
        )
        return graph, tuple(found)

    key = ("pushed", *map(tuple, (dotted, zeros, wanted, in_sizes, out_sizes)))
    return derived(body, key, make)


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
    bars : list of (Variable or None)
        The cotangent of each output; `None` where it is zero.
    onto : list of (Variable or None)
        For each input, what its cotangent is added to.
    primal, rest : list of Equation
        Those of the body, and those of its pullback.
    outputs : list of (Variable or scalar)
        Those of the body.
    results : list of (Variable, scalar or None)
        The cotangent of each input; `None` where it is zero, or not asked for.
    zeros : list of Zeros
        What the zeros of the results are, if so are any of what cotangents are added to.
    constants : dict of Variable to array
    """

    def __init__(
        self,
        body: Graph,
        varying: Marks,
        seeded: Marks,
        onto: Marks,
        zeros: Sequence[Zeros | Changing],
    ) -> None:
        self.inputs = [like(x) for x in body.inputs]
        self.bars = [
            like(x) if seed else None for x, seed in zip(body.outputs, seeded, strict=True)
        ]
        self.onto = [like(x) if on else None for x, on in zip(body.inputs, onto, strict=True)]
        where = f"the pullback of {body.name}"
        with Staging(where) as staging:
            args = staging.tracers(self.inputs, body.signature.names)
            bars, totals = (
                [None if x is None else staging.tracer(x, where) for x in variables]
                for variables in (self.bars, self.onto)
            )
            outs, linear = _linearized(body, args, varying)
            self.outputs = [_atom(staging, out) for out in outs]
            count = len(staging.equations)
            supports = [of_zeros(bar, kind, args[0]) for bar, kind in zip(bars, zeros, strict=True)]
            found, kinds = linear.pull_followed(bars, supports, marked(totals, varying))
            self.results = [_atom(staging, x) for x in spread(found, varying)]
            self.zeros = [kind or Zeros.ORDINARY for kind in spread(kinds, varying)]
        self.primal, self.rest = staging.equations[:count], staging.equations[count:]
        self.constants = staging.constants

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


def _linearized(body: Graph, values: Row, varying: Marks) -> tuple[list[Any], Linearization]:
    """The results for these values, and their linear map in those that vary."""
    where = f"the pullback of {body.name}"
    with Tape(where) as tape:
        followed = [tape.input(x) if mark else x for x, mark in zip(values, varying, strict=True)]
        pairs = [lower(out, tape, where) for out in body.run(followed)]
    nodes = [x._payload for x in marked(followed, varying)]
    linear = Linearization(nodes, [node for _, node in pairs], tape)
    return [out for out, _ in pairs], linear


def _atom(staging: Staging, x: Any) -> Atom | None:
    if x is None:
        return None
    if type(x) is Tracer and x._interpreter is staging:
        x = x._value
    return staging.atom(x)


# -- derivatives of values -------------------------------------------------------------------------


def pull(
    body: Graph, values: Row, wanted: Marks, bars: Row, totals: Row, zeros: Sequence[Zeros]
) -> tuple[list[Any], tuple[Zeros, ...]]:
    """For each argument its cotangent, added to its total, where it is wanted; and its zeros."""
    _, linear = _linearized(body, values, wanted)
    found = iter(linear.pull(bars, once=True, onto=marked(totals, wanted)))
    bars = [next(found) if want else x for x, want in zip(totals, wanted, strict=True)]
    return bars, _alike(bars, zeros)


def _alike(row: Row, zeros: Sequence[Zeros]) -> tuple[Zeros, ...]:
    """Zeros of what came of arrays with these: strong if those of any of them were."""
    return (max(zeros, default=Zeros.ORDINARY),) * len(row)


def push(
    body: Graph, values: Row, dots: Row, zeros: Sequence[Zeros]
) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Zeros, ...]]:
    """The results, their tangents, and what the zeros of these are; `None` is zero."""
    with Pushforward(f"the pushforward of {body.name}") as interpreter:
        outs = body.run(
            [
                x if dot is None else Tracer(interpreter, x, dot)
                for x, dot in zip(values, dots, strict=True)
            ]
        )
        pairs = [lower(out, interpreter, body.name) for out in outs]
    return tuple(out for out, _ in pairs), tuple(dot for _, dot in pairs), _alike(pairs, zeros)
