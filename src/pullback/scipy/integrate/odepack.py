"""Initial value problems under SciPy's older name, `odeint`.

What LSODA went by on its way `odeint` doesn't tell. So the same method is asked again, by
`solve_ivp`, and the derivatives are those on the steps that it takes there; the values are
`odeint`'s.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.integrate

from pullback.core.shapes import Abstract, is_inexact, shape_of
from pullback.errors import ArgumentValueError
from pullback.rules.implicit import anchored
from pullback.scipy.first_step import plain, serves_always
from pullback.scipy.integrate.dense import SolversStates
from pullback.scipy.integrate.fields import Field
from pullback.scipy.integrate.integrals import full_output_of_several
from pullback.scipy.integrate.paths import Path
from pullback.scipy.integrate.problems import Problem
from pullback.scipy.integrate.recorded import in_graph
from pullback.scipy.integrate.steps import Implicit
from pullback.scipy.integrate.values import (
    Ground,
    UnknownValueError,
    Values,
    array_of,
    mapped,
    solves_plainly,
)

__all__ = ["odeint"]

_TOLERANCE = 1.49012e-8
"""SciPy's default for both of `odeint`'s tolerances."""
_LEAST = 2.3e-14
"""The least relative tolerance that `solve_ivp` takes without a warning."""


@serves_always(scipy.integrate.odeint)
def odeint(
    func: Any,
    y0: Any,
    t: Any,
    args: Any = (),
    Dfun: Any = None,
    col_deriv: Any = 0,
    full_output: Any = 0,
    ml: Any = None,
    mu: Any = None,
    rtol: Any = None,
    atol: Any = None,
    tcrit: Any = None,
    h0: float = 0.0,
    hmax: float = 0.0,
    hmin: float = 0.0,
    ixpr: int = 0,
    mxstep: int = 0,
    mxhnil: int = 0,
    mxordn: int = 12,
    mxords: int = 5,
    printmessg: Any = 0,
    tfirst: bool = False,
) -> Any:
    args = args if isinstance(args, tuple) else (args,)
    own = plain(scipy.integrate.odeint)

    def by_scipy(values: Values, full: Any) -> Any:
        return own(
            values.function(func), values.of(y0), values.of(t), values.of(args),
            None if Dfun is None else values.function(Dfun), col_deriv, full, ml, mu, rtol, atol,
            tcrit, h0, hmax, hmin, ixpr, mxstep, mxhnil, mxordn, mxords, printmessg, tfirst,
        )  # fmt: skip

    outer = solves_plainly()
    if outer is not None:
        return by_scipy(outer, full_output)
    try:
        return _odeint(by_scipy, (func, y0, t, args), (rtol, atol, hmax, tfirst), full_output)
    except UnknownValueError:
        if full_output or Dfun is not None:
            raise
    size, count = np.prod(shape_of(array_of(y0)), dtype=int), shape_of(array_of(t))[0]
    options = {
        "ml": ml, "mu": mu, "rtol": rtol, "atol": atol, "tcrit": tcrit, "h0": h0, "hmax": hmax,
        "hmin": hmin, "mxstep": mxstep, "mxordn": mxordn, "mxords": mxords, "tfirst": tfirst,
    }  # fmt: skip

    def call(functions: list[Any], given: Any) -> Any:
        y0, t, args = given
        return (odeint(functions[0], y0, t, args, **options),)

    state, time = np.ones(size), 0.5
    first = (time, state) if tfirst else (state, time)
    shape = Abstract((count, int(size)), np.dtype(float))
    return in_graph(call, [(func, (*first, *args))], (y0, t, args), [shape])[0]


def _odeint(by_scipy: Any, given: Any, options: Any, full_output: Any) -> Any:
    """What `odeint` returns where values are known."""
    values = Values("scipy.integrate.odeint")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", scipy.integrate.ODEintWarning)
        batches, found = values.for_each_example(lambda: by_scipy(values, full=True))
    for each in said:
        if values.traced and each.category is scipy.integrate.ODEintWarning:
            raise ArgumentValueError(
                f"{values.name}: the solution is differentiated, and SciPy did not reach the end; "
                "raise mxstep, or ease rtol and atol. SciPy says: "
                + " ".join(str(each.message).split())
            )
        warnings.warn(each.message, each.category, stacklevel=2)
    if full_output and len(found) > 1:
        raise full_output_of_several(values.name)
    more = (found[0][1],) if full_output else ()
    y = mapped([each[0] for each in found], batches)
    if values.levels:
        y = anchored(y, _states(values, batches, given, options))
    return (y, *more) if more else y


def _states(values: Values, batches: Any, given: Any, options: Any) -> Any:
    """The states at the times asked for, with derivatives, on steps of the same method."""
    (func, y0, t, args), (rtol, atol, hmax, tfirst) = given, options
    rtol = np.maximum(_TOLERANCE if rtol is None else rtol, _LEAST)
    atol = _TOLERANCE if atol is None else atol

    def f(t: Any, y: Any) -> Any:
        return func(t, y, *args) if tfirst else func(y, t, *args)

    y0, t = np.reshape(array_of(y0), (-1,)), array_of(t)
    y0 = y0 if is_inexact(y0) else y0 + 0.0
    own = plain(scipy.integrate.solve_ivp)

    def solve() -> Any:
        times = np.asarray(values.of(t), float)
        if times[0] == times[-1]:
            return None
        return own(
            values.function(f), (times[0], times[-1]), values.of(y0), "LSODA", dense_output=True,
            rtol=rtol, atol=atol, max_step=hmax or np.inf,
        )  # fmt: skip

    _, solved = values.for_each_example(solve)
    paths, times = [], []
    for place, each in zip(values.places(batches), solved, strict=True):
        values.place = place
        times.append(np.asarray(values.of(t), float))
        asked = times[-1]
        if each is None:
            paths.append(Path(asked[:1], np.asarray(values.of(y0), float)[None]))
            continue
        if not each.success:
            raise ArgumentValueError(
                f"{values.name}: the solution is differentiated, and the steps of its method were "
                f"not found again: {each.message} Call scipy.integrate.solve_ivp instead"
            )
        all_times = np.unique(np.append(each.sol.ts, asked))
        all_times = all_times if asked[-1] > asked[0] else all_times[::-1]
        paths.append(Path(all_times, each.sol(all_times).T))
    problem = Problem(
        Field(f, values.name, shape_of(y0)[0]),
        Implicit(values.order),
        Ground(values, batches),
        None if None in solved else SolversStates([each.sol for each in solved], is_complex=False),
        (rtol, atol),
    )
    states, paths = problem.followed(paths, problem.begun(t[0], y0))
    y = problem.moved(problem.mapped(times), problem.picked(states, paths, times), t)
    return np.concatenate([y0[None], y[1:]])
