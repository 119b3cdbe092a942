"""Functions that are evaluated again in the reverse sweep: `checkpoint`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.core import trees
from pullback.core.maps import Followed
from pullback.core.memory import apart, with_snapshots
from pullback.core.primitive import FullRule, Primitive, bind
from pullback.core.shapes import Abstract, shape_of
from pullback.core.structure import Nested
from pullback.core.structure.axes import Marks, Params, Row
from pullback.core.tracing import Tracer
from pullback.core.validation import name_of, require_function
from pullback.core.zeros import Zeros
from pullback.graph.building import flat_graph
from pullback.graph.dependence import affected_outputs, varying_outputs
from pullback.graph.graph import Graph
from pullback.graph.layout import layouts_through
from pullback.rules.control_flow.asked import asked_of
from pullback.rules.control_flow.bodies import Result
from pullback.rules.control_flow.contents import leaves_out
from pullback.rules.control_flow.derived import (
    Recording,
    batched,
    derived,
    marked,
    spread,
)
from pullback.rules.control_flow.leaves import Leaves
from pullback.rules.control_flow.pushing import (
    Pushed,
    following,
    given,
    masked,
    pushed,
    with_masks,
)
from pullback.rules.control_flow.reading import Reading
from pullback.rules.control_flow.recording import Recorded, record, recorded
from pullback.rules.control_flow.untouched import handed_on, looked_at, without
from pullback.rules.registration import rule
from pullback.transforms.batch import Unmapped
from pullback.transforms.masks import of_rows, zeros_of
from pullback.transforms.transformed import transformed

__all__ = ["checkpoint"]


def _value(*args: Any, **params: Any) -> tuple[Any, ...]:
    """The results of a body. Its pullback evaluates the body again."""
    return apart(_take_over([*args], **params), args)


def _take_over(args: list[Any], *, body: Graph) -> tuple[Any, ...]:
    return tuple(body.evaluate(args))


def _shape(*_args: Any, body: Graph) -> tuple[Abstract, ...]:
    return tuple(map(Abstract.of, body.outputs))


def _batch(
    primitive: Primitive, size: int, mapped: Marks, values: Row, params: Params
) -> tuple[Any, ...]:
    body: Graph = params["body"]
    wanted = affected_outputs(body, mapped)
    outs = primitive(*values, body=batched(body, size, mapped, wanted))
    return tuple(out if mark else Unmapped(out) for out, mark in zip(outs, wanted, strict=True))


def _pushforward(
    values: Row, dots: Row, params: Params, supports: Row
) -> tuple[Row, Row, Callable[[Row], Row]]:
    body: Graph = params["body"]
    dotted = tuple(dot is not None for dot in dots)
    wanted = varying_outputs(body, dotted)

    def pushes(supports: Row) -> Pushed:
        zeros = tuple(map(zeros_of, supports))
        return pushed(body, dotted, zeros, wanted)

    def part(ours: Pushed, supports: Row, *, masks: bool) -> tuple[Row, Callable[[Row], Any]]:
        args = with_masks(values, dots, supports, ours.inputs)
        body, inputs, outputs = asked_of(ours.graph, ours.asks(masks=masks))

        def run(row: Row) -> list[list[Any]]:
            outs = bind(checkpointed, tuple(given(row, alone=masks)), {"body": body})
            return ours.rows(outs, outputs)

        return [args[i] for i in inputs], run

    def prepare(ours: Pushed, supports: Row) -> tuple[Row, Callable[[Row], Row]]:
        row, run = part(ours, supports, masks=True)
        return row, lambda row: run(row)[2]

    row, run = part(pushes(supports), supports, masks=False)
    outs, out_dots, _ = run(row)
    return tuple(outs), tuple(out_dots), following(pushes, prepare, (values, dots))


def _linearize(values: Row, wanted: Marks, params: Params) -> tuple[tuple[Any, ...], Followed]:
    """Nothing is kept but the arguments: the pullback evaluates the body again."""
    body: Graph = params["body"]
    outs = bind(checkpointed, tuple(values), params)
    values = with_snapshots(values, wanted)

    def pull_onto(bars: Row, totals: Row, supports: Row) -> tuple[Row, Row]:
        varies = varying_outputs(body, wanted)
        seeded = tuple(bar is not None and v for bar, v in zip(bars, varies, strict=True))
        onto = tuple(w and x is not None for w, x in zip(wanted, totals, strict=True))
        zeros = tuple(map(zeros_of, supports))
        ours = _pullback(body, tuple(wanted), seeded, onto, zeros)
        found = list(totals)
        if not ours.places:
            return found, (None,) * len(found)
        args = (
            *values,
            *marked(bars, seeded),
            *marked(map(masked, supports, bars), ours.masked),
            *marked(totals, onto),
            *(np.zeros(shape_of(x), bool)[()] for x in marked(totals, onto)),
        )

        def part(*, masks: bool) -> tuple[Row, Callable[[Row], Row]]:
            graph, inputs, _ = asked_of(ours.graph, ours.asks(masks=masks))

            def run(row: Row) -> Row:
                args = tuple(given(row, alone=masks))
                found: Row = bind(checkpointed, args, {"body": graph})
                return found

            return [args[i] for i in inputs], run

        row, run = part(masks=False)
        for place, bar in zip(ours.places, run(row), strict=True):
            found[place] = bar
        marks = list(map(bool, ours.zeros))
        if not any(marks):
            return found, (None,) * len(found)
        row, run = part(masks=True)
        return found, of_rows(lambda: spread(run(row), marks), ours.zeros)

    def push_on(dots: Row, supports: Row) -> tuple[Row, Row]:
        _, out_dots, follow = _pushforward(values, dots, params, supports)
        return out_dots, follow(supports)

    sizes = len(values), len(outs)
    return outs, Followed(push_on, pull_onto, sizes, masks=leaves_out(body))


class _Pullback(NamedTuple):
    """From arguments, cotangents of results, totals, and masks of both, to cotangents and masks.

    The cotangents are those of the arguments at some `places`, the masks those of the arguments
    where `zeros` may be strong. Of the results some are `masked`.
    """

    graph: Graph
    places: list[int]
    zeros: list[Zeros]
    masked: list[bool]

    def asks(self, *, masks: bool) -> list[bool]:
        """Marks of the outputs: the masks, or all others."""
        return [not masks] * len(self.places) + [masks] * sum(map(bool, self.zeros))


def _pullback(
    body: Graph,
    varying: tuple[bool, ...],
    seeded: tuple[bool, ...],
    onto: tuple[bool, ...],
    zeros: tuple[Zeros, ...],
) -> _Pullback:
    """The pullback; the order of all sums is that of a program without a checkpoint."""

    def make() -> _Pullback:
        recording = Recording(body, varying, seeded, onto, zeros)
        places = [i for i, bar in enumerate(recording.results) if bar is not None]
        names = body.signature.names
        out_names = [f"out{i}_bar" for i in range(len(seeded))]
        rows = (
            (names, recording.inputs, ""),
            (out_names, recording.bars, ""),
            (out_names, recording.bar_masks, "_kept"),
            (names, recording.onto, "_bar"),
            (names, recording.onto_masks, "_bar_kept"),
        )
        pairs = [(name + end, x) for row, xs, end in rows for name, x in zip(row, xs, strict=True)]
        graph = flat_graph(
            f"{body.name}_bar",
            [x for _, x in pairs if x is not None],
            recording.constants,
            [*recording.primal, *recording.rest, *recording.telling],
            [*(recording.results[i] for i in places), *filter(_is_there, recording.masks)],
            [name for name, x in pairs if x is not None],
        )
        masked = [x is not None for x in recording.bar_masks]
        return _Pullback(graph, places, recording.zeros, masked)

    return derived(body, ("recomputing", varying, seeded, onto, zeros), make)


def _is_there(x: Any) -> bool:
    return x is not None


checkpointed = rule(
    _value,
    Nested(
        _shape,
        _batch,
        layouts=lambda args, params: layouts_through(params["body"], args),
        take_over=_take_over,
    ),
    name="checkpoint",
)(FullRule(_pushforward, _linearize, follows=True))


class _Mixed:
    """Arguments some of whose leaves are no arrays: strings and functions, which stay as they are.

    A recorded function that has it isn't looked through for them, as its closure would be.

    Attributes
    ----------
    places : tuple of int
        Where these leaves are.
    fixed : list
        These leaves.
    arrays : tuple
        The arguments with `None` in place of these leaves.
    """

    def __init__(self, args: tuple[Any, ...], what: str) -> None:
        leaves, self._structure = trees.flatten(args, what)
        self.places = tuple(
            i for i, x in enumerate(leaves) if issubclass(type(x), _WORDS) or callable(x)
        )
        self.fixed = [leaves[i] for i in self.places]
        self.arrays = args
        if self.places:
            for i in self.places:
                leaves[i] = None
            self.arrays = trees.unflatten(self._structure, leaves)

    def with_arrays(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments with these arrays in the place of theirs."""
        leaves = list(arrays)
        for i, x in zip(self.places, self.fixed, strict=True):
            leaves.insert(i, x)
        args: tuple[Any, ...] = trees.unflatten(self._structure, leaves)
        return args


_WORDS = (str, bytes)


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Function like `f` of which the reverse sweep keeps the arguments only.

    What its derivatives read of the values in between is computed again when the reverse sweep
    comes to it: less memory, for one more evaluation. Values and derivatives are the same to the
    last bit.

    Parameters
    ----------
    f : callable
        A function of pytrees of arrays that returns a pytree of arrays. It may read other values
        from outside, and write to its arguments, of which it gets copies.

    Returns
    -------
    callable
        Takes the arguments of `f`. Keyword arguments, strings and functions belong to the function:
        they are handed to `f` as they are.

    Raises
    ------
    DataDependenceError
        From the returned function, where the course of `f` depends on a value: it is recorded.

    See Also
    --------
    scan : loops, with as many snapshots as there is memory for.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> layer = pb.checkpoint(lambda W, y: np.tanh(W @ y))
    >>> pb.grad(lambda W: np.sum(layer(W, layer(W, np.ones(2)))))(np.zeros((2, 2)))
    array([[0., 0.],
           [0., 0.]])
    """
    require_function(f, "checkpoint", usage="pullback.checkpoint(f)(x)")
    where = f"checkpoint of {name_of(f)}"

    @transformed(checkpoint, f, names=functools.WRAPPER_ASSIGNMENTS)
    def checkpointed_f(*args: Any, **kwargs: Any) -> Any:
        mixed = _Mixed(args, f"{where}: an argument")
        given = Leaves(mixed.arrays, where, "args")

        def make(reading: Reading | None) -> Recorded:
            result = Result()

            def function(*traced: Any) -> list[Any]:
                return result.leaves(f(*mixed.with_arrays(traced), **kwargs))

            graph, free = record(function, given.arguments, name_of(f), 0, (Tracer,), reading)
            place = [(graph, len(free))]
            same = handed_on(place)
            read = looked_at(place, same)
            unread = set(range(len(given.values))).difference(read)
            graph = without(graph, [len(free) + i for i in unread], same)
            return (graph, result.spec, read, same), (graph,), free

        (graph, spec, read, same), free = recorded(
            make, where, (f,), (given,), (mixed.places, *kwargs.items(), *mixed.fixed)
        )
        operands = tuple(given.values[i] for i in read)
        outs = bind(checkpointed, (*free, *operands), {"body": graph})
        given.spec = spec
        return given.results(outs, free, same)

    return checkpointed_f
