"""Events of initial value problems: when they occur, and in which state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.errors import ArgumentValueError
from pullback.rules.custom import stop_gradient
from pullback.scipy.integrate.steps import along
from pullback.scipy.integrate.values import Values, array_of
from pullback.transforms.forward import pushforward

__all__ = ["Watched", "event_states"]


class Watched:
    """A function of time and state that vanishes when an event occurs."""

    def __init__(self, event: Callable[..., Any]) -> None:
        self.event = event
        self.terminal = getattr(event, "terminal", None)
        self.direction = getattr(event, "direction", None)

    def plain(self, values: Values) -> Callable[..., Any]:
        """As SciPy gets it: returning numbers."""
        f = values.function(self.event)
        for key in ("terminal", "direction"):
            if getattr(self, key) is not None:
                setattr(f, key, getattr(self, key))
        return f


def event_states(problem: Any, watched: Watched, args: Any, times: Any, states: Any) -> Any:
    """When an event occurs and the states then, with derivatives, from the plain times.

    There G(τ) = g(t + τ, y(t + τ)) is 0 at τ = 0, and τ follows by Newton's method with the slope
    that it has on plain numbers, one round for each order of derivatives.
    """
    if not len(times):
        return times, states
    moments, after = [], []
    for k in range(len(times)):
        t, y = times[k], states[k]

        def state(by: Any, t: Any = t, y: Any = y) -> Any:
            return along(problem.field, t[None], y[None], by[None], problem.order)[0]

        def value(by: Any, t: Any = t, state: Any = state) -> Any:
            out = array_of(watched.event(t + by, problem.users(state(by)), *args))
            return np.reshape(out, ())

        none = np.zeros(())
        slope = pushforward(value, (none,), (np.ones(()),))[1]
        slope = 0.0 if slope is None else problem.ground.plain(slope)
        if not np.all(np.isfinite(slope) & (slope != 0)):
            raise ArgumentValueError(
                f"{problem.field.name}: an event function touches zero at t = "
                f"{problem.ground.plain(t)} without crossing it, so that the event's time has no "
                "derivative; choose a function that crosses zero, or detach what it depends on "
                "with pullback.stop_gradient"
            )
        slope = problem.ground.lift(slope)
        settled = stop_gradient(value(none))
        by: Any = none
        for _ in range(problem.order):
            by = by - (value(by) - settled) / slope
        moments.append(t + by)
        after.append(state(by))
    return np.stack(moments), np.stack(after)
