"""How far a computation over chunks has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pullback.compiler.over.stream import Rows
from pullback.compiler.over.sums import Forest, Node

__all__ = ["State"]


@dataclass
class State:
    """What the chunks that are done have given, to go on from.

    It can be pickled. What is in it is for `Compiled.over` alone.

    Attributes
    ----------
    mark : str
        What it belongs to: a digest of the function's code and its other arguments.
    samples : int, optional
        How many there are, if that is known.
    number : int
        How often all samples have been gone through.
    totals : list of list of array
        What they made each time.
    done : dict of int to int
        The chunks that are done this time, and how many samples each has.
    forest : Forest
        What they have made.
    rows : dict of int to array
        The results that have samples, by their position among the results.
    """

    mark: str
    samples: int | None = None
    number: int = 0
    totals: list[list[np.ndarray[Any, Any]]] = field(default_factory=list, repr=False)
    done: dict[int, int] = field(default_factory=dict)
    forest: Forest = field(default_factory=lambda: Forest(()), repr=False)
    rows: dict[int, np.ndarray[Any, Any]] = field(default_factory=dict, repr=False)

    def take(
        self,
        chunk: int,
        samples: int,
        before: int,
        nodes: list[Node],
        rows: list[tuple[Rows, np.ndarray[Any, Any]]],
    ) -> None:
        """Take in what a chunk has given.

        Parameters
        ----------
        chunk : int
        samples, before : int
            How many it has, and how many are before it.
        nodes : list of Node
        rows : list of (Rows, array)
        """
        for node in nodes:
            self.forest.add(node)
        for about, row in rows:
            self.rows[about.output][:, before : before + samples] = row
        self.done[chunk] = samples
