"""NumPy's functions of sets. The values that they pick are differentiable, positions constant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.shapes import shape_of
from pullback.core.tracing import Tracer, strip
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.indexing import take
from pullback.numpy.operands import operand, plain_values
from pullback.numpy.registration import implements
from pullback.numpy.rewriting import rewritten
from pullback.rules.custom import stop_gradient

__all__: list[str] = []


@implements(np.unique)
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    **options: Any,
) -> Any:
    """The derivative of a value goes to the first of the elements that equal it.

    Elements that are equal by chance, and would not be nearby, are a kink. How many there are is
    constant in between.
    """
    a = operand(ar)
    values = plain_values("numpy.unique", "ar", a)
    asked = (return_index, return_inverse, return_counts)
    plain: Any = np.unique
    out = plain(values, *asked, axis, **options)
    several = type(out) is tuple
    found, *others = out if type(out) is tuple else (out,)
    picked = _picked(a, values, found, axis, options.get("equal_nan", True))
    return (picked, *others) if several else picked


def _picked(a: Any, values: Any, found: Any, axis: int | None, equal_nan: bool) -> Any:
    """The elements of `a` that were `found` among its `values`, each the first one of its kind."""
    if axis is None:
        a, values = np.ravel(a), values.ravel()
    else:
        axis = normalize_axis_index(axis, len(shape_of(a)))
    _, first = np.unique(values, return_index=True, axis=axis, equal_nan=equal_nan)
    if axis is None and len(found):  # in which order they come, NumPy doesn't promise
        first = first[np.argsort(np.argsort(found, kind="stable"), kind="stable")]
    return take(a, first, axis or 0)


def _serve_standard(function: Callable[..., Any]) -> None:
    """Serve a function of the Array API, to which no two NaN are equal."""

    @implements(function)
    def picked(x: Any) -> Any:
        a = operand(x)
        values = plain_values(f"numpy.{function.__name__}", "x", a)
        out = function(values)
        several = isinstance(out, tuple)
        elements = _picked(a, values, out[0] if several else out, None, False)
        return type(out)(elements, *out[1:]) if several else elements


for _function in (np.unique_all, np.unique_counts, np.unique_inverse, np.unique_values):
    _serve_standard(_function)

for _function in (  # type: ignore[assignment]
    np.intersect1d,
    np.setdiff1d,
    np.setxor1d,
    np.union1d,
):
    # An element of both is, to the derivative, the first array's.
    implements(_function)(rewritten(_function))


@implements(np.isin)
def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: Any = None,
) -> Any:
    """Of mapped and unknown elements each is compared with each."""
    x, y = (stop_gradient(operand(each)) for each in (element, test_elements))
    if all(type(each) is not Tracer or each._is_constant for each in (x, y)):
        return np.isin(strip(x), strip(y), assume_unique, invert, kind=kind)
    among = np.any(np.equal(np.expand_dims(x, -1), np.ravel(y)), axis=-1)
    return np.logical_not(among) if invert else among


decide(np, "isin", Kind.CONSTANT, "it says which elements are in a set, which jumps")
