"""SciPy's Fourier, cosine, sine and Hankel transforms, all of which are linear.

The matrices of the cosine and sine transforms are real: that of type 3 is, up to the weight of one
element, the transpose of that of type 2, and those of types 1 and 4 are symmetric, up to the
weights of the ends in the cosine transform of type 1. With `orthogonalize` there are no such
weights. See G. Strang, *The discrete cosine transform*, SIAM Review 41 (1999).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft

from pullback.core.linear import Linear
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import dtypes, in_batches
from pullback.rules.fft import along_axes, enter, transform_count
from pullback.rules.registration import rule

__all__ = ["TRANSPOSED", "dct", "dst", "fft", "fht", "irfft", "rfft"]

fft, rfft, irfft = enter(scipy.fft, "scipy_")

TRANSPOSED = {1: 1, 2: 3, 3: 2, 4: 4}
"""The type of the transpose of the transform of each type, which that of its inverse is too."""


def _count(out: Any, _x: Any, *, axes: Any, **_: Any) -> int:
    return transform_count(shape_of(out), axes) // 2


def _same_shape(primitive: Any, x: Any, **params: Any) -> Any:
    return Abstract(shape_of(x), dtypes(primitive, x, **params))


def _same(primitive: Any, x: Any, **params: Any) -> Any:
    """A single element has transforms of all types but of type 1, so that 2 stands for that."""
    return _same_shape(primitive, x, **{**params, "type": 2})


_STRUCTURE = Opaque(
    _same, in_batches, names=along_axes, count=_count, generic=True, multilinear=True
)


def _weighted(x: Any, axes: Any, factor: float, *ends: int) -> Any:
    """`x` with the elements at the ends of each of the axes times a factor."""
    for axis in axes:
        weights = np.ones(shape_of(x)[axis], np.finfo(dtype_of(x)).dtype)
        weights[[*ends]] = factor
        x = x * weights.reshape(-1, *(1,) * (-1 - axis))
    return x


def _of_parts(transform, x, params):
    """A real transform of real and imaginary parts: of a complex array SciPy's takes no flag."""
    if dtype_of(x).kind != "c":
        return transform(x, **params)
    out = np.empty(x.shape, np.result_type(x, np.complex64))
    out.real, out.imag = transform(x.real, **params), transform(x.imag, **params)
    return out


def _dct(x, **params):
    return _of_parts(scipy.fft.dctn, x, params)


@rule(_dct, _STRUCTURE)
def dct(_y, _x, *, axes, type, **params):
    """yₖ = 2 Σⱼ cos(πk(2j + 1)/2n) xⱼ, for type 2: x̄ⱼ = 2 Σₖ cos(πk(2j + 1)/2n) ȳₖ.

    Which is the transform of type 3, that takes y₀ once, with twice ȳ₀.
    """
    plain = not params["orthogonalize"]

    def pullback(y_bar):
        if plain and type in (1, 2):
            y_bar = _weighted(y_bar, axes, 2, *((0, -1) if type == 1 else (0,)))
        x_bar = dct(y_bar, axes=axes, type=TRANSPOSED[type], **params)
        if plain and type in (1, 3):
            x_bar = _weighted(x_bar, axes, 0.5, *((0, -1) if type == 1 else (0,)))
        return x_bar

    return Linear(lambda x_dot: dct(x_dot, axes=axes, type=type, **params), pullback)


def _dst(x, **params):
    return _of_parts(scipy.fft.dstn, x, params)


@rule(_dst, _STRUCTURE)
def dst(_y, _x, *, axes, type, **params):
    """yₖ = 2 Σⱼ sin(π(k + 1)(2j + 1)/2n) xⱼ, for type 2: x̄ⱼ = 2 Σₖ sin(π(k + 1)(2j + 1)/2n) ȳₖ.

    Which is the transform of type 3, that takes the last element once, with twice that of ȳ.
    """
    plain = not params["orthogonalize"]

    def pullback(y_bar):
        if plain and type == 2:
            y_bar = _weighted(y_bar, axes, 2, -1)
        x_bar = dst(y_bar, axes=axes, type=TRANSPOSED[type], **params)
        if plain and type == 3:
            x_bar = _weighted(x_bar, axes, 0.5, -1)
        return x_bar

    return Linear(lambda x_dot: dst(x_dot, axes=axes, type=type, **params), pullback)


def _fht(a, *, inverse, **params):
    return np.ascontiguousarray((scipy.fft.ifht if inverse else scipy.fft.fht)(a, **params))


def _fht_count(out: Any, _x: Any, **_: Any) -> int:
    return transform_count(shape_of(out), (-1,))


@rule(
    _fht,
    Opaque(_same_shape, in_batches, count=_fht_count, generic=True, multilinear=True),
)
def fht(_y, _a, **params):
    """The fast Hankel transform: ā is the transform of ȳ, as its matrix is symmetric.

    It is a circular convolution, of which the result is reversed, so that the elements of its
    matrix depend on the sum of row and column; a bias multiplies rows and columns alike. See A. J.
    S. Hamilton, *Uncorrelated modes of the non-linear power spectrum*, MNRAS 312 (2000).
    """
    return Linear(lambda a_dot: fht(a_dot, **params), lambda y_bar: fht(y_bar, **params))
