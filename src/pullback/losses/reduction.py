"""From the losses of samples to one figure."""

from __future__ import annotations

from typing import Any, Literal

from pullback.core.validation import require_word
from pullback.rules import losses as rules

__all__ = ["Reduction", "count_of", "reduce"]

Reduction = Literal["mean", "sum", "none"]


def count_of(size: int, reduction: str, name: str) -> int | None:
    """What the sum over `size` samples is divided by, or `None` if it isn't taken."""
    if isinstance(reduction, str):
        if reduction == "mean":
            return size
        if reduction == "sum":
            return 1
        if reduction == "none":
            return None
    require_word(reduction, ("mean", "sum", "none"), f"losses.{name}", "reduction")
    return None


def reduce(losses: Any, reduction: str, name: str) -> Any:
    """The mean or the sum of the samples' losses, or each of them."""
    count = count_of(losses.size, reduction, name)
    return losses if count is None else rules.total(losses, count=count)
