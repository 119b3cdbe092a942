"""NumPy's namespace while transformations run.

``np.zeros(3)`` has no hook by which the array that it makes could be another one. So while a
transformation runs, in any thread, the module `numpy` is of a class whose attributes are asked for
one by one: code of users in a thread in which a transformation runs gets the functions of
:mod:`pullback.numpy.served`, all other code NumPy's own. The module's dict is never changed, and
when the last transformation ends the module is what it was.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.polynomial import polyutils

from pullback.core.running import Observer, observers, suspend, thread
from pullback.numpy.bound_names import BoundNames
from pullback.numpy.callers import asks, sites
from pullback.numpy.served import Served, served_functions

__all__ = ["install", "plain_numpy"]


_caller = sys._getframe


class _Attribute:
    """An attribute of a module that is one thing to a function that is transformed, and another
    to all other code.
    """

    __slots__ = ("name", "served", "serving")

    def __init__(self, name: str, served: Served, serving: _Serving) -> None:
        self.name = name
        self.served = served
        self.serving = serving

    def __get__(self, module: ModuleType, _owner: type) -> Any:
        try:
            function = module.__dict__[self.name]
        except KeyError:
            raise AttributeError(
                f"module {module.__name__!r} has no attribute {self.name!r}"
            ) from None
        stack = thread.stack
        if stack and stack[-1] is not None:
            frame = _caller(1)
            code = frame.f_code
            site = sites.get((id(code), frame.f_lasti))
            asking = site[1] if site and site[0] is code else asks(frame, self.name)
            if asking and self.served.__wrapped__ is function:
                return self.served
        elif not stack:
            self.serving.leave_late()
        return function

    def __set__(self, module: ModuleType, value: Any) -> None:
        module.__dict__[self.name] = value

    def __delete__(self, module: ModuleType) -> None:
        del module.__dict__[self.name]


def _missing(module: ModuleType, name: str) -> Any:
    """An attribute that a module doesn't have.

    Python 3.14 reads attributes past the class of a module, straight from its dict, if neither the
    module nor its class has such a function.
    """
    raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")


class _Serving(Observer):
    """Changes the classes of NumPy's modules when the first transformation starts, and back."""

    def __init__(self, *modules: ModuleType) -> None:
        self.classes: list[tuple[ModuleType, type, type]] = []
        self.names = BoundNames()
        self._threads: dict[int, bool] = {}
        self._lock = threading.RLock()
        for module in modules:
            served = served_functions(module)
            attributes: dict[str, Any] = {
                name: _Attribute(name, each, self) for name, each in served.items()
            }
            if "__getattr__" not in vars(module):
                attributes["__getattr__"] = _missing
            own = type(module)
            self.classes.append((module, own, type(own.__name__, (own,), attributes)))
            self.names.know(served.values())

    def enter(self, function: Callable[..., Any]) -> None:
        with self._lock:
            self._threads[threading.get_ident()] = True
            for module, _, serving in self.classes:
                if module.__class__ is not serving:
                    module.__class__ = serving
            self.names.serve(function)

    def leave_late(self) -> None:
        """Do what an interrupt kept this thread from doing when its last transformation ended."""
        if threading.get_ident() in self._threads:
            self.leave()

    def leave(self) -> None:
        with self._lock:
            thread = threading.get_ident()
            if self._threads.keys() <= {thread}:
                self.names.restore()
                for module, own, _ in self.classes:
                    module.__class__ = own
            # Last, so that what an interrupt has kept from being done is done late.
            self._threads.pop(thread, None)


def install() -> None:
    """Serve NumPy's functions from now on. All that says what they are has to be loaded before.

    The modules of pullback that are loaded read NumPy's functions from a module of their own, which
    stays what it is, so that they need not be asked who they are at each of them.
    """
    observers.append(_Serving(np, np.linalg, np.fft, polyutils))
    own = ModuleType(np.__name__, np.__doc__)
    vars(own).update(vars(np))
    for name, module in list(sys.modules.items()):
        if name.startswith("pullback.") and vars(module).get("np") is np:
            vars(module)["np"] = own


class plain_numpy(suspend):  # noqa: N801
    """A context in which NumPy's functions are NumPy's own, although a transformation runs.

    Arrays made in it cannot have traced values written to them. It is for code that hands its
    arrays to functions in C that take nothing but an ndarray.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> def f(x):
    ...     with pb.plain_numpy():
    ...         table = np.zeros(3)
    ...     return x * len(bytes(table))
    >>> float(pb.grad(f)(2.0))
    24.0
    """

    __slots__ = ()
