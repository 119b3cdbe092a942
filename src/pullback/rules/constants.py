"""Functions that are locally constant: comparisons, rounding, tests, and functions of integers.

Their derivative is zero wherever it exists; where they jump it is taken to be zero too.
"""

from __future__ import annotations

import numpy as np

from pullback.core.primitive import Primitive
from pullback.rules.registration import constant

__all__ = ["CONSTANTS", "PREDICATES"]

COMPARISONS = (
    np.equal,
    np.not_equal,
    np.less,
    np.less_equal,
    np.greater,
    np.greater_equal,
)
ROUNDING = (np.floor, np.ceil, np.rint, np.trunc, np.round, np.floor_divide, np.spacing)
TESTS = (
    np.isfinite,
    np.isinf,
    np.isnan,
    np.isnat,
    np.signbit,
    np.logical_and,
    np.logical_or,
    np.logical_xor,
    np.logical_not,
)
INTEGERS = (
    np.bitwise_and,
    np.bitwise_or,
    np.bitwise_xor,
    np.bitwise_count,
    np.invert,
    np.left_shift,
    np.right_shift,
    np.gcd,
    np.lcm,
)
PREDICATES = (
    np.isclose,
    np.allclose,
    np.array_equal,
    np.array_equiv,
    np.isreal,
    np.iscomplex,
    np.isneginf,
    np.isposinf,
)

CONSTANTS: dict[str, Primitive] = {
    function.__name__: constant(function)
    for function in (*COMPARISONS, *ROUNDING, *TESTS, *INTEGERS, *PREDICATES)
}
"""The primitives, by the names of their functions."""
