"""Structures of which no more is known than what goes in and comes out."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from pullback.core.shapes import Abstract, shape_of
from pullback.core.structure.axes import (
    Marks,
    Params,
    Row,
    aligned,
    common,
    dtypes,
    listed,
    meeting,
    over_axes,
    rank_of,
    size_of,
    stretch,
)
from pullback.core.structure.base import Batching, Count, Shapes, Structure
from pullback.errors import ArgumentValueError

__all__ = ["Nested", "Opaque", "along_axis", "rowwise"]


@dataclass(frozen=True)
class Opaque(Structure):
    """A function of which no more is known.

    Parameters
    ----------
    shapes : callable, optional
        See `Shapes`. `None` if the function cannot be recorded without evaluating it.
    batching : callable, optional
        See `Batching`.
    infer : callable, optional
        In place of `shapes`; see `Structure.infer`.
    names, couples : callable, optional
        Which elements depend on which; see `Structure`.
    count : int or callable, optional
        An integer is a number of operations for each element of the largest argument; `None` is
        one for each element of the results.
    """

    shapes: Shapes | None = None
    batching: Batching | None = None
    _: KW_ONLY
    infer: Callable[..., Any] | None = None  # type: ignore[misc]
    names: Callable[..., Any] | None = None  # type: ignore[misc]
    couples: Callable[..., Any] | None = None  # type: ignore[misc]
    count: int | Count | None = None  # type: ignore[assignment]

    def shape(self, primitive: Any, *args: Any, **params: Any) -> Any:
        if self.shapes is None:
            raise primitive.no_shape()
        return self.shapes(primitive, *args, **params)

    def batch(self, primitive: Any, size: int, mapped: Marks, values: Row, params: Params) -> Any:
        if self.batching is None:
            raise primitive.no_batching()
        return self.batching(primitive, size, mapped, values, params)

    def operations(self, out: Any, *args: Any, **params: Any) -> int:
        if self.count is None:
            return self.computed(out, args)
        if callable(self.count):
            return self.count(out, *args, **params)
        return self.count and self.count * max(map(size_of, args))


@dataclass(frozen=True)
class Nested(Opaque):
    """A function with graphs among its parameters.

    Parameters
    ----------
    cost, layouts, take_over : callable, optional
        See `Structure`.
    """

    _: KW_ONLY
    multiple: bool = True
    cost: Callable[..., Any] | None = None  # type: ignore[misc]
    take_over: Callable[..., Any] | None = None  # type: ignore[misc]

    def is_free(self) -> bool:
        return False


def along_axis(default: int | None = -1, **differing: Any) -> Opaque:
    """The structure of what acts along ``axis`` and otherwise broadcasts its arguments.

    Parameters
    ----------
    default : int or None
        The axis by default; None is all of them.
    differing
        See `Opaque`.
    """

    def names(args: Row, outs: Row, params: Params) -> tuple[list[Row], list[Row]]:
        return meeting(args, params.get("axis", default)), meeting(
            outs, params.get("axis", default)
        )

    batching = functools.partial(over_axes, default=default)
    return Opaque(aligned, batching, **{"names": names, **differing})


# -- functions of the last axes -------------------------------------------------------------------


def rowwise(
    signature: str,
    count: Callable[..., int] | None = None,
    *,
    apart: str = "",
    **differing: Any,
) -> Opaque:
    """The structure of a function of the last axes of its arguments, with leading axes broadcast.

    Parameters
    ----------
    signature : str
        As NumPy has it: ``"(n,n),(n,k)->(n,k)"``. A name that no argument has is the least of the
        extents of the arguments.
    count : callable, optional
        ``count(**extents)`` operations for each of the leading places, from the extents by name;
        by default those of `Opaque`.
    apart : str
        Names of axes along which elements don't meet: each column of what is solved for depends on
        one of the right sides. A mapped axis of these alone becomes columns, for one matrix, which
        is factorised once.
    differing
        See `Opaque`.
    """
    given, results = (
        [tuple(filter(None, names.split(","))) for names in side[1:-1].split("),(")]
        for side in signature.split("->")
    )

    def extents(primitive: Any, args: Row) -> tuple[tuple[int, ...], dict[str, int]]:
        """The leading extents, and those with a name."""
        rows = list(map(shape_of, args))
        lead = []
        found: dict[str, int] = {}
        for names, shape in zip(given, rows, strict=True):
            first = len(shape) - len(names)
            own = [found.setdefault(*each) for each in zip(names, shape[first:], strict=False)]
            if first < 0 or own != [*shape[first:]]:
                wanted = " and ".join(f"(…, {', '.join(each)})" for each in given)
                raise ArgumentValueError(
                    f"{primitive.name}: got arguments of the shapes {listed(rows)}, wanted "
                    f"{wanted}, where extents of one name are equal"
                )
            lead.append(shape[:first])
        return common(primitive, lead), found

    def shapes(primitive: Any, *args: Any, **_: Any) -> Any:
        lead, found = extents(primitive, args)
        least = min(found.values(), default=0)
        outs = [(*lead, *(found.get(name, least) for name in names)) for names in results]
        dtype = dtypes(primitive, *args)
        return tuple(map(Abstract, outs, dtype)) if primitive.multiple else Abstract(outs[0], dtype)

    def batching(primitive: Any, size: int, mapped: Marks, values: Row, params: Params) -> Any:
        joined = _joined(given, results, mapped, apart)
        if joined is not None:
            places = [
                names.index(joined) - len(names) if joined in names else 0
                for names in (*given, results[0])
            ]
            columns = [
                _into_columns(x, axis) if one else x
                for x, one, axis in zip(values, mapped, places[:-1], strict=True)
            ]
            one = mapped.index(True)
            apiece = size, shape_of(values[one])[places[one]]
            return _out_of_columns(primitive(*columns, **params), places[-1], apiece)
        rows = list(zip(values, mapped, map(len, given), strict=True))
        lead = max(rank_of(x) - one - rank for x, one, rank in rows)
        return primitive(
            *(stretch(x, lead + rank) if one else x for x, one, rank in rows), **params
        )

    def counted(_out: Any, *args: Any, **_: Any) -> int:
        assert count is not None
        lead, found = extents(None, args)
        return math.prod(lead) * count(**found)

    def names(args: Row, outs: Row, _params: Params) -> tuple[list[Row], list[Row]]:
        def row(shape: Row, core: Row) -> Row:
            lead = len(shape) - len(core)
            return *range(-lead, 0), *(each if each in apart else None for each in core)

        sides = (args, given), (outs, results)
        called = [[row(*each) for each in zip(*side, strict=True)] for side in sides]
        return called[0], called[1]

    differing = {"names": names, "batching": batching, "count": count and counted, **differing}
    return Opaque(shapes, **differing)


def _joined(given: Row, results: Row, mapped: Marks, apart: str) -> str | None:
    """The axis whose places a mapped one can be put among: no argument has it that is not mapped.

    What is done to the arguments that are not mapped is done once then.
    """
    if all(mapped) or len(results) != 1:
        return None
    for name in apart:
        has = [name in names for names in given]
        if has == [*mapped] and name in results[0]:
            return name
    return None


def _into_columns(x: Any, axis: int) -> Any:
    """A mapped value whose mapped axis is joined with another, counted from the end."""
    moved = np.moveaxis(x, 0, axis - 1)
    shape = shape_of(moved)
    k = len(shape) + axis
    return np.reshape(moved, (*shape[: k - 1], shape[k - 1] * shape[k], *shape[k + 1 :]))


def _out_of_columns(y: Any, axis: int, apiece: tuple[int, int]) -> Any:
    """The result for such a value, with the mapped axis in front again."""
    shape = shape_of(y)
    k = len(shape) + axis
    return np.moveaxis(np.reshape(y, (*shape[:k], *apiece, *shape[k + 1 :])), k, 0)
