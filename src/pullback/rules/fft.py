"""Discrete Fourier transforms.

All of them are linear with a constant matrix, so the pushforward is the transform itself, and the
pullback its adjoint, which is a transform too. With ω = exp(−2πi/n), yₖ = Σⱼ ωʲᵏxⱼ has the adjoint
x̄ⱼ = Σₖ ω⁻ʲᵏȳₖ, the transform in the other direction; the factor before the sum is the same in both,
so that "backward" and "forward" change places as the direction does. See J. W. Cooley, P. A. W.
Lewis and P. D. Welch, *The finite Fourier transform*, IEEE Trans. Audio Electroacoust. 17 (1969).

Transforms of real arrays keep yₖ for k ≤ n/2 only, as yₙ₋ₖ is the conjugate of yₖ. In the adjoint
of the one to these, each frequency occurs once; in the inverse transform those that have a mirror
image count twice, those that are their own (k = 0, and n/2 for an even n) once and by their real
part. So the adjoint of each of the two is the other one with the frequencies that have a mirror
image halved before, or doubled after.

The axes are counted from the last one, so that leading ones are batches.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from pullback.core.linear import Linear
from pullback.core.primitive import Primitive
from pullback.core.shapes import Abstract, dtype_of, shape_of
from pullback.core.structure import Opaque
from pullback.core.structure.axes import dtypes, in_batches, meeting, size_of
from pullback.rules.registration import rule

__all__ = [
    "Transforms",
    "along_axes",
    "enter",
    "fft",
    "irfft",
    "opposite",
    "rfft",
    "transform_count",
]

_OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def opposite(norm: str) -> str:
    """The norm that gives the transform in the other direction the same factor."""
    return _OPPOSITE[norm]


def transform_count(shape: Any, axes: Any) -> int:
    """5 n log₂ n for each transform of n complex numbers."""
    points: int = math.prod(shape)
    return round(5 * points * sum(math.log2(max(shape[axis], 1)) for axis in axes))


def along_axes(args: Any, outs: Any, params: Any) -> Any:
    """Elements meet along the axes of the transform; see `Structure.names`."""
    return meeting(args, params["axes"]), meeting(outs, params["axes"])


def _count(out: Any, _x: Any, *, axes: Any, **_: Any) -> int:
    return transform_count(shape_of(out), axes)


def _real_count(out: Any, x: Any, *, axes: Any, **_: Any) -> int:
    """Half of that: what is real counts as half as many complex numbers."""
    longer = out if size_of(out) >= size_of(x) else x
    return transform_count(shape_of(longer), axes) // 2


def _shapes(extent: Any) -> Any:
    """The shape with another extent along the last of the axes."""

    def shapes(primitive: Any, x: Any, **params: Any) -> Any:
        shape, axis = [*shape_of(x)], params["axes"][-1]
        shape[axis] = extent(shape[axis], params)
        return Abstract(tuple(shape), dtypes(primitive, x, **params))

    return shapes


def _mirrored(n: int, factor: float, like: Any, axis: int) -> Any:
    """`factor` for each frequency that has a mirror image, and 1 for the others."""
    weights = np.full(n // 2 + 1, factor, np.finfo(dtype_of(like)).dtype)
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return weights.reshape(-1, *(1,) * (-1 - axis))


class Transforms(NamedTuple):
    """The transform of complex arrays, of real ones, and to real ones."""

    fft: Primitive
    rfft: Primitive
    irfft: Primitive


def enter(library: Any, prefix: str = "") -> Transforms:
    """Enter the transforms of a library, `numpy.fft` or `scipy.fft`, which differ in rounding."""

    def _fft(x, *, axes, inverse, norm, **others):
        transform = library.ifftn if inverse else library.fftn
        return transform(x, axes=axes, norm=norm, **others)

    def _rfft(x, *, axes, norm, **others):
        return library.rfftn(x, axes=axes, norm=norm, **others)

    def _irfft(y, *, n, axes, norm, **others):
        extents = [*(shape_of(y)[axis] for axis in axes[:-1]), n]
        return library.irfftn(y, s=extents, axes=axes, norm=norm, **others)

    @rule(
        _fft,
        Opaque(
            _shapes(lambda n, _: n),
            in_batches,
            names=along_axes,
            count=_count,
            generic=True,
            multilinear=True,
        ),
        name=f"{prefix}fft",
    )
    def fft(_y, _x, *, axes, inverse, norm, **others):
        """yₖ = Σⱼ ωʲᵏxⱼ: x̄ⱼ = Σₖ ω⁻ʲᵏȳₖ, the transform in the other direction."""
        back = opposite(norm)
        return Linear(
            lambda x_dot: fft(x_dot, axes=axes, inverse=inverse, norm=norm, **others),
            lambda y_bar: fft(y_bar, axes=axes, inverse=not inverse, norm=back, **others),
        )

    @rule(
        _rfft,
        Opaque(
            _shapes(lambda n, _: n // 2 + 1),
            in_batches,
            names=along_axes,
            count=_real_count,
            generic=True,
            multilinear=True,
        ),
        name=f"{prefix}rfft",
    )
    def rfft(_y, _x, *, axes, norm, **others):
        """yₖ = Σⱼ ωʲᵏxⱼ for k ≤ n/2 and real x: x̄ⱼ = Re Σₖ ω⁻ʲᵏȳₖ, over these k."""
        axis = axes[-1]
        n = shape_of(_x)[axis]

        def pullback(y_bar):
            halved = y_bar * _mirrored(n, 0.5, y_bar, axis)
            return irfft(halved, n=n, axes=axes, norm=opposite(norm), **others)

        return Linear(lambda x_dot: rfft(x_dot, axes=axes, norm=norm, **others), pullback)

    @rule(
        _irfft,
        Opaque(
            _shapes(lambda _, params: params["n"]),
            in_batches,
            names=along_axes,
            count=_real_count,
            generic=True,
            multilinear=True,
        ),
        name=f"{prefix}irfft",
    )
    def irfft(_x, _y, *, n, axes, norm, **others):
        """xⱼ = Σₖ ω⁻ʲᵏyₖ/n over all k < n, where yₙ₋ₖ = conj yₖ: ȳₖ = Σⱼ ωʲᵏx̄ⱼ/n.

        That is twice as much where yₖ has a mirror image. The imaginary parts of those that have
        none are not read.
        """

        def pullback(x_bar):
            y_bar = rfft(x_bar, axes=axes, norm=opposite(norm), **others)
            return y_bar * _mirrored(n, 2, y_bar, axes[-1])

        return Linear(lambda y_dot: irfft(y_dot, n=n, axes=axes, norm=norm, **others), pullback)

    return Transforms(fft, rfft, irfft)


fft, rfft, irfft = enter(np.fft)
