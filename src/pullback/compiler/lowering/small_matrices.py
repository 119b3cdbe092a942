"""Small matrices as scalars: factorisations and what follows from them, without loops.

A matrix is a list of rows of scalars. A pivot is the first of the largest elements in its column,
as LAPACK's is; rows are exchanged by choosing between values.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from pullback.compiler.loops import Const, Expr
from pullback.compiler.lowering.arrays import number
from pullback.compiler.lowering.scope import Scope

__all__ = [
    "Elimination", "Matrix", "cofactors", "determinant", "eliminated", "factorised", "identity",
    "places", "regular", "sign_and_logarithm", "solved", "substituted", "transposed",
]  # fmt: skip

Matrix = list[list[Expr]]

_FEW = 3
"""Up to how many factors can be put in an order in which no part of the product overflows."""


def identity(n: int, dtype: str) -> Matrix:
    """The identity matrix."""
    return [[Const(float(i == j), dtype) for j in range(n)] for i in range(n)]


def _less(scope: Scope, total: Expr, terms: Sequence[tuple[Expr, Expr]]) -> Expr:
    """A number less products, of which those with a constant 0 are left out."""
    for a, b in terms:
        if not (_is_zero(a) or _is_zero(b)):
            total = scope.op("subtract", total, scope.op("multiply", a, b))
    return total


def _is_zero(x: Expr) -> bool:
    return isinstance(x, Const) and x.value == 0


def _all(scope: Scope, conditions: Sequence[Expr]) -> Expr:
    return functools.reduce(lambda a, b: scope.op("logical_and", a, b), conditions)


# -- A = LLᵀ --------------------------------------------------------------------------------------


def factorised(scope: Scope, a: Matrix) -> tuple[Matrix, Expr]:
    """L of A = LLᵀ, from the lower triangle of A; and whether A is positive definite.

    A NaN is taken for a positive number, as LAPACK takes it.
    """
    n, dtype = len(a), a[0][0].dtype
    lower = [[number(scope, 0, dtype)] * n for _ in range(n)]
    fails = []
    for j in range(n):
        rest = _less(scope, a[j][j], [(x, x) for x in lower[j][:j]])
        fails.append(scope.op("less_equal", rest, number(scope, 0, dtype)))
        lower[j][j] = scope.op("sqrt", rest)
        for i in range(j + 1, n):
            rest = _less(scope, a[i][j], list(zip(lower[i][:j], lower[j][:j], strict=True)))
            lower[i][j] = scope.op("divide", rest, lower[j][j])
    return lower, _all(scope, [scope.op("logical_not", each) for each in fails])


def substituted(scope: Scope, a: Matrix, b: Sequence[Expr], *, lower: bool) -> list[Expr]:
    """x of Ax = b for a triangular A."""
    n = len(a)
    x: list[Expr] = [*b]
    for i in range(n) if lower else reversed(range(n)):
        known = range(i) if lower else range(i + 1, n)
        rest = _less(scope, b[i], [(a[i][j], x[j]) for j in known])
        x[i] = rest if _is_zero(rest) else scope.op("divide", rest, a[i][i])
    return x


# -- PA = LU --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Elimination:
    """PA = LU.

    Attributes
    ----------
    swaps : list of list of (int, Expr)
        For each column the rows below that of the pivot, and whether these two are exchanged; at
        most one is.
    factors : list of list of Expr
        Then, for each column, how many times the row of the pivot is taken from those below it.
    rows : list of list of Expr
        U, and L below the diagonal, without the 1 on its own.
    """

    swaps: list[list[tuple[int, Expr]]]
    factors: list[list[Expr]]
    rows: Matrix

    @property
    def pivots(self) -> list[Expr]:
        """The diagonal of U."""
        return [row[k] for k, row in enumerate(self.rows)]


def eliminated(scope: Scope, a: Matrix) -> Elimination:
    """Gaussian elimination with partial pivoting."""
    n = len(a)
    rows: Matrix = [[*row] for row in a]
    swaps, factors = [], []
    for k in range(n):
        swaps.append(_largest(scope, [row[k] for row in rows], k))
        for j in range(n):
            column = [row[j] for row in rows]
            _exchange(scope, swaps[-1], column, k)
            for row, value in zip(rows, column, strict=True):
                row[j] = value
        factors.append([scope.op("divide", rows[i][k], rows[k][k]) for i in range(k + 1, n)])
        for i, factor in enumerate(factors[-1], k + 1):
            rows[i][k] = factor
            for j in range(k + 1, n):
                rows[i][j] = _less(scope, rows[i][j], [(factor, rows[k][j])])
    return Elimination(swaps, factors, rows)


def _largest(scope: Scope, column: list[Expr], k: int) -> list[tuple[int, Expr]]:
    """For each row below k whether it has the first of the largest elements from there on."""
    best = scope.op("absolute", column[k])
    larger = []
    for x in column[k + 1 :]:
        size = scope.op("absolute", x)
        larger.append(scope.op("greater", size, best))
        best = scope.op("select", larger[-1], size, best)
    found: list[tuple[int, Expr]] = []
    later: Expr | None = None
    for i in reversed(range(k + 1, len(column))):
        own = larger[i - k - 1]
        if later is None:
            found.append((i, own))
            later = own
        else:
            found.append((i, scope.op("logical_and", own, scope.op("logical_not", later))))
            later = scope.op("logical_or", own, later)
    return found[::-1]


def _exchange(scope: Scope, swaps: list[tuple[int, Expr]], x: list[Expr], k: int) -> None:
    """Put the element of the pivot's row in place k, and what was there into its own."""
    first = x[k]
    for i, swap in swaps:
        if x[i] != first:
            x[k] = scope.op("select", swap, x[i], x[k])
            x[i] = scope.op("select", swap, first, x[i])


def places(scope: Scope, done: Elimination) -> list[Expr]:
    """With which row each one is exchanged, from 0."""
    found = []
    for k, swaps in enumerate(done.swaps):
        place: Expr = Const(k, "int64")
        for i, swap in swaps:
            place = scope.op("select", swap, Const(i, "int64"), place)
        found.append(place)
    return found


def regular(scope: Scope, pivots: Sequence[Expr]) -> Expr:
    """Whether no pivot is 0."""
    zero = number(scope, 0, pivots[0].dtype)
    return _all(scope, [scope.op("not_equal", pivot, zero) for pivot in pivots])


def solved(scope: Scope, done: Elimination, b: Sequence[Expr], *, adjoint: bool) -> list[Expr]:
    """x of Ax = b, or of Aᵀx = b."""
    x: list[Expr] = [*b]
    if adjoint:
        x = substituted(scope, transposed(done.rows), x, lower=True)
        for k in reversed(range(len(x))):
            terms = zip(done.factors[k], x[k + 1 :], strict=True)
            x[k] = _less(scope, x[k], list(terms))
            _exchange(scope, done.swaps[k], x, k)
        return x
    for k, (swaps, factors) in enumerate(zip(done.swaps, done.factors, strict=True)):
        _exchange(scope, swaps, x, k)
        for i, factor in enumerate(factors, k + 1):
            x[i] = _less(scope, x[i], [(factor, x[k])])
    return substituted(scope, done.rows, x, lower=False)


def transposed(a: Matrix) -> Matrix:
    """Aᵀ."""
    return [[*column] for column in zip(*a, strict=True)]


# -- determinants ---------------------------------------------------------------------------------


def sign_and_logarithm(scope: Scope, done: Elimination) -> tuple[Expr, Expr]:
    """(s, ℓ) with det A = s eˡ; a singular matrix has 0 and −∞."""
    sizes = _sizes(scope, done)
    logarithms = [scope.op("log", size) for size in sizes]
    total = functools.reduce(lambda a, b: scope.op("add", a, b), logarithms)
    least = number(scope, -math.inf, total.dtype)
    return _sign(scope, done), scope.op("select", regular(scope, done.pivots), total, least)


def _sizes(scope: Scope, done: Elimination) -> list[Expr]:
    return [scope.op("absolute", pivot) for pivot in done.pivots]


def _sign(scope: Scope, done: Elimination) -> Expr:
    """−1 for each negative pivot and for each exchange; 0 of a singular matrix."""
    dtype = done.pivots[0].dtype
    zero, sign = number(scope, 0, dtype), number(scope, 1, dtype)
    negative = [scope.op("less", pivot, zero) for pivot in done.pivots]
    swaps = [swap for _, swap in itertools.chain.from_iterable(done.swaps)]
    odd = functools.reduce(lambda a, b: scope.op("logical_xor", a, b), [*negative, *swaps])
    sign = scope.op("select", odd, number(scope, -1, dtype), sign)
    return scope.op("select", regular(scope, done.pivots), sign, zero)


def determinant(scope: Scope, done: Elimination) -> Expr:
    """det A, as long as it is a number of its dtype: no part of the product is larger."""
    sign, sizes = _sign(scope, done), _sizes(scope, done)
    if len(sizes) > _FEW:
        sign, logarithm = sign_and_logarithm(scope, done)
        return scope.op("multiply", sign, scope.op("exp", logarithm))
    if len(sizes) == _FEW:
        a, b, c = sizes
        low, high = scope.op("minimum", a, b), scope.op("maximum", a, b)
        least, other = scope.op("minimum", low, c), scope.op("maximum", low, c)
        sizes = [least, scope.op("maximum", high, other), scope.op("minimum", high, other)]
    product = functools.reduce(lambda a, b: scope.op("multiply", a, b), sizes)
    zero = number(scope, 0, product.dtype)
    product = scope.op("multiply", sign, product)
    return scope.op("select", regular(scope, done.pivots), product, zero)


# -- cofactors ------------------------------------------------------------------------------------


def cofactors(scope: Scope, a: Matrix) -> Matrix:
    """The derivative of det A: minors with alternating signs, as sums of products."""
    n = len(a)
    found = []
    for i in range(n):
        row = []
        for j in range(n):
            rows, columns = ([k for k in range(n) if k != left_out] for left_out in (i, j))
            minor = _minor(scope, a, tuple(rows), tuple(columns))
            row.append(scope.op("negative", minor) if (i + j) % 2 else minor)
        found.append(row)
    return found


def _minor(scope: Scope, a: Matrix, rows: tuple[int, ...], columns: tuple[int, ...]) -> Expr:
    """The determinant of the elements of some rows and columns, by its first row."""
    if not rows:
        return number(scope, 1, a[0][0].dtype)
    if len(rows) == 1:
        return a[rows[0]][columns[0]]
    total: Expr | None = None
    for at, column in enumerate(columns):
        rest = columns[:at] + columns[at + 1 :]
        term = scope.op("multiply", a[rows[0]][column], _minor(scope, a, rows[1:], rest))
        how = "subtract" if at % 2 else "add"
        total = term if total is None else scope.op(how, total, term)
    assert total is not None
    return total
