"""A loop run on plain arrays, forth and back, with as many of its states kept as is asked for.

Where to keep them while a chain of steps is reversed is told by the binomial schedule.

A chain of n steps takes state 0 to state n. Its reversal visits the steps n − 1, …, 0, and for
each of them needs the state that the step starts from. With room for s states, the others are
evaluated again from the nearest earlier one that was kept.

If no step may be evaluated more than r times, at most β(s, r) = C(s + r, s) steps can be reversed:
the first snapshot after the start is best set where the steps before it form such a chain for
(s, r − 1) and those behind it one for (s − 1, r), and β(s, r) = β(s, r − 1) + β(s − 1, r).

Counted from a run that produces state n, and needs all n steps for it, a reversal is that of a
chain of n + 1 steps of which the last belongs to whoever asks for the derivative: when its turn
comes, state n is at hand, and what it has to say is the cotangent.

Source: A. Griewank and A. Walther, Algorithm 799: revolve, ACM Trans. Math. Software 26 (2000).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import comb, isqrt
from typing import Any, TypeVar

import numpy as np

from pullback.core.structure.axes import Row
from pullback.graph.graph import Graph
from pullback.rules.control_flow.derived import derived, groups, part_of
from pullback.rules.control_flow.loop import Loop
from pullback.rules.control_flow.pushing import given
from pullback.rules.control_flow.reverse_body import Arguments, ReverseBody
from pullback.rules.control_flow.splitting import Split

__all__ = [
    "advanced",
    "back",
    "evaluations",
    "first_sweep",
    "forth",
    "snapshots",
    "square_root",
    "states",
]

S = TypeVar("S")


def first_sweep(length: int, snapshots: int) -> list[int]:
    """The steps, from 0 on, before which the run that produces state n keeps its state.

    No more than s ≥ 1 states, `snapshots`, may be kept at a time, state 0 among them. With the
    states before these steps `states` starts.
    """
    kept = [0] if length else []
    _descend(kept, length + 1, min(snapshots, length))
    return kept


def states(
    length: int, snapshots: int, kept: list[S], advance: Callable[[S, int, int], S]
) -> Iterator[S]:
    """The state before each step, from the last step to the first.

    Parameters
    ----------
    length, snapshots : int
        As for `first_sweep`.
    kept : list
        The states before the steps of `first_sweep`. It has what is kept at any time, and is
        used up.
    advance : callable
        ``advance(state, start, stop)`` evaluates the steps ``start, …, stop - 1`` from the state
        before the first of them, which it leaves as it is, and returns the state after the last.

    Examples
    --------
    >>> def advance(state, start, stop):
    ...     print(f"from {start} to {stop}")
    ...     return stop
    >>> for state in states(4, 2, [*first_sweep(4, 2)], advance):
    ...     print(f"before step {state}")
    from 3 to 3
    before step 3
    from 0 to 1
    from 1 to 2
    before step 2
    from 1 to 1
    before step 1
    from 0 to 0
    before step 0
    """
    snapshots = min(snapshots, length)
    steps = first_sweep(length, snapshots)
    for step in reversed(range(length)):
        if steps[-1] > step:
            steps.pop()
            kept.pop()
        _descend(steps, step + 1, snapshots)
        for number in range(len(kept), len(steps)):
            kept.append(advance(kept[-1], steps[number - 1], steps[number]))
        yield advance(kept[-1], steps[-1], step)


def evaluations(length: int, snapshots: int) -> int:
    """How often a step is evaluated, in all, to produce state n and to reverse the chain.

    r (n + 1) − C(s + r, r − 1), where r is the least number with n + 1 ≤ C(s + r, r), is the fewest
    possible. It counts the n evaluations of the run that produces state n, and those of `states`;
    it does not count what is evaluated of each step to linearise it.
    """
    if not length:
        return 0
    r = _repetitions(length + 1, snapshots)
    return r * (length + 1) - comb(snapshots + r, r - 1)


def square_root(length: int) -> int:
    """The fewest snapshots with which every step is evaluated at most once more than it must.

    That is the least s ≥ 1 with n + 1 ≤ C(s + 2, 2), about √(2n). Snapshots at equal distances √n
    and, on the way back, every state between two of them would be 2√n states for the same number of
    evaluations.
    """
    # C(s + 2, 2) ≥ n + 1 says (2s + 3)² ≥ 8n + 9.
    return max(1, (isqrt(8 * length + 8) - 1) // 2)


def _descend(kept: list[int], stop: int, snapshots: int) -> None:
    """Append the states to keep on the way from the last of `kept` to the step before `stop`."""
    while len(kept) < snapshots and stop - kept[-1] > 1:
        kept.append(kept[-1] + _distance(stop - kept[-1], snapshots - len(kept) + 1))


def _distance(length: int, snapshots: int) -> int:
    """How far behind the start of a chain the next of at least two snapshots is best set.

    As far as it can be: the steps before it are at most the β(s, r − 1) that do with fewer than r
    repetitions, those behind it at least the β(s − 1, r − 1) that r repetitions are worth.
    """
    repetitions = _repetitions(length, snapshots)
    before, behind = (comb(s + repetitions - 1, s) for s in (snapshots, snapshots - 1))
    return min(before, length - behind)


def _repetitions(length: int, snapshots: int) -> int:
    """The least r with length ≤ β(s, r)."""
    repetitions, reach = 0, 1
    while reach < length:
        repetitions += 1
        reach = reach * (snapshots + repetitions) // repetitions
    return repetitions


# -- a loop on plain arrays, forth and back -------------------------------------------------------


def forth(loop: Loop, parts: Split, values: Row) -> tuple[tuple[Any, ...], list[list[Any]]]:
    """The loop's results, and what is kept for the way back.

    That is a row of values for each iteration, or the states in the schedule's slots.
    """
    consts, first, xs = groups(values, loop.sizes)
    carry = [*first]
    if loop.condition is not None:
        rows = [row for _, row in loop.iterations(consts, carry, (), parts.forward)]
        return tuple(carry), rows
    kept, room = [], loop.stacks()
    steps = set(first_sweep(loop.length, snapshots(loop)))
    run = loop.iterations(consts, carry, xs)
    for step in range(loop.length):
        if step in steps:
            kept.append([*carry])
        index, ys = next(run)
        loop.stack(room, index, ys)
    return (*carry, *room), kept


def back(
    loop: Loop, parts: Split, body: ReverseBody, arguments: Arguments, *, masks: bool
) -> tuple[Row, list[int]]:
    """What the reverse loop returns, and at which of its places; for cotangents or for their masks.

    What is kept is what `forth` has kept; it is used up.
    """
    values, kept, bars, totals, supports = arguments
    if loop.condition is None:
        length, rows = loop.length, Rows(_recomputed(loop, parts, values, kept))
    else:
        length, rows = len(kept), Rows(kept.pop() for _ in range(len(kept)))
    columns = [Column(rows, number) for number in range(len(parts.keeping.outputs))]
    with np.errstate(all="ignore"):
        backwards, inputs, outputs = loop.backwards(body, length, masks=masks)
        row = (values, columns, bars, totals, supports)
        args = given(body.arguments(row, inputs, runs=length > 0))
        return backwards.evaluate(args), outputs


class Rows:
    """What is kept of each iteration, from the last to the first."""

    def __init__(self, rows: Iterator[list[Any]]) -> None:
        self._rows = rows
        self._row: list[Any] = []
        self._place: int | None = None

    def take(self, place: int, number: int) -> Any:
        """One value of an iteration; the caller is the only one who has it then."""
        if place != self._place:
            self._place, self._row = place, next(self._rows)
        value, self._row[number] = self._row[number], None
        return value


@dataclass
class Column:
    """One value of each row: what a loop scans that goes from the last iteration to the first."""

    rows: Rows
    number: int

    def __getitem__(self, place: int) -> Any:
        return self.rows.take(place, self.number)


def _recomputed(
    loop: Loop, parts: Split, values: Row, kept: list[list[Any]]
) -> Iterator[list[Any]]:
    """What each iteration has to keep, from the last to the first."""
    consts, _, xs = groups(values, loop.sizes)
    indices, onwards = loop.indices, advanced(loop)

    def inputs(step: int, state: list[Any]) -> list[Any]:
        index = indices[step]
        return [index, *consts, *state, *(x[index - loop.start] for x in xs)]

    def advance(state: list[Any], start: int, stop: int) -> list[Any]:
        state = [*state]
        for step in range(start, stop):
            given = inputs(step, state)
            state.clear()
            state = onwards.evaluate(given)
        return state

    before = states(loop.length, snapshots(loop), kept, advance)
    for step, state in zip(reversed(range(loop.length)), before, strict=True):
        given = inputs(step, state)
        state.clear()
        yield parts.keeping.evaluate(given)


def snapshots(loop: Loop) -> int:
    """How many states are kept, the first among them, which is there anyway."""
    return 1 + (square_root(loop.length) if loop.checkpoint == "sqrt" else loop.checkpoint)


def advanced(loop: Loop) -> Graph:
    """The body without what it stacks."""
    body, everything = loop.body, range(len(loop.body.inputs))
    key = ("advanced", loop.carry)
    return derived(body, key, lambda: part_of(body, everything, range(loop.carry)))
