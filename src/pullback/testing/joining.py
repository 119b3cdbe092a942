"""Many leaves as a few arguments: each argument takes many evaluations of the function."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, strip

__all__ = ["MANY", "Joined"]

MANY = 64
"""The number of leaves beyond which those that are alike become one argument."""


class Joined:
    """Leaves as arrays.

    Attributes
    ----------
    groups : list of list of int
        The places of the leaves that are one array.
    arrays : list of array
    """

    def __init__(self, leaves: Sequence[Any]) -> None:
        self.groups = _groups(leaves)
        self.arrays = [
            np.stack([leaves[i] for i in group]) if len(group) > 1 else np.asarray(leaves[group[0]])
            for group in self.groups
        ]

    def apart(self, arrays: Sequence[Any], followed: Collection[int]) -> list[Any]:
        """The leaves from arrays like these.

        In a group only what is `followed` is traced.
        """
        pairs = zip(arrays, self.groups, strict=True)
        rows = itertools.chain(*(_rows(x, group, followed) for x, group in pairs))
        leaves: list[Any] = [None] * sum(map(len, self.groups))
        for i, row in zip(itertools.chain(*self.groups), rows, strict=True):
            leaves[i] = row
        return leaves


def _groups(leaves: Sequence[Any]) -> list[list[int]]:
    """Which leaves are one argument."""
    if len(leaves) <= MANY:
        return [[i] for i in range(len(leaves))]
    alike: dict[Any, list[int]] = {}
    for i, leaf in enumerate(leaves):
        alike.setdefault((shape_of(leaf), dtype_of(leaf)), []).append(i)
    return list(alike.values())


def _rows(joined: Any, group: Sequence[int], followed: Collection[int]) -> list[Any]:
    if len(group) == 1:
        return [joined]
    if type(joined) is not Tracer:
        return [*joined]
    rows: list[Any] = [*np.array(strip(joined))]
    traced: Any = joined
    for place, i in enumerate(group):
        if i in followed:
            rows[place] = traced[place]
    return rows
