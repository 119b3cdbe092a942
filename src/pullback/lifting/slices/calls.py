"""Calls that have slices of varying length among their arguments: of functions that know them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer
from pullback.lifting.slices import elementwise, products, reductions
from pullback.lifting.slices.creation import creations, has_open_extent
from pullback.lifting.slices.varying import Varying, operations, refusal

__all__ = ["known_call"]

_FAMILIES = elementwise, products, reductions


def _has_varying(x: Any) -> bool:
    if type(x) is Varying:
        return True
    if type(x) in (tuple, list):
        return any(map(_has_varying, x))
    return type(x) is dict and any(map(_has_varying, x.values()))


def known_call(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Callable[[], Any] | None:
    """What a call does of a slice of varying length, or that makes one; `None` for others.

    A function that doesn't know such slices is refused.
    """
    name = getattr(function, "__name__", "")
    if has_open_extent(args[:2]) and _is_hashable(function) and function in creations:
        make = creations[function]
        return lambda: make(function, *args, **kwargs)
    if not _has_varying(args) and not _has_varying(kwargs):
        return None
    owner = getattr(function, "__self__", None)
    if type(owner) is Varying:
        return None
    if type(owner) in (Tracer, np.ndarray):
        if name != "dot":
            raise refusal(f"the method {name}, which is given one,")
        return lambda: operations[np.dot](owner, *args, **kwargs)
    if function in _PLAIN:
        return None
    operation = operations.get(function) if _is_hashable(function) else None
    if operation is None:
        raise refusal(f"a call of {name}")
    return lambda: operation(*args, **kwargs)


_PLAIN = frozenset({isinstance, type, tuple, list, id})


def _is_hashable(x: Any) -> bool:
    try:
        hash(x)
    except TypeError:
        return False
    return True
