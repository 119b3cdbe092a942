"""What ends the recording of a block before its time.

They are no `Exception`, so that what a user's code does about errors does not concern them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pullback.graph.places import is_ours

__all__ = ["Replan", "UnliftableError", "reason_of"]


class Replan(BaseException):
    """The block has to be recorded anew, with something else carried.

    If nothing else is said, what is carried has changed already.

    Parameters
    ----------
    plan : Plan
        What the block carried.
    array : Tracer, optional
        An array from outside that the block was about to write to.
    names : sequence of str
        Names that it binds to other values.
    like : dict of str to pytree, optional
        What is like what it binds names to that are bound to nothing before.
    period : int
        After how many iterations arrays that change names are back.
    peel : str
        Why the first iteration differs from the others.
    drop : bool
        Whether these names need not be carried, for nobody reads them outside of the block; `None`
        if they can't be.
    ties : dict of int to Tracer, optional
        The arrays from outside that the name may stand for in an iteration; empty, if it stands for
        what it stood for before, and need not be carried.
    """

    def __init__(
        self,
        plan: Any,
        *,
        array: Any = None,
        names: Sequence[str] = (),
        like: dict[str, Any] | None = None,
        period: int = 0,
        peel: str = "",
        drop: bool | None = False,
        ties: dict[int, Any] | None = None,
    ) -> None:
        super().__init__(array, names, period, peel)
        self.plan = plan
        self.array, self.names, self.like = array, names, like
        self.period, self.peel = period, peel
        self.drop, self.ties = drop, ties


class UnliftableError(BaseException):
    """The block cannot be recorded once for all iterations; it says why."""


def reason_of(error: BaseException) -> str:
    """Why something isn't lifted, with the user's line that it is about."""
    words = " ".join(str(error).split())
    if not isinstance(error, UnliftableError):
        words = f"recording it once raises {type(error).__name__}: {words}"
    place = error.__traceback__
    line = 0
    while place is not None:
        if not is_ours(place.tb_frame):
            line = place.tb_lineno
        place = place.tb_next
    return f"line {line}: {words}" if line and not words.startswith("line ") else words
