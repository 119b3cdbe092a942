"""NumPy's Fourier transforms.

Those of complex arrays over several axes are one primitive where no axis is cut or filled up with
zeros, and otherwise one for each axis.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.shapes import dtype_of, shape_of
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.decisions import Kind, decide
from pullback.numpy.operands import operand, require_known
from pullback.numpy.registration import implements
from pullback.rules import fft as rules
from pullback.rules.shaping import concatenate

__all__ = ["fftshift", "ifftshift", "require_points", "resized"]


def require_points(name: str, n: Any) -> Any:
    """A number of points, as an integer."""
    n = operator.index(require_known(name, "n", n))
    if n < 1:
        raise ArgumentValueError(
            f"{name}: got {n} points to transform; it wants an array, or n, of at least one"
        )
    return n


def resized(x: Any, n: int, axis: int) -> Any:
    """The first n elements along an axis, zeros among them where there are too few."""
    shape = shape_of(x)
    axis = normalize_axis_index(axis, len(shape))
    if n == shape[axis]:
        return x
    if n < shape[axis]:
        return x[(slice(None),) * axis + (slice(n),)]
    missing = (*shape[:axis], n - shape[axis], *shape[axis + 1 :])
    return concatenate(x, np.zeros(missing, dtype_of(x)), axis=axis)


def _from_last(x: Any, axis: Any) -> tuple[int, int]:
    """The extent of an axis, and the axis counted from the last one."""
    shape = shape_of(x)
    axis = normalize_axis_index(operator.index(axis), len(shape))
    return shape[axis], axis - len(shape)


def _norm(name: str, norm: Any) -> Any:
    norm = norm or "backward"
    if norm not in ("backward", "ortho", "forward"):
        raise ArgumentValueError(
            f'{name}: norm is {norm!r}, wanted "backward", "ortho", "forward" or None'
        )
    return norm


def _complex(name: str, a: Any, n: Any, axis: Any, norm: Any, inverse: bool) -> Any:
    x = operand(a)
    extent, axis = _from_last(x, axis)
    n = require_points(name, extent if n is None else n)
    return rules.fft(resized(x, n, axis), axes=(axis,), inverse=inverse, norm=_norm(name, norm))


def _from_real(name: str, a: Any, n: Any, axis: Any, norm: Any) -> Any:
    x = operand(a)
    if dtype_of(x).kind == "c":
        raise ArgumentTypeError(
            f"{name}: got an array of dtype {dtype_of(x)} and shape {shape_of(x)}, wanted a real "
            "one; take np.real(x), or np.fft.fft"
        )
    extent, axis = _from_last(x, axis)
    n = require_points(name, extent if n is None else n)
    return rules.rfft(resized(x, n, axis), axes=(axis,), norm=_norm(name, norm))


def _to_real(name: str, a: Any, n: Any, axis: Any, norm: Any) -> Any:
    y = operand(a)
    extent, axis = _from_last(y, axis)
    n = require_points(name, 2 * (extent - 1) if n is None else n)
    y = resized(y, n // 2 + 1, axis)
    return rules.irfft(y, n=n, axes=(axis,), norm=_norm(name, norm))


# -- one axis -------------------------------------------------------------------------------------


@implements(np.fft.fft)
def fft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    return _complex("np.fft.fft", a, n, axis, norm, inverse=False)


@implements(np.fft.ifft)
def ifft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    return _complex("np.fft.ifft", a, n, axis, norm, inverse=True)


@implements(np.fft.rfft)
def rfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    return _from_real("np.fft.rfft", a, n, axis, norm)


@implements(np.fft.irfft)
def irfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    return _to_real("np.fft.irfft", a, n, axis, norm)


@implements(np.fft.hfft)
def hfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    """The transform of what has the conjugate of `a` for its mirror image."""
    name = "np.fft.hfft"
    return _to_real(name, np.conj(operand(a)), n, axis, rules.opposite(_norm(name, norm)))


@implements(np.fft.ihfft)
def ihfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    name = "np.fft.ihfft"
    return np.conj(_from_real(name, a, n, axis, rules.opposite(_norm(name, norm))))


# -- several axes ---------------------------------------------------------------------------------


def _places(name: str, x: Any, s: Any, axes: Any, *, halved: bool = False) -> Any:
    """How many points to transform along which axes.

    `halved` says that what is transformed along the last of them is half as long.
    """
    shape = shape_of(x)
    if s is not None and axes is None:
        warnings.warn(
            f"{name}: got s={s!r} without axes, which will be an error in NumPy; give the axes",
            DeprecationWarning,
            stacklevel=3,
        )
    if axes is None:
        axes = range(-(len(shape) if s is None else len(s)), 0)
    axes = [operator.index(axis) for axis in axes]
    for axis in axes:
        normalize_axis_index(axis, len(shape))
    if s is None:
        extents: list[Any] = [shape[axis] for axis in axes]
        if halved and extents:
            extents[-1] = 2 * (extents[-1] - 1)
        return extents, axes
    if len(s) != len(axes):
        raise ArgumentValueError(
            f"{name}: got s of {len(s)} extents for {len(axes)} axes, wanted one for each"
        )
    if None in list(s):
        warnings.warn(
            f"{name}: got s={s!r}; None in it will be an error in NumPy, write -1 for all of what "
            "is there",
            DeprecationWarning,
            stacklevel=3,
        )
    return [
        shape[axis] if each is not None and each == -1 else each
        for each, axis in zip(s, axes, strict=True)
    ], axes


def _complex_over(
    name: str, a: Any, places: tuple[Sequence[Any], Sequence[int]], norm: Any, inverse: bool
) -> Any:
    extents, axes = places
    shape = shape_of(a)
    if len(axes) > 1 and [shape[axis] for axis in axes] == [*extents]:
        last = tuple([axis % len(shape) - len(shape) for axis in axes])
        if len(set(last)) == len(last) and 0 not in extents:
            return rules.fft(a, axes=last, inverse=inverse, norm=_norm(name, norm))
    for n, axis in list(zip(extents, axes, strict=True))[::-1]:
        a = _complex(name, a, n, axis, norm, inverse=inverse)
    return a


_LAST_TWO = (-2, -1)


def _fftn(name: str, a: Any, s: Any, axes: Any, norm: Any, *, inverse: bool) -> Any:
    x = operand(a)
    return _complex_over(name, x, _places(name, x, s, axes), norm, inverse)


def _rfftn(name: str, a: Any, s: Any, axes: Any, norm: Any) -> Any:
    x = operand(a)
    (*extents, last), (*others, axis) = _places(name, x, s, axes)
    y = _from_real(name, x, last, axis, norm)
    return _complex_over(name, y, (extents, others), norm, inverse=False)


def _irfftn(name: str, a: Any, s: Any, axes: Any, norm: Any) -> Any:
    y = operand(a)
    (*extents, last), (*others, axis) = _places(name, y, s, axes, halved=True)
    y = _complex_over(name, y, (extents[::-1], others[::-1]), norm, inverse=True)
    return _to_real(name, y, last, axis, norm)


@implements(np.fft.fftn)
def fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    return _fftn("np.fft.fftn", a, s, axes, norm, inverse=False)


@implements(np.fft.ifftn)
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    return _fftn("np.fft.ifftn", a, s, axes, norm, inverse=True)


@implements(np.fft.fft2)
def fft2(a: Any, s: Any = None, axes: Any = _LAST_TWO, norm: Any = None) -> Any:
    return _fftn("np.fft.fft2", a, s, axes, norm, inverse=False)


@implements(np.fft.ifft2)
def ifft2(a: Any, s: Any = None, axes: Any = _LAST_TWO, norm: Any = None) -> Any:
    return _fftn("np.fft.ifft2", a, s, axes, norm, inverse=True)


@implements(np.fft.rfftn)
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    return _rfftn("np.fft.rfftn", a, s, axes, norm)


@implements(np.fft.rfft2)
def rfft2(a: Any, s: Any = None, axes: Any = _LAST_TWO, norm: Any = None) -> Any:
    return _rfftn("np.fft.rfft2", a, s, axes, norm)


@implements(np.fft.irfftn)
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None) -> Any:
    return _irfftn("np.fft.irfftn", a, s, axes, norm)


@implements(np.fft.irfft2)
def irfft2(a: Any, s: Any = None, axes: Any = _LAST_TWO, norm: Any = None) -> Any:
    return _irfftn("np.fft.irfft2", a, s, axes, norm)


# -- the order of frequencies ---------------------------------------------------------------------


def _shifted(x: Any, axes: Any, *, back: bool) -> Any:
    x = operand(x)
    shape = shape_of(x)
    if axes is None:
        axes = tuple(range(len(shape)))
    elif isinstance(axes, int | np.integer):
        axes = (axes,)
    steps = tuple(-(shape[axis] // 2) if back else shape[axis] // 2 for axis in axes)
    return np.roll(x, steps, tuple(axes))


@implements(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Any:
    """The frequency zero in the middle."""
    return _shifted(x, axes, back=False)


@implements(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Any:
    """The frequency zero in front again."""
    return _shifted(x, axes, back=True)


decide(np.fft, "fftfreq rfftfreq", Kind.PASSED, "they divide by the spacing")
