"""Bounds and linear constraints that are traced: what the solvers read is kept as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint

from pullback.numpy.conversion import double
from pullback.numpy.operands import operand
from pullback.scipy.first_step import serves

__all__: list[str] = []


@serves(Bounds.__init__)
def bounds(self: Any, lb: Any = -np.inf, ub: Any = np.inf, keep_feasible: Any = False) -> None:
    parts = (np.atleast_1d(operand(x)) for x in (lb, ub, keep_feasible))
    self.lb, self.ub, self.keep_feasible = np.broadcast_arrays(*parts)


@serves(LinearConstraint.__init__)
def linear_constraint(
    self: Any, A: Any, lb: Any = -np.inf, ub: Any = np.inf, keep_feasible: Any = False
) -> None:
    self.A = double(np.atleast_2d(operand(A)))
    rows = self.A.shape[:1]
    self.lb, self.ub = (np.broadcast_to(double(operand(x)), rows) for x in (lb, ub))
    self.keep_feasible = np.broadcast_to(np.asarray(keep_feasible, dtype=bool), rows)
