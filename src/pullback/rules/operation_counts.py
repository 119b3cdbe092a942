"""How many floating-point operations a primitive takes, from shapes alone.

A count is a function ``count(out, *args, **params)`` of what has the shapes of the output, or of a
tuple of outputs, and of the arguments. A function of one element, such as exp or a comparison,
counts as one operation; a primitive without a count takes one for each element of its outputs.

The counts of factorisations are those of G. H. Golub and C. F. Van Loan, *Matrix Computations*,
4th edition, 2013, to leading order; a complex operation counts as one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pullback.core.shapes import shape_of

__all__ = [
    "Count",
    "cholesky",
    "cofactors",
    "convolution",
    "eigensystem",
    "elimination",
    "inversion",
    "nothing",
    "of_argument",
    "of_each",
    "pseudoinverse",
    "search",
    "singular_system",
    "solution",
    "sorting",
    "sum_of_products",
]  # fmt: skip

Count = Callable[..., int]


def size_of(x: Any) -> int:
    """Number of elements."""
    return math.prod(shape_of(x))


def nothing(_out: Any, *_: Any, **__: Any) -> int:
    """Elements are moved, or looked at in another way."""
    return 0


def of_each(operations: int) -> Count:
    """So many operations for each element of the largest argument."""

    def count(_out: Any, *args: Any, **_: Any) -> int:
        return operations * max(map(size_of, args))

    return count


def of_argument(place: int) -> Count:
    """One operation for each element of the argument at this place."""

    def count(_out: Any, *args: Any, **_: Any) -> int:
        return size_of(args[place])

    return count


# -- sorting --------------------------------------------------------------------------------------


def _levels(extent: int) -> int:
    """log₂ of an extent, rounded up."""
    return max(extent - 1, 0).bit_length()


def sorting(_out: Any, *keys: Any, axis: int | None = -1, **_: Any) -> int:
    """n log₂ n comparisons along an axis of n elements, for each key."""
    size, shape = size_of(keys[0]), shape_of(keys[0]) or (1,)
    return len(keys) * size * _levels(size if axis is None else shape[axis])


def search(out: Any, first: Any, second: Any, **_: Any) -> int:
    """log₂ n comparisons for each element that is looked up among n."""
    looked_up = size_of(out)
    among = first if shape_of(second) == shape_of(out) else second
    return looked_up * _levels(size_of(among) + 1)


# -- products -------------------------------------------------------------------------------------


def sum_of_products(out: Any, a: Any, _b: Any) -> int:
    """2mnk for the product of an m×k and a k×n matrix."""
    return 2 * size_of(out) * shape_of(a)[-1]


def convolution(_out: Any, a: Any, v: Any) -> int:
    """2mn for vectors of m and n elements."""
    return 2 * size_of(a) * size_of(v)


# -- matrices -------------------------------------------------------------------------------------


def _matrices(a: Any) -> tuple[int, int, int]:
    """How many matrices, and their numbers of rows and columns, the larger first."""
    *lead, rows, columns = shape_of(a)
    return math.prod(lead), max(rows, columns), min(rows, columns)


def elimination(_out: Any, a: Any) -> int:
    """⅔n³."""
    count, n, _ = _matrices(a)
    return count * 2 * n**3 // 3


def cholesky(_out: Any, a: Any) -> int:
    """⅓n³."""
    count, n, _ = _matrices(a)
    return count * n**3 // 3


def inversion(_out: Any, a: Any) -> int:
    """2n³."""
    count, n, _ = _matrices(a)
    return count * 2 * n**3


def solution(out: Any, a: Any, _b: Any) -> int:
    """⅔n³, and 2n² for each right-hand side."""
    return elimination(out, a) + 2 * size_of(out) * shape_of(a)[-1]


def eigensystem(_out: Any, a: Any, **_params: Any) -> int:
    """9n³."""
    count, n, _ = _matrices(a)
    return count * 9 * n**3


def singular_system(_out: Any, a: Any) -> int:
    """14mn² + 8n³ for m×n matrices with m ≥ n."""
    count, m, n = _matrices(a)
    return count * (14 * m * n**2 + 8 * n**3)


def pseudoinverse(_out: Any, a: Any, **_params: Any) -> int:
    """A singular value decomposition, and a product of its factors."""
    count, m, n = _matrices(a)
    return singular_system(None, a) + count * 2 * m * n**2


def cofactors(_out: Any, a: Any) -> int:
    """A singular value decomposition, two determinants, products without each value, a product."""
    count, n, _ = _matrices(a)
    return singular_system(None, a) + 2 * elimination(None, a) + count * 3 * n**3
