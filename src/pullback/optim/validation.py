"""The mean of an objective over samples that it is not fitted to."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from pullback.optim.data import Data

__all__ = ["mean_over"]


def mean_over(
    objective: Callable[..., Any], data: Data, batch_size: int | None, compile: bool
) -> Callable[[Any], float]:
    """The function of parameters that is the objective's mean over all samples.

    It is evaluated batch by batch, as large as those that it is fitted with.
    """
    if compile:
        # The compiler is loaded when it is asked for: LLVM takes a moment.
        compiler = importlib.import_module("pullback.compiler.compiled")
        objective = compiler.compile(objective)

    def mean(params: Any) -> float:
        total = 0.0
        for batch in data.batches(batch_size):
            total += float(objective(params, *batch.parts)) * len(batch.rows)
        return total / data.size

    return mean
