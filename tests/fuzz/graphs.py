"""Random programs of up to some 200 primitives, compiled: values and gradients."""

from __future__ import annotations

import contextlib
import sys
import time
import traceback
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import pullback as pb
from tests.compiler.speed import quickly
from tests.fuzz.graph_moves import ALL
from tests.fuzz.graph_steps import Draw, Step, UnfitError

__all__ = ["Graph", "draw", "fault_of", "run"]

SHAPES = [
    (),
    (1,),
    (3,),
    (4,),
    (2, 3),
    (3, 3),
    (1, 3),
    (2, 1),
    (0,),
    (2, 0),
    (5,),
    (2, 3, 2),
    (17,),
]
LENGTHS = [4, 10, 25, 60]
LARGEST = 400
MODERATE = 50.0


@dataclass
class Graph:
    """Steps on a growing list of values, which begins with the arguments."""

    arguments: list[Any]
    steps: list[Step] = field(default_factory=list)
    results: int = 4

    def values(self, *arguments: Any) -> list[Any]:
        """All values, in order."""
        values = list(arguments)
        for step in self.steps:
            values.append(step(values))
        return values

    def __call__(self, *arguments: Any) -> list[Any]:
        """The last values."""
        return self.values(*arguments)[-self.results :]

    def total(self, *arguments: Any) -> Any:
        """A number that all last values of floats go into."""
        return sum(
            np.sum(np.sin(value) * (k + 1.0))
            for k, value in enumerate(self.values(*arguments)[-8:])
            if np.result_type(value).kind == "f"
        )

    @property
    def floats(self) -> tuple[int, ...]:
        return tuple(k for k, x in enumerate(self.arguments) if x.dtype.kind == "f")

    def __str__(self) -> str:
        lines = [f"v{k} = {x!r}" for k, x in enumerate(self.arguments)]
        first = len(self.arguments)
        return "\n".join(lines + [f"v{first + k} = {step}" for k, step in enumerate(self.steps)])


def draw(seed: int) -> Graph:
    """The program of a number."""
    rng = np.random.default_rng(seed)
    arguments = []
    for _ in range(int(rng.integers(2, 5))):
        shape = SHAPES[int(rng.integers(len(SHAPES)))]
        arguments.append(np.asarray(rng.uniform(-2, 2, shape), rng.choice(["f8", "f8", "f4"])))
    arguments.append(np.asarray(rng.integers(-3, 6, SHAPES[int(rng.integers(len(SHAPES)))])))
    arguments.append(np.asarray(rng.random(SHAPES[int(rng.integers(len(SHAPES)))]) < 0.5))
    graph = Graph(arguments)
    draw = Draw(rng, list(arguments))
    length = LENGTHS[int(rng.integers(len(LENGTHS)))]
    names = sorted(ALL)
    for _ in range(20 * length):
        if len(graph.steps) == length:
            break
        name = names[int(rng.integers(len(names)))]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                step = Step(name, *ALL[name](draw))
                value = np.asarray(step(draw.values))
            except (UnfitError, IndexError, ValueError, np.linalg.LinAlgError):
                continue
        if value.size > LARGEST or not _is_moderate(value):
            continue
        graph.steps.append(step)
        draw.values.append(value)
    return graph


def _is_moderate(value: Any) -> bool:
    return value.dtype.kind == "b" or bool(np.all(np.abs(value) <= MODERATE))


def assert_compiled(graph: Graph) -> None:
    """The compiled program has NumPy's values, and its compiled gradient the eager one."""
    arguments = graph.arguments
    with np.errstate(all="ignore"):
        single = any(np.result_type(x) == np.float32 for x in graph.values(*arguments))
        rounding = 2.0**-23 if single else 2.0**-52
        _agree(graph, pb.compile(graph), arguments, rounding)
        if graph.floats and np.result_type(graph.total(*arguments)).kind == "f":
            derivative = pb.value_and_grad(graph.total, argnums=graph.floats)

            def gradient(*x: Any) -> list[Any]:
                value, bars = derivative(*x)
                return [value, *bars]

            _agree(gradient, pb.compile(gradient), arguments, rounding)


def _agree(function: Any, compiled: Any, arguments: list[Any], rounding: float) -> None:
    expected = function(*arguments)
    given = [x.copy() for x in arguments]
    got = compiled(*arguments)
    for x, kept in zip(arguments, given, strict=True):
        np.testing.assert_array_equal(x, kept, err_msg="an argument was written to")
    rng = np.random.default_rng(0)
    moved = [
        np.asarray(x * (1 + rounding * rng.choice([-4, 4], x.shape)), x.dtype)
        if x.dtype.kind == "f"
        else x
        for x in arguments
    ]
    near = function(*moved)
    for k, (a, b, c) in enumerate(zip(got, expected, near, strict=True)):
        a, b, c = map(np.asarray, (a, b, c))
        assert (a.dtype, a.shape) == (b.dtype, b.shape), (k, a.dtype, a.shape, b.dtype, b.shape)
        if b.dtype.kind != "f":
            np.testing.assert_array_equal(a, b, err_msg=f"result {k}")
            continue
        np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b), err_msg=f"result {k}")
        finite = np.isfinite(b)
        a, b, c = a[finite], b[finite], c[finite]
        scale = 1 + np.max(np.abs(b), initial=0.0)
        changed = np.max(np.abs(b - c), initial=0.0)
        bound = 2000 * rounding * scale + 100 * changed
        np.testing.assert_allclose(a, b, rtol=0, atol=bound, err_msg=f"result {k}")


def shrunk(graph: Graph, fails: Any) -> Graph:
    """The program without the steps that the fault does not need."""
    graph = Graph(graph.arguments, list(graph.steps), graph.results)
    k = len(graph.steps) - 1
    while k >= 0:
        place = len(graph.arguments) + k
        later = graph.steps[k + 1 :]
        if not any(place in step.operands for step in later):
            moved = [
                Step(s.name, s.function, tuple(o - (o > place) for o in s.operands), s.parameters)
                for s in later
            ]
            smaller = Graph(graph.arguments, graph.steps[:k] + moved, graph.results)
            if fails(smaller):
                graph = smaller
        k -= 1
    return graph


def fault_of(graph: Graph) -> str | None:
    """What is wrong with a program, if something is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            assert_compiled(graph)
        except Exception:
            return traceback.format_exc()
    return None


def run(seconds: float, seed: int) -> int:
    """Run programs from the number `seed` on, and print the smallest that show the faults.

    Every tenth is compiled as users have it, and the others quickly: what is wrong in the code that
    LLVM is given is wrong in both.
    """
    end = time.monotonic() + seconds
    first, faults, steps = seed, 0, 0
    while seed == first or time.monotonic() < end:
        graph = draw(seed)
        steps += len(graph.steps)
        with quickly() if seed % 10 else contextlib.nullcontext():
            text = fault_of(graph)
            if text is not None:
                faults += 1
                small = shrunk(graph, lambda each: fault_of(each) is not None)
                sys.stdout.write(f"graphs: number {seed}\n{small}\n{fault_of(small) or text}\n")
                sys.stdout.flush()
        seed += 1
    sys.stdout.write(f"graphs: {seed - first} programs of {steps} steps, {faults} faults\n")
    return faults
