"""The arrays of a pytree, as the arguments of a body.

There may be a hundred thousand of them, most of them alike: what is the same for all of a kind is
found out once.
"""

from __future__ import annotations

import functools
from collections.abc import Hashable, Mapping, Sequence
from types import NoneType
from typing import Any

import numpy as np

from pullback.core import trees
from pullback.core.precision import PYTHON_NUMBERS
from pullback.core.primitive import SCALARS, bind
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, is_number, strip
from pullback.errors import ArgumentTypeError
from pullback.graph.building import like
from pullback.graph.layout import assumed_of, layout_of
from pullback.graph.variable import Variable, require_64_bits
from pullback.rules import conversion
from pullback.transforms.arguments import flatten_arrays, owned

__all__ = ["Leaves", "in_dtype"]


class Leaves:
    """The arrays of a pytree, as the arguments of a body.

    The tree `is_plain` if it consists of tuples, lists and dicts, so that nothing but its structure
    says what a body may do with it. What stands for leaves that are alike is one variable, of which
    a recording takes twins.
    """

    def __init__(self, tree: Any, where: str, name: str) -> None:
        self._name = name
        self.values, self.spec = flatten_arrays(tree, where, name)
        self.is_plain = _is_plain(tree)
        self.values = [x._snapshot() if type(x) is Tracer else x for x in self.values]
        self.variables = _variables(self.values)
        for i, x in enumerate(self.values):
            if type(x) is int and not -(2**63) <= x < 2**63:
                require_64_bits(x, f"{where}: {self.names[i]}")
        for variable in set(self.variables):
            if variable.dtype.kind not in "biufc":
                i = self.variables.index(variable)
                raise ArgumentTypeError(
                    f"{where}: {self.names[i]} is an array of dtype {variable.dtype} and shape "
                    f"{variable.shape}, wanted numbers or booleans; convert it with .astype(float)"
                )

    @functools.cached_property
    def names(self) -> list[str]:
        """How to reach each leaf, below the name of the tree."""
        return [self._name + path for path in trees.leaf_paths(self.spec)]

    @property
    def arguments(self) -> dict[Variable, str]:
        """New variables, with names."""
        return dict(zip(map(like, self.variables), self.names, strict=True))

    @property
    def key(self) -> Hashable:
        """What a recording depends on: the structure, the kinds of leaves, and which has which."""
        kinds: dict[Hashable, int] = {}
        numbers = {}
        for x in dict.fromkeys(self.variables):
            kind = x.shape, x.dtype, x.weak, x.array, x.layout, x.number
            numbers[x] = kinds.setdefault(kind, len(kinds))
        row = np.array([numbers[x] for x in self.variables], np.intp)
        return self.spec, tuple(kinds), row.tobytes()

    def tree(self, leaves: Sequence[Any]) -> Any:
        """The pytree with these leaves."""
        return trees.unflatten(self.spec, leaves)

    def results(
        self, leaves: Sequence[Any], others: Sequence[Any], handed_on: Mapping[int, int]
    ) -> Any:
        """The pytree with these leaves, arrays of the user's own, and none of the others.

        In some places, in between, it has values that were given; `handed_on` tells which.
        """
        taken = set(map(id, (*self.values, *others)))
        remaining, values = iter(leaves), self.values
        mine = set(handed_on.values())  # handles that nobody else has, each for one result
        found = []
        for i in range(len(leaves) + len(handed_on)):
            place = handed_on.get(i)
            x = next(remaining) if place is None else values[place]
            if place in mine and type(x) is Tracer and type(x._value) is np.ndarray:
                mine.remove(place)
                found.append(x)
            else:
                found.append(_given_back(x, taken))
        return self.tree(found)


_LEAVES = SCALARS | {np.ndarray, Tracer, NoneType}


def _is_plain(tree: Any) -> bool:
    kind = type(tree)
    if kind is dict:
        return all(type(key) is str for key in tree) and _are_plain(tree.values())
    if kind is tuple or kind is list:
        return _are_plain(tree)
    return kind in _LEAVES


def _are_plain(parts: Any) -> bool:
    return _LEAVES.issuperset(map(type, parts)) or all(map(_is_plain, parts))


_NUMBERS = {kind: Variable((), dtype_of(kind()), weak=kind, layout=True) for kind in PYTHON_NUMBERS}
"""What stands for Python numbers: what a body is given is made like it."""

_STRONG = {kind: dtype_of(kind()).type for kind in PYTHON_NUMBERS}


def _variables(values: Sequence[Any]) -> list[Variable]:
    """What stands for each of the leaves, the same for leaves that are alike."""
    found: list[Variable] = []
    known: dict[Hashable, Variable] = {}
    for x in values:
        kind = type(x)
        if kind in PYTHON_NUMBERS:
            found.append(_NUMBERS[kind])
            continue
        own = x._value if kind is Tracer and not x._interpreter.only_maps else x
        bottom = own if type(own) is np.ndarray else strip(x)
        if type(bottom) in PYTHON_NUMBERS:
            found.append(_NUMBERS[type(bottom)])
            continue
        if type(own) is np.ndarray:  # as most are
            mutable = whole = True
        else:
            mutable = x._mutable if kind is Tracer else isinstance(x, np.ndarray)
            whole = isinstance(bottom, np.ndarray | np.generic) and bottom.shape == x.shape
        if whole:
            # A dtype is kept alive by the array; it takes longer to hash than all else.
            alike = mutable, bottom.shape, id(bottom.dtype), bottom.strides
            if alike not in known:
                known[alike] = _variable(x, array=mutable)
            variable = known[alike]
        else:
            variable = _variable(x, array=mutable)
        found.append(variable)
    return found


def _variable(x: Any, *, array: bool) -> Variable:
    """What stands for an array, traced or not."""
    bottom = strip(x)
    weak = bottom.weak if type(bottom) is Variable else None
    variable = Variable(shape_of(x), dtype_of(x), weak=weak, array=array, layout=layout_of(x))
    variable.laid_by = assumed_of(x)
    variable.number = is_number(x)
    return variable


def _given_back(x: Any, taken: set[int]) -> Any:
    """A result as the user gets it: an array of their own, a Python number as a NumPy scalar."""
    kind = type(x)
    if kind in PYTHON_NUMBERS:
        return _STRONG[kind](x)
    if kind is not Tracer:
        return x if kind in SCALARS else owned(x, taken)
    if not is_number(x):
        return x._snapshot()
    if type(x._value) is Variable:
        return in_dtype(x, dtype_of(x))
    # It is the same number with the same derivative: no operation has to be recorded.
    return Tracer(x._interpreter, _given_back(x._value, taken), x._payload)


def in_dtype(x: Any, dtype: np.dtype[Any]) -> Any:
    """A number, traced or not, as a scalar of this dtype."""
    return bind(conversion.astype, (x,), {"dtype": dtype}) if type(x) is Tracer else dtype.type(x)
