"""The primitive of choices between branches: `switch`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from pullback.core.maps import Followed
from pullback.core.memory import apart, with_snapshots
from pullback.core.primitive import FullRule, Primitive, bind
from pullback.core.shapes import Abstract, shape_of
from pullback.core.structure import Nested
from pullback.core.structure.axes import Marks, Params, Row
from pullback.core.tracing import known, strip
from pullback.core.zeros import Zeros, stronger
from pullback.graph.cost import dearest
from pullback.graph.dependence import affected_outputs, varying_outputs
from pullback.graph.graph import Graph
from pullback.graph.layout import layouts_through
from pullback.rules.control_flow.asked import asked_of_branches
from pullback.rules.control_flow.branches import (
    Branches,
    Pattern,
    pulled_branch,
    sharing,
    split_branch,
)
from pullback.rules.control_flow.contents import leaves_out
from pullback.rules.control_flow.derived import (
    batched,
    both,
    marked,
    spread,
)
from pullback.rules.control_flow.idle import idle_inputs
from pullback.rules.control_flow.pushing import (
    Pushed,
    following,
    given,
    masked,
    pushed,
    with_masks,
)
from pullback.rules.control_flow.splitting import LinearPart
from pullback.rules.registration import rule
from pullback.transforms.batch import Unmapped
from pullback.transforms.masks import of_rows, zeros_of
from pullback.transforms.support import NOWHERE

__all__ = ["Branches", "switch"]

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


def _pushforward(
    values: Row, dots: Row, params: Params, supports: Row
) -> tuple[Row, Row, Callable[[Row], Row]]:
    branches: Branches = params["branches"]
    index, values, dots, supports = values[0], values[1:], dots[1:], supports[1:]
    dotted = tuple(dot is not None for dot in dots)
    wanted = _union([varying_outputs(branch, dotted) for branch in branches])

    def pushes(supports: Row) -> Pushed:
        zeros = tuple(map(zeros_of, supports))
        return _pushed(branches, index, dotted, zeros, wanted)

    def part(ours: Pushed, supports: Row, *, masks: bool) -> tuple[Row, Callable[[Row], Any]]:
        args = with_masks(values, dots, supports, ours.inputs)
        graphs: Any = ours.graph
        branches, inputs, outputs = asked_of_branches(graphs, ours.asks(masks=masks))

        def run(row: Row) -> list[list[Any]]:
            outs = bind(switch, tuple(given(row, alone=masks)), {"branches": branches})
            return ours.rows(outs, outputs)

        return [index, *(args[i] for i in inputs)], run

    def prepare(ours: Pushed, supports: Row) -> tuple[Row, Callable[[Row], Row]]:
        row, run = part(ours, supports, masks=True)
        return row, lambda row: run(row)[2]

    row, run = part(pushes(supports), supports, masks=False)
    outs, out_dots, _ = run(row)
    follow = following(pushes, prepare, (values, dots))
    return tuple(outs), tuple(out_dots), lambda supports: follow(supports[1:])


def _pushed(
    branches: Branches, index: Any, dotted: Marks, zeros: Sequence[Zeros], wanted: Marks
) -> Pushed:
    """The pushforwards of all branches, which tell the strong zeros of the same results."""
    own = [pushed(branch, dotted, zeros, wanted) for branch in branches]
    rows = [each.zeros for each in own]
    masked = tuple(map(bool, zeros)), tuple(map(bool, stronger(rows)))
    own = [pushed(branch, dotted, zeros, wanted, masked=masked) for branch in branches]
    graphs: Any = tuple(each.graph for each in own)
    return own[0]._replace(graph=graphs, zeros=tuple(_of_taken(rows, index)))


def _linearize(values: Row, wanted: Marks, params: Params) -> tuple[tuple[Any, ...], Followed]:
    """Each branch keeps what its own pullback reads, in slots that all branches share."""
    branches: Branches = params["branches"]
    varying = tuple(wanted[1:])
    seeded = tuple(_union([varying_outputs(branch, varying) for branch in branches]))
    parts = [split_branch(branch, varying, seeded) for branch in branches]
    count = len(seeded)
    forward, slots = sharing(parts, count)
    results = bind(switch, tuple(values), {"branches": forward})
    outs, kept = results[:count], results[count:]
    values = with_snapshots(values, wanted)

    def pull_onto(bars: Row, totals: Row, supports: Row) -> tuple[Row, Row]:
        present = tuple(bar is not None and seed for bar, seed in zip(bars, seeded, strict=True))
        if not any(present):
            return list(totals), (NOWHERE,) * len(totals)
        onto = tuple(v and x is not None for v, x in zip(varying, totals[1:], strict=True))
        zeros = tuple(map(zeros_of, supports))
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
        rows = list(map(_zeros, branches, own))
        told = tuple(map(bool, stronger(rows)))
        pattern = Pattern(present, zeros, onto, tuple(read), told)
        back = tuple(
            pulled_branch(branch, part, linear, pattern, row, kept)
            for branch, part, linear, row in zip(branches, parts, own, slots, strict=True)
        )
        started = marked(totals[1:], onto)
        args = (
            *(values[1 + i] for i in read),
            *kept,
            *marked(bars, present),
            *marked(map(masked, supports, bars), pattern.masked),
            *started,
        )

        def part(*, masks: bool) -> tuple[Row, Callable[[Row], Row]]:
            asks = [not masks] * sum(varying) + [masks] * sum(told)
            branches, inputs, _ = asked_of_branches(back, asks)

            def run(row: Row) -> Row:
                args = tuple(given(row, alone=masks))
                found: Row = bind(switch, args, {"branches": branches})
                return found

            return [values[0], *(args[i] for i in inputs)], run

        row, run = part(masks=False)
        found = [None, *spread(run(row), varying)]
        kinds = (Zeros.ORDINARY, *_of_taken(rows, values[0]))
        if not any(kinds):
            return found, (None,) * len(found)
        row, run = part(masks=True)
        return found, of_rows(lambda: [None, *spread(run(row), told)], kinds)

    def push_on(dots: Row, supports: Row) -> tuple[Row, Row]:
        _, out_dots, follow = _pushforward(values, dots, params, supports)
        return out_dots, follow(supports)

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
