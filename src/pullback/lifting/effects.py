"""What statements do beside binding names: refused where it would happen once in place of often.

Each of these is called before the effect happens. Outside of blocks that are recorded for several
iterations, or for one of two choices, they do nothing.
"""

from __future__ import annotations

import contextlib
import operator
import sys
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from pullback.core.running import thread
from pullback.core.tracing import Tracer, is_number, known
from pullback.graph.staging import Staging
from pullback.lifting.conversion import converted, reasons
from pullback.lifting.purity import Watched, called, is_pure
from pullback.lifting.reasons import Replan, UnliftableError
from pullback.lifting.recording import current
from pullback.lifting.slices.parts import Subscripted
from pullback.lifting.slices.spans import is_integer
from pullback.lifting.slices.varying import Varying
from pullback.numpy.callers import is_pullbacks_file
from pullback.numpy.scalars import as_number

__all__ = ["Effects", "decided", "in_block", "records", "undecided"]

_PYTHON_INTEGERS = (int, bool)
_CODE = (FunctionType, MethodType)
_BUILTIN = type(max)


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


def decided(test: Any) -> Any:
    """A condition; a truth value, if it is the same for all that the indices of loops can be."""
    if not undecided(test):
        return test
    found = current().intervals.truth(test)
    return test if found is None else found


class Effects:
    """The part of the dispatcher that looks at calls, reads and writes."""

    def call(self, function: Any) -> Any:
        """What is called in place of `function`, if it may be called in a block."""
        chosen = _CHOICES.get(function) if type(function) is _BUILTIN else None
        if chosen is not None and records():
            return chosen
        made = converted(function, self)
        if made is not function:
            return made
        if not in_block():
            return self._handing_on(function) if _takes_functions(function) else function
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

    def _handing_on(self, function: Any) -> Any:
        """A transform or a loop, whose functions are recorded as those are that are called."""

        def called(*args: Any, **kwargs: Any) -> Any:
            args = tuple(converted(x, self) if type(x) in _CODE else x for x in args)
            kwargs = {
                key: converted(x, self) if type(x) in _CODE else x for key, x in kwargs.items()
            }
            return function(*args, **kwargs)

        return called if records() else function

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


def _extremum(
    function: Callable[..., Any],
    exceeds: Callable[[Any, Any], Any],
    pairwise: Callable[[Any, Any], Any],
) -> Callable[..., Any]:
    """`max` or `min`, of scalars the first one that none exceeds, also where they are traced."""

    def of(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) < 2 or not any(map(undecided, args)) or any(map(np.ndim, args)):
            return function(*args, **kwargs)
        found = args[0]
        for x in args[1:]:
            test = decided(exceeds(x, found))
            if not undecided(test):
                found = x if test else found
            elif is_integer(x) and is_integer(found):
                numbers = is_number(x) and is_number(found)
                found = pairwise(found, x)  # of which it is known between which bounds it lies
                found = as_number(found) if numbers else found
            else:
                found = np.where(test, x, found)[()]
        return found

    return of


_CHOICES = {
    max: _extremum(max, operator.gt, np.maximum),
    min: _extremum(min, operator.lt, np.minimum),
}
"""Functions of Python that choose by value."""


def _takes_functions(function: Any) -> bool:
    """Whether it is a function of pullback's: a transform, a loop, a choice."""
    return type(function) is FunctionType and is_pullbacks_file(function.__code__.co_filename)


_OVER = (zip, enumerate, map, filter, reversed)


def _is_immutable(x: Any) -> bool:
    return isinstance(x, int | float | complex | str | bytes | tuple | np.generic | type(None))
