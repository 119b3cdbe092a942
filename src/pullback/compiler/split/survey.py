"""Which axes of a program's loops are its samples, and what each statement does with them.

Samples are what a number of axes of one extent run through together: in each loop over them, the
elements of a buffer that belong to a sample are the same. What is found first decides; a loop that
takes other elements for a sample's sees the buffer as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pullback.compiler.fusion.effects import effects
from pullback.compiler.fusion.traversal import bodies_of
from pullback.compiler.generic.numbers import alike
from pullback.compiler.loops import (
    Branch,
    Check,
    Const,
    Expr,
    For,
    Kernel,
    Let,
    Program,
    Scalar,
    Statement,
    While,
)
from pullback.compiler.split.lying import Lying
from pullback.compiler.split.places import Spot, kernels_places, loads
from pullback.compiler.split.ranges import ranges

__all__ = ["CHECKS", "Access", "Survey"]

Kind = Literal["own", "whole", "sum"]
CHECKS = "check"
"""What stands for what is known once a condition was found to hold; no buffer has such a name."""


class Access(NamedTuple):
    """What a statement does with a buffer or a scalar.

    Attributes
    ----------
    name : str
    kind : {"own", "whole", "sum"}
        Each sample with its own elements, or any with all; or all make a sum.
    writes : bool
    """

    name: str
    kind: Kind
    writes: bool


@dataclass
class Survey:
    """What is done to the samples of a program, if there are so many.

    Attributes
    ----------
    program : Program
    samples : int
    lying : dict of str to Lying
        How they lie in the buffers that have them.
    axes : dict of int to str
        By a kernel's identity the axis of the samples, if it has one.
    """

    program: Program
    samples: int
    lying: dict[str, Lying] = field(default_factory=dict)
    axes: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sizes = {buffer.name: buffer.size for buffer in self.program.buffers}
        self.dtypes = {buffer.name: buffer.dtype for buffer in self.program.buffers}
        self._found: dict[int, frozenset[Access] | None] = {}
        open_ = [
            (kernel, extents, candidates)
            for kernel, extents in _kernels(self.program.body, {})
            if (candidates := [a.name for a in kernel.axes if alike(a.extent, self.samples)])
            and all(axis.extent for axis in kernel.axes)
        ]
        while open_:
            left = [each for each in open_ if not self._decided(*each)]
            if len(left) == len(open_):
                kernel, extents, (axis, *_) = left.pop(0)
                self._take(kernel, extents, axis)
            open_ = left

    def _decided(
        self, kernel: Kernel, extents: Mapping[str, int], candidates: Sequence[str]
    ) -> bool:
        """Choose the axis that a kernel's buffers speak for; false where none does."""
        axis, *others = candidates
        if others:
            for_each = {each: self._agreements(kernel, extents, each) for each in candidates}
            axis = max(for_each, key=for_each.__getitem__)
            if not for_each[axis]:
                return False
        self._take(kernel, extents, axis)
        return True

    def _agreements(self, kernel: Kernel, extents: Mapping[str, int], axis: str) -> int:
        """How many places are elements of the samples of an axis, by what is known."""
        return sum(
            (lying := self.lying.get(spot.place.buffer)) is not None
            and lying.within(spot.place, axis, extents) is not None
            for spot in kernels_places(kernel)
        )

    def _take(self, kernel: Kernel, extents: Mapping[str, int], axis: str) -> None:
        self.axes[id(kernel)] = axis
        for spot in kernels_places(kernel):
            step = dict(spot.place.terms).get(axis, 0)
            name = spot.place.buffer
            if step <= 0 or name in self.lying or not self._fits(name, step):
                continue
            lying = Lying(step, self.samples)
            if lying.within(spot.place, axis, extents) is not None:
                self.lying[name] = lying

    def _fits(self, name: str, step: int) -> bool:
        """Whether a buffer can have all samples with this step."""
        return alike(self.sizes[name] % (step * self.samples), 0)

    # -- what a statement does ---------------------------------------------------------------------

    def accesses(self, statement: Statement) -> frozenset[Access] | None:
        """What a statement does if it goes through the samples; `None` if it can't."""
        key = id(statement)
        if key not in self._found:
            self._found[key] = self._accesses(statement)
        return self._found[key]

    def _accesses(self, statement: Statement) -> frozenset[Access] | None:
        found: set[Access] = set()
        if not self._through(statement, {}, found, outermost=True):
            return None
        by_name: dict[str, set[Access]] = {}
        for access in found:
            by_name.setdefault(access.name, set()).add(access)
        for group in by_name.values():
            # Within a statement there is no waiting for what other samples write.
            if any(a.writes for a in group) and len({a.kind for a in group}) > 1:
                return None
            if any(a.kind == "whole" and a.writes for a in group) and len(group) > 1:
                return None
            if any(a.kind == "sum" and not a.writes for a in group):
                return None
        about = effects(statement)
        if about.checks:
            found.add(Access(CHECKS, "own", writes=True))
        if about.indexed - about.gives:
            found.add(Access(CHECKS, "own", writes=False))
        found |= {Access(name, "whole", writes=False) for name in about.uses - about.gives}
        return frozenset(found)

    def whole(self, statement: Statement) -> frozenset[Access]:
        """What a statement does that is carried out for all samples at once."""
        about = effects(statement)
        found = {Access(name, "whole", writes=False) for name in about.reads}
        found |= {Access(name, "whole", writes=True) for name in about.writes | about.gives}
        found |= {Access(name, "whole", writes=False) for name in about.uses - about.gives}
        if about.checks:
            found.add(Access(CHECKS, "whole", writes=True))
        if about.indexed:
            found.add(Access(CHECKS, "whole", writes=False))
        return frozenset(found)

    def _through(
        self,
        statement: Statement,
        extents: Mapping[str, int],
        found: set[Access],
        *,
        outermost: bool,
    ) -> bool:
        if isinstance(statement, Kernel):
            return id(statement) in self.axes and self._kernel(
                statement, extents, found, outermost=outermost
            )
        if isinstance(statement, Let | Check):
            if outermost:
                return False
            value = statement.value if isinstance(statement, Let) else statement.condition
            self._read_whole(found, value)
            return True
        if isinstance(statement, For):
            self._read_whole(found, statement.extent, *statement.nexts)
            self._read_whole(found, *(first for _, first in statement.carries))
            extents = {**extents, **_extent_of(statement)}
        elif isinstance(statement, Branch):
            self._read_whole(found, statement.index)
            self._read_whole(found, *(x for _, row in statement.branches for x in row))
        elif isinstance(statement, While):
            self._read_whole(found, statement.condition, *statement.nexts)
            self._read_whole(found, *(first for _, first in statement.carries))
        else:
            return False
        if getattr(statement, "results", ()):
            return False  # scalars that every tile would give
        has_kernel = False
        for body in bodies_of(statement):
            for each in body:
                has_kernel |= not isinstance(each, Let | Check)
                if not self._through(each, extents, found, outermost=False):
                    return False
        return has_kernel

    def walked(self, statement: Statement) -> Iterator[tuple[Kernel, Spot]]:
        """The kernels of a statement, with each place that is an element of a sample of theirs."""
        for kernel, extents in _kernels([statement], {}):
            axis = self.axes.get(id(kernel))
            if axis is not None:
                for spot in kernels_places(kernel):
                    if self.kind(spot, axis, extents) == "own":
                        yield kernel, spot

    def _read_whole(self, found: set[Access], *values: Expr) -> None:
        found |= {Access(place.buffer, "whole", writes=False) for place in loads(*values)}

    def _kernel(
        self, kernel: Kernel, loops: Mapping[str, int], found: set[Access], *, outermost: bool
    ) -> bool:
        axis = self.axes[id(kernel)]
        extents = {**loops, **dict(kernel.axes), **ranges(kernel)}
        for spot in kernels_places(kernel):
            kind = self.kind(spot, axis, extents)
            if kind is None:
                return False
            if spot.write is not None and kind == "sum" and not self._sums(spot, loops, kernel):
                return False
            found.add(Access(spot.place.buffer, kind, writes=spot.write is not None))
        for write in kernel.writes:
            if isinstance(write.target, Scalar):
                if not outermost:
                    return False
                found.add(Access(write.target.name, "sum", writes=True))
        return True

    def kind(self, spot: Spot, axis: str, extents: Mapping[str, int]) -> Kind | None:
        """What a kernel does at a place; `None` if tiles can't do it."""
        lying = self.lying.get(spot.place.buffer)
        if lying is not None and lying.within(spot.place, axis, extents) is not None:
            return "own"
        if spot.write is None:
            return "whole"
        apart = axis in dict(spot.place.terms)
        if spot.write.combine:
            return None if apart else "sum"
        return "whole" if apart else None

    def _sums(self, spot: Spot, loops: Mapping[str, int], kernel: Kernel) -> bool:
        """Whether it is known what a sum is joined with at the end."""
        assert spot.write is not None
        names = {name for name, _ in spot.place.terms}
        own = {axis.name for axis in kernel.axes}
        if spot.write.start is None:
            return True
        given = isinstance(spot.write.start, Const) or not loops
        return given and names <= own | loops.keys() and loops.keys() <= names


def _extent_of(loop: For) -> dict[str, int]:
    extent = loop.extent
    return {loop.index: extent.value} if isinstance(extent, Const) else {}


def _kernels(
    body: Iterable[Statement], loops: Mapping[str, int]
) -> Iterator[tuple[Kernel, Mapping[str, int]]]:
    """The kernels of statements, and what names in them are known to be less than."""
    for statement in body:
        if isinstance(statement, Kernel):
            yield statement, {**loops, **dict(statement.axes), **ranges(statement)}
            continue
        inside = {**loops, **_extent_of(statement)} if isinstance(statement, For) else loops
        for inner in bodies_of(statement):
            yield from _kernels(inner, inside)
