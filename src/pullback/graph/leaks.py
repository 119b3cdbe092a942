"""Where a traced value is that outlives the function, as well as the garbage collector knows."""

from __future__ import annotations

import gc
import sys
from types import CellType, FrameType, FunctionType, GeneratorType, ModuleType
from typing import Any

from pullback.core.tracing import Tracer
from pullback.core.trees import TreeSpec

__all__ = ["holder"]

DEPTH = 4
"""How many containers, one in the other, are looked through."""


def holder(payload: Any) -> tuple[Any, str]:
    """The value of a tracer of this payload, and the place that holds it.

    That is ``"in a list, in the variable 'kept' …"``.
    """
    search = Search()
    value = None
    for tracer in search.referrers(payload):
        if type(tracer) is Tracer:
            value = tracer._value
            place = search.place_of(tracer, DEPTH)
            if place:
                return value, place
    return value, "somewhere"


class Search:
    """Follows references backwards, but for those that it makes itself.

    A comprehension or a generator here would be one of those: it makes a cell of what it reads.
    """

    def __init__(self) -> None:
        self.found: list[list[Any]] = []

    def referrers(self, x: Any) -> list[Any]:
        """What refers to an object."""
        owners = gc.get_referrers(x)
        kept: list[Any] = []
        self.found += (owners, kept)
        for owner in owners:
            if not _contains(self.found, owner) and not _is_running(owner):
                kept.append(owner)
        return kept

    def place_of(self, x: Any, depth: int) -> str:
        """The most telling of the places where an object is."""
        best = ""
        for owner in self.referrers(x):
            place = self.place_in(owner, x, depth)
            if place and (not best or _rank(place) < _rank(best)):
                best = place
        return best

    def place_in(self, owner: Any, x: Any, depth: int) -> str:
        """The words for a place, and for what that is in."""
        if isinstance(owner, Tracer | ModuleType) or owner is self.__dict__:
            return ""
        if isinstance(owner, FrameType):
            function = owner.f_code.co_name
            name = _key(owner.f_locals, x)
            return f"in the variable {name!r} of {function}, kept by an exception or a generator"
        if isinstance(owner, GeneratorType):
            return f"in a variable of the generator {owner.__name__}"
        if isinstance(owner, FunctionType):
            return f"in a default argument of {owner.__name__}"
        if isinstance(owner, CellType):
            return self.variable(owner)
        if isinstance(owner, dict):
            return self.place_in_dict(owner, x, depth)
        name = _key(getattr(owner, "__dict__", {}), x)
        if name is not None:
            return f"in the attribute {name!r} of {_described(owner)}"
        return self.inside(f"in {_described(owner)}", owner, depth)

    def place_in_dict(self, owner: dict[Any, Any], x: Any, depth: int) -> str:
        """A dict may hold global variables, attributes, or items."""
        name = _key(owner, x)
        if "__name__" in owner and "__builtins__" in owner:
            return f"in the global variable {name!r} of {owner['__name__']}"
        for whose in self.referrers(owner):
            if getattr(whose, "__dict__", None) is owner or isinstance(whose, type):
                return f"in the attribute {name!r} of {_described(whose)}"
        return self.inside(f"under the key {name!r} of a dict", owner, depth)

    def inside(self, place: str, owner: Any, depth: int) -> str:
        """A place in a container, and the place of the container."""
        around = self.place_of(owner, depth - 1) if depth > 1 else ""
        return f"{place}, {around}" if around else place

    def variable(self, cell: CellType) -> str:
        """A variable of a function that a function inside it reads."""
        for closure in self.referrers(cell):
            for function in self.referrers(closure):
                if isinstance(function, FunctionType) and function.__closure__ is closure:
                    names = function.__code__.co_freevars
                    name = _key(dict(zip(names, closure or (), strict=True)), cell)
                    return f"in the variable {name!r} around {function.__name__}"
        return "in an enclosing variable"


def _is_running(x: Any) -> bool:
    """Whether an object is the frame of a function that has not ended."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame is not x:
        frame = frame.f_back
    return frame is not None


def _contains(objects: list[Any], x: Any) -> bool:
    """Whether an object is one of several, by identity.

    It is no generator expression, whose frame would refer to the object that is being looked for.
    """
    for each in objects:  # noqa: SIM110
        if each is x:
            return True
    return False


def _rank(place: str) -> tuple[bool, int]:
    """A place with a name tells more, and so does a shorter way to it."""
    return "'" not in place, place.count(", ")


def _key(names: Any, x: Any) -> Any:
    """The key of a value, by identity."""
    for key, value in names.items():
        if value is x:
            return key
    return None


def _described(x: Any) -> str:
    if isinstance(x, type):
        return f"the class {x.__name__}"
    if isinstance(x, FunctionType):
        return f"the function {x.__name__}"
    if isinstance(x, TreeSpec):
        return "a static field of a dataclass"
    return f"a {type(x).__name__}"
