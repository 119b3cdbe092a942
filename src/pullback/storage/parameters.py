"""Parameters in files: any pytree of arrays, with its structure."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.errors import ArgumentValueError
from pullback.storage.files import destination, read, write
from pullback.storage.structure import (
    as_kind,
    describe,
    difference,
    kinds,
    names,
    rebuild,
    to_arrays,
)

__all__ = ["load", "load_with_notes", "save", "save_with_notes"]


def save(path: str | os.PathLike[str], tree: Any) -> None:
    """Write a pytree of arrays to a file, whole or not at all.

    Parameters
    ----------
    path : str or path
        Ends in ``.safetensors``. A file that is there is replaced, in one move.
    tree : pytree
        Of arrays and numbers, real, complex or truth values.

    Returns
    -------
    None

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where a leaf is neither array nor number, the file can't be written, or safetensors is not
        installed.

    Notes
    -----
    The file is in the format of `safetensors <https://github.com/huggingface/safetensors>`_, which
    other libraries read: each leaf under the name by which Python reaches it, ``layers[0].W``, and
    the structure in the header. Complex numbers are pairs along a last axis.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import pullback as pb
    >>> net = pb.nn.Chain([pb.nn.Dense.initialize(2, 8, "tanh", rng=0), pb.nn.Head(np.ones(8))])
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     file = os.path.join(directory, "net.safetensors")
    ...     pb.save(file, net)
    ...     again = pb.load(file, like=net)
    >>> bool(np.all(again[0].W == net[0].W))
    True
    """
    save_with_notes(path, tree, {}, "save")


def load(path: str | os.PathLike[str], like: Any = None) -> Any:
    """Read a pytree of arrays that `save` has written; no code is run for it.

    Parameters
    ----------
    path : str or path
    like : pytree, optional
        Of the structure, shapes and dtypes that are wanted; its numbers don't matter. Without it
        a pytree of dicts, lists, tuples and `None` is made as the file describes it; other
        classes, such as layers, are not made from a file alone.

    Returns
    -------
    pytree
        Of new arrays, and numbers where there were numbers. From a file of safetensors that `save`
        did not write a dict of arrays, or `like` with those of its leaves' names.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        Where there is no such file, it is damaged, or its structure, or the shape or dtype of a
        leaf, isn't that of `like`: the message names the leaf.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> import pullback as pb
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     file = os.path.join(directory, "net.safetensors")
    ...     pb.save(file, {"W": np.eye(2), "steps": 3})
    ...     print(pb.load(file))
    ...     pb.load(file, like={"W": np.eye(3), "steps": 0})
    Traceback (most recent call last):
        ...
    pullback.errors.ArgumentValueError: load: ['W'] has shape (2, 2) in the file, wanted (3, 3)
    """
    return load_with_notes(path, like, "load")[0]


def save_with_notes(path: Any, tree: Any, notes: dict[str, Any], where: str) -> None:
    """Write a pytree, and notes of what JSON has beside it."""
    file = destination(path, where)
    leaves, spec = trees.flatten(tree, f"{where}: tree")
    arrays = to_arrays(leaves, spec, where)
    structure = describe(leaves, spec)
    kept = dict(zip(names(structure), arrays, strict=True))
    if len(kept) != len(arrays):
        raise ArgumentValueError(f"{where}: two leaves of the tree have one name; rename one")
    header = {"version": 1, "structure": structure, "notes": notes}
    header["complex"] = [name for name, array in kept.items() if array.dtype.kind == "c"]
    write(file, kept, header, where)


def load_with_notes(path: Any, like: Any, where: str) -> tuple[Any, dict[str, Any]]:
    """What `save_with_notes` has written."""
    file = destination(path, where)
    arrays, header = read(file, where)
    if header is None:
        return (arrays if like is None else _named(arrays, like, where)), {}
    try:
        structure, notes = header["structure"], header["notes"]
        for name in header["complex"]:
            pairs = np.ascontiguousarray(arrays[name])
            arrays[name] = pairs.view(f"c{2 * pairs.itemsize}")[..., 0]
        called = names(structure)
        found = [as_kind(arrays[name], k) for name, k in zip(called, kinds(structure), strict=True)]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        raise ArgumentValueError(
            f"{where}: {path} has a header that save did not write ({error!r})"
        ) from error
    if like is None:
        return rebuild(structure, iter(found), where), notes
    leaves, spec = trees.flatten(like, f"{where}: like")
    to_arrays(leaves, spec, f"{where}: like")
    words = difference(structure, describe(leaves, spec))
    if words:
        raise ArgumentValueError(f"{where}: {path} is of another structure: {words}")
    for name, array, leaf in zip(called, found, leaves, strict=True):
        _require_like(name, array, leaf, where)
    return trees.unflatten(spec, map(_as_leaf, found, leaves)), notes


def _named(arrays: dict[str, Any], like: Any, where: str) -> Any:
    """The arrays of a file that says nothing of structure, in the places of their names."""
    leaves, spec = trees.flatten(like, f"{where}: like")
    wanted = names(describe(leaves, spec))
    for name, leaf in zip(wanted, leaves, strict=True):
        if name not in arrays:
            raise ArgumentValueError(
                f"{where}: the file has no {name}; it has {', '.join(sorted(arrays)) or 'nothing'}"
            )
        _require_like(name, arrays[name], leaf, where)
    return trees.unflatten(spec, [arrays[name] for name in wanted])


def _require_like(name: str, array: Any, leaf: Any, where: str) -> None:
    """Raise unless what was found can take the place of a leaf."""
    pairs = [("shape", np.shape(array), np.shape(leaf)), ("dtype", _dtype(array), _dtype(leaf))]
    for what, one, other in pairs:
        if one != other:
            raise ArgumentValueError(
                f"{where}: {name} has {what} {one} in the file, wanted {other}"
            )


def _dtype(x: Any) -> Any:
    return np.asarray(x).dtype.newbyteorder("=")


def _as_leaf(found: Any, leaf: Any) -> Any:
    """What was found, as a number where there was one."""
    kind = type(leaf)
    return kind(found) if kind in (bool, int, float, complex) else np.asarray(found)
