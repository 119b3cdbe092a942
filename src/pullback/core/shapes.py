"""Shapes and dtypes of whatever stands for an array, and the sum that undoes a broadcast."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = [
    "Abstract",
    "astype",
    "broadcast_shapes",
    "dtype_of",
    "expand",
    "fit",
    "is_inexact",
    "shape_of",
    "unbroadcast",
]

_LARGE, _FEW_COLUMNS = 2048, 512

_PYTHON_DTYPES = {
    float: np.dtype(np.float64),
    int: np.dtype(np.int64),
    bool: np.dtype(np.bool_),
    complex: np.dtype(np.complex128),
}


class Abstract:
    """The shape and dtype of an array without its elements.

    Rules are handed one in place of each value that they declare not to read.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy.dtype

    Attributes
    ----------
    number : bool
        Whether it stands for a Python number, which decides on no dtype in promotion.
    """

    __slots__ = ("dtype", "shape")

    number: bool = False

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape = shape
        self.dtype = dtype

    @classmethod
    def of(cls, x: Any) -> Abstract:
        """The shape and dtype of an array, tracer or scalar."""
        return Abstract(shape_of(x), dtype_of(x))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        size = 1
        for extent in self.shape:
            size *= extent
        return size

    def become_number(self) -> None:
        """Stand for a Python number from now on."""
        raise NotImplementedError

    @property
    def memory(self) -> Any:
        """How an array lies in memory of this shape and dtype, or a scalar, if that is known."""
        return None

    def rely(self) -> None:
        """Note that what is computed depends on how this value lies in memory."""

    def __repr__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


def shape_of(x: Any) -> tuple[int, ...]:
    """Shape of an array, tracer, abstract value or scalar."""
    shape = getattr(x, "shape", None)  # for a number an exception would take ten times as long
    if shape is not None:
        return shape  # type: ignore[no-any-return]
    return () if type(x) in _PYTHON_DTYPES else np.shape(x)


def dtype_of(x: Any) -> np.dtype[Any]:
    """Dtype of an array, tracer, abstract value or scalar."""
    dtype = getattr(x, "dtype", None)
    if dtype is not None:
        return dtype  # type: ignore[no-any-return]
    return _PYTHON_DTYPES.get(type(x)) or np.asarray(x).dtype


def is_inexact(x: Any) -> bool:
    """Whether `x` has a floating or complex dtype, so that it can carry a derivative."""
    return dtype_of(x).kind in "fc"


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that these broadcast to; NumPy's function has a limit of 32 dimensions.

    Raises
    ------
    ValueError
        Where they don't fit together.
    """
    rank = max(map(len, shapes), default=0)
    found = [1] * rank
    for shape in shapes:
        for axis, extent in enumerate(shape, rank - len(shape)):
            if extent != found[axis] and extent != 1:
                if found[axis] != 1:
                    raise ValueError(f"extents {found[axis]} and {extent} do not fit together")
                found[axis] = extent
    return tuple(found)


def unbroadcast(x_bar: Any, shape: tuple[int, ...]) -> Any:
    """Sum `x_bar` over the axes along which an array of `shape` was broadcast.

    Parameters
    ----------
    x_bar : array
        Cotangent of the broadcast array.
    shape : tuple of int
        Shape before broadcasting; it must broadcast to ``x_bar.shape``.

    Returns
    -------
    array of `shape`
    """
    wide = shape_of(x_bar)
    if wide == shape:
        return x_bar
    lead = len(wide) - len(shape)
    if lead and wide[lead:] == shape and type(x_bar) is np.ndarray and x_bar.size > _LARGE:
        return _sum_rows(x_bar, shape)
    if lead:
        x_bar = np.add.reduce(x_bar, axis=tuple(range(lead)))
        if wide[lead:] == shape:
            return x_bar
    stretched = tuple(
        axis for axis, extent in enumerate(shape) if extent == 1 and wide[lead + axis] != 1
    )
    if stretched:
        x_bar = np.add.reduce(x_bar, axis=stretched, keepdims=True)
    return x_bar


def _sum_rows(x_bar: np.ndarray[Any, Any], shape: tuple[int, ...]) -> Any:
    """Sum of a large array over its leading axes, all but the last of extents `shape`.

    NumPy reduces the leading axes of an array with few columns several times slower than einsum.
    """
    columns = math.prod(shape)
    if columns <= _FEW_COLUMNS and x_bar.dtype.kind in "fc":
        return np.einsum("ij->j", x_bar.reshape(-1, columns)).reshape(shape)
    return np.add.reduce(x_bar, axis=tuple(range(x_bar.ndim - len(shape))))


def astype(x: Any, dtype: np.dtype[Any]) -> Any:
    """`x` in `dtype`; from complex to real this is the real part, the adjoint of ℝ → ℂ."""
    if dtype_of(x) == dtype:
        return x
    if dtype_of(x).kind == "c" and dtype.kind != "c":
        x = np.real(x)
    return x.astype(dtype) if hasattr(x, "astype") else dtype.type(x)


def fit(x_bar: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Bring a cotangent to its primal's `shape` and `dtype`.

    A cotangent with fewer elements than the primal (a coefficient and a cotangent that were both
    constant along an axis) is broadcast; one with more is summed over the broadcast axes.
    """
    try:
        if x_bar.shape == shape and x_bar.dtype is dtype:
            return x_bar
    except AttributeError:
        x_bar = np.asarray(x_bar)[()]
    if shape_of(x_bar) != shape:
        x_bar = _reshape_to(x_bar, shape)
    if dtype_of(x_bar) is not dtype:
        x_bar = astype(x_bar, dtype)
    return x_bar


def expand(x_dot: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Bring a tangent, which may lack extent, to its primal's `shape` and `dtype`."""
    try:
        if x_dot.shape == shape and x_dot.dtype is dtype:
            return x_dot
    except AttributeError:
        x_dot = np.asarray(x_dot)[()]
    if shape_of(x_dot) != shape:
        x_dot = np.broadcast_to(x_dot, shape)
    if dtype_of(x_dot) is not dtype:
        x_dot = astype(x_dot, dtype)
    return x_dot


def _reshape_to(x_bar: Any, shape: tuple[int, ...]) -> Any:
    wide = shape_of(x_bar)
    if not wide:
        return _repeat(x_bar, shape)
    if len(wide) >= len(shape):
        x_bar = unbroadcast(x_bar, shape)
    return x_bar if shape_of(x_bar) == shape else np.broadcast_to(x_bar, shape)


def _repeat(scalar: Any, shape: tuple[int, ...]) -> Any:
    """A scalar at every position of `shape`, without memory of its own."""
    if issubclass(type(scalar), np.generic):
        # The constructor does in a fraction of the time what np.broadcast_to does.
        return np.ndarray(shape, scalar.dtype, np.asarray(scalar), 0, (0,) * len(shape))
    return np.broadcast_to(scalar, shape)
