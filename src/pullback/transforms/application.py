"""The linear maps of a primitive, applied to tangents and cotangents that may have strong zeros."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.choice import Branch, Choice, has_nan
from pullback.core.linear import Diagonal, Identity, Linear, LinearMap
from pullback.core.maps import Followed, Joint, Maps, push
from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import Tracer, known
from pullback.transforms.support import (
    ROW,
    Support,
    both,
    found_again,
    indicator,
    left_out,
    may_be_nan,
    numbers,
    of_elements,
    of_results,
    of_zeros,
    only_mapped,
    passed,
    times,
    union,
    unkept,
    zeros_of,
)

__all__ = ["Application", "leaves_out"]

_SHORT = 64
"""How many elements an array has at most for what an index leaves out of it to be computed."""

_LONG = 4096
"""How many it has at most for that to be a constant of a graph."""


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
        if isinstance(maps, Followed):
            term, zeros = maps.push(dots, tuple(map(zeros_of, supports)))
            return term, tuple(map(of_zeros, term, zeros))
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
                total, found = term, union(found, support)
        if isinstance(found, tuple):
            return total, tuple(map(found_again, total, found))
        return total, found_again(total, found)

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
        map that has `push_onto` adds its result to `onto`.
        """
        if isinstance(linear, Diagonal):
            return self._diagonal(linear, x, support, forward=forward)
        if onto is not None:
            term = linear.push_onto(onto, x)  # type: ignore[attr-defined]
        else:
            term = linear.pushforward(x) if forward else linear.pullback(x)
        if term is None or type(linear) is Identity:
            return term, support
        if isinstance(linear, Branch):
            half = support, linear.condition, linear.negated
            return term, both(support, self._taken(linear.taken), half)
        if not asked and type(term) is np.ndarray and not has_nan(term):
            return term, None
        several = isinstance(x, ROW) or isinstance(term, tuple)
        if onto is None and not several and self._reads(term, x, support):
            return term, of_elements(term, support)
        found = None if several else self.passage(linear, position, x, support, forward=forward)
        if found is None:
            if support is None:
                return term, None
            return term, of_results(term, support if isinstance(support, ROW) else (support,))
        if not found.is_kept:
            return term, found
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
            return term, both(support, self._taken(linear.taken))
        if support is None:
            return coefficient * x, None
        return times(coefficient, x, support, singular=self.primitive.singular), support

    @staticmethod
    def _taken(array: Any) -> Support:
        """The elements that are not left out; the array, rather than what it is made of."""
        return Support(lambda: array, everywhere=True, static=known(array))

    def _reads(self, term: Any, x: Any, support: Any) -> bool:
        """Whether these are elements of `x`, whose zeros are told by value."""
        primitive = self.primitive
        return (
            type(x) is Tracer
            and support is not None
            and support.own is x
            and (primitive.reads_nothing or primitive.keeps_rest)
            and (primitive.leaves_out or primitive.structure.is_free())
            and math.prod(shape_of(term)) <= math.prod(shape_of(x))
        )

    def passage(
        self, linear: LinearMap, position: int, x: Any, support: Support | None, *, forward: bool
    ) -> Support | None:
        """The support of what a map makes of `x`, if the map has it in its structure."""
        primitive = self.primitive
        leaves_out, cancels = primitive.leaves_out, primitive.cancels
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
        static = not leaves_out or self._is_static()
        spreads = not known(x) and self._spreads(position, forward=forward)
        if primitive.keeps_rest and not known(x):
            is_long = self._holds() > _LONG
            if spreads and (is_long or not static):
                return unkept()
            if is_long and (support is None or support.static):
                return unkept()
        left = None
        if leaves_out:
            left = Support(
                lambda: np.not_equal(through(numbers(like, cancels=cancels)), 0),
                everywhere=True,
                static=static,
            )
        found = passed(
            support,
            lambda array: np.not_equal(through(indicator(array, like, cancels=cancels)), 0),
            static=static,
            left=left,
        )
        assert found is not None
        if spreads and not found.static and self._holds() > _SHORT:
            return unkept(found)
        return found

    def _spreads(self, position: int, *, forward: bool) -> bool:
        """Whether a map puts a few elements among many, which a loop may do in each step.

        To do the same to a support would take more than the step does.
        """
        primitive = self.primitive
        if not primitive.keeps_rest:
            return False
        if forward:
            return bool(primitive.pads) or len(primitive.keeps) > 1
        return primitive.masks and position == 0

    def _holds(self) -> int:
        """How many elements the larger array has that an index chooses among."""
        return max(math.prod(shape_of(x)) for x in (self.out, self.args[0]))

    def _is_static(self) -> bool:
        """Whether what the maps leave out is known, as it is for an index that is."""
        primitive = self.primitive
        return all(known(x) for i, x in enumerate(self.args) if primitive.reads(i))

    def parts(self, maps: Joint, bar: Any, support: Any, terms: Sequence[Any]) -> Sequence[Any]:
        """The supports of what a joint map pulls a cotangent back to."""
        if isinstance(support, ROW):
            return of_results(list(terms), support)  # type: ignore[no-any-return]
        if not self.primitive.pads or support is None:
            return of_results(list(terms), (support,))  # type: ignore[no-any-return]
        if support.own is bar:
            return [None if term is None else of_elements(term, support) for term in terms]
        like = Abstract.of(bar)
        row = passed(support, lambda array: maps.pullback(indicator(array, like, cancels=False)))
        return [
            passed(row, lambda terms, i=i: np.not_equal(terms[i], 0)) for i in range(len(terms))
        ]

    def _generic(self, position: int, forward: bool) -> Callable[[Any], Any]:
        """The map of these shapes at other arguments, where it has no zeros by chance."""
        primitive, params = self.primitive, self.params
        spaces = list(map(Abstract.of, (self.out, *self.args)))  # rather than to keep arrays

        def apply(x: Any) -> Any:
            out, *args = (numbers(space, cancels=primitive.cancels) for space in spaces)
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
        return primitive.follows
    # Conditions are booleans, indices the rest of the arguments; neither has a tangent.
    count = len(primitive.keeps) if primitive.keeps_rest else len(args)
    if primitive.pads == "always":
        return True
    rows = zip(args[:count], dots, strict=False)
    return any(dot is None and dtype_of(x).kind != "b" for x, dot in rows)


def _joined(maps: Joint, dots: Sequence[Any], supports: Sequence[Support | None]) -> Support | None:
    """The support of a concatenation: that of the joined supports, where constants have none."""
    likes = [None if dot is None else Abstract.of(dot) for dot in dots]

    def join(supports: Sequence[Support | None], **more: Any) -> Support:
        def joined(*arrays: Any) -> Any:
            remaining = iter(arrays)
            row = [
                None
                if like is None
                else numbers(like, cancels=False)
                if support is None
                else indicator(next(remaining), like, cancels=False)
                for like, support in zip(likes, supports, strict=True)
            ]
            return np.not_equal(maps.pushforward(*row), 0)

        sources = tuple(
            support
            for support, like in zip(supports, likes, strict=True)
            if support is not None and like is not None
        )
        return Support(joined, sources, **more)

    outlines = [None if support is None else support.outline for support in supports]
    if all(one is other for one, other in zip(outlines, supports, strict=True)):
        return join(supports, everywhere=True)
    return join(supports, everywhere=False, outline=join(outlines, everywhere=True))
