"""How arrays lie in memory, which decides what NumPy makes a view and what a copy."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.strides import Lying
from pullback.core.tracer import strip

__all__ = ["in_memory", "rely"]


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
