"""What becomes of a program that is split along its samples."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.names import Names
from pullback.compiler.loops import Buffer, Program, Statement, work
from pullback.compiler.split.choosing import Plan, chosen, plan_along
from pullback.compiler.split.lying import Lying
from pullback.compiler.split.sizes import Sizes, sizes_here
from pullback.compiler.split.streaming import Streaming
from pullback.compiler.split.survey import Survey
from pullback.compiler.split.tiling import Tiling
from pullback.compiler.split.twins import without_twins

__all__ = ["Split", "split", "stream"]

_ONCE = 1.01
"""How often an element is read at most that isn't copied first."""


@dataclass(frozen=True)
class Split:
    """A program, and how it was split.

    Attributes
    ----------
    program : Program
    samples : int
        Along which it is split; 0 if it is not.
    phases : int
        How often the samples are gone through.
    tile, block : int
        Samples that are computed together, and so many tiles that make one sum.
    unit : int
        Samples that make a whole number of sums in each phase.
    steps : dict of str to int
        In each buffer that has samples, how far it is from one to the next.
    saved : int
        Bytes of buffers that became a tile's own.
    spares : bool
        Whether that is worth it; otherwise it is for the sake of several threads.
    """

    program: Program
    samples: int = 0
    phases: int = 0
    tile: int = 0
    block: int = 0
    unit: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    saved: int = 0
    spares: bool = False


def split(
    program: Program, samples: Collection[int] | None = None, sizes: Sizes | None = None
) -> Split:
    """The program tile by tile along its samples, where that saves memory traffic.

    Parameters
    ----------
    program : Program
        Fused.
    samples : collection of int, optional
        The numbers of samples that it may be split along; none is never. By default all extents.
    sizes : Sizes, optional
        By default those for this machine.
    """
    sizes = sizes or sizes_here()
    plan = chosen(program, samples, sizes)
    return Split(program) if plan is None else _split(plan, sizes)


def stream(program: Program, given: Mapping[str, Lying], sizes: Sizes | None = None) -> Split:
    """The program with its samples gone through once for each phase, whatever that takes.

    Parameters
    ----------
    program : Program
        Fused.
    given : mapping of str to Lying
        The inputs that have the samples, of which there are as many in each, and how they lie.
    sizes : Sizes, optional
        By default those for this machine.

    Returns
    -------
    Split
        In its tiles nothing is read that earlier tiles have written; what these have computed is
        computed again, under the same names, so that the phases are to be taken apart. Tiles and
        blocks are those of `split`.

    Raises
    ------
    NotStreamedError
        If a statement needs more of the samples than one.
    """
    samples = next(iter(given.values())).samples
    sizes = sizes or sizes_here()
    plan = plan_along(program, samples, sizes, given)
    streaming = Streaming(plan.survey.program, plan.survey, plan.phases, given.keys())
    return _split(plan, sizes, streaming)


def _split(plan: Plan, sizes: Sizes, streaming: Streaming | None = None) -> Split:
    survey, samples = plan.survey, plan.survey.samples
    names = Names(survey.program)
    body: list[Statement] = []
    program = survey.program
    buffers = {buffer.name: buffer for buffer in program.buffers}
    made: list[Buffer] = []
    again: list[tuple[tuple[Statement, int], ...]] = [()] * len(plan.phases)
    kept: set[str] = set()
    if streaming is not None:
        again, kept = streaming.again, streaming.inner
    count = tile = block = 0
    unit = 1
    spared: set[str] = set()
    needed: set[str] = set()
    copied: list[list[str]] = []
    tiled = {name for row in plan.inner for name in row}
    rows = zip(plan.phases, plan.inner, again, plan.tiles, strict=True)
    for phase, inner, before, samples_of_tile in rows:
        body += phase.before
        if not phase.tiled:
            copied.append([])
            continue
        tile = samples_of_tile
        block = sizes.tiles(tile, sum(map(work, phase.tiled)) // samples)
        unit = math.lcm(unit, tile * block)
        repeated = [statement for statement, _ in before]
        about = [effects(statement) for statement in (*repeated, *phase.tiled)]
        own = inner | {name for x in about for name in kept & (x.reads | x.writes)}
        copied.append(_staged(survey, phase.tiled, inner))
        # What is done again reads what it read before: the order of its sums depends on it.
        there = [(statement, copied[origin]) for statement, origin in before]
        copies = itertools.chain(copied[-1], *(row for _, row in there))
        staged = {name: f"p{names.fresh()}" for name in dict.fromkeys(copies)}
        tiling = Tiling(survey, names, tile, block, own, staged, kept=own - tiled)
        mine = [buffer for buffer in program.buffers if buffer.name in own]
        tiles, twins = without_twins(tiling.tiles(phase.tiled, copied[-1], there), mine)
        body += [tiles, *tiling.after]
        made += tiling.buffers
        spared |= twins
        for name in own - twins:
            needed.add(name)
            size = survey.sizes[name] // samples * tile
            if buffers[name].kind == "tile":
                size = max(size, buffers[name].size)
            buffers[name] = replace(buffers[name], size=size, kind="tile")
        count += 1
    for name in spared - needed:
        del buffers[name]
    kinds = [b for b in buffers.values() if b.kind != "tile"]
    last = [b for b in buffers.values() if b.kind == "tile"]
    new = Program(program.name, (*kinds, *made, *last), tuple(body))
    steps = {name: lying.step for name, lying in survey.lying.items()}
    spares = plan.spared >= sizes.little
    return Split(new, samples, count, tile, block, unit, steps, plan.saved, spares)


def _staged(survey: Survey, body: Sequence[Statement], inner: set[str]) -> list[str]:
    """The buffers that are read more than once, with other elements between those of samples."""
    reads: dict[str, float] = defaultdict(float)
    written = set()
    for statement in body:
        for kernel, (place, write) in survey.walked(statement):
            name = place.buffer
            if name in inner or survey.lying[name].step == 1:
                continue
            if write is not None:
                written.add(name)
            else:
                points = math.prod(axis.extent for axis in kernel.axes)
                reads[name] += points / survey.sizes[name]
    return [name for name, times in reads.items() if times > _ONCE and name not in written]
