"""The primitive of choices between branches: `switch`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from pullback.core.maps import Followed
from pullback.core.memory import apart, with_snapshots
from pullback.core.primitive import FullRule, Primitive, bind
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Nested
from pullback.core.structure.axes import Marks, Params, Row
from pullback.core.tracing import known, strip
from pullback.core.zeros import Zeros, stronger
from pullback.graph.building import build, like
from pullback.graph.cost import dearest
from pullback.graph.dependence import affected_outputs, varying_outputs
from pullback.graph.graph import Graph
from pullback.graph.layout import layouts_through
from pullback.rules.control_flow.contents import leaves_out, wants_values
from pullback.rules.control_flow.derived import (
    batched,
    both,
    derived,
    groups,
    interleave,
    marked,
    pull,
    push,
    pushed,
    spread,
    zeros_like,
)
from pullback.rules.control_flow.idle import idle_inputs, idle_outputs, with_idle
from pullback.rules.control_flow.splitting import LinearPart, Split, split
from pullback.rules.registration import rule
from pullback.transforms.batch import Unmapped

__all__ = ["Branches", "switch"]

Branches = tuple[Graph, ...]

T = TypeVar("T")


def _value(*args: Any, **params: Any) -> tuple[Any, ...]:
    """The results of the branch of this number, clipped to the range of branches.

    Its linear maps are those of the branch. The number is locally constant.
    """
    return apart(_take_over([*args], **params), args)


def _take_over(args: list[Any], *, branches: Branches) -> tuple[Any, ...]:
    index = int(args.pop(0))
    return tuple(branches[min(max(index, 0), len(branches) - 1)].evaluate(args))


def _shape(*_args: Any, branches: Branches) -> tuple[Abstract, ...]:
    return tuple(map(Abstract.of, branches[0].outputs))


def _union(rows: Sequence[Marks]) -> list[bool]:
    return [any(column) for column in zip(*rows, strict=True)]


def _batch(
    primitive: Primitive, size: int, mapped: Marks, values: Row, params: Params
) -> tuple[Any, ...]:
    branches: Branches = params["branches"]
    index, operands = values[0], values[1:]
    wanted = _union([affected_outputs(branch, mapped[1:]) for branch in branches])
    if not mapped[0]:
        many = tuple(batched(branch, size, mapped[1:], wanted) for branch in branches)
        outs = primitive(index, *operands, branches=many)
        return tuple(out if mark else Unmapped(out) for out, mark in zip(outs, wanted, strict=True))
    # Each example chooses: all branches are evaluated.
    everywhere = [True] * len(wanted)
    index = np.clip(index, 0, len(branches) - 1)
    many = tuple(batched(branch, size, mapped[1:], everywhere) for branch in branches)
    choices = [branch.run(list(operands)) for branch in many]
    results = []
    for column in zip(*choices, strict=True):
        result = column[-1]
        rank = len(shape_of(result))
        place = np.reshape(index, (size, *(1,) * (rank - 1)))
        for number in range(len(branches) - 2, -1, -1):
            result = np.where(place == number, column[number], result)
        results.append(result)
    return tuple(results)


def _pushforward(values: Row, dots: Row, params: Params, zeros: Row) -> tuple[Row, Row, Row]:
    branches: Branches = params["branches"]
    branch = _taken(branches, values[0])
    if branch is not None and wants_values(branch, values, dots):
        return push(branch, values[1:], dots[1:], zeros)
    dotted = [dot is not None for dot in dots[1:]]
    wanted = _union([varying_outputs(branch, dotted) for branch in branches])
    rows = [pushed(branch, dotted, zeros[1:], wanted) for branch in branches]
    graphs, kinds = zip(*rows, strict=True)
    args = interleave(values[1:], dots[1:], dotted, ())
    outs = bind(switch, (values[0], *args), {"branches": graphs})
    count = len(wanted)
    return outs[:count], tuple(spread(outs[count:], wanted)), _of_taken(kinds, values[0])


def _linearize(values: Row, wanted: Marks, params: Params) -> tuple[tuple[Any, ...], Followed]:
    """Each branch keeps what its own pullback reads, in slots that all branches share."""
    branches: Branches = params["branches"]
    varying = tuple(wanted[1:])
    seeded = tuple(_union([varying_outputs(branch, varying) for branch in branches]))
    parts = [_split(branch, varying, seeded) for branch in branches]
    count = len(seeded)
    forward, slots = _sharing(parts, count)
    results = bind(switch, tuple(values), {"branches": forward})
    outs, kept = results[:count], results[count:]
    values = with_snapshots(values, wanted)

    def pull_onto(bars: Row, totals: Row, zeros: Row) -> tuple[Row, Row]:
        branch = _taken(branches, values[0])
        if branch is not None and wants_values(branch, values, bars, totals):
            found, kinds = pull(branch, values[1:], varying, bars, totals[1:], zeros)
            return [None, *found], (Zeros.ORDINARY, *kinds)
        present = tuple(bar is not None and seed for bar, seed in zip(bars, seeded, strict=True))
        if not any(present):
            return list(totals), (Zeros.EVERYWHERE,) * len(totals)
        onto = tuple(v and x is not None for v, x in zip(varying, totals[1:], strict=True))
        zeros = tuple(zeros)
        own = [part.linear(both(present, part.seeded), zeros, onto) for part in parts]
        read = sorted(
            {i for linear in own for i in linear.reads}
            | {
                part.kept_inputs[i]
                for linear, part in zip(own, parts, strict=True)
                for i in linear.kept
                if i in part.kept_inputs
            }
        )
        back = tuple(
            _pullback(branch, part, linear, (present, zeros, onto, tuple(read)), row, kept)
            for branch, part, linear, row in zip(branches, parts, own, slots, strict=True)
        )
        operands = [values[1 + i] for i in read]
        started = marked(totals[1:], onto)
        args = (values[0], *operands, *kept, *marked(bars, present), *started)
        found = [None, *spread(bind(switch, args, {"branches": back}), varying)]
        rows = list(map(_zeros, branches, own))
        return found, (Zeros.ORDINARY, *_of_taken(rows, values[0]))

    def push_on(dots: Row, zeros: Row) -> tuple[Row, Row]:
        return _pushforward(values, dots, params, zeros)[1:]

    masks = any(map(leaves_out, branches))
    return outs, Followed(push_on, pull_onto, (len(values), count), masks=masks)


def _zeros(branch: Graph, linear: LinearPart) -> list[Zeros]:
    """What the zeros are of the cotangents from a branch, which has some for what it leaves out."""
    return [
        Zeros.ORDINARY if rests else linear.zeros[i] if i in linear.results else Zeros.EVERYWHERE
        for i, rests in enumerate(idle_inputs(branch))
    ]


def _of_taken(rows: Sequence[Sequence[Zeros]], index: Any) -> Sequence[Zeros]:
    """The zeros that the branch of this number has; the strongest of all, if it isn't known."""
    return _taken(rows, index) or stronger(rows)


def _taken(branches: Sequence[T], index: Any) -> T | None:
    """The branch of this number, if it is known and the same for all examples."""
    index = strip(index)
    if not known(index) or np.ndim(index):
        return None
    return branches[min(max(int(index), 0), len(branches) - 1)]


def _split(branch: Graph, varying: tuple[bool, ...], seeded: tuple[bool, ...]) -> Split:
    """A branch; what it keeps of a large operand are the parts that are read."""
    own = both(seeded, varying_outputs(branch, varying))
    none = [False] * len(branch.inputs)
    return split(branch, varying, own, none, none)


def _sharing(parts: Sequence[Split], count: int) -> tuple[Branches, list[dict[int, int]]]:
    """Branches that return what each keeps, after its `count` outputs, in slots of one row.

    In a slot that a branch doesn't use it returns zeros. With them comes where each branch puts
    each value that it keeps; operands, which are there, it doesn't.
    """
    row: list[Abstract] = []
    slots = []
    alike: dict[Any, list[int]] = {}  # the slots of each shape and dtype
    for part in parts:
        mine: dict[int, int] = {}
        used: dict[Any, int] = {}
        for number, x in enumerate(map(Abstract.of, part.forward.outputs[count:])):
            if number in part.kept_inputs:
                continue
            kind = x.shape, x.dtype
            places, taken = alike.setdefault(kind, []), used.get(kind, 0)
            if taken == len(places):
                places.append(len(row))
                row.append(x)
            mine[number], used[kind] = places[taken], taken + 1
        slots.append(mine)
    return tuple(
        _in_slots(part, count, row, mine) for part, mine in zip(parts, slots, strict=True)
    ), slots


def _in_slots(part: Split, count: int, row: Sequence[Abstract], slots: dict[int, int]) -> Graph:
    graph = part.forward
    key = ("slots", count, tuple(slots.items()), tuple((x.shape, x.dtype) for x in row))

    def make() -> Graph:
        def function(*args: Any) -> list[Any]:
            outs = graph.run(list(args))
            own = {place: outs[count + number] for number, place in slots.items()}
            kept = [own[i] if i in own else zeros_like(x) for i, x in enumerate(row)]
            return [*outs[:count], *kept]

        inputs = [like(x) for x in graph.inputs]
        used = set(slots.values())
        return with_idle(
            build(function, inputs, graph.name, graph.signature.names),
            idle_inputs(part.body),
            [*idle_outputs(part.body), *(i not in used for i in range(len(row)))],
        )

    return derived(graph, key, make)


def _pullback(
    branch: Graph,
    part: Split,
    linear: LinearPart,
    pattern: tuple[Marks, Sequence[Zeros], Marks, Sequence[int]],
    slots: dict[int, int],
    kept: Row,
) -> Graph:
    """The pullback of a branch, from operands, what is kept, cotangents and totals.

    The pattern tells which results have a cotangent, with which zeros; which arguments have a
    total; and which of them are read.
    """
    seeded, _, onto, read = pattern
    row = tuple((shape_of(x), dtype_of(x)) for x in kept)

    def make() -> Graph:
        graph = linear.graph(branch.name)
        sizes = (len(read), len(row), sum(seeded))

        def function(*args: Any) -> list[Any]:
            some, stored, bars, totals = groups(args, sizes)
            operands = dict(zip(read, some, strict=True))
            given = dict(zip((i for i, seed in enumerate(seeded) if seed), bars, strict=True))
            started = dict(zip((i for i, on in enumerate(onto) if on), totals, strict=True))
            values = [
                *(operands[i] for i in linear.reads),
                *linear.preamble.run([]),
                *(
                    operands[part.kept_inputs[i]] if i in part.kept_inputs else stored[slots[i]]
                    for i in linear.kept
                ),
                *(given[i] for i in linear.bars),
                *(started[i] for i in linear.onto),
            ]
            found = started | dict(zip(linear.results, graph.run(values), strict=True))
            return [
                found[i] if i in found else zeros_like(x)
                for i, x in enumerate(branch.inputs)
                if part.varying[i]
            ]

        own_names = branch.signature.names
        outs = marked(branch.outputs, seeded)
        inputs = [
            *(like(branch.inputs[i]) for i in read),
            *(like(Abstract(shape, dtype)) for shape, dtype in row),
            *(like(Abstract.of(x)) for x in outs),
            *map(like, marked(branch.inputs, onto)),
        ]
        names = [
            *(own_names[i] for i in read),
            *(f"kept{i}" for i in range(len(row))),
            *(f"out{i}_bar" for i, seed in enumerate(seeded) if seed),
            *(f"{own_names[i]}_bar" for i, on in enumerate(onto) if on),
        ]
        used = {slots[i] for i in linear.kept if i in slots}
        rests = idle_inputs(branch)
        return with_idle(
            build(function, inputs, f"{branch.name}_bar", names),
            [
                *(rests[i] for i in read),
                *(i not in used for i in range(len(row))),
                *marked(idle_outputs(branch), seeded),
                *marked(rests, onto),
            ],
            marked(rests, part.varying),
        )

    key = ("pullback", part.varying, pattern, tuple(slots.items()), row)
    return derived(branch, key, make)


def _layouts(args: Row, params: Params) -> list[Any]:
    """What all branches agree on."""
    rows = [layouts_through(branch, args[1:]) for branch in params["branches"]]
    return [row[0] if len(set(row)) == 1 else None for row in zip(*rows, strict=True)]


switch = rule(
    _value,
    Nested(
        _shape,
        _batch,
        cost=lambda costs, **_: dearest(costs.values()),
        layouts=_layouts,
        take_over=_take_over,
    ),
    name="switch",
)(FullRule(_pushforward, _linearize, follows=True))
