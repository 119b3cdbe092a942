"""Where a traced value is that outlives the function, as well as the garbage collector knows."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from types import CellType, FrameType, FunctionType, GeneratorType, ModuleType
from typing import Any

from pullback.core.tracer import Tracer

__all__ = ["holder"]

DEPTH = 4
"""How many containers, one in the other, are looked through."""


def holder(payload: Any) -> str:
    """The place that holds a tracer of this payload: ``"in a list, in the global 'kept' of m"``."""
    for tracer in gc.get_referrers(payload):
        if type(tracer) is Tracer:
            place = _place(tracer, DEPTH)
            if place:
                return place
    return "somewhere"


def _place(x: Any, depth: int) -> str:
    """The most telling of the places that refer to an object."""
    places = [place for owner in _referrers(x) if (place := _within(owner, x, depth))]
    return min(places, key=lambda place: ("in the" not in place, len(place)), default="")


def _referrers(x: Any) -> Iterator[Any]:
    """What refers to an object, without what this search does itself."""
    found = gc.get_referrers(x)
    for owner in found:
        if owner is found or isinstance(owner, Iterator) and not isinstance(owner, GeneratorType):
            continue
        if isinstance(owner, FrameType) and _is_running(owner):
            continue
        yield owner


def _is_running(frame: FrameType) -> bool:
    running: FrameType | None = sys._getframe()
    while running is not None and running is not frame:
        running = running.f_back
    return running is not None


def _within(owner: Any, x: Any, depth: int) -> str:
    """The words for a place, and for what it is in."""
    if isinstance(owner, FrameType):
        return (
            f"in the variable {_key(owner.f_locals, x)!r} of {owner.f_code.co_name}, which an "
            "exception or a generator keeps"
        )
    if isinstance(owner, GeneratorType):
        return f"in the generator {owner.__name__}"
    if isinstance(owner, CellType):
        return _enclosing(owner)
    if isinstance(owner, dict):
        return _in_dict(owner, x, depth)
    if isinstance(owner, list | tuple | set | frozenset):
        return _inside(f"in a {type(owner).__name__}", owner, depth)
    if isinstance(owner, FunctionType):
        return f"in a default argument of {owner.__name__}"
    if isinstance(owner, Tracer | ModuleType):
        return ""
    name = _key(getattr(owner, "__dict__", {}), x)
    if name is not None:
        return f"in the attribute {name!r} of {_described(owner)}"
    return _inside(f"in {_described(owner)}", owner, depth)


def _in_dict(owner: dict[Any, Any], x: Any, depth: int) -> str:
    """A dict may hold global variables, attributes, or items."""
    name = _key(owner, x)
    if "__name__" in owner and "__builtins__" in owner:
        return f"in the global variable {name!r} of {owner['__name__']}"
    for whose in _referrers(owner):
        if getattr(whose, "__dict__", None) is owner or isinstance(whose, type):
            return f"in the attribute {name!r} of {_described(whose)}"
    return _inside(f"under the key {name!r} of a dict", owner, depth)


def _enclosing(cell: CellType) -> str:
    """A variable of a function, which a function inside it reads."""
    for closure in gc.get_referrers(cell):
        for function in gc.get_referrers(closure):
            if isinstance(function, FunctionType) and function.__closure__ is closure:
                names = function.__code__.co_freevars
                name = next(n for n, each in zip(names, closure, strict=True) if each is cell)
                return f"in the variable {name!r} around {function.__name__}"
    return "in an enclosing variable"


def _inside(place: str, owner: Any, depth: int) -> str:
    around = _place(owner, depth - 1) if depth > 1 else ""
    return f"{place}, {around}" if around else place


def _key(names: Any, x: Any) -> Any:
    """The key of a value, by identity."""
    for key, value in list(names.items()):
        if value is x:
            return key
    return None


def _described(x: Any) -> str:
    if isinstance(x, type):
        return f"the class {x.__name__}"
    if isinstance(x, FunctionType):
        return f"the function {x.__name__}"
    return f"a {type(x).__name__}"
