"""How fast steps are taken."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from time import process_time
from typing import Any

__all__ = ["Pace"]


@dataclass
class Pace:
    """Processor seconds of the steps of `pullback.optim.train`, of all threads together.

    A step lasts from the moment its batch is prepared until the next one is taken up, or until
    `stop`: the objective, its gradient and the update, and what the loop adds to them.

    Attributes
    ----------
    seconds : list of float
        Of each step.
    first : dict of int to float
        Of the first step for each number of samples, which records and compiles.
    """

    seconds: list[float] = field(default_factory=list)
    first: dict[int, float] = field(default_factory=dict)
    _samples: int = 0
    _since: float | None = None

    def after(self, prepare: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
        """`prepare`, after which a step begins."""

        def prepared(*batch: Any) -> tuple[Any, ...]:
            self.stop()
            batch = prepare(*batch)
            self._samples, self._since = len(batch[0]), process_time()
            return batch

        return prepared

    def stop(self) -> None:
        """The present step, if there is one, is over."""
        if self._since is not None:
            spent = process_time() - self._since
            self.seconds.append(spent)
            self.first.setdefault(self._samples, spent)
            self._since = None

    @property
    def median(self) -> float:
        """Seconds of a step, half of them take longer; NaN before the first is over."""
        return statistics.median(self.seconds) if self.seconds else float("nan")
