"""An array of which the extent is not known: one of maximal extent, of which a part counts."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any, NoReturn

import numpy as np

from pullback.core.running import GROUND
from pullback.core.shapes import dtype_of
from pullback.core.tracing import Tracer
from pullback.lifting.reasons import UnliftableError
from pullback.lifting.slices.spans import Span

__all__ = ["Spans", "Varying", "mask_of", "method", "operations", "spans_of"]

Spans = tuple[Span | None, ...]
"""For each axis the places that count; `None` if all do."""

operations: dict[Any, Callable[..., Any]] = {}
"""What NumPy's functions do with such arrays; what isn't here is refused."""

methods: dict[str, Callable[..., Any]] = {}
"""The methods of such arrays, and the functions that they stand for."""


class Varying:
    """Stands in for a slice of an array, or what is computed from it.

    Parameters
    ----------
    array : Tracer
        Its elements beyond those that count mean nothing, and may be infinite or NaN. It is a view
        where NumPy makes one, so that writes reach the array that the slice is of.
    spans : tuple of Span or None
    """

    __slots__ = ("_array", "_spans")
    __array_ufunc__ = None  # operators of arrays leave it to those of this class
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, array: Any, spans: Spans) -> None:
        array = array if type(array) is Tracer else GROUND.constant(array)
        object.__setattr__(self, "_array", array)
        object.__setattr__(self, "_spans", spans)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return np.ndarray

    @property
    def dtype(self) -> np.dtype[Any]:
        return dtype_of(self._array)

    @property
    def ndim(self) -> int:
        return len(self._spans)

    @property
    def shape(self) -> tuple[Any, ...]:
        return tuple(
            extent if span is None else span.length
            for extent, span in zip(self._array.shape, self._spans, strict=True)
        )

    @property
    def size(self) -> Any:
        size = 1
        for extent in self.shape:
            size = extent * size
        return size

    @property
    def length(self) -> Any:
        """What `len` gives."""
        return self.shape[0]

    def filled(self, value: Any) -> Any:
        """The whole array, with `value` in place of what doesn't count."""
        mask = mask_of(self._spans)
        return np.where(mask, self._array, np.asarray(value, self.dtype))

    def __getattr__(self, name: str) -> Any:
        if name in methods:
            return MethodType(methods[name], self)
        if name.startswith("__"):
            raise AttributeError(name)
        raise refusal(f"the attribute {name}")

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise refusal(f"setting its {name}")

    def _refuses(self, *_: Any, **__: Any) -> NoReturn:
        raise refusal("a whole array in its place")

    __array__ = __array_function__ = __iter__ = __len__ = __bool__ = __contains__ = _refuses
    __index__ = __int__ = __float__ = __complex__ = __format__ = __reduce_ex__ = _refuses

    def __repr__(self) -> str:
        return f"Varying({self._array!r}, {self._spans!r})"


def refusal(what: str) -> UnliftableError:
    """What says that something can't be done."""
    return UnliftableError(f"{what} is not kept for a slice whose length varies")


def method(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a method of such arrays."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        methods[name] = function
        return function

    return enter


def spans_of(x: Any) -> Spans:
    """The spans of an operand."""
    return x._spans if type(x) is Varying else (None,) * np.ndim(x)


def mask_of(spans: Spans) -> Any:
    """The elements that count, as booleans of a shape that broadcasts."""
    made: Any = None
    for axis, span in enumerate(spans):
        if span is not None and not span.is_whole:
            mask = span.mask[(slice(None), *[None] * (len(spans) - axis - 1))]
            made = mask if made is None else np.logical_and(made, mask)
    return True if made is None else made
