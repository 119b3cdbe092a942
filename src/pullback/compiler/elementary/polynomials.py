"""Polynomials, evaluated in a way that keeps both units for fused multiply-adds busy."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.compiler.elementary.values import Body, Operand, Value

__all__ = ["horner", "polynomial", "polynomial_added"]


def horner(f: Body, x: Value, coefficients: Sequence[float]) -> Value:
    """Σ cᵢ xⁱ from the last term to the first: the least work, the longest chain."""
    total: Operand = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = f.fma(total, x, c)
    assert isinstance(total, Value)
    return total


def polynomial(f: Body, x: Value, coefficients: Sequence[float]) -> Value:
    """Σ cᵢ xⁱ by halves (Estrin's scheme), whose chain is short; cᵢ of neighbours are paired.

    It takes as many multiply-adds as Horner's and a product for each squaring, and the error of
    the last step is that of Horner's as long as terms fall off.
    """
    return _by_halves(f, [x], coefficients)


def polynomial_added(
    f: Body, start: Value, scale: Value, x: Value, coefficients: Sequence[float]
) -> Value:
    """start + scale · Σ cᵢ xⁱ, with the chain of a polynomial of half the length.

    The first terms are added while the others are evaluated. So the sum is rounded twice; where
    terms fall off that matters as little as they do.
    """
    count = 1 << ((len(coefficients) // 2).bit_length() - 1)
    squares = [x]
    rest = _by_halves(f, squares, coefficients[count:])
    first = f.fma(scale, _by_halves(f, squares, coefficients[:count]), start)
    return f.fma(scale * _square(squares, count.bit_length() - 1), rest, first)


def _by_halves(f: Body, squares: list[Value], coefficients: Sequence[float]) -> Value:
    """Σ cᵢ xⁱ; `squares` has x, x², x⁴ and so on, as far as they were needed."""
    terms: list[Operand] = list(coefficients)
    level = 0
    while len(terms) > 1:
        power = _square(squares, level)
        pairs: list[Operand] = [
            f.fma(terms[i + 1], power, terms[i]) for i in range(0, len(terms) - 1, 2)
        ]
        terms = pairs + terms[len(terms) - len(terms) % 2 :]
        level += 1
    result = terms[0]
    assert isinstance(result, Value)
    return result


def _square(squares: list[Value], level: int) -> Value:
    while len(squares) <= level:
        squares.append(squares[-1] * squares[-1])
    return squares[level]
