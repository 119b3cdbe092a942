"""The tape: a program's linearisation, recorded while the program runs.

Each operation on a varying value leaves a node: its primitive, the values that its rule reads, and
the nodes that it came from. Nodes know their predecessors and nothing knows the nodes but their
successors and the tracers that carry them, so what a program throws away is freed at once.

The recorded linearisation runs in both directions: `Linearization.push` walks the nodes forward
and applies pushforwards, `Linearization.pull` walks them backward and applies pullbacks.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.interpreter import Interpreter, snapshot
from pullback.core.linear import Joint, Maps, push
from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, dtype_of, fit, is_inexact, shape_of
from pullback.core.tracer import Tracer

__all__ = ["Linearization", "Node", "Tape"]

_by_index = operator.attrgetter("index")


class Node(Abstract):
    """One operation on the tape, and the shape and dtype of its output.

    Attributes
    ----------
    index : int
        Position in the order of evaluation.
    parents : tuple of (Node or None)
        Where each argument came from; `None` for a constant.
    primitive : Primitive or None
        `None` for an input, and for one of the outputs of a node with several.
    out, args, params
        What the rule is evaluated at; an `Abstract` in place of each value that it doesn't read.
    position : int or None
        For one of several outputs, which one.
    width : int
        How many outputs the primitive has, where it has several.
    """

    __slots__ = (
        "args", "index", "maps", "out", "params", "parents", "position", "primitive", "width"
    )  # fmt: skip

    def __init__(self, index: int, out: Any, parents: tuple[Node | None, ...] = ()) -> None:
        self.index = index
        self.shape = shape_of(out)
        self.dtype = dtype_of(out)
        self.parents = parents
        self.primitive: Primitive | None = None
        self.out: Any = None
        self.args: tuple[Any, ...] = ()
        self.params: dict[str, Any] = {}
        self.position: int | None = None
        self.width = 1
        self.maps: Maps | None = None

    def linear_maps(self, *, keep: bool) -> Maps:
        """The rule's linear maps at the recorded point, evaluated on first use."""
        maps = self.maps
        if maps is None:
            assert self.primitive is not None
            wanted = [parent is not None for parent in self.parents]
            maps = self.primitive.maps(self.out, self.args, self.params, wanted)
            if keep:
                self.maps = maps
                self.out, self.args = None, ()
        return maps

    def release(self) -> None:
        """Forget what the rule kept and where the arguments came from."""
        self.out, self.args, self.parents, self.maps = None, (), (), None


class Tape(Interpreter):
    """Records the linearisation of the program that runs under it."""

    __slots__ = ("count",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.count = 0

    def input(self, value: Any) -> Tracer:
        """A new independent variable."""
        return Tracer(self, value, self._node(value))

    def _node(self, out: Any, parents: tuple[Node | None, ...] = ()) -> Node:
        self.count += 1
        return Node(self.count, out, parents)

    def process(
        self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]
    ) -> Any:
        if not self.open:
            self.require_open(primitive.name)
        values: list[Any] = []
        parents: list[Node | None] = []
        varies = traced = False
        for arg in args:
            parent = None
            if isinstance(arg, Tracer):
                if arg.interpreter is self:
                    parent, arg = arg.payload, arg.value
                    varies = varies or parent is not None
                traced = traced or isinstance(arg, Tracer)
            values.append(arg)
            parents.append(parent)
        out = primitive(*values, **params) if traced else primitive.value(*values, **params)
        if primitive.multiple:
            return self._record_several(primitive, out, values, parents, params, varies)
        if not varies or primitive.is_constant or not is_inexact(out):
            return self.constant(out)
        node = self._node(out, tuple(parents))
        self._fill(node, primitive, out if primitive.keeps_out else node, values, params)
        return Tracer(self, out, node)

    def _record_several(
        self,
        primitive: Primitive,
        outs: tuple[Any, ...],
        values: list[Any],
        parents: list[Node | None],
        params: dict[str, Any],
        varies: bool,
    ) -> tuple[Any, ...]:
        if not varies or primitive.is_constant:
            return tuple(map(self.constant, outs))
        node = self._node(0.0, tuple(parents))
        node.width = len(outs)
        abstract = tuple(Abstract.of(out) for out in outs)
        self._fill(node, primitive, outs if primitive.keeps_out else abstract, values, params)
        tracers = []
        for position, out in enumerate(outs):
            if not is_inexact(out):
                tracers.append(out)
                continue
            output = self._node(out, (node,))
            output.position = position
            tracers.append(Tracer(self, out, output))
        return tuple(tracers)

    def _fill(
        self,
        node: Node,
        primitive: Primitive,
        out: Any,
        values: list[Any],
        params: dict[str, Any],
    ) -> None:
        """Keep what the rule reads; of the other values their shapes and dtypes."""
        if primitive.rule is None:
            raise primitive.no_rule()
        node.primitive = primitive
        node.params = params
        node.out = out
        keeps = primitive.keeps_args
        for position, parent in enumerate(node.parents):
            if not keeps(position):
                value = values[position]
                values[position] = parent or Abstract.of(value)
            elif parent is None:
                values[position] = snapshot(values[position])
        node.args = tuple(values)


class Linearization:
    """The derivative of a recorded program at a point, ready to be applied.

    Parameters
    ----------
    inputs : sequence of Node
    outputs : sequence of (Node or None)
        `None` for an output that is constant.
    """

    __slots__ = ("inputs", "nodes", "outputs")

    def __init__(self, inputs: Sequence[Node], outputs: Sequence[Node | None]) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.nodes = _in_order(outputs)

    def push(self, dots: Sequence[Any]) -> list[Any]:
        """Tangents of the outputs from tangents of the inputs; `None` is zero."""
        values: dict[Node, Any] = dict(zip(self.inputs, dots, strict=True))
        with np.errstate(all="ignore"):
            for node in self.nodes:
                if node.position is not None:
                    several = values.get(node.parents[0])  # type: ignore[arg-type]
                    dot = None if several is None else several[node.position]
                elif node.primitive is None:
                    continue
                else:
                    dot = _push_through(node, values)
                if dot is None:
                    continue
                if not (node.primitive is not None and node.primitive.multiple):
                    dot = fit(dot, node.shape, node.dtype)
                values[node] = dot
        return [None if output is None else values.get(output) for output in self.outputs]

    def pull(self, seeds: Sequence[Any], *, once: bool = False) -> list[Any]:
        """Cotangents of the inputs from cotangents of the outputs; `None` is zero.

        With `once`, every node is released as soon as it has been used.
        """
        bars = _Cotangents()
        for output, bar in zip(self.outputs, seeds, strict=True):
            if output is not None and bar is not None:
                bars.add(output, bar)
        nodes = self.nodes
        with np.errstate(all="ignore"):
            for position in range(len(nodes) - 1, -1, -1):
                node = nodes[position]
                if node.primitive is not None or node.position is not None:
                    bar = bars.pop(node)
                    if bar is not None:
                        _pull_through(node, bar, bars, keep=not once)
                if once:
                    del nodes[position]
                    node.release()
        return [bars.pop(node) for node in self.inputs]


def _in_order(outputs: Sequence[Node | None]) -> list[Node]:
    """The nodes that the outputs depend on, in the order of evaluation."""
    stack = [output for output in outputs if output is not None]
    seen = set(stack)
    nodes = []
    while stack:
        node = stack.pop()
        nodes.append(node)
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    nodes.sort(key=_by_index)
    return nodes


def _push_through(node: Node, values: dict[Node, Any]) -> Any:
    """Σ Jᵢẋᵢ for one node."""
    dots = [None if parent is None else values.get(parent) for parent in node.parents]
    if all(dot is None for dot in dots):
        return None
    return push(node.linear_maps(keep=True), dots)


def _pull_through(node: Node, bar: Any, bars: _Cotangents, *, keep: bool) -> None:
    """Add Jᵢᵀȳ to the cotangent of each of the node's arguments."""
    if node.position is not None:
        bars.place(node.parents[0], node.position, bar)
        return
    maps = node.linear_maps(keep=keep)
    if isinstance(maps, Joint):
        for parent, parent_bar in zip(node.parents, maps.pullback(bar), strict=True):
            if parent is not None and parent_bar is not None:
                bars.add(parent, fit(parent_bar, parent.shape, parent.dtype))
        return
    for parent, linear in zip(node.parents, maps, strict=True):
        if parent is None or linear is None:
            continue
        parent_bar = linear.pullback(bar)
        if parent_bar is not None:
            bars.add(parent, fit(parent_bar, parent.shape, parent.dtype))


class _Cotangents:
    """The cotangents of a sweep in progress, added up in place where that is safe."""

    __slots__ = ("bars", "owned")

    def __init__(self) -> None:
        self.bars: dict[Node, Any] = {}
        self.owned: set[Node] = set()

    def add(self, node: Node, bar: Any) -> None:
        bars = self.bars
        total = bars.get(node)
        if total is None:
            bars[node] = bar
        elif node in self.owned and type(bar) is np.ndarray:
            np.add(total, bar, out=total)
        else:
            bars[node] = total = total + bar
            if type(total) is np.ndarray:
                self.owned.add(node)

    def place(self, node: Any, position: int, bar: Any) -> None:
        """Put the cotangent of one of several outputs in its place."""
        several = self.bars.get(node)
        if several is None:
            several = self.bars[node] = [None] * node.width
        several[position] = bar

    def pop(self, node: Node) -> Any:
        self.owned.discard(node)
        return self.bars.pop(node, None)
