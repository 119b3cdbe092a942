"""Which samples a program is split along.

Along each extent that loops have, it is found out what could be done tile by tile. That is taken
which spares the most bytes of buffers, as they become a tile's own. Where none are spared worth
speaking of, that with the most tiles among those that have most of the work in them: the features
of a matrix of features are samples too, but few. Known ones of less than `_FEW` are not looked at.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.traversal import bodies_of
from pullback.compiler.generic.numbers import varies
from pullback.compiler.loops import Const, For, Kernel, Place, Program, Statement, work
from pullback.compiler.split.lying import Lying
from pullback.compiler.split.phases import Phase, phases
from pullback.compiler.split.sizes import Sizes
from pullback.compiler.split.survey import Survey
from pullback.compiler.split.unmerging import surveyed

__all__ = ["Plan", "chosen", "plan_along"]

_EXTENTS = 4
"""How many extents are looked at."""
_FEW = 32
"""Fewer that are known are no samples, but features or channels, which make no two tiles."""
_PRODUCT = 3
"""Axes that a product of matrices has, one of which is summed over, at least."""
_PARTS = 8
"""So many tiles are enough for several threads."""
_MOST = 0.75
"""Which part of the work that can be done in tiles is most of it."""


@dataclass
class Plan:
    """What splitting along an extent does.

    Attributes
    ----------
    survey : Survey
    phases : list of Phase
    inner : list of set of str
        For each phase the buffers that become its tiles' own.
    by_phase : list of int
        Bytes of these.
    tiles : list of int
        For each phase the samples of a tile; all of them where it has none.
    work : int
        Operations in tiles.
    """

    survey: Survey
    phases: list[Phase]
    inner: list[set[str]]
    by_phase: list[int]
    tiles: list[int]
    work: int

    @property
    def saved(self) -> int:
        """Bytes of the tiles' own buffers in all phases."""
        return sum(self.by_phase)

    @property
    def spared(self) -> int:
        """Bytes of these that no tile needs: of one that has all samples none, and so on."""
        samples = self.survey.samples
        if varies(samples):
            return self.saved
        pairs = zip(self.by_phase, self.tiles, strict=True)
        return sum(saved - saved * min(tile, samples) // samples for saved, tile in pairs)


def chosen(program: Program, samples: Collection[int] | None, sizes: Sizes) -> Plan | None:
    """The best way to split a program; `None` where none pays."""
    extents = Counter(samples or ())
    if samples is None:
        found = _extents(program.body)
        extents = Counter({n: often for n, often in found.items() if varies(n) or n >= _FEW})
    # Of samples whose number varies there may be many.
    for number in (True, False):
        likely = {n: often for n, often in extents.items() if varies(n) is number}
        most = [n for n, _ in Counter(likely).most_common(_EXTENTS) if n > 1]
        plans = [plan_along(program, n, sizes) for n in most]
        best = _best(plans, sizes)
        if best is not None and _pays(best, sizes):
            return best
    return None


def _best(plans: Sequence[Plan], sizes: Sizes) -> Plan | None:
    most = _MOST * max((plan.work for plan in plans), default=0)
    return max(plans, key=lambda plan: _worth(plan, most, sizes), default=None)


def _pays(plan: Plan, sizes: Sizes) -> bool:
    return plan.saved >= sizes.little or plan.work >= sizes.much


def _worth(plan: Plan, most: float, sizes: Sizes) -> tuple[int, ...]:
    """What is better the more there is of it: long pieces of memory, where all else is equal."""
    survey = plan.survey
    many = varies(survey.samples)
    parts = [_PARTS if many else survey.samples // tile for tile in plan.tiles]
    part = min(max(parts, default=0), _PARTS)
    spared = plan.spared if plan.spared >= sizes.little else 0
    few = 0 if spared else part
    steps = max((lying.step for lying in survey.lying.values()), default=0)
    much = bool(spared) or plan.work >= most
    return spared, much, few, plan.saved, plan.work, part, steps


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


def plan_along(
    program: Program, samples: int, sizes: Sizes, given: Mapping[str, Lying] | None = None
) -> Plan:
    """What splitting a program along so many samples does, however little that is.

    Parameters
    ----------
    program : Program
    samples : int
    sizes : Sizes
    given : mapping of str to Lying, optional
        Inputs of which it is known how the samples lie in them.
    """
    survey = surveyed(program, samples, given)
    program = survey.program
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
    saved = [sum(bytes_[name] for name in row) for row in inner]
    done = sum(work(each) for phase in found for each in phase.tiled)
    tiles = [
        _tile_of(survey, phase, row, sizes) if phase.tiled else samples
        for phase, row in zip(found, inner, strict=True)
    ]
    return Plan(survey, found, inner, saved, tiles, done)


def _tile_of(survey: Survey, phase: Phase, inner: Collection[str], sizes: Sizes) -> int:
    """How many samples of a phase are computed together."""
    each = _bytes_of_sample(survey, phase.tiled)
    wide = max((_terms(survey, statement) for statement in phase.tiled), default=0)
    apart = all(lying.step > 1 for lying in survey.lying.values())
    return sizes.tile(each, keeps=bool(inner), wide=wide, apart=apart)


def _terms(survey: Survey, statement: Statement) -> int:
    """How many terms there are at most in a sum of products for one sample."""
    if not isinstance(statement, Kernel):
        inner = (each for body in bodies_of(statement) for each in body)
        return max((_terms(survey, each) for each in inner), default=0)
    targets = [w.target for w in statement.writes if w.combine and isinstance(w.target, Place)]
    if len(statement.axes) < _PRODUCT or not targets:
        return 0
    kept = {name for target in targets for name, _ in target.terms}
    kept.add(survey.axes.get(id(statement), ""))
    return max((axis.extent for axis in statement.axes if axis.name not in kept), default=0)


def _bytes_of_sample(survey: Survey, body: Sequence[Statement]) -> int:
    """What one sample takes in all buffers that have it."""
    own = {
        access.name for each in body for access in survey.accesses(each) or ()
        if access.kind == "own" and access.name in survey.sizes
    }  # fmt: skip
    return sum(
        survey.sizes[name] // survey.samples * np.dtype(survey.dtypes[name]).itemsize
        for name in own
    )
