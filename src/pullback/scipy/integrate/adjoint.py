"""Derivatives of a solution on its steps, as programs that are recorded once for an equation.

A Runge–Kutta method took steps yₖ₊₁ = Φₖ(yₖ, p). Tangents go forward through them, ẏₖ₊₁ = Φₖ′ẏₖ + ∂Φₖ ṗ,
and cotangents back, ȳₖ += Φₖ′ᵀȳₖ₊₁: nothing is integrated, and of the way forward no more is kept
than the states that were found. As in :mod:`~.paths`, by which longer steps than are good for a
derivative are told too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.core.structure.axes import Marks
from pullback.graph.graph import Graph
from pullback.rules.control_flow import scan
from pullback.rules.control_flow.derived import marked
from pullback.scipy.integrate.paths import ROUNDING, STABLE, WITHIN
from pullback.transforms.batch import vmap
from pullback.transforms.forward import pushforward
from pullback.transforms.reverse import vjp

__all__ = ["Programs"]

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

    def pull(self, wanted: Marks) -> Callable[..., Any]:
        """Cotangents of the first state and of wanted free values, from those of all states.

        ``(t, h, y, bars, *free)`` with n steps from times t and states y, and n + 1 cotangents.
        """

        def pulled(t: Any, h: Any, y: Any, bars: Any, *free: Any) -> Any:
            def back(carry: Any, x: Any) -> Any:
                (y_bar, free_bars), (t, h, y, bar) = carry, x

                def step(y: Any, some: Any) -> Any:
                    rest = iter(some)
                    row = [next(rest) if mark else z for z, mark in zip(free, wanted, strict=True)]
                    return self._step(t, h, y, row)[0]

                _, pull = vjp(step, y, marked(free, wanted))
                y_bar, more = pull(y_bar + bar)
                added = [
                    total if each is None else total + each
                    for total, each in zip(free_bars, more, strict=True)
                ]
                return (np.zeros_like(y) if y_bar is None else y_bar, added), None

            first = np.zeros_like(y[0]), [np.zeros_like(x) for x in marked(free, wanted)]
            (y_bar, free_bars), _ = scan(back, first, (t, h, y, bars[1:]), reverse=True)
            return (y_bar + bars[0], *free_bars)

        return pulled

    def push(self, dotted: Marks) -> Callable[..., Any]:
        """Tangents of all states, from those of the first one and of some free values.

        ``(t, h, y, y_dot, *free, *free_dots)``.
        """

        def pushed(t: Any, h: Any, y: Any, y_dot: Any, *rest: Any) -> Any:
            free, dots = rest[: self.free], self._dots(rest, dotted)

            def on(y_dot: Any, x: Any) -> Any:
                t, h, y = x

                def step(y: Any, *free: Any) -> Any:
                    return self._step(t, h, y, free)[0]

                _, dot = pushforward(step, (y, *free), (y_dot, *dots))
                dot = np.zeros_like(y) if dot is None else dot
                return dot, dot

            _, found = scan(on, y_dot, (t, h, y))
            return np.concatenate([y_dot[None], found])

        return pushed

    def _dots(self, rest: Sequence[Any], dotted: Marks) -> list[Any]:
        remaining = iter(rest[self.free :])
        return [next(remaining) if mark else None for mark in dotted]

    @functools.cached_property
    def _beyond(self) -> Any:
        """Coefficients of R(z/2)² − R(z), for the function R by which a step multiplies y′ = zy."""
        method = self.method
        count = len(method.b)
        whole, power = np.zeros(count + 1), np.ones(count)
        whole[0] = 1.0
        for k in range(1, count + 1):
            whole[k] = method.b @ power
            power = method.a[:, : count - 1] @ power[: count - 1] if count > 1 else 0 * power
        half = whole * 0.5 ** np.arange(count + 1)
        found = np.polynomial.polynomial.polymul(half, half)
        found[: count + 1] -= whole
        found[: method.order + 1] = 0.0
        return np.trim_zeros(found, "b")

    def long(self, dotted: Marks) -> Callable[..., Any]:
        """Which steps are too long for derivatives, and the states in the midst of all of them.

        ``(t, h, y, scale, within, first, *free, *free_dots)``, where `scale` has the tolerances of
        all n + 1 states, `within` is the relative one, and `first` has deviations of the first
        state, of shape (m, d), in units of its tolerance.
        """

        def judged(
            t: Any, h: Any, y: Any, scale: Any, within: Any, first: Any, *rest: Any
        ) -> Any:
            free, dots = rest[: self.free], self._dots(rest, dotted)
            count = len(first)

            def on(carry: Any, x: Any) -> Any:
                (deviations, by_free), (t, h, y, start, end) = carry, x

                def step(y: Any, *free: Any) -> Any:
                    new, stages = self._step(t, h, y, free)
                    estimate = self.method.estimates[0]
                    if estimate[-1]:
                        stages = [*stages, self._f(t + h, new, free)]
                    return new, h * _combined(estimate, stages)

                def along(direction: Any) -> Any:
                    return pushforward(lambda y: step(y, *free), (y,), (direction,))[1]

                def curved(direction: Any) -> Any:
                    coefficients, out = self._beyond, 0.0
                    for k in range(len(coefficients) - 1, -1, -1):
                        if k < len(coefficients) - 1:
                            f_dot = pushforward(lambda y: self._f(t, y, free), (y,), (out,))[1]
                            out = np.zeros_like(y) if f_dot is None else h * f_dot
                        if coefficients[k]:
                            out = out + coefficients[k] * direction
                    return out

                both = np.concatenate([deviations, first * start])
                after, wrong = vmap(along)(both)
                errors = np.maximum(_sizes(wrong / end, count), _sizes(vmap(curved)(both) / end, count))
                sizes = np.maximum(_sizes(after / end, count), 1.0)
                is_long = (errors[0] > within * sizes[0]) | (errors[1] > STABLE * sizes[1])
                far = large = 0.0 * t
                if any(dotted):
                    _, (by_free, off) = pushforward(step, (y, *free), (by_free, *dots))
                    off = np.where(np.abs(off) > ROUNDING, off, 0.0)
                    far = np.max(np.abs(off / end))
                    large = np.max(np.abs(by_free / end))
                middle = self._step(t, h / 2, y, free)[0]
                return (after[:count], by_free), (is_long & (h != 0), far, large, middle)

            begin = first * scale[0], np.zeros_like(y[0])
            _, (is_long, far, large, middle) = scan(on, begin, (t, h, y, scale[:-1], scale[1:]))
            rough = (far > WITHIN * within * np.max(large)) & (h != 0)
            flags = is_long | rough
            return np.any(flags), flags, middle

        return judged

    def deviations(self, size: int) -> Any:
        """What `long` takes as `first`."""
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
