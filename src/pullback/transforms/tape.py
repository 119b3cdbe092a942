"""The tape: a program's linearisation, recorded while the program runs.

Each operation on a varying value leaves a node: its primitive, the values that its rule reads, and
the nodes that its arguments came from. Nodes know their predecessors, and nothing knows a node but
its successors and the tracers that carry it, so what a program throws away is freed at once.

`pullback.transforms.linearization` runs what was recorded, in both directions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.collection import ROUND, full_collections
from pullback.core.maps import Followed, Maps
from pullback.core.memory import Snapshots
from pullback.core.precision import PYTHON_NUMBERS, as_scalar
from pullback.core.primitive import SCALARS, Primitive, locally_constant
from pullback.core.running import thread
from pullback.core.shapes import Abstract, dtype_of, is_inexact, shape_of
from pullback.core.singular import Met, watch
from pullback.core.sums import broadcast_together
from pullback.core.tracing import NO_PARAMS, Interpreter, Tracer, known, traced

__all__ = ["Node", "Operation", "Output", "Tape"]


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
        What the rule is evaluated at; an `Abstract` in place of each argument that it doesn't
        read, and `None` in place of the output, for which the node itself stands then.
    maps : Maps or None
        The rule's linear maps, once they have been evaluated for repeated use.
    met : Met or None
        The singular points that it is at, if somebody wants to know.
    """

    __slots__ = ("args", "maps", "met", "out", "params", "primitive")

    primitive: Primitive
    out: Any
    args: Sequence[Any]
    params: dict[str, Any]
    maps: Maps | None
    met: Met | None

    def linear_maps(self) -> Maps:
        """The linear maps at the recorded point, evaluated on first use and kept."""
        # Read before `maps`: another thread that uses the same tape sets `maps` first and forgets
        # the rest afterwards.
        out, args = self.out, self.args
        if self.maps is None:
            out = self if out is None else out
            self.maps = self.primitive.maps(out, args, self.params, self.parents)
            asked = self.primitive.generic or self.primitive.masks or self.primitive.pads
            self.out, self.args = None, tuple(map(_outside, args)) if asked else ()
        return self.maps

    def entries(self) -> Any:
        """What the rule returns at the recorded point; see `as_map`."""
        if self.maps is not None:
            return self.maps
        out = self if self.out is None else self.out
        return self.primitive.entries(out, self.args, self.params, self.parents)

    def release(self) -> None:
        self.parents = ()
        self.out, self.args, self.maps = None, (), None


def _applied(
    index: int,
    out: Any,
    parents: tuple[Node | None, ...],
    primitive: Primitive,
    args: Sequence[Any],
    params: dict[str, Any],
) -> Operation:
    """The application of a primitive that has the result `out`; it takes less than a call of the
    class.
    """
    node: Operation = _new(Operation)
    node.index = index
    node.parents = parents
    node.primitive = primitive
    if type(out) in PYTHON_NUMBERS:
        out = as_scalar(out)
    node.shape = out.shape
    node.dtype = out.dtype
    node.out = out if primitive.keeps_out else None
    node.args = args
    node.params = params
    node.maps = node.met = None
    return node


_new = object.__new__


def _outside(x: Any) -> Any:
    """What is kept of an argument beside the linear maps: no array but an index or a condition."""
    return Abstract.of(x) if dtype_of(x).kind in "fc" else x


class Output(Node):
    """One of the several outputs of an operation, its only parent."""

    __slots__ = ("position", "width")

    position: int
    width: int


class Tape(Interpreter):
    """Records the linearisation of the program that runs under it.

    Attributes
    ----------
    infinitesimal : Infinitesimal, Postponed or None
        What equal values were set apart by, or will be when the values are known; see
        `pullback.transforms.infinitesimals` and `pullback.rules.postponed`.
    log : dict or None
        Where values are not known: those of inputs and of all arguments of operations, by node.
    masks : bool
        Whether an operation hands out strong zeros; see `pullback.transforms.support`.
    met : bool
        Whether an operation is at a singular point that somebody wants to know of.
    snapshots : Snapshots or None
        What is kept of constants.
    """

    __slots__ = ("_asks", "count", "infinitesimal", "log", "masks", "met", "snapshots")

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.count = 0
        self._asks = ROUND
        self.snapshots: Snapshots | None = None  # made when one is needed
        self.infinitesimal: Any = None
        self.log: dict[Node, Any] | None = None
        if not all(each is None or each.knows_values for each in thread.stack):
            self.log = {}
        self.masks = self.met = False

    def lowered(self, value: Any, payload: Any) -> tuple[Any, Any]:
        found = self.infinitesimal
        return (value if found is None else found.settled(value)), payload

    def input(self, value: Any) -> Tracer:
        """A new independent variable."""
        self.count += 1
        if not self.count % ROUND:
            full_collections.wait()
        node: Node = _new(Node)  # as by __init__, in half the time: of a wide pytree there are many
        node.index, node.parents = self.count, ()
        bottom = value._value if type(value) is Tracer else value
        if type(bottom) is float:
            node.shape, node.dtype = (), _FLOAT
        elif type(value) is np.ndarray:
            node.shape, node.dtype = value.shape, value.dtype
        else:
            node.shape, node.dtype = shape_of(value), dtype_of(value)
        if self.log is not None:
            self.log[node] = value
        elif bottom is not value and not known(bottom):
            self.log = {node: value}
        return traced(self, value, node)

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if not self.open:
            self.require_open(primitive.name)
        values: list[Any] = []
        found: list[Node | None] = []
        varies = outer = False
        for arg in args:
            parent = None
            if type(arg) is Tracer:
                if arg._interpreter is self:
                    parent, arg = arg._payload, arg._value
                    if parent is not None:
                        varies = True
                if type(arg) is Tracer:
                    outer = True
            values.append(arg)
            found.append(parent)
        rule = primitive.rule
        if not varies or ((rule is None or rule is locally_constant) and primitive.is_constant):
            return self._evaluate(primitive, values, params, varies=varies)
        parents = tuple(found)
        if primitive.linearize is not None:
            return self._record_linearized(primitive, values, parents, params)
        evaluate = primitive if outer else primitive.value
        out = evaluate(*values, **params) if params else evaluate(*values)
        if primitive.multiple:
            return self._record_several(primitive, out, values, parents, params)
        if out.dtype.kind not in "fc":
            return self.constant(out)
        return traced(self, out, self._operation(primitive, out, values, parents, params))

    def operate(self, primitive: Primitive, evaluate: Callable[..., Any], x: Any, y: Any) -> Any:
        if not self.open:
            self.require_open(primitive.name)
        is_constant = primitive.rule is locally_constant
        if is_constant and watch.looks is not None:
            return NotImplemented
        x_node = y_node = None
        if type(x) is Tracer:
            x_node, x = x._payload, x._value
        if type(y) is Tracer:
            y_node, y = y._payload, y._value
        if type(x) is _ndarray and type(y) is _ndarray and x.shape != y.shape and not is_constant:
            out = broadcast_together(primitive.value, evaluate, x, y)
        else:
            out = evaluate(x, y)
        if is_constant or (x_node is None and y_node is None):
            return self.constant(out)
        node = self._operation(primitive, out, [x, y], (x_node, y_node), NO_PARAMS)
        return traced(self, out, node)

    def _evaluate(
        self, primitive: Primitive, values: list[Any], params: dict[str, Any], *, varies: bool
    ) -> Any:
        """The value of a primitive that does not vary."""
        out = primitive(*values, **params)
        if watch.looks is not None and varies:
            met = watch.looks(primitive, out, values, params)
            if met is not None:
                met.refused()
        return tuple(map(self.constant, out)) if primitive.multiple else self.constant(out)

    def _operation(
        self,
        primitive: Primitive,
        out: Any,
        values: list[Any],
        parents: tuple[Node | None, ...],
        params: dict[str, Any],
    ) -> Operation:
        """A node that keeps what the rule reads; of the other values, shapes and dtypes."""
        if primitive.rule is None:
            raise primitive.no_rule(parents)
        met = None if watch.looks is None else watch.looks(primitive, out, values, params)
        args: Sequence[Any] = parents
        logged = None if self.log is None else self._logged(values, parents)
        if not primitive.reads_nothing or None in parents:
            args = values
            keeps, rest = primitive.keeps, primitive.keeps_rest  # as `reads`, in the inmost loop
            for position, parent in enumerate(parents):
                if not (keeps[position] if position < len(keeps) else rest):
                    args[position] = parent or Abstract.of(args[position])
                elif parent is None and type(args[position]) not in SCALARS:
                    args[position] = self._kept(args[position])
        if primitive.masks:
            self.masks = True
        self.count += 1
        if self.count > self._asks:
            self._asks = self.count + ROUND
            full_collections.wait()
        node = _applied(self.count, out, parents, primitive, args, params)
        if logged is not None:
            self.log[node] = logged  # type: ignore[index]
        if met is not None:
            node.met = met
            self.met = True
        return node

    def _kept(self, x: Any) -> Any:
        """A constant as it is now."""
        if self.snapshots is None:
            self.snapshots = Snapshots()
        return self.snapshots.of(x)

    def _logged(self, values: Sequence[Any], parents: Sequence[Node | None]) -> list[Any]:
        """The values of arguments, constants as they are now."""
        return [
            self._kept(x) if parent is None and type(x) not in SCALARS else x
            for x, parent in zip(values, parents, strict=True)
        ]

    def _record_linearized(
        self,
        primitive: Primitive,
        values: list[Any],
        parents: tuple[Node | None, ...],
        params: dict[str, Any],
    ) -> Any:
        """The value and the linear maps of a primitive that makes them together."""
        assert primitive.linearize is not None
        wanted = [parent is not None for parent in parents]
        outs, maps = primitive.linearize(values, wanted, params)
        several = primitive.multiple
        if not several and not is_inexact(outs):
            return self.constant(outs)
        self.count += 1
        self.masks = self.masks or (maps.masks if isinstance(maps, Followed) else primitive.masks)
        node = _applied(self.count, _SEVERAL if several else outs, parents, primitive, (), params)
        node.maps = maps
        if self.log is not None:
            self.log[node] = self._logged(values, parents)
        if not several:
            return Tracer(self, outs, node)
        return self._outputs(node, outs)

    def _record_several(
        self,
        primitive: Primitive,
        outs: tuple[Any, ...],
        values: list[Any],
        parents: tuple[Node | None, ...],
        params: dict[str, Any],
    ) -> tuple[Any, ...]:
        if primitive.separate is not None:
            outs = primitive.separate(outs, values, self)
        node = self._operation(primitive, _SEVERAL, values, parents, params)
        node.out = outs if primitive.keeps_out else tuple(map(Abstract.of, outs))
        return self._outputs(node, outs)

    def _outputs(self, node: Operation, outs: Sequence[Any]) -> tuple[Any, ...]:
        """A tracer for each inexact one of several outputs; the others carry no derivative."""
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


_FLOAT, _ndarray = np.dtype(float), np.ndarray
_SEVERAL = Abstract((), _FLOAT)
"""What stands for the shape and dtype of an operation with several outputs, which has none."""
