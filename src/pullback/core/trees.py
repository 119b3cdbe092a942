"""Pytrees: nested containers whose leaves are arrays, through optree.

Plain dataclasses are taken as pytrees on first sight. A field whose metadata says
``{"pytree_node": False}`` is not a leaf but part of the structure, and must be hashable or at
least comparable.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import optree

from pullback.core.tracer import Tracer
from pullback.errors import ArgumentValueError

__all__ = ["NAMESPACE", "flatten", "flatten_like", "leaf_paths", "map_tree", "static", "unflatten"]

NAMESPACE = "pullback"
"""The optree namespace in which classes are registered."""

TreeSpec = optree.PyTreeSpec
_LEAF: TreeSpec = optree.treespec_leaf(namespace=NAMESPACE)
_LEAF_TYPES = frozenset({np.ndarray, np.float64, np.float32, float, int, Tracer})
_registered: set[type] = set()
_registering = threading.Lock()


def static(**kwargs: Any) -> Any:
    """A dataclass field that is part of the structure rather than a leaf.

    Parameters
    ----------
    **kwargs
        As for :func:`dataclasses.field`.
    """
    return dataclasses.field(metadata={"pytree_node": False}, **kwargs)


def _register(cls: type) -> None:
    """Register a dataclass: its fields are children, those marked static are structure."""
    fields = dataclasses.fields(cls)
    children = tuple(f.name for f in fields if f.metadata.get("pytree_node", True))
    fixed = tuple(f.name for f in fields if not f.metadata.get("pytree_node", True))

    def flatten_node(node: Any) -> tuple[tuple[Any, ...], Any, tuple[str, ...]]:
        aux = tuple(getattr(node, name) for name in fixed)
        return tuple(getattr(node, name) for name in children), aux, children

    def unflatten_node(aux: Any, values: Iterable[Any]) -> Any:
        node: Any = object.__new__(cls)
        for name, value in zip(children, values, strict=True):
            object.__setattr__(node, name, value)
        for name, value in zip(fixed, aux, strict=True):
            object.__setattr__(node, name, value)
        return node

    optree.register_pytree_node(
        cls,
        flatten_node,
        unflatten_node,
        path_entry_type=optree.GetAttrEntry,
        namespace=NAMESPACE,
    )
    _registered.add(cls)


def flatten(tree: Any) -> tuple[list[Any], TreeSpec]:
    """Leaves of `tree` and its structure."""
    if type(tree) in _LEAF_TYPES:
        return [tree], _LEAF
    while True:
        leaves, spec = optree.tree_flatten(tree, namespace=NAMESPACE)
        # Another thread may have registered one of them in the meantime: flatten again then, too.
        dataclass_leaves = {type(leaf) for leaf in leaves if dataclasses.is_dataclass(leaf)}
        if not dataclass_leaves:
            return leaves, spec
        with _registering:
            for cls in dataclass_leaves - _registered:
                _register(cls)


def unflatten(spec: TreeSpec, leaves: Iterable[Any]) -> Any:
    """The tree of structure `spec` with these leaves."""
    if spec is _LEAF:
        (leaf,) = leaves
        return leaf
    return optree.tree_unflatten(spec, leaves)


def flatten_like(spec: TreeSpec, tree: Any, what: str) -> list[Any]:
    """Leaves of `tree`, which must have the structure `spec`.

    `None` in place of a leaf or of a whole subtree stands for zero and gives `None` leaves.

    Parameters
    ----------
    spec : TreeSpec
    tree : pytree
    what : str
        The function and argument, for the error message.
    """
    if tree is None:
        return [None] * spec.num_leaves
    if spec.is_leaf():
        return [tree]
    node = spec.one_level()
    assert node is not None
    try:
        children = node.flatten_up_to(tree)
    except (ValueError, TypeError) as error:
        raise ArgumentValueError(
            f"{what} has the structure {flatten(tree)[1]}, wanted {spec}; give a pytree with a "
            "leaf for each leaf of the primal, or None where it is zero"
        ) from error
    leaves: list[Any] = []
    for child_spec, child in zip(spec.children(), children, strict=True):
        leaves.extend(flatten_like(child_spec, child, what))
    return leaves


def leaf_paths(spec: TreeSpec) -> list[str]:
    """How to reach each leaf, as Python would spell it: ``['W'][0].b``."""
    tree = unflatten(spec, [0] * spec.num_leaves)
    return [accessor.codify("") for accessor in optree.tree_accessors(tree, namespace=NAMESPACE)]


def map_tree(function: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """Apply `function` to corresponding leaves of trees of the same structure."""
    leaves, spec = flatten(tree)
    others = [flatten_like(spec, other, "map_tree: an argument") for other in rest]
    return unflatten(spec, [function(*row) for row in zip(leaves, *others, strict=True)])
