"""What a mask selects of an array where it is not known which elements those are.

While a graph is recorded, and under `vmap`, the number of elements of ``x[mask]`` is not known, or
differs by example. What is computed from them one by one, summed up, and written back under the
same mask is computed from all of ``x`` all the same, with `numpy.where` where it matters.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.lib.mixins import NDArrayOperatorsMixin

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError, DataDependenceError
from pullback.graph.places import user_line
from pullback.numpy.masks import same_mask

__all__ = ["Selected", "functions"]


functions: dict[Any, Callable[..., Any]] = {}
"""What NumPy's functions of all selected elements do, a selection being their first argument."""

_ELEMENTWISE = frozenset({
    np.clip, np.where, np.round, np.around, np.fix, np.nan_to_num, np.isclose, np.sinc, np.real,
    np.imag, np.angle, np.zeros_like, np.ones_like, np.full_like,
})  # fmt: skip
"""What computes each element for itself, beside the ufuncs."""


class Selected(NDArrayOperatorsMixin):
    """Stands in for ``array[:, mask]``.

    Parameters
    ----------
    array : array or Tracer
        Its elements where the mask is False mean nothing.
    mask : Tracer
        Of the extents of the array from the axis `lead` on.
    line : str, optional
        Where it was selected, for messages.
    lead : int
        The number of axes in front of those of the mask.
    """

    __slots__ = ("_array", "_lead", "_line", "_mask")
    __array_priority__ = 2000.0
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, array: Any, mask: Tracer, line: str | None = None, lead: int = 0) -> None:
        wanted = shape_of(array)[lead : lead + len(mask.shape)]
        if wanted != mask.shape:
            raise IndexError(
                f"x[mask]: the mask has shape {mask.shape}, wanted {wanted}, "
                f"{'extents' if lead else 'the first extents'} of the array"
            )
        self._array = array
        self._mask = mask
        self._lead = lead
        self._line = user_line() if line is None else line

    def _like(self, array: Any) -> Selected:
        """The same elements of another array."""
        return Selected(array, self._mask, self._line, self._lead)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return np.ndarray

    # -- what is known ---------------------------------------------------------------------------

    @property
    def dtype(self) -> np.dtype[Any]:
        return dtype_of(self._array)

    @property
    def ndim(self) -> int:
        return self._lead + 1 + len(self._rest)

    @property
    def shape(self) -> tuple[Any, ...]:
        """The extent of the selected elements is traced."""
        return (*self._front, np.sum(self._mask), *self._rest)

    @property
    def size(self) -> Any:
        return np.sum(self._mask) * math.prod(self._front + self._rest)

    @property
    def _front(self) -> tuple[int, ...]:
        return shape_of(self._array)[: self._lead]

    @property
    def _rest(self) -> tuple[int, ...]:
        return shape_of(self._array)[self._lead + len(self._mask.shape) :]

    def _filled(self, value: Any) -> Any:
        """The whole array, with `value` in place of what is not selected."""
        return np.where(self._wide, self._array, np.asarray(value, self.dtype))

    @property
    def _wide(self) -> Any:
        return np.reshape(self._mask, self._mask.shape + (1,) * len(self._rest))

    # -- element by element ----------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if ufunc is np.matmul and method == "__call__" and not kwargs:
            return functions[np.dot](*inputs)
        keywords = kwargs.keys() - {"out", "casting", "where"}
        if method != "__call__" or ufunc.signature is not None or keywords:
            raise self._refusal(f"numpy.{ufunc.__name__}")
        outs = kwargs.get("out")
        if outs is not None and all(x is None or type(x) is Selected for x in outs):
            return self._delivered(ufunc, inputs, **kwargs)
        if outs is not None or kwargs.get("where", True) is not True:
            raise self._refusal(f"numpy.{ufunc.__name__} with {'out' if outs else 'where'}=")
        return self._elementwise(ufunc, inputs)

    def _delivered(
        self,
        ufunc: np.ufunc,
        inputs: tuple[Any, ...],
        out: tuple[Selected | None, ...],
        casting: Any = "same_kind",
        where: Any = True,
    ) -> Any:
        """The results of a ufunc, in the selections that were given for them."""
        made = self._elementwise(ufunc, inputs)
        results: Any = made if type(made) is tuple else (made,)
        if where is not True:
            if any(x is None for x in out):
                raise self._refusal(f"numpy.{ufunc.__name__} with where= and without out=")
            results = [np.where(where, x, own) for x, own in zip(results, out, strict=True)]
        found = tuple(
            x if target is None else target._written(x, casting)
            for x, target in zip(results, out, strict=True)
        )
        return found if type(made) is tuple else found[0]

    def _written(self, out: Selected, casting: Any = "same_kind") -> Selected:
        """Itself, with the elements of another one, which its other names see written to it."""
        if not np.can_cast(out.dtype, self.dtype, casting):
            raise ArgumentTypeError(
                f"x[mask]: cannot store a result of dtype {out.dtype} in a selection of dtype "
                f"{self.dtype} with casting={casting!r}{self._line}; convert it with "
                f".astype({self.dtype})"
            )
        self._array = self._beside(out).astype(self.dtype)
        return self

    def _take(self, primitive: Any, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """What a primitive does that has met a selection among its arguments."""
        function = primitive.value
        alone = isinstance(function, np.ufunc) and function.signature is None
        if params or not (alone or function in _ELEMENTWISE):
            raise self._refusal(primitive.name)
        return self._elementwise(primitive, args)

    def _elementwise(self, function: Callable[..., Any], inputs: tuple[Any, ...]) -> Any:
        whole = [self._beside(x) for x in inputs]
        with np.errstate(all="ignore"):  # it may not be defined elsewhere
            out = function(*whole)
        if all(type(x) is not Selected for x in inputs):  # its own elements are written to
            shape = shape_of(self._array)
            spread = functools.partial(np.broadcast_to, shape=shape)
            out = tuple(map(spread, out)) if type(out) is tuple else spread(out)
        if type(out) is tuple:
            return tuple(map(self._like, out))
        return self._like(out)

    def _beside(self, x: Any) -> Any:
        """What is combined with the whole array in place of `x`."""
        if type(x) is Selected:
            if not same_mask(x._mask, self._mask):
                raise DataDependenceError(
                    "two selections, x[mask] and y[other], are combined of which it is not known "
                    f"that their masks are the same{user_line()}; make one mask, and select with "
                    "that"
                )
            if (x._lead, x.ndim) != (self._lead, self.ndim):
                raise self._refusal(f"one of {x.ndim} axes beside another one of {self.ndim}")
            return x._array
        if len(np.shape(x)) > len(self._rest):
            raise self._refusal(f"a selection beside an array of shape {np.shape(x)}")
        return x

    def astype(self, dtype: Any, **options: Any) -> Selected:
        return self._like(self._array.astype(dtype, **options))

    def copy(self, order: str = "C") -> Selected:
        del order
        return self._like(self._array)

    # -- together --------------------------------------------------------------------------------

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        del types
        if function in _ELEMENTWISE and not (function is np.where and len(args) < 3):
            for name, value in kwargs.items():
                if name in ("out", "where", "shape") or np.shape(value) != ():
                    raise self._refusal(f"numpy.{function.__name__} with {name}=")
            return self._elementwise(functools.partial(function, **kwargs), args)
        implementation = functions.get(function)
        if implementation is None or type(args[0]) is not Selected:
            raise self._refusal(f"{function.__module__}.{function.__name__}")
        return implementation(*args, **kwargs)

    def _over(self, axis: Any) -> tuple[int, ...] | None:
        """The axes of the whole array for these; `None` if the selected are not counted by one."""
        if axis is None:
            return tuple(range(len(shape_of(self._array))))
        if self._lead not in normalize_axis_tuple(axis, self.ndim):
            return None
        rank = len(self._mask.shape)
        return (*range(self._lead, self._lead + rank), *self._beyond(axis))

    def _beyond(self, axis: Any) -> tuple[int, ...]:
        """The axes of the whole array for those that do not count the selected elements."""
        more = len(self._mask.shape) - 1
        return tuple(
            place if place < self._lead else place + more
            for place in normalize_axis_tuple(axis, self.ndim)
            if place != self._lead
        )

    def _reduced(self, function: Any, neutral: Any, axis: Any, keepdims: bool) -> Any:
        axes = self._over(axis)
        if axes is None:
            return self._apart(function, axis, keepdims=keepdims)
        out = function(self._filled(neutral), axis=axes, keepdims=keepdims)
        if not keepdims:
            return out
        end = self._lead + len(self._mask.shape)
        return np.reshape(out, (*out.shape[: self._lead], 1, *out.shape[end:]))

    def _apart(self, function: Any, axis: Any, *, keepdims: bool, **options: Any) -> Selected:
        """A reduction of each of the selected elements for itself."""
        axes = self._beyond(axis)
        out = function(self._array, axis=axes, keepdims=keepdims, **options)
        gone = 0 if keepdims else sum(each < self._lead for each in axes)
        return Selected(out, self._mask, self._line, self._lead - gone)

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
        if self._is_mask(key):
            return Selected(self._array, np.logical_and(self._mask, self._beside(key)))
        raise self._refusal("a subscript")

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._is_mask(key):
            chosen = np.logical_and(self._mask, self._beside(key))
        elif key is ... or (type(key) is slice and key == slice(None)):
            chosen = self._mask
        else:
            raise self._refusal("writing to a part of it")
        if type(value) is Selected:
            alike = (value._lead, value.ndim) == (self._lead, self.ndim)
            if not alike or not same_mask(value._mask, chosen):
                raise self._refusal("writing another selection to it")
            value = value._array
        elif len(np.shape(value)) > len(self._rest):
            raise self._refusal(f"writing an array of shape {np.shape(value)} to it")
        wide = np.reshape(chosen, chosen.shape + (1,) * len(self._rest))
        self._array = np.where(wide, value, self._array).astype(self.dtype)

    def _is_mask(self, key: Any) -> bool:
        """Whether it selects among the selected elements."""
        if type(key) is not Selected or key.dtype.kind != "b" or key._rest:
            return False
        return not key._lead and not self._lead

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

    def __format__(self, spec: str) -> str:
        if spec:
            raise self._refusal(f"a format as {spec!r}")
        return repr(self)

    def __repr__(self) -> str:
        return f"<{self._array!r}[{self._mask!r}]>"


class _AbsentError(DataDependenceError, AttributeError):
    """An attribute that depends on which elements are selected; `hasattr` says that it isn't."""


for _name, _elementwise in {
    "clip": np.clip, "round": np.round, "conj": np.conjugate, "conjugate": np.conjugate,
}.items():  # fmt: skip
    setattr(Selected, _name, lambda self, *args, function=_elementwise: function(self, *args))
for _name in ("real", "imag"):
    setattr(Selected, _name, property(getattr(np, _name)))
