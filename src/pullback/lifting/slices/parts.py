"""Parts of arrays by subscripts that have slices of varying length, to be read and written."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.lifting.slices.aligned import laid_on
from pullback.lifting.slices.spans import Cut, cut, element, is_integer
from pullback.lifting.slices.varying import Spans, Varying, mask_of, refusal, spans_of
from pullback.numpy.windows import Part, seen_through
from pullback.rules import indexing

__all__ = ["Subscripted", "assign", "part"]


class Subscripted:
    """An array whose elements are read or written: by ``x[key]`` in a statement."""

    __slots__ = ("_array", "_read")

    def __init__(self, array: Any) -> None:
        self._array = array
        self._read: Any = None

    def __getitem__(self, key: Any) -> Any:
        array = self._array
        if type(array) is not Varying and (not _varies(key) or not _is_cut(key)):
            return array[key]
        self._read = part(array, key)
        return self._read

    def __setitem__(self, key: Any, value: Any) -> None:
        array = self._array
        varies = _varies(key) or type(value) is Varying
        if type(array) is not Varying and (not varies or not _is_cut(key)):
            array[key] = value
        elif value is not self._read or value is None:  # as in x[key] += v, which has written
            write(array, key, value)

    def __delitem__(self, key: Any) -> None:
        del self._array[key]


def _varies(key: Any) -> bool:
    for entry in key if type(key) is tuple else (key,):
        if type(entry) is Varying:
            return True
        if type(entry) is slice and Tracer in (type(entry.start), type(entry.stop)):
            return True
    return False


def _is_cut(key: Any) -> bool:
    """Whether a subscript has no arrays, beside slices of varying length."""
    entries = key if type(key) is tuple else (key,)
    return any(type(each) is Varying for each in entries) or all(
        each is None or each is Ellipsis or type(each) is slice or is_integer(each)
        for each in entries
    )


def part(x: Any, key: Any) -> Any:
    """``x[key]``, a view."""
    template, cuts = _located(x, key)
    array = x._array if type(x) is Varying else x
    view = array[template]
    for axis, each in enumerate(cuts):
        if each is not None and each.at is not None:
            key = (*[slice(None)] * axis, indexing.ARRAY)
            view = seen_through(view, Part(key, [each.places]))
    if any(each is not None and each.flipped for each in cuts):
        view = view[tuple(_flip(each) for each in cuts)]
    spans = tuple(None if each is None else each.span for each in cuts)
    return view if not any(spans) else Varying(view, spans)


def write(x: Any, key: Any, value: Any) -> None:
    """``x[key] = value``."""
    template, cuts = _located(x, key)
    if cuts:
        assign(part(x, key), value)
    elif type(value) is Varying:
        raise refusal("writing to a single element")
    else:
        (x._array if type(x) is Varying else x)[template] = value


def assign(view: Any, value: Any) -> None:
    """``view[...] = value``, which reaches what it is a view of."""
    if type(view) is not Varying:
        if type(value) is Varying:
            raise refusal("writing it to a part of fixed extent")
        view[...] = value
        return
    if dtype_of(value) != view.dtype and type(value) not in (int, float, bool):
        if dtype_of(value).kind == "c" and view.dtype.kind != "c":
            raise refusal("writing complex numbers to real ones")
        value = value.astype(view.dtype) if hasattr(value, "astype") else value
    array = view._array
    array[...] = np.where(mask_of(view._spans), laid_on(value, view), array)


def _flip(each: Cut | None) -> slice:
    return slice(None, None, -1 if each is not None and each.flipped else None)


def _located(x: Any, key: Any) -> tuple[tuple[Any, ...], list[Cut | None]]:
    """A subscript of the whole array, and what is cut from each axis that is kept."""
    spans: Spans = spans_of(x)
    extents = x._array.shape if type(x) is Varying else shape_of(x)
    template: list[Any] = []
    cuts: list[Cut | None] = []
    axis = 0
    for entry in _entries(key, len(spans)):
        if entry is None:
            template.append(None)
            cuts.append(None)
            continue
        span, extent = spans[axis], extents[axis]
        axis += 1
        if is_integer(entry):
            template.append(entry if span is None else element(entry, span))
        elif type(entry) is slice:
            made = cut(entry, extent, span)
            template.append(made.part)
            cuts.append(made)
        else:
            raise refusal("an index array")
    return tuple(template), cuts


def _entries(key: Any, rank: int) -> list[Any]:
    """The entries of a subscript, with the ellipsis written out."""
    entries = list(key) if type(key) is tuple else [key]
    missing = rank - sum(each is not None and each is not Ellipsis for each in entries)
    if missing < 0:
        raise IndexError(f"too many indices for an array of {rank} dimensions")
    places = [i for i, each in enumerate(entries) if each is Ellipsis] or [len(entries)]
    return [*entries[: places[0]], *[slice(None)] * missing, *entries[places[0] + 1 :]]
