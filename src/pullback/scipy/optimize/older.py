"""Minima under the older names, which return the solution itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.rules.implicit import anchored
from pullback.scipy.optimize.active import Side, applied, bound_sides
from pullback.scipy.optimize.calls import Call, solves
from pullback.scipy.optimize.minimisation import is_as_exact_as_can_be, minimum, objective
from pullback.scipy.optimize.recorded import like_start, returns

__all__: list[str] = []

_WHY_NOT = {
    3: "it has reached a limit of its evaluations",
    4: "its line search has failed",
    5: "all bounds are equal",
    6: "it makes no progress",
    7: "it was asked to end",
}
"""What the numbers that `fmin_tnc` returns say."""


def _older(call: Call, name: str, fine: tuple[int, ...]) -> Any:
    """The minimum alone; `fine` are the flags with which it is one."""
    value = objective(call, name)
    if not call.follows(value(np.atleast_1d(call.first("x0")))):
        return call.unfollowed()
    call.require_no("full_output", "retall")
    results = call.solve(full_output=True)
    for each in results:
        call.require(each[-1] in fine, "it has reached a limit of its iterations")
    return minimum(call, value, [each[0] for each in results])


@solves("fmin", "fmin_powell", recorded=returns(like_start("x0", at_least=1)))
def fmin(call: Call) -> Any:
    return _older(call, "func", fine=(0,))


@solves("fmin_cg", "fmin_bfgs", "fmin_ncg", recorded=returns(like_start("x0", at_least=1)))
def fmin_bfgs(call: Call) -> Any:
    return _older(call, "f", fine=(0, 2))  # 2 is rounding


@solves("fmin_l_bfgs_b")
def fmin_l_bfgs_b(call: Call) -> Any:
    """The minimum, its value, and counts without derivatives."""
    value = objective(call, "func", first=call["fprime"] is None and not call["approx_grad"])
    sides = [*bound_sides(call["bounds"])]
    start = np.atleast_1d(call.first("x0"))
    if not call.follows(value(start), *(side.values(start) for side in sides)):
        return call.unfollowed()
    results = call.solve()
    for _, _, report in results:
        task = report["task"]
        call.require(report["warnflag"] == 0 or is_as_exact_as_can_be(task), task)
    x = minimum(call, value, [each[0] for each in results], sides)
    least = call.examples.together([each[1] for each in results])
    counts = {key: results[0][2][key] for key in ("funcalls", "nit", "warnflag", "task")}
    return x, anchored(least, value(x)), counts


@solves("fmin_tnc")
def fmin_tnc(call: Call) -> Any:
    """The minimum, and counts without derivatives."""
    value = objective(call, "func", first=call["fprime"] is None and not call["approx_grad"])
    sides = [*bound_sides(call["bounds"])]
    start = np.atleast_1d(call.first("x0"))
    if not call.follows(value(start), *(side.values(start) for side in sides)):
        return call.unfollowed()
    results = call.solve()
    for _, _, status in results:
        call.require(0 <= status <= 2, _WHY_NOT.get(status, "it is infeasible"))
    return minimum(call, value, [each[0] for each in results], sides), *results[0][1:]


@solves("fmin_slsqp", recorded=returns(like_start("x0", at_least=1)))
def fmin_slsqp(call: Call) -> Any:
    value, args = objective(call, "func"), call["args"]
    sides = [*bound_sides(call["bounds"] or None)]
    for several, each, equal in (("f_eqcons", "eqcons", True), ("f_ieqcons", "ieqcons", False)):
        together = [call[several]] if call[several] is not None else call[each]
        sides += [Side(applied(function, args), equal) for function in together]
    start = np.atleast_1d(call.first("x0"))
    if not call.follows(value(start), *(side.values(start) for side in sides)):
        return call.unfollowed()
    call.require_no("full_output")
    results = call.solve(full_output=True)
    for *_, status, message in results:
        call.require(status == 0, message)
    return minimum(call, value, [each[0] for each in results], sides)


@solves("fmin_cobyla", recorded=returns(like_start("x0", at_least=1)))
def fmin_cobyla(call: Call) -> Any:
    """It does not say whether it has failed; Newton's step from what it returns does."""
    value, cons = objective(call, "func"), call["cons"]
    args = call["args"] if call["consargs"] is None else call["consargs"]
    sides = [Side(applied(each, args)) for each in ((cons,) if callable(cons) else cons)]
    start = np.atleast_1d(call.first("x0"))
    if not call.follows(value(start), *(side.values(start) for side in sides)):
        return call.unfollowed()
    return minimum(call, value, call.solve(), sides)
