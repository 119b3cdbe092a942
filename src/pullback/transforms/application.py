"""The linear maps of a primitive, applied to tangents and cotangents that may have strong zeros."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.choice import Branch, Choice, has_nan
from pullback.core.linear import Diagonal, Identity, Linear, LinearMap, Selection
from pullback.core.maps import Followed, Joint, Maps, push
from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.tracing import Tracer, known
from pullback.transforms.masks import Full, full_of, spread_out
from pullback.transforms.support import (
    NOWHERE,
    ROW,
    Support,
    both,
    found_again,
    indicator,
    left_out,
    may_be_nan,
    moved,
    numbers,
    of_elements,
    of_results,
    only_mapped,
    passed,
    recorded,
    times,
    union,
)

__all__ = ["Application", "leaves_out"]


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
            return maps.push(dots, supports)
        if isinstance(maps, Joint):
            term = maps.pushforward(*dots)
            if self.primitive.pads:
                return term, _joined(maps, dots, supports)
            return term, of_results(term, supports)
        if self._moves:
            term = push(maps, dots)
            return term, self._moved(maps, dots, supports)
        total: Any = None
        found: Support | None = None
        rows = zip(maps, dots, supports, strict=True)
        for position, (linear, dot, before) in enumerate(rows):
            if linear is None or dot is None:
                continue
            term, support = self.one(linear, position, dot, before, forward=True)
            if term is None:
                continue
            if total is None:
                total, found = term, support
            elif isinstance(term, tuple):
                term = push(maps, dots)
                return term, of_results(term, supports)
            else:
                total, found = total + term, union(found, support)
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
    ) -> tuple[Any, Any]:
        """One of the maps, or its adjoint, applied to `x`, and the support of the result.

        If that is not `asked` for, it is found only where it is needed for the result itself.
        """
        if isinstance(linear, Diagonal):
            return self._diagonal(linear, x, support, forward=forward)
        term = linear.pushforward(x) if forward else linear.pullback(x)
        if term is None or type(linear) is Identity:
            return term, support
        if isinstance(linear, Branch):
            half = support, linear.condition, linear.negated
            return term, both(support, self._taken(linear.taken), half)
        if not asked and type(term) is np.ndarray and not has_nan(term):
            return term, None
        several = isinstance(x, ROW) or isinstance(term, tuple)
        if not several and self._reads(term, x, support):
            return term, of_elements(term, support)
        found = None if several else self.passage(linear, position, x, support, forward=forward)
        if found is None:
            if support is None:
                return term, None
            return term, of_results(term, support if isinstance(support, ROW) else (support,))
        if may_be_nan(term) and (self.primitive.singular or only_mapped(term)):
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
        if self._moves:
            return self._pulled(linear, x, support)
        primitive = self.primitive
        leaves_out, cancels = primitive.leaves_out, primitive.cancels
        if support is None and not leaves_out:
            return None
        through: Callable[[Any], Any]
        if leaves_out or primitive.reads_nothing:
            through = linear.pushforward if forward else linear.pullback
        elif not primitive.generic:
            return None
        elif primitive.structure.multilinear:
            # Of booleans, products and sums are those of logic.
            ones = self._generic(
                position, forward, lambda x: np.broadcast_to(np.True_, x.shape)[()]
            )
            like = Abstract.of(x)
            return passed(support, lambda array: ones(spread_out(array, like)))
        else:
            through = self._generic(position, forward, lambda x: numbers(x, cancels=cancels))
        like = Abstract.of(x)
        static = not leaves_out or self._is_static()
        left = None
        if leaves_out:
            left = Support(
                lambda: np.not_equal(through(numbers(like, cancels=cancels)), 0),
                everywhere=True,
                static=static,
            )
        return passed(
            support,
            lambda array: np.not_equal(through(indicator(array, like, cancels=cancels)), 0),
            static=static,
            left=left,
        )

    # -- what moves elements by an index: it does so to the masks ----------------------------------

    @property
    def _moves(self) -> bool:
        """Whether elements are moved, or added up, by index arrays."""
        return self.primitive.leaves_out and self.primitive.keeps_rest

    def _moved(
        self, maps: Any, dots: Sequence[Any], supports: Sequence[Support | None]
    ) -> Support | None:
        """The support of what all arguments are moved to."""
        terms = [
            (linear, dot, support)
            for linear, dot, support in zip(maps, dots, supports, strict=True)
            if linear is not None and dot is not None
        ]
        fulls = [full_of(dot) for _, dot, _ in terms]

        def function(masks: Sequence[Any]) -> Any:
            total = None
            for (linear, _, _), full, mask in zip(terms, fulls, masks, strict=True):
                array = full() if mask is None else spread_out(mask, full.like)
                if total is None:
                    total = linear.pushforward(array)
                elif isinstance(linear, Linear) and linear.push_onto is not None:
                    total = linear.push_onto(total, array)
                else:
                    total = total | linear.pushforward(array)
            return total

        own = leaves_out(self.primitive, self.args, dots)
        return self._by_index(function, [support for *_, support in terms], fulls, own=own)

    def _pulled(self, linear: LinearMap, bar: Any, support: Support | None) -> Support | None:
        """The support of what a cotangent is moved back to."""
        full = full_of(bar)

        def function(masks: Sequence[Any]) -> Any:
            (mask,) = masks
            return linear.pullback(full() if mask is None else spread_out(mask, full.like))

        return self._by_index(function, [support], [full], own=self.primitive.masks)

    def joining(self, linear: Selection, bar: Any, support: Support | None) -> Callable[..., Any]:
        """How the support of what a cotangent is moved back to is joined to that of a total."""
        if not self._moves or linear.pull_onto is None or not recorded(bar):
            return union
        like, whole, full = Abstract.of(bar), Abstract.of(self.args[0]), full_of(bar)

        def join(total: Support | None, found: Support | None) -> Support | None:
            if total is None or found is None or total is NOWHERE:
                return union(total, found)

            def function(masks: Sequence[Any]) -> Any:
                before, mask = masks
                assert linear.pull_onto is not None
                array = full() if mask is None else spread_out(mask, like)
                return linear.pull_onto(spread_out(before, whole), array)

            static = self._is_static() and full.static
            return moved(function, [total, support], static=static)

        return join

    def _by_index(
        self,
        function: Callable[[Sequence[Any]], Any],
        supports: Sequence[Support | None],
        fulls: Sequence[Full],
        *,
        own: bool,
    ) -> Support | None:
        """The support that a function of masks gives; `None` stands for those of everything.

        If the map has no strong zeros of its `own`, it is everything if all of them are.
        """
        if not own and all(support is None for support in supports):
            return None
        static = self._is_static() and all(full.static for full in fulls)
        return moved(function, supports, static=static, own=own)

    def _is_static(self) -> bool:
        """Whether what the maps leave out is known, as it is for an index that is."""
        primitive = self.primitive
        return all(known(x) for i, x in enumerate(self.args) if primitive.reads(i))

    def parts(self, maps: Joint, bar: Any, support: Any, terms: Sequence[Any]) -> Sequence[Any]:
        """The supports of what a joint map pulls a cotangent back to."""
        if isinstance(support, ROW):
            return of_results(list(terms), support)  # type: ignore[no-any-return]
        if self.primitive.pads and support is None:
            return [None] * len(terms)
        if not self.primitive.pads:
            return of_results(list(terms), (support,))  # type: ignore[no-any-return]
        if support.own is bar:
            return [None if term is None else of_elements(term, support) for term in terms]
        like = Abstract.of(bar)
        row = passed(support, lambda array: maps.pullback(indicator(array, like, cancels=False)))
        return [
            passed(row, lambda terms, i=i: np.not_equal(terms[i], 0)) for i in range(len(terms))
        ]

    def _generic(
        self, position: int, forward: bool, make: Callable[[Abstract], Any]
    ) -> Callable[[Any], Any]:
        """The map of these shapes at arguments that are made, so that it has no zeros by chance."""
        primitive, params = self.primitive, self.params
        spaces = list(map(Abstract.of, (self.out, *self.args)))  # rather than to keep arrays

        def apply(x: Any) -> Any:
            out, *args = map(make, spaces)
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

    def function(masks: Sequence[Any]) -> Any:
        row = [
            None
            if like is None
            else numbers(like, cancels=False)
            if mask is None
            else indicator(mask, like, cancels=False)
            for like, mask in zip(likes, masks, strict=True)
        ]
        return np.not_equal(maps.pushforward(*row), 0)

    return moved(function, supports)
