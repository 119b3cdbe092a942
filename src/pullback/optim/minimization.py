"""The bridge to SciPy's minimisers: any objective of a pytree, with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.optim.vectors import Vector, flatten
from pullback.transforms.arguments import name_of
from pullback.transforms.gradient import value_and_grad
from pullback.transforms.jacobian import hessian, hvp

__all__ = ["minimize"]

_GRADIENT_FREE = frozenset({"nelder-mead", "powell", "cobyla", "cobyqa"})
_HESSIAN_PRODUCT = frozenset({"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"})
_HESSIAN = frozenset({"dogleg", "trust-exact"})


def minimize(
    f: Callable[..., Any],
    params: Any,
    args: tuple[Any, ...] = (),
    *,
    method: str = "L-BFGS-B",
    bounds: tuple[Any, Any] | None = None,
    tol: float | None = None,
    options: dict[str, Any] | None = None,
    callback: Callable[[Any], Any] | None = None,
) -> Any:
    """Minimise a scalar function of a pytree with `scipy.optimize.minimize`.

    Value and gradient come from one reverse sweep. Newton-CG, trust-ncg, trust-krylov and
    trust-constr get exact Hessian-vector products, dogleg and trust-exact the Hessian.

    Parameters
    ----------
    f : callable
        ``f(params, *args)``, a real scalar.
    params : pytree
        Of real floating arrays: where to start.
    args : tuple
        Further arguments of `f`, which aren't differentiated.
    method : str
        A method of `scipy.optimize.minimize`, by its name there.
    bounds : pair of pytrees, optional
        Lower and upper bounds, each of the structure of `params` with arrays or scalars for
        leaves; `None` in place of either, or of a leaf, is no bound.
    tol : float, optional
    options : dict, optional
        As SciPy takes them, for example ``{"maxiter": 200}``.
    callback : callable, optional
        ``callback(params)`` after each iteration; it may raise `StopIteration` to end the search.

    Returns
    -------
    scipy.optimize.OptimizeResult
        As SciPy's, with `x` and `jac` as pytrees of the structure, shapes and dtypes of `params`.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where `params` isn't made of real floating arrays, a bound doesn't fit, or `f` isn't a real
        scalar.

    Notes
    -----
    SciPy works in double precision; `f` is evaluated in the dtypes of `params`. With single
    precision parameters line searches run into rounding early: choose `tol` accordingly.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> def rosenbrock(p):
    ...     return (1 - p["x"]) ** 2 + 100 * (p["y"] - p["x"] ** 2) ** 2
    >>> result = pb.optim.minimize(rosenbrock, {"x": np.array(-1.0), "y": np.array(1.0)})
    >>> round(float(result.x["x"]), 4), round(float(result.x["y"]), 4)
    (1.0, 1.0)
    """
    # SciPy's optimisers are loaded when they are first needed.
    from scipy import optimize

    if not isinstance(args, tuple):
        raise ArgumentTypeError(
            f"minimize of {name_of(f)}: args is a {type(args).__name__}, wanted a tuple; for a "
            "single argument write (argument,)"
        )
    start, unflatten = flatten(params)
    start = start.astype(np.float64)
    evaluate = value_and_grad(f)

    def value_and_gradient(vector: Vector) -> tuple[float, Vector]:
        value, gradient = evaluate(unflatten(vector), *args)
        return float(value), flatten(gradient)[0].astype(np.float64)

    def hessian_product(vector: Vector, direction: Vector) -> Vector:
        (product,) = hvp(lambda p: f(p, *args), (unflatten(vector),), (unflatten(direction),))
        return flatten(product)[0].astype(np.float64)

    derivatives: dict[str, Any] = {"jac": True}
    objective: Callable[..., Any] = value_and_gradient
    kind = method.lower()
    if kind in _GRADIENT_FREE:
        objective, derivatives = (lambda vector: float(f(unflatten(vector), *args))), {}
    elif kind in _HESSIAN_PRODUCT:
        derivatives["hessp"] = hessian_product
    elif kind in _HESSIAN:
        derivatives["hess"] = hessian(lambda vector: f(unflatten(vector), *args))

    result = optimize.minimize(
        objective,
        start,
        method=method,
        bounds=None if bounds is None else _bounds(bounds, params, start.size),
        tol=tol,
        options=options,
        callback=None if callback is None else lambda xk: callback(unflatten(xk)),
        **derivatives,
    )
    result.x = unflatten(result.x)
    if "jac" in result and np.shape(result.jac) == start.shape:
        result.jac = unflatten(result.jac)
    return result


def _bounds(bounds: Any, params: Any, size: int) -> Any:
    """Bounds on a pytree as SciPy's bounds on a vector."""
    from scipy import optimize

    if not isinstance(bounds, tuple) or len(bounds) != 2:
        raise ArgumentTypeError(
            f"minimize: bounds is a {type(bounds).__name__}, wanted a pair (lower, upper) of "
            "pytrees like params, None for no bound"
        )
    leaves, spec = trees.flatten(params)
    sides = []
    for name, side, missing in zip(("lower", "upper"), bounds, (-np.inf, np.inf), strict=True):
        parts = []
        where = f"minimize: the {name} bound"
        for leaf, bound in zip(leaves, trees.flatten_like(spec, side, where), strict=True):
            try:
                part = np.broadcast_to(missing if bound is None else bound, np.shape(leaf))
            except ValueError:
                raise ArgumentValueError(
                    f"{where} has a leaf of shape {np.shape(bound)}, wanted {np.shape(leaf)}, the "
                    "shape of the parameter, or a scalar"
                ) from None
            parts.append(np.ravel(part))
        sides.append(np.concatenate(parts).astype(np.float64))
    return optimize.Bounds(*sides)
