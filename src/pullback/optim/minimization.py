"""The bridge to SciPy's minimisers: any objective of a pytree, with exact derivatives."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.validation import (
    describe,
    name_of,
    refuse,
    require_callable,
    require_flag,
    require_function,
    require_mapping,
    require_number,
    require_word,
    shown,
)
from pullback.errors import ArgumentTypeError, ArgumentValueError, PullbackError
from pullback.optim.curvature import Curvature, sparse_curvature
from pullback.optim.vectors import Vector, flatten
from pullback.sparse.matrices import sparse_hessian
from pullback.transforms.foreign import by_position
from pullback.transforms.gradient import value_and_grad
from pullback.transforms.jacobian import hessian, hvp

__all__ = ["METHODS", "Derivatives", "minimize", "minimizer", "searched"]

METHODS = (
    "Nelder-Mead", "Powell", "CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "COBYLA", "COBYQA",
    "SLSQP", "trust-constr", "dogleg", "trust-ncg", "trust-exact", "trust-krylov",
)  # fmt: skip
"""The methods of `scipy.optimize.minimize`."""

_GRADIENT_FREE = frozenset({"nelder-mead", "powell", "cobyla", "cobyqa"})
_HESSIAN_PRODUCT = frozenset({"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"})
_HESSIAN = frozenset({"dogleg", "trust-exact"})


def minimize(  # noqa: PLR0913
    f: Callable[..., Any],
    params: Any,
    args: tuple[Any, ...] = (),
    *,
    method: str = "L-BFGS-B",
    bounds: tuple[Any, Any] | None = None,
    tol: float | None = None,
    options: dict[str, Any] | None = None,
    callback: Callable[[Any], Any] | None = None,
    compile: bool = False,
    sparse: bool | None = None,
) -> Any:
    """Minimise a scalar function of a pytree with `scipy.optimize.minimize`.

    Value and gradient come from one reverse sweep. Newton-CG, trust-ncg, trust-krylov and
    trust-constr get exact Hessian-vector products, dogleg and trust-exact the Hessian. Where that
    is sparse, its entries are found by a few products; see `pullback.sparse_hessian`.

    Parameters
    ----------
    f : callable
        ``f(params, *args)``, a real scalar.
    params : pytree
        Of real floating arrays: where to start.
    args : tuple
        Further arguments of `f`, which aren't differentiated; they are handed on as they are.
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
    compile : bool
        Whether `f` and its derivatives are compiled by `pullback.compile`; it is recorded then, and
        not called again.
    sparse : bool, optional
        Whether methods that use second derivatives get them from a sparse Hessian, for which `f` is
        recorded once. By default where there are at least 100 unknowns, `f` can be recorded and few
        products give all entries.

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
    require_function(f, "minimize", usage="pullback.optim.minimize(f, params)")
    require_callable(f, "minimize", "f", "a function of params")
    where = f"minimize of {name_of(f)}"
    if not isinstance(args, tuple):
        raise ArgumentTypeError(
            f"{where}: args is {describe(args)}, wanted a tuple; for a single argument write "
            "(argument,)"
        )
    method = minimizer(method)
    follow = None
    if callback is not None:
        told = require_callable(callback, where, "callback", "a function or None")
        follow = lambda params, value: told(params)  # noqa: E731
    sparse = None if sparse is None else require_flag(sparse, where, "sparse")
    derivatives = Derivatives(f, require_flag(compile, where, "compile"), sparse)
    return searched(
        derivatives, params, args, method, follow, bounds=bounds, tol=tol, options=options
    )


class Derivatives:
    """A function of a pytree, its gradient and its Hessian, compiled or not.

    Parameters
    ----------
    f : callable
    compile : bool
    sparse : bool, optional
        Whether there is a sparse Hessian; by default where it pays.

    Attributes
    ----------
    value, value_and_grad : callable
    hvp : callable
        ``hvp(params, direction, *args)``, the Hessian times a direction, a pytree.
    curvature : callable
        The Hessian as a matrix, by the elements of `flatten`.
    """

    def __init__(
        self, f: Callable[..., Any], compile: bool = False, sparse: bool | None = False
    ) -> None:
        self.f = f
        self._sparse = sparse
        self._compile = compile
        self.value = self._made(f)
        self.value_and_grad = self._made(value_and_grad(f))
        self.curvature = self._made(lambda p, *args: self._second(p)(flatten(p)[0], *args))
        self.hvp = self._made(lambda p, d, *args: hvp(lambda p: f(p, *args), (p,), (d,))[0])

    def matrix(self, params: Any, args: tuple[Any, ...]) -> Callable[..., Any] | None:
        """The Hessian as a sparse matrix, a function of parameters like these, if it is to be one.

        The further arguments are what they are now.
        """

        def function(p: Any) -> Any:
            return self.f(p, *args)

        if self._sparse is None:
            found = sparse_curvature(function, params)
        else:
            found = sparse_hessian(function, params) if self._sparse else None
        return None if found is None else self._made(found)

    def _second(self, params: Any) -> Callable[..., Any]:
        """The Hessian by the elements of a vector, of which parameters like these are made."""
        unflatten = flatten(params)[1]
        return hessian(lambda vector, *args: self.f(unflatten(vector), *args))

    def _made(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if not self._compile:
            return function
        # The compiler is loaded when it is asked for: LLVM takes a moment.
        compiler = importlib.import_module("pullback.compiler.compiled")
        return compiler.compile(function)  # type: ignore[no-any-return]


def searched(
    derivatives: Derivatives,
    params: Any,
    args: tuple[Any, ...],
    method: str,
    follow: Callable[[Any, float], Any] | None = None,
    *,
    bounds: tuple[Any, Any] | None = None,
    tol: float | None = None,
    options: dict[str, Any] | None = None,
) -> Any:
    """What `minimize` does, with ``follow(params, value)`` after each iteration."""
    # SciPy's optimisers are loaded when they are first needed.
    from scipy import optimize

    where = f"minimize of {name_of(derivatives.f)}"
    start, unflatten = flatten(params)
    start = start.astype(np.float64)
    latest: list[tuple[Vector, float]] = []

    def remembered(vector: Vector, value: float) -> float:
        # Of a line search, one of the latest points is where the iteration ends.
        latest.append((vector.copy(), value))
        del latest[:-8]
        return value

    def value_and_gradient(vector: Vector) -> tuple[float, Vector]:
        value, gradient = derivatives.value_and_grad(unflatten(vector), *args)
        return remembered(vector, float(value)), flatten(gradient)[0].astype(np.float64)

    def value_alone(vector: Vector) -> float:
        value = by_position(derivatives.value(unflatten(vector), *args), f"{where}: what f returns")
        if value.shape != () or value.dtype.kind not in "biuf":
            raise refuse(where, "what f returns", value, "a real floating scalar")
        return remembered(vector, float(value))

    def hessian_product(vector: Vector, direction: Vector) -> Vector:
        product = derivatives.hvp(unflatten(vector), unflatten(direction), *args)
        return flatten(product)[0].astype(np.float64)

    def iterated(vector: Vector) -> Any:
        assert follow is not None
        known = (value for point, value in reversed(latest) if np.array_equal(point, vector))
        value = next(known, None)
        return follow(unflatten(vector), value_alone(vector) if value is None else value)

    ours = _Calls()
    settings: dict[str, Any] = {"jac": True}
    objective: Callable[..., Any] = value_and_gradient
    kind = method.lower()
    if kind in _GRADIENT_FREE:
        objective, settings = value_alone, {}
    elif kind in _HESSIAN_PRODUCT | _HESSIAN:
        matrix = derivatives.matrix(params, args)
        known = None if matrix is None else Curvature(matrix, unflatten)
        if kind in _HESSIAN_PRODUCT:
            settings["hessp"] = ours.follow(hessian_product if known is None else known.product)
        else:
            settings["hess"] = ours.follow(
                (lambda vector: derivatives.curvature(unflatten(vector), *args))
                if known is None
                else known.dense
            )
    if follow is not None:
        settings["callback"] = ours.follow(lambda xk: iterated(xk))

    try:
        result = optimize.minimize(
            ours.follow(objective),
            start,
            method=method,
            bounds=None if bounds is None else _bounds(bounds, params),
            tol=None if tol is None else require_number(tol, where, "tol", least=0),
            options=None if options is None else dict(require_mapping(options, where, "options")),
            **settings,
        )
    except Exception as error:
        if error is ours.raised or isinstance(error, PullbackError):
            raise
        given = ", ".join(
            f"{name}={shown(value)}"
            for name, value in (("bounds", bounds), ("tol", tol), *(options or {}).items())
            if value is not None
        )
        raise ArgumentValueError(
            f"{where}: SciPy's {method} could not work with what it was given, {given or 'params'}:"
            f" {error}"
        ) from error
    result.x = unflatten(result.x)
    if "jac" in result and np.shape(result.jac) == start.shape:
        result.jac = unflatten(result.jac)
    return result


class _Calls:
    """Calls from SciPy to functions of ours and the user's; what they raise is not SciPy's."""

    raised: BaseException | None = None

    def follow(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, remembering what it raises."""

        def followed(*args: Any) -> Any:
            try:
                return function(*args)
            except BaseException as error:
                self.raised = error
                raise

        return followed


def minimizer(method: Any, where: str = "minimize") -> str:
    """The name of a method of SciPy, as SciPy writes it."""
    names = {name.lower(): name for name in METHODS}
    if isinstance(method, str) and method.lower() in names:
        return names[method.lower()]
    return require_word(method, names.values(), where, "method")


def _bounds(bounds: Any, params: Any) -> Any:
    """Bounds on a pytree as SciPy's bounds on a vector."""
    from scipy import optimize

    if not isinstance(bounds, tuple) or len(bounds) != 2:
        raise ArgumentTypeError(
            f"minimize: bounds is {describe(bounds)}, wanted a pair (lower, upper) of "
            "pytrees like params, None for no bound"
        )
    leaves, spec = trees.flatten(params)
    sides = []
    for name, side, missing in zip(("lower", "upper"), bounds, (-np.inf, np.inf), strict=True):
        parts = []
        where = f"minimize: the {name} bound"
        for leaf, bound in zip(leaves, trees.flatten_like(spec, side, where), strict=True):
            bound = np.asarray(missing) if bound is None else by_position(bound, where)
            if bound.dtype.kind not in "biuf":
                raise refuse(where, "a leaf", bound, "real numbers")
            try:
                part = np.broadcast_to(bound, np.shape(leaf))
            except ValueError:
                raise ArgumentValueError(
                    f"{where} has a leaf of shape {np.shape(bound)}, wanted {np.shape(leaf)}, the "
                    "shape of the parameter, or a scalar"
                ) from None
            parts.append(np.ravel(part))
        sides.append(np.concatenate(parts).astype(np.float64))
    return optimize.Bounds(*sides)
