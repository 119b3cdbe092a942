"""What NumPy's functions make of all that a mask selects: sums, means, extrema, inner products."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core.shapes import shape_of
from pullback.numpy.selected import Selected, functions

__all__: list[str] = []


def _reduction(function: Any, neutral: int) -> Callable[..., Any]:
    """A reduction to which elements that are `neutral` add nothing."""

    def reduction(x: Selected, axis: Any = None, *, keepdims: bool = False) -> Any:
        return x._reduced(function, neutral, axis, keepdims)

    return reduction


_sum = _reduction(np.sum, 0)


def _count(x: Selected, axis: Any = None) -> Any:
    """How many elements a mean is taken of, in the dtype of the mean."""
    beyond = x._beyond(range(x.ndim) if axis is None else axis)
    count = np.sum(x._mask) * math.prod(shape_of(x._array)[i] for i in beyond)
    return count.astype(_real_dtype(x))


def _real_dtype(x: Selected) -> np.dtype[Any]:
    """In which means are taken: that of the elements, of integers double precision."""
    return np.finfo(np.result_type(x.dtype, np.float16 if x.dtype.kind in "fc" else float)).dtype


def _mean(x: Selected, axis: Any = None, *, keepdims: bool = False) -> Any:
    if x._over(axis) is None:
        return x._reduced(np.mean, 0, axis, keepdims)
    return _sum(x, axis, keepdims=keepdims) / _count(x, axis)


def _var(x: Selected, axis: Any = None, *, ddof: Any = 0, keepdims: bool = False) -> Any:
    if x._over(axis) is None:
        return x._apart(np.var, axis, keepdims=keepdims, ddof=ddof)
    mean = _mean(x, axis, keepdims=True)
    front, rest = mean.shape[: x._lead], mean.shape[x._lead + 1 :]
    wide = np.reshape(mean, (*front, *(1,) * len(x._mask.shape), *rest))
    apart = x._elementwise(lambda whole: whole - wide, (x,))
    return _sum(np.abs(apart) ** 2, axis, keepdims=keepdims) / (_count(x, axis) - ddof)


def _std(x: Selected, axis: Any = None, *, ddof: Any = 0, keepdims: bool = False) -> Any:
    return np.sqrt(_var(x, axis, ddof=ddof, keepdims=keepdims))


def _extremum(function: Any, neutral: float) -> Callable[..., Any]:
    def extremum(
        x: Selected, axis: Any = None, *, initial: Any = None, keepdims: bool = False
    ) -> Any:
        if initial is None and x._over(axis) is None:
            return x._apart(function, axis, keepdims=keepdims)
        if initial is None and x.dtype.kind != "f":
            raise x._refusal(
                f"numpy.{function.__name__} of dtype {x.dtype}, without initial= for where nothing "
                "is selected,"
            )
        if initial is None:
            out = x._reduced(function, neutral, axis, keepdims)
            return np.where(np.any(x._mask), out, np.asarray(np.nan, x.dtype))
        if np.shape(initial) or np.result_type(x.dtype, initial) != x.dtype:
            raise x._refusal(f"numpy.{function.__name__} with initial={initial!r}")
        whole = functools.partial(function, initial=initial)
        return x._reduced(whole, initial, axis, keepdims)

    return extremum


def _dot(one: Any, other: Any) -> Any:
    """The inner product of two vectors."""
    if type(one) is not Selected or type(other) is not Selected or one.ndim + other.ndim > 2:
        selected = one if type(one) is Selected else other
        raise selected._refusal("a product of matrices")
    return _sum(np.multiply(one, other))


def _vdot(one: Any, other: Any) -> Any:
    return _dot(np.conjugate(one), other)


def _norm(x: Selected, ord: Any = None, axis: Any = None, *, keepdims: bool = False) -> Any:
    if x.ndim > 1 or keepdims or axis not in (None, 0, -1) or ord not in (None, 1, 2, np.inf):
        raise x._refusal("numpy.linalg.norm with these arguments")
    return np.linalg.norm(np.ravel(x._filled(0)), ord)


def _count_nonzero(x: Selected, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _sum(np.not_equal(x, 0), axis, keepdims=keepdims)


def _within_options(function: Any, implementation: Any) -> Callable[..., Any]:
    """`implementation`, with an error for arguments of NumPy's `function` that it does not take."""
    taken = inspect.signature(implementation).parameters.values()
    most = sum(each.kind is not each.KEYWORD_ONLY for each in taken)
    names = {each.name for each in taken}

    @functools.wraps(function)
    def within_options(*args: Any, **kwargs: Any) -> Any:
        others = [name for name, value in kwargs.items() if name not in names and value is not None]
        if others or len(args) > most:
            what = f"{others[0]}=" if others else "so many arguments"
            selected = next(x for x in args if type(x) is Selected)
            raise selected._refusal(f"numpy.{function.__name__} with {what}")
        return implementation(*args, **{k: v for k, v in kwargs.items() if k in names})

    return within_options


_METHODS = {
    "sum": (np.sum, _sum), "prod": (np.prod, _reduction(np.prod, 1)),
    "any": (np.any, _reduction(np.any, 0)), "all": (np.all, _reduction(np.all, 1)),
    "mean": (np.mean, _mean), "var": (np.var, _var), "std": (np.std, _std),
    "max": (np.max, _extremum(np.max, -np.inf)), "min": (np.min, _extremum(np.min, np.inf)),
    "dot": (np.dot, _dot),
}  # fmt: skip
functions.update({
    function: _within_options(function, implementation)
    for function, implementation in [
        *_METHODS.values(), (np.amax, _METHODS["max"][1]), (np.amin, _METHODS["min"][1]),
        (np.inner, _dot), (np.vdot, _vdot), (np.linalg.norm, _norm),
        (np.count_nonzero, _count_nonzero), (np.copy, Selected.copy),
    ]
})  # fmt: skip
for _name, (_function, _) in _METHODS.items():
    setattr(Selected, _name, functions[_function])
