"""The precision in which rules compute: that of the result.

A rule is written as mathematics. In the dtypes that arguments happen to have ``-y`` of an unsigned
integer wraps around, ``1 / y`` of a single-precision constant rounds although the result is double,
and Python's own numbers raise where NumPy's become infinite. So what a rule computes with comes in
the precision of the result, real arguments as real numbers and complex ones as complex.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pullback.core.shapes import astype, dtype_of

__all__ = ["PYTHON_NUMBERS", "as_scalar", "computing_dtype", "settled"]

PYTHON_NUMBERS = frozenset({float, int, complex, bool})

_COUNTERPARTS: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(real): np.result_type(real, np.complex64)
    for real in (np.float16, np.float32, np.float64, np.longdouble)
}
_REALS: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(cls): np.finfo(cls).dtype for cls in (np.complex64, np.complex128, np.clongdouble)
}

_found: dict[tuple[np.dtype[Any], np.dtype[Any]], np.dtype[Any]] = {}
_BOOL, _DOUBLE, _float64 = np.dtype(np.bool_), np.dtype(np.float64), np.float64


def as_scalar(number: Any) -> Any:
    """A floating or complex number of Python as one of NumPy, which is what rules compute with."""
    return np.float64(number) if type(number) is float else np.complex128(number)


def computing_dtype(dtype: np.dtype[Any], result: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which an argument of `dtype` takes part in a rule with a result of `result`.

    It is never narrower than the argument's own, and in the machine's byte order.
    """
    key = (dtype, result)
    found = _found.get(key)
    if found is None:
        native = result.newbyteorder("=")
        real = _REALS.get(native, native)
        found = real if dtype.kind == "b" else np.promote_types(dtype, real)
        _found[key] = found
    return found


def settled(
    args: Sequence[Any],
    positions: Sequence[int],
    wanted: Sequence[Any],
    result: np.dtype[Any],
    *,
    numbers: bool,
) -> Sequence[Any]:
    """The arguments of a rule, those that it reads in the precision in which it computes.

    Parameters
    ----------
    args : sequence
        Arrays, tracers, scalars; what is not read may be an `Abstract`.
    positions : sequence of int
        Which of them are read.
    wanted : sequence
        `None` at the position of each argument that is not differentiated. One that is, and is a
        Python number, has double precision itself although the result may be narrower.
    result : numpy.dtype
    numbers : bool
        Whether integers and booleans are converted too.
    """
    double = result is _DOUBLE
    if not double:
        if result.kind not in "fc":
            return args
        result = _widest(args, wanted, result)
    found = [*args]
    for position in positions:
        x = found[position]
        cls = type(x)
        if double and cls is float:
            found[position] = _float64(x)
            continue
        if cls in PYTHON_NUMBERS:
            if numbers or cls is float or cls is complex:
                real = computing_dtype(_BOOL, result)
                found[position] = (_COUNTERPARTS[real] if cls is complex else real).type(x)
            continue
        dtype = x.dtype
        if dtype is not result and dtype.kind in ("biufc" if numbers else "fc"):
            wide = computing_dtype(dtype, result)
            if wide != dtype:
                found[position] = astype(x, wide)
    return found


def _widest(args: Sequence[Any], wanted: Sequence[Any], result: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the result, or of an argument that is differentiated, if that is wider."""
    for x, wants in zip(args, wanted, strict=True):
        if wants is not None:
            dtype = dtype_of(x)
            if dtype is not result and dtype.kind in "fc":
                result = np.promote_types(result, dtype)
    return result
