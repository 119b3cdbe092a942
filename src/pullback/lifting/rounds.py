"""Recording a block again and again, until all that it writes and binds is carried."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pullback.lifting.reasons import Replan, UnliftableError, reason_of
from pullback.lifting.state import Plan

__all__ = ["ROUNDS", "UNSETTLED", "settled"]

T = TypeVar("T")

ROUNDS = 64
"""How often a block is recorded anew at most."""

UNSETTLED = "what it writes to differs from one recording to the next"


def settled(plan: Plan, record: Callable[[], T]) -> T:
    """What `record` returns once the plan holds, for a block of which no iteration runs first."""
    for _ in range(ROUNDS):
        try:
            return record()
        except Replan as replan:
            if replan.plan is not plan:
                raise
            if replan.drop is None:
                raise UnliftableError(plan.refused(replan)) from None
            if replan.period or replan.peel:
                raise UnliftableError(replan.peel or "it exchanges the names of arrays") from None
            plan.follow(replan)
        except Exception as error:
            raise UnliftableError(reason_of(error)) from error
    raise UnliftableError(UNSETTLED)
