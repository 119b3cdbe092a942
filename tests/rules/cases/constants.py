"""Points for `pullback.rules.constants`."""

from __future__ import annotations

import numpy as np

from pullback.rules.constants import CONSTANTS
from tests.rules.cases.case import Case
from tests.rules.points import between, disc

ONE = [Case((between(1.2, 1.3),)), Case((between(-2.4, -2.1, 2, 3),))]
TWO = [
    Case((between(1.2, 1.3, 3), between(2.1, 2.4, 3))),
    Case((between(2.2, 2.3, 2, 1), between(0.8, 0.9, 3))),
    Case((between(2.2, 2.3, 3), 1)),
]
COMPLEX = [Case((disc(0, 1, 3),)), Case((between(1, 2, 3),))]
INTEGER = [Case((np.array([1, 6, 4]),))]
INTEGERS = [Case((np.array([1, 6, 4]), np.array([[2], [3]])))]

_GROUPS = (
    (
        TWO,
        (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
        (np.floor_divide, np.logical_and, np.logical_or, np.logical_xor),
        (np.isclose, np.allclose, np.array_equal, np.array_equiv),
    ),
    (COMPLEX, (np.isreal, np.iscomplex)),
    (INTEGER, (np.bitwise_count, np.invert)),
    (
        INTEGERS,
        (np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift),
        (np.gcd, np.lcm),
    ),
    ([Case((np.array(["2024-02-29", "NaT"], dtype="datetime64[D]"),))], (np.isnat,)),
    ([*ONE, Case((between(1.22, 1.23, 3),), {"decimals": 1})], (np.round,)),
)
_SPECIFIC = {
    function.__name__: cases
    for cases, *groups in _GROUPS
    for functions in groups
    for function in functions
}

CASES = {name: _SPECIFIC.get(name, ONE) for name in CONSTANTS}
