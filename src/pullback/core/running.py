"""Which transformations run in this thread, and the ground that all of them stand on.

A user's function always runs by :func:`run`, which is where a transformation begins and ends for
the world outside it. What follows its beginnings and ends is told by `observers`.

An array that a user's function makes may have traced values written to it later. So it is a tracer
from the start, at level 0, which no derivative follows: its value is an ndarray of its own, which
is computed with, and written to in place, as NumPy does. When something traced is written to it,
it takes the state, and with it the level, of what came out.

Elements and other scalars are immutable; they are NumPy's own. Integers and booleans too are plain
arrays, so that they can index, but where a transformation follows them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from pullback.core.primitive import Primitive
from pullback.core.strides import copied
from pullback.core.tracing import Interpreter, Tracer, ground_level, traced
from pullback.errors import PullbackError

__all__ = [
    "GROUND",
    "Ground",
    "Observer",
    "explained",
    "follows_integers",
    "grounded",
    "innermost",
    "look",
    "observers",
    "run",
    "runs",
    "suspend",
    "untraced",
]


class Observer:
    """Is told of users' functions that run under a transformation; by default it does nothing."""

    def enter(self, function: Callable[..., Any]) -> None:
        """`function` is about to run under a transformation."""

    def leave(self) -> None:
        """The outermost of the transformations of this thread has ended, however it has."""

    def explain(self, error: Exception) -> PullbackError | None:
        """What to raise in place of an error that came out of a function, if that says more."""
        return None


observers: list[Observer] = []


class _Thread(threading.local):
    """The transformations that run in a thread, outermost first.

    `None` stands for a stretch in which they are suspended: what is called from there is plain.
    """

    def __init__(self) -> None:
        self.stack: list[Interpreter | None] = []


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
    try:
        stack.append(None if suspended else interpreter)
        if not suspended:
            if depth and interpreter.recorder is None:
                interpreter.recorder = stack[-2].recorder  # type: ignore[union-attr]
            for observer in observers:
                observer.enter(function)
        return function(*args)
    finally:
        del stack[depth:]
        if not depth:
            for observer in observers:
                observer.leave()


def explained(error: Exception) -> PullbackError | None:
    """What to raise in place of an error that came out of a user's function, if anything."""
    found = (observer.explain(error) for observer in observers)
    return next((each for each in found if each is not None), None)


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


# -- the ground ----------------------------------------------------------------------------------


class Ground(Interpreter):
    """Evaluates primitives on arrays made inside, to which nothing traced has been written."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("a transformation")
        self.level = ground_level

    def process(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        values = [x._value if type(x) is Tracer else x for x in args]
        out = primitive.value(*values, **params)
        if primitive.multiple:
            return tuple(self.constant(_apart(each, values)) for each in out)
        return self.constant(_apart(out, values))

    def operate(self, primitive: Any, evaluate: Callable[..., Any], x: Any, y: Any) -> Any:
        return self.constant(
            evaluate(x._value if type(x) is Tracer else x, y._value if type(y) is Tracer else y)
        )

    def snapshot(self, tracer: Tracer) -> Tracer:
        return Tracer(self, copied(tracer._value), None)

    def constant(self, value: Any) -> Any:
        """`value`, which can be written to if it is an array and the code belongs to a function."""
        stack = thread.stack
        if type(value) is not _ARRAY or not stack or stack[-1] is None:
            return value
        dtype = value.dtype
        if dtype is not _FLOAT:
            kind = dtype.kind
            if kind not in "fc" and not (kind in "biu" and follows_integers()):
                return value
        made = traced(self, value, None)
        recorder = stack[-1].recorder
        if recorder is not None:
            recorder.made(made)
        return made


_ARRAY, _FLOAT = np.ndarray, np.dtype(np.float64)


def _apart(out: Any, values: list[Any]) -> Any:
    """A primitive's result, in memory of its own: its arguments may be written to in place."""
    if not isinstance(out, np.ndarray):
        return out
    looks = out.base is not None and any(np.may_share_memory(out, x) for x in values)
    return out.copy(order="K") if looks or any(out is x for x in values) else out


GROUND = Ground()


def look(base: Any, read: Callable[[Any], Any]) -> Any:
    """``read(base)``, which for an array at the ground is a look into its memory."""
    return GROUND.constant(read(base._value)) if grounded(base) else read(base)


def grounded(x: Any) -> bool:
    """Whether `x` is an array made inside to which nothing traced has been written."""
    if type(x) is not Tracer:
        return False
    if x._alias is not None:
        x._refresh()
    return x._interpreter is GROUND
