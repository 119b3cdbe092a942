"""What ends the recording of a block before its time.

They are no `Exception`, so that what a user's code does about errors does not concern them.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Replan", "UnliftableError"]


class Replan(BaseException):  # noqa: N818
    """The block has to be recorded anew, with something else carried.

    Parameters
    ----------
    plan : Plan
        What the block carried.
    array : Tracer, optional
        An array from outside that the block was about to write to.
    name : str, optional
        A name that it binds to another value.
    like : pytree, optional
        What it binds that name to, which is bound to nothing before.
    period : int
        After how many iterations arrays that change names are back.
    peel : str
        Why the first iteration differs from the others.
    again : bool
        Whether what is carried has changed already.
    """

    def __init__(
        self,
        plan: Any,
        *,
        array: Any = None,
        name: str | None = None,
        like: Any = None,
        period: int = 0,
        peel: str = "",
        again: bool = False,
    ) -> None:
        super().__init__(array, name, period, peel)
        self.plan = plan
        self.array, self.name, self.like = array, name, like
        self.period, self.peel, self.again = period, peel, again


class UnliftableError(BaseException):
    """The block cannot be recorded once for all iterations; it says why."""
