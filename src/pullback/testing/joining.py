"""Many leaves as a few arguments: each argument takes many evaluations of the function."""

from __future__ import annotations

import itertools
import operator
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
        order = [*itertools.chain(*self.groups)]
        self._row = {i: row for row, i in enumerate(order)}  # of the arrays, one after the other
        self._in_order: Any = tuple
        if len(order) > 1 and order != sorted(order):
            self._in_order = operator.itemgetter(*(self._row[i] for i in range(len(order))))
        self.arrays = [
            np.stack([leaves[i] for i in group]) if len(group) > 1 else np.asarray(leaves[group[0]])
            for group in self.groups
        ]

    def apart(self, arrays: Sequence[Any], followed: Collection[int]) -> list[Any]:
        """The leaves from arrays like these.

        In a group only what is `followed` is traced.
        """
        rows: list[Any] = []
        for x, group in zip(arrays, self.groups, strict=True):
            start = len(rows)
            if len(group) == 1:
                rows.append(x)
            elif type(x) is not Tracer:
                rows.extend(x)
            else:
                traced: Any = x
                rows.extend(np.array(strip(x)))
                for i in followed if len(followed) < len(group) else group:
                    row = self._row[i]
                    if start <= row < start + len(group) and i in followed:
                        rows[row] = traced[row - start]
        return [*self._in_order(rows)]


def _groups(leaves: Sequence[Any]) -> list[list[int]]:
    """Which leaves are one argument."""
    if len(leaves) <= MANY:
        return [[i] for i in range(len(leaves))]
    alike: dict[Any, list[int]] = {}
    for i, leaf in enumerate(leaves):
        alike.setdefault((shape_of(leaf), dtype_of(leaf)), []).append(i)
    return list(alike.values())
