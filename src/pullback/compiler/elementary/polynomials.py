"""Polynomials, evaluated in a way that keeps both units for fused multiply-adds busy."""

from __future__ import annotations

from collections.abc import Sequence

from pullback.compiler.elementary.values import Body, Operand, Value

__all__ = ["horner", "polynomial"]


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
    terms: list[Operand] = list(coefficients)
    power = x
    while len(terms) > 1:
        pairs: list[Operand] = [
            f.fma(terms[i + 1], power, terms[i]) for i in range(0, len(terms) - 1, 2)
        ]
        terms = pairs + terms[len(terms) - len(terms) % 2 :]
        if len(terms) > 1:
            power = power * power
    result = terms[0]
    assert isinstance(result, Value)
    return result
