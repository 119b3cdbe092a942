"""Functions that are evaluated again in the reverse sweep: `checkpoint`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pullback.core import trees
from pullback.core.maps import Followed
from pullback.core.memory import apart, with_snapshots
from pullback.core.primitive import FullRule, Primitive, bind
from pullback.core.shapes import Abstract
from pullback.core.structure import Nested
from pullback.core.structure.axes import Marks, Params, Row
from pullback.core.tracing import Tracer
from pullback.core.validation import name_of, require_function
from pullback.core.zeros import Zeros
from pullback.graph.building import flat_graph
from pullback.graph.dependence import affected_outputs, varying_outputs
from pullback.graph.graph import Graph
from pullback.graph.layout import layouts_through
from pullback.rules.control_flow.bodies import Result
from pullback.rules.control_flow.contents import leaves_out, wants_values
from pullback.rules.control_flow.derived import (
    Recording,
    batched,
    derived,
    interleave,
    marked,
    pull,
    push,
    pushed,
    spread,
)
from pullback.rules.control_flow.leaves import Leaves
from pullback.rules.control_flow.reading import Reading
from pullback.rules.control_flow.recording import Recorded, record, recorded
from pullback.rules.control_flow.untouched import handed_on, looked_at, without
from pullback.rules.registration import rule
from pullback.transforms.batch import Unmapped
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


def _pushforward(values: Row, dots: Row, params: Params, zeros: Row) -> tuple[Row, Row, Row]:
    body: Graph = params["body"]
    if wants_values(body, values, dots):
        return push(body, values, dots, zeros)
    dotted = [dot is not None for dot in dots]
    wanted = varying_outputs(body, dotted)
    args = interleave(values, dots, dotted, ())
    graph, found = pushed(body, dotted, zeros, wanted)
    outs = bind(checkpointed, tuple(args), {"body": graph})
    return outs[: len(wanted)], tuple(spread(outs[len(wanted) :], wanted)), found


def _linearize(values: Row, wanted: Marks, params: Params) -> tuple[tuple[Any, ...], Followed]:
    """Nothing is kept but the arguments: the pullback evaluates the body again."""
    body: Graph = params["body"]
    outs = bind(checkpointed, tuple(values), params)
    values = with_snapshots(values, wanted)

    def pull_onto(bars: Row, totals: Row, zeros: Row) -> tuple[Row, Row]:
        if wants_values(body, values, bars, totals):
            return pull(body, values, wanted, bars, totals, zeros)
        varies = varying_outputs(body, wanted)
        seeded = tuple(bar is not None and v for bar, v in zip(bars, varies, strict=True))
        onto = tuple(w and x is not None for w, x in zip(wanted, totals, strict=True))
        graph, places, kinds = _pullback(body, tuple(wanted), seeded, onto, tuple(zeros))
        found = list(totals)
        if not places:
            return found, kinds
        args = (*values, *marked(bars, seeded), *marked(totals, onto))
        results = bind(checkpointed, args, {"body": graph})
        for place, bar in zip(places, results, strict=True):
            found[place] = bar
        return found, kinds

    def push_on(dots: Row, zeros: Row) -> tuple[Row, Row]:
        return _pushforward(values, dots, params, zeros)[1:]

    sizes = len(values), len(outs)
    return outs, Followed(push_on, pull_onto, sizes, masks=leaves_out(body))


def _pullback(
    body: Graph,
    varying: tuple[bool, ...],
    seeded: tuple[bool, ...],
    onto: tuple[bool, ...],
    zeros: tuple[Zeros, ...],
) -> tuple[Graph, list[int], list[Zeros]]:
    """From arguments, cotangents of results and totals to cotangents of arguments; and of which.

    What the zeros are of the cotangents is the third, from what those of the results have. The
    order of all sums is that of a program without a checkpoint.
    """

    def make() -> tuple[Graph, list[int], list[Zeros]]:
        recording = Recording(body, varying, seeded, onto, zeros)
        places = [i for i, bar in enumerate(recording.results) if bar is not None]
        names = body.signature.names
        graph = flat_graph(
            f"{body.name}_bar",
            [
                *recording.inputs,
                *(bar for bar in recording.bars if bar is not None),
                *(total for total in recording.onto if total is not None),
            ],
            recording.constants,
            [*recording.primal, *recording.rest],
            [recording.results[i] for i in places],
            [
                *names,
                *(f"out{i}_bar" for i, seed in enumerate(seeded) if seed),
                *(f"{name}_bar" for name, on in zip(names, onto, strict=True) if on),
            ],
        )
        return graph, places, recording.zeros

    return derived(body, ("recomputing", varying, seeded, onto, zeros), make)


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
        leaves, structure = trees.flatten(args, f"{where}: an argument")
        static = [isinstance(x, str | bytes) or callable(x) for x in leaves]
        arrays = [None if is_fixed else x for x, is_fixed in zip(leaves, static, strict=True)]
        given = Leaves(trees.unflatten(structure, arrays), where, "args")
        fixed = [x for x, is_fixed in zip(leaves, static, strict=True) if is_fixed]

        def make(reading: Reading | None) -> Recorded:
            result = Result()

            def function(*traced: Any) -> list[Any]:
                remaining = iter(traced)
                mixed = [
                    x if is_fixed else next(remaining)
                    for x, is_fixed in zip(leaves, static, strict=True)
                ]
                return result.leaves(f(*trees.unflatten(structure, mixed), **kwargs))

            graph, free = record(function, given.arguments, name_of(f), 0, (Tracer,), reading)
            place = [(graph, len(free))]
            same = handed_on(place)
            read = looked_at(place, same)
            unread = set(range(len(given.values))).difference(read)
            graph = without(graph, [len(free) + i for i in unread], same)
            return (graph, result.spec, read, same), (graph,), free

        (graph, spec, read, same), free = recorded(
            make, where, (f,), (given,), (*static, *kwargs.items(), *fixed)
        )
        operands = tuple(given.values[i] for i in read)
        outs = bind(checkpointed, (*free, *operands), {"body": graph})
        given.spec = spec
        return given.results(outs, free, same)

    return checkpointed_f
