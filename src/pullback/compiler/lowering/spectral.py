"""Lowering of spectral decompositions: LAPACK's, by the algorithms that NumPy calls.

They take copies that lie column by column, as NumPy gives them, so that the signs of vectors are
NumPy's. Vectors that nothing reads are not computed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pullback.compiler.lowering.arrays import Array, Stored
from pullback.compiler.lowering.context import Context, literal
from pullback.compiler.lowering.elementwise import converted
from pullback.compiler.lowering.external import (
    Argument,
    each,
    integer,
    letter,
    matrix,
    packed,
    routine,
    run,
    turned,
)
from pullback.compiler.lowering.pairs import COMPLEX, part_of
from pullback.compiler.lowering.places import ZERO, Affine
from pullback.compiler.lowering.scope import Scope
from pullback.compiler.lowering.straight import Work
from pullback.graph.program import Equation

__all__ = ["SPECTRAL", "spectral"]

_VALUES = (np.linalg.LinAlgError, "Eigenvalues did not converge")
_SINGULAR_VALUES = (np.linalg.LinAlgError, "SVD did not converge")
"""What NumPy raises."""

_BLOCK = 64
"""How many columns or rows of working memory there are for a block."""

Results = list[Array] | None


def spectral(
    context: Context,
    scope: Scope,
    equation: Equation,
    args: Sequence[Any],
    targets: Sequence[Stored | None],
    used: Sequence[bool],
) -> Results:
    """The decomposition of matrices, of which some results are `used`; `None` if it is NumPy's."""
    (a,) = (x if isinstance(x, Array) else literal(scope, x) for x in args)
    outs = tuple(equation.outputs)
    dtype = outs[-1].dtype.name
    work = Work(context, scope, (converted(a, dtype),), outs, tuple(targets), equation.params)
    if not math.prod(a.shape):
        return [work.room(position) for position in range(len(outs))]
    return SPECTRAL[equation.primitive.name](work, used)


def _eigh(work: Work, used: Sequence[bool]) -> Results:
    """V takes the place of A. Other drivers than NumPy's are SciPy's."""
    context, scope, (a,) = work.context, work.scope, work.args
    if work.params.get("driver") is not None:
        return None
    *lead, n, _ = a.shape
    is_complex = a.dtype in COMPLEX
    vectors = used[1]
    size = 1 + 6 * n + (2 * n + _BLOCK) * n
    symbol = routine("heevd" if is_complex else "syevd", a.dtype, size)
    if symbol is None:
        return None
    values = work.room(0)
    v = packed(context, scope, a, a.shape, columns=True)
    rooms = _Rooms(context, scope)
    how = [letter("NV"[vectors]), letter(work.params.get("uplo", "L")), integer(n)]
    around = rooms.given(a.dtype, size)
    if is_complex:
        around += rooms.given(part_of(a.dtype), 1 + 5 * n + 2 * n * n)
    around += rooms.given("int32", 3 + 5 * n)

    def body(scope: Scope, at: tuple[Affine, ...]) -> None:
        given = [*how, matrix(v, at), integer(n), values.place([*at, ZERO]), *around]
        _run(context, scope, symbol, given, _VALUES)

    each(scope, lead, body)
    rooms.forget(values, v)
    return [values, v]


def _svd(work: Work, used: Sequence[bool]) -> Results:
    """A = U diag(s) Vᴴ with min(m, n) singular values."""
    context, scope, (a,) = work.context, work.scope, work.args
    *lead, m, n = a.shape
    few, many = min(m, n), max(m, n)
    is_complex = a.dtype in COMPLEX
    vectors = used[0] or used[2]
    size = (4 * few + 8) * few + many + _BLOCK * (m + n)
    symbol = routine("gesdd", a.dtype, size)
    if symbol is None:
        return None
    values = work.room(1)
    copy = packed(context, scope, a, a.shape, columns=True)
    u, vh = (turned(context.memory.buffer((*lead, *shape), a.dtype)) for shape in
             ((few, m), (n, few)))  # fmt: skip
    rooms = _Rooms(context, scope)
    around = rooms.given(a.dtype, size)
    if is_complex:
        around += [*rooms.given(part_of(a.dtype), (7 * few + 2 * many + 7) * few)[:1]]
    around += rooms.given("int32", 8 * few)[:1]

    def body(scope: Scope, at: tuple[Affine, ...]) -> None:
        given = [
            letter("NS"[vectors]), integer(m), integer(n), matrix(copy, at), integer(m),
            values.place([*at, ZERO]), matrix(u, at), integer(m), matrix(vh, at), integer(few),
            *around,
        ]  # fmt: skip
        _run(context, scope, symbol, given, _SINGULAR_VALUES)

    each(scope, lead, body)
    rooms.forget(values, copy, u, vh)
    return [u, values, vh]


class _Rooms:
    """Working memory of a function, which each matrix uses after the other."""

    def __init__(self, context: Context, scope: Scope) -> None:
        self._context, self._scope = context, scope
        self._made: list[Stored] = []

    def given(self, dtype: str, size: int) -> list[Argument]:
        """The two arguments: where it is, and how much."""
        room = self._context.memory.buffer((size,), dtype)
        self._made.append(room)
        return [room.place([ZERO]), integer(size)]

    def forget(self, *others: Stored) -> None:
        """What was known of the elements, and of others', is so no longer."""
        for room in (*self._made, *others):
            self._scope.forget(room.buffer)


def _run(
    context: Context,
    scope: Scope,
    symbol: str,
    given: Sequence[Argument],
    error: tuple[type[Exception], str],
) -> None:
    """Call a function that writes to all places it gets; an error, if it says so."""
    writes = [i for i, argument in enumerate(given) if hasattr(argument, "buffer")]
    info = run(scope, symbol, given, writes, fails=True)
    assert info is not None
    scope.check(scope.op("equal", info, integer(0)), context.error(*error))


SPECTRAL: dict[str, Callable[[Work, Sequence[bool]], Results]] = {"eigh": _eigh, "svd": _svd}
"""By the name of the primitive."""
