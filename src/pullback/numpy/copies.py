"""A library's own code, with other things under the names that it reads.

Much of NumPy and SciPy is NumPy code that a traced value would go through, but for one thing: it
makes plain arrays, and makes plain arrays of what it is given. A copy of such a function has the
code that the running release has, with its arguments, checks and defaults. What it reads is another
dictionary of names than its module's, in which NumPy's functions are those of
:mod:`pullback.numpy.served`, which take and make traced arrays. So it gives the library's values to
the last bit, in any release, and its derivatives are those of what it is made of.

Every copy is made here. Which names are others is said by

- `with_names`, where they are a few that are known;
- :mod:`pullback.numpy.rewriting`, for NumPy's functions that call others of their module;
- :mod:`pullback.scipy.retelling`, for SciPy's, which call others of other modules; distributions
  and statistics add choices by masks to it, in :mod:`pullback.scipy.stats.copies`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

__all__ = ["Names", "Namespace", "StandIn", "copy_of", "with_names"]

StandIn = Callable[[str, Any], Any]
"""What is read under a name in place of what is there, or that itself."""


_OF_IMPORTS = ("__name__", "__package__", "__spec__", "__path__")
"""What Python looks up itself, where a function imports something relative to its module."""


class Names(dict[str, Any]):
    """The names of a module as its copied functions read them, each found when it is read first.

    Parameters
    ----------
    given : dict
        The names of the module.
    stand_in : callable
        What stands for what is under each.
    **names
        Those that are known, whatever is there.
    """

    def __init__(self, given: dict[str, Any], stand_in: StandIn, **names: Any) -> None:
        own = {name: given[name] for name in _OF_IMPORTS if name in given}
        super().__init__(own | names)
        self._given = given
        self._stand_in = stand_in

    def __missing__(self, name: str) -> Any:
        if name not in self._given:
            raise KeyError(name)
        value = self[name] = self._stand_in(name, self._given[name])
        return value


class Namespace:
    """A module as copied functions see it: its attributes are found as `Names` are."""

    def __init__(self, module: ModuleType, stand_in: StandIn, **names: Any) -> None:
        vars(self).update(names)
        self._module = module
        self._stand_in = stand_in

    def __getattr__(self, name: str) -> Any:
        value = self._stand_in(name, getattr(self._module, name))
        vars(self)[name] = value
        return value


def copy_of(
    function: FunctionType, names: dict[str, Any], closure: tuple[Any, ...] | None = None
) -> Any:
    """The function with the same code that reads these names, and another closure if it is given.

    All else that it shows of itself is the function's.
    """
    copy = FunctionType(
        function.__code__,
        names,
        function.__name__,
        function.__defaults__,
        function.__closure__ if closure is None else closure,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__dict__.update(function.__dict__)
    for name in ("__doc__", "__module__", "__qualname__"):
        setattr(copy, name, getattr(function, name))
    return copy


def with_names(function: Any, **names: Any) -> Any:
    """NumPy's own function in Python, with other things under some of the names that it reads."""
    function = getattr(function, "__wrapped__", function)
    return copy_of(function, {**function.__globals__, **names})
