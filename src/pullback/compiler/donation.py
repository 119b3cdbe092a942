"""Arguments that are given away, and which outputs may lie where such an input lies.

Those may that are written when the input has been read. A kernel may do both if it reads of the
input, at each point, no more than the element in whose place it writes.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.outputs import in_step
from pullback.compiler.loops import Kernel, Program, Statement, Tiles
from pullback.compiler.split.places import kernels_places
from pullback.core import trees
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.validation import is_integer, refuse, require_integer
from pullback.graph.graph import Graph

__all__ = ["positions", "safe_pairs", "taken_over"]

Pairs = tuple[tuple[int, int], ...]


def positions(donate: Any) -> tuple[int, ...]:
    """The argument `donate` of `compile`, as positions of arguments."""
    if is_integer(donate):
        return (require_integer(donate, "compile", "donate", least=0),)
    if not isinstance(donate, tuple | list | range):
        wanted = "the position of an argument, or a tuple of such"
        raise refuse("compile", "donate", donate, wanted, "write 0 for the first one")
    return tuple(
        require_integer(each, "compile", f"donate[{place}]", least=0)
        for place, each in enumerate(donate)
    )


def taken_over(graph: Graph, args: Sequence[Any], donate: Sequence[int]) -> Pairs:
    """Inputs in the donated arguments, each with an output of its shape and dtype."""
    if not donate:
        return ()
    pairs: dict[int, int] = {}
    static = graph.signature.static
    leaf = i = 0  # what is no array or number is a leaf, and no input
    for position, arg in enumerate(args):
        for _ in trees.flatten(arg)[0]:
            if leaf not in static:
                o = _fitting(graph, i, pairs) if position in donate else None
                if o is not None:
                    pairs[o] = i
                i += 1
            leaf += 1
    return tuple((i, o) for o, i in pairs.items())


def _fitting(graph: Graph, i: int, taken: Container[int]) -> int | None:
    given, signature = graph.inputs[i], graph.signature
    if given.weak is not None or not given.array:
        return None  # a number has no memory to give away
    for o, out in enumerate(graph.outputs):
        is_array = shape_of(out) or signature.arrays.get(o, False)
        alike = (shape_of(out), dtype_of(out)) == (given.shape, given.dtype)
        if o not in taken and is_array and alike:
            return o
    return None


def safe_pairs(program: Program, pairs: Sequence[tuple[int, int]]) -> Pairs:
    """Those of the pairs of an input and an output that may share memory."""
    inputs = [b.name for b in program.buffers if b.kind == "input"]
    outputs = [b.name for b in program.buffers if b.kind == "output"]
    return tuple((i, o) for i, o in pairs if _is_safe(program.body, inputs[i], outputs[o]))


def _is_safe(body: Iterable[Statement], given: str, made: str) -> bool:
    written = False
    for statement in body:
        about = effects(statement)
        writes, reads = made in about.writes, given in about.reads
        if written and reads:
            return False
        if writes and (reads or made in about.reads) and not _in_step(statement, given, made):
            return False
        written = written or writes
    return True


def _in_step(statement: Statement, given: str, made: str) -> bool:
    """Whether each element of the input is read where that of the output is written, or nowhere."""
    if isinstance(statement, Tiles):
        return _is_own(statement, given, made) and _is_safe(statement.body, given, made)
    return in_step(statement, given, made)


def _is_own(tiles: Tiles, given: str, made: str) -> bool:
    """Whether each sample has elements of its own, the same of both, and the tiles no others."""
    found = set()
    for kernel in tiles.body:
        if not isinstance(kernel, Kernel):
            return False
        extents = dict(kernel.axes)
        for place, _ in kernels_places(kernel):
            if place.buffer in (given, made):
                terms = {(repr(extents.get(name, name)), step) for name, step in place.terms}
                found.add((place.offset, frozenset(terms)))
    return len(found) == 1
