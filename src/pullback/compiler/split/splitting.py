"""What becomes of a program that is split along its samples."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from pullback.compiler.fusion.names import Names
from pullback.compiler.loops import Buffer, Program, Statement, work
from pullback.compiler.split.choosing import Plan, chosen, tile_of
from pullback.compiler.split.sizes import Sizes, sizes_here
from pullback.compiler.split.survey import Survey
from pullback.compiler.split.tiling import Tiling
from pullback.compiler.split.twins import without_twins

__all__ = ["Split", "split"]

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
    steps : dict of str to int
        In each buffer that has samples, how far it is from one to the next.
    saved : int
        Bytes of buffers that became a tile's own.
    """

    program: Program
    samples: int = 0
    phases: int = 0
    tile: int = 0
    block: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    saved: int = 0


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
    return Split(program) if plan is None else _split(program, plan, sizes)


def _split(program: Program, plan: Plan, sizes: Sizes) -> Split:
    names = Names(program)
    survey, samples = plan.survey, plan.survey.samples
    body: list[Statement] = []
    buffers = {buffer.name: buffer for buffer in program.buffers}
    made: list[Buffer] = []
    count = tile = block = 0
    for phase, inner in zip(plan.phases, plan.inner, strict=True):
        body += phase.before
        if not phase.tiled:
            continue
        tile = tile_of(survey, phase, inner, sizes)
        block = sizes.tiles(tile, sum(map(work, phase.tiled)) // samples)
        staged = {name: f"p{names.fresh()}" for name in _staged(survey, phase.tiled, inner)}
        tiling = Tiling(survey, names, tile, block, inner, staged)
        own = [buffer for buffer in program.buffers if buffer.name in inner]
        tiles, twins = without_twins(tiling.tiles(phase.tiled), own)
        body += [tiles, *tiling.after]
        made += tiling.buffers
        for name in twins:
            del buffers[name]
        for name in inner - twins:
            size = buffers[name].size // samples * tile
            buffers[name] = replace(buffers[name], size=size, kind="tile")
        count += 1
    kinds = [b for b in buffers.values() if b.kind != "tile"]
    last = [b for b in buffers.values() if b.kind == "tile"]
    new = Program(program.name, (*kinds, *made, *last), tuple(body))
    steps = {name: lying.step for name, lying in survey.lying.items()}
    return Split(new, samples, count, tile, block, steps, plan.saved)


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
