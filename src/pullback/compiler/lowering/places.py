"""Indices that are affine in loop indices and other integers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

__all__ = ["ZERO", "Affine", "address"]


class Affine(NamedTuple):
    """The integer ``offset + Σ step · name``; the names are those of int64 scalars."""

    offset: int = 0
    terms: tuple[tuple[str, int], ...] = ()

    @property
    def known(self) -> bool:
        """Whether it is a number."""
        return not self.terms

    def scaled(self, factor: int) -> Affine:
        """The product with a number."""
        if factor == 1:
            return self
        if not factor:
            return ZERO
        if not self.terms:
            return Affine(self.offset * factor)
        return Affine(
            self.offset * factor, tuple((name, step * factor) for name, step in self.terms)
        )

    def plus(self, other: Affine) -> Affine:
        """The sum, in which each name stands once."""
        if not other.terms:
            return Affine(self.offset + other.offset, self.terms)
        steps: dict[str, int] = dict(self.terms)
        for name, step in other.terms:
            steps[name] = steps.get(name, 0) + step
        terms = tuple((name, step) for name, step in steps.items() if step)
        return Affine(self.offset + other.offset, terms)

    def shifted(self, by: int) -> Affine:
        """The sum with a number."""
        return Affine(self.offset + by, self.terms)

    def bounds(self, extents: Mapping[str, int]) -> tuple[int, int] | None:
        """The least and the greatest value, if the extents of all names are known."""
        low = high = self.offset
        for name, step in self.terms:
            extent = extents.get(name)
            if extent is None:
                return None
            last = step * (extent - 1)
            low, high = low + min(last, 0), high + max(last, 0)
        return low, high


ZERO = Affine()


def address(base: Affine, indices: Iterable[Affine], strides: Sequence[int]) -> Affine:
    """``base + Σ stride · index``."""
    offset = base.offset
    steps: dict[str, int] = dict(base.terms)
    for index, stride in zip(indices, strides, strict=True):
        offset += stride * index.offset
        for name, step in index.terms:
            steps[name] = steps.get(name, 0) + stride * step
    return Affine(offset, tuple((name, step) for name, step in steps.items() if step))
