"""One piece of machine code for all sizes.

The first program of a structure is compiled with its numbers: extents, strides, offsets, constants.
If another program has the same structure, the numbers that differ become holes, which the code is
told when it runs, and it is compiled once more. That serves every later program of the structure
which differs in these numbers alone. Each was recorded and lowered for its own sizes, so that
whatever Python did with a shape is right.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from pullback.compiler.runtime import Library
from pullback.compiler.stages import Stages

__all__ = ["Template", "template"]


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


def template(stages: Stages, before: Template | None) -> Template:
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
