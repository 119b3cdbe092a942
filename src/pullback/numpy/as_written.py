"""NumPy's functions that follow traced values as NumPy has written them, in Python.

They are made of others that do, once they stop making plain arrays of their arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.tracing import Tracer
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.operands import operand
from pullback.numpy.registration import implements, with_names
from pullback.numpy.shaping import atleast_1d, atleast_2d
from pullback.numpy.views import array_of

__all__: list[str] = []

_WRITTEN_IN_PYTHON = (
    np.append, np.apply_over_axes, np.argwhere, np.diag_indices_from, np.dstack, np.flatnonzero,
    np.flip, np.hstack, np.iscomplexobj, np.isrealobj, np.polyadd, np.polysub, np.resize,
    np.rollaxis, np.trapezoid, np.tril, np.tril_indices_from, np.triu, np.triu_indices_from,
    np.vstack, np.linalg.diagonal, np.linalg.matrix_norm, np.linalg.multi_dot, np.linalg.tensordot,
    np.linalg.trace,
)  # fmt: skip


def _array(x: Any) -> Any:
    """What such a function makes of an argument where NumPy makes an array."""
    x = operand(x)
    return array_of(x) if type(x) is Tracer else np.asarray(x)


_ARRAYS = {
    "asarray": _array,
    "asanyarray": _array,
    "atleast_1d": atleast_1d,
    "atleast_2d": atleast_2d,
}
# It is written so itself, and others are by it.
_ARRAYS["atleast_3d"] = implements(np.atleast_3d)(with_names(np.atleast_3d, **_ARRAYS))

for _function in _WRITTEN_IN_PYTHON:
    implements(_function)(with_names(_function, **_ARRAYS))


decide(np, "argwhere flatnonzero", Kind.CONSTANT, "positions, which jump")
decide(
    np, "diag_indices_from tril_indices_from triu_indices_from iscomplexobj isrealobj",
    Kind.CONSTANT, "says something of an array but for its elements",
)  # fmt: skip
