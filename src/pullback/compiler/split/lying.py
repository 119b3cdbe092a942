"""How samples lie in a buffer, and where the elements of one lie in a tile.

``x[group · step · samples + step · sample + part]``, with ``part < step``, is an element of one
sample. In a tile, where a sample lies beside the next one, that is ``x[(group · step + part) · tile
+ sample]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pullback.compiler.loops import Place

__all__ = ["Lying"]


class Lying(NamedTuple):
    """The samples in a buffer.

    Attributes
    ----------
    step : int
        From an element to that of the next sample.
    samples : int
    """

    step: int
    samples: int

    @property
    def group(self) -> int:
        """Elements from the first to the last sample's, and to where they begin again."""
        return self.step * self.samples

    def within(
        self, place: Place, axis: str, extents: Mapping[str, int], tile: int = 1
    ) -> Place | None:
        """The place in a tile, if it is an element of the sample `axis`.

        Parameters
        ----------
        place : Place
        axis : str
        extents : mapping of str to int
            Of names in places those whose values are known to be less than this, from 0 on.
        tile : int
        """
        return self._inside(place, axis, extents, (1, tile, tile))

    def aside(self, place: Place, axis: str, extents: Mapping[str, int], tile: int) -> Place | None:
        """The same where the elements of a tile lie as those of all samples do."""
        return self._inside(place, axis, extents, (self.step, tile, 1))

    def _inside(
        self, place: Place, axis: str, extents: Mapping[str, int], factors: tuple[int, int, int]
    ) -> Place | None:
        """The place, by how far apart are samples, groups and the parts of a sample."""
        of_sample, of_group, of_part = factors
        group, part = divmod(place.offset, self.group)
        low = high = part
        terms: list[tuple[str, int]] = []
        found = False
        for name, step in place.terms:
            if name == axis:
                if step != self.step:
                    return None
                terms.append((name, of_sample))
                found = True
            elif step % self.group == 0:
                terms.append((name, step // self.samples * of_group))
            elif name in extents:
                end = step * (extents[name] - 1)
                low, high = low + min(end, 0), high + max(end, 0)
                terms.append((name, step * of_part))
            else:
                return None
        if not found or low < 0 or high >= self.step:
            return None
        offset = group * self.step * of_group + part * of_part
        return Place(place.buffer, offset, tuple(terms))
