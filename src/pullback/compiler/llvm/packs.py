"""Scalars of one elementary function, side by side in the lanes of a vector.

A vector of results takes as long as one of them, so that it pays to bring the arguments together.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from pullback.compiler.elementary import NAMES
from pullback.compiler.llvm.arithmetic import apply
from pullback.compiler.llvm.floats import FLOATS
from pullback.compiler.llvm.module import Lines
from pullback.compiler.llvm.values import SIZES, Value, is_float
from pullback.compiler.loops import Expr, Let, Load, Name, Op, Statement

__all__ = ["packed", "side_by_side"]

_BYTES = 64
"""Of a vector."""


def packed(body: Sequence[Statement]) -> Iterator[Sequence[Statement]]:
    """The statements one by one; together those that give the same function of other arguments.

    Within a row of scalars these depend on nothing but one another. The rank of one is how many
    functions there are on the longest way to it: those of one rank need none of each other's
    results, and by ascending ranks everything is computed before it is read.
    """
    for are_lets, run in itertools.groupby(body, lambda each: isinstance(each, Let)):
        row: list[Statement] = [*run]
        if are_lets and _repeats(row):
            yield from _by_rank(row)
        else:
            yield from ([each] for each in row)


def side_by_side(at: Lines, name: str, args: Sequence[Sequence[Value]], dtype: str) -> list[Value]:
    """The values of a function of these arguments, some at a time."""
    most = _BYTES // SIZES[dtype]
    found: list[Value] = []
    for first in range(0, len(args), most):
        some = args[first : first + most]
        if len(some) == 1:
            found.append(apply(at, name, some[0], dtype))
            continue
        wide = apply(at, name, [_together(at, each) for each in zip(*some, strict=True)], dtype)
        found += [
            Value(at.op(f"extractelement {wide.typed}, i64 {lane}"), dtype)
            for lane in range(len(some))
        ]
    return found


def _together(at: Lines, values: Sequence[Value]) -> Value:
    """A vector of scalars; where they are too few, the first one stands in the other lanes."""
    lanes = 1 << (len(values) - 1).bit_length()
    wide = Value("poison", values[0].dtype, lanes)
    for lane in range(lanes):
        value = values[lane if lane < len(values) else 0]
        wide = wide._replace(text=at.op(f"insertelement {wide.typed}, {value.typed}, i64 {lane}"))
    return wide


def _repeats(lets: Sequence[Statement]) -> bool:
    functions = Counter(_function(let) for let in lets)
    return any(count > 1 for function, count in functions.items() if function)


def _by_rank(lets: Sequence[Statement]) -> Iterator[Sequence[Statement]]:
    ranks: dict[str, int] = {}
    functions: list[dict[tuple[str, str], list[Statement]]] = [{}]
    others: list[list[Statement]] = [[]]
    for let in lets:
        assert isinstance(let, Let)
        function = _function(let)
        rank = _rank(let.value, ranks) + (function is not None)
        ranks[let.scalar.name] = rank
        if rank == len(others):
            functions.append({})
            others.append([])
        if function is None:
            others[rank].append(let)
        else:
            functions[rank].setdefault(function, []).append(let)
    for groups, rest in zip(functions, others, strict=True):
        yield from groups.values()
        yield from ([each] for each in rest)


def _function(let: Statement) -> tuple[str, str] | None:
    """The elementary function that a scalar is of others, with its dtype."""
    value = let.value if isinstance(let, Let) else None
    if not isinstance(value, Op) or value.name in FLOATS or value.name not in NAMES:
        return None
    return (value.name, value.dtype) if is_float(value.args[0].dtype) else None


def _rank(value: Expr, ranks: dict[str, int]) -> int:
    """The highest of what is read."""
    found = 0
    if isinstance(value, Name):
        found = ranks.get(value.name, 0)
    elif isinstance(value, Op):
        found = max((_rank(arg, ranks) for arg in value.args), default=0)
    elif isinstance(value, Load):
        found = max((ranks.get(name, 0) for name, _ in value.place.terms), default=0)
        if value.where is not None:
            found = max(found, _rank(value.where, ranks))
    return found
