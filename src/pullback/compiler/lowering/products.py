"""Large products of matrices by BLAS, where both lie in memory as it reads them.

A product of two arrays has axes that both have and that are summed over, those of the first or of
the second alone, and those of both that stay: over these it is done again and again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pullback.compiler.libraries import LARGEST
from pullback.compiler.lowering.arrays import Array, Elements, Stored, c_strides
from pullback.compiler.lowering.context import Context
from pullback.compiler.lowering.external import (
    LETTERS,
    Argument,
    each,
    factor,
    integer,
    letter,
    routine,
    run,
)
from pullback.compiler.lowering.pairs import COMPLEX, constant
from pullback.compiler.lowering.places import Affine
from pullback.compiler.lowering.scope import Scope
from pullback.core.structure import Access, Loops

__all__ = ["by_blas"]

_CUBE, _WIDE = 1 << 23, 64
"""From how many products of numbers on BLAS takes less time than loops; if all extents are so."""

_DOTS, _WIDE_DOTS = 1 << 19, 32
"""The same, where the terms of a sum lie side by side in both, and there are many sums."""

_VECTOR = 1 << 19
"""The same, for a matrix and a vector."""

_CACHED = 1 << 17
"""How many elements a matrix has at most that stays in a cache while samples go by."""

_COMPLEX = 32
"""How many real products one of complex numbers counts for: loops deal with its parts apart."""


@dataclass(frozen=True)
class _Axis:
    """An axis of the iteration space, and its steps through both arrays and the result."""

    extent: int
    steps: tuple[int, int, int]


_NONE = _Axis(1, (0, 0, 0))
_ROWS, _COLUMNS, _SUMMED = (True, False, True), (False, True, True), (True, True, False)
_AGAIN = (True, True, True)


@dataclass(frozen=True)
class _Product:
    """C = AB for m×k and k×n matrices, at each index of some axes more."""

    rows: _Axis
    columns: _Axis
    summed: _Axis
    again: tuple[_Axis, ...]

    def is_large(self, each: int) -> bool:
        """Whether loops would take longer, where a product of elements counts for so many."""
        m, n, k = self.rows.extent, self.columns.extent, self.summed.extent
        count, least = each * m * n * k, min(m, n, k)
        if max(m, n, k) > LARGEST:
            return False
        if 1 in (m, n):
            return count >= _VECTOR and min(max(m, n), k) >= _WIDE
        dots = self.summed.steps[:2] == (1, 1) and k <= max(m, n)
        return (count >= _CUBE and least >= _WIDE) or (
            dots and count >= _DOTS and least >= _WIDE_DOTS
        )

    def has_samples(self) -> bool:
        """Whether one extent is longer than the others, which make a matrix that a cache holds."""
        short, middle, long = sorted((self.rows.extent, self.columns.extent, self.summed.extent))
        return long > middle and short * middle <= _CACHED

    def turned(self) -> _Product:
        """Cᵀ = BᵀAᵀ."""
        rows, columns, summed, *again = (
            _Axis(axis.extent, (axis.steps[1], axis.steps[0], axis.steps[2]))
            for axis in (self.columns, self.rows, self.summed, *self.again)
        )
        return _Product(rows, columns, summed, tuple(again))

    def operands(self) -> tuple[tuple[str, int] | None, tuple[str, int] | None]:
        """How A and B lie row by row: their letters, and the steps from one row to the next."""
        m, n, k = self.rows, self.columns, self.summed
        first = _operand((m.extent, m.steps[0]), (k.extent, k.steps[0]))
        return first, _operand((k.extent, k.steps[1]), (n.extent, n.steps[1]))


def _operand(rows: tuple[int, int], columns: tuple[int, int]) -> tuple[str, int] | None:
    """``N`` for a matrix that lies row by row, ``T`` column by column; `None` for another one."""
    for name, (_, step), (extent, inner) in (("N", rows, columns), ("T", columns, rows)):
        if inner == 1 and extent <= step <= LARGEST:
            return name, step
    return None


def by_blas(
    context: Context,
    scope: Scope,
    loops: Loops,
    values: Sequence[Array],
    room: tuple[tuple[int, ...], Stored | None],
) -> Stored | None:
    """The sums of products of two arrays; `None` where loops do as well.

    They go to the place given, or one that is made, for a result of the shape given.
    """
    shape, target = room
    if len(loops.reads) != 2:
        return None
    given = [values[access.argument] for access in loops.reads]
    dtype = given[0].dtype
    weight = _COMPLEX if dtype in COMPLEX else 1
    if weight * math.prod(loops.extents) < min(_CUBE, _DOTS, _VECTOR):
        return None
    out_steps = c_strides(shape) if target is None else target.strides
    product = _product(loops, [*map(_steps, given), out_steps])
    if dtype not in LETTERS or product is None or not product.is_large(weight):
        return None
    if context.in_loops and product.has_samples():
        context.spared += 1
        return None
    vector = 1 in (product.rows.extent, product.columns.extent)
    symbol = routine("gemv" if vector else "gemm", dtype, 1)
    if symbol is None:
        return None
    stored = [context.memory.stored(scope, x) for x in given]
    for which in range(2):
        if not _is_readable(_product(loops, [*map(_steps, stored), out_steps]), which):
            stored[which] = context.memory.copied(scope, stored[which])
    product = _product(loops, [*map(_steps, stored), out_steps])
    assert product is not None
    if product.rows.extent == 1 or product.columns.steps[2] > 1:
        product, stored = product.turned(), stored[::-1]
    if product.columns.steps[2] > 1 or not all(_is_readable(product, which) for which in range(2)):
        return None
    out = context.memory.buffer(shape, dtype) if target is None else target
    if vector:
        # What it is added to is 0: some versions do not ignore what is there if told to.
        zero = Elements(shape=(), dtype=dtype, values=(constant(0.0, dtype),))
        context.memory.fill(scope, out, zero)
    factors = factor(context, 1.0, dtype), factor(context, 0.0, dtype)
    _call(scope, symbol, product, [*stored, out], factors)
    scope.forget(out.buffer)
    return out


def _is_readable(product: _Product | None, which: int) -> bool:
    """Whether BLAS can read one of the arrays; a vector may have any steps."""
    assert product is not None
    if (product.columns if which else product.rows).extent == 1:
        return 0 < product.summed.steps[which] <= LARGEST
    return product.operands()[which] is not None


def _call(
    scope: Scope,
    symbol: str,
    product: _Product,
    arrays: Sequence[Stored],
    factors: tuple[Argument, Argument],
) -> None:
    """Call BLAS, to which matrices lie column by column: for Cᵀ = BᵀAᵀ, or for Cᵀ = BᵀA."""
    m, n, k = (integer(x.extent) for x in (product.rows, product.columns, product.summed))
    (turn, step), second = product.operands()[0] or ("", 0), product.operands()[1]
    one, zero = factors
    count = [axis.extent for axis in product.again]
    batches = [
        x.view(tuple(count), tuple(axis.steps[i] for axis in product.again), x.base)
        for i, x in enumerate(arrays)
    ]

    def body(scope: Scope, at: tuple[Affine, ...]) -> None:
        a, b, c = (batch.place(at) for batch in batches)
        given: list[Argument]
        if symbol.endswith("gemv"):
            how, extents = ("T", [k, m]) if turn == "N" else ("N", [m, k])
            steps = integer(product.summed.steps[1]), integer(product.rows.steps[2])
            given = [letter(how), *extents, one, a, integer(step), b, steps[0], one, c, steps[1]]
            run(scope, symbol, given, [9])
            return
        assert second is not None
        given = [letter(second[0]), letter(turn), n, m, k, one, b, integer(second[1]), a]
        given += [integer(step), zero, c, integer(product.rows.steps[2])]
        run(scope, symbol, given, [11])

    each(scope, count, body)


# -- what is what ---------------------------------------------------------------------------------


def _steps(array: Array) -> tuple[int, ...]:
    """The steps of an array in memory, or of what it will be there."""
    return array.strides if isinstance(array, Stored) else c_strides(array.shape)


def _product(loops: Loops, strides: Sequence[tuple[int, ...]]) -> _Product | None:
    """The loops as a product of matrices, if they are one."""
    accesses = (*loops.reads, loops.write)
    if not all(map(_is_plain, accesses)):
        return None
    groups: dict[tuple[bool, ...], list[_Axis]] = {
        role: [] for role in (_ROWS, _COLUMNS, _SUMMED, _AGAIN)
    }
    for axis, extent in enumerate(loops.extents):
        if extent == 1:
            continue
        a, b, c = (
            _step(access, axis, steps) for access, steps in zip(accesses, strides, strict=True)
        )
        role = (bool(a), bool(b), bool(c))
        if role not in groups:
            return None
        groups[role].append(_Axis(extent, (a, b, c)))
    rows, columns, summed = (_joined(groups[role]) for role in (_ROWS, _COLUMNS, _SUMMED))
    if len(summed) != 1:
        return None
    again = (*groups[_AGAIN], *rows[1:], *columns[1:])
    return _Product((*rows, _NONE)[0], (*columns, _NONE)[0], summed[0], again)


def _is_plain(access: Access) -> bool:
    """Whether each index is one axis, and no axis is two."""
    axes = [axis for index in access.indices for axis, _ in index.steps]
    return (
        not access.flat
        and len(set(axes)) == len(axes)
        and all(
            index.load is None
            and not index.start
            and [step for _, step in index.steps] in ([], [1])
            for index in access.indices
        )
    )


def _step(access: Access, axis: int, strides: Iterable[int]) -> int:
    """The step of an axis of the space through an array."""
    for index, stride in zip(access.indices, strides, strict=True):
        if index.steps and index.steps[0][0] == axis:
            return stride
    return 0


def _joined(axes: Sequence[_Axis]) -> list[_Axis]:
    """Axes of one role, the longest first; those that are one in all arrays joined."""
    found: list[_Axis] = []
    for axis in sorted(axes, key=lambda axis: axis.steps, reverse=True):
        outer = found[-1] if found else _NONE
        if outer.steps == tuple(step * axis.extent for step in axis.steps):
            found[-1] = _Axis(outer.extent * axis.extent, axis.steps)
        else:
            found.append(axis)
    return sorted(found, key=lambda axis: axis.extent, reverse=True)
