"""What a mask selects of an array where it is not known which elements those are.

While a graph is recorded, and under `vmap`, the number of elements of ``x[mask]`` is not known, or
differs by example. What is computed from them one by one, summed up, and written back under the
same mask is computed from all of ``x`` all the same, with `numpy.where` where it matters.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import DataDependenceError
from pullback.graph.variable import user_line
from pullback.numpy.masks import same_mask

__all__ = ["Selected"]


class Selected:
    """Stands in for ``array[mask]``.

    Parameters
    ----------
    array : array or Tracer
        Its elements where the mask is False mean nothing.
    mask : Tracer
        Of the first extents of the array.
    line : str, optional
        Where it was selected, for messages.
    """

    __slots__ = ("_array", "_line", "_mask")
    __array_priority__ = 2000.0
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, array: Any, mask: Tracer, line: str | None = None) -> None:
        rank = len(mask.shape)
        if shape_of(array)[:rank] != mask.shape:
            raise IndexError(
                f"x[mask]: the mask has shape {mask.shape}, wanted {shape_of(array)[:rank]}, the "
                "first extents of the array"
            )
        self._array = array
        self._mask = mask
        self._line = user_line() if line is None else line

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return np.ndarray

    # -- what is known ---------------------------------------------------------------------------

    @property
    def dtype(self) -> np.dtype[Any]:
        return dtype_of(self._array)

    @property
    def ndim(self) -> int:
        return 1 + len(self._rest)

    @property
    def shape(self) -> tuple[Any, ...]:
        """Its first extent is traced."""
        return (np.sum(self._mask), *self._rest)

    @property
    def size(self) -> Any:
        return np.sum(self._mask) * math.prod(self._rest)

    @property
    def _rest(self) -> tuple[int, ...]:
        return shape_of(self._array)[len(self._mask.shape) :]

    def _filled(self, value: Any) -> Any:
        """The whole array, with `value` in place of what is not selected."""
        return np.where(self._wide, self._array, np.asarray(value, self.dtype))

    @property
    def _wide(self) -> Any:
        return np.reshape(self._mask, self._mask.shape + (1,) * len(self._rest))

    # -- element by element ----------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc is np.matmul and method == "__call__" and not kwargs:
            return _dot(*inputs)
        if method != "__call__" or ufunc.signature is not None or kwargs:
            raise self._refusal(f"numpy.{ufunc.__name__}")
        return self._elementwise(ufunc, inputs)

    def _take(self, primitive: Any, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """What a primitive does that has met a selection among its arguments."""
        ufunc = primitive.value
        if not isinstance(ufunc, np.ufunc) or ufunc.signature is not None or params:
            raise self._refusal(primitive.name)
        return self._elementwise(primitive, args)

    def _elementwise(self, function: Callable[..., Any], inputs: tuple[Any, ...]) -> Any:
        whole = [self._beside(x) for x in inputs]
        with np.errstate(all="ignore"):  # it may not be defined elsewhere
            out = function(*whole)
        if type(out) is tuple:
            return tuple(Selected(each, self._mask, self._line) for each in out)
        return Selected(out, self._mask, self._line)

    def _beside(self, x: Any) -> Any:
        """What is combined with the whole array in place of `x`."""
        if type(x) is Selected:
            if not same_mask(x._mask, self._mask):
                raise DataDependenceError(
                    "two selections, x[mask] and y[other], are combined of which it is not known "
                    f"that their masks are the same{user_line()}; make one mask, and select with "
                    "that"
                )
            if x.ndim != self.ndim:
                raise self._refusal(f"one of {x.ndim} axes beside one of {self.ndim}")
            return x._array
        if len(np.shape(x)) > len(self._rest):
            raise self._refusal(f"a selection beside an array of shape {np.shape(x)}")
        return x

    def astype(self, dtype: Any, **options: Any) -> Selected:
        return Selected(self._array.astype(dtype, **options), self._mask, self._line)

    def copy(self, order: str = "C") -> Selected:
        del order
        return Selected(self._array, self._mask, self._line)

    # -- together --------------------------------------------------------------------------------

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        del types
        implementation: Any = _FUNCTIONS.get(function)
        if implementation is None or type(args[0]) is not Selected:
            raise self._refusal(f"{function.__module__}.{function.__name__}")
        return implementation(*args, **kwargs)

    def _over(self, axis: Any) -> tuple[int, ...] | None:
        """The axes of the whole array for these; `None` if the first is not among them."""
        rank = len(self._mask.shape)
        if axis is None:
            return tuple(range(rank + len(self._rest)))
        places = normalize_axis_tuple(axis, self.ndim)
        if 0 not in places:
            return None
        return (*range(rank), *(place + rank - 1 for place in places if place))

    def _behind(self, axis: Any) -> tuple[int, ...]:
        """The axes of the whole array for such as do not count the selected elements."""
        rank = len(self._mask.shape)
        return tuple(place + rank - 1 for place in normalize_axis_tuple(axis, self.ndim))

    def _reduced(self, function: Any, neutral: Any, axis: Any, keepdims: bool) -> Any:
        axes = self._over(axis)
        if axes is None:
            out = function(self._array, axis=self._behind(axis), keepdims=keepdims)
            return Selected(out, self._mask, self._line)
        out = function(self._filled(neutral), axis=axes, keepdims=keepdims)
        return np.reshape(out, (1, *out.shape[len(self._mask.shape) :])) if keepdims else out

    # -- what is refused -------------------------------------------------------------------------

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise self._refusal("a whole array in its place")

    def __len__(self) -> NoReturn:
        raise self._refusal("len")

    def __iter__(self) -> NoReturn:
        raise self._refusal("iteration")

    def __bool__(self) -> NoReturn:
        raise self._refusal("the condition of an if or a while")

    def __getitem__(self, key: Any) -> Selected:
        if type(key) is Selected and key.dtype.kind == "b" and not key._rest:
            return Selected(self._array, np.logical_and(self._mask, self._beside(key)))
        raise self._refusal("a subscript")

    def __setitem__(self, key: Any, value: Any) -> None:
        if type(key) is Selected and key.dtype.kind == "b" and not key._rest:
            chosen = np.logical_and(self._mask, self._beside(key))
        elif key is ... or (type(key) is slice and key == slice(None)):
            chosen = self._mask
        else:
            raise self._refusal("writing to a part of it")
        if type(value) is Selected:
            if not same_mask(value._mask, chosen) or value.ndim > self.ndim:
                raise self._refusal("writing another selection to it")
            value = value._array
        elif len(np.shape(value)) > len(self._rest):
            raise self._refusal(f"writing an array of shape {np.shape(value)} to it")
        wide = np.reshape(chosen, chosen.shape + (1,) * len(self._rest))
        self._array = np.where(wide, value, self._array).astype(self.dtype)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in Selected.__slots__:
            raise self._refusal(f"the attribute {name}")
        object.__setattr__(self, name, value)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise _AbsentError(str(self._refusal(f"the attribute {name}")))

    def _refusal(self, what: str) -> DataDependenceError:
        return DataDependenceError(
            "x[mask] has as many elements as the mask has True, which is not known while a graph "
            f"is recorded, and differs between the examples of a batch; {what} depends on "
            f"it{self._line}. Work on the whole array: np.where(mask, x, 0), "
            "np.sum(x, where=mask), np.sum(mask) for their number"
        )

    def __repr__(self) -> str:
        return f"<{self._array!r}[{self._mask!r}]>"


class _AbsentError(DataDependenceError, AttributeError):
    """An attribute that depends on which elements are selected; `hasattr` says that it isn't."""


# -- reductions ------------------------------------------------------------------------------------


def _sum(x: Selected, axis: Any = None, *, keepdims: bool = False) -> Any:
    return x._reduced(np.sum, 0, axis, keepdims)


def _prod(x: Selected, axis: Any = None, *, keepdims: bool = False) -> Any:
    return x._reduced(np.prod, 1, axis, keepdims)


def _any(x: Selected, axis: Any = None, *, keepdims: bool = False) -> Any:
    return x._reduced(np.any, 0, axis, keepdims)


def _all(x: Selected, axis: Any = None, *, keepdims: bool = False) -> Any:
    return x._reduced(np.all, 1, axis, keepdims)


def _count(x: Selected, axis: Any = None) -> Any:
    """How many elements a mean is taken of, in the dtype of the mean."""
    behind = x._over(axis)[len(x._mask.shape) :]  # type: ignore[index]
    count = np.sum(x._mask) * math.prod(shape_of(x._array)[i] for i in behind)
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
        out = np.var(x._array, axis=x._behind(axis), ddof=ddof, keepdims=keepdims)
        return Selected(out, x._mask, x._line)
    mean = _mean(x, axis, keepdims=True)
    apart = x - np.reshape(mean, mean.shape[1:])
    return _sum(np.abs(apart) ** 2, axis, keepdims=keepdims) / (_count(x, axis) - ddof)


def _std(x: Selected, axis: Any = None, *, ddof: Any = 0, keepdims: bool = False) -> Any:
    return np.sqrt(_var(x, axis, ddof=ddof, keepdims=keepdims))


def _extremum(function: Any, neutral: float) -> Callable[..., Any]:
    def extremum(x: Selected, axis: Any = None, *, keepdims: bool = False) -> Any:
        if x.dtype.kind != "f":
            raise x._refusal(f"numpy.{function.__name__} of dtype {x.dtype}")
        out = x._reduced(function, neutral, axis, keepdims)
        if type(out) is Selected:
            return out
        return np.where(np.any(x._mask), out, np.asarray(np.nan, x.dtype))  # there may be none

    return extremum


def _dot(one: Any, other: Any) -> Any:
    """The inner product of two vectors."""
    if type(one) is not Selected or type(other) is not Selected or one._rest or other._rest:
        selected = one if type(one) is Selected else other
        raise selected._refusal("a product of matrices")
    return _sum(np.multiply(one, other))  # type: ignore[arg-type]


def _vdot(one: Any, other: Any) -> Any:
    return _dot(np.conjugate(one), other)


def _norm(x: Selected, ord: Any = None, axis: Any = None, *, keepdims: bool = False) -> Any:
    if x._rest or keepdims or axis not in (None, 0, -1) or ord not in (None, 1, 2, np.inf):
        raise x._refusal("numpy.linalg.norm with these arguments")
    return np.linalg.norm(np.ravel(x._filled(0)), ord)


def _count_nonzero(x: Selected, axis: Any = None, *, keepdims: bool = False) -> Any:
    return _sum(np.not_equal(x, 0), axis, keepdims=keepdims)  # type: ignore[arg-type]


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
    "sum": (np.sum, _sum), "prod": (np.prod, _prod), "any": (np.any, _any), "all": (np.all, _all),
    "mean": (np.mean, _mean), "var": (np.var, _var), "std": (np.std, _std),
    "max": (np.max, _extremum(np.max, -np.inf)), "min": (np.min, _extremum(np.min, np.inf)),
    "dot": (np.dot, _dot),
}  # fmt: skip
_FUNCTIONS = {
    function: _within_options(function, implementation)
    for function, implementation in [
        *_METHODS.values(), (np.amax, _METHODS["max"][1]), (np.amin, _METHODS["min"][1]),
        (np.inner, _dot), (np.vdot, _vdot), (np.linalg.norm, _norm),
        (np.count_nonzero, _count_nonzero), (np.copy, Selected.copy),
    ]
}  # fmt: skip
for _name, (_function, _) in _METHODS.items():
    setattr(Selected, _name, _FUNCTIONS[_function])


# -- operators -------------------------------------------------------------------------------------


def _binary(function: Any) -> Callable[..., Any]:
    return lambda self, other: function(self, other)


def _reflected(function: Any) -> Callable[..., Any]:
    return lambda self, other: function(other, self)


def _in_place(function: Any) -> Callable[..., Any]:
    """It is an array of its own, which its other names see written to."""

    def operate(self: Any, other: Any) -> Any:
        out = function(self, other)
        if out.dtype != self.dtype and not np.can_cast(out.dtype, self.dtype, "same_kind"):
            raise TypeError(f"cannot store dtype {out.dtype} in an array of dtype {self.dtype}")
        self._array = out._array.astype(self.dtype)
        return self

    return operate


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power,
    "floordiv": np.floor_divide, "mod": np.remainder, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor,
}.items():  # fmt: skip
    setattr(Selected, f"__{_name}__", _binary(_ufunc))
    setattr(Selected, f"__r{_name}__", _reflected(_ufunc))
    setattr(Selected, f"__i{_name}__", _in_place(_ufunc))
for _name, _ufunc in {
    "lt": np.less, "le": np.less_equal, "eq": np.equal, "ne": np.not_equal, "gt": np.greater,
    "ge": np.greater_equal,
}.items():  # fmt: skip
    setattr(Selected, f"__{_name}__", _binary(_ufunc))
for _name, _unary in {
    "neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert,
}.items():  # fmt: skip
    setattr(Selected, f"__{_name}__", lambda self, function=_unary: function(self))
setattr(Selected, "__matmul__", _binary(_dot))  # noqa: B010
setattr(Selected, "__rmatmul__", _reflected(_dot))  # noqa: B010
