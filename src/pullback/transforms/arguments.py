"""Primals, tangents and cotangents on their way in, and results on their way out."""

from __future__ import annotations

import functools
import inspect
import operator
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.running import explained, grounded, run
from pullback.core.shapes import astype, dtype_of, is_inexact, shape_of
from pullback.core.subclasses import elements_of
from pullback.core.tracing import Interpreter, Tracer, is_plain, known, strip
from pullback.core.validation import describe, is_integer, name_of, refuse, shown, to_array
from pullback.errors import ArgumentTypeError, ArgumentValueError

__all__ = [
    "Argnums",
    "assemble",
    "call",
    "describe",
    "flatten_arrays",
    "handed_out",
    "lower",
    "name_of",
    "normalize_argnums",
    "owned",
    "positional",
    "require_argnums",
    "require_array",
    "require_complex",
    "require_one_each",
    "require_tuple",
    "seed",
    "stack_depth",
]

Argnums = int | str | Sequence[int | str]
"""Which arguments to differentiate: a position or a name, or several."""


def call(f: Callable[..., Any], args: Iterable[Any], interpreter: Interpreter) -> Any:
    """Evaluate ``f(*args)`` under a transformation.

    NumPy and other libraries hide errors behind errors of their own; the message that tells what
    to do is brought back to the surface.
    """
    try:
        return run(interpreter, f, args)
    except Exception as error:
        found = explained(error)
        if found is None:
            raise
        raise found.with_traceback(error.__traceback__) from _apart(error, found)


def _apart(error: BaseException, found: BaseException) -> BaseException | None:
    """`error` as the cause of `found`, unless it was raised from that itself."""
    each: BaseException | None = error
    while each is not None:
        if each is found:
            return None
        each = each.__cause__ or each.__context__
    return error


def lower(leaf: Any, interpreter: Interpreter, where: str) -> tuple[Any, Any]:
    """A result's value one level below the interpreter, and its payload; `None` if constant."""
    if type(leaf) is not Tracer:
        return leaf, None
    if leaf._alias is not None:
        leaf._refresh()
    if leaf._interpreter is interpreter:
        return interpreter.lowered(leaf._value, leaf._payload)
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


def require_one_each(tangents: Sequence[Any], primals: Sequence[Any], where: str) -> None:
    """Raise unless there are as many tangents as primals."""
    if len(tangents) != len(primals):
        raise ArgumentValueError(
            f"{where}: got {len(tangents)} tangents for {len(primals)} primals; give one for each, "
            "None where it is zero"
        )


def require_array(x: Any, where: str) -> Any:
    """`x` if it is an array, tracer or number; object arrays of traced values are joined."""
    if isinstance(x, _SINGLE):
        return x
    if is_plain(x):
        x = elements_of(x, where)
        return x if x.dtype.kind != "O" else assemble(x, where)
    if hasattr(x, "__array__"):
        return require_array(to_array(x, where), where)
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
    """A tangent or cotangent, checked against its primal, in its dtype; `None` is zero."""
    if x is None:
        return None
    number = type(x) in _DOUBLES and x == x
    if number and type(primal) in _DOUBLES:  # as of a wide pytree
        return np.float64(x)
    shape, dtype = shape_of(primal), dtype_of(primal)
    if type(x) is np.ndarray and x.dtype is dtype and x.shape == shape and dtype.kind in "fc":
        if np.count_nonzero(np.isnan(x)):
            raise _undefined(x, where)
        return x
    if number and dtype is _DOUBLE and not shape:
        return np.float64(x)
    if isinstance(x, list | tuple):
        x = to_array(x, where)
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
    given = dtype_of(x)
    if given is not dtype and not np.can_cast(given, dtype, casting="same_kind"):
        raise ArgumentTypeError(
            f"{where} has dtype {dtype_of(x)}, wanted {dtype}, the dtype of the value it belongs "
            f"to; convert it with x.astype({dtype})"
        )
    if known(x) and np.logical_or.reduce(np.isnan(strip(x)), axis=None):
        raise _undefined(astype(x, dtype), where)
    return astype(x, dtype)


def _undefined(x: Any, where: str) -> ArgumentValueError:
    return ArgumentValueError(
        f"{where} of shape {shape_of(x)} and dtype {dtype_of(x)} holds NaN, wanted numbers: every "
        "derivative would be NaN; look for the NaN where the seed was made"
    )


def owned(x: Any, taken: set[int]) -> Any:
    """`x` as an array that the caller may write to without changing any other.

    `taken` has the identities of the arrays that others hold; the result's is added.
    """
    if (kind := type(x)) in _DOUBLES:  # as the leaves of a wide pytree often are
        return x
    if issubclass(kind, np.ndarray):
        if x.base is not None or id(x) in taken or not x.flags.writeable:
            x = x.copy(order="K")
        taken.add(id(x))
        return x
    return x._snapshot() if kind is Tracer else x


def handed_out(derivative: Any, primal: Any, taken: set[int]) -> Any:
    """A derivative as the user gets it: zeros where it is `None`, for integers `None`."""
    if derivative is None:
        if type(primal) in _DOUBLES:
            return _ZERO
        dtype, shape = dtype_of(primal), shape_of(primal)
        if dtype is _DOUBLE and not shape:
            return _ZERO
        if dtype.kind not in "fc":
            return None
        return np.zeros(shape, dtype) if shape else dtype.type(0)
    return owned(derivative, taken)


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
    kind = type(tree)
    if kind is Tracer:
        return [tree._value if grounded(tree) else tree], trees.LEAF
    if kind is np.ndarray and tree.dtype.kind in "fc":
        return [tree], trees.LEAF
    leaves, spec = trees.flatten(tree, f"{where}: {argument}")
    paths = trees.Paths(spec)
    for number, leaf in enumerate(leaves):
        if type(leaf) is Tracer:
            if not leaf._interpreter.level or leaf._alias is not None:
                leaves[number] = leaf._value if grounded(leaf) else leaf
        elif type(leaf) not in _ARRAYS or (type(leaf) is np.ndarray and leaf.dtype.kind == "O"):
            leaves[number] = require_array(leaf, f"{where}: {argument}{paths[number]}")
    return leaves, spec


_SINGLE = (Tracer, float, int, complex, np.generic)
_DOUBLES, _DOUBLE = frozenset({float, np.float64}), np.dtype(np.float64)
_ZERO = np.float64(0)
_ARRAYS = frozenset({np.ndarray, float, int, bool, complex, Tracer, *np.sctypeDict.values()})


def require_argnums(argnums: Any, where: str) -> Argnums:
    """`argnums` as one int or str, or as a tuple of several."""
    if isinstance(argnums, str):
        return str(argnums)
    if is_integer(argnums):
        return operator.index(argnums)
    several = isinstance(argnums, tuple | list | range) or (is_plain(argnums) and argnums.ndim == 1)
    wanted = "the position of an argument, its name, or a tuple of these"
    if not several:
        raise refuse(where, "argnums", argnums, wanted, "write 0 for the first argument")
    for place, each in enumerate(argnums):
        if not is_integer(each) and not isinstance(each, str):
            raise refuse(
                where, f"argnums[{place}]", each, "the position of an argument or its name"
            )
    return tuple(str(each) if isinstance(each, str) else operator.index(each) for each in argnums)


def positional(
    f: Callable[..., Any],
    argnums: Argnums,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    where: str,
) -> tuple[Callable[..., Any], tuple[Any, ...], tuple[int, ...]]:
    """A function of positional arguments alone, these, and which of them to differentiate.

    What `argnums` calls by its name is found among the parameters of `f`, or among the keywords.
    """
    asked = argnums if isinstance(argnums, tuple) else (argnums,)
    names = [a for a in asked if isinstance(a, str)]
    given = [name for name in dict.fromkeys(names) if name in kwargs]
    if names:
        known = {name: len(args) + place for place, name in enumerate(given)}
        known |= _named(f, names, args, where, known)
        argnums = tuple(known[a] if isinstance(a, str) else a for a in asked)
    positions = normalize_argnums(argnums, len(args), where, len(args) + len(given))
    if not kwargs:
        return f, args, positions
    if not given:
        return functools.partial(f, **kwargs), args, positions
    count = len(args)
    fixed = {name: value for name, value in kwargs.items() if name not in given}

    def function(*values: Any) -> Any:
        return f(*values[:count], **dict(zip(given, values[count:], strict=True)), **fixed)

    function.__name__ = name_of(f)
    return function, (*args, *(kwargs[name] for name in given)), positions


def _named(
    f: Callable[..., Any], names: list[str], args: tuple[Any, ...], where: str, known: Any
) -> dict[str, int]:
    """Positions of those of the arguments given by position that are called so."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    places = {x.name: place for place, x in enumerate(parameters) if x.kind in kinds}
    found = {name: places[name] for name in names if places.get(name, len(args)) < len(args)}
    for name in names:
        if name not in found and name not in known:
            if any(x.name == name for x in parameters):
                remedy = "which the call did not give a value; pass it"
            else:
                own = ", ".join(x.name for x in parameters) or "none that are known"
                remedy = f"which is no parameter of it: they are {own}"
            raise ArgumentValueError(f"{where}: argnums names the argument {shown(name)}, {remedy}")
    return found


def normalize_argnums(
    argnums: Any, count: int, where: str, total: int | None = None
) -> tuple[int, ...]:
    """Positions of the arguments to differentiate, counted from the start.

    `count` arguments were given by position; `total` counts with them those that were given by
    keyword and are differentiated.
    """
    wanted = argnums if type(argnums) is tuple else (argnums,)
    positions = tuple(a + count if a < 0 else a for a in wanted)
    for asked, position in zip(wanted, positions, strict=True):
        if not 0 <= position < (count if total is None else total):
            raise ArgumentValueError(
                f"{where}: argnums names argument {asked}, but the function was called with "
                f"{count} positional arguments; pass differentiated arguments by position, or name "
                'them: argnums="x"'
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
