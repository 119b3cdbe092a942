"""The transforms of `scipy.fftpack`, which are those of `scipy.fft` under older conventions."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
import scipy.fftpack

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.operands import operand
from pullback.rules.cosine_transforms import TRANSPOSED
from pullback.rules.shaping import concatenate, stack
from pullback.scipy.decisions import constant, passed, refused
from pullback.scipy.first_step import serves

__all__: list[str] = []


def _require_extents(name: str, x: Any, shape: Any, axes: Any) -> None:
    if shape is not None and axes is None and np.size(shape) != len(shape_of(x)):
        raise ArgumentValueError(
            f"scipy.fftpack.{name}: got the shape {shape!r} and no axes, for an array of "
            f"{len(shape_of(x))} axes, wanted one extent for each of them"
        )


def _serve(name: str) -> None:
    """Serve the complex transform of this name, of one axis, two or several."""
    transform = getattr(scipy.fft, name)
    function = getattr(scipy.fftpack, name)
    if not name.endswith(("2", "n")):

        @serves(function)
        def transformed(x: Any, n: Any = None, axis: Any = -1, overwrite_x: Any = False) -> Any:
            return transform(operand(x), n, axis)

        return
    default = (-2, -1) if name.endswith("2") else None

    @serves(function)
    def transformed_over(
        x: Any, shape: Any = None, axes: Any = default, overwrite_x: Any = False
    ) -> Any:
        x = operand(x)
        _require_extents(name, x, shape, axes)
        return transform(x, shape, axes)


for _name in ("fft", "ifft", "fft2", "ifft2", "fftn", "ifftn"):
    _serve(_name)


def _serve_trigonometric(name: str, *, inverse: bool) -> None:
    """Serve a cosine or sine transform; the inverse one has no factor but in the norm "ortho"."""
    transform = getattr(scipy.fft, name.removeprefix("i"))
    function = getattr(scipy.fftpack, name)

    def of(number: Any) -> Any:
        return TRANSPOSED.get(number, number) if inverse else number

    if not name.endswith("n"):

        @serves(function)
        def transformed(
            x: Any,
            type: Any = 2,
            n: Any = None,
            axis: Any = -1,
            norm: Any = None,
            overwrite_x: Any = False,
        ) -> Any:
            return transform(operand(x), of(type), n, axis, norm)

        return

    @serves(function)
    def transformed_over(
        x: Any,
        type: Any = 2,
        shape: Any = None,
        axes: Any = None,
        norm: Any = None,
        overwrite_x: Any = False,
    ) -> Any:
        x = operand(x)
        _require_extents(name, x, shape, axes)
        return transform(x, of(type), shape, axes, norm)


for _name in ("dct", "dst", "dctn", "dstn"):
    _serve_trigonometric(_name, inverse=False)
    _serve_trigonometric(f"i{_name}", inverse=True)


# -- real arrays, packed --------------------------------------------------------------------------


@serves(scipy.fftpack.rfft)
def rfft(x: Any, n: Any = None, axis: Any = -1, overwrite_x: Any = False) -> Any:
    """Re y₀, Re y₁, Im y₁, Re y₂, …, of a real array; the last is Re y of n/2 for an even n."""
    x = np.moveaxis(_require_real("rfft", x), axis, -1)
    extent = shape_of(x)[-1] if n is None else n
    y = scipy.fft.rfft(x, n)
    pairs = stack(np.real(y), np.imag(y), axis=-1)
    flat = np.reshape(pairs, (*shape_of(y)[:-1], -1))
    packed = concatenate(flat[..., :1], flat[..., 2 : extent + 1], axis=-1)
    return np.moveaxis(packed, -1, axis)


@serves(scipy.fftpack.irfft)
def irfft(x: Any, n: Any = None, axis: Any = -1, overwrite_x: Any = False) -> Any:
    """The real array of which `x` is the transform as `rfft` packs it."""
    x = np.moveaxis(_require_real("irfft", x), axis, -1)
    extent = shape_of(x)[-1] if n is None else n
    lead = shape_of(x)[:-1]
    x = x[..., :extent]
    missing = extent + 1 + (extent + 1) % 2 - shape_of(x)[-1]
    edge = np.zeros((*lead, 1), dtype_of(x))
    parts = [x[..., :1], edge, x[..., 1:], np.zeros((*lead, missing), dtype_of(x))]
    whole = 2 * (extent // 2 + 1)
    pairs = np.reshape(concatenate(*parts, axis=-1)[..., :whole], (*lead, whole // 2, 2))
    y = scipy.fft.irfft(pairs[..., 0] + 1j * pairs[..., 1], extent)
    return np.moveaxis(y, -1, axis)


def _require_real(name: str, x: Any) -> Any:
    x = operand(x)
    if dtype_of(x).kind == "c":
        raise ArgumentTypeError(
            f"scipy.fftpack.{name}: got an array of dtype {dtype_of(x)} and shape "
            f"{shape_of(x)}, wanted a real one; take np.real(x), or scipy.fftpack.fft"
        )
    return x


constant(scipy.fftpack, "fftfreq rfftfreq", "a number of points, and their distance as a number")
constant(scipy.fftpack, "next_fast_len", "an integer")
passed(scipy.fftpack, "fftshift ifftshift", "they are those of numpy.fft")
refused(
    scipy.fftpack,
    "diff tilbert itilbert hilbert ihilbert cs_diff sc_diff ss_diff cc_diff shift",
    "It multiplies the transform by a factor for each frequency: write "
    "np.real(scipy.fft.ifft(factors * scipy.fft.fft(x))), which has a rule",
)
