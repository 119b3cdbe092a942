"""``out=``: where NumPy's functions put what they return.

None of the implementations has to know of it, or to have it among its parameters. The result is
computed, and then stored in the array that was given, by which that array gets its derivative.
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


def _parameters(function: F) -> list[inspect.Parameter]:
    """The parameters of a function; none where Python cannot tell."""
    try:
        return list(inspect.signature(function).parameters.values())
    except ValueError:  # of functions in C, in older releases of NumPy
        return []


def _delivering(function: F, implementation: F) -> F:
    """An implementation that stores its result, where an array to store it in is given."""
    ours = _parameters(implementation)
    theirs = _parameters(function) or ours
    names = [each.name for each in theirs]
    if "out" not in names:
        return implementation
    place = names.index("out")
    by_name = theirs[place].kind is inspect.Parameter.KEYWORD_ONLY
    known = any(each.name == "out" for each in ours)
    where = f"{function.__module__}.{function.__name__}"

    @functools.wraps(implementation)
    def deliver_or_return(*args: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        if not by_name and len(args) > place:
            out = args[place]
            args = (*args[:place], *((None,) if known else ()), *args[place + 1 :])
        if out is None:
            return implementation(*args, **kwargs)
        if type(out) is tuple and len(out) == 1:
            (out,) = out
        value = implementation(*args, **kwargs)
        return deliver(out, value, where, kwargs.get("casting", "same_kind"))

    if not known and all(each.kind is not each.VAR_POSITIONAL for each in ours):
        whole = [*ours[:place], theirs[place], *ours[place:]]
        deliver_or_return.__signature__ = inspect.Signature(whole)  # type: ignore[attr-defined]
    return deliver_or_return


for _function, _implementation in list(array_functions.items()):
    array_functions[_function] = _delivering(_function, _implementation)
