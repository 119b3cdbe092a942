"""A pytree of arrays as one flat vector, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.shapes import Abstract
from pullback.core.tracing import Tracer
from pullback.core.validation import refuse
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.transforms.foreign import by_position

__all__ = ["flatten"]

Vector = np.ndarray[Any, np.dtype[Any]]


def flatten(params: Any) -> tuple[Vector, Callable[[Any], Any]]:
    """All elements of a pytree as one vector, and the function that makes the pytree of it again.

    Parameters
    ----------
    params : pytree
        Of real floating arrays.

    Returns
    -------
    vector : array, shape (n,)
        The leaves in order, each in row-major order; of the widest dtype among them.
    unflatten : callable
        ``unflatten(vector) -> params``, of the same structure, shapes and dtypes. It can be
        differentiated.

    Raises
    ------
    ArgumentTypeError
        Where a leaf isn't a real floating array.
    ArgumentValueError
        Where there is no leaf; from `unflatten`, where the vector has another length.

    Examples
    --------
    >>> import numpy as np
    >>> import pullback as pb
    >>> vector, unflatten = pb.optim.flatten({"W": np.eye(2), "b": np.float32([5.0, 6.0])})
    >>> vector
    array([1., 0., 0., 1., 5., 6.])
    >>> unflatten(2 * vector)["b"]
    array([10., 12.], dtype=float32)
    """
    leaves, spec = trees.flatten(params)
    if not leaves:
        raise ArgumentValueError("flatten: params has no leaves, wanted at least one array")
    arrays = []
    for position, leaf in enumerate(leaves):
        if type(leaf) not in (np.ndarray, Tracer, float):
            path = trees.leaf_paths(spec)[position]
            leaves[position] = leaf = by_position(leaf, f"flatten: params{path}")
        array = Abstract.of(leaf)
        if array.dtype.kind != "f":
            raise ArgumentTypeError(
                f"flatten: params{trees.leaf_paths(spec)[position]} has dtype {array.dtype} and "
                f"shape {array.shape}, wanted a real floating array; convert it with "
                "np.asarray(x, dtype=float)"
            )
        arrays.append(array)
    size = sum(array.size for array in arrays)

    def unflatten(vector: Any) -> Any:
        """The pytree whose elements are those of `vector`."""
        vector = by_position(vector, "unflatten: the vector")
        if vector.dtype.kind not in "biuf":
            raise refuse("unflatten", "the vector", vector, "an array of real numbers")
        if np.shape(vector) != (size,):
            raise ArgumentValueError(
                f"unflatten: the vector has shape {np.shape(vector)}, wanted ({size},)"
            )
        rebuilt, start = [], 0
        for array in arrays:
            part = vector[start : start + array.size]
            rebuilt.append(np.reshape(part, array.shape).astype(array.dtype))
            start += array.size
        return trees.unflatten(spec, rebuilt)

    return np.concatenate([np.ravel(leaf) for leaf in leaves]), unflatten
