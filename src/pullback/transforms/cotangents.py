"""The cotangents of a reverse sweep in progress, added up in place where that is safe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.linear import Selection
from pullback.core.shapes import astype, fit
from pullback.core.tracing import Tracer
from pullback.transforms.support import Support, found_again, union
from pullback.transforms.tape import Node, Output

__all__ = ["Cotangents"]

Joining = Callable[[Support | None, Support | None], Support | None]


class Cotangents(dict[Any, Any]):
    """The cotangents of a sweep in progress, by node.

    Those of the nodes whose indices are `owned` are arrays of our own; `supports` are those of the
    cotangents that have strong zeros, for an operation with several outputs a list.
    """

    __slots__ = ("owned", "supports")

    def __init__(self, nodes: Sequence[Node], bars: Sequence[Any]) -> None:
        if bars:
            for node, bar in zip(nodes, bars, strict=False):
                if bar is not None:
                    self[node] = bar
        self.owned: set[int] = set()
        self.supports: dict[Any, Any] = {}

    def add(self, node: Node, bar: Any, support: Support | None = None) -> None:
        """Add `bar` to the cotangent of `node`.

        A first contribution may be shared with others; the sum of two is an array of our own.
        """
        total = self.get(node)
        if support is not None or self.supports:
            self._support(node, support)
        if total is None:
            self[node] = bar
        elif node.index in self.owned and type(bar) is np.ndarray:
            np.add(total, bar, total)
        else:
            self[node] = total = total + bar
            if type(total) is np.ndarray:
                self.owned.add(node.index)
            else:
                self.owned.discard(node.index)

    def add_over(
        self, node: Node, pull_over: Callable[[Any], None], bar: Any, successor: Node
    ) -> None:
        """Add what is written over `bar`, the cotangent of `successor`, or over a copy of it."""
        if successor.index not in self.owned:
            bar = np.array(bar)
        pull_over(bar)
        first = node not in self
        self.add(node, bar)
        if first:
            self.owned.add(node.index)

    def add_output(self, node: Output, bar: Any) -> None:
        """Put the cotangent of one of several outputs among those of its operation."""
        parent = node.parents[0]
        assert parent is not None
        support = found_again(bar, self.supports.pop(node, None))
        if support is not None:
            self.supports.setdefault(parent, [None] * node.width)[node.position] = support
        self.setdefault(parent, [None] * node.width)[node.position] = bar

    def _support(self, node: Node, support: Support | None, join: Joining = union) -> None:
        """Note the support of what is about to be added to a cotangent; `None` is everything."""
        if node in self:
            support = join(self.supports.get(node), support)
        if support is None:
            self.supports.pop(node, None)
        else:
            self.supports[node] = support

    def taken(self, nodes: Sequence[Node | None]) -> list[Any]:
        """The cotangents so far of these nodes, for something to be added to; they are removed."""
        totals = []
        for node in nodes:
            totals.append(None if node is None else self.pop(node, None))
            if node is not None:
                self.owned.discard(node.index)
        return totals

    def add_selected(
        self,
        node: Node,
        selection: Selection,
        bar: Any,
        support: Support | None = None,
        join: Joining = union,
    ) -> None:
        """Add what a selection pulls `bar` back to: a few elements of a large array, in place.

        What that has for a support is joined to that of the cotangent.
        """
        total = self.get(node)
        traced = Tracer in (type(bar), type(total))
        if traced and node.shape and total is not None and selection.pull_onto is not None:
            if self.supports or support is not None:
                self._support(node, support, join)
            self[node] = selection.pull_onto(total, astype(bar, node.dtype))
            self.owned.discard(node.index)
            return
        if not node.shape or selection.pull_into is None or traced:
            self.add(node, fit(selection.pullback(bar), node.shape, node.dtype), support)
            return
        if self.supports or support is not None:
            self._support(node, support)
        if node.index not in self.owned:
            self.owned.add(node.index)
            if total is None:
                total = np.zeros(node.shape, node.dtype)
            else:
                total = np.array(total, node.dtype)
            self[node] = total
        selection.pull_into(total, bar)
