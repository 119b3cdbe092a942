"""Ufuncs beyond the plain call: their keywords, and the methods outer and at.

Each function here takes the ufunc first; the tracer finds it under the name of the method. The
methods that reduce are in :mod:`pullback.numpy.folding`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.primitive import bind
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, is_plain
from pullback.errors import ArgumentTypeError
from pullback.numpy.assignment import deliver, owns_memory, require_target
from pullback.numpy.conversion import convert
from pullback.numpy.indexing import parse
from pullback.numpy.operands import operand, refuse
from pullback.numpy.protocol import (
    are_constant,
    no_rule,
    on_constants,
    strip_all,
    ufunc_methods,
)
from pullback.rules import indexing, shaping
from pullback.rules.registration import array_ufuncs

__all__ = ["evaluate", "name_of"]


def name_of(ufunc: np.ufunc) -> str:
    module = "numpy" if hasattr(np, ufunc.__name__) else "scipy.special"
    return f"{module}.{ufunc.__name__}"


def evaluate(ufunc: np.ufunc, *inputs: Any) -> Any:
    """``ufunc(*inputs)``, whether any of them is traced or not."""
    implementation = array_ufuncs.get(ufunc)
    if implementation is None:
        raise no_rule(ufunc, arguments=inputs)
    return implementation(*inputs)


def call(
    ufunc: np.ufunc,
    *inputs: Any,
    out: Any = None,
    where: Any = True,
    dtype: Any = None,
    casting: Any = "same_kind",
    order: str = "K",
    subok: bool = True,
    **unknown: Any,
) -> Any:
    """A ufunc called with keywords.

    `order` and `subok` concern the memory of the result only. With `where` the function is
    evaluated at the selected elements alone, as in NumPy, so that a division by zero elsewhere
    neither warns nor reaches the derivative.
    """
    for argument, value in unknown.items():
        refuse(name_of(ufunc), argument, value, "leave it out, and use another function of NumPy")
    outs = out if isinstance(out, tuple) else (out,)
    for each in outs:
        if hasattr(type(each), "_take"):  # which stores for itself
            options = {"out": outs, "where": where, "casting": casting}
            options |= {} if dtype is None else {"dtype": dtype}
            return each.__array_ufunc__(ufunc, "__call__", *inputs, **options)
    inputs = tuple(operand(x) for x in inputs)
    if dtype is not None:
        inputs = tuple(_cast_input(ufunc, x, np.dtype(dtype), casting) for x in inputs)
    if where is True:
        result = evaluate(ufunc, *inputs)
    else:
        result = _evaluate_where(ufunc, inputs, outs, where)
    if out is None:
        return result
    results = result if isinstance(result, tuple) else (result,)
    delivered = tuple(
        value if target is None else deliver(target, value, name_of(ufunc), casting)
        for target, value in zip(outs, results, strict=True)
    )
    return delivered if isinstance(result, tuple) else delivered[0]


def _cast_input(ufunc: np.ufunc, x: Any, dtype: np.dtype[Any], casting: Any) -> Any:
    if dtype.kind not in "fc":
        refuse(name_of(ufunc), "dtype", dtype, "convert the result with .astype(dtype)")
    if dtype_of(x) == dtype:
        return x
    if type(x) not in (bool, int, float) and not np.can_cast(dtype_of(x), dtype, casting):
        raise ArgumentTypeError(
            f"{name_of(ufunc)}: an input of dtype {dtype_of(x)} cannot be cast to dtype={dtype} "
            f"with casting={casting!r}; convert it with x.astype({dtype})"
        )
    return convert(x, dtype)


def _evaluate_where(
    ufunc: np.ufunc, inputs: tuple[Any, ...], outs: tuple[Any, ...], where: Any
) -> Any:
    """The result, with the elements of the output that `where` leaves out kept as they were."""
    if len(outs) != 1 or outs[0] is None:
        raise ArgumentTypeError(
            f"{name_of(ufunc)}: where= without out= leaves elements of the result undefined; give "
            "out=np.zeros_like(x), or choose with np.where(condition, a, b)"
        )
    if isinstance(where, Tracer) and not where._is_constant:  # it differs by example, or is unknown
        with np.errstate(all="ignore"):
            return np.where(where, evaluate(ufunc, *inputs), outs[0])
    mask = np.asarray(where, dtype=bool)
    shape = shape_of(outs[0])
    mask = np.broadcast_to(mask, shape)
    chosen = [x if shape_of(x) == () else np.broadcast_to(x, shape)[mask] for x in inputs]
    value = evaluate(ufunc, *chosen)
    return bind(indexing.index_update, (outs[0], value, mask), {"key": (indexing.ARRAY,)})


def outer(ufunc: np.ufunc, x: Any, y: Any, /, **kwargs: Any) -> Any:
    """``ufunc.outer``: the ufunc of each element of `x` with each of `y`."""
    x, y = operand(x), operand(y)
    if len(shape_of(y)):
        x = shaping.reshape(x, shape=shape_of(x) + (1,) * len(shape_of(y)))
    return call(ufunc, x, y, **kwargs) if kwargs else evaluate(ufunc, x, y)


def at(ufunc: np.ufunc, x: Any, key: Any, *operands: Any) -> None:
    """``ufunc.at``: the in-place operation at an index, once for each time it names an element."""
    where = f"{name_of(ufunc)}.at"
    if owns_memory(x) and are_constant((key, operands)):
        x._announce()
        ufunc.at(x._value, *strip_all((key, *operands)))
        x._touch()
        return
    if is_plain(x) and are_constant((key, operands)):
        on_constants(ufunc.at, (x, key, *operands), {})
        return
    require_target(x, where)
    template, arrays = parse(key)
    if ufunc in (np.add, np.subtract):
        v = operand(operands[0])
        if ufunc is np.subtract:
            v = np.negative(convert(v, x.dtype) if dtype_of(v).kind in "biu" else v)
        deliver(x, bind(indexing.index_add, (x, v, *arrays), {"key": template}), where, "unsafe")
        return
    positions = np.arange(x.size).reshape(x.shape)[key]
    flat = positions.ravel()
    others = [np.broadcast_to(operand(v), positions.shape).reshape(-1) for v in operands]
    state = x.reshape(-1)
    for turn in _turns(flat):
        chosen = evaluate(ufunc, state[flat[turn]], *(v[turn] for v in others))
        state = bind(indexing.index_update, (state, chosen, flat[turn]), {"key": (indexing.ARRAY,)})
    x[...] = state.reshape(x.shape)


def _turns(positions: Any) -> list[Any]:
    """Groups of entries in which no position occurs twice, first occurrences first."""
    order = np.argsort(positions, kind="stable")
    ordered = positions[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if ordered.size else ordered
    lengths = np.diff(np.r_[starts, ordered.size])
    turn = np.arange(ordered.size) - np.repeat(starts, lengths)
    return [order[turn == k] for k in range(int(lengths.max(initial=0)))]


ufunc_methods.update({"__call__": call, "outer": outer, "at": at})
