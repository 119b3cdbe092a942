"""Quotients that an iteration waits for, as products with an inverse that is there before the loop.

``for n < 9; x: q = x / k; d = 1 - q; next x · d`` becomes ``w = 1 / k`` and a loop with
``q = x · w``, if w is a normal number; for other numbers the loop stays as it was. A division takes
three times as long as a product and a sum, which are one instruction.

It is done only for quotients that are added to something or subtracted: there the product is
rounded with the sum, and what the rounding of w changes is as much as the rounding of the quotient
did before. A quotient that is wanted for itself is divided.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pullback.compiler.fusion.names import Names
from pullback.compiler.fusion.substitution import Substitution
from pullback.compiler.fusion.traversal import Body, rebuilt, with_bodies
from pullback.compiler.loops import (
    Branch,
    Check,
    Const,
    Expr,
    For,
    Let,
    Load,
    Name,
    Op,
    Scalar,
    Statement,
    Store,
)

__all__ = ["with_inverses"]

_LONG = 64
"""Statements of a loop that is not written twice."""


def with_inverses(body: Body, names: Names) -> Body:
    """The statements, where loops multiply with inverses in place of dividing."""
    found: list[Statement] = []
    for each in body:
        statement = with_bodies(each, lambda inner: with_inverses(inner, names))
        quotients = _quotients(statement) if isinstance(statement, For) else {}
        if quotients:
            assert isinstance(statement, For)
            found += _twice(statement, quotients, names)
        else:
            found.append(statement)
    return tuple(found)


def _quotients(loop: For) -> dict[str, Name]:
    """The scalars that are to be products, with their divisors."""
    body = loop.body
    if len(body) > _LONG or not all(isinstance(each, Let | Store | Check) for each in body):
        return {}
    values = {each.scalar.name: each.value for each in body if isinstance(each, Let)}
    carried = {scalar.name for scalar, _ in loop.carries}
    waited = _waited_for(loop, values, carried)
    inside = {loop.index, *carried, *values}
    found = {}
    for name, value in values.items():
        if name not in waited or not isinstance(value, Op) or value.name != "divide":
            continue
        divisor = value.args[1]
        if isinstance(divisor, Name) and divisor.name not in inside:
            found[name] = divisor
    for each in body:
        added = isinstance(each, Let) and _is_sum(each.value)
        for name in () if added else _reads(each):
            found.pop(name, None)
    for value in loop.nexts:
        for name in _names(value):
            found.pop(name, None)
    return found


def _waited_for(loop: For, values: dict[str, Expr], carried: set[str]) -> set[str]:
    """What is computed from carries, and what carries are computed from."""
    after = set(carried)
    for name, value in values.items():
        if not after.isdisjoint(_names(value)):
            after.add(name)
    before = {name for value in loop.nexts for name in _names(value)}
    for name in reversed(values):
        if name in before:
            before.update(_names(values[name]))
    return after & before


def _is_sum(value: Expr) -> bool:
    if not isinstance(value, Op) or value.name not in ("add", "subtract"):
        return False
    return all(isinstance(arg, Name | Const) for arg in value.args)


def _reads(statement: Statement) -> Iterator[str]:
    if isinstance(statement, Check):
        return _names(statement.condition)
    assert isinstance(statement, Let | Store)
    return _names(statement.value)


def _names(value: Expr) -> Iterator[str]:
    if isinstance(value, Name):
        yield value.name
    elif isinstance(value, Op):
        for arg in value.args:
            yield from _names(arg)
    elif isinstance(value, Load):
        yield from (name for name, _ in value.place.terms)
        if value.where is not None:
            yield from _names(value.where)


def _twice(loop: For, quotients: dict[str, Name], names: Names) -> Iterator[Statement]:
    """The loop with products, if all inverses are normal numbers, and as it is if not."""
    inverses: dict[Name, Name] = {}
    normal: Expr = Const(True, "bool")
    for divisor in dict.fromkeys(quotients.values()):
        dtype = divisor.dtype
        inverse = inverses[divisor] = Name(names.fresh(), dtype)
        yield Let(Scalar(*inverse), Op("divide", (Const(1.0, dtype), divisor), dtype))
        least = Const(float(np.finfo(dtype).tiny), dtype)
        large = Op("greater_equal", (Op("absolute", (inverse,), dtype), least), "bool")
        finite = Op("isfinite", (inverse,), "bool")
        for condition in (finite, large):
            normal = Op("logical_and", (normal, condition), "bool")
    with_products = replace(
        loop,
        body=tuple(
            Let(each.scalar, _product(each.value, inverses))
            if isinstance(each, Let) and each.scalar.name in quotients
            else each
            for each in loop.body
        ),
    )
    branches = []
    for version in (loop, with_products):
        own = _renamed(version, names)
        branches.append(((own,), tuple([Name(*result) for result in own.results])))
    yield Branch(Op("convert", (normal,), "int64"), tuple(branches), loop.results)


def _product(value: Expr, inverses: dict[Name, Name]) -> Expr:
    assert isinstance(value, Op)
    assert isinstance(value.args[1], Name)
    return Op("multiply", (value.args[0], inverses[value.args[1]]), value.dtype)


def _renamed(loop: For, names: Names) -> For:
    """The loop with other names for all that it gives."""
    index = names.fresh()
    if loop.index in names.indices:
        names.indices.add(index)
    given = [scalar for scalar, _ in loop.carries]
    given += [each.scalar for each in loop.body if isinstance(each, Let)]
    new = {scalar.name: Name(names.fresh(), scalar.dtype) for scalar in given}
    now = Substitution({loop.index: Name(index, "int64"), **new})
    body = [
        Let(Scalar(*new[each.scalar.name]), now.value(each.value))
        if isinstance(each, Let)
        else rebuilt(each, now.value, now.place)
        for each in loop.body
    ]
    return For(
        index,
        loop.extent,
        tuple((Scalar(*new[scalar.name]), first) for scalar, first in loop.carries),
        tuple(body),
        tuple(map(now.value, loop.nexts)),
        tuple(Scalar(names.fresh(), result.dtype) for result in loop.results),
        loop.reverse,
    )
