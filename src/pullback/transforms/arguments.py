"""Primals, tangents and cotangents on their way in, and results on their way out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.ground import grounded
from pullback.core.interpreter import Interpreter, brought_back
from pullback.core.running import run
from pullback.core.shapes import astype, dtype_of, is_inexact, shape_of
from pullback.core.tracer import Tracer, is_plain, known, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError

__all__ = [
    "Argnums",
    "assemble",
    "call",
    "describe",
    "flatten_arrays",
    "lower",
    "name_of",
    "normalize_argnums",
    "owned",
    "require_array",
    "require_complex",
    "require_tuple",
    "seed",
    "stack_depth",
]

Argnums = int | Sequence[int]
"""Which arguments to differentiate: a position, or several."""


def name_of(f: Callable[..., Any]) -> str:
    """What to call `f` in a message."""
    return getattr(f, "__name__", None) or type(f).__name__


def call(f: Callable[..., Any], args: Iterable[Any], interpreter: Interpreter) -> Any:
    """Evaluate ``f(*args)`` under a transformation.

    NumPy wraps an error that is raised while it fills an array in one of its own; the message
    that tells what to do is brought back to the surface.
    """
    try:
        return run(interpreter, f, args)
    except ValueError as error:
        ours = brought_back(error, interpreter.name)
        if ours is not None:
            raise ours.with_traceback(error.__traceback__) from None
        raise


def lower(leaf: Any, interpreter: Interpreter, where: str) -> tuple[Any, Any]:
    """A result's value one level below the interpreter, and its payload; `None` if constant."""
    if type(leaf) is not Tracer:
        return leaf, None
    leaf._refresh()
    if leaf._interpreter is interpreter:
        return leaf._value, leaf._payload
    if grounded(leaf):
        return leaf._value, None
    leaf._interpreter.require_open(f"{where}: the result")
    return leaf, None


def require_tuple(values: Any, function: str, argument: str) -> tuple[Any, ...]:
    """`values` as a tuple, one entry for each argument of the function."""
    if isinstance(values, tuple | list):
        return tuple(values)
    raise ArgumentTypeError(
        f"{function}: {argument} is {describe(values)}, wanted a tuple with one entry for each "
        f"argument of the function; for a single argument write ({argument[:-1]},)"
    )


def describe(x: Any) -> str:
    """What `x` is, in a few words, for a message."""
    if x is None or isinstance(x, str | bytes | dict | list | tuple) or callable(x):
        return f"a {type(x).__name__}"
    try:
        return f"of type {type(x).__name__}, dtype {dtype_of(x)} and shape {shape_of(x)}"
    except (TypeError, ValueError):
        return f"a {type(x).__name__}"


def require_array(x: Any, where: str) -> Any:
    """`x` if it is an array, tracer or number; object arrays of traced values are joined.

    Parameters
    ----------
    x : object
    where : str
        Function and argument, for the message.
    """
    if isinstance(x, Tracer | float | int | complex | np.generic):
        return x
    if is_plain(x):
        return x if x.dtype.kind != "O" else assemble(x, where)
    if hasattr(x, "__array__"):
        return require_array(np.asarray(x), where)
    raise ArgumentTypeError(
        f"{where} is {describe(x)}, wanted an array or a number (or a tuple, list, dict, "
        "dataclass or registered class of them); convert it with np.asarray(x, dtype=float)"
    )


def assemble(x: np.ndarray[Any, Any], where: str) -> Any:
    """An object array of traced scalars as one traced array."""
    elements = x.ravel().tolist()
    if not any(isinstance(element, Tracer) for element in elements):
        raise ArgumentTypeError(
            f"{where} is an array of dtype object and shape {x.shape}, wanted a floating or "
            "complex array; convert it with x.astype(float)"
        )
    return np.reshape(np.stack(elements), x.shape)


def seed(x: Any, primal: Any, where: str) -> Any:
    """A tangent or cotangent, checked against the array it belongs to.

    Parameters
    ----------
    x : array_like or None
        `None` stands for zero.
    primal : array, tracer or Abstract
    where : str
        Function and argument, for the message.

    Returns
    -------
    array of the primal's shape and dtype, or None
    """
    if x is None:
        return None
    shape, dtype = shape_of(primal), dtype_of(primal)
    if isinstance(x, list | tuple):
        x = np.asarray(x)
    x = require_array(x, where)
    if not is_inexact(primal):
        raise ArgumentTypeError(
            f"{where} belongs to an array of dtype {dtype} and shape {shape}, which carries no "
            "derivative; give None"
        )
    if shape_of(x) != shape:
        raise ArgumentValueError(
            f"{where} has shape {shape_of(x)}, wanted {shape}, the shape of the value it belongs "
            "to; reshape it, or give None where it is zero"
        )
    if not np.can_cast(dtype_of(x), dtype, casting="same_kind"):
        raise ArgumentTypeError(
            f"{where} has dtype {dtype_of(x)}, wanted {dtype}, the dtype of the value it belongs "
            f"to; convert it with x.astype({dtype})"
        )
    if known(x) and np.isnan(strip(x)).any():
        raise ArgumentValueError(
            f"{where} of shape {shape} and dtype {dtype} holds NaN, wanted numbers: every "
            "derivative would be NaN; look for the NaN where the seed was made"
        )
    return astype(x, dtype)


def owned(x: Any, taken: set[int]) -> Any:
    """`x` as an array that the caller may write to without changing any other.

    Parameters
    ----------
    x : array, scalar or tracer
    taken : set of int
        Identities of the arrays that others hold; the result's is added.
    """
    if is_plain(x):
        if x.base is not None or not x.flags.writeable or id(x) in taken:
            x = x.copy(order="K")
        taken.add(id(x))
        return x
    return x._snapshot() if isinstance(x, Tracer) else x


def stack_depth() -> int:
    """Frames between the caller and the first one outside this package, for warnings."""
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("pullback."):
        frame = frame.f_back
        depth += 1
    return depth


def flatten_arrays(tree: Any, where: str, argument: str) -> tuple[list[Any], trees.TreeSpec]:
    """Leaves of a pytree, each of them an array, tracer or number, and its structure.

    Arrays that were made inside, and to which nothing traced was written, are plain arrays here.
    """
    leaves, spec = trees.flatten(tree)
    for number, leaf in enumerate(leaves):
        if type(leaf) is Tracer:
            leaves[number] = leaf._value if grounded(leaf) else leaf
        elif type(leaf) not in _ARRAYS or (type(leaf) is np.ndarray and leaf.dtype.kind == "O"):
            path = trees.leaf_paths(spec)[number]
            leaves[number] = require_array(leaf, f"{where}: {argument}{path}")
    return leaves, spec


_ARRAYS = frozenset({np.ndarray, np.float64, np.float32, float, Tracer})


def normalize_argnums(argnums: Argnums, count: int, where: str) -> tuple[int, ...]:
    """Positions of the arguments to differentiate, counted from the start."""
    wanted = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    positions = tuple(a + count if a < 0 else a for a in wanted)
    for asked, position in zip(wanted, positions, strict=True):
        if not 0 <= position < count:
            raise ArgumentValueError(
                f"{where}: argnums names argument {asked}, but the function was called with "
                f"{count} positional arguments; pass differentiated arguments by position"
            )
    if not positions or len(set(positions)) != len(positions):
        raise ArgumentValueError(
            f"{where}: argnums is {argnums!r}, wanted one position or several different ones"
        )
    return positions


def require_complex(args: Sequence[Any], positions: Sequence[int], where: str) -> None:
    """Raise unless all leaves of these arguments are complex, as holomorphic=True wants."""
    for position in positions:
        leaves, spec = flatten_arrays(args[position], where, f"argument {position}")
        for leaf, path in zip(leaves, trees.leaf_paths(spec), strict=True):
            if dtype_of(leaf).kind != "c":
                raise ArgumentTypeError(
                    f"{where}: argument {position}{path} has dtype {dtype_of(leaf)} and shape "
                    f"{shape_of(leaf)}; with holomorphic=True it must be complex; convert it "
                    "with x.astype(complex)"
                )
