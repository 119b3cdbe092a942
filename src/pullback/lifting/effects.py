"""What statements do beside binding names: refused where it would happen once in place of often.

Each of these is called before the effect happens. Outside of blocks that are recorded for several
iterations, or for one of two choices, they do nothing.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import numpy as np

from pullback.core.running import thread
from pullback.core.tracing import Tracer, known
from pullback.graph.staging import Staging
from pullback.lifting.conversion import converted, reasons
from pullback.lifting.purity import Watched, called, is_pure
from pullback.lifting.reasons import Replan, UnliftableError
from pullback.lifting.slices.parts import Subscripted
from pullback.lifting.slices.varying import Varying

__all__ = ["Effects", "in_block", "records", "undecided"]

_PYTHON_INTEGERS = (int, bool)


def records() -> bool:
    """Whether what runs in this thread is recorded."""
    return any(isinstance(each, Staging) for each in thread.stack)


def in_block() -> bool:
    """Whether a block is recorded that will run more often than once, or not at all."""
    stack = thread.stack
    return bool(stack) and stack[-1] is not None and stack[-1].recorder is not None


def undecided(x: Any) -> bool:
    """Whether `x` is a scalar that is only known once the function runs."""
    return type(x) is Tracer and not x.shape and not known(x)


class Effects:
    """The part of the dispatcher that looks at calls, reads and writes."""

    def call(self, function: Any) -> Any:
        """What is called in place of `function`, if it may be called in a block."""
        made = converted(function, self)
        if made is not function or not in_block():
            return made
        if is_pure(function):
            return Watched(function, self.call)
        code = getattr(function, "__code__", None)
        why = reasons.get(code) if code is not None else None
        if why is not None:
            raise UnliftableError(f"it calls {called(function)}, which can't be looked into: {why}")
        raise UnliftableError(
            f"it calls {called(function)}, which may have an effect each time; "
            "move it out of the loop"
        )

    def read(self, x: Any) -> Any:
        """An array whose elements are read: of a plain one, what can be at a traced place."""
        if not in_block():
            return x
        if type(x) is np.ndarray and x.dtype.kind in "biufc":
            level = next(each for each in reversed(thread.stack) if isinstance(each, Staging))
            return Subscripted(Tracer(level, x, None))
        return Subscripted(x) if type(x) in (Tracer, Varying) else x

    def written(self, x: Any) -> Any:
        """What an element is assigned to."""
        if not in_block():
            return x
        if type(x) not in (Tracer, Varying):
            raise UnliftableError(
                f"it writes to a {type(x).__name__} from outside; write to an array that the "
                "function makes"
            )
        return Subscripted(x)

    def changed(self, x: Any) -> Any:
        """What an attribute is assigned to."""
        if in_block() and type(x) is not Tracer:
            raise UnliftableError(
                f"it changes an attribute of a {type(x).__name__}; bind a name instead"
            )
        return x

    def augmented(self, x: Any) -> None:
        """What a name stands for before ``x += y``."""
        if in_block() and not (type(x) in (Tracer, Varying) or _is_immutable(x)):
            raise UnliftableError(
                f"it changes a {type(x).__name__} in place; write to an array that the function "
                "makes"
            )

    def refused(self, what: str) -> None:
        """A statement that blocks may not have."""
        if in_block():
            raise UnliftableError(what)

    def caught(self) -> None:
        """An exception is about to be handled; those of this folder are nobody's to handle."""
        error = sys.exc_info()[1]
        if isinstance(error, Replan | UnliftableError):
            raise error

    def entered(self, x: Any) -> Any:
        """What a ``with`` statement enters."""
        if in_block() and not isinstance(x, np.errstate | contextlib.nullcontext):
            raise UnliftableError(f"it enters a {type(x).__name__} each time")
        return x

    def iterated(self, x: Any) -> Any:
        """What a comprehension goes over."""
        if in_block() and hasattr(type(x), "__next__") and type(x) not in _OVER:
            raise UnliftableError(f"it goes over a {type(x).__name__}, which it uses up")
        return x

    def formatted(self, x: Any) -> Any:
        """What is put into a string."""
        if type(x) is Tracer and in_block():
            raise UnliftableError("it makes a string of a value that differs from time to time")
        return x

    def power(self, x: Any, y: Any) -> Any:
        """``x ** y``, where Python has a float for two integers if the second is negative."""
        if type(y) is Tracer and in_block() and not y.shape and y.dtype.kind in "iu":
            if type(x) in _PYTHON_INTEGERS and x in (1, -1):
                return np.where(np.equal(np.mod(y, 2), 0), 1, x)
            if type(x) in _PYTHON_INTEGERS:
                raise UnliftableError(
                    f"it raises the integer {x} to a power that may be negative; write {x}.0"
                )
        return x**y


_OVER = (zip, enumerate, map, filter, reversed)


def _is_immutable(x: Any) -> bool:
    return isinstance(x, int | float | complex | str | bytes | tuple | np.generic | type(None))
