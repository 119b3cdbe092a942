"""The pushforward and the pullback of a rule as primitives of their own.

Where a rule, or a linear map that it has returned, computes with something that can't be traced,
it is called on plain arrays: example by example under `vmap`, and when a graph is run. It is then
the end of all derivatives.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pullback.core.maps import Joint, push
from pullback.core.primitive import Primitive, bind
from pullback.core.shapes import Abstract, dtype_of, expand, fit, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import Marks, Row
from pullback.core.tracing import Tracer
from pullback.errors import NoRuleError
from pullback.graph.variable import ShapeDtype
from pullback.rules.own.examples import PerExample

__all__ = ["Application", "Point"]


class Point(NamedTuple):
    """Where a rule is evaluated; an `Abstract` stands for a value that it does not read."""

    outs: tuple[Any, ...]
    args: tuple[Any, ...]
    params: dict[str, Any]

    @property
    def is_traced(self) -> bool:
        """Whether the rule was handed a traced value."""
        return any(type(x) is Tracer for x in (*self.outs, *self.args))


class Application(Primitive):
    """A rule's pushforward or pullback at a point, as one operation on plain arrays.

    Its arguments are the values of the point that the rule of the primitive `of` reads, and the
    tangents or cotangents that are not zero. Its results are all of the outputs' tangents, or the
    cotangents that are wanted.
    """

    def __init__(self, of: Primitive, *, forward: bool) -> None:
        self.of = of
        name = f"{'pushforward' if forward else 'pullback'}_of_{of.name}"
        super().__init__(
            name,
            self._pushed if forward else self._pulled,
            Opaque(
                self._shapes,
                PerExample(self, name, None, multiple=True).of_batch,
                multiple=True,
            ),
            trusted=False,
        )

    def push(self, point: Point, dots: Row, reason: str) -> Any:
        """ẏ from one tangent for each argument; `None` is zero."""
        given = [dot is not None for dot in dots]
        found = self._bind(point, [dot for dot in dots if dot is not None], reason, given=given)
        return found if self.of.multiple else found[0]

    def pull(self, point: Point, bar: Any, wanted: Marks, reason: str) -> list[Any]:
        """x̄ for each argument that is wanted, and `None` for the others."""
        bars = list(bar) if self.of.multiple else [bar]
        given = [each is not None for each in bars]
        bars = [each for each in bars if each is not None]
        if not bars:
            return [None] * len(wanted)
        found = iter(self._bind(point, bars, reason, given=given, wanted=tuple(wanted)))
        return [next(found) if wants else None for wants in wanted]

    def _bind(self, point: Point, seeds: list[Any], reason: str, **marks: Any) -> tuple[Any, ...]:
        operands = [x for x in (*point.outs, *point.args) if not isinstance(x, Abstract)]
        params = {
            "outs": _abstract(point.outs),
            "args": _abstract(point.args),
            **{name: tuple(mark) for name, mark in marks.items()},
            "params": point.params or None,
        }
        try:
            found: tuple[Any, ...] = bind(self, (*operands, *seeds), params)
        except _RefusedError:
            raise self.no_rule(()).because(reason) from None
        return found

    # -- on plain arrays -----------------------------------------------------------------------

    def _pushed(
        self, *operands: Any, outs: Any, args: Any, given: Any, params: Any = None
    ) -> tuple[Any, ...]:
        """ẏ, of the shape and dtype of each output."""
        point, remaining = _point(operands, outs, args, params)
        dots = [next(remaining) if marked else None for marked in given]
        primitive = self.of
        out = point.outs if primitive.multiple else point.outs[0]
        out_dot = push(primitive.maps(out, point.args, point.params, dots), dots)
        row = out_dot if primitive.multiple and out_dot is not None else [out_dot] * len(outs)
        return tuple(_settled(dot, like, expand) for dot, like in zip(row, point.outs, strict=True))

    def _pulled(
        self, *operands: Any, outs: Any, args: Any, given: Any, wanted: Any, params: Any = None
    ) -> tuple[Any, ...]:
        """x̄, of the shape and dtype of each argument that is wanted."""
        point, remaining = _point(operands, outs, args, params)
        bars = [next(remaining) if marked else None for marked in given]
        primitive = self.of
        several = primitive.multiple
        out, bar = (point.outs, bars) if several else (point.outs[0], bars[0])
        varies = [True if wants else None for wants in wanted]
        maps = primitive.maps(out, point.args, point.params, varies)
        if isinstance(maps, Joint):
            terms = maps.pullback(bar)
        else:
            terms = [None if linear is None else linear.pullback(bar) for linear in maps]
        return tuple(
            _settled(term, like, fit)
            for term, like, wants in zip(terms, point.args, wanted, strict=True)
            if wants
        )

    # -- what comes out ------------------------------------------------------------------------

    def _shapes(self, _primitive: Primitive, *operands: Any, **given: Any) -> tuple[Abstract, ...]:
        point, _rest = _point(operands, given["outs"], given["args"], None)
        pulls = "wanted" in given
        row = itertools.compress(point.args, given["wanted"]) if pulls else point.outs
        return tuple(map(Abstract.of, row))

    def no_rule(self, _parents: Row) -> _RefusedError:
        return _RefusedError(self.of.name)


class _RefusedError(NoRuleError):
    """What a rule that can't be traced computes is being differentiated."""

    def __init__(self, name: str, reason: str = "") -> None:
        self.name = name
        super().__init__(
            f"the rule of {name} computes with something that cannot be traced, so it is called on "
            "plain arrays, and what it computes is being differentiated, as for a derivative of "
            "higher order. Write the rule with NumPy's functions, and with primitives that have "
            f"rules{reason}"
        )

    def because(self, reason: str) -> NoRuleError:
        """The error, with what was raised when the rule was run on traced values."""
        return NoRuleError(str(_RefusedError(self.name, f". On traced values it raised {reason}")))


def _abstract(row: Row) -> tuple[ShapeDtype | None, ...]:
    """Shapes and dtypes of the values that are not read; `None` for those that are."""
    return tuple(ShapeDtype(x.shape, x.dtype) if isinstance(x, Abstract) else None for x in row)


def _point(operands: Row, outs: Any, args: Any, params: Any) -> tuple[Point, Iterator[Any]]:
    """The point, and the operands that remain."""
    remaining = iter(operands)
    outs, args = (
        tuple(next(remaining) if space is None else space for space in row) for row in (outs, args)
    )
    return Point(outs, args, params or {}), remaining


def _settled(term: Any, like: Any, settle: Any) -> Any:
    """A tangent or cotangent as an array of the shape and dtype of its primal."""
    shape, dtype = shape_of(like), dtype_of(like)
    if term is None or dtype.kind not in "fc":
        return np.zeros(shape, dtype)[()]
    return settle(term, shape, dtype)
