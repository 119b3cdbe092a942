"""Minima: ∂f/∂x = 0, with bounds and constraints the equations of `active`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.optimize import Bounds

from pullback.core.tracing import strip
from pullback.errors import ArgumentTypeError
from pullback.rules.custom import stop_gradient
from pullback.rules.implicit import anchored
from pullback.scipy.optimize.active import Side, bound_sides, constraint_sides, stationary
from pullback.scipy.optimize.calls import Call, Recorded, solves
from pullback.scipy.optimize.recorded import NUMBER, like_start, returns
from pullback.scipy.optimize.results import solution

__all__ = ["is_as_exact_as_can_be", "minimum", "objective"]


def objective(call: Call, name: str, *, first: bool = False) -> Callable[[Any], Any]:
    """The function of the unknowns alone, as a number; the first of what it returns if `first`."""
    function, args = call[name], call.given.get("args", ())
    args = args if isinstance(args, tuple) else (args,)

    def value(x: Any) -> Any:
        out = function(x, *args)
        return np.reshape(out[0] if first else out, ())

    return value


def minimum(
    call: Call, value: Callable[[Any], Any], found: Sequence[Any], sides: Sequence[Side] = ()
) -> Any:
    """What was found for each example, with the derivatives of the minimum of `value`."""
    each = [np.atleast_1d(np.asarray(x, dtype=float)) for x in found]

    def of_vector(x: Any) -> Any:
        return value(x if np.ndim(found[0]) else x[0])

    condition, start = stationary(call, of_vector, sides, each)
    out = call.polished(start, condition)[: each[0].size]
    return out if np.ndim(found[0]) else out[0]


def is_as_exact_as_can_be(message: Any) -> bool:
    """Whether a method has stopped because of rounding; Newton's step tells if that matters."""
    return "precision loss" in str(message) or "ABNORMAL" in str(message)


def _number(x: Any) -> Any:
    return np.reshape(x, ())[()]


def _with_value(
    call: Call,
    value: Callable[[Any], Any],
    results: Sequence[Any],
    sides: Sequence[Side] = (),
    found: Callable[[Any], Any] = lambda x: x,
) -> Any:
    """The results as one, whose x and fun have the derivatives."""
    x = minimum(call, value, [found(each.x) for each in results], sides)
    least = call.examples.together([found(each.fun) for each in results])
    return solution(call, results, x=x, fun=anchored(least, value(x)))


def _minimum_like(name: str, *, scalar: bool = False) -> Recorded:
    start = like_start(name, at_least=1)
    return returns(lambda call: {"x": NUMBER if scalar else start(call), "fun": NUMBER})


_DENSE_ALONE = {
    "dogleg": "hess=lambda x: H(x).toarray()",
    "trust-exact": "hess=lambda x: H(x).toarray()",
    "trust-krylov": "hessp=lambda x, p: H(x) @ p",
    "trust-ncg": "hessp=lambda x, p: H(x) @ p",
}
"""The methods that take no sparse Hessian, and what to write with each."""


def _refuse_sparse(*args: Any, **kwargs: Any) -> None:
    """Raise where a method that works with dense matrices gets a sparse Hessian."""
    named = dict(zip(("fun", "x0", "args", "method", "jac", "hess"), args, strict=False)) | kwargs
    method, hess = named.get("method"), named.get("hess")
    instead = _DENSE_ALONE.get(method.lower()) if isinstance(method, str) else None
    if instead and isinstance(getattr(hess, "format", None), str):
        raise ArgumentTypeError(
            f"scipy.optimize.minimize: hess is {hess!r}, whose matrices are sparse, and {method} "
            f"takes dense ones; write {instead}, or take trust-constr or Newton-CG, which take "
            "sparse ones"
        )


@solves("minimize", recorded=_minimum_like("x0"), refuses=_refuse_sparse)
def minimize(call: Call) -> Any:
    """All methods; of the result x and fun have the derivatives."""
    value = objective(call, "fun", first=call["jac"] is True)
    start = np.atleast_1d(call.first("x0"))
    sides = [*bound_sides(call["bounds"]), *constraint_sides(call["constraints"] or ())]
    if not call.follows(value(start), *(side.values(start) for side in sides)):
        return call.unfollowed()
    results = call.solve()
    for each in results:
        call.require(each.success or is_as_exact_as_can_be(each.message), each.message)
    return _with_value(call, value, results, sides)


@solves("differential_evolution", "dual_annealing", "shgo", "direct")
def global_minimum(call: Call) -> Any:
    """Minima that are the least of several; of the result x and fun have the derivatives."""
    value = objective(call, "func")
    bounds = call["bounds"]
    sides = [*bound_sides(bounds), *constraint_sides(call.given.get("constraints") or ())]
    pairs = bounds
    if isinstance(bounds, Bounds):
        pairs = [*zip(bounds.lb, bounds.ub, strict=True)]
    middle = strip(stop_gradient(np.stack([0.5 * (low + high) for low, high in pairs])))
    if not call.follows(value(middle), *(side.values(middle) for side in sides)):
        return call.unfollowed()
    results = call.solve()
    for each in results:
        call.require(each.success, str(each.message))
    return _with_value(call, value, results, sides)


@solves("brute")
def brute(call: Call) -> Any:
    """The best point of a grid, improved by a function that finishes it."""
    value = objective(call, "func")
    ranges = call["ranges"]
    start = np.stack([each.start if isinstance(each, slice) else each[0] for each in ranges])
    if not call.follows(value(strip(stop_gradient(start)))):
        return call.unfollowed()
    call.require_no("full_output")
    if call["finish"] is None:
        raise ArgumentTypeError(
            f"{call.where}: finish is None, and the best point of a grid is no differentiable "
            "function of what is traced; leave finish out, or detach what is traced with "
            "pullback.stop_gradient"
        )
    return minimum(call, value, call.solve())


@solves("basinhopping", recorded=_minimum_like("x0"))
def basinhopping(call: Call) -> Any:
    value = objective(call, "func")
    if not call.follows(value(np.atleast_1d(call.first("x0")))):
        return call.unfollowed()
    results = call.solve()
    return _with_value(call, value, results)


# -- of one unknown --------------------------------------------------------------------------------


@solves("minimize_scalar", recorded=_minimum_like("", scalar=True))
def minimize_scalar(call: Call) -> Any:
    """All methods; of the result x and fun have the derivatives."""
    value = objective(call, "fun")
    bounds = call["bounds"]
    sides = [] if bounds is None else [*bound_sides([tuple(bounds)])]
    start = 1.0
    if bounds is not None:
        start = float(np.mean(call.first("bounds")))
    elif call["bracket"] is not None:
        start = float(np.ravel(call.first("bracket"))[0])
    if not call.follows(value(start), *(side.values(np.array([start])) for side in sides)):
        return call.unfollowed()
    results = call.solve()
    for each in results:
        call.require(each.success, each.message)
    return _with_value(call, value, results, sides, found=_number)


@solves("brent", "golden", recorded=returns(lambda _call: NUMBER))
def bracketed(call: Call) -> Any:
    value = objective(call, "func")
    start = 1.0 if call["brack"] is None else float(np.ravel(call.first("brack"))[0])
    if not call.follows(value(start)):
        return call.unfollowed()
    call.require_no("full_output")
    return minimum(call, value, [_number(x) for x in call.solve()])


@solves("fminbound", recorded=returns(lambda _call: NUMBER))
def fminbound(call: Call) -> Any:
    value = objective(call, "func")
    sides = [*bound_sides([(call["x1"], call["x2"])])]
    start = 0.5 * float(call.first("x1") + call.first("x2"))
    if not call.follows(value(start)):
        return call.unfollowed()
    call.require_no("full_output")
    results = call.solve(full_output=True)
    for _, _, status, count in results:
        call.require(status == 0, f"{count} evaluations of the function were not enough")
    return minimum(call, value, [_number(each[0]) for each in results], sides)
