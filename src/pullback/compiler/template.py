"""One piece of machine code for all sizes.

The first program of a structure is compiled with its numbers: extents, strides, offsets, constants.
If another program has the same structure, the numbers that differ become holes, which the code is
told when it runs, and it is compiled once more. That serves every later program of the structure
which differs in these numbers alone. Each is recorded for its own sizes, so that
whatever Python did with a shape is right.

The second program is lowered with letters in place of what varies (`generic`). Its numbers are
then known for other sizes, and so is what was decided by them on the way: a later recording for
which all is decided as it was is not lowered. The others are.

A recording that another process has compiled is found on disk by itself, and is lowered only when
another one of its structure comes.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from pullback.compiler.cache import object_cache
from pullback.compiler.generic.forms import Forms, Known
from pullback.compiler.runtime import Library
from pullback.compiler.stages import Stages

__all__ = ["Templates"]


@dataclass(frozen=True)
class Template:
    """Machine code for programs of one structure.

    Attributes
    ----------
    values : list of number
        The numbers that it was made with.
    holes : tuple of int
        The positions of those that it is told when it runs.
    code : Library, optional
        None as long as it is known only what can be different.
    """

    values: list[Any]
    holes: tuple[int, ...] = ()
    code: Library | None = None


class Templates:
    """The machine code of one function, for all that it has been called with."""

    def __init__(self) -> None:
        self._recorded: set[str] = set()
        self._kept: list[tuple[Stages, Library]] = []
        self._firsts: dict[str, Stages] = {}
        self._templates: dict[str, Template] = {}
        self._generals: dict[tuple[str, tuple[int, ...]], Known] = {}
        self._forms: dict[str, list[Forms]] = defaultdict(list)

    def fitting(self, stages: Stages) -> tuple[Stages, Library, tuple[int, ...]]:
        """Machine code for a program, the program as that has it, and the numbers it is told.

        The first time it is for these sizes alone, the second time for any, if that can be.
        """
        code = self._found(stages)
        if code is not None:
            return stages, code, ()
        self._read()
        first = self._firsts.setdefault(stages.outline.key, stages)
        if first is not stages:
            stages = self._for_any(first, stages)
        structure = stages.numbers[0]
        found = _template(stages, self._templates.get(structure))
        self._templates[structure] = found
        assert found.code is not None
        return stages, found.code, found.holes

    def _for_any(self, first: Stages, stages: Stages) -> Stages:
        """The program for any size of its arguments, if it has the same structure for the first."""
        known_forms = self._forms[stages.outline.key]
        for forms_ in known_forms:
            known = forms_.at(stages.outline.holes)
            if known is not None:
                return stages.for_sizes(
                    (), numbers=known.numbers, linkage=known.linkage, room=known.room
                )
        key = stages.outline.key, stages.varying_from(first)
        known = self._generals.get(key)
        if known is None:
            known = self._generals[key] = first.for_any(stages)[0].known
        theirs, found = stages.for_any(first)
        if found is not None:
            known_forms += [found] if found.gives(first.outline.holes, known) else []
        if known.numbers[0] != theirs.numbers[0]:
            return stages
        self._templates.setdefault(known.numbers[0], Template(known.numbers[1]))
        return theirs

    def _found(self, stages: Stages) -> Library | None:
        """The machine code on disk for a recording, if it is the first one of its structure."""
        if object_cache().location() is None:
            return None
        structure = stages.identity.structure
        if structure in self._recorded:
            return None
        self._recorded.add(structure)
        code = stages.kept()
        if code is not None:
            self._kept.append((stages, code))
        return code

    def _read(self) -> None:
        """Let what was found on disk take part."""
        for stages, code in self._kept:
            structure, values = stages.numbers
            self._firsts.setdefault(stages.outline.key, stages)
            self._templates.setdefault(structure, Template(values, (), code))
        self._kept.clear()


def _template(stages: Stages, before: Template | None) -> Template:
    """A template that serves a program: the one `before` it, of its structure, if that does."""
    values = stages.numbers[1]
    if before is None:
        return Template(values, (), stages.machine_code())
    differing = {
        i
        for i, (one, other) in enumerate(zip(before.values, values, strict=True))
        if not _is_same(one, other)
    }
    if before.code is not None and differing <= set(before.holes):
        return before
    holes = tuple(sorted(differing | set(before.holes)))
    return Template(before.values, holes, stages.machine_code(holes))


def _is_same(a: Any, b: Any) -> bool:
    """Whether two numbers are the same to the last bit."""
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack("<d", a) == struct.pack("<d", b)
    return type(a) is type(b) and bool(a == b)
