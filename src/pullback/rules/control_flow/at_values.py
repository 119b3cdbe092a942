"""Derivatives of a program that are taken when it runs, by what the values are then.

A derivative that is recorded is the same for all values. Where it is not to be, what is recorded in
its place is `at_values`: the program, and what is done to it. As this is a primitive, it is
differentiated and mapped in its turn, which is one more thing that is done to the program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from pullback.core.maps import Joint
from pullback.core.memory import apart, with_snapshots
from pullback.core.primitive import FullRule, Primitive, bind
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Nested
from pullback.core.structure.axes import Marks, Params, Row
from pullback.core.tracing import Tracer
from pullback.graph.graph import Graph
from pullback.rules.control_flow.derived import (
    groups,
    linearized,
    marked,
    spread,
    zeros_like,
)
from pullback.rules.registration import rule
from pullback.transforms.arguments import lower
from pullback.transforms.batch import MAPPED, Batch
from pullback.transforms.forward import Pushforward

__all__ = ["Mapped", "Pulled", "Pushed", "Step", "at_values"]

Function = Callable[[Row], list[Any]]
"""From a list of arrays to a list of arrays."""


class Pushed(NamedTuple):
    """The tangents of a function's results, from its arguments, and tangents of those `dotted`."""

    dotted: Marks

    def of(self, function: Function, args: Row) -> list[Any]:
        values, dots = groups(args, (len(self.dotted),))
        with Pushforward("a pushforward at values") as interpreter:
            pairs = zip(values, spread(dots, self.dotted), strict=True)
            outs = function([x if dot is None else Tracer(interpreter, x, dot) for x, dot in pairs])
            found = [lower(out, interpreter, interpreter.name) for out in outs]
        return [zeros_like(out) if dot is None else dot for out, dot in found]

    def before(self, args: Row) -> Row:
        return args[: len(self.dotted)]

    def results(self, _args: Row, outs: Row) -> Row:
        return outs


class Pulled(NamedTuple):
    """The cotangents of the arguments that are `wanted`, from the arguments, the cotangents

    of the results that are `seeded`, and what those of the arguments in `onto` are added to.
    """

    wanted: Marks
    seeded: Marks
    onto: Marks

    def of(self, function: Function, args: Row) -> list[Any]:
        values, bars, totals = groups(args, (len(self.wanted), sum(self.seeded)))
        _, linear = linearized(function, values, self.wanted, "a pullback at values")
        started = marked(spread(totals, self.onto), self.wanted)
        found = linear.pull(spread(bars, self.seeded), once=True, onto=started)
        likes = marked(values, self.wanted)
        return [zeros_like(x) if bar is None else bar for x, bar in zip(likes, found, strict=True)]

    def before(self, args: Row) -> Row:
        return args[: len(self.wanted)]

    def results(self, args: Row, _outs: Row) -> Row:
        return marked(args, self.wanted)


class Mapped(NamedTuple):
    """The results for `size` examples, which the arguments that are `mapped` have in front."""

    size: int
    mapped: Marks

    def of(self, function: Function, args: Row) -> list[Any]:
        with Batch("examples at values", self.size) as interpreter:
            pairs = zip(args, self.mapped, strict=True)
            outs = function([Tracer(interpreter, x, MAPPED) if one else x for x, one in pairs])
            found = [lower(out, interpreter, interpreter.name) for out in outs]
        return [
            out if payload is MAPPED else np.broadcast_to(out, (self.size, *shape_of(out)))
            for out, payload in found
        ]

    def before(self, args: Row) -> Row:
        pairs = zip(args, self.mapped, strict=True)
        return [Abstract(shape_of(x)[1:], dtype_of(x)) if one else x for x, one in pairs]

    def results(self, _args: Row, outs: Row) -> Row:
        return [Abstract((self.size, *out.shape), out.dtype) for out in outs]


Step = Pushed | Pulled | Mapped
"""What is done: ``of(function, args)`` is evaluated; ``before(args)`` are the arguments of the

function, and ``results(before, outs)`` its results, as shapes and dtypes.
"""


def _value(needed: Any, *args: Any, body: Graph, steps: tuple[Step, ...]) -> tuple[Any, ...]:
    """What the body has become by the steps, at these arguments; zeros where it isn't needed."""
    if not np.any(needed):
        return tuple(map(zeros_like, _results(args, body, steps)))
    directly = getattr(body, "directly", None)  # which a graph has not
    found = None if directly is None else directly(steps, args)
    if found is not None:
        return apart(found, args)
    function: Function = body.run
    for step in steps:
        function = _after(step, function)
    return apart(function(list(args)), args)


def _after(step: Step, function: Function) -> Function:
    return lambda args: step.of(function, args)


def _shape(_primitive: Primitive, _needed: Any, *args: Any, **params: Any) -> tuple[Abstract, ...]:
    return _results(args, **params)


def _results(args: Row, body: Graph, steps: tuple[Step, ...]) -> tuple[Abstract, ...]:
    rows: list[Row] = [args]
    for step in reversed(steps):
        rows.append(step.before(rows[-1]))
    outs: Row = body.outputs
    for step in steps:
        outs = step.results(rows.pop(), outs)
    return tuple(map(Abstract.of, outs))


def _batch(
    primitive: Primitive, size: int, mapped: Marks, values: Row, params: Params
) -> tuple[Any, ...]:
    step = Mapped(size, tuple(mapped[1:]))
    return _then(primitive, values, params, step)


def _then(primitive: Primitive, args: Row, params: Params, step: Step) -> tuple[Any, ...]:
    """The same with one step more."""
    found: tuple[Any, ...] = bind(
        primitive, tuple(args), {**params, "steps": (*params["steps"], step)}
    )
    return found


def _pushforward(values: Row, dots: Row, params: Params) -> tuple[Row, Row]:
    dotted = tuple(dot is not None for dot in dots[1:])
    outs = bind(at_values, tuple(values), params)
    return outs, _then(
        at_values, [*values, *marked(dots, (False, *dotted))], params, Pushed(dotted)
    )


def _linearize(values: Row, wanted: Marks, params: Params) -> tuple[tuple[Any, ...], Joint]:
    wanted = tuple(wanted[1:])
    outs = bind(at_values, tuple(values), params)
    values = with_snapshots(values, (False, *wanted))

    def push(*dots: Any) -> Row:
        return _pushforward(values, dots, params)[1]

    def pull(bars: Row) -> list[Any]:
        seeded = tuple(bar is not None for bar in bars)
        step = Pulled(wanted, seeded, (False,) * len(wanted))
        found = _then(at_values, [*values, *marked(bars, seeded)], params, step)
        return [None, *spread(found, wanted)]

    return outs, Joint(push, pull)


at_values = rule(_value, Nested(_shape, _batch), name="at_values")(
    FullRule(_pushforward, _linearize)
)
"""``at_values(needed, *args, body=graph, steps=(…))``; each step is done to what those before give.

It is evaluated where `needed`, a boolean, is true, for one of the examples at least.
"""
