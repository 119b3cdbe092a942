"""What is left of an error after which something else is tried."""

from __future__ import annotations

__all__ = ["in_words"]


def in_words(error: BaseException) -> str:
    """An error in words, its traceback let go.

    The traceback refers to frames, and so to traced values, that must not outlive the function that
    is traced; an interpreter keeps the last error that it has raised.
    """
    words = f"{type(error).__name__}: {error}"
    chained: list[BaseException | None] = [error]
    seen: set[int] = set()  # what is raised from its own cause goes round in circles
    while chained:
        each = chained.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            each.__traceback__ = None
            chained += [each.__cause__, each.__context__]
    return words
