"""Which leaves of its arguments a function's results depend on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pullback.core.tracing import Tracer
from pullback.transforms.arguments import call, lower
from pullback.transforms.linearization import Linearization
from pullback.transforms.tape import Tape

__all__ = ["reached"]


def reached(
    f: Callable[[Sequence[Any]], Sequence[Any]], leaves: Sequence[Any], where: str
) -> list[int]:
    """The positions of the leaves that the results of ``f(leaves)`` depend on, or `f` writes to.

    A function of very many leaves often reads a few of them. Where it cannot be followed all are
    told, and its derivative will say why.
    """
    with Tape(where) as tape:
        tracers = [tape.input(leaf) for leaf in leaves]
        nodes = [tracer._payload for tracer in tracers]
        try:
            results = call(f, (list(tracers),), tape)
            outputs = [lower(x, tape, where)[1] for x in results if type(x) is Tracer]
        except Exception:
            return [*range(len(leaves))]
    found = set(Linearization(nodes, outputs, tape).nodes)
    pairs = enumerate(zip(tracers, nodes, strict=True))
    return [i for i, (x, node) in pairs if x._version or node in found]
