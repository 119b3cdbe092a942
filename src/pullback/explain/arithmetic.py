"""Arithmetic of expressions: numbers are multiplied, like factors and like terms collected."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from pullback.explain.expression import (
    ONE,
    ZERO,
    Delta,
    Expr,
    Index,
    Num,
    Plus,
    Power,
    Sigma,
    Times,
    exact,
    free,
    key,
    plus,
    rebuilt,
    replaced,
    times,
)

__all__ = ["collected", "fresh", "split"]


def split(e: Expr) -> tuple[Any, Expr]:
    """A number and what it multiplies."""
    if isinstance(e, Num):
        return e.value, ONE
    if isinstance(e, Times):
        number: Any = 1
        rest = []
        for factor in e.factors:
            if isinstance(factor, Num):
                number = number * factor.value
            else:
                rest.append(factor)
        return exact(number), times(*rest)
    return 1, e


def scaled(number: Any, e: Expr) -> Expr:
    """The number times the expression."""
    return ZERO if number == 0 else e if number == 1 else times(Num(exact(number)), e)


def collected(e: Expr) -> Expr:
    """The expression with its numbers multiplied and its like terms collected."""
    e = rebuilt(e, collected)
    if isinstance(e, Times):
        return _product(e)
    if isinstance(e, Plus):
        return _sum(e)
    if isinstance(e, Power):
        return _power(e)
    if isinstance(e, Sigma):
        number, body = split(e.body)
        inside: list[Expr] = []
        outside: list[Expr] = []
        for factor in body.factors if isinstance(body, Times) else (body,):
            (inside if e.index in free(factor) else outside).append(factor)
        if not inside:
            return scaled(exact(number * e.index.extent), times(*outside))
        if number != 1 or outside:
            return scaled(number, times(*outside, Sigma(e.index, times(*inside))))
    return e


def _power(e: Power) -> Expr:
    if not isinstance(e.exponent, Num):
        return e
    n = e.exponent.value
    if n == 0:
        return ONE
    if n == 1:
        return e.base
    if isinstance(e.base, Num) and isinstance(n, int) and e.base.value != 0 and abs(n) < 9:
        value = e.base.value
        return Num(exact((Fraction(value) if isinstance(value, int) else value) ** n))
    if isinstance(e.base, Power) and isinstance(e.base.exponent, Num) and isinstance(n, int):
        inner = e.base.exponent.value
        return _power(Power(e.base.base, Num(exact(inner * n))))
    if isinstance(e.base, Times) and isinstance(n, int):
        return collected(times(*(Power(x, e.exponent) for x in e.base.factors)))
    return e


def _product(e: Times) -> Expr:
    number, rest = split(e)
    if number == 0:
        return ZERO
    factors: dict[Any, tuple[Expr, Any]] = {}
    for factor in rest.factors if isinstance(rest, Times) else (rest,):
        base, n = factor, 1
        if isinstance(factor, Power) and isinstance(factor.exponent, Num):
            base, n = factor.base, factor.exponent.value
        if base == ONE:
            continue
        k = key(base)
        if k in factors and not isinstance(base, Delta):
            factors[k] = (base, factors[k][1] + n)
        else:
            factors[k] = (base, n)
    parts = [
        x if n == 1 else _power(Power(x, Num(exact(n)))) for x, n in factors.values() if n != 0
    ]
    return scaled(number, times(*parts))


def _sum(e: Plus) -> Expr:
    terms: dict[Any, tuple[Any, Expr]] = {}
    for term in e.terms:
        number, rest = split(term)
        k = key(rest)
        terms[k] = (terms[k][0] + number, terms[k][1]) if k in terms else (number, rest)
    return plus(*(scaled(exact(n), x) for n, x in terms.values()))


def fresh(e: Expr) -> Expr:
    """The expression with new bound indices."""
    if isinstance(e, Sigma):
        new = Index(e.index.extent)
        return Sigma(new, fresh(replaced(e.body, e.index, new)))
    return rebuilt(e, fresh)
