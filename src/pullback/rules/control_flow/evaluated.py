"""Derivatives of bodies that are made while the body is evaluated, rather than recorded.

What the derivative of a decomposition is made of depends on whether some of its values are equal,
which a recording cannot know; see `pullback.transforms.infinitesimals`. Where the arguments of a
body that has one are known, its derivative is that of its equations, one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pullback.core.tracing import Tracer, known
from pullback.graph.graph import Graph
from pullback.rules.control_flow.derived import derived, marked
from pullback.transforms.arguments import lower
from pullback.transforms.forward import Pushforward
from pullback.transforms.linearization import Linearization
from pullback.transforms.tape import Tape

__all__ = ["pulled", "pushed", "wants_values"]


def wants_values(body: Graph, *rows: Sequence[Any]) -> bool:
    """Whether the derivative depends on values, and all those in the rows are known."""
    return _decomposes(body) and all(x is None or known(x) for row in rows for x in row)


def _decomposes(body: Graph) -> bool:
    def search() -> bool:
        for equation in body.equations:
            if equation.primitive.separate is not None:
                return True
            for value in equation.params.values():
                graphs = value if type(value) is tuple else (value,)
                if any(isinstance(graph, Graph) and _decomposes(graph) for graph in graphs):
                    return True
        return False

    return derived(body, ("decomposes",), search)


def pulled(
    body: Graph,
    values: Sequence[Any],
    wanted: Sequence[bool],
    bars: Sequence[Any],
    totals: Sequence[Any],
) -> list[Any]:
    """For each argument its cotangent, added to its total, where it is wanted."""
    with Tape(f"the pullback of {body.name}") as tape:
        followed = [tape.input(x) if want else x for x, want in zip(values, wanted, strict=True)]
        pairs = [lower(out, tape, body.name) for out in body.run(followed)]
    nodes = [x._payload for x in marked(followed, wanted)]
    linear = Linearization(nodes, [node for _, node in pairs], tape)
    found = iter(linear.pull(bars, once=True, onto=marked(totals, wanted)))
    return [next(found) if want else x for x, want in zip(totals, wanted, strict=True)]


def pushed(
    body: Graph, values: Sequence[Any], dots: Sequence[Any]
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The results and their tangents; `None` is zero."""
    with Pushforward(f"the pushforward of {body.name}") as interpreter:
        outs = body.run(
            [
                x if dot is None else Tracer(interpreter, x, dot)
                for x, dot in zip(values, dots, strict=True)
            ]
        )
        pairs = [lower(out, interpreter, body.name) for out in outs]
    return tuple(out for out, _ in pairs), tuple(dot for _, dot in pairs)
