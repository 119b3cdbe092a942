"""Pytrees: nested containers whose leaves are arrays, through optree.

Plain dataclasses are taken as pytrees on first sight. A field whose metadata says
``{"pytree_node": False}`` is not a leaf but part of the structure, and must be hashable or at
least comparable.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import optree

from pullback.core.tracing import Tracer
from pullback.errors import ArgumentValueError

__all__ = [
    "LEAF",
    "NAMESPACE",
    "Paths",
    "TreeSpec",
    "contrast",
    "flatten",
    "flatten_again",
    "flatten_like",
    "in_words",
    "kept",
    "kept_leaves",
    "leaf_paths",
    "map_tree",
    "static",
    "unflatten",
]

NAMESPACE = "pullback"
"""The optree namespace in which classes are registered."""

TreeSpec = optree.PyTreeSpec
LEAF: TreeSpec = optree.treespec_leaf(namespace=NAMESPACE)
"""The structure of a single leaf."""

_LEAF_TYPES = frozenset({np.ndarray, np.float64, np.float32, float, int, Tracer})
_registered: set[type] = set()
_kept: dict[type, tuple[bool, ...]] = {}
"""Of classes with fields that are kept: which of the children are."""
_registering = threading.Lock()


def static(**kwargs: Any) -> Any:
    """A dataclass field that is part of the structure rather than a leaf.

    Parameters
    ----------
    **kwargs
        As for :func:`dataclasses.field`.
    """
    return dataclasses.field(metadata={"pytree_node": False}, **kwargs)


def kept(**kwargs: Any) -> Any:
    """A dataclass field with leaves that are kept from the data, and are no parameters.

    Parameters
    ----------
    **kwargs
        As for :func:`dataclasses.field`.
    """
    return dataclasses.field(metadata={"pytree_kept": True}, **kwargs)


class Fixed(tuple[Any, ...]):
    """The static fields of a dataclass, which are equal if they are, arrays element by element."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Fixed) and len(self) == len(other) and all(map(_is_same, self, other))
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return tuple.__hash__(self)


def _is_same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    try:
        same = one == other
        if isinstance(same, np.ndarray):
            return np.shape(one) == np.shape(other) and bool(same.all())
        return bool(same)
    except Exception:  # of objects that do not let themselves be compared
        return False


def _register(cls: type) -> None:
    """Register a dataclass: its fields are children, those marked static are structure."""
    fields = dataclasses.fields(cls)
    children = tuple(f.name for f in fields if f.metadata.get("pytree_node", True))
    fixed = tuple(f.name for f in fields if not f.metadata.get("pytree_node", True))
    are_kept = {f.name for f in fields if f.metadata.get("pytree_kept", False)}
    if are_kept:
        _kept[cls] = tuple(name in are_kept for name in children)

    def flatten_node(node: Any) -> tuple[tuple[Any, ...], Any, tuple[str, ...]]:
        try:
            aux = Fixed(getattr(node, name) for name in fixed)
            return tuple(getattr(node, name) for name in children), aux, children
        except AttributeError as error:
            raise ArgumentValueError(
                f"a {cls.__name__} in a pytree has no value for one of its fields ({error}); give "
                "it one in __post_init__, or a default"
            ) from error

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


def flatten(tree: Any, what: str = "a pytree") -> tuple[list[Any], TreeSpec]:
    """Leaves of `tree` and its structure.

    Parameters
    ----------
    tree : pytree
    what : str
        The function and argument, for the error message.
    """
    if type(tree) in _LEAF_TYPES:
        return [tree], LEAF
    while True:
        try:
            leaves, spec = optree.tree_flatten(tree, namespace=NAMESPACE)
        except RecursionError:
            raise ArgumentValueError(
                f"{what} is a {type(tree).__name__} that contains itself, or is nested more than "
                f"{optree.MAX_RECURSION_DEPTH} levels deep, wanted a pytree: lists, tuples, dicts "
                "and dataclasses of arrays; put what is alike in one list, or in one array"
            ) from None
        # Another thread may have registered one of them in the meantime: flatten again then, too.
        dataclass_leaves = set(filter(dataclasses.is_dataclass, set(map(type, leaves))))
        if not dataclass_leaves:
            return leaves, spec
        with _registering:
            for cls in dataclass_leaves - _registered:
                _register(cls)


def flatten_again(tree: Any) -> tuple[list[Any], TreeSpec | None]:
    """Leaves of a `tree` and its structure, if the classes in it have all been met before.

    What has a class that hasn't is a leaf. Where there is no structure, `flatten` says why.
    """
    try:
        return optree.tree_flatten(tree, namespace=NAMESPACE)
    except RecursionError:
        return [], None


def unflatten(spec: TreeSpec, leaves: Iterable[Any]) -> Any:
    """The tree of structure `spec` with these leaves."""
    if spec is LEAF:
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
    given, own = flatten(tree, what)
    if own == spec:
        return given
    leaves: list[Any] = []
    pending = [(spec, tree)]
    while pending:
        part, subtree = pending.pop()
        if subtree is None:
            leaves += [None] * part.num_leaves
        elif part.is_leaf():
            leaves.append(subtree)
        else:
            node = part.one_level()
            assert node is not None
            try:
                children = node.flatten_up_to(subtree)
            except (ValueError, TypeError) as error:
                raise ArgumentValueError(
                    f"{what} has the structure {contrast(own, spec)}; give a pytree with a leaf "
                    "for each leaf of the primal, or None where it is zero"
                ) from error
            pending += reversed([*zip(part.children(), children, strict=True)])
    return leaves


def leaf_paths(spec: TreeSpec) -> list[str]:
    """How to reach each leaf, as Python would spell it: ``['W'][0].b``."""
    found: list[str] = []
    pending = [("", spec)]
    while pending:
        path, part = pending.pop()
        if part.is_leaf():
            found.append(path)
        elif part.num_leaves == part.num_children == part.num_nodes - 1:  # a row of leaves
            found += _steps(path, part)
        elif part.num_leaves:
            pending += reversed([*zip(_steps(path, part), part.children(), strict=True)])
    return found


def kept_leaves(spec: TreeSpec) -> list[bool]:
    """Of each leaf of a structure, whether it is kept from the data, and is no parameter."""
    if spec.is_leaf():
        return [False]
    of_field = _kept.get(spec.type, ())  # type: ignore[arg-type]  # of None there is none
    flags: list[bool] = []
    for place, child in enumerate(spec.children()):
        whole = place < len(of_field) and of_field[place]
        flags += [True] * child.num_leaves if whole else kept_leaves(child)
    return flags


class Paths:
    """The `leaf_paths` of a structure, made when one of them is asked for."""

    __slots__ = ("_paths", "_spec")

    def __init__(self, spec: TreeSpec) -> None:
        self._spec = spec
        self._paths: list[str] | None = None

    def __getitem__(self, position: int) -> str:
        if self._paths is None:
            self._paths = leaf_paths(self._spec)
        return self._paths[position]


_BRACKETS = frozenset({list, tuple, dict, OrderedDict, defaultdict, deque})
"""Containers of which ``[entry]`` gives a child."""


def _steps(path: str, spec: TreeSpec) -> list[str]:
    """How to reach the children of a node that is reached by `path`."""
    if spec.type in _BRACKETS:
        return [f"{path}[{entry!r}]" for entry in spec.entries()]
    node = spec.one_level()
    assert node is not None
    tree = unflatten(node, [0] * node.num_leaves)
    return [each.codify(path) for each in optree.tree_accessors(tree, namespace=NAMESPACE)]


SHOWN, LONGEST = 4, 80
"""How many paths are shown of a structure, and how many characters of a path."""


def in_words(spec: TreeSpec) -> str:
    """A structure as its paths: ``a tuple with the leaves [0], [1]['W']``."""
    if spec.is_leaf():
        return "of a single leaf"
    kind = _kind(spec)
    paths = [*map(_shortened, leaf_paths(spec))]
    if not paths:
        return kind if kind == "None" else f"{kind} without leaves"
    if len(paths) == 1:
        return f"{kind} with the leaf {paths[0]}"
    if len(paths) <= SHOWN:
        return f"{kind} with the leaves {', '.join(paths)}"
    shown = ", ".join(paths[: SHOWN - 1])
    return f"{kind} with {len(paths)} leaves {shown}, …, {paths[-1]}"


def contrast(got: TreeSpec, wanted: TreeSpec) -> str:
    """What structure came, and which was wanted, for a message, with the first difference."""
    one, other = in_words(got), in_words(wanted)
    words = f"{one}, wanted {other}"
    if one != other and min(got.num_leaves, wanted.num_leaves) < SHOWN:
        return words
    path = ""
    while got.type is wanted.type and got.entries() == wanted.entries():
        pairs = enumerate(zip(got.children(), wanted.children(), strict=True))
        position = next((i for i, (a, b) in pairs if a != b), None)
        if position is None:  # they differ in what is static
            break
        path = _steps(path, got)[position]
        got, wanted = got.children()[position], wanted.children()[position]
    if got.type is wanted.type and got.entries() == wanted.entries():
        difference = "what is static there differs"
    elif got.type is wanted.type and got.num_children == wanted.num_children:
        strange = [x for x in got.entries() if x not in wanted.entries()]
        difference = f"{strange[0]!r} is not among its keys" if strange else "its keys differ"
    else:
        difference = f"{_node(got)} in place of {_node(wanted)}"
    place = f"at {_shortened(path)}: " if path else ""
    return f"{words} ({place}{difference})"


def _shortened(path: str) -> str:
    """A path, but the middle of a long one."""
    return path if len(path) <= LONGEST else f"{path[: LONGEST // 2]}…{path[-LONGEST // 4 :]}"


def _node(spec: TreeSpec) -> str:
    """What stands at the root of a structure."""
    if spec.is_leaf():
        return "a leaf"
    kind, count = _kind(spec), spec.num_children
    return kind if kind == "None" else f"{kind} with {count} part{'' if count == 1 else 's'}"


def _kind(spec: TreeSpec) -> str:
    """The class of a node, as a sentence has it."""
    return "None" if spec.type in (None, type(None)) else f"a {spec.type.__name__}"


def map_tree(function: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """Apply `function` to corresponding leaves of trees of the same structure."""
    leaves, spec = flatten(tree)
    others = [flatten_like(spec, other, "map_tree: an argument") for other in rest]
    return unflatten(spec, [function(*row) for row in zip(leaves, *others, strict=True)])
