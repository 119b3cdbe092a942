"""The pattern at a point: what the course of a function there makes of labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.shapes import Abstract, is_inexact, shape_of
from pullback.core.tracing import Interpreter, Tracer, is_plain
from pullback.sparse.flow import Flow, labelled
from pullback.sparse.mechanisms import State
from pullback.sparse.pattern import Pattern
from pullback.transforms.arguments import call, flatten_arrays, lower

__all__ = ["local_pattern"]


class Following(Interpreter):
    """Carries values, and with them their patterns."""

    __slots__ = ("flow",)

    def __init__(self, name: str, inputs: int) -> None:
        super().__init__(name)
        self.flow = Flow(name, inputs)

    def process(self, primitive: Any, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if not self.open:
            self.require_open(primitive.name)
        values = [*args]
        patterns: list[Pattern | None] = [None] * len(args)
        for i, arg in enumerate(args):
            if type(arg) is Tracer and arg._interpreter is self:
                values[i], patterns[i] = arg._value, arg._payload
        out = primitive(*values, **params)
        outs = out if primitive.multiple else (out,)
        found: Sequence[Pattern | None] = [None] * len(outs)
        if not primitive.is_constant and any(x is not None for x in patterns):
            states = [
                State(shape_of(x), pattern, None if type(x) is Tracer else x)
                for x, pattern in zip(values, patterns, strict=True)
            ]
            with np.errstate(all="ignore"):
                found = self.flow.patterns(
                    primitive, states, params, [Abstract.of(x) for x in outs], None
                )
        results = tuple(map(self._carry, outs, found))
        return results if primitive.multiple else results[0]

    def _carry(self, value: Any, pattern: Pattern | None) -> Any:
        if pattern is None or not is_inexact(value):
            return self.constant(value)
        return Tracer(self, value, pattern)


def local_pattern(
    f: Callable[..., Any], args: Sequence[Any], positions: Sequence[int], where: str
) -> tuple[Pattern, Flow]:
    """The pattern of all results of a function at a point, one after the other."""
    rows = {i: flatten_arrays(args[i], where, f"argument {i}") for i in positions}
    flat = [leaf for i in positions for leaf in rows[i][0]]
    states, inputs = labelled([Abstract.of(x) for x in flat], range(len(flat)))
    with Following(where, inputs) as interpreter:
        remaining = iter(
            Tracer(interpreter, np.array(x) if is_plain(x) else x, state.pattern)
            for x, state in zip(flat, states, strict=True)
        )
        given = [*args]
        for i in positions:
            leaves, spec = rows[i]
            given[i] = trees.unflatten(spec, [next(remaining) for _ in leaves])
        results, _ = flatten_arrays(call(f, given, interpreter), where, "the result")
        lowered = [lower(x, interpreter, where) for x in results]
    found = [pattern or Pattern.empty(shape_of(value), inputs) for value, pattern in lowered]
    if not found:
        return Pattern.empty((0,), inputs), interpreter.flow
    return Pattern.stacked(found), interpreter.flow
