"""Which transformations run in this thread, and calls of users' functions under them.

A user's function always runs by :func:`run`, which is where a transformation begins and ends for
the world outside it. What follows its beginnings and ends is told by `observers`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pullback.core.interpreter import Interpreter

__all__ = [
    "Observer",
    "follows_integers",
    "innermost",
    "observers",
    "run",
    "runs",
    "suspend",
    "untraced",
]


class Observer(Protocol):
    """What is told when users' functions start to run under a transformation, and when they end."""

    def enter(self, function: Callable[..., Any]) -> None:
        """`function` is about to run under a transformation."""

    def leave(self) -> None:
        """The outermost of the transformations of this thread has ended, however it has."""


observers: list[Observer] = []


class _Thread(threading.local):
    """The transformations that run in a thread, outermost first.

    `None` stands for a stretch in which they are suspended: what is called from there is plain.

    Attributes
    ----------
    refused : object
        What `pullback.core.libraries` remembers of an error that a library may hide.
    """

    def __init__(self) -> None:
        self.stack: list[Interpreter | None] = []
        self.refused: Any = None


thread = _Thread()


def innermost() -> Interpreter | None:
    """The transformation that the code that runs in this thread belongs to, if there is one."""
    stack = thread.stack
    return stack[-1] if stack else None


def runs() -> bool:
    """Whether a transformation runs in this thread, suspended or not."""
    return bool(thread.stack)


def follows_integers() -> bool:
    """Whether one of the transformations of this thread follows integers and booleans too."""
    return any(each is not None and each.follows_integers for each in thread.stack)


def run(interpreter: Interpreter, function: Callable[..., Any], args: Iterable[Any]) -> Any:
    """Evaluate ``function(*args)`` under a transformation.

    Whatever happens in there, this thread's transformations are afterwards what they were. An
    interrupt can come wherever Python calls something; between the beginning of the ``try`` and
    the ``append``, and between the beginning of the ``finally`` and the ``del``, nothing is called.
    """
    stack = thread.stack
    depth = len(stack)
    suspended = depth and stack[-1] is None
    if not depth:
        thread.refused = None
    try:
        stack.append(None if suspended else interpreter)
        if not suspended:
            for observer in observers:
                observer.enter(function)
        return function(*args)
    finally:
        del stack[depth:]
        if not depth:
            for observer in observers:
                observer.leave()


def untraced(function: Callable[..., Any], args: Iterable[Any], kwargs: dict[str, Any]) -> Any:
    """Evaluate ``function(*args, **kwargs)`` as if no transformation ran in this thread."""
    stack = thread.stack
    if not stack:
        return function(*args, **kwargs)
    depth = len(stack)
    try:
        stack.append(None)
        return function(*args, **kwargs)
    finally:
        del stack[depth:]


class suspend:  # noqa: N801
    """A context in which code is as if no transformation ran in this thread."""

    __slots__ = ("_depth",)

    def __enter__(self) -> None:
        stack = thread.stack
        self._depth = len(stack)
        stack.append(None)

    def __exit__(self, *_: object) -> None:
        # A generator may have left the block suspended; its entry went with the transformation.
        stack = thread.stack
        if len(stack) > self._depth and stack[self._depth] is None:
            del stack[self._depth]
