"""What a transform returns: a function that other processes can be sent."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from types import MethodType
from typing import Any

__all__ = ["Transformed", "transformed"]

NAMES = ("__name__", "__qualname__", "__module__")
"""What a transform takes from the function it is given, so that errors and logs call it so."""


class Transformed:
    """The function that a transform made of another, ``transform(f, *options, **keywords)``.

    It is called, bound as a method, copied and referred to as a Python function is. It is pickled
    as the transform and what that was given, by `pickle` and by cloudpickle, wherever `f` can be;
    if it is what its module holds under its name, as after ``@grad``, it is pickled by that name.

    A call evaluates `function`. The transform has a name in its module, and was given `arguments`
    by position, `f` first. The attributes `names` are those of `f`, where `f` has them;
    `__wrapped__` is `f`, whose signature `inspect.signature` shows. A Jacobian has `plan` besides,
    which tells how it is computed.
    """

    plan: Callable[..., str]

    def __init__(
        self,
        function: Callable[..., Any],
        transform: Callable[..., Any],
        arguments: tuple[Any, ...],
        keywords: dict[str, Any],
        names: Sequence[str],
    ) -> None:
        self._function = function
        self._transform = transform
        self._arguments = arguments
        self._keywords = keywords
        self.__doc__ = None
        self.__name__: str = function.__name__
        self.__qualname__: str = function.__qualname__
        self.__module__ = function.__module__
        self.__wrapped__: Callable[..., Any] = arguments[0]
        functools.update_wrapper(self, arguments[0], names, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __set_name__(self, owner: type, name: str) -> None:
        """Be called as the class calls it: a bound method is pickled by its name."""
        self.__name__ = name
        self.__qualname__ = f"{owner.__qualname__}.{name}"
        self.__module__ = owner.__module__
        self.__dict__.pop("_carriers", None)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<{self._transform.__name__} of {self._arguments[0]!r}>"

    def of(self, f: Callable[..., Any]) -> Transformed:
        """What the same transform makes of another function."""
        made: Transformed = self._transform(f, *self._arguments[1:], **self._keywords)
        return made

    def __copy__(self) -> Transformed:
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Transformed:
        return self

    def __reduce_ex__(self, protocol: Any) -> str | tuple[Any, ...]:
        if _found(self.__module__, self.__qualname__) is self:
            if protocol < 4:  # which spells a dotted name as an attribute of the pickled object
                return str(self.__qualname__)
            names = {name: getattr(self, name) for name in NAMES}
            # In two steps, since the function may refer to this object, by its name.
            return _placed, (self._place,), (self._remake, names)
        transform = self._transform
        if self._keywords:
            transform = functools.partial(transform, **self._keywords)
        return transform, self._arguments

    def __setstate__(self, state: tuple[Callable[[], Transformed], dict[str, str]]) -> None:
        if "_function" not in self.__dict__:
            remake, names = state
            self.__dict__.update(remake().__dict__)
            self.__dict__.update(names)

    # An object that its module holds under its name must be pickled without `f`, which has lost
    # that name to it, if by name; but with `f` where cloudpickle sends what a module holds by
    # value, as it does for a notebook. Functions are what `pickle` takes by name, and cloudpickle
    # by name or by value. So two functions carry it, which are known as attributes of this object.

    @property
    def _place(self) -> Callable[[], None]:
        """A function by which this object is found, where it is there already."""
        return self._made_carriers()[0]

    @property
    def _remake(self) -> Callable[[], Transformed]:
        """A function that makes this object again."""
        return self._made_carriers()[1]

    def _made_carriers(self) -> tuple[Callable[[], None], Callable[[], Transformed]]:
        transform, arguments, keywords = self._transform, self._arguments, self._keywords

        def place() -> None:
            pass

        def remake() -> Any:
            return transform(*arguments, **keywords)

        for carrier in (place, remake):
            carrier.__module__ = self.__module__
            carrier.__qualname__ = f"{self.__qualname__}._{carrier.__name__}"
        # Two threads that come here at once get the same.
        return self.__dict__.setdefault("_carriers", (place, remake))  # type: ignore[no-any-return]


def transformed(
    transform: Callable[..., Any],
    f: Callable[..., Any],
    *options: Any,
    names: Sequence[str] = NAMES,
    **keywords: Any,
) -> Callable[[Callable[..., Any]], Transformed]:
    """Make the decorated function what ``transform(f, *options, **keywords)`` returns.

    It has the attributes `names` from `f`, where `f` has them.
    """

    def make(function: Callable[..., Any]) -> Transformed:
        return Transformed(function, transform, (f, *options), keywords, names)

    return make


def _found(module: str, name: str) -> Any:
    """What a module holds under a qualified name, or `None`."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _placed(place: Callable[[], None]) -> Any:
    """The object that `place` belongs to, if that came by its name; otherwise a blank one."""
    owner = _found(place.__module__, place.__qualname__.rpartition(".")[0])
    return owner if getattr(owner, "_place", None) is place else Transformed.__new__(Transformed)
