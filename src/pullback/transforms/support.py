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
    "ROW",
    "UNKEPT",
    "Support",
    "both",
    "indicator",
    "left_out",
    "may_be_nan",
    "of_results",
    "of_seed",
    "of_sum",
    "of_value",
    "only_mapped",
    "point_of",
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
    own : Tracer, optional
        The tangent or cotangent of which it is where that is other than zero. Of a large one no
        more is looked at, in a graph that is recorded, than the places that are read.
    """

    __slots__ = ("_array", "_make", "_sources", "everywhere", "own")

    def __init__(
        self,
        make: Callable[..., Any],
        sources: tuple[Support, ...] = (),
        *,
        everywhere: bool,
        own: Any = None,
    ) -> None:
        self._make: Callable[..., Any] | None = make
        self._sources = sources
        self._array: Any = None
        self.everywhere = everywhere
        self.own = own

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


def of_value(x: Any, *, everywhere: bool) -> Support:
    """The support of a tangent or cotangent whose zeros are all strong."""
    if type(x) is Tracer:
        return Support(lambda: np.not_equal(x, 0), everywhere=everywhere, own=x)
    found = np.not_equal(x, 0)  # rather than to keep the array
    return Support(lambda: found, everywhere=everywhere)


def of_sum(total: Any) -> Support:
    """The support of a sum of which it has not been kept where its terms have strong zeros.

    While a graph is recorded it is left to the products to take any zero for a strong one.
    """
    if type(total) is Tracer or isinstance(total, list):
        return Support(lambda: np.False_, everywhere=True, own=total)
    return of_value(total, everywhere=True)


UNKEPT = Support(lambda: False, everywhere=True)
"""The support of one of the terms, then."""


def union(one: Support | None, other: Support | None) -> Support | None:
    """The support of a sum; `None` is everything."""
    if one is None or other is None or one is other:
        return one if one is other else None
    if one is UNKEPT or other is UNKEPT:
        return UNKEPT
    return Support(np.logical_or, (one, other), everywhere=one.everywhere or other.everywhere)


def times(coefficient: Any, x: Any, support: Support) -> Any:
    """The product, in which the zeros of x outside its support win."""
    if type(coefficient) is Tracer or type(x) is Tracer:
        if only_mapped(coefficient) and only_mapped(x):
            product = coefficient * x
            if not has_nan(strip(product)):
                return product
        kept = support.array
        if known(kept) and np.all(strip(kept)):
            return coefficient * x
        return Choice.masked_product(coefficient, x, kept)
    product = coefficient * x
    if has_nan(product):
        kept = support.array | np.not_equal(x, 0)
        product = np.where(kept, product, 0).astype(dtype_of(product))[()]
    return product


def may_be_nan(x: Any) -> bool:
    """Whether an element is NaN, as far as that is known; `None` is zero."""
    if type(x) is not Tracer:
        return x is not None and has_nan(x)
    return not only_mapped(x) or has_nan(strip(x))


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
    everywhere = any(support is not None and support.everywhere for support in supports)
    return None if dots is None else of_value(dots, everywhere=everywhere)


def both(one: Support, other: Support) -> Support:
    """The elements of two supports that are in both."""
    return Support(np.logical_and, (one, other), everywhere=True)


def indicator(array: Any, like: Abstract) -> Any:
    """Numbers where the array holds, 0 elsewhere."""
    return np.where(array, point_of(like), np.zeros((), like.dtype))


def point_of(space: Abstract) -> Any:
    """Numbers between 1 and 2, all of them different."""
    numbers: Any = 1 + np.arange(1, space.size + 1) * _GOLDEN % 1
    if space.dtype.kind == "c":
        numbers = numbers * (1 + 0.5j)
    return numbers.astype(space.dtype).reshape(space.shape)[()]


_GOLDEN = 0.6180339887498949


ROW = (tuple, list)
"""What holds the tangents or cotangents of several arrays."""
