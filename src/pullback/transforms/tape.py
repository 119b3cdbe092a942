"""The tape: a program's linearisation, recorded while the program runs.

Each operation on a varying value leaves a node: its primitive, the values that its rule reads, and
the nodes that its arguments came from. Nodes know their predecessors, and nothing knows a node but
its successors and the tracers that carry it, so what a program throws away is freed at once.

The recorded linearisation runs in both directions: `Linearization.push` walks the nodes forward
and applies pushforwards, `Linearization.pull` walks them backward and applies pullbacks.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.interpreter import Interpreter, snapshot
from pullback.core.linear import Diagonal, Maps, Selection, push
from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, dtype_of, fit, is_inexact, shape_of
from pullback.core.tracer import Tracer, strip
from pullback.errors import ArgumentValueError

__all__ = ["Linearization", "Node", "Operation", "Output", "Tape"]


class Node(Abstract):
    """A value on the tape: its shape, its dtype, and where it came from. An input has no parents.

    Attributes
    ----------
    index : int
        Position in the order of evaluation.
    parents : tuple of (Node or None)
        Where each argument came from; `None` for a constant.
    """

    __slots__ = ("index", "parents")

    def __init__(
        self,
        index: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        parents: tuple[Node | None, ...] = (),
    ) -> None:
        self.index = index
        self.shape = shape
        self.dtype = dtype
        self.parents = parents

    def release(self) -> None:
        """Forget where the value came from."""
        self.parents = ()


class Operation(Node):
    """The application of a primitive.

    Attributes
    ----------
    primitive : Primitive
    out, args, params
        What the rule is evaluated at; an `Abstract` in place of each value that it doesn't read.
    maps : Maps or None
        The rule's linear maps, once they have been evaluated for repeated use.
    """

    __slots__ = ("args", "maps", "out", "params", "primitive")

    primitive: Primitive
    out: Any
    args: Sequence[Any]
    params: dict[str, Any]
    maps: Maps | None

    def linear_maps(self, *, keep: bool) -> Maps:
        """The linear maps at the recorded point, evaluated on first use."""
        maps = self.maps
        if maps is None:
            maps = self.primitive.maps(self.out, self.args, self.params, self.parents)
            if keep:
                self.maps = maps
                self.out, self.args = None, ()
        return maps

    def release(self) -> None:
        self.parents = ()
        self.out, self.args, self.maps = None, (), None


class Output(Node):
    """One of the several outputs of an operation, its only parent."""

    __slots__ = ("position", "width")

    position: int
    width: int


class Tape(Interpreter):
    """Records the linearisation of the program that runs under it."""

    __slots__ = ("count",)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.count = 0

    def input(self, value: Any) -> Tracer:
        """A new independent variable."""
        self.count += 1
        return Tracer(self, value, Node(self.count, shape_of(value), dtype_of(value)))

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
            if type(arg) is Tracer:
                if arg.interpreter is self:
                    parent, arg = arg.payload, arg.value
                    varies = varies or parent is not None
                traced = traced or type(arg) is Tracer
            values.append(arg)
            parents.append(parent)
        out = primitive(*values, **params) if traced else primitive.value(*values, **params)
        if primitive.multiple:
            return self._record_several(primitive, out, values, parents, params, varies)
        if not varies or primitive.is_constant or out.dtype.kind not in "fc":
            return self.constant(out)
        node = self._operation(primitive, out.shape, out.dtype, values, parents, params)
        node.out = out if primitive.keeps_out else node
        return Tracer(self, out, node)

    def _operation(
        self,
        primitive: Primitive,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        values: list[Any],
        parents: list[Node | None],
        params: dict[str, Any],
    ) -> Operation:
        """A node that keeps what the rule reads; of the other values, shapes and dtypes."""
        if primitive.rule is None:
            raise primitive.no_rule()
        self.count += 1
        node = Operation(self.count, shape, dtype, tuple(parents))
        node.primitive = primitive
        node.params = params
        node.maps = None
        keeps, rest = primitive.keeps, primitive.keeps_rest
        for position, parent in enumerate(parents):
            if not (keeps[position] if position < len(keeps) else rest):
                values[position] = parent or Abstract.of(values[position])
            elif parent is None:
                values[position] = snapshot(values[position])
        node.args = values
        return node

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
        node = self._operation(primitive, (), np.dtype(float), values, parents, params)
        node.out = outs if primitive.keeps_out else tuple(map(Abstract.of, outs))
        tracers = []
        for position, out in enumerate(outs):
            if not is_inexact(out):
                tracers.append(out)
                continue
            self.count += 1
            output = Output(self.count, shape_of(out), dtype_of(out), (node,))
            output.position, output.width = position, len(outs)
            tracers.append(Tracer(self, out, output))
        return tuple(tracers)


class Linearization:
    """The derivative of a recorded program at a point, ready to be applied.

    Parameters
    ----------
    inputs : sequence of Node
    outputs : sequence of (Node or None)
        `None` for an output that is constant.

    Attributes
    ----------
    nodes : list of Node
        What the outputs depend on, in the order of evaluation.
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
                if type(node) is Operation:
                    arguments = [values.get(parent) for parent in node.parents]  # type: ignore[arg-type]
                    if all(dot is None for dot in arguments):
                        continue
                    dot = push(node.linear_maps(keep=True), arguments)
                elif type(node) is Output:
                    several = values.get(node.parents[0])  # type: ignore[arg-type]
                    dot = None if several is None else several[node.position]
                else:
                    continue
                if dot is not None:
                    several = type(dot) is tuple
                    values[node] = dot if several else fit(dot, node.shape, node.dtype)
        return [None if output is None else values.get(output) for output in self.outputs]

    def pull(self, seeds: Sequence[Any], *, once: bool = False) -> list[Any]:
        """Cotangents of the inputs from cotangents of the outputs; `None` is zero.

        With `once`, every node is released as soon as it has been used.
        """
        bars = Cotangents()
        masked = False
        for output, bar in zip(self.outputs, seeds, strict=True):
            if output is not None and bar is not None:
                bars.add(output, bar)
        nodes = self.nodes
        with np.errstate(all="ignore"):
            for position in range(len(nodes) - 1, -1, -1):
                node = nodes[position]
                if type(node) is Operation:
                    bar = bars.pop(node, None)
                    if bar is not None:
                        masked = masked or node.primitive.masks
                        _pull_through(node, bar, bars, keep=not once, masked=masked)
                elif type(node) is Output:
                    bar = bars.pop(node, None)
                    if bar is not None:
                        several = bars.setdefault(node.parents[0], [None] * node.width)
                        several[node.position] = bar
                if once:
                    del nodes[position]
                    node.release()
        return [bars.get(node) for node in self.inputs]


class Cotangents(dict[Any, Any]):
    """The cotangents of a sweep in progress, by node, added up in place where that is safe."""

    __slots__ = ("owned",)

    def __init__(self) -> None:
        super().__init__()
        self.owned: set[int] = set()

    def add(self, node: Node, bar: Any) -> None:
        """Add `bar` to the cotangent of `node`.

        A first contribution may be shared with others; the sum of two is an array of our own.
        """
        total = self.get(node)
        if total is None:
            self[node] = bar
        elif node.index in self.owned and type(bar) is np.ndarray:
            np.add(total, bar, out=total)
        else:
            self[node] = total = total + bar
            if type(total) is np.ndarray:
                self.owned.add(node.index)

    def add_selected(self, node: Node, selection: Selection, bar: Any) -> None:
        """Add what a selection pulls `bar` back to: a few elements of a large array, in place."""
        total = self.get(node)
        if selection.pull_into is None or type(bar) is Tracer or type(total) is Tracer:
            self.add(node, fit(selection.pullback(bar), node.shape, node.dtype))
            return
        if node.index not in self.owned:
            self.owned.add(node.index)
            if total is None:
                total = np.zeros(node.shape, node.dtype)
            else:
                total = np.array(total, node.dtype)
            self[node] = total
        selection.pull_into(total, bar)


def _in_order(outputs: Sequence[Node | None]) -> list[Node]:
    """The nodes that the outputs depend on, in the order of evaluation."""
    stack = [output for output in outputs if output is not None]
    seen = set(stack)
    stack = list(seen)
    nodes = []
    while stack:
        node = stack.pop()
        nodes.append(node)
        for parent in node.parents:
            if parent is not None and parent not in seen:
                seen.add(parent)
                stack.append(parent)
    nodes.sort(key=operator.attrgetter("index"))
    return nodes


def _pull_through(
    node: Operation, bar: Any, bars: Cotangents, *, keep: bool, masked: bool
) -> None:
    """Add Jᵢᵀȳ to the cotangent of each argument of an operation."""
    maps = node.linear_maps(keep=keep)
    terms = None if type(maps) is list else maps.pullback(bar)  # type: ignore[union-attr]
    for position, parent in enumerate(node.parents):
        if parent is None:
            continue
        if terms is not None:
            term = terms[position]
        else:
            linear = maps[position]  # type: ignore[index]
            if type(linear) is Selection:
                bars.add_selected(parent, linear, bar)
                continue
            term = None if linear is None else linear.pullback(bar)
            if masked and type(linear) is Diagonal:
                term = _with_strong_zeros(term, bar)
        if term is None:
            continue
        if shape_of(term) != parent.shape or dtype_of(term) is not parent.dtype:
            term = _fit(term, parent, node, position)
        if parent in bars:
            bars.add(parent, term)
        else:
            bars[parent] = term


def _with_strong_zeros(term: Any, bar: Any) -> Any:
    """`term`, and zero where it is not a number although the cotangent is exactly zero."""
    undefined = np.isnan(strip(term))
    if not undefined.any():
        return term
    return np.where(undefined & (strip(bar) == 0), dtype_of(term).type(0), term)


def _fit(term: Any, parent: Node, node: Operation, position: int) -> Any:
    try:
        return fit(term, parent.shape, parent.dtype)
    except ValueError as error:
        raise ArgumentValueError(
            f"the rule of {node.primitive.name}: the pullback for argument {position} returned "
            f"an array of shape {shape_of(term)}, wanted {parent.shape}, the shape of the argument"
        ) from error
