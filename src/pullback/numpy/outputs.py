"""``out=``: where NumPy's functions put what they return.

None of the implementations has to know of it. The result is computed, and then stored in the array
that was given, by which that array gets its derivative.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from pullback.numpy.assignment import deliver
from pullback.numpy.protocol import array_functions

__all__: list[str] = []

F = Callable[..., Any]


def _delivering(function: F, implementation: F, place: int | None) -> F:
    """An implementation that stores its result, where an array to store it in is given.

    Parameters
    ----------
    function : callable
        NumPy's.
    implementation : callable
    place : int or None
        The position of `out` among its arguments; `None` if it is given by name only.
    """
    where = f"{function.__module__}.{function.__name__}"

    @functools.wraps(implementation)
    def deliver_or_return(*args: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        if place is not None and len(args) > place:
            out = args[place]
            args = (*args[:place], None, *args[place + 1 :])
        if out is None:
            return implementation(*args, **kwargs)
        if type(out) is tuple and len(out) == 1:
            (out,) = out
        value = implementation(*args, **kwargs)
        return deliver(out, value, where, kwargs.get("casting", "same_kind"))

    return deliver_or_return


def _takes_output(implementation: F) -> bool:
    """Whether `out` is among the arguments, or may be among any that are handed on."""
    parameters = inspect.signature(implementation).parameters
    return "out" in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())


def _place(implementation: F) -> int | None:
    """The position of `out` among the arguments, `None` if it is given by name only."""
    parameters = list(inspect.signature(implementation).parameters.values())
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return None
    names = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]
    return names.index("out") if "out" in names else None


for _function, _implementation in list(array_functions.items()):
    if _takes_output(_implementation):
        array_functions[_function] = _delivering(
            _function, _implementation, _place(_implementation)
        )
