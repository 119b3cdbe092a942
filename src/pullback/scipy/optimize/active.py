"""Bounds and constraints at a minimum: which of them hold it, and the equations that follow.

With the constraints c_j that are active, f − Σ λ_j c_j is stationary and the c_j vanish: equations
for the minimum and the multipliers λ. A constraint that is touched, but does not hold the minimum
(λ = 0), makes it a function with a kink of what it depends on, and is refused.

Source: A. V. Fiacco, *Introduction to Sensitivity and Stability Analysis in Nonlinear Programming*,
Academic Press 1983, chapter 3; J. Nocedal and S. Wright, *Numerical Optimization*, 2nd ed.,
Springer 2006, section 12.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint

from pullback.core.tracing import strip
from pullback.errors import ArgumentValueError
from pullback.numpy.operands import operand
from pullback.rules.custom import stop_gradient
from pullback.scipy.optimize.calls import Call, real
from pullback.transforms.gradient import grad
from pullback.transforms.jacobian import jacobian

__all__ = ["Side", "applied", "bound_sides", "constraint_sides", "in_pairs", "stationary"]

_NEAR = 1e-5
"""How far inside a bound, relative to its size, a minimum is held by it at most."""

_WEAK = 1e-6
"""Up to which size, relative to the largest slope there, a multiplier holds nothing."""

Function = Callable[[Any], Any]


class Side(NamedTuple):
    """A vector of functions of x that are at least 0 where x is allowed, and 0 where `equal`."""

    values: Function
    equal: Any = False


def bound_sides(bounds: Any) -> Iterator[Side]:
    """The sides of bounds: a `Bounds`, or pairs of numbers, `None` and infinity for none."""
    if bounds is None:
        return
    if isinstance(bounds, Bounds):
        yield Side(lambda x: x - bounds.lb)
        yield Side(lambda x: bounds.ub - x)
        return
    low, high = (_column(bounds, k, none) for k, none in ((0, -np.inf), (1, np.inf)))
    yield Side(lambda x: x - low)
    yield Side(lambda x: high - x)


def in_pairs(bounds: Any, shape: tuple[int, ...]) -> Any:
    """Lower and upper bounds, each a number or an array, as pairs; a `Bounds` as it is."""
    if isinstance(bounds, Bounds):
        return bounds
    return [*zip(*(np.broadcast_to(operand(x), shape) for x in bounds), strict=True)]


def _column(bounds: Any, column: int, none: float) -> Any:
    entries = [pair[column] for pair in bounds]
    return np.stack([none if x is None else x for x in entries])


def constraint_sides(constraints: Any) -> Iterator[Side]:
    """The sides of constraints, in any of the forms that SciPy takes."""
    if isinstance(constraints, dict | LinearConstraint | NonlinearConstraint):
        constraints = (constraints,)
    for each in constraints:
        if isinstance(each, dict):
            yield Side(applied(each["fun"], each.get("args", ())), each["type"].lower() == "eq")
            continue
        values = _product(each.A) if isinstance(each, LinearConstraint) else applied(each.fun, ())
        yield from _between(values, each.lb, each.ub)


def applied(function: Function, args: Any) -> Function:
    """A constraint as a vector that is a function of x alone."""
    args = args if isinstance(args, tuple) else (args,)
    return lambda x: real(function(x, *args))


def _product(matrix: Any) -> Function:
    return lambda x: matrix @ x


def _between(values: Function, low: Any, high: Any) -> Iterator[Side]:
    """low ≤ values ≤ high, an equation where both are equal."""
    same = strip(stop_gradient(low)) == strip(stop_gradient(high))
    yield Side(lambda x: values(x) - low, same)
    yield Side(lambda x: np.where(same, 1.0, high - values(x)))


def stationary(
    call: Call, objective: Function, sides: Sequence[Side], found: Sequence[Any]
) -> tuple[Function, list[Any]]:
    """Equations for the minimum, and the multipliers of what holds it, with what was found.

    Returns
    -------
    condition : callable
        Of a vector of the minimum and the multipliers.
    found : list of array
        That vector for each example, plain.
    """
    n = found[0].size
    held = _held(call, objective, sides, found) if sides else None
    if held is None:
        return (lambda z: grad(objective)(z)), list(found)
    places, active, multipliers = held
    mask = call.examples.together([*active])

    def values(x: Any) -> Any:
        return np.concatenate([real(side.values(x))[which] for side, which in places])

    def condition(z: Any) -> Any:
        x, weights = z[:n], z[n:]

        def lagrangian(x: Any) -> Any:
            return objective(x) - np.sum(np.where(mask, weights * values(x), 0.0))

        return grad(lagrangian)(x), np.where(mask, values(x), weights)

    return condition, [np.concatenate(each) for each in zip(found, multipliers, strict=True)]


def _held(
    call: Call, objective: Function, sides: Sequence[Side], found: Sequence[Any]
) -> tuple[list[tuple[Side, Any]], Any, Any] | None:
    """Which elements of which sides hold the minimum of an example, in which, and how strongly.

    Returns
    -------
    places : list of (Side, indices)
        Of those that hold some example.
    active : array of bool, of shape (examples, elements of all places)
    multipliers : array of the same shape
        0 where it is not active.
    """

    def plain(x: Any) -> Any:
        detached = stop_gradient(x)
        return np.stack([call.examples.one(detached, each) for each in call.examples])

    x = call.examples.together(found)
    size = 1 + np.max(np.abs(found), axis=-1, keepdims=True)
    places, active, rows, may_rest = [], [], [], []
    for side in sides:
        values = plain(real(side.values(x)))
        equal = np.broadcast_to(side.equal, values.shape[1:])
        with np.errstate(invalid="ignore"):
            near = equal | (values <= _NEAR * size)  # or it is violated a little
        which = np.flatnonzero(near.any(axis=0))
        if which.size:
            places.append((side, which))
            active.append(near[:, which])
            may_rest.append(~equal[which])
            slopes = jacobian(lambda x, side=side: real(side.values(x)))(x)
            rows.append(plain(slopes)[:, which])
    if not places:
        return None
    holds, inequality = np.concatenate(active, axis=1), np.concatenate(may_rest)
    slope, normals = plain(grad(objective)(x)), np.concatenate(rows, axis=1)
    multipliers = np.zeros(holds.shape)
    for k, each in enumerate(holds):
        multipliers[k, each] = np.linalg.lstsq(normals[k, each].T, slope[k], rcond=None)[0]
    strength = multipliers * np.linalg.norm(normals, axis=-1)
    least = _WEAK * (1 + np.max(np.abs(slope), axis=-1, keepdims=True))
    weak = int(np.sum(holds & inequality & ~(strength > least)))
    if weak:
        raise ArgumentValueError(
            f"{call.where}: the minimum touches {weak} of the bounds or inequalities without being "
            "held by them (their multipliers vanish), so that it has a kink there as a function of "
            "what it depends on, and no derivative. Leave them out, or move them a little"
        )
    return places, holds, multipliers
