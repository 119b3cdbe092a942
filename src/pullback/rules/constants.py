"""Functions that are locally constant: comparisons, rounding, tests, and functions of integers.

Their derivative is zero wherever it exists; where they jump it is taken to be zero too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, shape_of
from pullback.core.structure import Elementwise, Opaque
from pullback.core.structure.axes import Marks, Params, Row, in_front, rank_of, stretch
from pullback.rules.registration import constant

__all__ = ["CONSTANTS", "PREDICATES"]

SYMMETRIC = (
    np.equal,
    np.not_equal,
    np.logical_and,
    np.logical_or,
    np.logical_xor,
    np.bitwise_and,
    np.bitwise_or,
    np.bitwise_xor,
)
CHEAP = (np.less, np.less_equal, np.greater, np.greater_equal, np.logical_not)
ROUNDING = (np.floor, np.ceil, np.rint, np.trunc, np.round, np.floor_divide, np.spacing)
TESTS = (np.isfinite, np.isinf, np.isnan, np.isnat, np.signbit)
INTEGERS = (
    np.bitwise_count,
    np.invert,
    np.left_shift,
    np.right_shift,
    np.gcd,
    np.lcm,
)
WHOLE = (np.allclose, np.array_equal, np.array_equiv)
OF_ELEMENTS = (np.isclose, np.isreal, np.iscomplex, np.isneginf, np.isposinf)
PREDICATES = (*WHOLE, *OF_ELEMENTS)


def _whole_batch(primitive: Any, size: int, mapped: Marks, values: Row, params: Params) -> Any:
    """One answer for each pair of arrays, from the answers for their elements."""
    *tolerances, equal_nan = (*values[2:], params.get("equal_nan", False))
    if primitive.name == "array_equal" and tolerances:
        (equal_nan,) = tolerances
    values, mapped = values[:2], mapped[:2]
    a, b = (in_front(x, size, mapped=one) for x, one in zip(values, mapped, strict=True))
    rank = max(rank_of(a), rank_of(b)) - 1
    a, b = stretch(a, rank), stretch(b, rank)
    if primitive.name == "allclose":
        same = np.isclose(a, b, *tolerances, **params)
    else:
        ranks = [rank_of(x) - one for x, one in zip(values, mapped, strict=True)]
        if primitive.name == "array_equal" and ranks[0] != ranks[1]:
            return np.zeros(size, bool)
        try:
            np.broadcast_shapes(shape_of(a), shape_of(b))
        except ValueError:
            return np.zeros(size, bool)
        if primitive.name == "array_equal" and shape_of(a) != shape_of(b):
            return np.zeros(size, bool)
        same = np.equal(a, b)
        if equal_nan:
            same = same | (np.isnan(a) & np.isnan(b))
    return np.all(same, axis=tuple(range(1, rank + 1)))


_BOOL = np.dtype(np.bool_)
_WHOLE = Opaque(lambda *_, **__: Abstract((), _BOOL), _whole_batch, count=1)

CONSTANTS: dict[str, Primitive] = {
    function.__name__: constant(function, structure)
    for functions, structure in (
        (SYMMETRIC, Elementwise(cheap=True, symmetric=True)),
        (CHEAP, Elementwise(cheap=True)),
        ((*ROUNDING, *TESTS, *INTEGERS, *OF_ELEMENTS), Elementwise()),
        (WHOLE, _WHOLE),
    )
    for function in functions
}
"""The primitives, by the names of their functions."""


def _is_whole(x: Any, **_: Any) -> Any:
    return np.equal(x, np.trunc(x))


def _is_half(x: Any, **_: Any) -> Any:
    return np.equal(np.mod(x, 1), 0.5)


for _name in ("floor", "ceil"):
    CONSTANTS[_name].singular_at("x an integer", _is_whole, 1.0, 0, 0, "jump")
CONSTANTS["trunc"].singular_at(
    "x an integer other than 0", lambda x: _is_whole(x) & np.not_equal(x, 0), 1.0, 0, 0, "jump"
)
CONSTANTS["rint"].singular_at("x half an odd number", _is_half, 0.5, 0, 0, "jump")
CONSTANTS["floor_divide"].singular_at(
    "x/y an integer", lambda x, y: np.equal(np.remainder(x, y), 0), (4.0, 2.0), (0, 0), (0, 0),
    "jump",
)  # fmt: skip
