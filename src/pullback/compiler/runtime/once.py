"""Objects that a process makes once, and has for good."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

__all__ = ["once"]

T = TypeVar("T")


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Make an object at the first call, and return that one from all calls.

    Of two threads that call first, both may make one, but one of them is kept, and both are given
    that one: so an address in it is good for as long as the process. ``functools.cache`` gives each
    thread what it has made, and keeps the later one. There is no lock, which another thread might
    hold in the moment of a fork.
    """
    made: dict[str, T] = {}

    @functools.wraps(make)
    def get() -> T:
        if not made:
            made.setdefault("it", make())
        return made["it"]

    return get
