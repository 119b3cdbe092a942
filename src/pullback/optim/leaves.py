"""What the descent methods share: a step on each parameter, of what belongs together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, is_plain
from pullback.core.validation import refuse, require_instance, require_integer
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.optim.schedules import MOST_STEPS
from pullback.transforms.foreign import by_position

__all__ = ["decayed", "leafwise", "require_parameters", "require_state"]


def leafwise(
    step: Callable[..., tuple[Any, ...]], method: Any, params: Any, gradient: Any, *memory: Any
) -> tuple[Any, ...]:
    """Pytrees of the results of a step on each parameter, its gradient and what is remembered."""
    where = f"{type(method).__name__}.update"
    leaves, spec = require_parameters(params, where)
    columns = [leaves, _fitting(gradient, leaves, spec, where)]
    for part in memory:
        column, structure = trees.flatten(part)
        if structure != spec:
            raise ArgumentValueError(
                f"{where}: state belongs to parameters of the structure "
                f"{trees.contrast(structure, spec)}; start with state = method.init(params)"
            )
        for position, (leaf, kept) in enumerate(zip(leaves, column, strict=True)):
            if shape_of(kept) != shape_of(leaf):
                raise ArgumentValueError(
                    f"{where}: state belongs to parameters of other shapes: for params"
                    f"{trees.leaf_paths(spec)[position]} it has the shape {shape_of(kept)}, wanted "
                    f"{shape_of(leaf)}; start with state = method.init(params)"
                )
        columns.append(column)
    results = [step(*row) for row in zip(*columns, strict=True)]
    return tuple(
        trees.unflatten(spec, map(_array, column)) for column in zip(*results, strict=True)
    )


def decayed(moved: Any, params: Any, rate: Any) -> Any:
    """Parameters after a step, less a multiple of those before it, but for what is no parameter."""
    leaves, spec = trees.flatten(moved)
    every = zip(leaves, trees.flatten(params)[0], trees.kept_leaves(spec), strict=True)
    return trees.unflatten(spec, [x if kept else _array(x - rate * p) for x, p, kept in every])


def _array(x: Any) -> Any:
    """A result as an array, where NumPy made a scalar of one without axes."""
    is_scalar = is_plain(x, np.generic) or (type(x) is Tracer and x.shape == ())
    return np.asarray(x) if is_scalar else x


def _fitting(gradient: Any, leaves: list[Any], spec: Any, where: str) -> list[Any]:
    """Leaves of the gradient in the dtypes of the parameters, if they have their shapes."""
    bars, structure = trees.flatten(gradient)
    if structure != spec:
        bars = trees.flatten_like(spec, gradient, f"{where}: gradient")
    for position, (p, g) in enumerate(zip(leaves, bars, strict=True)):
        if not (g is None or type(g) in (np.ndarray, Tracer) or is_plain(g, np.generic)):
            path = trees.leaf_paths(spec)[position]
            bars[position] = g = by_position(g, f"{where}: gradient{path}")
        if g is None or shape_of(g) != shape_of(p):
            got = "missing" if g is None else f"of shape {shape_of(g)}"
            raise ArgumentValueError(
                f"{where}: gradient{trees.leaf_paths(spec)[position]} is {got}, wanted the shape "
                f"{shape_of(p)} of the parameter; differentiate with respect to the same parameters"
            )
        if dtype_of(g) != dtype_of(p):
            if dtype_of(g).kind not in ("fiubc" if dtype_of(p).kind == "c" else "fiub"):
                argument = f"gradient{trees.leaf_paths(spec)[position]}"
                raise refuse(where, argument, g, f"an array of dtype {dtype_of(p)}")
            bars[position] = np.asarray(g).astype(dtype_of(p))
    return bars


def require_parameters(params: Any, where: str, kinds: str = "fc") -> tuple[list[Any], Any]:
    """Leaves of the parameters and their structure, if there are any and all can be fitted."""
    leaves, spec = trees.flatten(params)
    if not leaves:
        raise ArgumentValueError(f"{where}: params has no leaves, wanted at least one array")
    for position, leaf in enumerate(leaves):
        if type(leaf) is np.ndarray and leaf.dtype.kind in kinds:
            continue
        is_array = type(leaf) in (np.ndarray, Tracer) or is_plain(leaf, np.generic)
        if not is_array or leaf.dtype.kind not in kinds:
            got = f"dtype {leaf.dtype}" if is_array else f"type {type(leaf).__name__}"
            raise ArgumentTypeError(
                f"{where}: params{trees.leaf_paths(spec)[position]} has {got}, wanted a "
                f"{'real or complex' if 'c' in kinds else 'real'} floating array; convert it with "
                "np.asarray(x, dtype=float)"
            )
    return leaves, spec


def require_state(state: Any, kind: Any, method: Any) -> None:
    """Raise unless `state` is what the method's `init` gives."""
    if type(state) is kind:
        count = state.count
        if type(count) is Tracer or (type(count) is int and 0 <= count <= MOST_STEPS):
            return
    name = type(method).__name__
    remedy = "start with method.init(params)"
    require_instance(state, kind, f"{name}.update", "state", f"a state of {name}", remedy)
    if type(state.count) is not Tracer:
        require_integer(state.count, f"{name}.update", "state.count", least=0, most=MOST_STEPS)
