"""How arrays lie in memory: what NumPy makes a view and what a copy, and who may write there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.strides import Lying, copied
from pullback.core.tracing import Tracer, is_plain, strip

__all__ = [
    "in_memory",
    "is_read_only",
    "rely",
    "same_elements",
    "snapshot",
    "with_snapshots",
]


def in_memory(x: Any) -> Any:
    """What lies in memory as NumPy would have `x`: an array or scalar of its shape and dtype.

    It is what is underneath all levels of tracing; of a batch, one example of it, whose elements
    mean nothing. Of an array of which only shape and dtype are known it is a `Lying`, which has no
    elements, and `None` if it is not known how that lies in memory.
    """
    if type(x) is np.ndarray:
        return x
    array = strip(x)
    if isinstance(array, Abstract):
        array = array.memory
        if array is None:
            return None
    shape = shape_of(x)
    lead = len(shape_of(array)) - len(shape)
    if not lead:
        return array
    if 0 in array.shape[:lead]:
        return Lying(shape, dtype_of(x))
    return array[(0,) * lead + (Ellipsis,)]


def rely(x: Any) -> None:
    """Note that what is computed depends on how `x` lies in memory.

    A graph that is being recorded is right then only for arguments that lie as those do.
    """
    array = strip(x)
    if isinstance(array, Abstract):
        array.rely()


def same_elements(one: Any, other: Any) -> bool:
    """Whether arrays of the same shape and dtype have the same elements, to the last bit."""
    if not one.size:
        return True
    pairs = zip(one.strides, other.strides, strict=True)
    once = (*(slice(None) if a or b else slice(1) for a, b in pairs), ...)
    one, other = one[once], other[once]  # what is repeated is looked at once
    bits = f"u{one.itemsize}"
    if bits in ("u1", "u2", "u4", "u8"):
        return bool(np.array_equal(one.view(bits), other.view(bits)))
    return bool(one.tobytes() == other.tobytes())


def snapshot(x: Any) -> Any:
    """`x` as it is now, safe from later writes: what a rule may keep of a constant.

    Read-only arrays are kept as they are; make large constants read-only to save the copy.
    """
    if type(x) is Tracer:
        return x._snapshot()
    if is_plain(x) and not is_read_only(x):
        return copied(x)  # the layout decides what NumPy makes a view
    return x


def is_read_only(array: Any) -> bool:
    """Whether nobody can write to an array: a view is as writable as what it looks into."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None


def with_snapshots(values: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
    """The arguments of a primitive, as its linear maps may keep them.

    Those that are differentiated are safe already, being values of a recorded program.
    """
    return [x if wants else snapshot(x) for x, wants in zip(values, wanted, strict=True)]
