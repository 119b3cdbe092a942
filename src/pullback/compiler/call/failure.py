"""The number that a native function returns, as an exception."""

from __future__ import annotations

from pullback.compiler.call.spec import Instance, NativeFunction
from pullback.errors import PullbackError

__all__ = ["failure", "out_of_memory"]

RAISED, INTERRUPTED = -1, -2


def failure(function: NativeFunction, number: int) -> BaseException:
    """The exception for a call that returned this number, which is not 0."""
    if number in (RAISED, INTERRUPTED) and function.kept is not None:
        kept = function.kept()
        if kept is not None:
            return kept
    if number == INTERRUPTED:
        return KeyboardInterrupt()
    if 0 < number <= len(function.errors):
        cls, message = function.errors[number - 1]
        return cls(f"{function.name}: {message}")
    return PullbackError(
        f"{function.name}: native code returned {number}, and the program has no such error; "
        "this is a mistake in pullback"
    )


def out_of_memory(function: NativeFunction, instance: Instance) -> MemoryError:
    """The exception for a call whose outputs or working memory cannot be had."""
    outputs = sum(x.bytes for x in instance.outputs)
    return MemoryError(
        f"{function.name}: no memory for its outputs of {outputs:,} bytes and working memory of "
        f"{instance.scratch:,} bytes; call it on fewer samples at a time"
    )
