"""One step of a method for differential equations, for many steps at once, and its slope.

A step takes states yₖ at times tₖ to those at tₖ + hₖ. It is prepared on plain numbers: its slopes
∂y(t + h)/∂y, how much these can be trusted, and, where stages are the solution of equations, these
solutions. After that it is taken in traced arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import scipy.integrate

from pullback.core.running import untraced
from pullback.core.shapes import shape_of
from pullback.errors import ArgumentValueError
from pullback.rules.custom import stop_gradient
from pullback.scipy.integrate.fields import Field, known_slopes
from pullback.scipy.integrate.values import Ground

__all__ = ["Explicit", "Implicit", "Prepared", "along", "explicit"]


class Prepared(NamedTuple):
    """Steps that can be taken.

    Attributes
    ----------
    first : array of shape (n, d)
        The states after the steps, from the plain ones.
    take : callable
        From states of shape (n, d), traced, to those after the steps.
    slopes : array of shape (..., n, d, d)
        ∂y(t + h)/∂y as plain numbers, with examples along axes in front.
    errors : tuple of arrays of the same shape
        About how wrong these are, in one way or another.
    wrong : callable
        Gives about what `first` is wrong by, traced.
    halfway : callable
        Gives plain states in the midst of the steps, of shape (..., n, d).
    """

    first: Any
    take: Callable[[Any], Any]
    slopes: Any
    errors: Any
    wrong: Callable[[], Any]
    halfway: Callable[[], Any]


class Explicit:
    """A Runge–Kutta method with SciPy's coefficients."""

    is_damped = False

    def __init__(self, solver: Any) -> None:
        count = solver.n_stages
        self.a = solver.A[:count, :count]
        self.b, self.c = solver.B[:count], solver.C[:count]
        self.order: int = solver.order
        self.estimates = [solver.E5, solver.E3] if hasattr(solver, "E5") else [solver.E]

    def step(self, field: Field, t: Any, y: Any, h: Any) -> tuple[Any, Any, list[Any]]:
        """The states after the steps, and where and what the right-hand side is at the stages."""
        across = h[:, None]
        points, stages = [y], [field.at(t, y)]
        for row, c in zip(self.a[1:], self.c[1:], strict=True):
            points.append(y + across * _combined(row, stages))
            stages.append(field.at(t + c * h, points[-1]))
        return y + across * _combined(self.b, stages), points, stages

    def taken(self, field: Field, t: Any, y: Any, h: Any, ground: Ground, guess: Any) -> Any:
        """Steps from traced states, which nothing is known of."""
        return self.step(field, t, y, h)[0]

    def prepared(
        self, field: Field, t: Any, y: Any, h: Any, ground: Ground, guess: Any
    ) -> Prepared:
        """Steps from plain states."""
        count, size = shape_of(y)
        new, points, stages = self.step(field, t, y, h)
        points.append(new)
        times = np.concatenate([t + c * h for c in (*self.c, 1.0)])
        states = ground.lift(ground.plain(np.concatenate(points)))
        f_slopes = known_slopes(field, times, states, ground)
        *front, _, _, _ = f_slopes.shape
        f_slopes = f_slopes.reshape(*front, len(points), count, size, size)
        lengths = ground.plain(h)[..., None, None]
        each = [f_slopes[..., number, :, :, :] for number in range(len(points))]
        slope, by_stage = self._slope(each, lengths)
        errors = [lengths * _weighted(row, by_stage) for row in self.estimates]
        if len(errors) > 1:  # Hairer's estimate from one of fifth and one of third order
            fifth, third = (np.abs(each) for each in errors)
            norm = np.hypot(fifth, 0.1 * third)
            errors = [np.divide(fifth**2, norm, out=np.zeros_like(norm), where=norm > 0)]

        # Estimates have zeros; so two halves of the step are compared too, with constant slopes.
        begin = each[:1] * len(each)
        whole, half = (self._slope(begin, length)[0] for length in (lengths, lengths / 2))

        def halfway() -> Any:
            return ground.plain(self.step(field, t, y, h / 2)[0])

        def take(y: Any) -> Any:
            return self.step(field, t, y, h)[0]

        def wrong() -> Any:
            last = [*stages, field.at(t + h, new)] if self.estimates[0][-1] else stages
            return h[:, None] * _combined(self.estimates[0], last)

        return Prepared(new, take, slope, (errors[0], half @ half - whole), wrong, halfway)

    def _slope(self, f_slopes: list[Any], lengths: Any) -> tuple[Any, list[Any]]:
        """∂y(t + h)/∂y, and those of the right-hand side at each stage."""
        by_state: Any = np.eye(f_slopes[0].shape[-1])
        by_stage: list[Any] = []
        for f_slope, row in zip(f_slopes, (*self.a, self.b), strict=True):
            by_state = np.eye(f_slope.shape[-1]) + lengths * _weighted(row, by_stage)
            by_stage.append(f_slope @ by_state)
        return by_state, by_stage


def _weighted(row: Any, arrays: list[Any]) -> Any:
    return sum((a * x for a, x in zip(row, arrays, strict=False) if a), np.zeros(()))


def _combined(row: Any, stages: list[Any]) -> Any:
    used = [k for a, k in zip(row, stages, strict=False) if a]
    return np.tensordot(row[row != 0], np.stack(used), axes=1)


def along(field: Field, t: Any, y: Any, by: Any, order: int) -> Any:
    """States of shape (n, d) at times t, as they are at t + by, with a by that is 0 and traced."""
    return explicit(order, field.name).step(field, t, y, by)[0]


def explicit(order: int, name: str) -> Explicit:
    """A Runge–Kutta method of at least this order, for steps of no length.

    To that order it has all derivatives of the solution, with respect to the length too.
    """
    for solver in (scipy.integrate.RK23, scipy.integrate.RK45, scipy.integrate.DOP853):
        if solver.order >= order:
            return Explicit(solver)
    raise ArgumentValueError(
        f"{name}: times are differentiated {order} times, wanted at most "
        f"{scipy.integrate.DOP853.order}"
    )


_ROOT = np.sqrt(6.0)
_A = np.array(
    [
        [(88 - 7 * _ROOT) / 360, (296 - 169 * _ROOT) / 1800, (-2 + 3 * _ROOT) / 225],
        [(296 + 169 * _ROOT) / 1800, (88 + 7 * _ROOT) / 360, (-2 - 3 * _ROOT) / 225],
        [(16 - _ROOT) / 36, (16 + _ROOT) / 36, 1 / 9],
    ]
)
_C = np.array([(4 - _ROOT) / 10, (4 + _ROOT) / 10, 1.0])
_ROUNDS = 12


class Implicit:
    """Radau's method of order 5 (Hairer and Wanner II, IV.8): it is right for stiff equations.

    The stages z solve z = hA f(t + ch, y + z), by Newton's method on plain numbers. In traced
    arithmetic as many rounds of it with the matrix that is known give derivatives of as many
    orders.
    """

    is_damped = True

    def __init__(self, order: int) -> None:
        self.rounds = max(order, 1)

    def taken(self, field: Field, t: Any, y: Any, h: Any, ground: Ground, guess: Any) -> Any:
        """Steps from traced states, which nothing is known of."""
        return self._solved(field, t, stop_gradient(y), h, ground, guess).take(y)

    def prepared(
        self, field: Field, t: Any, y: Any, h: Any, ground: Ground, guess: Any
    ) -> Prepared:
        """Steps from plain states."""
        whole = self._solved(field, t, y, h, ground, guess)
        first = self._solved(field, t, y, h / 2, ground, guess)
        middle = first.first
        second = self._solved(field, t + h / 2, stop_gradient(middle), h / 2, ground, guess)
        twice = second.slopes @ first.slopes
        return whole._replace(
            errors=(twice - whole.slopes,),
            wrong=lambda: second.take(middle) - whole.first,
            halfway=lambda: ground.plain(middle),
        )

    def _solved(self, field: Field, t: Any, y: Any, h: Any, ground: Ground, guess: Any) -> Prepared:
        count, size = shape_of(y)
        plain, lift = ground.plain, ground.lift
        times = np.reshape(t[:, None] + h[:, None] * _C, (-1,))

        def residual(y: Any, z: Any, field: Field = field) -> Any:
            """z − hA f(y + z) for z of shape (n, 3, d)."""
            states = np.reshape(y[:, None, :] + z, (-1, size))
            f = np.reshape(field.at(times, states), (count, 3, size))
            return z - h[:, None, None] * (_A @ f)

        def known_residual(z: Any) -> Any:
            if field.known is None:
                return plain(residual(y, z))
            return untraced(residual, (base, z, field.known), {})

        lengths = plain(h)
        base = plain(y)
        z_plain = guess(plain(t[:, None] + h[:, None] * _C)) - base[..., None, :]
        for _ in range(_ROUNDS):
            z = lift(z_plain)
            states = np.reshape(y[:, None, :] + z, (-1, size))
            f_slopes = known_slopes(field, times, states, ground)
            f_slopes = f_slopes.reshape(*base.shape[:-1], 3, size, size)
            coupling = np.einsum("...,ij,...jab->...iajb", lengths, _A, f_slopes)
            coupling = coupling.reshape(*base.shape[:-1], 3 * size, 3 * size)
            inverse = np.linalg.inv(np.eye(3 * size) - coupling)
            wrong = known_residual(z).reshape(*base.shape[:-1], 3 * size, 1)
            change = (inverse @ wrong).reshape(z_plain.shape)
            z_plain = z_plain - change
            scale = np.abs(base[..., None, :]) + np.abs(z_plain)
            if np.all(np.abs(change) <= 1e-10 * scale + 1e-13 * np.max(scale, initial=0.0)):
                break
        else:
            raise ArgumentValueError(
                f"{field.name}: the equations of an implicit step are not solved to rounding by "
                f"{_ROUNDS} rounds of Newton's method, which its derivative takes; ask for smaller "
                "rtol and atol, or give max_step"
            )
        z_known, inverse_known = lift(z_plain), lift(inverse)
        y_known = y

        def take(y: Any) -> Any:
            z = z_known
            settled = stop_gradient(residual(stop_gradient(y_known), z_known))
            for _ in range(self.rounds):
                wrong = np.reshape(residual(y, z) - settled, (count, 3 * size, 1))
                z = z - np.reshape(inverse_known @ wrong, (count, 3, size))
            return y + z[:, 2]

        by_state = coupling.reshape(*base.shape[:-1], 3 * size, 3, size).sum(axis=-2)
        slope = np.eye(size) + (inverse @ by_state)[..., 2 * size :, :]
        return Prepared(take(y), take, slope, (), lambda: y, lambda: base)
