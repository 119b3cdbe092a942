"""How results of primitives lie in memory, where the elements of the arguments are not known.

Most results lie in C order without gaps if all arguments do. A primitive that looks into memory is
applied to what has the strides of its argument and no elements. Any other is tried out on the first
corner of the arguments, for NumPy lays a new array out in the order of the axes of those that it
comes from. What such a trial can't tell is not known.

A layout is True, for C order without gaps, a tuple of strides, or `None`, if it is not known.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.memory import in_memory
from pullback.core.primitive import SCALARS, Primitive, registry
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.strides import (
    Lying,
    corner_of,
    look,
    lying,
    strides_in,
    strides_like,
    strides_of_whole,
)
from pullback.core.tracing import Tracer, is_number, is_plain, strip
from pullback.graph.program import Equation, Program, nested
from pullback.graph.variable import Assumed, Variable

__all__ = [
    "Decided",
    "assumed_of",
    "follows",
    "layout_of",
    "layout_of_part",
    "layouts_of_results",
    "layouts_through",
    "looking",
    "makes_array",
    "wherever",
    "widened",
]

_REFUSALS = (ValueError, ArithmeticError, IndexError, TypeError, np.linalg.LinAlgError)
_ORDERS = ("C", "F", None)
_WAYS = (("C", 1), ("F", 1), ("C", 2), ("F", 2))
"""Ways in which an array may lie: its order, and one place of so many that it has."""


def layout_of(x: Any) -> Any:
    """The layout of an array, tracer or scalar, or of what stands for one."""
    if type(x) is np.ndarray:  # as of a wide pytree
        return True if x.flags.c_contiguous else x.strides
    return True if type(x) in SCALARS else _layout(in_memory(x))


def layout_of_part(x: Variable) -> Any:
    """The layout of ``x[0]``, or of what would be that."""
    if x.layout is True or x.layout is None or not x.shape[0]:
        return x.layout and True
    return _layout(Lying(x.shape[1:], x.dtype, x.layout[1:]))


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
        rows = [
            _layouts_with(equation, [_in_other_order(x, order) for x in equation.inputs])
            for order in _ORDERS
        ]
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
    for order in _ORDERS:
        other = _in_other_order(old, order)
        layouts = _layouts_with(equation, [other if x is old else x for x in equation.inputs])
        if layouts[place] != _layout_like(in_memory(other)):
            return False
    return True


def _in_other_order(x: Any, order: str | None) -> Any:
    """What stands for `x` as it would lie in this order, or in the order "C" with gaps."""
    if type(x) is not Variable or not x.shape or x.laid_by is None:
        return x
    if order is None:
        return _laid_out(x, strides_in([extent + 1 for extent in x.shape], x.dtype.itemsize))
    strides = strides_in(x.shape, x.dtype.itemsize, order)
    return _laid_out(x, _layout(Lying(x.shape, x.dtype, strides)))


def layouts_of_results(
    primitive: Primitive, args: Sequence[Any], params: dict[str, Any], outs: Sequence[Abstract]
) -> list[Any]:
    """The layouts of the results of ``primitive(*args, **params)``."""
    if not any(map(shape_of, outs)):
        return [True] * len(outs)
    structure = primitive.structure
    if structure.layouts is not None:
        found = structure.layouts(args, params)
        return [_layout(x) if type(x) is Lying else x for x in found]
    if structure.in_place is not None:
        memory = in_memory(args[0])
        return [None if memory is None else _layout_like(memory)]
    if registry.get(primitive.name) is not primitive:  # of the user's own, which may do anything
        if structure.infer is not None:
            found = structure.infer(*args, **params)
            outs = found if isinstance(found, tuple) else (found,)
        return [not out.shape or getattr(out, "layout", None) for out in outs]
    if not structure.reorders and all(map(_gives_order, args)):
        return [True] * len(outs)
    if nested(params):  # which take arrays of their own shapes only
        return [len(out.shape) < 2 or None for out in outs]
    return _from_corners(primitive, args, params, outs)


def _layouts_with(equation: Equation, args: Sequence[Any]) -> list[Any]:
    """The layouts of an equation's results, were these its inputs."""
    return layouts_of_results(equation.primitive, args, equation.params, equation.outputs)


def _layout(memory: Any) -> Any:
    if not isinstance(memory, np.ndarray | Lying):
        return None if memory is None else True
    return True if memory.flags.c_contiguous else memory.strides


def _layout_like(memory: Any) -> Any:
    """The layout of a new array that NumPy lays out as it finds one."""
    return _layout(Lying(memory.shape, memory.dtype, strides_like(memory, memory.dtype)))


def _gives_order(x: Any) -> bool:
    """Whether a function of `x`, of which it is an argument, gives an array in C order."""
    if getattr(x, "layout", None) is True or not shape_of(x):
        return True
    memory = in_memory(x)
    if memory is None:
        return False
    if memory.flags.c_contiguous:
        return True
    steps = [s for s, extent in zip(memory.strides, memory.shape, strict=True) if extent > 1]
    return len(steps) <= 1 and min(steps, default=0) >= 0


# -- what looks into memory ------------------------------------------------------------------------


def looking(view: Callable[..., Any]) -> Callable[..., list[Any]]:
    """The layouts of a primitive whose value is ``view(x, **params)``, which reads no element."""

    def layouts(args: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        return [wherever(args[0], lambda x: look(x, functools.partial(view, **params)))]

    return layouts


def wherever(x: Any, function: Callable[[Lying], Any]) -> Any:
    """How a function of an array lies, from how the array does.

    What does not depend on that is the same for arrays with gaps and without, of which order="A"
    tells that in Fortran's order.
    """
    memory = in_memory(x)
    if memory is not None:
        return function(_as_lying(memory))
    shape, dtype = shape_of(x), dtype_of(x)
    found = [function(Lying(shape, dtype, _steps(shape, dtype, *way))) for way in _WAYS]
    same = len({_layout(out) for out in found}) == 1 and found[0] is not None
    return found[0] if same and found[0].flags.forc else None


def _steps(shape: tuple[int, ...], dtype: np.dtype[Any], order: str, step: int) -> tuple[int, ...]:
    """Strides in an order, of every element or of one in so many."""
    return tuple([step * stride for stride in strides_in(shape, dtype.itemsize, order)])


def _as_lying(memory: Any) -> Lying:
    if type(memory) is Lying:
        return memory
    return Lying(shape_of(memory), dtype_of(memory), getattr(memory, "strides", ()))


# -- what makes new arrays ------------------------------------------------------------------------


def _tried_out(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
    """The primitive's value, or values; None if it fails."""
    try:
        with np.errstate(all="ignore"):
            return primitive.value(*args, **params)
    except _REFUSALS:
        return None


def _from_corners(
    primitive: Primitive, args: Sequence[Any], params: dict[str, Any], outs: Sequence[Abstract]
) -> list[Any]:
    """From what comes out for the first two places along each axis of the arguments."""
    found: list[list[Any]] = []
    if "ddof" in params:
        params = {**params, "ddof": 0}  # NumPy warns of more than there are elements in a corner
    unknown = any(in_memory(x) is None for x in args)
    for order, step in _WAYS if unknown else _WAYS[:1]:
        results = _tried_out(primitive, [_corner(x, order, step) for x in args], params)
        if results is None:
            return [None] * len(outs)
        row = results if primitive.multiple else (results,)
        found.append([widened(x, out) for x, out in zip(row, outs, strict=True)])
    return [row[0] if len(set(row)) == 1 else None for row in zip(*found, strict=True)]


def _corner(x: Any, order: str, step: int) -> Any:
    """The corner of an array that lies as `x` does, or in some way, if that is not known."""
    shape, dtype = shape_of(x), dtype_of(x)
    memory = in_memory(x)
    if is_number(x):
        return dtype.type(1).item()
    if not shape:
        return np.ones((), dtype) if is_plain(memory) else dtype.type(1)
    if memory is None:
        small = tuple(min(extent, 2) for extent in shape)
        corner = lying(small, dtype, _steps(small, dtype, order, step))
    else:
        corner = corner_of(memory)
    if len(shape) > 1 and dtype.kind in "fc":
        diagonal = np.arange(min(corner.shape[-2:]))
        corner[..., diagonal, diagonal] = 1  # so that a matrix is regular
    return corner


def widened(corner: Any, out: Abstract) -> Any:
    """The layout of a result, from that of its corner; `None` if that does not tell."""
    shape = out.shape
    if len(shape) < 2 and not (corner.shape and corner.strides[0] < 0):
        return True
    if any(few < 2 <= many for few, many in zip(shape_of(corner), shape, strict=True)):
        return None
    strides = strides_of_whole(corner, shape)
    return None if strides is None else _layout(Lying(shape, out.dtype, strides))


# -- nested graphs --------------------------------------------------------------------------------


def layouts_through(graph: Program, args: Sequence[Any]) -> list[Any]:
    """The layouts of the outputs of a nested graph for these arguments."""
    if not any(map(shape_of, graph.outputs)):
        return [True] * len(graph.outputs)
    given = tuple(map(layout_of, args))
    key = layouts_through, given  # of graphs inside each other, each asks for all inside it
    found = graph.derived.get(key)
    if found is None:
        found = graph.derived[key] = _layouts_from(graph, given)
    return list(found)


def _layouts_from(graph: Program, given: Sequence[Any]) -> list[Any]:
    state: dict[Any, Any] = dict(graph.constants)
    for x, layout in zip(graph.inputs, given, strict=True):
        state[x] = _laid_out(x, layout)
    for equation in graph.equations:
        inputs = [state[x] if type(x) is Variable else x for x in equation.inputs]
        outs = map(_laid_out, equation.outputs, _layouts_with(equation, inputs))
        state.update(zip(equation.outputs, outs, strict=True))
    return [layout_of(state[x] if type(x) is Variable else x) for x in graph.outputs]


def _laid_out(x: Variable, layout: Any) -> Variable:
    """A variable like `x` of this layout."""
    return Variable(x.shape, x.dtype, weak=x.weak, array=x.array, layout=layout)


# -- arrays without dimensions --------------------------------------------------------------------


def makes_array(primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> bool | None:
    """Whether a result of shape () is an array, to which NumPy lets one write.

    Functions of larger arrays return scalars, unless they move elements. Others are tried out.
    `None` for loops and choices, which return what their bodies do, and functions of the user's
    own, which may do anything.
    """
    if isinstance(primitive.value, np.ufunc):
        return False
    if registry.get(primitive.name) is not primitive or nested(params):
        return None
    if primitive.multiple:
        return False
    if not primitive.structure.reorders and any(math.prod(shape_of(x)) != 1 for x in args):
        return False
    first, *_ = map(_stand_in, args)
    rest = map(_stand_in, args[1:])
    return isinstance(_tried_out(primitive, (first, *rest), params), np.ndarray)


def _stand_in(x: Any) -> Any:
    """Zeros in place of an argument that is not known, without memory of their own."""
    if not isinstance(x, Abstract | Tracer):
        return x
    array = x._mutable if isinstance(x, Tracer) else x.shape or isinstance(x.memory, np.ndarray)
    zero = dtype_of(x).type(0)
    return np.broadcast_to(zero, shape_of(x)) if array else zero
