"""What the functions of `scipy.linalg` accept as matrices and as right-hand sides."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.conversion import convert
from pullback.numpy.operands import operand
from pullback.rules.shaping import reshape

__all__ = [
    "columns",
    "fixed",
    "hermitian_of",
    "matrices",
    "matrix",
    "require_fit",
    "square",
    "system",
    "taken_back",
    "vector",
]


def matrix(x: Any, name: str, check_finite: bool = True, *, rank: int = 2) -> Any:
    """`x` as an array of at least `rank` axes in a precision of LAPACK's.

    Raises
    ------
    ValueError
        As SciPy does, where an element is known to be infinite or NaN and that is checked.
    """
    x = operand(x)
    if len(shape_of(x)) < rank:
        raise ArgumentValueError(
            f"{name}: got an array of shape {shape_of(x)}, wanted at least {rank} axes"
        )
    if check_finite and dtype_of(x).kind in "fc" and known(x) and not np.isfinite(strip(x)).all():
        raise ValueError("array must not contain infs or NaNs")
    return convert(x, _lapacks(dtype_of(x)))


def _lapacks(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in which LAPACK computes with arrays of this one."""
    if dtype.kind == "c":
        return np.dtype(np.complex64 if dtype.itemsize <= 8 else np.complex128)
    return np.dtype(np.float32 if dtype.kind == "f" and dtype.itemsize <= 4 else np.float64)


def vector(x: Any, name: str, check_finite: bool = True) -> Any:
    """`x` as an array of at least one axis in a precision of LAPACK's."""
    return matrix(x, name, check_finite, rank=1)


def square(x: Any, name: str, check_finite: bool = True) -> Any:
    """`x` as a batch of square matrices in a precision of LAPACK's."""
    x = matrix(x, name, check_finite)
    shape = shape_of(x)
    if shape[-1] != shape[-2]:
        raise ArgumentValueError(
            f"{name}: got an array of shape {shape}; the last two axes must make a square matrix"
        )
    return x


def matrices(*arrays: Any) -> tuple[Any, ...]:
    """Arrays in the precision that they have in common."""
    common = np.result_type(*map(dtype_of, arrays))
    return tuple(convert(x, common) for x in arrays)


def columns(b: Any) -> tuple[Any, bool]:
    """A right-hand side as columns, and whether it was a single vector."""
    shape = shape_of(b)
    return (reshape(b, shape=(*shape, 1)), True) if len(shape) == 1 else (b, False)


def system(a: Any, b: Any, name: str, check_finite: bool = True) -> tuple[Any, Any, bool]:
    """A square matrix and right-hand sides that fit it, as columns, in the precision of both.

    With them comes whether there was a single vector, as `taken_back` wants to know.
    """
    a, b = matrices(square(a, name, check_finite), vector(b, name, check_finite))
    b, single = columns(b)
    require_fit(name, a, b)
    return a, b, single


def require_fit(name: str, a: Any, b: Any) -> None:
    """Raise where matrices and the columns of a right-hand side have different numbers of rows."""
    if shape_of(a)[-1] != shape_of(b)[-2]:
        raise ArgumentValueError(
            f"{name}: got matrices of shape {shape_of(a)} and right-hand sides of shape "
            f"{shape_of(b)}, wanted as many rows in these as in those"
        )


def taken_back(x: Any, single: bool) -> Any:
    """A solution in the form of the right-hand side."""
    return reshape(x, shape=shape_of(x)[:-1]) if single else x


def fixed(value: Any, name: str, argument: str) -> Any:
    """`value`, which says what is to be done and cannot be traced."""
    if isinstance(value, Tracer):
        raise ArgumentTypeError(
            f"{name}: the argument {argument} is traced, of dtype {value.dtype} and shape "
            f"{value.shape}; it says what is to be computed and is no variable: hand over a plain "
            "value, or pullback.stop_gradient(x) of one that is known"
        )
    return value


def hermitian_of(a: Any, lower: bool, *, conjugate: bool = True) -> Any:
    """The Hermitian, or symmetric, matrix with this triangle."""
    strict = np.tril(a, -1) if lower else np.triu(a, 1)
    mirrored, on = strict.mT, np.tril(np.triu(a))
    if conjugate and dtype_of(a).kind == "c":
        mirrored, on = np.conj(mirrored), on.real
    return strict + mirrored + on
