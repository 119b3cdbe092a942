"""Hypergeometric functions in their argument; their parameters have no rule.

The derivative raises each parameter by one (DLMF 13.3.15, 13.3.22, 15.5.1, 16.3.1).
"""

from __future__ import annotations

import scipy.special as sc

from pullback.rules.registration import elementwise
from pullback.rules.special.missing import no_closed_form

__all__: list[str] = []


@elementwise(sc.hyp0f1)
def hyp0f1(_y, b, z):
    """y = ₀F₁(b; z): ∂y/∂z = ₀F₁(b + 1; z)/b; no rule for b."""
    return no_closed_form("hyp0f1", "v"), lambda: sc.hyp0f1(b + 1, z) / b


@elementwise(sc.hyp1f1)
def hyp1f1(_y, a, b, z):
    """y = ₁F₁(a; b; z): ∂y/∂z = (a/b)·₁F₁(a + 1; b + 1; z); no rule for a and b."""
    return (
        no_closed_form("hyp1f1", "a"),
        no_closed_form("hyp1f1", "b"),
        lambda: (a / b) * sc.hyp1f1(a + 1, b + 1, z),
    )


@elementwise(sc.hyp2f1, singular=True)
def hyp2f1(_y, a, b, c, z):
    """y = ₂F₁(a, b; c; z): ∂y/∂z = (ab/c)·₂F₁(a + 1, b + 1; c + 1; z); no rule for a, b and c.

    Infinite at z = 1 for c − a − b ≤ 1, where zeros stay zero.
    """
    return (
        no_closed_form("hyp2f1", "a"),
        no_closed_form("hyp2f1", "b"),
        no_closed_form("hyp2f1", "c"),
        lambda: (a * b / c) * sc.hyp2f1(a + 1, b + 1, c + 1, z),
    )


@elementwise(sc.hyperu, singular=True)
def hyperu(_y, a, b, z):
    """y = U(a, b, z): ∂y/∂z = −a·U(a + 1, b + 1, z); no rule for a and b.

    Infinite at z = 0, where zeros stay zero.
    """
    return (
        no_closed_form("hyperu", "a"),
        no_closed_form("hyperu", "b"),
        lambda: -a * sc.hyperu(a + 1, b + 1, z),
    )
