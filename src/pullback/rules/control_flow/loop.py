"""A loop: a body, how often it runs, and how what it carries is laid out among its arguments.

The body is a graph. Its inputs are the iteration's index, the values that are the same in each
iteration (`consts`), those that an iteration hands to the next (`carry`), and one slice of each
array that is scanned. Its outputs are the next carry and what is stacked. A loop takes the consts,
the first carry and the scanned arrays; it returns the last carry and the stacked arrays.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pullback.core.memory import in_memory
from pullback.core.primitive import Primitive, bind, registry
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure.axes import in_front
from pullback.core.tracing import Tracer
from pullback.graph.building import build, flat_graph, like
from pullback.graph.dependence import affected_outputs, varying_outputs
from pullback.graph.graph import Graph
from pullback.graph.layout import layout_of, layouts_through
from pullback.graph.variable import Variable
from pullback.rules.control_flow.derived import (
    batched,
    derived,
    groups,
    interleave,
    pushed,
    separate,
    zeros_like,
)
from pullback.rules.control_flow.splitting import Split, split
from pullback.transforms.batch import Unmapped

__all__ = ["Loop", "batch", "iterations", "layouts", "pushforward", "shape", "stack", "stacks"]


_CONDITIONAL = ("condition", "body", "consts", "carry")
_COUNTED = ("body", "consts", "carry", "start", "length", "reverse", "checkpoint")


@dataclass(frozen=True)
class Loop:
    """A loop, without its arguments.

    Attributes
    ----------
    body : Graph
    consts, carry : int
        How many there are.
    condition : Graph or None
        From consts and carry to whether there is another iteration.
    start, length : int
        The lowest index, and how many iterations there are, if there is no condition.
    reverse : bool
        Whether the iterations go from the last index to the first.
    checkpoint : None, "sqrt" or int
        How many carries are kept for the reverse sweep; None for what it needs of each.
    """

    body: Graph
    consts: int
    carry: int
    condition: Graph | None = None
    start: int = 0
    length: int = 0
    reverse: bool = False
    checkpoint: Any = None

    @property
    def in_sizes(self) -> tuple[int, int, int]:
        """The groups of the body's inputs, but the scanned ones."""
        return 1, self.consts, self.carry

    @property
    def indices(self) -> range:
        """The indices of the iterations, in their order."""
        upwards = range(self.start, self.start + self.length)
        return upwards[::-1] if self.reverse else upwards

    @property
    def primitive(self) -> Primitive:
        """What runs the loop."""
        return registry["scan" if self.condition is None else "while_loop"]

    @property
    def params(self) -> dict[str, Any]:
        """The loop as static parameters of a primitive."""
        names = _COUNTED if self.condition is None else _CONDITIONAL
        return {name: getattr(self, name) for name in names}

    def __call__(self, args: Sequence[Any]) -> tuple[Any, ...]:
        """The results of the loop for these arguments."""
        results: tuple[Any, ...] = bind(self.primitive, tuple(args), self.params)
        return results

    # -- what varies ---------------------------------------------------------------------------

    def grown(
        self, marks: Sequence[bool], outputs: Callable[[Graph, Sequence[bool]], list[bool]]
    ) -> tuple[list[bool], list[bool]]:
        """Marks of the body's inputs and outputs, such that what is carried keeps its mark.

        Parameters
        ----------
        marks : sequence of bool
            For each argument of the loop.
        outputs : callable
            Which outputs of a graph are marked, if these inputs are.
        """
        inputs = [False, *marks]
        start = 1 + self.consts
        while True:
            out = outputs(self.body, inputs)
            for i in range(self.carry):
                out[i] = out[i] or inputs[start + i]
            if out[: self.carry] == inputs[start : start + self.carry]:
                return inputs, out
            inputs[start : start + self.carry] = out[: self.carry]

    def varying(self, wanted: Sequence[bool]) -> tuple[list[bool], list[bool]]:
        """Which inputs and outputs of the body are differentiated if these arguments are."""
        return self.grown(wanted, varying_outputs)

    # -- forward mode --------------------------------------------------------------------------

    def pushed(self, dotted: Sequence[bool], wanted: Sequence[bool]) -> Loop:
        """The loop that carries tangents along: those of each group come after it."""
        sizes = self.in_sizes
        _, consts, carry, _ = (sum(marks) for marks in groups(dotted, sizes))
        return replace(
            self,
            body=pushed(self.body, dotted, wanted, sizes, (self.carry,)),
            consts=self.consts + consts,
            carry=self.carry + carry,
            condition=self._ignoring(dotted[1 : 1 + self.consts + self.carry]),
        )

    def _ignoring(self, dotted: Sequence[bool]) -> Graph | None:
        """The condition, with tangents among its inputs that it doesn't read."""
        condition = self.condition
        if condition is None:
            return None

        def make() -> Graph:
            names = condition.signature.names
            sizes = (self.consts,)
            return flat_graph(
                condition.name,
                interleave(condition.inputs, [like(x) for x in condition.inputs], dotted, sizes),
                condition.constants,
                condition.equations,
                condition.outputs,
                interleave(names, [f"{name}_dot" for name in names], dotted, sizes),
            )

        return derived(condition, ("ignoring", tuple(dotted), self.consts), make)

    def push(
        self, values: Sequence[Any], dots: Sequence[Any]
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The results and their tangents, from arguments and theirs; `None` is zero."""
        dotted, wanted = self.varying([dot is not None for dot in dots])
        outs = self.pushed(dotted, wanted)(self.with_dots(values, dots, dotted))
        return self.without_dots(outs, wanted)

    def with_dots(
        self, values: Sequence[Any], dots: Sequence[Any], dotted: Sequence[bool]
    ) -> list[Any]:
        """The arguments of the pushed loop; a carry that gets a tangent later starts with zeros."""
        full = [
            zeros_like(x) if marked and dot is None else dot
            for x, dot, marked in zip(values, dots, dotted[1:], strict=True)
        ]
        return interleave(values, full, dotted[1:], self.in_sizes[1:])

    def without_dots(
        self, outs: Sequence[Any], wanted: Sequence[bool]
    ) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """The results of the pushed loop as those of this one and their tangents."""
        values, dots = separate(outs, wanted, (self.carry,))
        return tuple(values), tuple(dots)

    # -- batches -------------------------------------------------------------------------------

    def batched(self, size: int, mapped: Sequence[bool]) -> tuple[Loop, list[bool], list[bool]]:
        """The loop over all examples at once, and which inputs and outputs of its body are mapped.

        Where the condition differs between examples the loop goes on until it holds for none, and
        leaves alone what has come to its end.
        """
        inputs, outputs = self.grown(mapped, affected_outputs)
        if self.condition is None:
            body = batched(self.body, size, inputs, outputs)
            return replace(self, body=body), inputs, outputs
        condition = self.condition
        differs = affected_outputs(condition, inputs[1:])[0]
        if differs:
            outputs = [True] * self.carry
            inputs = [*inputs[: 1 + self.consts], *outputs]

        def stopping(values: list[Any], outs: list[Any]) -> list[Any]:
            (going,) = condition.run(values[1:])
            old = values[1 + self.consts :]
            return [np.where(going, new, x) for new, x in zip(outs, old, strict=True)]

        body = batched(
            self.body,
            size,
            inputs,
            outputs,
            stopping if differs else None,
            "stopping" if differs else "batched",
        )
        return (
            replace(self, body=body, condition=_any(condition, size, inputs[1:])),
            inputs,
            outputs,
        )

    def to_batch(
        self, size: int, mapped: Sequence[bool], inputs: Sequence[bool], values: Sequence[Any]
    ) -> list[Any]:
        """The arguments of the batched loop; scanned arrays have the mapped axis second."""
        consts, carry, xs = groups(
            list(zip(values, mapped, inputs[1:], strict=True)), self.in_sizes[1:]
        )
        return [
            *(x for x, _, _ in consts),
            *(in_front(x, size, mapped=one) if marked else x for x, one, marked in carry),
            *(np.swapaxes(x, 0, 1) if one else x for x, one, _ in xs),
        ]

    # -- reverse mode --------------------------------------------------------------------------

    def split(self, wanted: Sequence[bool]) -> Split:
        """The body's forward part, and its linear part for any pattern of cotangents."""
        inputs, outputs = self.varying(wanted)
        _, consts, carry, xs = groups(inputs, self.in_sizes)
        free = [True] * (1 + len(consts)) + [False] * len(carry) + [True] * len(xs)
        invariant = [False] + [True] * len(consts) + [False] * (len(carry) + len(xs))
        return split(self.body, inputs, outputs, free, invariant)


def _any(condition: Graph, size: int, mapped: Sequence[bool]) -> Graph:
    """Whether the condition holds for any example."""

    def make() -> Graph:
        each = batched(condition, size, mapped, [False])

        def function(*args: Tracer) -> list[Any]:
            return [np.any(going) for going in each.run(args)]

        inputs = [like(x) for x in each.inputs]
        return build(function, inputs, f"{condition.name}_any", condition.signature.names)

    return derived(condition, ("any", size, tuple(mapped)), make)


# -- what all loops have in common as primitives --------------------------------------------------


def shape(*_args: Any, **params: Any) -> tuple[Abstract, ...]:
    """See `Structure.shape`."""
    loop = Loop(**params)
    carry, ys = groups([Abstract.of(x) for x in loop.body.outputs], (loop.carry,))
    return (*carry, *(Abstract((loop.length, *y.shape), y.dtype) for y in ys))


def layouts(args: Sequence[Any], params: dict[str, Any]) -> list[Any]:
    """See `Structure.layouts`."""
    loop = Loop(**params)
    consts, carry, xs = groups(args, loop.in_sizes[1:])
    inputs = loop.body.inputs[1 + loop.consts + loop.carry :]
    slices = [_first_slice(x, y) for x, y in zip(xs, inputs, strict=True)]
    found = layouts_through(loop.body, [0, *consts, *carry, *slices])
    before = [layout_of(x) for x in carry]
    after = found[: loop.carry]
    if loop.condition is not None or loop.length > 1:
        after = [one if one == other else None for one, other in zip(before, after, strict=True)]
    elif not loop.length:
        after = before
    return [*after, *[True] * len(found[loop.carry :])]


def _first_slice(x: Any, y: Variable) -> Any:
    """What lies in memory as the slices of a scanned array do."""
    memory = in_memory(x)
    if memory is None:
        return Variable(y.shape, y.dtype)
    return memory[0] if len(memory) else np.empty(y.shape, y.dtype)


def batch(
    _primitive: Primitive,
    size: int,
    mapped: Sequence[bool],
    values: Sequence[Any],
    params: dict[str, Any],
) -> tuple[Any, ...]:
    """See `Structure.batch`."""
    loop = Loop(**params)
    many, inputs, outputs = loop.batched(size, mapped)
    args = loop.to_batch(size, mapped, inputs, values)
    # Examples whose condition doesn't hold any more are run on, and what comes out is not used.
    with np.errstate(all=None if loop.condition is None else "ignore"):
        outs = many(args)
    carry, ys = groups(list(zip(outs, outputs, strict=True)), (loop.carry,))
    return (
        *(x if mark else Unmapped(x) for x, mark in carry),
        *(np.swapaxes(y, 0, 1) if mark else Unmapped(y) for y, mark in ys),
    )


def pushforward(
    values: Sequence[Any], dots: Sequence[Any], params: dict[str, Any]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """See `FullRule.pushforward`."""
    return Loop(**params).push(values, dots)


def iterations(
    loop: Loop, consts: Sequence[Any], carry: list[Any], xs: Sequence[Any], body: Graph
) -> Iterator[tuple[int, list[Any]]]:
    """Run a loop on plain arrays.

    Parameters
    ----------
    carry : list
        It has what is carried, between iterations. Arrays to which nothing else refers are updated
        in place.
    body : Graph
        The loop's own, or one that returns more after the carry.

    Yields
    ------
    index : int
    rest : list
        What the body has returned after the carry. To be emptied, or kept.
    """
    indices = itertools.count() if loop.condition is not None else loop.indices
    for index in indices:
        if loop.condition is not None and not loop.condition.evaluate([*consts, *carry])[0]:
            return
        values = [index, *consts, *carry, *(x[index - loop.start] for x in xs)]
        carry.clear()
        rest = body.evaluate(values)
        carry += rest[: loop.carry]
        del rest[: loop.carry]
        yield index, rest


def stacks(loop: Loop) -> list[Any]:
    """Room for what the iterations stack."""
    ys = loop.body.outputs[loop.carry :]
    return [np.empty((loop.length, *shape_of(y)), dtype_of(y)) for y in ys]


def stack(loop: Loop, room: Sequence[Any], index: int, ys: list[Any]) -> None:
    """Put away what an iteration returns; the list is emptied, as nothing may refer to it."""
    for array in room[::-1]:
        array[index - loop.start] = ys.pop()
