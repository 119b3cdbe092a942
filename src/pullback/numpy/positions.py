"""NumPy's functions of positions, which are constant: flat ones, and one for each axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.operands import operand
from pullback.numpy.protocol import are_constant, on_constants
from pullback.numpy.registration import implements
from pullback.numpy.rewriting import rewritten

__all__: list[str] = []

implements(np.ix_)(rewritten(np.ix_))


@implements(np.unravel_index)
def unravel_index(indices: Any, shape: Any, order: str = "C") -> tuple[Any, ...]:
    """Of mapped and unknown positions it is not asked whether they are inside."""
    if are_constant(indices):
        return on_constants(np.unravel_index, (indices, shape, order), {})  # type: ignore[no-any-return]
    place = _integers("numpy.unravel_index", operand(indices))
    extents = (shape,) if isinstance(shape, int) else tuple(shape)
    out = []
    for extent in extents if _order("numpy.unravel_index", order) == "F" else extents[::-1]:
        out.append((place % extent).astype(np.intp))
        place = place // extent
    return tuple(out if order == "F" else out[::-1])


@implements(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Any:
    """Of mapped and unknown positions it is not asked whether they are inside."""
    if are_constant(multi_index):
        return on_constants(np.ravel_multi_index, (multi_index, dims, mode, order), {})
    places = [_integers("numpy.ravel_multi_index", operand(each)) for each in multi_index]
    extents = (dims,) if isinstance(dims, int) else tuple(dims)
    modes = (mode,) * len(extents) if isinstance(mode, str) else mode
    if _order("numpy.ravel_multi_index", order) == "F":
        steps = [math.prod(extents[:axis]) for axis in range(len(extents))]
    else:
        steps = [math.prod(extents[axis + 1 :]) for axis in range(len(extents))]
    total: Any = 0
    for place, extent, step, how in zip(places, extents, steps, modes, strict=True):
        if how == "wrap":
            place = place % extent
        elif how == "clip":
            place = np.clip(place, 0, extent - 1)
        total = total + step * place
    return total.astype(np.intp)


def _integers(name: str, x: Any) -> Any:
    if dtype_of(x).kind not in "iu":
        raise ArgumentTypeError(
            f"{name}: got a traced array of dtype {dtype_of(x)} and shape {shape_of(x)}, wanted "
            "positions, which are integers and have no derivative"
        )
    return x if isinstance(x, Tracer) else np.asarray(x)


def _order(name: str, order: str) -> str:
    if order not in ("C", "F"):
        raise ArgumentValueError(f"{name}: got order={order!r}; give 'C' or 'F'")
    return order


decide(np, "unravel_index ravel_multi_index", Kind.CONSTANT, "positions, which are integers")
decide(np, "packbits unpackbits", Kind.CONSTANT, "it takes whole numbers for their bits")
