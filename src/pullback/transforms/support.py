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
from pullback.core.zeros import Changing, Zeros

__all__ = [
    "ROW",
    "Support",
    "both",
    "found_again",
    "indicator",
    "left_out",
    "may_be_nan",
    "numbers",
    "of_elements",
    "of_results",
    "of_seed",
    "of_value",
    "of_zeros",
    "only_mapped",
    "passed",
    "point_of",
    "recorded",
    "settled",
    "times",
    "union",
    "unkept",
    "zeros_of",
]


class Support:
    """The elements that may be other than zero, as an array of booleans that is made when asked.

    Parameters
    ----------
    make : callable, optional
        Makes the array from those of the sources. Without one the support has not been kept: it is
        that of a term of a sum, of whose total it is found again.
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
    unless : Support, optional
        A condition under which it is everything all the same.
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
        "unless",
    )

    def __init__(
        self,
        make: Callable[..., Any] | None,
        sources: tuple[Support, ...] = (),
        *,
        everywhere: bool,
        outline: Support | None = None,
        static: bool = True,
        half: tuple[Support | None, Any, bool] | None = None,
        own: Any = None,
        unless: Support | None = None,
    ) -> None:
        self._make = make
        self._sources = sources
        self._array: Any = None
        self._outline = outline
        self.everywhere = everywhere
        self.half = half
        self.own = own
        self.unless = unless
        self.static: bool = static and all(source.static for source in sources)

    @property
    def outline(self) -> Support | None:
        """What every product minds; `None` is everything."""
        return self if self.everywhere else self._outline

    @property
    def is_kept(self) -> bool:
        """Whether it is more than a note that there are strong zeros."""
        return self._make is not None or self._array is not None

    @property
    def is_full(self) -> bool:
        """Whether it is known to be everything."""
        return self.static and self.is_kept and bool(np.all(strip(self.array)))

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
    plain = strip(seed)
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


def of_zeros(x: Any, zeros: Zeros | Changing, index: Any = None) -> Support | None:
    """The support of a tangent or cotangent with such zeros, in the iteration of this index."""
    if x is None or zeros is Zeros.ORDINARY:
        return None
    if not isinstance(zeros, Changing):
        return of_value(x, everywhere=zeros is Zeros.EVERYWHERE)
    is_ordinary = np.equal if zeros.first is Zeros.ORDINARY else np.not_equal
    unless = Support(lambda: is_ordinary(index, zeros.start), everywhere=True, static=False)
    return _of_own(x, unless, everywhere=max(zeros[:2]) is Zeros.EVERYWHERE)


def _of_own(x: Any, unless: Support, *, everywhere: bool) -> Support:
    return Support(
        lambda holds: np.not_equal(x, 0) | holds,
        (unless,),
        everywhere=everywhere,
        own=x,
        unless=unless,
    )


def of_elements(x: Any, support: Support) -> Support:
    """The support of elements of what has one of its own."""
    if support.unless is None:
        return of_value(x, everywhere=support.everywhere)
    return _of_own(x, support.unless, everywhere=support.everywhere)


def zeros_of(support: Support | None) -> Zeros:
    """What the zeros are of a tangent or cotangent that has this support."""
    if support is None or support.is_full:
        return Zeros.ORDINARY
    return Zeros.AT_POLES if support.outline is None else Zeros.EVERYWHERE


def found_again(total: Any, support: Support | None) -> Support | None:
    """The support of a sum that is complete; `None` where it is known to be everything.

    If that of a term has not been kept, any zero of the sum is taken for a strong one.
    """
    if support is None:
        return None
    if not support.is_kept:
        support = of_value(total, everywhere=support.everywhere, outline=support.outline)
    return settled(support) if recorded(total) else support


def unkept(support: Support | None = None) -> Support:
    """The support of one of the terms, then, in place of one that is not worth its cost."""
    if support is None or support.everywhere:
        return Support(None, everywhere=True, static=False)
    outline = support.outline
    if outline is not None and not outline.static:
        return unkept()
    return Support(None, everywhere=False, outline=outline, static=False)


def settled(support: Support | None) -> Support | None:
    """The same while a graph is recorded: `None` where it is known to be everything."""
    if support is None or support.is_full:
        return None
    if not support.everywhere and support.outline is not None and support.outline.is_full:
        support._outline = None
    return support


def union(one: Support | None, other: Support | None) -> Support | None:
    """The support of a sum; `None` is everything."""
    if one is None or other is None or one is other:
        return one if one is other else None
    if one.half is not None and other.half is not None:
        (whole, condition, side), (same, other_condition, other_side) = one.half, other.half
        if whole is same and condition is other_condition and side is not other_side:
            return whole
    kept = one.is_kept and other.is_kept
    outline = None
    if not (one.everywhere and other.everywhere):
        outline = union(one.outline, other.outline)
        if outline is None or outline.is_kept:
            make = np.logical_or if kept else None
            sources = (one, other) if kept else ()
            return Support(make, sources, everywhere=False, outline=outline, static=kept)
    if not kept:
        return unkept()
    return Support(np.logical_or, (one, other), everywhere=True)


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
        if kept.own is x and kept.unless is None:
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
