"""Complex numbers: parts, conjugates and moduli.

Holomorphic functions have a complex coefficient like any other. The functions here are linear over
ℝ only, or not holomorphic, so they spell both directions. The pullback is the adjoint in
⟨a, b⟩ = Re Σ conj(a)·b.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import dtype_of
from pullback.graph.layout import looking
from pullback.rules.registration import elementwise

__all__ = [
    "absolute",
    "adjoint",
    "conjugate",
    "conjugated",
    "fabs",
    "from_parts",
    "imag",
    "real",
    "sign",
]


def conjugated(x):
    """The conjugate of what is complex."""
    return np.conj(x) if x.dtype.kind == "c" else x


def adjoint(a: Any) -> Any:
    """Aᴴ, over the last two axes."""
    return conjugated(a.mT)


_PART: dict[str, Any] = {"count": 0, "cheap": True, "reorders": True, "shares": True}


def _real(x):
    """The real part; of a Python number too a NumPy scalar."""
    return np.real(x) if isinstance(x, np.ndarray | np.generic) else np.float64(np.real(x))


def _imag(x):
    return np.imag(x) if isinstance(x, np.ndarray | np.generic) else np.float64(np.imag(x))


@elementwise(_real, layouts=looking(_real), **_PART)
def real(_y, _x):
    """y = Re x: ẏ = Re ẋ, x̄ = ȳ."""
    return Linear(real, lambda y_bar: y_bar)


@elementwise(_imag, layouts=looking(_imag), **_PART)
def imag(_y, _x):
    """y = Im x: ẏ = Im ẋ, x̄ = i·ȳ."""
    return Linear(imag, lambda y_bar: 1j * y_bar)


def _from_parts(x, y):
    z = np.empty(np.broadcast_shapes(np.shape(x), np.shape(y)), np.result_type(x, y, 1j))
    z.real = x
    z.imag = y
    return z


@elementwise(_from_parts, count=0)
def from_parts(_z, _x, _y):
    """z = x + i·y of real x and y: ż = ẋ + i·ẏ, x̄ = Re z̄, ȳ = Im z̄."""
    return Linear(lambda x_dot: x_dot, np.real), Linear(lambda y_dot: 1j * y_dot, np.imag)


@elementwise(np.conjugate, cheap=True, generic=True)
def conjugate(_y, x):
    """y = conj x: ẏ = conj ẋ, x̄ = conj ȳ."""
    return Linear(np.conjugate, np.conjugate) if dtype_of(x).kind == "c" else 1


@elementwise(np.sign, cheap=True, singular=True, generic=True)
def sign(y, x):
    """y = x/|x|, and 0 at x = 0.

    For real x this is constant. For complex x, ẏ is the part of ẋ that turns x, over |x|:
    ẏ = (ẋ − y·Re(conj(y)·ẋ))/|x|, which is its own adjoint. It grows without bound beside x = 0,
    and there it is NaN.
    """
    if dtype_of(x).kind != "c":
        return None
    length = np.abs(x)
    zero = np.equal(length, 0)
    length = length * np.where(zero, np.nan, 1).astype(dtype_of(length))

    def turn(x_dot):
        return (x_dot - y * np.real(np.conj(y) * x_dot)) / length

    return Linear(turn, turn)


sign.singular_at(
    "x = 0, real", lambda x: np.equal(x, 0) & (dtype_of(x).kind != "c"), 0.0, 0, 0, "jump"
)
sign.singular_at(
    "x = 0, complex",
    lambda x: np.equal(x, 0) & (dtype_of(x).kind == "c"),
    0j, np.nan, np.nan, "pole",
)  # fmt: skip


@elementwise(np.absolute, cheap=True, generic=True)
def absolute(_y, x):
    """y = |x|: ∂y/∂x = sgn x, which is 0 at the kink x = 0.

    For complex x, with s = x/|x|: ẏ = Re(conj(s)·ẋ), x̄ = s·ȳ.
    """
    s = np.sign(x)
    if dtype_of(x).kind != "c":
        return s
    return Linear(lambda x_dot: np.real(np.conj(s) * x_dot), lambda y_bar: s * y_bar)


absolute.singular_at("x = 0, real", lambda x: np.equal(x, 0) & (dtype_of(x).kind != "c"), 0.0, 0, 0)
absolute.singular_at(
    "x = 0, complex", lambda x: np.equal(x, 0) & (dtype_of(x).kind == "c"), 0j, 0, np.nan
)


@elementwise(np.fabs)
def fabs(_y, x):
    """y = |x|: ∂y/∂x = sgn x, which is 0 at the kink x = 0."""
    return np.sign(x)


fabs.singular_at("x = 0", lambda x: np.equal(x, 0), 0.0, 0, 0)
