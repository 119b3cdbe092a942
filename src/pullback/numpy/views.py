"""Arrays that share memory in NumPy, and writes that reach through them.

NumPy returns views from indexing with slices, from reshaping, transposing and the like. A traced
view remembers its base; a write to either is seen by both, as NumPy has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.tracer import Tracer, View, strip

__all__ = ["view_of"]


def view_of(
    base: Any, read: Callable[[Any], Any], write: Callable[[Any, Any], Any] | None = None
) -> Any:
    """``read(base)``, tied to `base` if NumPy lets the two share memory.

    Parameters
    ----------
    base : array or Tracer
    read : callable
        ``read(base)`` looks into the base.
    write : callable, optional
        ``write(base, value)`` is the base after `value` has been assigned to the view. Without it
        writing to the view is an error.
    """
    out = read(base)
    if isinstance(out, Tracer) and isinstance(base, Tracer) and base.mutable:
        below, underneath = strip(out), strip(base)
        if isinstance(below, np.ndarray) and np.may_share_memory(below, underneath):
            out.view = View(base, read, write)
    return out
