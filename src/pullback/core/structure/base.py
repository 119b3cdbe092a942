"""What a primitive says of itself, besides its value and its rule.

A structure answers for all primitives that have it: shape and dtype of the result, what a mapped
axis does, how many operations there are, how results lie in memory, and what may be done with the
primitive. An entry of the rule book states what differs.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.shapes import Abstract, broadcast_shapes, dtype_of, shape_of
from pullback.core.structure.loops import Arrangement, Loops
from pullback.errors import ArgumentValueError

__all__ = ["Arranged", "Batching", "Count", "Marks", "Params", "Row", "Shapes", "Structure",
           "aligned", "common", "dtypes", "flattened", "in_front", "joined", "listed", "over_axes",
           "rank_of", "reversed_axes", "size_of", "stretch", "without"]  # fmt: skip

Marks = Sequence[bool]
Row = Sequence[Any]
Params = dict[str, Any]

Shapes = Callable[..., Any]
"""``shapes(primitive, *args, **params)``; see `Structure.shape`."""

Batching = Callable[[Any, int, Marks, Row, Params], Any]
"""``batching(primitive, size, mapped, values, params)``; see `Structure.batch`."""

Count = Callable[..., int]
"""``count(out, *args, **params)``, of what has the shapes of the output and the arguments."""


@dataclass(frozen=True, kw_only=True)
class Structure:
    """What all structures have in common.

    Parameters
    ----------
    count : int or callable
        Floating-point operations: for each element of what is computed, or
        ``count(out, *args, **params)``. A function of one element, such as exp, counts as one.
    multiple : bool
        Whether the function returns a tuple of arrays.
    cheap : bool
        Whether it is evaluated again rather than have its result kept.
    safe : bool
        Whether it can be evaluated where it would not have been, without raising an error.
    reorders : bool
        Whether the elements of the result may lie in memory in another order than C's, or with
        gaps, although those of all arguments lie in C order.
    shares : bool
        Whether the result may be a view of the first argument.
    singular : bool
        Whether a coefficient is infinite or not a number somewhere. A tangent or cotangent that is
        zero for want of dependence (see `pullback.transforms.support`) stays zero there.
    masks : bool
        Whether the pullback hands out exact zeros to elements that the value did not depend on,
        as `where` does to the branch that was not taken. Its maps have the same zeros in the same
        places whatever they are applied to.
    pads : {"", "constants", "always"}
        When the pushforward does likewise: never, where some of the arguments are constant, as
        that of a concatenation, or always.
    generic : bool
        Whether the maps' zeros for want of dependence are those that they have at any other
        arguments of these shapes, as those of a matrix product are.
    multilinear : bool
        Whether the function is linear in each argument, and its rule does nothing with arguments
        but multiply by them. They are in no need of precision before they meet what comes.
    numbers : bool
        Whether integers and booleans among the arguments are numbers like others, rather than
        indices or conditions. The rule then gets them as floating ones.
    """

    count: int | Count = 1
    multiple: bool = False
    cheap: bool = False
    safe: bool = False
    reorders: bool = False
    shares: bool = False
    singular: bool = False
    masks: bool = False
    pads: str = ""
    generic: bool = False
    multilinear: bool = False
    numbers: bool = False

    elementwise: ClassVar[bool] = False
    """Whether it acts element by element on arguments that it broadcasts."""
    symmetric: ClassVar[bool] = False
    """Whether it has two arguments whose order does not matter; see `Elementwise`."""
    infer: ClassVar[Any] = None
    """In place of `shape`: how that is found out. It gets what stands for a Python number that is
    not known, rather than a number, and not the primitive."""
    in_place: ClassVar[Any] = None
    """``in_place(*args, **params)`` is the value, written over the first argument, an array that
    nobody else reads; it returns that array. The value is the first argument with other elements
    here and there, laid out in memory as that is."""
    take_over: ClassVar[Any] = None
    """``take_over(args, **params)`` is the value of a list of arguments that is given away: what
    only this list refers to may be overwritten. For primitives with a body."""
    layouts: ClassVar[Any] = None
    """``layouts(args, params)``: how the results lie in memory; see `pullback.graph.layout`."""
    cost: ClassVar[Any] = None
    """``cost(costs, **params)`` is what a primitive with graphs among its parameters costs, from
    what each of them costs once, by path; by default the sum. See `pullback.graph.cost`."""

    def shape(self, primitive: Any, *args: Any, **params: Any) -> Any:
        """The shape and dtype of what evaluation returns, exactly, or a tuple of them.

        Each of `args` is an `Abstract`, an array, a tracer or a scalar; a Python scalar is weak in
        promotion. Where the shape depends on values that are not known it raises
        `DataDependenceError`.
        """
        raise NotImplementedError

    def batch(self, primitive: Any, size: int, mapped: Marks, values: Row, params: Params) -> Any:
        """The result for values of which those that are mapped have an axis of `size` in front.

        At least one has, and the result has it. None loops over the examples: they apply
        primitives to whole arrays.
        """
        raise NotImplementedError

    def operations(self, out: Any, *args: Any, **params: Any) -> int:
        """The number of floating-point operations, from shapes alone."""
        if callable(self.count):
            return int(self.count(out, *args, **params))
        return self.count and self.count * self.computed(out, args)

    def computed(self, out: Any, args: Row) -> int:
        """How many elements are computed."""
        return sum(map(size_of, out)) if self.multiple else size_of(out)

    def is_safe(self, args: Row) -> bool:
        """Whether it can be evaluated for such arguments, of which shapes are known, anywhere."""
        return self.safe

    def is_free(self) -> bool:
        """Whether elements are only moved, or looked at in another way."""
        return self.count == 0

    def loops(self, primitive: Any, args: Row, params: Params) -> tuple[Loops, ...] | None:
        """What is computed as loops, one after the other; `None` if it can't be said so."""
        return None


@dataclass(frozen=True)
class Arranged(Structure):
    """What does to each element that which shapes decide on.

    Parameters
    ----------
    arranged : callable
        ``arranged(primitive, *shapes, **params)`` is the shape of the result, and the loops. It
        raises `ArgumentValueError` where the shapes of the arguments don't fit together.
    batching : callable
    """

    arranged: Callable[..., Arrangement]
    batching: Batching

    def shape(self, primitive: Any, *args: Any, **params: Any) -> Any:
        alone = len(args) == 1
        dtype = dtype_of(args[0]) if alone else dtypes(primitive, *args, **params)
        return Abstract(self.arranged(primitive, *map(shape_of, args), **params)[0], dtype)

    def batch(self, primitive: Any, size: int, mapped: Marks, values: Row, params: Params) -> Any:
        return self.batching(primitive, size, mapped, values, params)

    def loops(self, primitive: Any, args: Row, params: Params) -> tuple[Loops, ...] | None:
        return self.arranged(primitive, *map(shape_of, args), **params)[1]


def size_of(x: Any) -> int:
    """Number of elements."""
    return math.prod(shape_of(x))


def rank_of(x: Any) -> int:
    """Number of dimensions."""
    return len(shape_of(x))


# -- dtypes ---------------------------------------------------------------------------------------

_WEAK = (bool, int, float, complex)


def dtypes(primitive: Any, *args: Any, **params: Any) -> Any:
    """The dtype of the primitive's value, or of each of its values.

    Every function has promotion rules of its own. They are those of its value on arrays of ones of
    the same dtypes and ranks, with extent 1 along each axis; each combination is evaluated once.
    """
    kinds = tuple(
        type(arg) if type(arg) in _WEAK else (dtype_of(arg), len(shape_of(arg))) for arg in args
    )
    given = tuple((name, type(value), value) for name, value in params.items())
    try:
        hash(given)
    except TypeError:
        return _evaluated.__wrapped__(primitive, kinds, given)
    return _evaluated(primitive, kinds, given)


@functools.lru_cache(maxsize=4096)
def _evaluated(primitive: Any, kinds: tuple[Any, ...], given: tuple[Any, ...]) -> Any:
    ones = [
        kind(1) if isinstance(kind, type) else np.ones((1,) * kind[1], kind[0]) for kind in kinds
    ]
    with np.errstate(all="ignore"):
        value = primitive.value(*ones, **{name: param for name, _, param in given})
    return tuple(map(dtype_of, value)) if primitive.multiple else dtype_of(value)


# -- shapes ---------------------------------------------------------------------------------------


def common(primitive: Any, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that `shapes` broadcast to."""
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    try:
        return broadcast_shapes(*shapes)
    except ValueError:
        raise ArgumentValueError(
            f"{primitive.name}: arguments of the shapes {listed(shapes)} cannot be broadcast "
            "together: aligned at the last axis, their extents must be equal, or 1"
        ) from None


def aligned(primitive: Any, *args: Any, **params: Any) -> Any:
    """The shape and dtype of what broadcasts its arguments, and parameters that are arrays."""
    arrays = [param for param in params.values() if isinstance(param, np.ndarray)]
    shape = common(primitive, [shape_of(arg) for arg in (*args, *arrays)])
    dtype = dtypes(primitive, *args, **params)
    if primitive.multiple:
        return tuple(Abstract(shape, each) for each in dtype)
    return Abstract(shape, dtype)


def listed(shapes: Sequence[tuple[int, ...]]) -> str:
    """Shapes as words of an error message."""
    return " and ".join(map(str, shapes))


def without(shape: tuple[int, ...], axis: Any, *, keepdims: bool) -> tuple[int, ...]:
    """`shape` without the axes of `axis`, or with extent 1 along them.

    A scalar is taken to have one axis, as NumPy's reductions do.
    """
    rank = max(len(shape), 1)
    axes = range(rank) if axis is None else normalize_axis_tuple(axis, rank, "axis")
    if keepdims:
        return tuple(1 if i in axes else extent for i, extent in enumerate(shape))
    return tuple(extent for i, extent in enumerate(shape) if i not in axes)


# -- a mapped axis --------------------------------------------------------------------------------


def stretch(x: Any, rank: int) -> Any:
    """A mapped value with axes of extent 1 after the mapped one, so that it has `rank` others."""
    shape = shape_of(x)
    missing = rank - (len(shape) - 1)
    return np.reshape(x, (shape[0], *(1,) * missing, *shape[1:])) if missing > 0 else x


def in_front(x: Any, size: int, *, mapped: bool) -> Any:
    """`x` with the mapped axis, repeated along it if it is not mapped."""
    return x if mapped else np.broadcast_to(x, (size, *shape_of(x)))


def reversed_axes(x: Any) -> Any:
    """A mapped value with all axes but the mapped one in reverse."""
    return np.transpose(x, (0, *range(rank_of(x) - 1, 0, -1)))


def _shifted(axis: Any) -> Any:
    """An axis, or several, of an example as axes of the batch."""
    if isinstance(axis, int | np.integer):
        return axis + 1 if axis >= 0 else axis
    return tuple(map(_shifted, axis))


def over_axes(
    primitive: Any, _size: int, mapped: Marks, values: Row, params: Params, default: Any = None
) -> Any:
    """The batching of what acts over ``axis``: None, which is all of them, or one, or several.

    It broadcasts its arguments otherwise. A scalar has no axis, whatever it is called.
    """
    rank = max(rank_of(x) - one for x, one in zip(values, mapped, strict=True))
    if len(values) > 1:
        # An axis counted from the front is the same one in all arguments only if their ranks are.
        values = [
            stretch(x if one else np.expand_dims(x, 0), rank)
            for x, one in zip(values, mapped, strict=True)
        ]
    axis = params.get("axis", default)
    axes = tuple(range(1, rank + 1)) if axis is None or not rank else _shifted(axis)
    return primitive(*values, **{**params, "axis": axes})


def flattened(primitive: Any, _size: int, _mapped: Marks, values: Row, params: Params) -> Any:
    """The batching of what acts along one ``axis``, or on the flat array if that is None."""
    (x,) = values
    shape = shape_of(x)
    axis = params.get("axis", -1)
    if axis is not None and len(shape) > 1:
        return primitive(x, **{**params, "axis": _shifted(axis)})
    out = primitive(np.reshape(x, (shape[0], math.prod(shape[1:]))), **{**params, "axis": 1})
    if params.get("keepdims"):
        return np.reshape(out, (shape[0], *(1,) * (len(shape) - 1)))
    return out


def joined(primitive: Any, size: int, mapped: Marks, values: Row, params: Params) -> Any:
    """The batching of what joins its arguments along ``axis``."""
    fronts = [in_front(x, size, mapped=one) for x, one in zip(values, mapped, strict=True)]
    return primitive(*fronts, **{**params, "axis": _shifted(params["axis"])})
