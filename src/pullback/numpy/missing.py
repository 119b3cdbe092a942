"""NumPy's reductions that leave NaN out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.shapes import is_inexact, shape_of
from pullback.errors import ArgumentValueError
from pullback.numpy import reductions as full
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.operands import anywhere, operand
from pullback.numpy.registration import implements, with_parameters_of
from pullback.numpy.statistics import quantile_of, serve_quantiles

__all__: list[str] = []

F = Callable[..., Any]


def _present(a: Any) -> tuple[Any, Any]:
    """An array, and which of its elements are numbers."""
    x = operand(a)
    return x, ~np.isnan(x)


def _serve(function: F, reduction: F, *, of_none: bool) -> None:
    """Serve `function`: a reduction of the elements that are numbers; of none it may be defined."""
    name = f"np.{function.__name__}"

    @implements(function)
    @with_parameters_of(reduction)
    def of_numbers(a: Any, axis: Any = None, where: Any = True, **options: Any) -> Any:
        x, present = _present(a)
        if not of_none:
            full.require_elements(name, x, axis)
        return reduction(x, axis, **options, where=present & where)


_serve(np.nansum, full.sum, of_none=True)
_serve(np.nanprod, full.prod, of_none=True)
_serve(np.nanmean, full.mean, of_none=False)
_serve(np.nanvar, full.var, of_none=False)
_serve(np.nanstd, full.std, of_none=False)


def _serve_extremum(function: F, extremum: F, neutral: float) -> None:
    """Serve `function`: the extremum of the numbers, and NaN where there are none."""
    name = f"np.{function.__name__}"

    @implements(function)
    @with_parameters_of(extremum)
    def of_numbers(a: Any, axis: Any = None, keepdims: bool = False, **options: Any) -> Any:
        x, present = _present(a)
        if options.get("initial") is None:
            full.require_elements(name, x, axis, "give initial, or test x.size first")
        if not is_inexact(x):
            return extremum(x, axis, keepdims=keepdims, **options)
        value = extremum(np.where(present, x, neutral), axis, keepdims=keepdims, **options)
        if options.get("initial") is not None:
            return value
        found = np.where(np.any(present, axis=axis, keepdims=keepdims), value, np.nan)
        return found if shape_of(found) else found[()]


_serve_extremum(np.nanmax, full.amax, -np.inf)
_serve_extremum(np.nanmin, full.amin, np.inf)


def _serve_position(function: F, position: F, neutral: float) -> None:
    """Serve `function`: where the extremum of the numbers is."""
    name = f"np.{function.__name__}"

    @implements(function)
    @with_parameters_of(position)
    def of_numbers(a: Any, axis: Any = None, **options: Any) -> Any:
        x, present = _present(a)
        full.require_elements(name, x, axis)
        if not is_inexact(x):
            return position(x, axis, **options)
        if anywhere(~np.any(present, axis=axis)):
            raise ArgumentValueError(
                f"{name}: got a slice that holds nothing but NaN; use np.{name[6:]}, or "
                "replace NaN first"
            )
        return position(np.where(present, x, neutral), axis, **options)


_serve_position(np.nanargmax, full.argmax, -np.inf)
_serve_position(np.nanargmin, full.argmin, np.inf)


@implements(np.nanmedian)
def nanmedian(
    a: Any, axis: Any = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    return quantile_of("np.nanmedian", a, 0.5, axis, "linear", keepdims, missing=True)


serve_quantiles(np.nanquantile, missing=True)
serve_quantiles(np.nanpercentile, 100, missing=True)


decide(np, "nanargmax nanargmin", Kind.CONSTANT, "positions, which jump")
