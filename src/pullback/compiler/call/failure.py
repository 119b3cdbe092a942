"""The number that a native function returns, as an exception."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pullback.compiler.call.spec import Instance, NativeFunction
from pullback.errors import PullbackError

__all__ = ["failure", "out_of_memory"]

RAISED, INTERRUPTED = -1, -2


def failure(
    function: NativeFunction, number: int, leaves: Sequence[Any] | None = None
) -> BaseException:
    """The exception for a call with such leaves that returned this number, which is not 0."""
    if number in (RAISED, INTERRUPTED) and function.kept is not None:
        kept = function.kept()
        if kept is not None:
            return kept
    if number == INTERRUPTED:
        return KeyboardInterrupt()
    if 0 < number <= len(function.errors):
        cls, message = function.errors[number - 1]
        seen = _seen(function, leaves) if cls is IndexError and leaves is not None else None
        error = cls(f"{function.name}: {message if seen is None else seen}")
        for note in getattr(seen, "__notes__", ()):
            error.add_note(note)
        return error
    return PullbackError(
        f"{function.name}: native code returned {number}, and the program has no such error; "
        "this is a mistake in pullback"
    )


def _seen(function: NativeFunction, leaves: Sequence[Any]) -> IndexError | None:
    """The error that evaluation step by step ends in; `None` if it ends in no such one.

    An array that has been given away may have been written to: with that nobody can tell.
    """
    if function.witness is None or function.donated:
        return None
    try:
        function.witness(leaves)
    except IndexError as error:
        return error
    except Exception:  # of memory, or what the user's own functions raise when called once more
        return None
    return None


def out_of_memory(function: NativeFunction, instance: Instance) -> MemoryError:
    """The exception for a call whose outputs or working memory cannot be had."""
    outputs = sum(x.bytes for x in instance.outputs)
    return MemoryError(
        f"{function.name}: no memory for its outputs of {outputs:,} bytes and working memory of "
        f"{instance.scratch:,} bytes; call it on fewer samples at a time"
    )
