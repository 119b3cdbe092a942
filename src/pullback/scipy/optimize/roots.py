"""Roots and fixed points: F(x, p) = 0, so ∂x = −(∂F/∂x)⁻¹ ∂F/∂p ∂p."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.scipy.optimize.calls import Call, solves
from pullback.scipy.optimize.recorded import NUMBER, like_start, returns
from pullback.scipy.optimize.results import solution

__all__: list[str] = []


def _function(call: Call, name: str, jac: str | None = None) -> Callable[[Any], Any]:
    """The function of the unknowns alone; it returns its derivative besides if `jac` is True."""
    function, args = call[name], call.given.get("args", ())
    args = args if isinstance(args, tuple) else (args,)
    first = jac is not None and call[jac] is True

    def values(x: Any) -> Any:
        out = function(x, *args)
        return out[0] if first else out

    return values


@solves("root", recorded=returns(lambda call: {"x": like_start("x0", at_least=1)(call)}))
def root(call: Call) -> Any:
    """All methods; of the result x has the derivatives."""
    function = _function(call, "fun", "jac")
    start = np.atleast_1d(call.first("x0"))
    if not call.follows(function(start)):
        return call.unfollowed()
    results = call.solve()
    for each in results:
        call.require(each.success, each.message)
    return solution(call, results, x=call.polished([each.x for each in results], function))


@solves("fsolve", recorded=returns(like_start("x0", at_least=1)))
def fsolve(call: Call) -> Any:
    function = _function(call, "func")
    start = np.atleast_1d(call.first("x0"))
    if not call.follows(function(start)):
        return call.unfollowed()
    results = call.solve(full_output=True)
    for _, _, status, message in results:
        call.require(status == 1 or call["full_output"], message)
    x = call.polished([each[0] for each in results], function)
    if not call["full_output"]:
        return x
    return x, solution(call, [each[1] for each in results]), *results[0][2:]


@solves(
    "broyden1", "broyden2", "anderson", "linearmixing", "diagbroyden", "excitingmixing",
    "newton_krylov", recorded=returns(like_start("xin")),
)  # fmt: skip
def iterated(call: Call) -> Any:
    """What does not converge raises SciPy's NoConvergence."""
    function = _function(call, "F")
    if not call.follows(function(call.first("xin"))):
        return call.unfollowed()
    return call.polished(call.solve(), function)


@solves("fixed_point", recorded=returns(like_start("x0")))
def fixed_point(call: Call) -> Any:
    """x = f(x, p), or the condition x − f(x, p) = 0."""
    function = _function(call, "func")
    if not call.follows(function(call.first("x0"))):
        return call.unfollowed()
    return call.polished(call.solve(), lambda x: x - function(x))


# -- of one unknown --------------------------------------------------------------------------------


def _in_bracket(call: Call) -> Any:
    function = _function(call, "f")
    if not call.follows(function(float(call.first("a")))):
        return call.unfollowed()
    results = call.solve(full_output=True)
    for _, report in results:
        call.require(report.converged or not call["disp"], report.flag)
    x = call.polished([float(each[0]) for each in results], function)
    return (x, _reported(results[0][1], x)) if call["full_output"] else x


def _reported(report: Any, x: Any) -> Any:
    report = copy.copy(report)
    report.root = x
    return report


solves("brentq", "brenth", "ridder", "bisect", "toms748", recorded=returns(lambda _call: NUMBER))(
    _in_bracket
)


@solves("root_scalar", recorded=returns(lambda _call: {"root": NUMBER}))
def root_scalar(call: Call) -> Any:
    """All methods; of the result root has the derivatives."""
    function = _function(call, "f", "fprime")
    if call["fprime2"] is True:
        function = _several(call)
    bracket = call["bracket"]
    start = "x0" if bracket is None else "bracket"
    if not call.follows(function(float(np.ravel(call.first(start))[0]))):
        return call.unfollowed()
    results = call.solve()
    for each in results:
        call.require(each.converged, each.flag)
    x = call.polished([float(np.reshape(each.root, ())) for each in results], function)
    return _reported(results[0], x)


def _several(call: Call) -> Callable[[Any], Any]:
    """A function that returns its derivatives besides."""
    function, args = call["f"], call["args"]
    return lambda x: function(x, *args)[0]


@solves("newton", recorded=returns(like_start("x0")))
def newton(call: Call) -> Any:
    """Newton's, Halley's and the secant method; of an array x0 element by element."""
    function = _function(call, "func")
    start = call.first("x0")
    if not call.follows(function(start if start.ndim else start[()])):
        return call.unfollowed()
    whole = call["full_output"]
    if not start.ndim:
        results = call.solve(full_output=True)
        for _, report in results:
            call.require(report.converged or not call["disp"], report.flag)
        x = call.polished([each[0] for each in results], function)
        return (x, _reported(results[0][1], x)) if whole else x
    call.require_no("full_output")
    return call.polished(call.solve(), function)
