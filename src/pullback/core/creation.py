"""What public functions ask of a seed, a shape or a dtype; otherwise as `validation`."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from pullback.core.tracing import Tracer, is_plain
from pullback.core.validation import is_integer, near, out_of_range, refuse, require_integer
from pullback.errors import ArgumentTypeError, ArgumentValueError

__all__ = ["MOST_DIMENSIONS", "require_dtype", "require_generator", "require_shape"]

MOST_DIMENSIONS = 64
"""How many dimensions an array can have."""

KINDS = {
    "f": "floating",
    "fc": "floating or complex",
    "biufc": "numeric",
}
"""What dtypes of these kinds are called."""


def require_generator(x: Any, where: str, argument: str = "seed") -> np.random.Generator:
    """A generator of random numbers from what `numpy.random.default_rng` takes.

    `None` is taken for a seed that is different each time.
    """
    kinds = np.random.Generator | np.random.BitGenerator | np.random.SeedSequence
    if x is None or isinstance(x, kinds):
        return np.random.default_rng(x)
    wanted = "a whole number of at least 0, or a numpy.random.Generator"
    several = isinstance(x, list | tuple) or (is_plain(x) and x.ndim == 1)
    numbers = list(x) if several else [x]
    if not all(map(is_integer, numbers)):
        raise refuse(where, argument, x, wanted)
    seeds = [operator.index(number) for number in numbers]
    if any(number < 0 for number in seeds) or not seeds:
        raise out_of_range(where, argument, x, wanted)
    return np.random.default_rng(seeds if several else seeds[0])


def require_shape(x: Any, where: str, argument: str = "shape") -> tuple[int, ...]:
    """`x` as a tuple of extents, if an array can have that shape."""
    wanted = "a whole number of at least 0, or a tuple of them"
    if is_integer(x):
        extents = [x]
    elif isinstance(x, tuple | list) or (is_plain(x) and x.ndim == 1):
        extents = list(x)
    else:
        raise refuse(where, argument, x, wanted, "write (m, n) for m rows and n columns")
    shape = tuple(
        require_integer(
            extent, where, argument if is_integer(x) else f"{argument}[{position}]", least=0
        )
        for position, extent in enumerate(extents)
    )
    if len(shape) > MOST_DIMENSIONS:
        raise ArgumentValueError(
            f"{where}: {argument} has {len(shape)} extents, wanted at most {MOST_DIMENSIONS}, the "
            "most dimensions that an array has"
        )
    if math.prod(filter(None, shape)) >= 2**60:
        raise ArgumentValueError(
            f"{where}: {argument} is too large for an array: it has {len(shape)} extents, whose "
            "product is beyond 2**60; an array must fit into memory"
        )
    return shape


def require_dtype(x: Any, where: str, kinds: str = "biufc") -> np.dtype[Any]:
    """`x` as a dtype of one of these kinds.

    Parameters
    ----------
    x : dtype_like
        `None` is no dtype.
    where : str
        As for `refuse`; the argument is called dtype.
    kinds : str
        The letters of the kinds that are taken; see `numpy.dtype.kind`.
    """
    wanted = f"a {KINDS.get(kinds, 'numeric')} dtype"
    remedy = "write np.float64 or np.float32" if kinds == "f" else "for example np.float64"
    dtype: np.dtype[Any] | None = None
    if x is not None and not isinstance(x, Tracer | np.ndarray | np.generic | list | dict | tuple):
        try:
            dtype = np.dtype(x)
        except Exception:  # whatever NumPy raises for what is no dtype
            dtype = None
    if dtype is None:
        if isinstance(x, str):
            remedy = near(x, _DTYPE_NAMES) or remedy
        raise refuse(where, "dtype", x, wanted, remedy)
    if dtype.kind not in kinds:
        raise ArgumentTypeError(f"{where}: dtype is {dtype}, wanted {wanted}; {remedy}")
    return dtype


_DTYPE_NAMES = (
    "float64", "float32", "float16", "complex128", "complex64", "int64", "int32", "int16", "int8",
    "uint64", "uint32", "uint16", "uint8", "bool", "float", "int", "complex",
)  # fmt: skip
