"""Derivatives of a solution on its steps, as programs that are recorded once for an equation.

A Runge–Kutta method took steps yₖ₊₁ = Φₖ(yₖ, p). Tangents go forward through them,
ẏₖ₊₁ = Φₖ′ẏₖ + ∂Φₖ ṗ, and cotangents back, ȳₖ += Φₖ′ᵀȳₖ₊₁: nothing is integrated, and of the way
forward no more is kept than the states that were found. As in :mod:`~.paths`, steps are halved that
are too long for a derivative; here that is found out on the way, step by step.

All programs take arrays with room for more steps than there are, so that they are of a few sizes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.structure.axes import Marks
from pullback.graph.graph import Graph
from pullback.rules.control_flow import fori_loop, while_loop
from pullback.rules.control_flow.derived import marked
from pullback.scipy.integrate.paths import ROUNDING, STABLE, WITHIN
from pullback.transforms.batch import vmap
from pullback.transforms.forward import pushforward
from pullback.transforms.reverse import vjp

__all__ = ["Programs", "deviations"]

_WHOLE = 8
"""For so many components all deviations of a state are followed, for more of them a random one."""


class Programs:
    """Functions of arrays, to be compiled, for one right-hand side and one method.

    Parameters
    ----------
    field : Graph
        From a time, a state of shape (d,) and free values to the state's derivative.
    method : Explicit
    """

    def __init__(self, field: Graph, method: Any) -> None:
        self.field = field
        self.method = method
        self.free = len(field.inputs) - 2

    def _f(self, t: Any, y: Any, free: Sequence[Any]) -> Any:
        return self.field.run([t, y, *free])[0]

    def _step(self, t: Any, h: Any, y: Any, free: Sequence[Any]) -> tuple[Any, list[Any]]:
        """The state after a step, and the stages."""
        method = self.method
        stages = [self._f(t, y, free)]
        for row, c in zip(method.a[1:], method.c[1:], strict=True):
            stages.append(self._f(t + c * h, y + h * _combined(row, stages), free))
        return y + h * _combined(method.b, stages), stages

    # -- derivatives ---------------------------------------------------------------------------

    def pull(self, wanted: Marks) -> Callable[..., Any]:
        """Cotangents of the first state and of wanted free values, from those of some states.

        ``(count, t, y, rows, bars, *free)``: so many steps between times and states, and cotangents
        of the states at some `rows`.
        """

        def pulled(count: Any, t: Any, y: Any, rows: Any, bars: Any, *free: Any) -> Any:
            every = np.zeros((len(t), y.shape[1])) + 0.0 * bars[0, 0]
            np.add.at(every, rows, bars)

            def back(i: Any, carry: Any) -> Any:
                y_bar, free_bars = carry
                k = count - 1 - i

                def step(y: Any, some: Any) -> Any:
                    rest = iter(some)
                    row = [next(rest) if mark else z for z, mark in zip(free, wanted, strict=True)]
                    return self._step(t[k], t[k + 1] - t[k], y, row)[0]

                _, pull = vjp(step, y[k], marked(free, wanted))
                y_bar, more = pull(y_bar + every[k + 1])
                added = [
                    total if each is None else total + each
                    for total, each in zip(free_bars, more, strict=True)
                ]
                return (np.zeros_like(y[0]) if y_bar is None else y_bar), added

            zero = 0.0 * bars[0, 0]
            first = (
                np.zeros_like(y[0]) + zero,
                [np.zeros_like(x) + zero for x in marked(free, wanted)],
            )
            y_bar, free_bars = fori_loop(0, count, back, first)
            return (y_bar + every[0], *free_bars)

        return pulled

    def push(self, dotted: Marks) -> Callable[..., Any]:
        """Tangents of the states at some rows, from those of the first one and of free values.

        ``(count, t, y, rows, y_dot, *free, *free_dots)``.
        """

        def pushed(count: Any, t: Any, y: Any, rows: Any, y_dot: Any, *rest: Any) -> Any:
            free, dots = rest[: self.free], self._dots(rest, dotted)
            zero = sum((0.0 * np.sum(dot) for dot in dots if dot is not None), 0.0 * y_dot[0])

            def on(k: Any, carry: Any) -> Any:
                y_dot, every = carry

                def step(y: Any, *free: Any) -> Any:
                    return self._step(t[k], t[k + 1] - t[k], y, free)[0]

                _, dot = pushforward(step, (y[k], *free), (y_dot, *dots))
                dot = np.zeros_like(y[0]) if dot is None else dot
                every[k + 1] = dot
                return dot, every

            y_dot = y_dot + zero
            every = np.zeros((len(t), y.shape[1])) + zero
            every[0] = y_dot
            return fori_loop(0, count, on, (y_dot, every))[1][rows]

        return pushed

    def _dots(self, rest: Sequence[Any], dotted: Marks) -> list[Any]:
        remaining = iter(rest[self.free :])
        return [next(remaining) if mark else None for mark in dotted]

    # -- steps that are short enough -----------------------------------------------------------

    @functools.cached_property
    def _beyond(self) -> Any:
        """Coefficients of R(z/2)² − R(z), for the function R by which a step multiplies y′ = zy."""
        method = self.method
        count = len(method.b)
        whole, power = np.zeros(count + 1), np.ones(count)
        whole[0] = 1.0
        for k in range(1, count + 1):
            whole[k] = method.b @ power
            power = method.a[:, : count - 1] @ power[: count - 1]
        half = whole * 0.5 ** np.arange(count + 1)
        found: Any = np.polynomial.polynomial.polymul(half, half)
        found[: count + 1] -= whole
        found[: method.order + 1] = 0.0
        return np.trim_zeros(found, "b")

    def _judge(
        self, at: tuple[Any, Any, Any], scale: tuple[Any, Any], carried: Any, first: Any, free: Any,
        dots: Sequence[Any],
    ) -> Any:  # fmt: skip
        """A step's end, what is carried through it, how wrong that is and how large, by its size.

        Of deviations of the first state there are the wrong and the large one, of such as begin
        here likewise, and of what the free values add.
        """
        (t, h, y), (start, end), (deviations, by_free) = at, scale, carried
        count = len(first)

        def step(y: Any, *free: Any) -> Any:
            new, stages = self._step(t, h, y, free)
            estimate = self.method.estimates[0]
            if estimate[-1]:
                stages = [*stages, self._f(t + h, new, free)]
            return new, h * _combined(estimate, stages)

        def along(direction: Any) -> Any:
            return pushforward(lambda y: step(y, *free), (y,), (direction,))[1]

        def curved(direction: Any) -> Any:
            coefficients, out = self._beyond, None
            for k in range(len(coefficients) - 1, -1, -1):
                if out is not None:
                    f_dot = pushforward(lambda y: self._f(t, y, free), (y,), (out,))[1]
                    out = np.zeros_like(y) if f_dot is None else h * f_dot
                if coefficients[k]:
                    more = float(coefficients[k]) * direction
                    out = more if out is None else out + more
            return out

        both = np.concatenate([deviations, first * start])
        after, wrong = vmap(along)(both)
        errors = np.maximum(_sizes(wrong / end, count), _sizes(vmap(curved)(both) / end, count))
        sizes = np.maximum(_sizes(after / end, count), 1.0)
        far = large = np.zeros(())
        if any(dot is not None for dot in dots):
            _, (by_free, off) = pushforward(step, (y, *free), (by_free, *dots))
            off = np.where(np.abs(off) > ROUNDING, off, 0.0)
            far, large = np.max(np.abs(off / end)), np.max(np.abs(by_free / end))
        return step(y, *free)[0], (after[:count], by_free), errors, sizes, far, large

    def refine(self, dotted: Marks) -> Callable[..., Any]:
        """Times and states between which steps are short enough for derivatives.

        ``(t, y, wanted, asked_t, asked_y, room, tolerances, tight, first, *free, *free_dots)``:
        where steps of the solution ended, and where it was asked for, at so many times; an array of
        the size that there is room for; rtol and atol for each component and the relative tolerance
        of derivatives, of shape (3, d); by how much at most a step may be wrong in what free values
        add; deviations of the first state, in units of its tolerance.

        It returns how many of the times asked for were reached, how many steps there are, times and
        states, the rows of those asked for, by how much a step is wrong in what free values add,
        and how large that is at most.
        """

        def refined(
            t: Any, y: Any, wanted: Any, asked_t: Any, asked_y: Any, room: Any, tolerances: Any,
            tight: Any, first: Any, *rest: Any,
        ) -> Any:  # fmt: skip
            free, dots = rest[: self.free], self._dots(rest, dotted)
            rtol, atol, within = tolerances[0], tolerances[1], tolerances[2, 0]
            most = len(room) - 1

            def goes_on(carry: Any) -> Any:
                j, count, trials = carry["j"], carry["count"], carry["trials"]
                return (j < wanted) & (count < most) & (trials < 4 * most)

            def go_on(carry: Any) -> Any:
                i, j, count, now, here = (carry[key] for key in ("i", "j", "count", "now", "here"))
                j = np.minimum(j, len(asked_t) - 1)
                before = np.abs(asked_t[j] - now) <= np.abs(t[i] - now)
                target = np.where(before, asked_t[j], t[i])
                there = np.where(before, asked_y[j], y[i])
                left = target - now
                is_whole = ~(np.abs(carry["trial"]) < np.abs(left))
                h = np.where(is_whole, left, carry["trial"])
                carried = carry["deviations"], carry["by_free"]
                scale = atol + rtol * np.abs(here), atol + rtol * np.abs(there)
                new, after, errors, sizes, far, large = self._judge(
                    (now, h, here), scale, carried, first, free, dots
                )
                is_long = (errors[0] > WITHIN * within * sizes[0]) | (errors[1] > STABLE * sizes[1])
                is_long = is_long | (far > tight)
                taken = ~is_long
                moved = taken & is_whole
                place = count + np.where(taken, 1, 0)
                end = np.where(is_whole, target, now + h)
                state = np.where(is_whole, there, new)
                now, here = np.where(taken, end, now), np.where(taken, state, here)
                times, states, rows = carry["times"], carry["states"], carry["rows"]
                times[place] = now
                states[place] = here
                rows[j] = place
                reached = moved & (target == t[i])
                return {
                    "i": np.minimum(i + np.where(reached, 1, 0), len(t) - 1),
                    "j": j + np.where(moved & before, 1, 0),
                    "count": place,
                    "trials": carry["trials"] + 1,
                    "now": now,
                    "here": here,
                    "trial": np.where(moved, np.inf, np.where(taken, 2 * h, h / 2)),
                    "deviations": np.where(taken, after[0], carried[0]),
                    "by_free": np.where(taken, after[1], carried[1]),
                    "far": np.where(taken, np.maximum(carry["far"], far), carry["far"]),
                    "large": np.where(taken, np.maximum(carry["large"], large), carry["large"]),
                    "times": times,
                    "states": states,
                    "rows": rows,
                }

            begin = {
                "i": np.int64(1), "j": np.int64(0), "count": np.int64(0), "trials": np.int64(0),
                "now": t[0], "here": y[0], "trial": np.float64(np.inf),
                "deviations": first * (atol + rtol * np.abs(y[0])),
                "by_free": np.zeros_like(y[0]), "far": np.float64(0.0), "large": np.float64(0.0),
                "times": np.zeros_like(room) + t[0],
                "states": np.zeros((len(room), y.shape[1])) + y[0],
                "rows": np.zeros(len(asked_t) + 1, np.int64),
            }  # fmt: skip
            end = while_loop(goes_on, go_on, begin)
            names = ("j", "count", "times", "states", "rows", "far", "large")
            return tuple(end[name] for name in names)

        return refined


def deviations(size: int) -> Any:
    """Deviations of a first state of so many components, in units of its tolerance."""
    if size <= _WHOLE:
        return np.eye(size)
    return np.random.default_rng(0).choice([-1.0, 1.0], (1, size))


def _combined(row: Any, stages: Sequence[Any]) -> Any:
    out = None
    for a, k in zip(row, stages, strict=False):
        if a:
            out = float(a) * k if out is None else out + float(a) * k
    return out


def _sizes(x: Any, count: int) -> Any:
    """The largest sum of moduli over deviations, of two sets of them."""
    several = np.sum(np.reshape(np.abs(x), (2, count, -1)), axis=1)
    return np.max(several, axis=1)
