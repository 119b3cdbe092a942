"""Calls of BLAS and LAPACK, for each matrix of a batch one after the other.

Their matrices lie column by column. The one that lies in memory as a C-ordered A is Aᵀ to them, so
that letters say what is transposed, and little is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pullback.compiler.libraries import LARGEST, is_available
from pullback.compiler.loops import Const, Expr, External, For, Name, Place, Scalar
from pullback.compiler.lowering.arrays import Array, Stored
from pullback.compiler.lowering.context import Context
from pullback.compiler.lowering.pairs import COMPLEX
from pullback.compiler.lowering.places import ZERO, Affine
from pullback.compiler.lowering.scope import Scope

__all__ = [
    "LETTERS",
    "Argument",
    "each",
    "factor",
    "integer",
    "letter",
    "matrix",
    "packed",
    "routine",
    "run",
    "turned",
]

Argument = Place | Expr

LETTERS = {"float64": "d", "float32": "s", "complex128": "z", "complex64": "c"}
"""What names of functions begin with, by the dtype of their matrices."""


def routine(name: str, dtype: str, *extents: int) -> str | None:
    """The symbol of a function, by its name without a letter; `None` if it can't be called."""
    module = "cython_blas" if name in ("gemm", "gemv", "trsm", "trsv") else "cython_lapack"
    symbol = f"scipy.linalg.{module}.{LETTERS[dtype]}{name}"
    return symbol if max(extents) <= LARGEST and is_available(symbol) else None


def integer(value: int) -> Const:
    """An integer of Fortran's."""
    return Const(value, "int32")


def letter(value: str) -> Const:
    """A letter that says what is to be done."""
    return Const(value, "char")


def run(
    scope: Scope,
    symbol: str,
    arguments: Sequence[Argument],
    writes: Sequence[int],
    *,
    fails: bool = False,
) -> Expr | None:
    """Call a function; one that `fails` has a last argument more, whose value is returned."""
    given = [*arguments]
    results: tuple[tuple[int, Scalar], ...] = ()
    info: Name | None = None
    if fails:
        info = Name(scope.fresh("r"), "int32")
        results = ((len(given), Scalar(info.name, info.dtype)),)
        given.append(integer(0))
    scope.add(External(symbol, tuple(given), tuple(writes), results))
    return info


def each(
    scope: Scope,
    extents: Sequence[int],
    body: Callable[[Scope, tuple[Affine, ...]], None],
) -> None:
    """What the body appends, for all indices of leading axes."""

    def level(scope: Scope, rest: Sequence[int], indices: tuple[Affine, ...]) -> None:
        if not rest:
            body(scope, indices)
        elif rest[0] == 1:
            level(scope, rest[1:], (*indices, ZERO))
        else:
            inner = scope.inside()
            index = inner.fresh("n")
            inner.extents[index] = rest[0]
            level(inner, rest[1:], (*indices, Affine(0, ((index, 1),))))
            extent = Const(rest[0], "int64")
            scope.add(For(index, extent, (), tuple(inner.statements), (), ()))

    level(scope, extents, ())


def matrix(array: Stored, indices: Sequence[Affine]) -> Place:
    """Where a matrix of a batch, of which all axes are indexed but the last two, begins."""
    return array.place([*indices, ZERO, ZERO])


def factor(context: Context, value: float, dtype: str) -> Argument:
    """A number as an argument: of a complex one, the place."""
    if dtype not in COMPLEX:
        return Const(value, dtype)
    return context.constant(np.array(value, dtype)).place(())


def packed(
    context: Context, scope: Scope, array: Array, shape: Sequence[int], *, columns: bool
) -> Stored:
    """A copy to be written over, whose matrices lie column by column or row by row."""
    *lead, m, n = shape
    found = context.memory.buffer((*lead, n, m) if columns else shape, array.dtype)
    if columns:
        found = turned(found)
    context.memory.fill(scope, found, array)
    return found


def turned(array: Stored) -> Stored:
    """The transposed matrices, where they lie."""
    *lead, m, n = array.shape
    *steps, row, column = array.strides
    return array.view((*lead, n, m), (*steps, column, row), array.base)
