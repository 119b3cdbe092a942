"""Graphs derived from the graph of a body: pushed forward, and batched.

What is derived is made once for each pattern of arguments and stays with the body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.singular import watch
from pullback.core.tracing import Tracer
from pullback.graph.building import build, like
from pullback.graph.graph import Graph
from pullback.graph.variable import Variable
from pullback.rules.strictness import is_strict
from pullback.transforms.arguments import lower
from pullback.transforms.batch import MAPPED, Batch
from pullback.transforms.forward import Pushforward
from pullback.transforms.support import of_seed

__all__ = [
    "batched",
    "derived",
    "groups",
    "interleave",
    "marked",
    "pushed",
    "separate",
    "spread",
    "zeros_like",
]

T = TypeVar("T")


def derived(graph: Graph, key: tuple[Any, ...], make: Callable[[], T]) -> T:
    """What `make` returns, made once for each graph and key."""
    found: T
    key = (watch.looks is not None and is_strict(), *key)
    if key in graph.derived:
        found = graph.derived[key]
    else:
        found = graph.derived[key] = make()
    return found


def groups(values: Sequence[T], sizes: Sequence[int]) -> Iterator[Sequence[T]]:
    """The values in consecutive groups of these sizes, the rest being the last."""
    start = 0
    for size in sizes:
        yield values[start : start + size]
        start += size
    yield values[start:]


def zeros_like(x: Any) -> Any:
    """Zeros of the shape and dtype of an array or of what stands for one."""
    return np.zeros(shape_of(x), dtype_of(x))[()]


def marked(row: Iterable[T], marks: Iterable[bool]) -> list[T]:
    """Those that are marked."""
    return [x for x, mark in zip(row, marks, strict=True) if mark]


def spread(row: Iterable[T], marks: Iterable[bool]) -> list[T | None]:
    """The inverse of `marked`, with `None` in place of what is not."""
    remaining = iter(row)
    return [next(remaining) if mark else None for mark in marks]


def interleave(
    primals: Sequence[Any], dots: Sequence[Any], marks: Sequence[bool], sizes: Sequence[int]
) -> list[Any]:
    """Group by group the primals, and after them the tangents of those that are marked."""
    mixed: list[Any] = []
    for group in groups(list(zip(primals, dots, marks, strict=True)), sizes):
        mixed += [primal for primal, _, _ in group]
        mixed += [dot for _, dot, mark in group if mark]
    return mixed


def separate(
    mixed: Sequence[T], marks: Sequence[bool], sizes: Sequence[int]
) -> tuple[list[T], list[T | None]]:
    """The inverse of `interleave`, with a tangent for each mark."""
    remaining = iter(mixed)
    primals: list[T] = []
    dots: list[T | None] = []
    for some in groups(marks, sizes):
        primals += [next(remaining) for _ in some]
        dots += [next(remaining) if mark else None for mark in some]
    return primals, dots


def pushed(
    body: Graph,
    dotted: Sequence[bool],
    wanted: Sequence[bool],
    in_sizes: Sequence[int],
    out_sizes: Sequence[int],
) -> Graph:
    """The pushforward of a body, from primals and tangents to primals and tangents.

    Parameters
    ----------
    body : Graph
    dotted : sequence of bool
        Which inputs have a tangent.
    wanted : sequence of bool
        Which outputs get one; zeros, where theirs is zero.
    in_sizes, out_sizes : sequence of int
        The groups of inputs and outputs after each of which come its tangents.
    """

    def make() -> Graph:
        names = body.signature.names
        dots = [like(x) for x in body.inputs]
        dot_names = [f"{name}_dot" for name in names]

        def function(*mixed: Tracer) -> list[Any]:
            primals, tangents = separate(mixed, dotted, in_sizes)
            with Pushforward(f"the pushforward of {body.name}") as interpreter:
                outs = body.run(
                    [
                        x if dot is None else interpreter.carry(x, dot, of_seed(dot))
                        for x, dot in zip(primals, tangents, strict=True)
                    ]
                )
                pairs = [interpreter.lower(out, body.name) for out in outs]
            out_dots = [zeros_like(out) if dot is None else dot for out, dot in pairs]
            return interleave([out for out, _ in pairs], out_dots, wanted, out_sizes)

        inputs = interleave([like(x) for x in body.inputs], dots, dotted, in_sizes)
        return build(
            function, inputs, f"{body.name}_dot", interleave(names, dot_names, dotted, in_sizes)
        )

    key = ("pushed", *map(tuple, (dotted, wanted, in_sizes, out_sizes)))
    return derived(body, key, make)


def batched(
    body: Graph,
    size: int,
    mapped: Sequence[bool],
    wanted: Sequence[bool],
    around: Callable[[list[Any], list[Any]], list[Any]] | None = None,
    name: str = "batched",
) -> Graph:
    """A body that acts on `size` examples at once.

    Parameters
    ----------
    body : Graph
    size : int
    mapped, wanted : sequences of bool
        Which inputs have, and which outputs get, the mapped axis in front.
    around : callable, optional
        ``around(inputs, outputs)`` gives the outputs of one example in place of those of the body.
    name : str
        Tells what `around` does.
    """

    def make() -> Graph:
        def function(*args: Tracer) -> list[Any]:
            with Batch(f"vmap of {body.name}", size) as interpreter:
                values = [
                    Tracer(interpreter, x, MAPPED) if mark else x
                    for x, mark in zip(args, mapped, strict=True)
                ]
                outs = body.run(values)
                if around is not None:
                    outs = around(values, outs)
                pairs = [lower(out, interpreter, body.name) for out in outs]
            return [
                np.broadcast_to(out, (size, *shape_of(out)))
                if mark and payload is not MAPPED
                else out
                for (out, payload), mark in zip(pairs, wanted, strict=True)
            ]

        inputs = [
            Variable((size, *x.shape), x.dtype, array=True, layout=True) if mark else like(x)
            for x, mark in zip(body.inputs, mapped, strict=True)
        ]
        return build(function, inputs, f"{body.name}_{name}", body.signature.names)

    return derived(body, (name, size, tuple(mapped), tuple(wanted)), make)
