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
    "regular", "sign_and_logarithm", "solved", "substituted",
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
    """A matrix made upper triangular, and how.

    Attributes
    ----------
    swaps : list of list of (int, Expr)
        For each column the rows that are exchanged, in order, with that of the pivot, and whether.
    factors : list of list of Expr
        Then, for each column, how many times the row of the pivot is taken from those below it.
    upper : list of list of Expr
    """

    swaps: list[list[tuple[int, Expr]]]
    factors: list[list[Expr]]
    upper: Matrix


def eliminated(scope: Scope, a: Matrix) -> Elimination:
    """Gaussian elimination with partial pivoting."""
    n = len(a)
    rows: Matrix = [[*row] for row in a]
    swaps, factors = [], []
    for k in range(n):
        exchanged = []
        for i in range(k + 1, n):
            here, there = (scope.op("absolute", rows[r][k]) for r in (k, i))
            larger = scope.op("greater", there, here)
            exchanged.append((i, larger))
            for j in range(k, n):
                rows[k][j], rows[i][j] = _chosen(scope, larger, rows[k][j], rows[i][j])
        swaps.append(exchanged)
        factors.append([scope.op("divide", rows[i][k], rows[k][k]) for i in range(k + 1, n)])
        for i, factor in enumerate(factors[-1], k + 1):
            for j in range(k + 1, n):
                rows[i][j] = _less(scope, rows[i][j], [(factor, rows[k][j])])
    return Elimination(swaps, factors, rows)


def _chosen(scope: Scope, swap: Expr, a: Expr, b: Expr) -> tuple[Expr, Expr]:
    if a == b:
        return a, b
    return scope.op("select", swap, b, a), scope.op("select", swap, a, b)


def regular(scope: Scope, upper: Matrix) -> Expr:
    """Whether nothing on the diagonal of a triangular matrix is 0."""
    diagonal = [row[k] for k, row in enumerate(upper)]
    zero = number(scope, 0, diagonal[0].dtype)
    return _all(scope, [scope.op("not_equal", pivot, zero) for pivot in diagonal])


def solved(scope: Scope, done: Elimination, b: Sequence[Expr]) -> list[Expr]:
    """x of Ax = b."""
    x: list[Expr] = [*b]
    for k, (exchanged, factors) in enumerate(zip(done.swaps, done.factors, strict=True)):
        for i, swap in exchanged:
            x[k], x[i] = _chosen(scope, swap, x[k], x[i])
        for i, factor in enumerate(factors, k + 1):
            x[i] = _less(scope, x[i], [(factor, x[k])])
    return substituted(scope, done.upper, x, lower=False)


def sign_and_logarithm(scope: Scope, done: Elimination) -> tuple[Expr, Expr]:
    """(s, ℓ) with det A = s eˡ; a singular matrix has 0 and −∞."""
    sizes = _sizes(scope, done)
    logarithms = [scope.op("log", size) for size in sizes]
    total = functools.reduce(lambda a, b: scope.op("add", a, b), logarithms)
    least = number(scope, -math.inf, total.dtype)
    return _sign(scope, done), scope.op("select", regular(scope, done.upper), total, least)


def _sizes(scope: Scope, done: Elimination) -> list[Expr]:
    return [scope.op("absolute", row[k]) for k, row in enumerate(done.upper)]


def _sign(scope: Scope, done: Elimination) -> Expr:
    """−1 for each negative pivot and for each exchange; 0 of a singular matrix."""
    dtype = done.upper[0][0].dtype
    zero, sign = number(scope, 0, dtype), number(scope, 1, dtype)
    negative = [scope.op("less", row[k], zero) for k, row in enumerate(done.upper)]
    swaps = [swap for _, swap in itertools.chain.from_iterable(done.swaps)]
    odd = functools.reduce(lambda a, b: scope.op("logical_xor", a, b), [*negative, *swaps])
    sign = scope.op("select", odd, number(scope, -1, dtype), sign)
    return scope.op("select", regular(scope, done.upper), sign, zero)


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
    return scope.op("select", regular(scope, done.upper), product, zero)


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
