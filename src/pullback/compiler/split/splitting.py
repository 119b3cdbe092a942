"""Which samples a program is split along, and what becomes of it.

Along each extent that loops have, it is found out what could be done tile by tile. That is taken
which has the most memory traffic between buffers that become a tile's own.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.traversal import bodies_of
from pullback.compiler.loops import Buffer, Const, For, Kernel, Program, Statement, work
from pullback.compiler.split.phases import Phase, phases
from pullback.compiler.split.sizes import Sizes, sizes_here
from pullback.compiler.split.survey import Survey
from pullback.compiler.split.tiling import Tiling

__all__ = ["Split", "split"]

_EXTENTS = 4
"""How many extents are looked at."""


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


@dataclass
class _Plan:
    """What splitting along an extent would do."""

    survey: Survey
    phases: list[Phase]
    inner: list[set[str]]
    saved: int
    traffic: int


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
    extents = _extents(program.body) if samples is None else Counter(samples)
    plans = [_plan(program, n) for n, _ in extents.most_common(_EXTENTS) if n > 1]
    if not plans:
        return Split(program)
    best = max(plans, key=lambda plan: (plan.saved, plan.traffic, plan.survey.samples))
    if best.saved < sizes.little:
        return Split(program)
    return _split(program, best, sizes)


def _extents(body: Iterable[Statement], times: int = 1) -> Counter[int]:
    """For each extent about how many elements are gone through along it."""
    found: Counter[int] = Counter()
    for statement in body:
        if isinstance(statement, Kernel):
            points = times * math.prod(axis.extent for axis in statement.axes)
            found.update({axis.extent: points for axis in statement.axes})
            continue
        extent = statement.extent if isinstance(statement, For) else None
        often = extent.value if isinstance(extent, Const) else 1
        for inner in bodies_of(statement):
            found += _extents(inner, times * often)
    return found


def _plan(program: Program, samples: int) -> _Plan:
    survey = Survey(program, samples)
    found = phases(survey, program.body)
    bytes_ = {b.name: b.size * np.dtype(b.dtype).itemsize for b in program.buffers}
    used: dict[str, set[int]] = defaultdict(set)
    for number, phase in enumerate(found):
        for statement in phase.before:
            about = effects(statement)
            for name in about.reads | about.writes:
                used[name].add(-1)
        for statement in phase.tiled:
            accesses = survey.accesses(statement)
            assert accesses is not None
            for access in accesses:
                used[access.name].add(number if access.kind == "own" else -1)
    inner: list[set[str]] = [set() for _ in found]
    for buffer in program.buffers:
        times = used[buffer.name]
        if buffer.kind == "scratch" and len(times) == 1 and -1 not in times:
            inner[times.pop()].add(buffer.name)
    saved = sum(bytes_[name] for row in inner for name in row)
    traffic = sum(
        bytes_[name] for phase in found for each in phase.tiled for name in survey.lying
        if name in effects(each).reads | effects(each).writes
    )  # fmt: skip
    return _Plan(survey, found, inner, saved, traffic)


def _split(program: Program, plan: _Plan, sizes: Sizes) -> Split:
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
        tile = sizes.tile(_bytes(survey, phase.tiled, buffers), keeps=bool(inner))
        block = sizes.tiles(tile, sum(map(work, phase.tiled)) // samples)
        staged = {name: f"p{names.fresh()}" for name in _staged(survey, phase.tiled, inner)}
        tiling = Tiling(survey, names, tile, block, inner, staged)
        body += [tiling.tiles(phase.tiled), *tiling.after]
        made += tiling.buffers
        for name in inner:
            size = buffers[name].size // samples * tile
            buffers[name] = replace(buffers[name], size=size, kind="tile")
        count += 1
    kinds = [b for b in buffers.values() if b.kind != "tile"]
    tiles = [b for b in buffers.values() if b.kind == "tile"]
    new = Program(program.name, (*kinds, *made, *tiles), tuple(body))
    steps = {name: lying.step for name, lying in survey.lying.items()}
    return Split(new, samples, count, tile, block, steps, plan.saved)


def _staged(survey: Survey, body: Sequence[Statement], inner: set[str]) -> list[str]:
    """The buffers that are read more than once, with other elements between those of samples."""
    reads: Counter[str] = Counter()
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
                reads[name] += -(-points // survey.sizes[name])
    return [name for name, times in reads.items() if times > 1 and name not in written]


def _bytes(survey: Survey, body: Sequence[Statement], buffers: dict[str, Buffer]) -> int:
    """What one sample takes in all buffers."""
    own = {
        access.name for each in body for access in survey.accesses(each) or ()
        if access.kind == "own" and access.name in buffers
    }  # fmt: skip
    return sum(
        buffers[name].size // survey.samples * np.dtype(buffers[name].dtype).itemsize
        for name in own
    )
