"""Derivatives that wait for the values: of decompositions, while a program is recorded.

Whether some eigenvalues are equal decides on how the program that follows is differentiated, see
`pullback.rules.equal_values`, and a recording doesn't know. So it has both derivatives: that for
values that differ, and, as the branch of a choice that is taken where some are equal, the program
itself, to be differentiated when the values are there, as without a recording. Comparisons and
indices that the program has made of the vectors are those of the vectors as they were found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.memory import snapshot
from pullback.core.primitive import Primitive, bind
from pullback.core.running import grounded
from pullback.core.shapes import Abstract
from pullback.core.structure.axes import Row
from pullback.core.tracing import Tracer, is_number, known, strip
from pullback.graph.building import build, flat_graph, like
from pullback.graph.graph import Graph
from pullback.graph.variable import Variable
from pullback.rules.control_flow.at_values import Pulled, Pushed, Step, at_values
from pullback.rules.control_flow.choice import switch
from pullback.rules.control_flow.derived import marked, spread
from pullback.transforms.batch import MAPPED, Batch
from pullback.transforms.forward import Pushforward, Sparse
from pullback.transforms.linearization import Linearization
from pullback.transforms.tape import Operation, Output, Tape

__all__ = ["Postponed", "Undecided", "postpone"]


class Undecided(tuple[Any, ...]):
    """The results of a decomposition whose rule need not mind equal values."""

    __slots__ = ()


def postpone(
    interpreter: Pushforward | Tape, outs: tuple[Any, ...], condition: Callable[[], Any]
) -> tuple[Any, ...]:
    """The results of a decomposition, marked if its derivative waits.

    ``condition()`` tells whether some values are equal.
    """
    if interpreter.infinitesimal is None and (
        type(interpreter) is Pushforward or interpreter.log is not None  # type: ignore[union-attr]
    ):
        interpreter.infinitesimal = Postponed()
    postponed = interpreter.infinitesimal
    if type(postponed) is not Postponed:
        return outs
    postponed.conditions.append(condition)
    return Undecided(outs)


class Postponed:
    """The decompositions of a program that is differentiated; what an `Infinitesimal` is to it

    where values are known.
    """

    __slots__ = ("conditions", "operations", "places")

    def __init__(self) -> None:
        self.conditions: list[Callable[[], Any]] = []
        self.operations: list[tuple[Primitive, list[Any], list[Any], dict[str, Any], Any]] = []
        self.places: dict[tuple[int, int], tuple[int, int]] = {}

    def condition(self) -> Any:
        """Whether there are equal values in any of the decompositions, of any example."""
        found: Any = False
        for condition in self.conditions:
            each = condition()
            while type(each) is Tracer and type(each._interpreter) is Batch:
                each = np.any(each._value) if each._payload is MAPPED else each._value
            found = np.logical_or(found, each)
        return found

    def settled(self, x: Any) -> Any:
        """A value, which is the same in any case."""
        return x

    # -- as it runs, in forward mode -----------------------------------------------------------

    def scaled(self, dot: Any) -> Any:
        """A tangent as it is carried."""
        return dot

    def ran(
        self,
        primitive: Primitive,
        values: list[Any],
        dots: list[Any],
        params: dict[str, Any],
        results: Any,
    ) -> None:
        """Told of an operation from the first decomposition on; results are tracers."""
        values = [snapshot(x) if dot is None else x for x, dot in zip(values, dots, strict=True)]
        row = results if primitive.multiple else (results,)
        pairs = [(x._value, _tangent(x)) if type(x) is Tracer else (x, None) for x in row]
        for place, (value, dot) in enumerate(pairs):
            if dot is not None:
                self.places[id(value), id(dot)] = len(self.operations), place
        self.operations.append((primitive, values, dots, params, pairs))

    def left(self, value: Any, dot: Any) -> Any:
        """The tangent of a result."""
        place = self.places.get((id(value), id(dot)))
        if dot is None or place is None:
            return dot
        reads, wanted, varying = _Reads(), set(), {}
        pending = [place[0]]
        while pending:
            number = pending.pop()
            if number in wanted:
                continue
            wanted.add(number)
            _, values, dots, _, _ = self.operations[number]
            for x, x_dot in zip(values, dots, strict=True):
                source = self.places.get((id(x), id(x_dot)))
                if x_dot is None:
                    reads.note(x)
                elif source is not None and source[0] < number:
                    pending.append(source[0])
                else:
                    varying[id(x), id(x_dot)] = x, x_dot

        def run(given: list[Any], read: Callable[[Any], Any]) -> list[Any]:
            arguments = dict(zip(varying, given, strict=True))
            outs: dict[int, Any] = {}

            def argument(x: Any, x_dot: Any, number: int) -> Any:
                if x_dot is None:
                    return read(x)
                source = self.places.get((id(x), id(x_dot)))
                if source is not None and source[0] < number:
                    return outs[source[0]][source[1]]
                return arguments[id(x), id(x_dot)]

            for number in sorted(wanted):
                primitive, values, dots, params, _ = self.operations[number]
                row = [argument(x, d, number) for x, d in zip(values, dots, strict=True)]
                out = primitive(*row, **params)
                outs[number] = out if primitive.multiple else (out,)
            return [outs[place[0]][place[1]]]

        points = [x for x, _ in varying.values()]
        body = reads.program(points, run)
        step = Pushed((*(True,) * len(points), *(False,) * len(reads.values)))
        args = [*points, *reads.values, *(x_dot for _, x_dot in varying.values())]
        return self._chosen([dot], args, body, step)[0]

    # -- after it has run ----------------------------------------------------------------------

    def push(self, linear: Linearization, dots: Sequence[Any]) -> list[Any]:
        """The tangents of a linearisation's outputs."""
        found = linear.pushed(dots)
        there = [dot is not None for dot in found]
        dotted = tuple(dot is not None for dot in dots)
        program = _program(linear, there)
        if program is None or not any(there):
            return found
        body, values, reads = program
        args = [*values, *reads, *marked(dots, dotted)]
        step = Pushed((*dotted, *(False,) * len(reads)))
        return spread(self._chosen(marked(found, there), args, body, step), there)

    def pull(
        self, linear: Linearization, seeds: Sequence[Any], *, once: bool, onto: Sequence[Any]
    ) -> list[Any]:
        """The cotangents of a linearisation's inputs."""
        return self.decided(linear, seeds, onto, linear.pulled(seeds, once=False, onto=onto))

    def decided(
        self, linear: Linearization, seeds: Sequence[Any], onto: Sequence[Any], found: list[Any]
    ) -> list[Any]:
        """The same, if those are `found` that are right where no values are equal."""
        wanted = tuple(bar is not None for bar in found)
        varying = [output is not None for output in linear.outputs]
        seeds = marked(seeds, varying)
        seeded = tuple(seed is not None for seed in seeds)
        program = _program(linear, varying)
        if program is None or not any(wanted) or not any(seeded):
            return found
        body, values, reads = program
        totals = onto or [None] * len(found)
        started = tuple(x is not None and want for x, want in zip(totals, wanted, strict=True))
        rest = (False,) * len(reads)
        step = Pulled((*wanted, *rest), seeded, (*started, *rest))
        args = [*values, *reads, *marked(seeds, seeded), *marked(totals, started)]
        return spread(self._chosen(marked(found, wanted), args, body, step), wanted)

    def _chosen(self, found: list[Any], args: list[Any], body: Graph, step: Step) -> list[Any]:
        """What is found, or, where some values are equal, what the step does to a program."""
        needed = self.condition()
        params = {"body": body, "steps": (step,)}
        if known(needed):
            return list(bind(at_values, (True, *args), params)) if strip(needed) else found
        operands = [*found, needed, *args]
        count = len(found)
        first, second = ([_like(x) for x in operands] for _ in range(2))
        names = [f"x{i}" for i in range(len(operands))]
        branches = (
            flat_graph("different_values", first, {}, [], first[:count], names),
            build(lambda *row: bind(at_values, row[count:], params), second, "equal_values", names),
        )
        index = np.where(needed, 1, 0)
        return list(bind(switch, (index, *operands), {"branches": branches}))


class _Reads:
    """The traced values of outer levels that a program reads."""

    def __init__(self) -> None:
        self.found: dict[tuple[int, int], Any] = {}

    @property
    def values(self) -> list[Any]:
        return list(self.found.values())

    def note(self, x: Any) -> None:
        if type(x) is Tracer and not grounded(x):
            self.found[id(x._value), id(x._payload)] = x

    def program(
        self, points: Sequence[Any], run: Callable[[list[Any], Callable[[Any], Any]], list[Any]]
    ) -> Graph:
        """The graph of what `run` does with points and with what it reads of these values."""

        def function(*args: Any) -> list[Any]:
            there = dict(zip(self.found, args[len(points) :], strict=True))

            def read(x: Any) -> Any:
                return there.get((id(x._value), id(x._payload)), x) if type(x) is Tracer else x

            return run(list(args[: len(points)]), read)

        inputs = list(map(_like, (*points, *self.values)))
        names = [f"x{i}" for i in range(len(inputs))]
        return build(function, inputs, "decomposing", names, advise=False)


def _program(linear: Linearization, there: Sequence[bool]) -> tuple[Graph, Row, Row] | None:
    """A recorded program, its arguments, and what else it reads; `None` if that is not known.

    It gives those of the outputs that are `there`.
    """
    log = linear.log
    if log is None or any(x not in log for x in linear.inputs):
        return None
    operations = [node for node in linear.nodes if type(node) is Operation]
    if any(node not in log for node in operations):
        return None
    reads = _Reads()
    for node in operations:
        for x, parent in zip(log[node], node.parents, strict=True):
            if parent is None:
                reads.note(x)

    def run(args: list[Any], read: Callable[[Any], Any]) -> list[Any]:
        found: dict[Any, Any] = dict(zip(linear.inputs, args, strict=True))
        for node in linear.nodes:
            if type(node) is Operation:
                pairs = zip(log[node], node.parents, strict=True)
                row = [read(x) if parent is None else found[parent] for x, parent in pairs]
                found[node] = node.primitive(*row, **node.params)
            elif type(node) is Output:
                found[node] = found[node.parents[0]][node.position]
        return [found[node] for node in marked(linear.outputs, there)]

    points = [log[node] for node in linear.inputs]
    return reads.program(points, run), points, reads.values


def _tangent(x: Tracer) -> Any:
    return x._payload.dot if type(x._payload) is Sparse else x._payload


def _like(x: Any) -> Variable:
    """A variable that stands for a value."""
    variable = like(Abstract.of(x))
    variable.number = is_number(x)
    return variable
