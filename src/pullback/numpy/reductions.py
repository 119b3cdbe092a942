"""NumPy's reductions."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.numpy.registration import implements
from pullback.rules import reductions

__all__ = ["sum"]


@implements(np.sum)
def sum(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return reductions.sum(a, axis=axis, keepdims=keepdims)
