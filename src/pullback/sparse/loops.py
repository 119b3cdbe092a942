"""The patterns of what loops return.

A loop of few steps is followed step by step, so that the pattern is exact. Of a longer one, and of
one of which nobody knows how often it runs, the body is followed once: what is carried depends on
all that it may come to depend on, after any number of iterations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from pullback.core.shapes import is_inexact
from pullback.graph.program import Program
from pullback.rules.control_flow.derived import groups
from pullback.rules.control_flow.loop import Loop
from pullback.sparse.mechanisms import State
from pullback.sparse.pattern import Pattern, csr, index_dtype, require_room

__all__ = ["MOST_STEPS", "follow_loop"]

MOST_STEPS = 20_000
"""Up to how many equations, over all iterations, a loop is followed step by step."""


class Follower(Protocol):
    """What carries patterns through programs: a `pullback.sparse.flow.Flow`."""

    inputs: int

    def run(self, program: Program, args: Sequence[State]) -> list[State]:
        """The states of the outputs of a program."""

    def of(self, inputs: int) -> Follower:
        """One for other inputs."""


def follow_loop(flow: Follower, loop: Loop, args: Sequence[State]) -> list[State]:
    """The states of the results of a loop."""
    most = MOST_STEPS // max(1, _equations(loop.body))
    if loop.condition is None and loop.length <= most:
        return _step_by_step(flow, loop, args, loop.indices)
    if loop.condition is not None and all(arg.value is not None for arg in args):
        found = _while_known(flow, loop, args, most)
        if found is not None:
            return found
    return _settled(flow, loop, args)


def _equations(program: Program) -> int:
    """How many equations there are, with those of graphs inside as often as they run, about."""
    total = 0
    for equation in program.equations:
        inner = sum(map(_equations, equation.graphs.values()))
        loop = equation.params.get("loop")
        times = loop.length if isinstance(loop, Loop) and loop.length is not None else 1
        total += 1 + times * inner
    return total


def _step_by_step(
    flow: Follower, loop: Loop, args: Sequence[State], indices: Sequence[int]
) -> list[State]:
    consts, carry, xs = groups(list(args), loop.sizes)
    rows: dict[int, Sequence[State]] = {}
    for index in indices:
        place = index - loop.start
        slices = [_slice(x, place) for x in xs]
        outs = flow.run(loop.body, [State((), None, index), *consts, *carry, *slices])
        carry, rows[place] = outs[: loop.carry], outs[loop.carry :]
    stacks = loop.body.outputs[loop.carry :]
    ys = [
        _stack([rows[i][k] for i in range(loop.length)], y, flow.inputs)
        for k, y in enumerate(stacks)
    ]
    return [*carry, *ys]


def _slice(x: State, i: int) -> State:
    pattern = None if x.pattern is None else x.pattern.item(i)
    return State(x.shape[1:], pattern, None if x.value is None else x.value[i])


def _stack(states: Sequence[State], y: Any, inputs: int) -> State:
    shape = (len(states), *y.shape)
    if all(state.pattern is None for state in states):
        known = states and all(state.value is not None for state in states)
        return State(shape, None, np.stack([x.value for x in states]) if known else None)
    patterns = [state.pattern or Pattern.empty(state.shape, inputs) for state in states]
    return State(shape, Pattern.stacked(patterns).reshaped(shape))


def _while_known(
    flow: Follower, loop: Loop, args: Sequence[State], most: int
) -> list[State] | None:
    """The same, as long as it is known whether there is another iteration; otherwise `None`."""
    assert loop.condition is not None
    consts, carry, _ = groups(list(args), loop.sizes)
    for index in range(most):
        (going,) = flow.run(loop.condition, [*consts, *carry])
        if going.value is None:
            return None
        if not going.value:
            return [*carry]
        carry = flow.run(loop.body, [State((), None, index), *consts, *carry])
    return None


# -- until nothing is added -----------------------------------------------------------------------


def _settled(flow: Follower, loop: Loop, args: Sequence[State]) -> list[State]:
    """The states, from the pattern of the body among its own arguments."""
    consts, carry, xs = groups(list(args), loop.sizes)
    inputs = loop.body.inputs[1:]
    given = [*consts, *carry, *xs]
    marks = [x.pattern is not None for x in given]
    places = range(loop.consts, loop.first_x)
    for i in places:
        marks[i] = is_inexact(inputs[i])
    starts = np.cumsum([0, *(x.size if mark else 0 for x, mark in zip(inputs, marks, strict=True))])
    total = int(starts[-1])
    own = [State(())]
    for i, (x, mark) in enumerate(zip(inputs, marks, strict=True)):
        labels = np.arange(starts[i] + 1, starts[i + 1] + 1, dtype=index_dtype(total))
        pattern = Pattern(x.shape, total, [labels.reshape(x.shape)]) if mark else None
        known = given[i].value if i < loop.consts and not mark else None
        own.append(State(x.shape, pattern, known))
    inner = flow.of(total)
    outs = [out.pattern or Pattern.empty(out.shape, total) for out in inner.run(loop.body, own)]

    def rows(i: int) -> Pattern:
        pattern = given[i].pattern
        if i >= loop.first_x and pattern is not None:
            pattern = pattern.over([0])
        return pattern or Pattern.empty(inputs[i].shape, flow.inputs)

    reached = {i: rows(i).csr() for i, mark in enumerate(marks) if mark}
    steps = {i: out.csr() for i, out in zip(places, outs, strict=False) if marks[i]}
    while True:
        everything = _vstack(reached, flow.inputs)
        before = everything.nnz
        for i, step in steps.items():
            reached[i] = reached[i] + step @ everything
        everything = _vstack(reached, flow.inputs)
        require_room(everything.nnz)
        if everything.nnz == before:
            break
    results = [
        State(given[i].shape, _of(reached[i], given[i].shape, flow.inputs) if marks[i] else None)
        for i in places
    ]
    for out, y in zip(outs[loop.carry :], loop.body.outputs[loop.carry :], strict=True):
        shape = (loop.length, *y.shape)
        results.append(
            State(shape, _stacked_results(out.csr(), everything, starts, xs, loop, flow, shape))
        )
    return results


def _stacked_results(
    out: Any, everything: Any, starts: Any, xs: Any, loop: Loop, flow: Follower, shape: Any
) -> Pattern:
    """What is stacked depends on slices of the same iteration, and on all else as in any."""
    from scipy.sparse import csr_array, eye_array, kron

    first = starts[loop.first_x]
    common = out[:, :first] @ everything[:first]
    require_room(common.nnz * loop.length)
    common.sort_indices()
    rows = np.tile(np.arange(common.shape[0]), loop.length)
    found = Pattern((len(rows),), flow.inputs, None, common).taken(rows + 1)
    for x, begin, end in zip(
        xs, starts[loop.first_x : -1], starts[loop.first_x + 1 :], strict=True
    ):
        if x.pattern is not None and end > begin:
            step = kron(eye_array(loop.length, dtype=np.bool_), out[:, begin:end], format="csr")
            more = x.pattern.reshaped((x.pattern.size,)).through(csr_array(step), found.shape)
            found = Pattern.union([found, more])
    return found.reshaped(shape)


def _vstack(parts: dict[int, Any], inputs: int) -> Any:
    patterns = [_of(parts[i], (parts[i].shape[0],), inputs) for i in sorted(parts)]
    if not patterns:
        return csr(np.zeros(0, np.int32), np.zeros(1, np.int64), (0, inputs))
    return Pattern.stacked(patterns).csr()


def _of(matrix: Any, shape: Any, inputs: int) -> Pattern:
    return Pattern(shape, inputs, None, matrix)
