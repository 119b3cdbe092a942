"""Solutions of equations as functions of what the equations depend on.

A solver has found z₀ on plain numbers, so that F(z₀, p) ≈ 0. With a constant P = (∂F/∂z)⁻¹ the
iteration z ← z − P(F(z, p) − F(z₀, p₀)), in traced arithmetic, leaves the value at z₀, and each
round of it makes one more order of the derivatives by p those of the solution: what is wrong in z
is multiplied by 1 − P ∂F/∂z, which vanishes at (z₀, p₀). So there are as many rounds as derivatives
are nested, and F may close over what it depends on: nobody needs to know what that is.

Source: B. Christianson, *Reverse accumulation and implicit functions*, Optimization Methods and
Software 9 (1998) 307–322, for the first order; the theorem on implicit functions, and that Newton's
iteration with a fixed matrix gains an order of a power series in each step, for the others.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.tracing import strip
from pullback.errors import ArgumentValueError, DataDependenceError
from pullback.rules.custom import stop_gradient
from pullback.rules.implicit.examples import Examples, are_known, depth
from pullback.transforms.jacobian import jacobian

__all__ = ["DENSE", "WORST", "anchored", "polished", "singular"]

DENSE = 1000
"""Up to so many unknowns the Jacobian is a matrix; for more there are its products alone."""

_ROUNDS = 8
"""How often a solution is improved, at most, before its derivative is taken there."""

FAR = 1e-2
"""The largest relative distance of what a solver has found from the solution, by Newton's step."""

_ROUNDING = 1e-14
"""A solution that was improved by less is as good a place for ∂F/∂z as the one after it."""

WORST = 0.1 / float(np.finfo(float).eps)
"""From this condition number on, ∂F/∂z is taken for singular."""

Residual = Callable[[Any], Any]

Inverse = Callable[[Residual, Any, Examples, str], Callable[[Any], Any]]


def polished(
    residual: Residual,
    found: Any,
    examples: Examples,
    where: str,
    inverse: Inverse | None = None,
) -> Any:
    """What a solver has found, with the derivatives of the solution.

    Parameters
    ----------
    residual : callable
        F(z), a vector of as many real numbers as z has, which vanishes at the solution. It may
        close over traced values.
    found : array of shape (number of examples, n)
        The z of each example, plain.
    examples : Examples
    where : str
        The function that has solved, for messages.
    inverse : callable, optional
        ``inverse(residual, z, examples, where)`` gives (∂F/∂z)⁻¹ at z as a linear function, for
        equations of a known structure. By default it is an inverse matrix, or GMRES.

    Returns
    -------
    array of shape (n,)
        Of the value that was found, to the bit. The derivatives are those at the solution that
        Newton's method finds from there, so that they are more accurate than a solver that was
        content with less.

    Raises
    ------
    ArgumentValueError
        If ∂F/∂z is singular, or Newton's step says that this is no solution.
    """
    z = examples.lifted(found)
    value = residual(z)
    if not are_known((value,)):
        raise DataDependenceError(
            f"{where}: the condition closes over a value that is not known, because a graph is "
            "being recorded; make that an argument of the solver and of the condition"
        )
    followed = depth(value)
    if not followed or not found.shape[-1]:
        return z
    inverse = inverse or _inverse
    step = inverse(residual, z, examples, where)
    z, step = _improved(residual, z, step, examples, where, inverse)
    first = None
    out = z
    for _ in range(followed):
        value = residual(out)
        first = stop_gradient(value) if first is None else first
        out = out - step(value - first)
    return anchored(examples.lifted(found), out)


def anchored(value: Any, x: Any) -> Any:
    """What has this value, to the bit, and the derivatives of `x`."""
    return value + (x - stop_gradient(x))


def _improved(
    residual: Residual,
    z: Any,
    step: Callable[[Any], Any],
    examples: Examples,
    where: str,
    inverse: Inverse,
) -> tuple[Any, Callable[[Any], Any]]:
    """The solution near z to rounding, if Newton's method finds it, and (∂F/∂z)⁻¹ there."""
    size = np.inf
    for count in range(_ROUNDS):
        change = strip(step(stop_gradient(residual(z))))
        moved = np.max(
            np.linalg.norm(change, axis=-1) / (1e-300 + np.linalg.norm(strip(z), axis=-1))
        )
        far = np.max(np.linalg.norm(change, axis=-1) / (1 + np.linalg.norm(strip(z), axis=-1)))
        if not count and not far <= FAR:
            raise ArgumentValueError(
                f"{where}: the solver has stopped where the condition does not hold: Newton's step "
                f"from there has {far:.1g} of the solution's size, wanted at most {FAR}. Let it "
                "take more iterations, ask for a smaller tolerance, or begin nearer to the solution"
            )
        if not moved < 0.5 * size:  # it has converged as far as rounding lets it
            break
        size = moved
        z = stop_gradient(examples.lifted(_flat(strip(z) - change)))
        if moved > _ROUNDING:
            step = inverse(residual, z, examples, where)
    return z, step


def _flat(values: Any) -> Any:
    return values.reshape(-1, values.shape[-1])


def _inverse(residual: Residual, z: Any, examples: Examples, where: str) -> Callable[[Any], Any]:
    """(∂F/∂z)⁻¹ at z, which is constant, as a linear function."""
    if z.shape[-1] > DENSE and not examples.batches:
        # It takes SciPy, which pullback does not import by itself.
        products = importlib.import_module("pullback.rules.implicit.products")
        return products.inverse(residual, z, where)  # type: ignore[no-any-return]
    matrix = strip(stop_gradient(jacobian(residual)(z)))
    n = z.shape[-1]
    if matrix.shape[-2:] != (n, n):
        raise ArgumentValueError(
            f"{where}: the condition has {matrix.shape[-2]} components for a solution of {n}, "
            "wanted as many"
        )
    matrix = np.broadcast_to(matrix, (*(each.size for each in examples.batches), n, n))
    inverse = examples.lifted(_inverses(matrix.reshape(-1, n, n), where))
    return lambda r: np.matmul(inverse, r)


def _inverses(matrices: Any, where: str) -> Any:
    """Inverses of stacked matrices, which are scaled so that rows and columns are of size one."""
    with np.errstate(all="ignore"):
        rows = np.max(np.abs(matrices), axis=-1, keepdims=True)
        scaled = matrices / rows
        columns = np.max(np.abs(scaled), axis=-2, keepdims=True)
        scaled = scaled / columns
        try:
            inverses = np.linalg.inv(scaled)
        except np.linalg.LinAlgError:
            inverses = np.full_like(scaled, np.nan)
        conditions = np.linalg.norm(scaled, 1, axis=(-2, -1)) * np.linalg.norm(
            inverses, 1, axis=(-2, -1)
        )
    if not np.all(conditions < WORST):
        raise singular(where, matrices.shape[-2:])
    return inverses / np.swapaxes(columns, -1, -2) / np.swapaxes(rows, -1, -2)


def singular(where: str, shape: tuple[int, ...]) -> ArgumentValueError:
    """The error that ∂F/∂z, of this shape, has no inverse."""
    return ArgumentValueError(
        f"{where}: the derivative of the condition by the solution, of shape {shape}, is singular "
        "or not finite at the solution, so that the solution is not isolated, or is no "
        "differentiable function of what the condition depends on. Add an equation, or a term, "
        "that determines it; or detach the result with pullback.stop_gradient"
    )
