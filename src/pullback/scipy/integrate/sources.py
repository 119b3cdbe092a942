"""How far values depend on what is differentiated, in some direction of it.

A solver chooses its steps by values. By a parameter of which they don't depend just where it is,
as that of y′ = p sin t at p = 0, the solution may vary all the more. So the tangents of a step and
of its error are looked at too: those that come along at levels that carry tangents, and at tapes
those for deviations ±1 of everything that had been recorded before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pullback.core.maps import push
from pullback.core.shapes import expand
from pullback.core.tracing import Tracer
from pullback.scipy.integrate.values import Values
from pullback.transforms.forward import Pushforward, Sparse
from pullback.transforms.tape import Node, Operation, Output, Tape

__all__ = ["recorded_so_far", "tangents"]


def recorded_so_far(levels: Iterable[Any]) -> dict[Any, int]:
    """How much each of the tapes among these has recorded."""
    return {each: each.count for each in levels if type(each) is Tape}


def tangents(rows: list[Any], before: dict[Any, int]) -> list[list[Any]]:
    """For each level, the numbers of tangents of arrays of one shape (n, d), of shape (m, n, d).

    Parameters
    ----------
    rows : list of arrays
        Traced, and of one shape.
    before : dict
        What `recorded_so_far` has given before they were computed.
    """
    found = []
    shape = np.shape(rows[0])
    for level in _levels(rows):
        payloads = [_payload(x, level) for x in rows]
        if type(level) is Pushforward:
            dots = [each.dot if type(each) is Sparse else each for each in payloads]
        elif level in before:
            dots = _pushed(payloads, before[level])
        else:
            continue
        numbers = [np.zeros(1) if dot is None else Values("").whole(dot)[0] for dot in dots]
        found.append([_rows(each, shape) for each in numbers])
    return found


def _rows(x: Any, shape: tuple[int, ...]) -> Any:
    if np.size(x) < np.prod(shape, dtype=int):
        x = np.broadcast_to(x, shape)
    return np.reshape(x, (-1, *shape))


def _levels(rows: list[Any]) -> list[Any]:
    levels: list[Any] = []
    for x in rows:
        while type(x) is Tracer:
            if x._payload is not None and x._interpreter not in levels:
                levels.append(x._interpreter)
            x = x._value
    return levels


def _payload(x: Any, level: Any) -> Any:
    while type(x) is Tracer:
        if x._interpreter is level:
            return x._payload
        x = x._value
    return None


def _pushed(nodes: list[Node | None], before: int) -> list[Any]:
    """Tangents of nodes from deviations of those up to a number."""
    waiting = [node for node in nodes if node is not None]
    reached: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            if node.index > before:
                waiting += [parent for parent in node.parents if parent is not None]
    generator = np.random.default_rng(0)
    dots: dict[Any, Any] = {}
    with np.errstate(all="ignore"):
        for node in sorted(reached, key=lambda each: each.index):
            if node.index <= before:
                dots[node] = generator.choice([-1.0, 1.0], node.shape).astype(node.dtype)
                continue
            dot = None
            if type(node) is Operation:
                arguments = [dots.get(parent) for parent in node.parents]
                if any(each is not None for each in arguments):
                    dot = push(node.linear_maps(), arguments)
            elif type(node) is Output:
                several = dots.get(node.parents[0])
                dot = None if several is None else several[node.position]
            if dot is not None:
                several = type(dot) is tuple
                dots[node] = dot if several else expand(dot, node.shape, node.dtype)
    return [None if node is None else dots.get(node) for node in nodes]
