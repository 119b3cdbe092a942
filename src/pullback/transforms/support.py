"""Which elements of a tangent or cotangent may be other than zero.

A zero is one of two kinds. That of an element on which nothing depends (the branch that was not
taken, a place that was not read, a zero of the seed) is *strong*: whatever it is multiplied by, it
stays zero. That of a product with a derivative that vanishes is a number like any other: times
infinity it is NaN, in whichever order the chain of derivatives is multiplied out.

Values don't tell the two apart. What does is a `Support`, which goes with a tangent or cotangent
where there may be strong zeros, and is found out only where a product turns out NaN. Most sweeps
have none, and their products are NumPy's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.choice import Choice, has_nan
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip

__all__ = [
    "NOWHERE",
    "ROW",
    "Support",
    "both",
    "found_again",
    "indicator",
    "left_out",
    "may_be_nan",
    "moved",
    "numbers",
    "of_elements",
    "of_results",
    "of_seed",
    "of_value",
    "only_mapped",
    "passed",
    "point_of",
    "recorded",
    "settled",
    "times",
    "union",
]


class Support:
    """The elements that may be other than zero, as an array of booleans that is made when asked.

    Parameters
    ----------
    make : callable
        Makes the array from those of the sources.
    sources : tuple of Support
    everywhere : bool
        Whether every product is to mind it, not those alone with coefficients that are known to be
        infinite somewhere. So it is behind a choice, whose other branch may have been anything,
        but not for a seed whose zeros are not known, in a graph that is being recorded.
    outline : Support, optional
        What every product is to mind where that is less: elements that structure leaves out, which
        this support does not have either. By default there are none.
    static : bool
        Whether `make` needs nothing that is known only when a recorded graph runs.
    half : tuple, optional
        For that of one side of a choice the support of what was chosen for, the condition, and the
        side: a sum of both sides has that support again.
    own : Tracer, optional
        The tangent or cotangent of which it is where that is other than zero. Of a large one no
        more is looked at, in a graph that is recorded, than the places that are read.
    """

    __slots__ = (
        "_array",
        "_make",
        "_outline",
        "_sources",
        "everywhere",
        "half",
        "own",
        "static",
    )

    def __init__(
        self,
        make: Callable[..., Any],
        sources: tuple[Support, ...] = (),
        *,
        everywhere: bool,
        outline: Support | None = None,
        static: bool = True,
        half: tuple[Support | None, Any, bool] | None = None,
        own: Any = None,
    ) -> None:
        self._make: Callable[..., Any] | None = make
        self._sources = sources
        self._array: Any = None
        self._outline = outline
        self.everywhere = everywhere
        self.half = half
        self.own = own
        self.static: bool = static and all(source.static for source in sources)

    @property
    def outline(self) -> Support | None:
        """What every product minds; `None` is everything."""
        return self if self.everywhere else self._outline

    @property
    def is_full(self) -> bool:
        """Whether it is known to be everything."""
        return self.static and bool(np.all(strip(self.array)))

    @property
    def array(self) -> Any:
        """It broadcasts to the shape of the tangent or cotangent."""
        stack = [self]
        while stack:
            top = stack[-1]
            if top._make is None:
                stack.pop()
                continue
            waiting = [source for source in top._sources if source._make is not None]
            if waiting:
                stack += waiting
                continue
            top._array = top._make(*(source._array for source in top._sources))
            top._make, top._sources = None, ()
        return self._array


def of_seed(seed: Any) -> Support | None:
    """The support of what a user gives, or `None` if all of it may be other than zero."""
    if type(seed) is np.float64 and seed:
        return None  # the seed of a gradient
    plain = seed if type(seed) is np.ndarray else strip(seed)
    if isinstance(plain, Abstract):
        return of_value(seed, everywhere=False)
    if np.count_nonzero(plain) == math.prod(shape_of(plain)):
        return None
    return of_value(seed, everywhere=True)


def of_value(x: Any, *, everywhere: bool, outline: Support | None = None) -> Support:
    """The support of a tangent or cotangent whose zeros are all strong."""
    if type(x) is Tracer:
        return Support(
            lambda: np.not_equal(x, 0),
            everywhere=everywhere,
            outline=outline,
            static=known(x),
            own=x,
        )
    found = np.not_equal(x, 0)  # rather than to keep the array
    return Support(lambda: found, everywhere=everywhere)


def of_elements(x: Any, support: Support) -> Support:
    """The support of elements of what has one of its own."""
    return of_value(x, everywhere=support.everywhere)


NOWHERE = Support(lambda: np.False_, everywhere=True)
"""That of a zero, to which something is added."""


def found_again(total: Any, support: Support | None) -> Support | None:
    """The support of a sum that is complete; `None` where it is known to be everything."""
    return settled(support) if support is not None and recorded(total) else support


def settled(support: Support | None) -> Support | None:
    """The same while a graph is recorded: `None` where it is known to be everything."""
    if support is None or support.is_full:
        return None
    if not support.everywhere and support.outline is not None and support.outline.is_full:
        support._outline = None
    return support


def union(one: Support | None, other: Support | None) -> Support | None:
    """The support of a sum; `None` is everything."""
    if one is NOWHERE or other is NOWHERE:
        return other if one is NOWHERE else one
    if one is None or other is None or one is other:
        return one if one is other else None
    if one.half is not None and other.half is not None:
        (whole, condition, side), (same, other_condition, other_side) = one.half, other.half
        if whole is same and condition is other_condition and side is not other_side:
            return whole
    if one.everywhere and other.everywhere:
        return Support(np.logical_or, (one, other), everywhere=True)
    outline = union(one.outline, other.outline)
    return Support(np.logical_or, (one, other), everywhere=False, outline=outline)


def both(
    one: Support | None, other: Support, half: tuple[Support | None, Any, bool] | None = None
) -> Support:
    """The elements of two supports that are in both; those of the other one are everywhere."""
    if one is None:
        other.half = half
        return other
    outline = None if one.everywhere else both(one.outline, other)
    return Support(
        np.logical_and, (one, other), everywhere=one.everywhere, outline=outline, half=half
    )


def passed(
    support: Support | None,
    make: Callable[..., Any],
    *,
    static: bool = True,
    left: Support | None = None,
) -> Support | None:
    """The support of what a linear map makes of something that has this one.

    Of the whole it is `left`, and ``make(array)`` of the elements in an array.
    """
    if support is None:
        return left
    outline = None
    if not support.everywhere:
        outline = passed(support.outline, make, static=static, left=left)
    return Support(make, (support,), everywhere=support.everywhere, outline=outline, static=static)


def moved(
    function: Callable[[Sequence[Any]], Any],
    supports: Sequence[Support | None],
    *,
    static: bool = True,
    own: bool = True,
) -> Support:
    """The support of what elements of several arrays are moved to.

    A function of their masks gives its mask; `None` stands for that of everything. Unless they have
    strong zeros of their `own`, these come from the arrays.
    """
    sources = tuple(support for support in supports if support is not None)

    def make(*arrays: Any) -> Any:
        remaining = iter(arrays)
        return function([None if support is None else next(remaining) for support in supports])

    if all(source.everywhere for source in sources):
        return Support(make, sources, everywhere=True, static=static)
    outlines = [None if support is None else support.outline for support in supports]
    outline = None
    if own or any(outlines):
        outline = moved(function, outlines, static=static)
    return Support(make, sources, everywhere=False, outline=outline, static=static)


def times(coefficient: Any, x: Any, support: Support, *, singular: bool) -> Any:
    """The product, in which the zeros of x outside its support win.

    They do where a recorded coefficient may be infinite: if it is `singular`, or outside the
    outline.
    """
    if type(coefficient) is Tracer or type(x) is Tracer:
        if only_mapped(coefficient) and only_mapped(x):
            product = coefficient * x
            if not has_nan(strip(product)):
                return product
        kept = support if singular else support.outline
        if kept is None or kept.is_full:
            return coefficient * x
        if kept.own is x:
            return Choice.masked_product(coefficient, x, np.False_)  # which looks at x itself
        return Choice.masked_product(coefficient, x, kept.array)
    product = coefficient * x
    if has_nan(product):
        kept_array = support.array | np.not_equal(x, 0)
        product = np.where(kept_array, product, 0).astype(dtype_of(product))[()]
    return product


def may_be_nan(x: Any) -> bool:
    """Whether an element is NaN, as far as that is known; `None` is zero."""
    if type(x) is not Tracer:
        return x is not None and has_nan(x)
    return not only_mapped(x) or has_nan(strip(x))


def recorded(x: Any) -> bool:
    """Whether a value is known only when the graph runs that is being recorded."""
    return type(x) is Tracer and not known(x)


def only_mapped(x: Any) -> bool:
    """Whether all levels of tracing only map: nothing is recorded, and nothing differentiated."""
    while type(x) is Tracer:
        if not x._interpreter.only_maps:
            return False
        x = x._value
    return True


def left_out(term: Any, support: Support) -> Any:
    """A result with zeros outside its support, where it is NaN."""
    return np.where(support.array | ~np.isnan(term), term, np.zeros((), dtype_of(term)))


def of_results(dots: Any, supports: Sequence[Support | None]) -> Any:
    """The support of what came of tangents or cotangents that had these, or of each of several.

    For what is not known to depend on this or that element the zeros that come out are strong.
    """
    if isinstance(dots, ROW):
        return tuple(of_results(x, supports) for x in dots)
    everywhere = any(support is not None and support.outline is not None for support in supports)
    return None if dots is None else of_value(dots, everywhere=everywhere)


def indicator(array: Any, like: Abstract, *, cancels: bool = True) -> Any:
    """Numbers where the array holds, 0 elsewhere; see `numbers`."""
    if cancels:
        return np.where(array, point_of(like), np.zeros((), like.dtype))
    one, zero = like.dtype.type(1), like.dtype.type(0)
    return np.where(np.broadcast_to(array, like.shape), one, zero)


def numbers(space: Abstract, *, cancels: bool = True) -> Any:
    """Numbers that tell which elements depend on which, by what is made of them.

    Where nothing cancels ones will do, which take no memory.
    """
    return point_of(space) if cancels else np.broadcast_to(space.dtype.type(1), space.shape)


def point_of(space: Abstract) -> Any:
    """Numbers between 1 and 2, all of them different."""
    numbers: Any = 1 + np.arange(1, space.size + 1) * _GOLDEN % 1
    if space.dtype.kind == "c":
        numbers = numbers * (1 + 0.5j)
    return numbers.astype(space.dtype).reshape(space.shape)[()]


_GOLDEN = 0.6180339887498949


ROW = (tuple, list)
"""What holds the tangents or cotangents of several arrays."""
