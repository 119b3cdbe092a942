"""NumPy's reductions: sums, products, means, variances and extrema, and their constants."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import is_plain
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.conversion import cast, convert
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.operands import operand
from pullback.numpy.protocol import are_constant
from pullback.numpy.registration import implements
from pullback.rules import reductions

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "mean",
    "prod",
    "require_elements",
    "std",
    "sum",
    "var",
]


F = Callable[..., Any]


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


def _masked(x: Any, where: Any, neutral: Any) -> Any:
    """`x` with what is left out replaced by a neutral element."""
    return x if where is True else np.where(where, x, neutral)


def _serve_total(function: F, reduction: F, neutral: int, joined: F) -> F:
    """Serve a sum or a product; to the `neutral` element `joined` adds nothing."""
    name = f"np.{function.__name__}"

    @implements(function)
    def total(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        keepdims: bool = False,
        initial: Any = neutral,
        where: Any = True,
    ) -> Any:
        x = _masked(cast(operand(a), dtype), where, neutral)
        out = reduction(x, axis=axis, keepdims=keepdims)
        if initial is neutral or (is_plain(initial, int | float) and initial == neutral):
            return out
        return joined(out, _start(name, initial, out))

    return total


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


sum = _serve_total(np.sum, reductions.sum, 0, operator.add)
prod = _serve_total(np.prod, reductions.prod, 1, operator.mul)


@implements(np.mean)
def mean(
    a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """NaN, without a warning, where the mask leaves nothing."""
    x = cast(operand(a), dtype)
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
    x = cast(operand(a), dtype)
    require_elements("np.var", x, axis)
    if where is True and mean is None:
        y = reductions.var(x, axis=axis, ddof=ddof, keepdims=keepdims)
    else:
        if mean is None:
            mean = array_mean(x, axis, keepdims=True, where=where)
        squares = _squared_modulus(x - mean)
        total = sum(squares, axis, keepdims=keepdims, where=where)
        y = total / _count(where, x, axis, keepdims, ddof).astype(dtype_of(total))
    return cast(y, dtype)


array_mean = mean


def _squared_modulus(x: Any) -> Any:
    return np.real(x * np.conj(x)) if dtype_of(x).kind == "c" else x * x


def std(a: Any, axis: Any = None, *others: Any, **options: Any) -> Any:
    """√var, of the same arguments; its derivative where the variance is 0 is 0."""
    a = operand(a)
    require_elements("np.std", a, axis)
    return reductions.root(var(a, axis, *others, **options))


std.__signature__ = inspect.signature(var)  # type: ignore[attr-defined]
implements(np.std)(std)


def _serve_extremum(function: F, reduction: F, pairwise: F) -> F:
    """Serve a maximum or a minimum; `initial` takes part in it as one more element."""
    name = f"np.{function.__name__}"

    @implements(function)
    def extremum(
        a: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
    ) -> Any:
        x = operand(a)
        if initial is None:
            if where is not True:
                raise ArgumentValueError(
                    f"{name}: got a mask in the argument where and no initial; where the mask "
                    "selects nothing the result would be undefined, so give initial as well"
                )
            require_elements(name, x, axis, "give initial, or test x.size first")
            return reduction(x, axis=axis, keepdims=keepdims)
        initial = _start(name, initial, x)
        x = _masked(x, where, initial)
        shape = np.any(np.empty(shape_of(x), bool), axis=axis, keepdims=keepdims).shape
        if 0 in shape_of(x) and 0 not in shape:
            return np.broadcast_to(initial, shape)
        return pairwise(reduction(x, axis=axis, keepdims=keepdims), initial)

    return extremum


amax = _serve_extremum(np.max, reductions.max, np.maximum)
amin = _serve_extremum(np.min, reductions.min, np.minimum)
if np.amax is not np.max:
    implements(np.amax)(amax)
    implements(np.amin)(amin)


@implements(np.ptp)
def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = operand(a)
    require_elements("np.ptp", x, axis)
    return reductions.max(x, axis=axis, keepdims=keepdims) - reductions.min(
        x, axis=axis, keepdims=keepdims
    )


# -- constants ------------------------------------------------------------------------------------


def _serve_truth(function: F, reduction: F, neutral: int) -> F:
    @implements(function)
    def truth(a: Any, axis: Any = None, keepdims: bool = False, *, where: Any = True) -> Any:
        return reduction(_masked(operand(a), where, neutral), axis=axis, keepdims=keepdims)

    return truth


any = _serve_truth(np.any, reductions.any, 0)
all = _serve_truth(np.all, reductions.all, 1)


@implements(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return reductions.count_nonzero(operand(a), axis=axis, keepdims=keepdims)


def _serve_position(function: F, reduction: F) -> F:
    name = f"np.{function.__name__}"

    @implements(function)
    def position(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        x = operand(a)
        require_elements(name, x, axis)
        return reduction(x, axis=axis, keepdims=keepdims)

    return position


argmax = _serve_position(np.argmax, reductions.argmax)
argmin = _serve_position(np.argmin, reductions.argmin)


decide(np, "all any count_nonzero", Kind.CONSTANT, "tests and counts, which jump")
decide(np, "argmax argmin", Kind.CONSTANT, "positions, which jump")
