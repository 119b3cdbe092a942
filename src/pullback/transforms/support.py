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

from pullback.core.choice import Branch, Choice, has_nan
from pullback.core.linear import Diagonal, Identity, Joint, Linear, LinearMap, Maps, Selection, push
from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip

__all__ = ["Application", "Support", "leaves_out", "may_be_nan", "of_seed", "point_of", "union"]


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
        return _of_value(seed, everywhere=False)
    if np.count_nonzero(plain) == math.prod(shape_of(plain)):
        return None
    return _of_value(seed, everywhere=True)


def _of_value(x: Any, *, everywhere: bool) -> Support:
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
    return _of_value(total, everywhere=True)


UNKEPT = Support(lambda: False, everywhere=True)
"""The support of one of the terms, then."""


def union(one: Support | None, other: Support | None) -> Support | None:
    """The support of a sum; `None` is everything."""
    if one is None or other is None or one is other:
        return one if one is other else None
    if one is UNKEPT or other is UNKEPT:
        return UNKEPT
    return Support(np.logical_or, (one, other), everywhere=one.everywhere or other.everywhere)


def _times(coefficient: Any, x: Any, support: Support) -> Any:
    """The product, in which the zeros of x outside its support win."""
    if type(coefficient) is Tracer or type(x) is Tracer:
        if _only_mapped(coefficient) and _only_mapped(x):
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
    return not _only_mapped(x) or has_nan(strip(x))


def _only_mapped(x: Any) -> bool:
    """Whether all levels of tracing only map: nothing is recorded, and nothing differentiated."""
    while type(x) is Tracer:
        if not x._interpreter.only_maps:
            return False
        x = x._value
    return True


def leaves_out(primitive: Primitive, args: Sequence[Any], dots: Sequence[Any]) -> bool:
    """Whether a pushforward has strong zeros of its own, where the tangents have none."""
    if not primitive.leaves_out:
        return False
    # Conditions are booleans, indices the rest of the arguments; neither has a tangent.
    count = len(primitive.keeps) if primitive.keeps_rest else len(args)
    if primitive.pads == "always":
        return True
    return any(dot is None and _counts(x) for x, dot in zip(args[:count], dots, strict=False))


def _counts(x: Any) -> bool:
    return dtype_of(x).kind != "b"


def _left_out(term: Any, support: Support) -> Any:
    """A result with zeros outside its support, where it is NaN."""
    return np.where(support.array | ~np.isnan(term), term, np.zeros((), dtype_of(term)))


class Application:
    """The linear maps of a primitive at a point, applied to what may have a support.

    Parameters
    ----------
    primitive : Primitive
    out, args : Abstract and sequence of Abstract, or arrays
        Shapes and dtypes of the result and of the arguments.
    params : dict
    """

    __slots__ = ("args", "out", "params", "primitive")

    def __init__(self, primitive: Primitive, out: Any, args: Sequence[Any], params: Any) -> None:
        self.primitive = primitive
        self.out, self.args, self.params = out, args, params

    def push(
        self, maps: Maps, dots: Sequence[Any], supports: Sequence[Support | None]
    ) -> tuple[Any, Any]:
        """Σ Jᵢẋᵢ and its support; for several outputs a tuple, and the support of each."""
        if isinstance(maps, Joint):
            term = maps.pushforward(*dots)
            if self.primitive.pads:
                return term, _joined(maps, dots, supports)
            return term, of_results(term, supports)
        total: Any = None
        found: Support | None = None
        rows = zip(maps, dots, supports, strict=True)
        for position, (linear, dot, before) in enumerate(rows):
            if linear is None or dot is None:
                continue
            onto = total if isinstance(linear, Linear) and linear.push_onto is not None else None
            term, support = self.one(linear, position, dot, before, forward=True, onto=onto)
            if term is None:
                continue
            if total is None:
                total, found = term, support
            elif isinstance(term, tuple):
                term = push(maps, dots)
                return term, of_results(term, supports)
            elif onto is None:
                total, found = total + term, union(found, support)
            else:
                total, of_both = term, support is not None and support.own is term
                found = support if found and of_both else union(found, support)
        return total, found

    def one(
        self,
        linear: LinearMap,
        position: int,
        x: Any,
        support: Any,
        *,
        forward: bool,
        asked: bool = True,
        onto: Any = None,
    ) -> tuple[Any, Any]:
        """One of the maps, or its adjoint, applied to `x`, and the support of the result.

        If that is not `asked` for, it is found only where it is needed for the result itself. A
        map that has `push_onto` adds its result to `onto`, and the support may be the sum's `own`.
        """
        if isinstance(linear, Diagonal):
            return self._diagonal(linear, x, support, forward=forward)
        if onto is not None:
            term = linear.push_onto(onto, x)  # type: ignore[attr-defined]
        else:
            term = linear.pushforward(x) if forward else linear.pullback(x)
        if term is None or type(linear) is Identity:
            return term, support
        if forward and type(linear) is Selection and support is not None and support.own is x:
            return term, _of_value(term, everywhere=support.everywhere)
        if isinstance(linear, Branch):
            taken = Support(lambda: linear.taken, everywhere=True)
            return term, taken if support is None else _both(support, taken)
        if not asked and type(term) is np.ndarray and not has_nan(term):
            return term, None
        several = isinstance(x, _ROW) or isinstance(term, tuple)
        found = None if several else self.passage(linear, position, x, support, forward=forward)
        if found is None:
            if support is None:
                return term, None
            return term, of_results(term, support if isinstance(support, tuple) else (support,))
        if found is UNKEPT:
            return term, of_sum(term)
        if onto is None and may_be_nan(term) and (self.primitive.singular or _only_mapped(term)):
            term = _left_out(term, found)
        return term, found

    def _diagonal(
        self, linear: Diagonal, x: Any, support: Support | None, *, forward: bool
    ) -> tuple[Any, Support | None]:
        coefficient = linear.coefficient if forward else linear.conjugate
        if isinstance(linear, Choice):
            term = linear.times(coefficient, x)
            if support is not None and not linear.is_strong and may_be_nan(term):
                term = _left_out(term, support)
            array = linear.taken  # rather than to keep the coefficients
            taken = Support(lambda: array, everywhere=True)
            return term, taken if support is None else _both(support, taken)
        if support is not None and (support.everywhere or self.primitive.singular):
            return _times(coefficient, x, support), support
        return coefficient * x, support

    def passage(
        self, linear: LinearMap, position: int, x: Any, support: Support | None, *, forward: bool
    ) -> Support | None:
        """The support of what a map makes of `x`, if the map has it in its structure."""
        primitive = self.primitive
        leaves_out = primitive.leaves_out
        if support is None and not leaves_out:
            return None
        through: Callable[[Any], Any]
        if leaves_out or primitive.reads_nothing:
            through = linear.pushforward if forward else linear.pullback
        elif primitive.generic:
            through = self._generic(position, forward)
        else:
            return None
        like = Abstract.of(x)
        if self._spreads(forward=forward) and not known(x):
            if support is not None or not self._is_small():
                return UNKEPT
            found = np.not_equal(through(point_of(like)), 0)
            return Support(lambda: found, everywhere=True) if known(found) else UNKEPT
        if support is None:
            return Support(lambda: np.not_equal(through(point_of(like)), 0), everywhere=True)
        return Support(
            lambda array: np.not_equal(through(_indicator(array, like)), 0),
            (support,),
            everywhere=support.everywhere or (primitive.masks and not forward),
        )

    def _spreads(self, *, forward: bool) -> bool:
        """Whether a map puts a few elements among many, which a loop may do in each step.

        To do the same to a support would take more than the step does.
        """
        primitive = self.primitive
        if not forward:
            return primitive.masks
        return primitive.keeps_rest and (bool(primitive.pads) or len(primitive.keeps) > 1)

    def _is_small(self) -> bool:
        """Whether what an index leaves out is a short constant of a graph that is recorded."""
        primitive = self.primitive
        indices = self.args[len(primitive.keeps) :]
        return (
            primitive.keeps_rest
            and math.prod(shape_of(self.args[0])) <= _SHORT
            and all(map(known, indices))
        )

    def parts(self, maps: Joint, bar: Any, support: Any, terms: Sequence[Any]) -> Sequence[Any]:
        """The supports of what a joint map pulls a cotangent back to."""
        if type(support) is not Support or not self.primitive.pads:
            return of_results(list(terms), support if type(support) is tuple else (support,))  # type: ignore[no-any-return]
        like = Abstract.of(bar)
        row = Support(
            lambda array: maps.pullback(_indicator(array, like)),
            (support,),
            everywhere=support.everywhere,
        )
        return [
            Support(lambda terms, i=i: np.not_equal(terms[i], 0), (row,), everywhere=row.everywhere)
            for i in range(len(terms))
        ]

    def _generic(self, position: int, forward: bool) -> Callable[[Any], Any]:
        """The map of these shapes at other arguments, where it has no zeros by chance."""
        primitive, params = self.primitive, self.params
        spaces = list(map(Abstract.of, (self.out, *self.args)))  # rather than to keep arrays

        def apply(x: Any) -> Any:
            out, *args = map(point_of, spaces)
            wanted = [i == position or None for i in range(len(args))]
            maps = primitive.maps(out, args, params, wanted)
            assert not isinstance(maps, Joint)
            linear = maps[position]
            assert linear is not None
            return linear.pushforward(x) if forward else linear.pullback(x)

        return apply


def of_results(dots: Any, supports: Sequence[Support | None]) -> Any:
    """The support of what came of tangents or cotangents that had these, or of each of several.

    For what is not known to depend on this or that element the zeros that come out are strong.
    """
    return _of_values(dots, _everywhere(supports))


def _of_values(x: Any, everywhere: bool) -> Any:
    if isinstance(x, _ROW):
        return tuple(_of_values(each, everywhere) for each in x)
    return None if x is None else _of_value(x, everywhere=everywhere)


def _everywhere(supports: Sequence[Support | None]) -> bool:
    return any(support is not None and support.everywhere for support in supports)


def _joined(maps: Joint, dots: Sequence[Any], supports: Sequence[Support | None]) -> Support:
    """The support of a concatenation: that of the joined supports, where constants have none."""
    likes = [None if dot is None else Abstract.of(dot) for dot in dots]

    def joined(*arrays: Any) -> Any:
        remaining = iter(arrays)
        row = [
            None
            if like is None
            else point_of(like)
            if support is None
            else _indicator(next(remaining), like)
            for like, support in zip(likes, supports, strict=True)
        ]
        return np.not_equal(maps.pushforward(*row), 0)

    sources = tuple(
        support
        for support, like in zip(supports, likes, strict=True)
        if support is not None and like is not None
    )
    return Support(joined, sources, everywhere=True)


def _both(one: Support, other: Support) -> Support:
    return Support(np.logical_and, (one, other), everywhere=True)


def _indicator(array: Any, like: Abstract) -> Any:
    """Numbers where the array holds, 0 elsewhere."""
    return np.where(array, point_of(like), np.zeros((), like.dtype))


def point_of(space: Abstract) -> Any:
    """Numbers between 1 and 2, all of them different."""
    numbers: Any = 1 + np.arange(1, space.size + 1) * _GOLDEN % 1
    if space.dtype.kind == "c":
        numbers = numbers * (1 + 0.5j)
    return numbers.astype(space.dtype).reshape(space.shape)[()]


_GOLDEN = 0.6180339887498949

_SHORT = 64
"""How many elements an array has at most of which a graph may hold what is left out."""


_ROW = (tuple, list)
"""What holds the tangents or cotangents of several arrays."""
