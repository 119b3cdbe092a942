"""What is differentiated: a function at examples of its arguments, recorded and flat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pullback.core import trees
from pullback.core.shapes import is_inexact
from pullback.core.validation import describe
from pullback.errors import ArgumentTypeError
from pullback.graph.graph import Graph
from pullback.graph.trace import trace
from pullback.passes.simplification import simplify
from pullback.transforms.arguments import Argnums, positional

__all__ = ["Subject", "record"]


@dataclass(frozen=True)
class Subject:
    """A function recorded for examples of its arguments.

    Attributes
    ----------
    where : str
        What to call it in messages.
    graph : Graph
        Simplified.
    order : tuple of int
        Which inputs of the graph are differentiated, in the order of the columns.
    """

    where: str
    graph: Graph
    order: tuple[int, ...]


def record(f: Callable[..., Any], args: Sequence[Any], argnums: Argnums, where: str) -> Subject:
    """Record a function, of which some arguments are differentiated."""
    function, args, positions = positional(f, argnums, tuple(args), {}, where)
    places: dict[int, list[int]] = {position: [] for position in positions}
    graph = simplify(trace(function, *args), verify=False)
    number = leaf_number = 0
    for position, arg in enumerate(args):
        leaves, spec = trees.flatten(arg)
        for k, leaf in enumerate(leaves):
            static = leaf_number in graph.signature.static
            leaf_number += 1
            if position in places:
                variable = None if static else graph.inputs[number]
                if variable is None or not is_inexact(variable):
                    path = trees.leaf_paths(spec)[k]
                    raise ArgumentTypeError(
                        f"{where}: argument {position}{path} is {describe(leaf)}, wanted an array "
                        "of a floating or complex dtype, to be differentiated; convert it with "
                        "x.astype(float), or leave the argument out of argnums"
                    )
                places[position].append(number)
            number += not static
    order = tuple(i for position in positions for i in places[position])
    return Subject(where, graph, order)
