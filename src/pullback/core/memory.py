"""How arrays lie in memory: what NumPy makes a view and what a copy, and who may write there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.strides import Lying, copied
from pullback.core.tracing import Tracer, is_plain, strip

__all__ = [
    "Snapshots",
    "apart",
    "in_memory",
    "is_read_only",
    "is_unchanged",
    "once_each",
    "rely",
    "repeated",
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
    if type(array) is np.ndarray and array.shape == x.shape:
        return array
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
    once = once_each(one, other)
    one, other = one[once], other[once]
    bits = f"u{one.itemsize}"
    if bits in ("u1", "u2", "u4", "u8"):
        return bool(np.array_equal(one.view(bits), other.view(bits)))
    return bool(one.tobytes() == other.tobytes())


def once_each(*arrays: Any) -> tuple[Any, ...]:
    """An index that takes what arrays of one shape all repeat once, along each axis."""
    strides = zip(*(array.strides for array in arrays), strict=True)
    return (*(slice(None) if any(each) else slice(1) for each in strides), ...)


def snapshot(x: Any) -> Any:
    """`x` as it is now, safe from later writes: what a rule may keep of a constant.

    Read-only arrays are kept as they are; make large constants read-only to save the copy.
    """
    if type(x) is Tracer:
        return x._snapshot()
    if is_plain(x) and not is_read_only(x):
        return copied(x)  # the layout decides what NumPy makes a view
    return x


class Snapshots:
    """What one recording keeps of constants: a copy of each, until somebody writes to it.

    A loop reads a matrix again and again. To look whether a copy is still right takes a fraction of
    the time and none of the memory that another copy takes.
    """

    __slots__ = ("_copies",)

    def __init__(self) -> None:
        self._copies: WeakValueDictionary[Any, Any] | None = None  # made when one is needed

    def of(self, x: Any) -> Any:
        """`snapshot` of `x`, which for a large array may be one that has been taken before."""
        if type(x) is not np.ndarray or x.nbytes < _LARGE or is_read_only(x):
            return snapshot(x)
        if self._copies is None:
            self._copies = WeakValueDictionary()
        key = (x.__array_interface__["data"], x.shape, x.strides, x.dtype)
        copy = self._copies.get(key)
        if copy is None or not is_unchanged(copy, x):
            copy = self._copies[key] = copied(x)
            copy.flags.writeable = False
        return copy


_LARGE = 1 << 17
"""How many bytes take longer to copy than it takes to look for a copy."""


def is_unchanged(copy: Any, array: Any) -> bool:
    """Whether an array has the same bits as a copy that was made of it."""
    bits = next(f"u{size}" for size in (8, 4, 2, 1) if array.itemsize % size == 0)
    if copy.strides == array.strides and array.flags.forc:
        one, other = (x.ravel("K").view(bits) for x in (copy, array))
        pieces = (slice(start, start + _PIECE) for start in range(0, one.size, _PIECE))
        return all((one[piece] == other[piece]).all() for piece in pieces)
    if f"u{array.itemsize}" == bits:
        return np.array_equal(copy.view(bits), array.view(bits))
    return bool(copy.tobytes() == array.tobytes())


_PIECE = 1 << 15
"""Elements that are compared at a time, for which what that makes fits into the cache."""


def is_read_only(array: Any) -> bool:
    """Whether nobody can write to an array: a view is as writable as what it looks into."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None


def apart(outs: Sequence[Any], args: Sequence[Any]) -> tuple[Any, ...]:
    """Results in memory of their own: they may be kept while somebody writes to the arguments."""
    owners = {id(_owner(x)) for x in args if isinstance(x, np.ndarray)}
    return tuple(
        out.copy(order="K") if isinstance(out, np.ndarray) and id(_owner(out)) in owners else out
        for out in outs
    )


def _owner(array: Any) -> Any:
    """What owns the memory that an array looks into: itself, another array or a buffer."""
    while (base := getattr(array, "base", None)) is not None:
        array = base
    return array


def with_snapshots(values: Sequence[Any], wanted: Sequence[bool]) -> list[Any]:
    """The arguments of a primitive, as its linear maps may keep them.

    Those that are differentiated are safe already, being values of a recorded program.
    """
    return [x if wants else snapshot(x) for x, wants in zip(values, wanted, strict=True)]


BLOCK = 1 << 16
"""How many elements are compared at a time."""


def repeated(array: np.ndarray[Any, Any]) -> Any:
    """The number that an array is filled with, a NumPy scalar; `None` if there are several.

    An empty array may be filled with anything. Scalars are in the machine's byte order, so that a
    number can't stand for an array that is not.
    """
    if not array.dtype.isnative:
        return None
    if not array.size:
        return array.dtype.type(0)
    first = array[(0,) * array.ndim]
    if not any(array.strides) or array.size == 1:
        return first
    array = array[once_each(array)]
    last = array[(-1,) * array.ndim]
    if first.tobytes() != last.tobytes():
        return None
    bits = np.frombuffer(first.tobytes(), np.uint8)
    flat = array.ravel(order="K")
    for start in range(0, flat.size, BLOCK):
        block = flat[start : start + BLOCK].reshape(-1, 1)
        if not (block.view(np.uint8) == bits).all():
            return None
    return first
