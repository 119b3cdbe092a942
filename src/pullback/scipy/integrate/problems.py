"""An initial value problem that SciPy has solved, and what is asked of it in traced arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.rules.custom import stop_gradient
from pullback.scipy.integrate.fields import Field, as_complex, as_real
from pullback.scipy.integrate.paths import Path, followed
from pullback.scipy.integrate.steps import along
from pullback.scipy.integrate.values import Ground, differentiated, mapped

__all__ = ["Problem"]


class Problem:
    """An initial value problem that SciPy has solved for each example.

    Attributes
    ----------
    field : Field
    method : Explicit or Implicit
    ground : Ground
    states : SolversStates or None
        The solutions as functions of time.
    tolerances : tuple
    """

    def __init__(
        self, field: Field, method: Any, ground: Ground, states: Any, tolerances: tuple[Any, Any]
    ) -> None:
        self.field = field
        self.method = method
        self.ground = ground
        self.states = states
        rtol, atol = tolerances
        self.tolerances = np.asarray(rtol, float), np.asarray(atol, float)

    @property
    def order(self) -> int:
        return max(self.ground.values.order, 1)

    def real(self, y: Any) -> Any:
        return as_real(y) if self.field.is_complex else y

    def users(self, y: Any) -> Any:
        """States as the user has them."""
        return as_complex(y) if self.field.is_complex else y

    def mapped(self, rows: list[Any]) -> Any:
        return mapped(rows, self.ground.batches)

    def begun(self, t0: Any, y0: Any) -> Any:
        """The state at the plain time that is underneath t0."""
        start = self.real(y0)
        if not differentiated(t0):
            return start
        by = stop_gradient(t0) - t0
        return along(self.field, t0[None], start[None], by[None], self.order)[0]

    def followed(self, paths: list[Path], start: Any) -> tuple[Any, list[Path]]:
        return followed(
            self.field, self.method, self.ground, paths, start, self.tolerances, self.states
        )

    def picked(self, y: Any, paths: list[Path], times: list[Any]) -> Any:
        """The states at some of the times of the paths, for each example its own."""
        return y[self.mapped([path.places(each) for path, each in zip(paths, times, strict=True)])]

    def moved(self, times: Any, y: Any, moving: Any) -> Any:
        """States at plain times as they are at the traced times of the same values."""
        if not differentiated(moving):
            return y
        return along(self.field, times, y, moving - stop_gradient(moving), self.order)
