"""NumPy's reductions: sums, products, means, variances and extrema, and their constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import is_plain
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand
from pullback.numpy.protocol import are_constant
from pullback.numpy.registration import implements, with_parameters_of
from pullback.rules import reductions

__all__ = ["all", "amax", "amin", "any", "argmax", "argmin", "count_nonzero", "mean", "prod", "ptp",
           "require_elements", "std", "sum", "var"]  # fmt: skip


def require_elements(name: str, x: Any, axis: Any, remedy: str = "test x.size first") -> None:
    """Raise if there is an element of the result that stands for none of the elements of `x`."""
    shape = shape_of(x)
    if 0 not in shape:
        return
    reduced = range(len(shape)) if axis is None else normalize_axis_tuple(axis, len(shape))
    if 0 not in (extent for i, extent in enumerate(shape) if i not in reduced):
        over = "" if axis is None else f" and axis={axis}"
        raise ArgumentValueError(
            f"{name}: got an array of shape {shape}{over}, and of no elements the result is "
            f"undefined; {remedy}"
        )


def _cast(x: Any, dtype: Any) -> Any:
    """`x` in `dtype`, where one is asked for."""
    x = operand(x)
    return x if dtype is None else convert(x, np.dtype(dtype))


def _masked(x: Any, where: Any, neutral: Any) -> Any:
    """`x` with what is left out replaced by a neutral element."""
    return x if where is True else np.where(where, x, neutral)


@implements(np.sum)
def sum(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = 0,
    where: Any = True,
) -> Any:
    total = reductions.sum(_masked(_cast(a, dtype), where, 0), axis=axis, keepdims=keepdims)
    return total if _is_number(initial, 0) else total + _start("np.sum", initial, total)


def _start(name: str, initial: Any, total: Any) -> Any:
    """`initial` in the dtype of the result, in which NumPy's reductions start."""
    initial, dtype = operand(initial), dtype_of(total)
    given = dtype_of(initial)
    if dtype.kind not in "fc" and given.kind in "fc" and not are_constant(initial):
        raise ArgumentTypeError(
            f"{name}: initial is traced, of dtype {given}, and NumPy would convert it to the dtype "
            f"of the result, {dtype}, which carries no derivative; convert the array with "
            f".astype({given}), or add initial to the result"
        )
    return convert(initial, dtype) if np.can_cast(given, dtype, "same_kind") else initial


def _is_number(x: Any, number: int) -> bool:
    return is_plain(x, int | float) and x == number


@implements(np.prod)
def prod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = 1,
    where: Any = True,
) -> Any:
    product = reductions.prod(_masked(_cast(a, dtype), where, 1), axis=axis, keepdims=keepdims)
    return product if _is_number(initial, 1) else product * _start("np.prod", initial, product)


@implements(np.mean)
def mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: bool = False,
    *,
    where: Any = True,
) -> Any:
    """NaN, without a warning, where the mask leaves nothing."""
    x = _cast(a, dtype)
    require_elements("np.mean", x, axis)
    if axis is not None and where is True:
        normalize_axis_tuple(axis, len(shape_of(x)))  # a scalar has none, unlike for np.sum
    if where is True:
        return reductions.mean(x, axis=axis, keepdims=keepdims)
    total = sum(x, axis, keepdims=keepdims, where=where)
    return total / _count(where, x, axis, keepdims, 0).astype(dtype_of(total))


def _count(where: Any, x: Any, axis: Any, keepdims: bool, ddof: Any) -> Any:
    """How many elements each element of the result stands for, less `ddof`; NaN if that is none."""
    chosen = np.broadcast_to(operand(where), shape_of(x))
    count = reductions.count_nonzero(chosen, axis=axis, keepdims=keepdims) - ddof
    return np.where(count > 0, count, np.nan)


@implements(np.var)
def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """NaN, without a warning, where the mask leaves no more than `ddof` elements."""
    ddof = ddof if correction is None else correction
    x = _cast(a, dtype)
    require_elements("np.var", x, axis)
    if where is True and mean is None:
        y = reductions.var(x, axis=axis, ddof=ddof, keepdims=keepdims)
    else:
        if mean is None:
            mean = array_mean(x, axis, keepdims=True, where=where)
        squares = _squared_modulus(x - mean)
        total = sum(squares, axis, keepdims=keepdims, where=where)
        y = total / _count(where, x, axis, keepdims, ddof).astype(dtype_of(total))
    return _cast(y, dtype)


array_mean = mean


def _squared_modulus(x: Any) -> Any:
    return np.real(x * np.conj(x)) if dtype_of(x).kind == "c" else x * x


@implements(np.std)
@with_parameters_of(var)
def std(a: Any, axis: Any = None, **options: Any) -> Any:
    """√var; its derivative where the variance is 0 is 0."""
    a = operand(a)
    require_elements("np.std", a, axis)
    return reductions.root(var(a, axis, **options))


@implements(np.max)
def amax(
    a: Any,
    axis: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    return _extremum("np.max", reductions.max, np.maximum, a, axis, keepdims, initial, where)


@implements(np.min)
def amin(
    a: Any,
    axis: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    return _extremum("np.min", reductions.min, np.minimum, a, axis, keepdims, initial, where)


if np.amax is not np.max:
    implements(np.amax)(amax)
    implements(np.amin)(amin)


def _extremum(
    name: str,
    reduction: Callable[..., Any],
    pairwise: Callable[..., Any],
    a: Any,
    axis: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Any:
    """max or min; `initial` takes part in it as one more element."""
    x = operand(a)
    if initial is None:
        if where is not True:
            raise ArgumentValueError(
                f"{name}: got a mask in the argument where and no initial; where the mask selects "
                "nothing the result would be undefined, so give initial as well"
            )
        require_elements(name, x, axis, "give initial, or test x.size first")
        return reduction(x, axis=axis, keepdims=keepdims)
    initial = _start(name, initial, x)
    x = _masked(x, where, initial)
    shape = np.any(np.empty(shape_of(x), bool), axis=axis, keepdims=keepdims).shape
    if 0 in shape_of(x) and 0 not in shape:
        return np.broadcast_to(initial, shape)
    return pairwise(reduction(x, axis=axis, keepdims=keepdims), initial)


@implements(np.ptp)
def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = operand(a)
    require_elements("np.ptp", x, axis)
    return reductions.max(x, axis=axis, keepdims=keepdims) - reductions.min(
        x, axis=axis, keepdims=keepdims
    )


# -- constants ------------------------------------------------------------------------------------


@implements(np.any)
def any(a: Any, axis: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
    return reductions.any(_masked(operand(a), where, 0), axis=axis, keepdims=keepdims)


@implements(np.all)
def all(a: Any, axis: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
    return reductions.all(_masked(operand(a), where, 1), axis=axis, keepdims=keepdims)


@implements(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return reductions.count_nonzero(operand(a), axis=axis, keepdims=keepdims)


@implements(np.argmax)
def argmax(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    x = operand(a)
    require_elements("np.argmax", x, axis)
    return reductions.argmax(x, axis=axis, keepdims=keepdims)


@implements(np.argmin)
def argmin(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    x = operand(a)
    require_elements("np.argmin", x, axis)
    return reductions.argmin(x, axis=axis, keepdims=keepdims)
