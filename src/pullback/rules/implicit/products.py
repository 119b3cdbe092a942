"""(∂F/∂z)⁻¹ for many unknowns: linear solvers as linear functions with their adjoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse.linalg

from pullback.core.linear import Linear
from pullback.core.tracing import strip
from pullback.errors import ArgumentValueError
from pullback.rules.custom import primitive, stop_gradient
from pullback.transforms.reverse import linearize, vjp

__all__ = ["inverse", "linear"]


def inverse(residual: Callable[[Any], Any], z: Any, where: str) -> Callable[[Any], Any]:
    """The inverse of the derivative of F at z, by GMRES, as a linear function with its adjoint."""
    n = z.shape[-1]
    _, push = linearize(residual, z)
    _, pull = vjp(residual, z)

    def solve(apply: Callable[[Any], Any], r: Any) -> Any:
        operator = scipy.sparse.linalg.LinearOperator(
            (n, n), matvec=lambda v: strip(stop_gradient(apply(np.ravel(v)))), dtype=float
        )
        out, info = scipy.sparse.linalg.gmres(operator, r, rtol=1e-12, atol=0.0, restart=100)
        if info:
            raise ArgumentValueError(
                f"{where}: GMRES did not solve the linear equations of {n} unknowns for the "
                "derivative; they are badly scaled or singular. Scale the unknowns and the "
                "condition so that their sizes are near 1"
            )
        return out

    return linear(lambda r: solve(push, r), lambda r: solve(lambda v: pull(v)[0], r))


def linear(
    apply: Callable[[Any], Any], apply_transposed: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """A linear function of plain vectors, and its adjoint, as one that can be differentiated."""

    @primitive
    def forwards(r: Any) -> Any:
        return apply(r)

    @primitive
    def backwards(r: Any) -> Any:
        return apply_transposed(r)

    forwards.rule(lambda _out, _r: Linear(pushforward=forwards, pullback=backwards))
    backwards.rule(lambda _out, _r: Linear(pushforward=backwards, pullback=forwards))
    return forwards
