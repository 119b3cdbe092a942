"""The ground that all levels stand on: arrays made while a transformation runs.

An array that a user's function makes may have traced values written to it later. So it is a tracer
from the start, at level 0, which no derivative follows: its value is an ndarray of its own, which
is computed with, and written to in place, as NumPy does. When something traced is written to it,
it takes the state, and with it the level, of what came out.

Elements and other scalars are immutable; they are NumPy's own. Integers and booleans too are plain
arrays, so that they can index, but where a transformation follows them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.interpreter import Interpreter
from pullback.core.primitive import Primitive
from pullback.core.running import follows_integers, thread
from pullback.core.tracer import Tracer, ground_level

__all__ = ["GROUND", "Ground", "grounded", "look"]


class Ground(Interpreter):
    """Evaluates primitives on arrays made inside, to which nothing traced has been written."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("a transformation")
        self.level = ground_level

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        values = [x._value if type(x) is Tracer else x for x in args]
        out = primitive.value(*values, **params)
        if primitive.multiple:
            return tuple(self.constant(_apart(each, values)) for each in out)
        return self.constant(_apart(out, values))

    def constant(self, value: Any) -> Any:
        """`value`, which can be written to if it is an array and the code belongs to a function."""
        stack = thread.stack
        if type(value) is not _ARRAY or not stack or stack[-1] is None:
            return value
        dtype = value.dtype
        if dtype is not _FLOAT:
            kind = dtype.kind
            if kind not in "fc" and not (kind in "biu" and follows_integers()):
                return value
        # As Tracer(self, value, None), in half the time: it is most of what arithmetic here costs.
        made = _new(Tracer)
        made._interpreter = self
        made._value = value
        made._payload = made._alias = None
        made._version = 0
        return made


_new = object.__new__
_ARRAY, _FLOAT = np.ndarray, np.dtype(np.float64)


def _apart(out: Any, values: list[Any]) -> Any:
    """A primitive's result, in memory of its own: its arguments may be written to in place."""
    if not isinstance(out, np.ndarray):
        return out
    looks = out.base is not None and any(np.may_share_memory(out, x) for x in values)
    return out.copy(order="K") if looks or any(out is x for x in values) else out


GROUND = Ground()


def look(base: Any, read: Callable[[Any], Any]) -> Any:
    """``read(base)``, which for an array at the ground is a look into its memory."""
    return GROUND.constant(read(base._value)) if grounded(base) else read(base)


def grounded(x: Any) -> bool:
    """Whether `x` is an array made inside to which nothing traced has been written."""
    if type(x) is not Tracer:
        return False
    x._refresh()
    return x._interpreter is GROUND
