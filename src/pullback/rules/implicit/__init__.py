"""Solutions of equations, by the theorem on implicit functions: `implicit`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from pullback.core import trees
from pullback.core.running import runs, untraced
from pullback.core.shapes import is_inexact
from pullback.core.tracing import Tracer, strip
from pullback.core.validation import describe, name_of, require_function
from pullback.errors import ArgumentTypeError
from pullback.rules.implicit.examples import Examples, are_known, lifted
from pullback.rules.implicit.later import at_run_time, solved_later
from pullback.rules.implicit.polishing import anchored, polished
from pullback.rules.implicit.probes import Probe, RecordedFunction
from pullback.rules.implicit.vectors import Vector, joined
from pullback.transforms.arguments import require_array

__all__ = [
    "Examples", "Probe", "RecordedFunction", "Vector", "anchored", "are_known", "at_run_time",
    "implicit", "joined", "lifted", "polished", "solved_by",
]  # fmt: skip

P = ParamSpec("P")
R = TypeVar("R")


def implicit(condition: Callable[..., Any]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Give a solver the derivatives of the solution that a condition determines; a decorator.

    Parameters
    ----------
    condition : callable
        ``condition(solution, *args, **kwargs)``, with the arguments of the solver, returns arrays
        that vanish at the solution: a pytree with as many real numbers as the solution has, of
        any structure. It is written in NumPy, and may close over traced values.

    Returns
    -------
    callable
        The decorator. The function that it returns takes the arguments of the solver and returns
        what that does: a pytree of arrays, whose floating and complex leaves are what the condition
        determines; other leaves, such as a number of iterations, are constant.

    Raises
    ------
    ArgumentTypeError
        If `condition` is no function, or the solver returns what is no array.
    ArgumentValueError
        From the returned function while it is differentiated: if the condition has another number
        of components than the solution; if its derivative by the solution is singular there; if
        Newton's step from what the solver returned is longer than a hundredth of the solution (or
        than 0.01, where that is below 1), so that it is none.
    DataDependenceError
        While a graph is recorded, where the shapes of what the solver returns can't be found out,
        or the condition closes over a value of the graph: make that an argument.

    See Also
    --------
    primitive : for a function whose derivative is known as a formula.

    Notes
    -----
    The solver is called with plain arrays, as if nothing were differentiated, once for each example
    under `vmap`. It may do anything, and the value is what it returns, to the bit. With
    F(z, p) = 0, ∂z/∂p = −(∂F/∂z)⁻¹ ∂F/∂p, and derivatives of every order and in every mode follow
    from the condition alone; they are taken at the solution near to what the solver returned, which
    Newton's method finds, so that they do not depend on how exactly it was solved.

    Each derivative costs evaluations of the condition, its Jacobian ∂F/∂z, one inversion of that
    matrix of n×n for n unknowns, and a product for each order. For more than 1000 unknowns products
    with the Jacobian are handed to GMRES instead. A fixed point z = g(z, p) has the condition
    z − g(z, p), a minimum of f the condition ∂f/∂z.

    In a graph (`trace`, loops, `compile`) the call is one equation, and so is each derivative of
    it: solver and condition are evaluated when the graph runs. What shapes come out is found out by
    one call of the solver on ones.

    Source: A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapter 15;
    for the iteration B. Christianson, Optimization Methods and Software 9 (1998) 307–322.

    Examples
    --------
    A root that an own loop finds:

    >>> import numpy as np
    >>> import pullback as pb
    >>> @pb.implicit(lambda x, a: x**3 + x - a)
    ... def root(a):
    ...     x = 0.0
    ...     for _ in range(50):
    ...         x -= (x**3 + x - a) / (3 * x**2 + 1)
    ...     return x
    >>> float(root(2.0)), float(pb.grad(root)(2.0)), float(pb.grad(pb.grad(root))(2.0))
    (1.0, 0.25, -0.09375)

    A fixed point, of a network that is applied until nothing changes:

    >>> def layer(z, W, b):
    ...     return np.tanh(W @ z + b)
    >>> @pb.implicit(lambda z, W, b: z - layer(z, W, b))
    ... def equilibrium(W, b):
    ...     z = np.zeros_like(b)
    ...     while np.max(np.abs(z - layer(z, W, b))) > 1e-10:
    ...         z = layer(z, W, b)
    ...     return z
    >>> W, b = np.array([[0.1, 0.2], [-0.3, 0.4]]), np.array([0.5, -0.5])
    >>> pb.grad(lambda b: np.sum(equilibrium(W, b)))(b).round(4)
    array([0.7438, 0.6961])

    A minimum, and the multiplier of an equation that it obeys, as a dict:

    >>> def stationary(s, a):
    ...     x, m = s["x"], s["m"]
    ...     return {"gradient": 2 * (x - a) + m, "equation": np.sum(x) - 1}
    >>> @pb.implicit(stationary)
    ... def nearest(a):
    ...     m = 2 * (np.sum(a) - 1) / a.size
    ...     return {"x": a - m / 2, "m": m}
    >>> pb.jacobian(lambda a: nearest(a)["x"])(np.array([3.0, 1.0]))
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    require_function(condition, "implicit", "condition", "@pullback.implicit(condition)")

    def decorate(solver: Callable[P, R]) -> Callable[P, R]:
        require_function(solver, "implicit", "solver", "@pullback.implicit(condition) above it")
        where = f"implicit: {name_of(solver)}"

        @functools.wraps(solver)
        def solved(*args: P.args, **kwargs: P.kwargs) -> R:
            if not runs():
                return solver(*args, **kwargs)
            out: R = solved_by(condition, solver, args, kwargs, where)
            return out

        return solved

    return decorate


def solved_by(
    condition: Callable[..., Any], solver: Callable[..., Any], args: Any, kwargs: Any, where: str
) -> Any:
    """What a solver returns for traced arguments, with the derivatives by a condition."""
    given, form = trees.flatten((args, kwargs), where)
    if not are_known(given):

        def again(leaves: Sequence[Any]) -> Any:
            args, kwargs = trees.unflatten(form, leaves)
            return solved_by(condition, solver, args, kwargs, where)

        def solve(leaves: Sequence[Any]) -> Any:
            args, kwargs = trees.unflatten(form, leaves)
            return solver(*args, **kwargs)

        return solved_later(again, solve, given, where)
    examples = Examples(given, where)
    found: list[list[Any]] = []
    for example in examples:
        plain_args, plain_kwargs = trees.unflatten(form, [examples.one(x, example) for x in given])
        leaves, spec = trees.flatten(untraced(solver, plain_args, plain_kwargs), where)
        found.append([_plain(x, where) for x in leaves])
    together = [examples.together(values) for values in zip(*found, strict=True)]
    unknown = [i for i, x in enumerate(together) if is_inexact(x)]
    vector = Vector([found[0][i] for i in unknown])

    def residual(z: Any) -> Any:
        leaves = list(together)
        for i, x in zip(unknown, vector.leaves(z), strict=True):
            leaves[i] = x
        value = condition(trees.unflatten(spec, leaves), *args, **kwargs)
        parts = trees.flatten(value, f"{where}: the condition")[0]
        return joined([require_array(x, f"{where}: the condition") for x in parts])

    stacked = np.stack([joined([values[i] for i in unknown]) for values in found])
    solution = polished(residual, stacked, examples, where)
    for i, x in zip(unknown, vector.leaves(solution), strict=True):
        together[i] = x
    return trees.unflatten(spec, together)


def _plain(x: Any, where: str) -> Any:
    x = strip(x) if type(x) is Tracer else x
    if isinstance(x, np.ndarray | np.generic | bool | int | float | complex):
        return x
    raise ArgumentTypeError(
        f"{where} returned {describe(x)}, wanted an array or a number, or a pytree of them"
    )
