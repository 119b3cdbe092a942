"""How results of primitives lie in memory, where the elements of the arguments are not known.

Most results lie in C order without gaps if all arguments do. Otherwise a primitive is tried out:
one that moves elements about on arrays that lie as its arguments do, another on the first corner of
these, for NumPy lays a new array out in the order of the axes of those that it comes from. What
such a trial can't tell is not known.

A layout is True, for C order without gaps, a tuple of strides, or `None`, if it is not known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pullback.core.memory import in_memory, lying, strides_of_part
from pullback.core.primitive import Primitive, registry
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import Tracer, is_plain, strip
from pullback.graph.variable import Assumed, Variable

if TYPE_CHECKING:
    from pullback.graph.graph import Equation, Graph

__all__ = [
    "Decided",
    "assumed_of",
    "follows",
    "layout_of",
    "layout_of_part",
    "layouts_of_results",
    "layouts_through",
    "makes_array",
]

_REFUSALS = (ValueError, ArithmeticError, IndexError, TypeError, np.linalg.LinAlgError)
_ORDERS = ("C", "F")


def layout_of(x: Any) -> Any:
    """The layout of an array, tracer or scalar, or of what stands for one."""
    return _layout(in_memory(x))


def layout_of_part(x: Variable) -> Any:
    """The layout of ``x[0]``, or of what would be that."""
    if x.layout is True or x.layout is None or not x.shape[0]:
        return x.layout and True
    return _layout(lying(x.shape[1:], x.dtype, x.layout[1:]))


def assumed_of(x: Any) -> Assumed | None:
    """What is assumed of an argument of a nested graph that stands for `x`.

    `None` if `x` is known where the recording around it is done.
    """
    bottom = strip(x)
    return Assumed(bottom) if type(bottom) is Variable and bottom.laid_by is not None else None


class Decided:
    """What decides on the layouts of an equation's results: its inputs, if they do.

    Some results lie in order whatever their arguments do, as those of a matrix product.
    """

    __slots__ = ("_equation", "_inputs")

    def __init__(self, equation: Equation) -> None:
        self._equation = equation
        self._inputs: tuple[Any, ...] | None = None

    @property
    def inputs(self) -> tuple[Any, ...]:
        if self._inputs is None:
            self._inputs = self._equation.inputs if self._depends() else ()
        return self._inputs

    def _depends(self) -> bool:
        equation = self._equation
        if isinstance(equation.primitive.value, np.ufunc):  # most are; the rest is tried out
            whole = equation.outputs[0].shape
            arrays = [x for x in equation.inputs if shape_of(x)]
            if all(getattr(x, "laid_by", None) and x.shape == whole for x in arrays):
                return len(whole) > 1
        rows = []
        for order in (*_ORDERS, None):
            args = [_in_other_order(x, order) for x in equation.inputs]
            rows.append(
                layouts_of_results(equation.primitive, args, equation.params, equation.outputs)
            )
        return any(None in column or len(set(column)) > 1 for column in zip(*rows, strict=True))


def follows(new: Variable, old: Variable) -> bool:
    """Whether a value lies in memory as an input of its equation does, however that lies."""
    by = new.laid_by
    equation: Any = by._equation if type(by) is Decided else None
    if equation is None or not any(x is old for x in equation.inputs):
        return False
    if equation.primitive.structure.in_place is not None:
        return equation.inputs[0] is old
    if isinstance(equation.primitive.value, np.ufunc) and not any(
        shape_of(x) for x in equation.inputs if x is not old
    ):
        return new.shape == old.shape
    place = equation.outputs.index(new)
    for order in (*_ORDERS, None):
        other = _in_other_order(old, order)
        args = [other if x is old else x for x in equation.inputs]
        rows = layouts_of_results(equation.primitive, args, equation.params, equation.outputs)
        if rows[place] != _layout(np.empty_like(in_memory(other))):
            return False
    return True


def _in_other_order(x: Any, order: str | None) -> Any:
    """What stands for `x` as it would lie in this order, or in the order "C" with gaps."""
    if type(x) is not Variable or not x.shape or x.laid_by is None:
        return x
    if order is None:
        gaps = np.empty([extent + 1 for extent in x.shape], x.dtype)
        return _laid_out(x, gaps[tuple(slice(extent) for extent in x.shape)].strides)
    return _laid_out(x, _layout(np.empty(x.shape, x.dtype, order=order)))  # type: ignore[call-overload]


def layouts_of_results(
    primitive: Primitive, args: Sequence[Any], params: dict[str, Any], outs: Sequence[Abstract]
) -> list[Any]:
    """The layouts of the results of ``primitive(*args, **params)``."""
    if all(len(out.shape) < 1 for out in outs):
        return [True] * len(outs)
    structure = primitive.structure
    if structure.layouts is not None:
        return list(structure.layouts(args, params))
    if structure.in_place is not None:
        memory = in_memory(args[0])
        return [None if memory is None else _layout(np.empty_like(memory))]
    if structure.reorders and not primitive.multiple:
        return [_rearranged(primitive, args, params)]
    if registry.get(primitive.name) is not primitive:  # of the user's own, which may do anything
        if structure.infer is not None:
            found = structure.infer(*args, **params)
            outs = found if isinstance(found, tuple) else (found,)
        return [not out.shape or getattr(out, "layout", None) for out in outs]
    if not structure.reorders and all(map(_gives_order, args)):
        return [True] * len(outs)
    if any(map(_holds_graph, params.values())):
        return [len(out.shape) < 2 or None for out in outs]
    return _from_corners(primitive, args, params, outs)


def _holds_graph(value: Any) -> bool:
    """Whether a parameter is a nested graph, or several; it takes arrays of its own shapes only."""
    return hasattr(value[0] if type(value) is tuple and value else value, "equations")


def _layout(memory: Any) -> Any:
    if not isinstance(memory, np.ndarray):
        return None if memory is None else True
    return True if memory.flags.c_contiguous else memory.strides


def _gives_order(x: Any) -> bool:
    """Whether a function of `x`, of which it is an argument, gives an array in C order."""
    if not shape_of(x) or getattr(x, "layout", None) is True:
        return True
    memory = in_memory(x)
    if memory is None:
        return False
    if memory.flags.c_contiguous:
        return True
    steps = [s for s, extent in zip(memory.strides, memory.shape, strict=True) if extent > 1]
    return len(steps) <= 1 and min(steps, default=0) >= 0


# -- what moves elements about --------------------------------------------------------------------


def _rearranged(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """The layout of the result of a primitive that moves the elements of its first argument."""
    memory = in_memory(args[0])
    if memory is not None:
        return _layout(_tried_out(primitive, (memory, *map(_stand_in, args[1:])), params))
    # What does not depend on how the argument lies is the same for arrays with gaps and without,
    # of which order="A" tells that in Fortran's order.
    shape, dtype = shape_of(args[0]), dtype_of(args[0])
    found = set()
    for step in (2, 1):
        elements = np.empty(step * math.prod(shape), dtype)[::step]
        for order in _ORDERS:
            one = np.reshape(elements, shape, order=order)  # type: ignore[call-overload]
            out = _tried_out(primitive, (one, *map(_stand_in, args[1:])), params)
            found.add(_layout(out) if out is not None and out.flags.forc else None)
    return found.pop() if len(found) == 1 else None


def _tried_out(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """The primitive's value, or values; None if it fails."""
    try:
        with np.errstate(all="ignore"):
            return primitive.value(*args, **params)
    except _REFUSALS:
        return None


def _stand_in(x: Any) -> Any:
    """Zeros in place of an argument that is not known."""
    if not isinstance(x, Abstract | Tracer):
        return x
    array = x._mutable if isinstance(x, Tracer) else isinstance(x.memory, np.ndarray) or x.shape
    return np.zeros(shape_of(x), dtype_of(x)) if array else dtype_of(x).type(0)


# -- what makes new arrays ------------------------------------------------------------------------


def _from_corners(
    primitive: Primitive, args: Sequence[Any], params: dict[str, Any], outs: Sequence[Abstract]
) -> list[Any]:
    """From what comes out for the first two places along each axis of the arguments."""
    found: list[list[Any]] = []
    if "ddof" in params:
        params = {**params, "ddof": 0}  # NumPy warns of more than there are elements in a corner
    unknown = any(in_memory(x) is None for x in args)
    for order in _ORDERS if unknown else _ORDERS[:1]:
        results = _tried_out(primitive, [_corner(x, order) for x in args], params)
        if results is None:
            return [None] * len(outs)
        row = results if primitive.multiple else (results,)
        found.append([_widened(x, out) for x, out in zip(row, outs, strict=True)])
    return [row[0] if len(set(row)) == 1 else None for row in zip(*found, strict=True)]


def _corner(x: Any, order: str) -> Any:
    """The corner of an array that lies as `x` does, or in an order, if that is not known."""
    shape, dtype = shape_of(x), dtype_of(x)
    memory = in_memory(x)
    if not shape:
        return np.ones((), dtype) if is_plain(memory) else dtype.type(1)
    small = tuple(min(extent, 2) for extent in shape)
    if memory is None:
        corner = np.zeros(small, dtype, order=order)  # type: ignore[call-overload]
    else:
        corner = lying(small, dtype, strides_of_part(shape, memory.strides, dtype.itemsize, small))
    if len(shape) > 1 and dtype.kind in "fc":
        diagonal = np.arange(min(small[-2:]))
        corner[..., diagonal, diagonal] = 1  # so that a matrix is regular
    return corner


def _widened(small: Any, out: Abstract) -> Any:
    """The layout of a result, from that of its corner; `None` if that does not tell."""
    shape = out.shape
    if len(shape) < 2:
        return True
    if any(few < 2 <= many for few, many in zip(shape_of(small), shape, strict=True)):
        return None
    places = sorted(range(len(shape)), key=lambda axis: -small.strides[axis])
    places.sort(key=lambda axis: -small.strides[axis] if shape[axis] > 1 else -math.inf)
    if not small.transpose(places).flags.c_contiguous:
        return None
    steps = [out.dtype.itemsize]
    for axis in places[:0:-1]:
        steps.append(steps[-1] * max(shape[axis], 1))
    strides = dict(zip(places[::-1], steps, strict=True))
    return _layout(lying(shape, out.dtype, tuple(strides[axis] for axis in range(len(shape)))))


# -- nested graphs --------------------------------------------------------------------------------


def layouts_through(graph: Graph, args: Sequence[Any]) -> list[Any]:
    """The layouts of the outputs of a nested graph for these arguments."""
    if not any(map(shape_of, graph.outputs)):
        return [True] * len(graph.outputs)
    state: dict[Any, Any] = dict(graph.constants)
    for x, arg in zip(graph.inputs, args, strict=True):
        state[x] = _laid_out(x, layout_of(arg))
    for equation in graph.equations:
        inputs = [state[x] if type(x) is Variable else x for x in equation.inputs]
        outs = equation.outputs
        layouts = layouts_of_results(equation.primitive, inputs, equation.params, outs)
        state.update(zip(outs, map(_laid_out, outs, layouts), strict=True))
    return [layout_of(state[x] if type(x) is Variable else x) for x in graph.outputs]


def _laid_out(x: Variable, layout: Any) -> Variable:
    """A variable like `x` of this layout."""
    return Variable(x.shape, x.dtype, weak=x.weak, array=x.array, layout=layout)


# -- arrays without dimensions --------------------------------------------------------------------


def makes_array(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> bool:
    """Whether a result of shape () is an array, to which NumPy lets one write.

    Functions of larger arrays return scalars, unless they move elements. Others are tried out, but
    for those of the user's own, which may do anything.
    """
    if isinstance(primitive.value, np.ufunc) or primitive.multiple:
        return False
    if registry.get(primitive.name) is not primitive:
        return False
    if not primitive.structure.reorders and any(math.prod(shape_of(x)) != 1 for x in args):
        return False
    first, *_ = map(_stand_in, args)
    rest = map(_stand_in, args[1:])
    return isinstance(_tried_out(primitive, (first, *rest), params), np.ndarray)
