"""Least squares: stationary points of ½ Σ C² ρ(fᵢ²/C²), and fits of curves."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.shapes import Abstract
from pullback.errors import ArgumentTypeError
from pullback.numpy.operands import operand
from pullback.rules.implicit import anchored
from pullback.scipy.optimize.active import bound_sides, in_pairs
from pullback.scipy.optimize.calls import Call, real, solves
from pullback.scipy.optimize.minimisation import minimum
from pullback.scipy.optimize.recorded import NUMBER, like_start, returns
from pullback.scipy.optimize.results import solution
from pullback.transforms.jacobian import jacobian

__all__: list[str] = []

Function = Callable[[Any], Any]

LOSSES: dict[str, Function] = {
    "linear": lambda z: z,
    "soft_l1": lambda z: 2 * ((1 + z) ** 0.5 - 1),
    "huber": lambda z: np.where(z <= 1, z, 2 * np.where(z <= 1, 1, z) ** 0.5 - 1),
    "cauchy": np.log1p,
    "arctan": np.arctan,
}
"""ρ of `scipy.optimize.least_squares`, by its names."""


def _half_squares(residuals: Function) -> Function:
    def cost(x: Any) -> Any:
        f = residuals(x)
        return 0.5 * np.sum(f * f)

    return cost


def _misfit(call: Call) -> Any:
    """Shapes of the solution, of the residuals there, and of the cost."""
    size = real(call["fun"].out).size
    return {
        "x": like_start("x0", at_least=1)(call),
        "fun": Abstract((size,), np.dtype(float)),
        "cost": NUMBER,
    }


@solves("least_squares", recorded=returns(_misfit))
def least_squares(call: Call) -> Any:
    """All methods and losses; of the result x, fun and cost have the derivatives."""
    function, args, kwargs = call["fun"], call["args"], call["kwargs"] or {}
    args = args if isinstance(args, tuple) else (args,)
    scale, loss = call["f_scale"], call["loss"]

    def residuals(x: Any) -> Any:
        return real(function(x, *args, **kwargs))

    def cost(x: Any) -> Any:
        z = (residuals(x) / scale) ** 2
        return 0.5 * scale**2 * np.sum(loss(z)[0] if callable(loss) else LOSSES[loss](z))

    start = np.atleast_1d(call.first("x0"))
    sides = [*bound_sides(in_pairs(call["bounds"], start.shape))]
    if not call.follows(residuals(start), *(side.values(start) for side in sides)):
        return call.unfollowed()
    results = call.solve()
    for each in results:
        call.require(each.success, each.message)
    value = _half_squares(residuals) if loss == "linear" else cost
    x = minimum(call, value, [each.x for each in results], sides)
    together = call.examples.together
    return solution(
        call, results, x=x,
        fun=anchored(together([each.fun for each in results]), residuals(x)),
        cost=anchored(together([each.cost for each in results]), cost(x)),
    )  # fmt: skip


@solves("leastsq")
def leastsq(call: Call) -> Any:
    """The solution, and what SciPy says of it; with `full_output` the covariance too."""
    function, args = call["func"], call["args"]
    args = args if isinstance(args, tuple) else (args,)

    def residuals(x: Any) -> Any:
        return real(function(x, *args))

    start = np.atleast_1d(call.first("x0"))
    if not call.follows(residuals(start)):
        return call.unfollowed()
    results = call.solve(full_output=True)
    for *_, message, status in results:
        call.require(status in (1, 2, 3, 4), message)
    x = minimum(call, _half_squares(residuals), [np.atleast_1d(each[0]) for each in results])
    status = results[0][-1]
    if not call["full_output"]:
        return x, status
    covariance = None
    if results[0][1] is not None:
        covariance = anchored(
            call.examples.together([each[1] for each in results]), _inverse_square(residuals, x)
        )
    report = solution(call, [each[2] for each in results])
    return x, covariance, report, results[0][3], status


def _inverse_square(residuals: Function, x: Any) -> Any:
    """(JᵀJ)⁻¹"""
    rows = jacobian(residuals)(x)
    return np.linalg.inv(rows.T @ rows)


def _fit(call: Call) -> Any:
    """Shapes of the parameters and of their covariance."""
    size = len(call["f"].args) - 1
    return tuple(Abstract((size,) * rank, np.dtype(float)) for rank in (1, 2))


@solves("curve_fit", recorded=returns(_fit))
def curve_fit(call: Call) -> Any:
    """The parameters, and their covariance, with the derivatives of both."""
    function, sigma = call["f"], call["sigma"]
    x_data = call["xdata"] if callable(call["xdata"]) else operand(call["xdata"])
    y_data = operand(call["ydata"])
    if call["nan_policy"] == "omit":
        raise ArgumentTypeError(
            f"{call.where}: nan_policy is 'omit', which leaves data out by their values; leave "
            "them out before the call"
        )

    def residuals(p: Any) -> Any:
        out = np.ravel(function(x_data, *(p[i] for i in range(p.shape[0]))) - y_data)
        return out if weigh is None else weigh(out)

    weigh = _weights(sigma)
    start, bounds = _start(call)
    sides = [*bound_sides(bounds)]
    if not call.follows(residuals(start), y_data):
        return call.unfollowed()
    results = call.solve(full_output=True)
    found = [each[0] for each in results]
    p = minimum(call, _half_squares(residuals), found, sides)
    covariance = call.examples.together([each[1] for each in results])
    if all(np.isfinite(each[1]).all() for each in results):
        traced = _inverse_square(residuals, p)
        if not call["absolute_sigma"]:
            f = residuals(p)
            traced = traced * (np.sum(f * f) / (f.shape[0] - p.shape[0]))
        covariance = anchored(covariance, traced)
    if not call["full_output"]:
        return p, covariance
    report = solution(call, [each[2] for each in results], fvec=residuals(p))
    return p, covariance, report, *results[0][3:]


def _weights(sigma: Any) -> Function | None:
    """Residuals divided by their standard deviations, or by the root of their covariance."""
    if sigma is None:
        return None
    sigma = operand(sigma)
    if np.ndim(sigma) < 2:
        return lambda f: f / sigma
    root = np.linalg.cholesky(sigma)
    return lambda f: np.linalg.solve(root, f)


def _start(call: Call) -> tuple[Any, Any]:
    """The parameters that are evaluated first, and bounds in pairs."""
    if call["p0"] is not None:
        start = np.atleast_1d(call.first("p0"))
    else:
        start = np.ones(len(inspect.signature(call["f"]).parameters) - 1)
    return start, in_pairs(call["bounds"], start.shape)
