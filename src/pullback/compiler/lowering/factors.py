"""Factors of matrices in memory, each found once: A and Aᵀ have the same ones.

What solves with a matrix and what pulls a solution back need the same factors. They are remembered
by the place of the matrix; a triangular one needs none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pullback.compiler.loops import Expr, Store
from pullback.compiler.lowering.arrays import Array, Stored
from pullback.compiler.lowering.context import Context, literal
from pullback.compiler.lowering.elementwise import converted, elementwise_of
from pullback.compiler.lowering.external import each, integer, matrix, packed, routine, run
from pullback.compiler.lowering.places import Affine
from pullback.compiler.lowering.scope import Scope

__all__ = ["Factors", "factors_from", "factors_of", "is_regular", "lower_triangle", "mark_lower"]


@dataclass(frozen=True)
class Factors:
    """PA = LU for each matrix A of a batch.

    Attributes
    ----------
    lu : Stored
        L and U in one matrix, which lies column by column.
    pivots : Stored
        The rows that were exchanged with each row, from 1; of shape (…, n).
    infos : Stored, optional
        Of shape (…): the number of the first pivot that is 0, or 0.
    transposed, adjoint : bool
        Whether these are the factors of Aᵀ, or of Aᴴ.
    """

    lu: Stored
    pivots: Stored
    infos: Stored | None
    transposed: bool = False
    adjoint: bool = False

    @property
    def turn(self) -> str:
        """The letter that says what is to be solved with in place of what was factorised."""
        return "C" if self.adjoint else "T" if self.transposed else "N"


def factors_of(context: Context, scope: Scope, a: Array, *, either: bool = True) -> Factors | None:
    """The factors of a matrix, or `either` of its transposed one; `None` if they can't be had."""
    *lead, n, _ = a.shape
    symbol = routine("getrf", a.dtype, n)
    if symbol is None:
        return None
    key = _place(scope, a) if isinstance(a, Stored) else None
    for transposed in (False, True) if either and key is not None else (False,):
        known: Factors | None = key and scope.recall(("factors", key[transposed]))
        if known is not None:
            return replace(known, transposed=transposed)
    infos = context.memory.buffer(lead, "int32")
    pivots = context.memory.buffer((*lead, n), "int32")
    found = Factors(packed(context, scope, a, a.shape, columns=True), pivots, infos)
    _fill(scope, symbol, found, infos)
    if key is not None:
        scope.remember(("factors", key[False]), found)
    scope.remember(("lu", _place(scope, found.lu)[0]), found)
    return found


def factors_from(
    context: Context, scope: Scope, lu: Array, places: Array, *, adjoint: bool
) -> Factors:
    """The factors that were handed on as L and U in one matrix, and places from 0."""
    if isinstance(lu, Stored):
        known: Factors | None = scope.recall(("lu", _place(scope, lu)[0]))
        if known is not None:
            return replace(known, adjoint=adjoint)
    n = lu.shape[-1]
    pivots = context.memory.buffer(places.shape, "int32")
    one = literal(scope, 1, places.dtype)
    from_one = converted(elementwise_of("add", places.dtype, places, one), "int32")
    context.memory.fill(scope, pivots, from_one)
    if not (isinstance(lu, Stored) and lu.strides == (1, n)):
        lu = packed(context, scope, lu, lu.shape, columns=True)
    return Factors(lu, pivots, None, adjoint=adjoint)


def _place(scope: Scope, a: Stored) -> tuple[Any, Any]:
    """What tells the matrices from others in memory, and what tells the transposed ones."""
    *steps, row, column = a.strides
    common = (a.buffer, scope.version(a.buffer), a.base, a.shape, *steps)
    return (*common, row, column), (*common, column, row)


def _fill(scope: Scope, symbol: str, factors: Factors, infos: Stored) -> None:
    *lead, n, _ = factors.lu.shape

    def body(scope: Scope, at: tuple[Affine, ...]) -> None:
        a, rows = matrix(factors.lu, at), factors.pivots.place([*at, Affine()])
        size = integer(n)
        info = run(scope, symbol, [size, size, a, size, rows], [2, 4], fails=True)
        assert info is not None
        scope.add(Store(infos.place(at), info))

    each(scope, lead, body)
    for array in (factors.lu, factors.pivots, infos):
        scope.forget(array.buffer)


def is_regular(scope: Scope, factors: Factors, at: Sequence[Affine]) -> Expr:
    """Whether no pivot of a matrix is 0."""
    assert factors.infos is not None
    return scope.op("equal", factors.infos.element(scope, at), integer(0))


# -- triangular matrices --------------------------------------------------------------------------


def mark_lower(scope: Scope, a: Stored) -> None:
    """Say that the matrices of a whole buffer are lower triangular, and regular."""
    scope.remember(("lower", a.buffer), (scope.version(a.buffer), a))


def lower_triangle(scope: Scope, a: Array) -> bool | None:
    """Whether matrices are known to be lower triangular; `False` for upper ones."""
    if not isinstance(a, Stored):
        return None
    known = scope.recall(("lower", a.buffer))
    n = a.shape[-1]
    if known is None or known[0] != scope.version(a.buffer) or known[1].shape[-1] != n:
        return None
    whole = (a.base.offset, *(step for _, step in a.base.terms), *a.strides[:-2])
    if any(step % (n * n) for step in whole):
        return None  # it is cut out of several ones
    return {(n, 1): True, (1, n): False}.get((a.strides[-2], a.strides[-1]))
