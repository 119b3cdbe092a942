"""A loop: a body, how often it runs, and how what it carries is laid out among its arguments.

The body is a graph. Its inputs are the iteration's index, the values that are the same in each
iteration (`consts`), those that an iteration hands to the next (`carry`), and one slice of each
array that is scanned. Its outputs are the next carry and what is stacked. A loop takes the consts,
the first carry and the scanned arrays; it returns the last carry and the stacked arrays.

A loop is the one parameter of two primitives: `scan`, whose number of iterations is known, and
`while_loop`, which ends when a condition says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pullback.core.memory import apart, in_memory
from pullback.core.primitive import Primitive, bind
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Nested
from pullback.core.structure.axes import Marks, Params, Row, in_front
from pullback.core.tracing import Tracer
from pullback.core.zeros import Zeros
from pullback.graph.cost import Cost
from pullback.graph.dependence import affected_outputs, varying_outputs
from pullback.graph.graph import Graph
from pullback.graph.layout import layout_of, layouts_through
from pullback.graph.variable import Variable
from pullback.rules.control_flow.asked import asked_of_loop
from pullback.rules.control_flow.conditions import of_any
from pullback.rules.control_flow.derived import batched, derived, groups
from pullback.rules.control_flow.reverse_body import Given, ReverseBody
from pullback.rules.control_flow.splitting import Reading, Split, split
from pullback.rules.registration import rule
from pullback.transforms.batch import Unmapped

__all__ = ["Loop", "scan", "while_loop"]


@dataclass(frozen=True)
class Loop:
    """A loop, without its arguments.

    Attributes
    ----------
    condition : Graph or None
        From consts and carry to whether there is another iteration.
    body : Graph
    consts, carry : int
        How many there are.
    start, length : int or None
        The lowest index, and how many iterations there are; `None` if a condition says so.
    reverse : bool
        Whether the iterations go from the last index to the first.
    checkpoint : None, "sqrt" or int
        How many carries are kept for the reverse sweep; None for what it needs of each.
    most : int or None
        If a condition says how many iterations there are, what they don't exceed, where known.
    """

    condition: Graph | None
    body: Graph
    consts: int
    carry: int
    start: Any = None
    length: Any = None
    reverse: bool = False
    checkpoint: Any = None
    most: Any = None

    @property
    def sizes(self) -> tuple[int, int]:
        """The groups of the arguments, but the scanned ones."""
        return self.consts, self.carry

    @property
    def first_x(self) -> int:
        """The place of the first scanned array among the arguments."""
        return self.consts + self.carry

    @property
    def indices(self) -> range:
        """The indices of the iterations, in their order, if they are known."""
        upwards = range(self.start, self.start + self.length)
        return upwards[::-1] if self.reverse else upwards

    @property
    def first_index(self) -> int:
        """The index of the first iteration, if there is one."""
        return self.indices[0] if self.length else 0

    def __call__(self, args: Row) -> tuple[Any, ...]:
        """The results of the loop for these arguments."""
        primitive = scan if self.condition is None else while_loop
        results: tuple[Any, ...] = bind(primitive, tuple(args), {"loop": self})
        return results

    # -- plain arrays --------------------------------------------------------------------------

    def evaluate(self, args: list[Any]) -> tuple[Any, ...]:
        """The results for plain arrays; the list is emptied.

        What only the carry refers to is updated in place.
        """
        consts, first, xs = groups(args, self.sizes)
        args.clear()
        carry, room = [*first], self.stacks()
        del first
        for index, ys in self.iterations(consts, carry, xs):
            self.stack(room, index, ys)
        return (*carry, *room)

    def iterations(
        self, consts: Row, carry: list[Any], xs: Row, body: Graph | None = None
    ) -> Iterator[tuple[int, list[Any]]]:
        """Run the loop on plain arrays: each index, and what the body has returned after the carry.

        That is to be emptied, or kept. The list `carry` has what is carried, between iterations;
        arrays to which nothing else refers are updated in place. A `body` that is given returns
        more after the carry than the loop's own.
        """
        body, condition = body or self.body, self.condition
        for index in itertools.count() if condition is not None else self.indices:
            if condition is not None and not condition.evaluate([*consts, *carry])[0]:
                return
            values = [index, *consts, *carry, *(x[index - self.start] for x in xs)]
            carry.clear()
            rest = body.evaluate(values)
            carry += rest[: self.carry]
            del rest[: self.carry]
            yield index, rest

    def stacks(self) -> list[Any]:
        """Room for what the iterations stack."""
        ys = self.body.outputs[self.carry :]
        return [np.empty((self.length, *shape_of(y)), dtype_of(y)) for y in ys]

    def stack(self, room: Row, index: int, ys: list[Any]) -> None:
        """Put away what an iteration returns; the list is emptied, as nothing may refer to it."""
        for array in room[::-1]:
            array[index - self.start] = ys.pop()

    # -- what varies ---------------------------------------------------------------------------

    def grown(
        self, marks: Marks, outputs: Callable[[Graph, Marks], list[bool]]
    ) -> tuple[list[bool], list[bool]]:
        """Marks of the arguments and results, such that what is carried keeps its mark.

        ``outputs(graph, marks)`` tells which outputs of a graph are marked, if these inputs are.
        """
        inputs, carried = list(marks), slice(self.consts, self.first_x)
        while True:
            out = outputs(self.body, [False, *inputs])
            for i, mark in enumerate(inputs[carried]):
                out[i] = out[i] or mark
            if out[: self.carry] == inputs[carried]:
                return inputs, out
            inputs[carried] = out[: self.carry]

    def varying(self, wanted: Marks) -> tuple[list[bool], list[bool]]:
        """Which arguments and results are differentiated if these arguments are."""
        return self.grown(wanted, varying_outputs)

    # -- parts ---------------------------------------------------------------------------------

    def asked(self, marks: Marks) -> tuple[Loop, list[int], list[int]]:
        """The loop with the results that are asked for and what these need.

        With it come the places of the arguments and of the results that it has.
        """
        body, condition, sizes, inputs, outputs = asked_of_loop(
            self.body, self.condition, self.sizes, tuple(marks)
        )
        consts, carry = sizes
        part = replace(self, body=body, condition=condition, consts=consts, carry=carry)
        return part, inputs, outputs

    def runs(self, values: Row) -> bool:
        """Whether it is known that there is an iteration."""
        if self.condition is None:
            return bool(self.length)
        if any(type(x) is Tracer for x in values):
            return False
        return bool(self.condition.evaluate([*values])[0])

    # -- batches -------------------------------------------------------------------------------

    def batched(self, size: int, mapped: Marks) -> tuple[Loop, list[bool], list[bool]]:
        """The loop over all examples at once, and which arguments and results are mapped.

        Where the condition differs between examples the loop goes on until it holds for none, and
        leaves alone what has come to its end.
        """
        inputs, outputs = self.grown(mapped, affected_outputs)
        condition = self.condition
        if condition is None:
            body = batched(self.body, size, (False, *inputs), outputs)
            return replace(self, body=body), inputs, outputs

        def stopping(values: list[Any], outs: list[Any]) -> list[Any]:
            (going,) = condition.run(values[1:])
            old = values[1 + self.consts :]
            return [np.where(going, new, x) for new, x in zip(outs, old, strict=True)]

        differs = affected_outputs(condition, inputs)[0]
        if differs:
            inputs[self.consts :] = outputs = [True] * self.carry
        around = (stopping, "stopping") if differs else ()
        body = batched(self.body, size, (False, *inputs), outputs, *around)
        return replace(self, body=body, condition=of_any(condition, size, inputs)), inputs, outputs

    def to_batch(self, size: int, mapped: Marks, inputs: Marks, values: Row) -> list[Any]:
        """The arguments of the batched loop; scanned arrays have the mapped axis second."""
        consts, carry, xs = groups(list(zip(values, mapped, inputs, strict=True)), self.sizes)
        return [
            *(x for x, _, _ in consts),
            *(in_front(x, size, mapped=one) if marked else x for x, one, marked in carry),
            *(np.swapaxes(x, 0, 1) if one else x for x, one, _ in xs),
        ]

    # -- reverse mode --------------------------------------------------------------------------

    def split(self, wanted: Marks, reading: Reading | None = None) -> Split:
        """The body's forward part, and its linear part for any pattern of cotangents."""
        inputs, outputs = self.varying(wanted)
        consts, carry, xs = (len(group) for group in groups(inputs, self.sizes))
        free = [True] * (1 + consts) + [False] * carry + [True] * xs
        invariant = [False] + [True] * consts + [False] * (carry + xs)
        return split(self.body, (False, *inputs), outputs, free, invariant, reading)

    def reversed(self, parts: Split, seeded: Marks, zeros: Sequence[Zeros]) -> ReverseBody:
        """The body of the loop in the other direction, where these results have a cotangent.

        With it comes what that takes and returns.
        """
        last = self.indices[-1] if self.length else None
        given = Given(tuple(seeded), tuple(zeros), last, self.length == 1)
        return derived(
            self.body,
            ("reverse", parts.varying, parts.reading, given, *self.sizes),
            lambda: ReverseBody(parts, given, *self.sizes),
        )

    def backwards(
        self, back: ReverseBody, length: int | None, *, masks: bool
    ) -> tuple[Loop, list[int], list[int]]:
        """The loop in the other direction, for cotangents or for their masks; see `asked`."""
        whole = Loop(None, back.graph, *back.sizes, self.start or 0, length, not self.reverse)
        return whole.asked(back.asks(masks=masks))


# -- the primitives -------------------------------------------------------------------------------


def _repeat(*args: Any, loop: Loop) -> tuple[Any, ...]:
    """The last carry and the stacked results of a loop over the slices of arrays.

    Its pushforward is the loop that carries tangents along. Its pullback is a loop in the other
    direction, from the values that a forward loop keeps for it; with `checkpoint` see
    `loop_pullback`.
    """
    return apart(loop.evaluate([*args]), args)


def _repeat_while(*args: Any, loop: Loop) -> tuple[Any, ...]:
    """The last carry of a loop that goes on as long as a condition holds.

    Its pushforward is the loop that carries tangents along, its pullback `loop_pullback`. The
    number of iterations is locally constant.
    """
    return apart(loop.evaluate([*args]), args)


def _shape(*_args: Any, loop: Loop) -> tuple[Abstract, ...]:
    carry, ys = groups([Abstract.of(x) for x in loop.body.outputs], (loop.carry,))
    return (*carry, *(Abstract((loop.length, *y.shape), y.dtype) for y in ys))


def _layouts(args: Row, params: Params) -> list[Any]:
    loop: Loop = params["loop"]
    consts, carry, xs = groups(args, loop.sizes)
    inputs = loop.body.inputs[1 + loop.first_x :]
    slices = [_first_slice(x, y) for x, y in zip(xs, inputs, strict=True)]
    after, ys = groups(layouts_through(loop.body, [0, *consts, *carry, *slices]), (loop.carry,))
    before = [layout_of(x) for x in carry]
    if loop.length == 0:
        after = before
    elif loop.length != 1:
        after = [one if one == other else None for one, other in zip(before, after, strict=True)]
    return [*after, *[True] * len(ys)]


def _first_slice(x: Any, y: Variable) -> Any:
    """What lies in memory as the slices of a scanned array do."""
    memory = in_memory(x)
    if memory is None:
        return Variable(y.shape, y.dtype)
    return memory[0] if len(memory) else np.empty(y.shape, y.dtype)


def _batch(
    _primitive: Primitive, size: int, mapped: Marks, values: Row, params: Params
) -> tuple[Any, ...]:
    loop: Loop = params["loop"]
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


def _cost(costs: dict[str, Cost], *, loop: Loop) -> Cost:
    body = costs["body"]
    return body * loop.length if loop.condition is None else (costs["condition"] + body).once()


_STRUCTURE = Nested(
    _shape,
    _batch,
    cost=_cost,
    layouts=_layouts,
    take_over=lambda args, *, loop: loop.evaluate(args),
)
scan = rule(_repeat, _STRUCTURE, name="scan")(None)
while_loop = rule(_repeat_while, _STRUCTURE, name="while_loop")(None)
"""Their rule is set in `pullback.rules.control_flow.reversal`."""
