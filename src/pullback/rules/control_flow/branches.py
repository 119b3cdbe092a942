"""Reverse mode of branches: what each keeps, in slots that all share, and its pullback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure.axes import Marks, Row
from pullback.core.zeros import Zeros
from pullback.graph.building import build, like
from pullback.graph.dependence import varying_outputs
from pullback.graph.graph import Graph
from pullback.rules.control_flow.derived import (
    both,
    derived,
    groups,
    marked,
    mask_like,
    zeros_like,
)
from pullback.rules.control_flow.idle import idle_inputs, idle_outputs, with_idle
from pullback.rules.control_flow.splitting import LinearPart, Split, split

__all__ = ["Branches", "Pattern", "pulled_branch", "sharing", "split_branch"]

Branches = tuple[Graph, ...]


def split_branch(branch: Graph, varying: tuple[bool, ...], seeded: tuple[bool, ...]) -> Split:
    """A branch; what it keeps of a large operand are the parts that are read."""
    own = both(seeded, varying_outputs(branch, varying))
    none = [False] * len(branch.inputs)
    return split(branch, varying, own, none, none)


def sharing(parts: Sequence[Split], count: int) -> tuple[Branches, list[dict[int, int]]]:
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


class Pattern(NamedTuple):
    """What the pullback of a branch takes and gives, as that of all others does.

    Attributes
    ----------
    seeded : tuple of bool
        Which results have a cotangent.
    zeros : tuple of Zeros
        What the zeros of these are.
    onto : tuple of bool
        Which arguments have a total.
    read : tuple of int
        Those that are read.
    told : tuple of bool
        Those of whose cotangents strong zeros are told.
    """

    seeded: tuple[bool, ...]
    zeros: tuple[Zeros, ...]
    onto: tuple[bool, ...]
    read: tuple[int, ...]
    told: tuple[bool, ...]

    @property
    def masked(self) -> Marks:
        """Which results have a cotangent with strong zeros, perhaps."""
        return tuple(
            seed and bool(kind) for seed, kind in zip(self.seeded, self.zeros, strict=True)
        )


def pulled_branch(
    branch: Graph,
    part: Split,
    linear: LinearPart,
    pattern: Pattern,
    slots: dict[int, int],
    kept: Row,
) -> Graph:
    """The pullback of a branch: from operands, what is kept, cotangents, masks of these and totals.

    It gives cotangents of what varies, and masks of those that are told.
    """
    row = tuple((shape_of(x), dtype_of(x)) for x in kept)
    seeded, masked, onto, read = pattern.seeded, pattern.masked, pattern.onto, pattern.read

    def make() -> Graph:
        graph = linear.graph(branch.name)
        sizes = (len(read), len(row), sum(seeded), sum(masked))

        def function(*args: Any) -> list[Any]:
            some, stored, bars, bar_masks, totals = groups(args, sizes)
            operands = dict(zip(read, some, strict=True))
            seeds, masks, started = (
                dict(zip((i for i, mark in enumerate(marks) if mark), xs, strict=True))
                for marks, xs in ((seeded, bars), (masked, bar_masks), (onto, totals))
            )
            values = [
                *(operands[i] for i in linear.reads),
                *linear.preamble.run([]),
                *(
                    operands[part.kept_inputs[i]] if i in part.kept_inputs else stored[slots[i]]
                    for i in linear.kept
                ),
                *(seeds[i] for i in linear.bars),
                *(masks[i] for i in linear.bar_masks),
                *(started[i] for i in linear.onto),
                *(np.zeros(x.shape, bool)[()] for x in linear.onto_masks.values()),
            ]
            outs = graph.run(values)
            count = len(linear.results)
            found = started | dict(zip(linear.results, outs[:count], strict=True))
            told = dict(zip(linear.masks, outs[count:], strict=True))
            return [
                *(
                    found[i] if i in found else zeros_like(x)
                    for i, x in enumerate(branch.inputs)
                    if part.varying[i]
                ),
                *(
                    told[i] if i in told else np.full(x.shape, i in linear.results)[()]
                    for i, x in enumerate(branch.inputs)
                    if pattern.told[i]
                ),
            ]

        own_names = branch.signature.names
        outs = marked(branch.outputs, seeded)
        inputs = [
            *(like(branch.inputs[i]) for i in read),
            *(like(Abstract(shape, dtype)) for shape, dtype in row),
            *(like(Abstract.of(x)) for x in outs),
            *map(mask_like, marked(branch.outputs, masked)),
            *map(like, marked(branch.inputs, onto)),
        ]
        names = [
            *(own_names[i] for i in read),
            *(f"kept{i}" for i in range(len(row))),
            *(f"out{i}_bar" for i, seed in enumerate(seeded) if seed),
            *(f"out{i}_bar_kept" for i, mask in enumerate(masked) if mask),
            *(f"{own_names[i]}_bar" for i, on in enumerate(onto) if on),
        ]
        used = {slots[i] for i in linear.kept if i in slots}
        rests, idle = idle_inputs(branch), idle_outputs(branch)
        return with_idle(
            build(function, inputs, f"{branch.name}_bar", names),
            [
                *(rests[i] for i in read),
                *(i not in used for i in range(len(row))),
                *marked(idle, seeded),
                *marked(idle, masked),
                *marked(rests, onto),
            ],
            [*marked(rests, part.varying), *marked(rests, pattern.told)],
        )

    key = ("pullback", part.varying, pattern, tuple(slots.items()), row)
    return derived(branch, key, make)
