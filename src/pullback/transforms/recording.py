"""A function evaluated once, with its derivative at that point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.memory import snapshot
from pullback.core.shapes import Abstract, dtype_of, is_inexact, shape_of
from pullback.core.tracing import Tracer
from pullback.core.validation import describe
from pullback.core.written import glimpse
from pullback.errors import AliasError, ArgumentTypeError
from pullback.transforms.arguments import (
    assemble,
    call,
    flatten_arrays,
    handed_out,
    lower,
    owned,
    require_one_each,
    seed,
)
from pullback.transforms.linearization import Linearization
from pullback.transforms.tape import Node, Tape

__all__ = ["Argument", "Recording", "record"]


@dataclass(slots=True)
class Argument:
    """The structure of an argument that is followed, and its leaves' shapes and dtypes.

    There is a node for a leaf that is followed, an abstract value for an integer or boolean one.
    """

    position: int
    spec: trees.TreeSpec
    leaves: list[Abstract]


@dataclass(slots=True)
class Recording:
    """A function evaluated once at a point, and its derivative there."""

    where: str
    arguments: list[Argument]
    out: Any
    out_spec: trees.TreeSpec
    out_leaves: list[Abstract]
    aux: Any
    linearization: Linearization

    def push(self, tangents: Sequence[Any]) -> Any:
        """Tangent of the output, of its structure, from one tangent per argument."""
        require_one_each(tangents, self.arguments, self.where)
        dots = []
        for argument, tangent in zip(self.arguments, tangents, strict=True):
            slot = f"{self.where}: tangents[{argument.position}]"
            leaves = trees.flatten_like(argument.spec, tangent, slot)
            for leaf, primal in zip(leaves, argument.leaves, strict=True):
                checked = seed(leaf, primal, slot)
                if type(primal) is Node:
                    dots.append(checked)
        out_dots = self.linearization.push(dots)
        taken: set[int] = set(map(id, dots))
        return trees.unflatten(
            self.out_spec,
            [
                handed_out(dot, leaf, taken)
                for dot, leaf in zip(out_dots, self.out_leaves, strict=True)
            ],
        )

    def pull(self, cotangent: Any, *, once: bool = False) -> tuple[Any, ...]:
        """Cotangents of the arguments, each of its structure, from that of the output."""
        slot = f"{self.where}: the cotangent"
        leaves = trees.flatten_like(self.out_spec, cotangent, slot)
        seeds = [seed(bar, leaf, slot) for bar, leaf in zip(leaves, self.out_leaves, strict=True)]
        bars = self.linearization.pull(seeds, once=once)
        return self.results(bars, taken=set(map(id, seeds)))

    def results(self, bars: Sequence[Any], taken: set[int]) -> tuple[Any, ...]:
        """Cotangents of the leaves that are followed, as the user gets them, argument by argument.

        `taken` has the identities of arrays that the results must not be.
        """
        remaining = iter(bars)
        found = []
        for argument in self.arguments:
            leaves = [
                handed_out(next(remaining) if type(leaf) is Node else None, leaf, taken)
                for leaf in argument.leaves
            ]
            spec = argument.spec
            found.append(leaves[0] if spec is trees.LEAF else trees.unflatten(spec, leaves))
        return tuple(found)


def record(
    f: Callable[..., Any],
    primals: Sequence[Any],
    where: str,
    *,
    varying: Sequence[int] | None = None,
    has_aux: bool = False,
    keep: bool = True,
) -> Recording:
    """Evaluate ``f(*primals)`` once and keep its linearisation.

    Followed are the arguments at the positions `varying`, all leaves of which must be floating or
    complex; the others are handed to `f` as they are. Without it all arguments are followed, and
    their integer and boolean leaves pass through. With `keep` the linearisation outlives this call,
    and shares no memory with arrays that the caller can write to.
    """
    arguments: list[Argument] = []
    args = list(primals)
    inputs: list[Node] = []
    taken: set[int] = set()
    read: list[tuple[Any, bytes, int, int]] = []
    leaves: list[Any]
    with Tape(where) as tape:
        for position in range(len(args)) if varying is None else varying:
            argument: Any = args[position]
            if type(argument) is np.ndarray and argument.dtype.kind in "fc":
                leaves, spec = [argument], trees.LEAF
            else:
                leaves, spec = flatten_arrays(argument, where, f"argument {position}")
            nodes: list[Abstract] = []
            for number, leaf in enumerate(leaves):
                kind = type(leaf)
                bottom = leaf._value if kind is Tracer else leaf
                if kind is np.ndarray:
                    follows = leaf.dtype.kind in "fc"
                else:
                    follows = type(bottom) in _DOUBLES or is_inexact(leaf)
                if not follows:
                    if varying is not None:
                        path = trees.leaf_paths(spec)[number]
                        raise _no_neighbourhood(leaf, f"{where}: argument {position}{path}")
                    nodes.append(Abstract.of(leaf))
                    continue
                taken.add(id(leaf))
                if kind is np.ndarray and not keep:
                    read.append((leaf, glimpse(leaf), position, number))
                elif keep or bottom is not leaf:
                    leaf = snapshot(leaf)
                tracer = tape.input(leaf)
                leaves[number] = tracer
                nodes.append(tracer._payload)
                inputs.append(tracer._payload)
            args[position] = leaves[0] if spec is trees.LEAF else trees.unflatten(spec, leaves)
            arguments.append(Argument(position, spec, nodes))
        out = call(f, args, tape)
        for leaf, before, position, number in read:
            if glimpse(leaf) != before:
                path = trees.leaf_paths(trees.flatten(primals[position])[1])[number]
                raise _written(leaf, f"{where}: argument {position}{path}")
        aux = None
        if has_aux:
            out, aux = _split_aux(out, where)
            aux = trees.map_tree(
                lambda leaf: _give(lower(_join(leaf, where), tape, where)[0], taken, keep=keep), aux
            )
        leaves, spec = flatten_arrays(out, where, "the result")
        outputs: list[Node | None] = []
        out_leaves: list[Abstract] = []
        for number, leaf in enumerate(leaves):
            value, node = lower(leaf, tape, where)
            leaves[number] = _give(value, taken, keep=keep)
            outputs.append(node)
            out_leaves.append(node or Abstract.of(value))
    out = leaves[0] if spec is trees.LEAF else trees.unflatten(spec, leaves)
    linearization = Linearization(inputs, outputs, tape)
    return Recording(where, arguments, out, spec, out_leaves, aux, linearization)


_DOUBLES = frozenset({float, np.float64})


def _give(value: Any, taken: set[int], *, keep: bool) -> Any:
    """A result as the user gets it: not an array that the linearisation or an input holds."""
    return snapshot(value) if keep else owned(value, taken)


def _join(leaf: Any, where: str) -> Any:
    """An object array of traced scalars as one traced array; anything else as it is."""
    if type(leaf) is np.ndarray and leaf.dtype.kind == "O":
        return assemble(leaf, f"{where}: the auxiliary result")
    return leaf


def _no_neighbourhood(leaf: Any, what: str) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"{what} has dtype {dtype_of(leaf)} and shape {shape_of(leaf)}, wanted a floating or "
        "complex dtype: an integer has no neighbourhood to differentiate in; convert it with "
        "x.astype(float), or write 3.0 for 3"
    )


def _written(leaf: Any, what: str) -> AliasError:
    return AliasError(
        f"{what} of dtype {leaf.dtype} and shape {leaf.shape} was written to by another name while "
        "the function ran, so that it has no single point to differentiate at; call it with a "
        "copy, x.copy(), or write to one"
    )


def _split_aux(out: Any, where: str) -> tuple[Any, Any]:
    if isinstance(out, tuple) and len(out) == 2:
        return out
    raise ArgumentTypeError(
        f"{where}: has_aux=True wants the function to return a pair (out, aux), and it "
        f"returned what is {describe(out)}; return the pair, or leave has_aux out"
    )
