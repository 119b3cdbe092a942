"""How many floating-point operations decompositions of matrices take, from shapes alone.

Functions of the result and the arguments, as `pullback.core.structure.Structure` has them. The
counts are those of G. H. Golub and C. F. Van Loan, *Matrix Computations*, 4th edition, 2013, to
leading order; a complex operation counts as one.
"""

from __future__ import annotations

import math
from typing import Any

from pullback.core.shapes import shape_of
from pullback.core.structure import size_of

__all__ = [
    "cholesky",
    "cofactors",
    "eigensystem",
    "elimination",
    "inversion",
    "pseudoinverse",
    "singular_system",
    "solution",
]


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
