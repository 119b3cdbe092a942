"""What a primitive says of itself, besides its value and its rule.

A structure answers for all primitives that have it: shape and dtype of the result, what a mapped
axis does, how many operations there are, how results lie in memory, and what may be done with the
primitive. An entry of the rule book states what differs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure.axes import Marks, Params, Row, dtypes, size_of
from pullback.core.structure.loops import Arrangement, Loops

__all__ = ["Arranged", "Batching", "Count", "Shapes", "Structure"]

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
    layouts : callable, optional
        ``layouts(args, params)``: how the results lie in memory, where a trial on small arrays
        can't tell; see `pullback.graph.layout`. What shares memory gives a `Lying`, if it is known.
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
    cancels : bool
        Whether what the maps make of positive numbers, at positive arguments, may be zero by
        chance. What only moves, adds up and scales elements can't do that: which elements depend
        on which is then told by ones.
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
    layouts: Callable[..., list[Any]] | None = None
    singular: bool = False
    masks: bool = False
    pads: str = ""
    generic: bool = False
    multilinear: bool = False
    cancels: bool = True
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
    names: ClassVar[Any] = None
    """``names(args, outs, params)``, of shapes: what the axes of each argument and of each result
    are called. An element of a result depends on those elements of an argument that have the same
    place along axes of the same name; elements meet along axes that are called `None`. Without it
    all meet all."""
    couples: ClassVar[Any] = None
    """``couples(values, outs, params)``: for each argument that may vary, by position, which
    elements of the only result depend on which of it, as two arrays of places in C order. A value
    that is not known is `None`. It returns `None` where too little is known."""
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
            return self.count(out, *args, **params)
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
        return Abstract(self.arrangement(primitive, args, params)[0], dtype)

    def batch(self, primitive: Any, size: int, mapped: Marks, values: Row, params: Params) -> Any:
        return self.batching(primitive, size, mapped, values, params)

    def loops(self, primitive: Any, args: Row, params: Params) -> tuple[Loops, ...] | None:
        return self.arrangement(primitive, args, params)[1]

    def arrangement(self, primitive: Any, args: Row, params: Params) -> Arrangement:
        """The shape of the result and the loops, found once for each combination of shapes."""
        shapes = tuple(map(shape_of, args))
        try:
            return _arrangement(self.arranged, primitive, shapes, tuple(params.items()))
        except TypeError:  # a parameter that can't be hashed
            return self.arranged(primitive, *shapes, **params)


@functools.lru_cache(maxsize=4096)
def _arrangement(
    arranged: Callable[..., Arrangement], primitive: Any, shapes: Row, params: Row
) -> Arrangement:
    return arranged(primitive, *shapes, **dict(params))
