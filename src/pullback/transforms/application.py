"""The linear maps of a primitive, applied to tangents and cotangents that may have strong zeros."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.choice import Branch, Choice, has_nan
from pullback.core.linear import Diagonal, Identity, Linear, LinearMap, Selection
from pullback.core.maps import Joint, Maps, push
from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import known
from pullback.transforms.support import (
    ROW,
    UNKEPT,
    Support,
    both,
    indicator,
    left_out,
    may_be_nan,
    of_results,
    of_sum,
    of_value,
    only_mapped,
    point_of,
    times,
    union,
)

__all__ = ["Application", "leaves_out"]

_SHORT = 64
"""How many elements an array has at most of which a graph may hold what is left out."""


class Application:
    """The linear maps of a primitive at a point, applied to what may have a support.

    Of the result and the arguments, `out` and `args`, no more than shapes and dtypes is needed.
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
            return term, of_value(term, everywhere=support.everywhere)
        if isinstance(linear, Branch):
            taken = Support(lambda: linear.taken, everywhere=True)
            return term, taken if support is None else both(support, taken)
        if not asked and type(term) is np.ndarray and not has_nan(term):
            return term, None
        several = isinstance(x, ROW) or isinstance(term, tuple)
        found = None if several else self.passage(linear, position, x, support, forward=forward)
        if found is None:
            if support is None:
                return term, None
            return term, of_results(term, support if isinstance(support, tuple) else (support,))
        if found is UNKEPT:
            return term, of_sum(term)
        if onto is None and may_be_nan(term) and (self.primitive.singular or only_mapped(term)):
            term = left_out(term, found)
        return term, found

    def _diagonal(
        self, linear: Diagonal, x: Any, support: Support | None, *, forward: bool
    ) -> tuple[Any, Support | None]:
        coefficient = linear.coefficient if forward else linear.conjugate
        if isinstance(linear, Choice):
            term = linear.times(coefficient, x)
            if support is not None and not linear.is_strong and may_be_nan(term):
                term = left_out(term, support)
            array = linear.taken  # rather than to keep the coefficients
            taken = Support(lambda: array, everywhere=True)
            return term, taken if support is None else both(support, taken)
        if support is not None and (support.everywhere or self.primitive.singular):
            return times(coefficient, x, support), support
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
            lambda array: np.not_equal(through(indicator(array, like)), 0),
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
            lambda array: maps.pullback(indicator(array, like)),
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


def leaves_out(primitive: Primitive, args: Sequence[Any], dots: Sequence[Any]) -> bool:
    """Whether a pushforward has strong zeros of its own, where the tangents have none."""
    if not primitive.leaves_out:
        return False
    # Conditions are booleans, indices the rest of the arguments; neither has a tangent.
    count = len(primitive.keeps) if primitive.keeps_rest else len(args)
    if primitive.pads == "always":
        return True
    rows = zip(args[:count], dots, strict=False)
    return any(dot is None and dtype_of(x).kind != "b" for x, dot in rows)


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
            else indicator(next(remaining), like)
            for like, support in zip(likes, supports, strict=True)
        ]
        return np.not_equal(maps.pushforward(*row), 0)

    sources = tuple(
        support
        for support, like in zip(supports, likes, strict=True)
        if support is not None and like is not None
    )
    return Support(joined, sources, everywhere=True)
