"""What multivariate distributions have in common: their frozen forms, and quadratic forms.

A frozen distribution keeps its parameters. One whose parameters are traced becomes, in place, an
instance of a subclass that hands them to the methods of the distribution; one whose parameters are
plain hands over what it has where the argument of its method is traced.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, NoReturn

import numpy as np

from pullback.core.shapes import dtype_of
from pullback.core.tracing import Tracer
from pullback.errors import NoRuleError
from pullback.numpy.operands import operand
from pullback.scipy.advice import for_scipy
from pullback.scipy.first_step import first_traced, give_first_step, serves
from pullback.scipy.private import PRIVATE, private

__all__ = ["floats", "logdet", "quadratic", "refusing", "serve", "squeezed"]

_PSD = "scipy.stats._multivariate:_PSD"
PRIVATE[_PSD] = "the values of scipy.stats.multivariate_t and others for plain matrices"


def floats(x: Any) -> Any:
    """`x` as an array of double precision, as ``np.asarray(x, dtype=float)``."""
    x = operand(x)
    x = x if hasattr(x, "dtype") else np.asarray(x)
    return x if dtype_of(x) == np.float64 else x.astype(np.float64)


def squeezed(out: Any) -> Any:
    """The result without axes of extent 1."""
    out = np.squeeze(out)
    return out[()] if type(out) is not Tracer and np.ndim(out) == 0 else out


def logdet(matrix: Any) -> Any:
    """log |A| of a positive definite matrix."""
    return np.linalg.slogdet(matrix)[1]


def quadratic(matrix: Any, dev: Any, *, allow_singular: bool) -> tuple[Any, Any, Any]:
    """dᵀA⁺d for each row d, log |A| of the part of A that is not zero, and its rank.

    A plain matrix is decomposed as SciPy does. A traced one must have full rank.
    """
    psd = private(_PSD)
    if type(matrix) is not Tracer and psd is not None:
        info = psd(matrix, allow_singular=allow_singular)
        return np.sum(np.square(np.dot(dev, info.U)), axis=-1), info.log_pdet, info.rank
    n = matrix.shape[-1]
    rows = np.reshape(dev, (-1, n))
    solved = np.linalg.solve(matrix, rows.T).T
    return np.reshape(np.sum(rows * solved, axis=-1), dev.shape[:-1]), logdet(matrix), n


def serve(
    name: str,
    distribution: Any,
    methods: Mapping[str, Callable[..., Any]],
    example: tuple[Any, ...],
    parameters: Mapping[str, str],
) -> None:
    """Serve the methods of a distribution, and those of its frozen form.

    Parameters
    ----------
    name : str
        Its name in `scipy.stats`.
    distribution
    methods : mapping
        By name what each method does; all others that take parameters are refused.
    example : tuple
        Parameters of a frozen form.
    parameters : mapping
        For each parameter the attribute of a frozen form that has it.
    """
    cls = type(distribution)
    for method, implementation in methods.items():
        serves(vars(cls)[method])(implementation)
    for method, function in list(vars(cls).items()):
        if type(function) is FunctionType and method[0] != "_" and method not in methods:
            give_first_step(function, refusing(f"scipy.stats.{name}.{method}"))
    frozen = type(distribution(*example))
    signature = inspect.signature(frozen.__init__)
    traced = type(frozen.__name__, (frozen,), {"_pullback_distribution": distribution})
    for method, function in list(vars(frozen).items()):
        if type(function) is not FunctionType or method.startswith("_"):
            continue
        if method in methods:
            setattr(traced, method, _with_kept(distribution, method))
            serves(function)(_with_own(distribution, method, parameters))
        else:
            refuse = refusing(f"scipy.stats.{name}.{method}")
            setattr(traced, method, refuse)
            give_first_step(function, refuse)

    def freeze(self: Any, *args: Any, **kwds: Any) -> None:
        given = signature.bind(self, *args, **kwds).arguments
        kept = {each: given[each] for each in parameters if each in given}
        self.__class__ = traced
        self._pullback_parameters = kept
        for each, value in kept.items():
            if parameters[each] not in vars(type(self)):
                self.__dict__[parameters[each]] = value

    serves(vars(frozen)["__init__"])(freeze)


def _with_kept(distribution: Any, method: str) -> Any:
    def call(self: Any, *args: Any, **kwds: Any) -> Any:
        return getattr(distribution, method)(
            *args, **_taken(distribution, method, self._pullback_parameters), **kwds
        )

    return call


def _with_own(distribution: Any, method: str, parameters: Mapping[str, str]) -> Any:
    def call(self: Any, *args: Any, **kwds: Any) -> Any:
        own = {
            each: getattr(self, attribute)
            for each, attribute in parameters.items()
            if hasattr(self, attribute)
        }
        return getattr(distribution, method)(*args, **_taken(distribution, method, own), **kwds)

    return call


def _taken(distribution: Any, method: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those parameters that a method takes."""
    names = inspect.signature(getattr(distribution, method)).parameters
    return {name: value for name, value in parameters.items() if name in names}


def refusing(name: str) -> Any:
    """What refuses a call with traced values, by this public name."""

    def refuse(*args: Any, **kwds: Any) -> NoReturn:
        x = first_traced((*args, *kwds.values()))
        what = "a traced value"
        if x is not None:
            what = f"a traced value of dtype {x.dtype} and shape {x.shape}"
        raise NoRuleError(
            f"{name} met {what}, and has no derivative rule in pullback. {for_scipy(name)}"
        )

    return refuse
