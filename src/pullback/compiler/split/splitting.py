"""Which samples a program is split along, and what becomes of it.

Along each extent that loops have, it is found out what could be done tile by tile. That is taken
which has the most memory traffic between buffers that become a tile's own.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.traversal import bodies_of
from pullback.compiler.loops import Buffer, Const, For, Kernel, Program, Statement, work
from pullback.compiler.split.lying import Lying
from pullback.compiler.split.phases import Phase, phases
from pullback.compiler.split.streaming import Streaming
from pullback.compiler.split.survey import Survey
from pullback.compiler.split.tiling import Tiling

__all__ = ["Split", "split", "stream"]

_CACHE = 700_000
"""Bytes that all buffers of a tile take together, about: less than the second cache has."""
_LEAST, _MOST, _STREAMED = 32, 256, 4096
"""Samples of a tile at least and at most; and of one that keeps nothing."""
_BLOCK, _ENOUGH = 512, 1 << 20
"""Samples of a block, or so many operations: joining sums is little beside them."""
_LANES = 16
"""A tile's samples are a multiple of this: vectors are that long at most."""
_LITTLE = 1 << 19
"""Bytes that buffers between loops take in all before it pays to split."""
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
    unit : int
        Samples that make a whole number of sums in each phase.
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
    unit: int = 0
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
    streaming: Streaming | None = None


def split(program: Program, samples: Collection[int] | None = None) -> Split:
    """The program tile by tile along its samples, where that saves memory traffic.

    Parameters
    ----------
    program : Program
        Fused.
    samples : collection of int, optional
        The numbers of samples that it may be split along; none is never. By default all extents.
    """
    extents = _extents(program.body) if samples is None else Counter(samples)
    plans = [_plan(program, n) for n, _ in extents.most_common(_EXTENTS) if n > 1]
    if not plans:
        return Split(program)
    best = max(plans, key=lambda plan: (plan.saved, plan.traffic))
    if best.saved < _LITTLE:
        return Split(program)
    return _split(program, best)


def stream(program: Program, given: Mapping[str, Lying]) -> Split:
    """The program with its samples gone through once for each phase, whatever that takes.

    Parameters
    ----------
    program : Program
        Fused.
    given : mapping of str to Lying
        The inputs that have the samples, of which there are as many in each, and how they lie.

    Returns
    -------
    Split
        In its tiles nothing is read that tiles have written before. The tiles and the blocks are
        those of `split`.

    Raises
    ------
    NotStreamedError
        If a statement needs more of the samples than one.
    """
    samples = next(iter(given.values())).samples
    plan = _plan(program, samples, given)
    plan.streaming = Streaming(program, plan.survey, plan.phases, given.keys())
    return _split(program, plan)


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


def _plan(program: Program, samples: int, given: Mapping[str, Lying] | None = None) -> _Plan:
    survey = Survey(program, samples, dict(given or {}))
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


def _split(program: Program, plan: _Plan) -> Split:
    names = Names(program)
    survey, samples = plan.survey, plan.survey.samples
    body: list[Statement] = []
    buffers = {buffer.name: buffer for buffer in program.buffers}
    made: list[Buffer] = []
    again: list[tuple[Statement, ...]] = [()] * len(plan.phases)
    kept: set[str] = set()
    if plan.streaming is not None:
        again, kept = plan.streaming.again, plan.streaming.inner
    count = tile = block = 0
    unit = 1
    for phase, inner, before in zip(plan.phases, plan.inner, again, strict=True):
        body += phase.before
        if not phase.tiled:
            continue
        tile = _tile(survey, phase.tiled, inner)
        each = sum(map(work, phase.tiled)) // samples
        block = max(1, min(_BLOCK, _ENOUGH // max(each, 1)) // tile)
        about = [effects(statement) for statement in (*before, *phase.tiled)]
        unit = math.lcm(unit, tile * block)
        own = inner | {name for x in about for name in kept & (x.reads | x.writes)}
        staged = {name: f"p{names.fresh()}" for name in _staged(survey, phase.tiled, own)}
        tiling = Tiling(survey, names, tile, block, own, staged)
        body += [tiling.tiles(phase.tiled, before), *tiling.after]
        made += tiling.buffers
        for name in own:
            size = survey.sizes[name] // samples * tile
            if buffers[name].kind == "tile":
                size = max(size, buffers[name].size)
            buffers[name] = replace(buffers[name], size=size, kind="tile")
        count += 1
    kinds = [b for b in buffers.values() if b.kind != "tile"]
    tiles = [b for b in buffers.values() if b.kind == "tile"]
    new = Program(program.name, (*kinds, *made, *tiles), tuple(body))
    steps = {name: lying.step for name, lying in survey.lying.items()}
    return Split(new, samples, count, tile, block, unit, steps, plan.saved)


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


def _tile(survey: Survey, body: Sequence[Statement], inner: set[str]) -> int:
    """How many samples are computed together."""
    own = {
        access.name for each in body for access in survey.accesses(each) or ()
        if access.kind == "own" and access.name in survey.sizes
    }  # fmt: skip
    each = sum(
        survey.sizes[name] // survey.samples * np.dtype(survey.dtypes[name]).itemsize
        for name in own
    )
    most = _MOST if inner else _STREAMED
    tile = min(max(_CACHE // max(each, 1), _LEAST), most)
    return tile // _LANES * _LANES
