"""Masks: the supports of tangents and cotangents as arrays, which pass the border of a body.

A body is recorded before there are elements, so a support that goes into it, or comes out of it,
is an argument or a result like others; see `pullback.transforms.support`. Which of them there are
is told by `pullback.core.zeros.Zeros`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from pullback.core.shapes import Abstract, shape_of
from pullback.core.tracing import known
from pullback.core.zeros import Begun, Kind, Zeros
from pullback.transforms.support import Support, recorded

__all__ = [
    "Full",
    "Mask",
    "full_of",
    "mask_of",
    "of_mask",
    "of_rows",
    "spread_out",
    "zeros_of",
]

_LONG = 4096
"""How many elements a mask has at most for it to be a constant of a graph."""


def zeros_of(support: Support | None) -> Zeros:
    """What the zeros are of a tangent or cotangent that has this support."""
    if support is None or support.is_full:
        return Zeros.ORDINARY
    return Zeros.AT_POLES if support.outline is None else Zeros.EVERYWHERE


def of_mask(mask: Any, zeros: Kind, index: Any = None) -> Support | None:
    """The support that an array tells, of a tangent or cotangent with such zeros.

    Of what a loop has begun the iteration's index tells it.
    """
    if zeros is Zeros.ORDINARY:
        return None
    if isinstance(zeros, Begun):
        start = zeros.start
        return Support(lambda: np.not_equal(index, start), everywhere=True, static=False)
    return Support(lambda: mask, everywhere=zeros is Zeros.EVERYWHERE, static=known(mask))


def mask_of(support: Support | None, like: Any) -> Any:
    """The array that tells a support, in the shape of the tangent or cotangent."""
    return spread_out(None if support is None else support.array, like)


def spread_out(mask: Any, like: Any) -> Any:
    """A mask in the shape of something; `None` is everything."""
    shape = shape_of(like)
    if mask is None:
        return np.ones(shape, bool)[()]
    return mask if shape_of(mask) == shape else np.logical_and(mask, np.ones(shape, bool))


class Full(NamedTuple):
    """The mask of everything, in the shape of something, when it is called.

    What is long, and recorded, is not to be a constant of a graph: it is made of a `source`.
    """

    like: Abstract
    source: Any

    @property
    def static(self) -> bool:
        """Whether it is known."""
        return self.source is None

    def __call__(self) -> Any:
        if self.source is None:
            return spread_out(None, self.like)
        return np.logical_or(np.not_equal(self.source, 0), True)


def full_of(x: Any) -> Full:
    """The mask of everything in a tangent or cotangent."""
    is_long = recorded(x) and math.prod(shape_of(x)) > _LONG
    return Full(Abstract.of(x), x if is_long else None)


class Mask(NamedTuple):
    """The mask of a support, for an argument that may not be read."""

    support: Support | None
    like: Any

    @property
    def array(self) -> Any:
        """See `mask_of`."""
        return mask_of(self.support, self.like)


def of_rows(
    masks: Callable[[], Sequence[Any]],
    zeros: Sequence[Zeros | None],
    there: Sequence[Any] | None = None,
) -> tuple[Support | None, ...]:
    """Supports of arrays with such zeros, whose masks are found all at once when one is asked.

    There is a mask for each; `None` stands for ordinary zeros. Those that are `there` already need
    not be found.
    """
    found: list[Sequence[Any]] = []

    def mask(number: int) -> Any:
        if there is not None and there[number] is not None:
            return there[number]
        if not found:
            found.append(masks())
        return found[0][number]

    return tuple(
        Support(lambda i=i: mask(i), everywhere=kind is Zeros.EVERYWHERE, static=False)
        if kind
        else None
        for i, kind in enumerate(zeros)
    )
