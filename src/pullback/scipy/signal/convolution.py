"""Convolutions and correlations, term by term or by transforms, as SciPy chooses.

One term by term is a primitive; one by transforms is a product of spectra, so that its derivatives
are transforms too.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import ArgumentValueError
from pullback.numpy.conversion import convert, double
from pullback.numpy.operands import operand
from pullback.rules.convolution import convolution
from pullback.scipy.first_step import serves
from pullback.transforms.arguments import describe

__all__ = ["convolve", "correlate", "fftconvolve"]

_MODES = ("full", "same", "valid")


def _pair(name: str, in1: Any, in2: Any, mode: Any) -> tuple[Any, Any]:
    """Both arguments as arrays, which have as many axes as each other."""
    a, v = operand(in1), operand(in2)
    if len(shape_of(a)) != len(shape_of(v)):
        raise ArgumentValueError(
            f"scipy.signal.{name}: got in1 of shape {shape_of(a)} and in2 of shape {shape_of(v)}, "
            "wanted as many axes of each"
        )
    if mode not in _MODES:
        raise ArgumentValueError(
            f'scipy.signal.{name}: mode is {mode!r}, wanted "full", "same" or "valid"'
        )
    return a, v


def _is_smaller(name: str, a: Any, v: Any, axes: Sequence[int] | None = None) -> bool:
    """Whether, where there are to be no edges, the first of two arrays lies within the second."""
    pairs = list(zip(shape_of(a), shape_of(v), strict=True))
    pairs = pairs if axes is None else [pairs[axis] for axis in axes]
    if all(m >= n for m, n in pairs):
        return False
    if all(m <= n for m, n in pairs):
        return True
    raise ArgumentValueError(
        f"scipy.signal.{name}: got in1 of shape {shape_of(a)} and in2 of shape {shape_of(v)}; for "
        'mode "valid" one of them must be at least as large as the other along every axis'
    )


def _centred(x: Any, extents: Sequence[int], *, late: bool = False) -> Any:
    """The middle of an array; if there is none, the part that begins earlier, or later."""
    starts = [(m - n + late) // 2 for m, n in zip(shape_of(x), extents, strict=True)]
    return x[tuple(slice(i, i + n) for i, n in zip(starts, extents, strict=True))]


def _reversed(x: Any) -> Any:
    return np.conj(np.flip(operand(x)))


# -- by transforms --------------------------------------------------------------------------------


@serves(scipy.signal.fftconvolve)
def fftconvolve(in1: Any, in2: Any, mode: Any = "full", axes: Any = None) -> Any:
    """The convolution as a product of spectra."""
    a, v = _pair("fftconvolve", in1, in2, mode)
    rank = len(shape_of(a))
    if not rank:
        return a * v
    if 0 in (*shape_of(a), *shape_of(v)):
        return np.asarray([])
    places = _transformed_axes(a, v, axes)
    if mode == "valid" and _is_smaller("fftconvolve", a, v, places):
        a, v = v, a
    first, second = shape_of(a), shape_of(v)
    shape = [
        m + n - 1 if axis in places else max(m, n)
        for axis, (m, n) in enumerate(zip(first, second, strict=True))
    ]
    whole = _by_transforms(a, v, places, shape)
    if mode == "full":
        return whole
    if mode == "same":
        return _centred(whole, first)
    return _centred(
        whole,
        [
            first[axis] - second[axis] + 1 if axis in places else extent
            for axis, extent in enumerate(shape_of(whole))
        ],
    )


def _transformed_axes(a: Any, v: Any, axes: Any) -> list[int]:
    """The axes along which both have more than one element, of those that are asked for."""
    first, second = shape_of(a), shape_of(v)
    rank = len(first)
    if axes is not None:
        axes = np.atleast_1d(axes).tolist()
        if not axes:
            raise ArgumentValueError("scipy.signal.fftconvolve: got no axes, wanted one or more")
    asked = [np.arange(rank)[axis] for axis in (range(rank) if axes is None else axes)]
    if len(set(asked)) < len(asked):
        raise ArgumentValueError(f"scipy.signal.fftconvolve: got the axes {axes} more than once")
    places = [int(axis) for axis in asked if first[axis] != 1 and second[axis] != 1]
    for axis in range(rank):
        if (
            axis not in places
            and 1 not in (first[axis], second[axis])
            and (first[axis] != second[axis])
        ):
            raise ArgumentValueError(
                f"scipy.signal.fftconvolve: got in1 of shape {first} and in2 of shape {second}, "
                f"whose extents along axis {axis}, which is not among the axes, must be equal or 1"
            )
    return places


def _by_transforms(a: Any, v: Any, axes: Sequence[int], shape: Sequence[int]) -> Any:
    if not axes:
        return a * v
    a, v = (double(x) if dtype_of(x).kind in "biu" else x for x in (a, v))
    is_complex = "c" in (dtype_of(a).kind, dtype_of(v).kind)
    extents = [scipy.fft.next_fast_len(shape[axis], not is_complex) for axis in axes]
    if is_complex:
        forward, back = scipy.fft.fftn, scipy.fft.ifftn
    else:
        forward, back = scipy.fft.rfftn, scipy.fft.irfftn
    spectrum = forward(a, extents, axes=axes) * forward(v, extents, axes=axes)
    return back(spectrum, extents, axes=axes)[tuple(map(slice, shape))]


# -- as SciPy chooses -----------------------------------------------------------------------------


@functools.lru_cache
def _method_for(
    first: tuple[int, ...], second: tuple[int, ...], dtypes: tuple[Any, Any], mode: str
) -> Any:
    """SciPy's choice for numbers that aren't integers, which it doesn't look at."""
    pair = [np.broadcast_to(d.type(0), n) for n, d in zip((first, second), dtypes, strict=True)]
    return scipy.signal.choose_conv_method(*pair, mode)


def _stand_in(x: Any) -> Any:
    """An array of which size and dtype are those of a traced one; of integers the largest too."""
    if type(x) is not Tracer:
        return x
    top = np.zeros((), x.dtype)
    if x.dtype.kind in "iu" and known(x) and 0 not in x.shape:
        top = np.max(np.abs(strip(x))).astype(x.dtype)
    return np.ndarray(x.shape, x.dtype, top, 0, (0,) * len(x.shape))


@serves(scipy.signal.choose_conv_method)
def choose_conv_method(in1: Any, in2: Any, mode: Any = "full", measure: bool = False) -> Any:
    """A decision on sizes and dtypes, for traced arrays as for any others."""
    in1, in2 = operand(in1), operand(in2)
    dtypes = dtype_of(in1), dtype_of(in2)
    if not measure and dtypes[0].kind in "fc" and dtypes[1].kind in "fc":
        return _method_for(shape_of(in1), shape_of(in2), dtypes, mode)
    return scipy.signal.choose_conv_method(_stand_in(in1), _stand_in(in2), mode, measure)


@serves(scipy.signal.convolve)
def convolve(in1: Any, in2: Any, mode: Any = "full", method: Any = "auto") -> Any:
    """The convolution by the method that is asked for, or is the faster one."""
    return _convolved("convolve", *_pair("convolve", in1, in2, mode), mode, method)


@serves(scipy.signal.correlate)
def correlate(in1: Any, in2: Any, mode: Any = "full", method: Any = "auto") -> Any:
    """The convolution with in2 reversed, and conjugated."""
    a, v = _pair("correlate", in1, in2, mode)
    return _convolved("correlate", a, _reversed(v), mode, method)


def _convolved(name: str, a: Any, v: Any, mode: str, method: Any) -> Any:
    if not shape_of(a):
        return a * v
    if mode == "valid" and _is_smaller(name, a, v):
        a, v = v, a
    if method == "auto":
        method = choose_conv_method(a, v, mode)
    if method == "fft":
        out = fftconvolve(a, v, mode)
        _warn_of_no_numbers(out)
        return convert(out, np.result_type(dtype_of(a), dtype_of(v)))
    if method != "direct":
        raise ArgumentValueError(
            f'scipy.signal.{name}: method is {method!r}, wanted "auto", "direct" or "fft"'
        )
    if 0 in (*shape_of(a), *shape_of(v)):
        raise ArgumentValueError(
            f"scipy.signal.{name}: in1 is {describe(a)}, in2 {describe(v)}, wanted one element "
            "or more of each"
        )
    if mode == "valid":
        return convolution(a, v, mode=mode)
    whole = convolution(a, v, mode="full")
    return _centred(whole, shape_of(a)) if mode == "same" else whole


def _warn_of_no_numbers(x: Any) -> None:
    if known(x) and 0 not in shape_of(x) and not np.isfinite(strip(x).flat[0]):
        warnings.warn(
            "scipy.signal.convolve: in1 or in2 has elements that are infinite or not a number, "
            'and with method="fft" all of the result is; use method="direct"',
            RuntimeWarning,
            stacklevel=4,
        )


# -- images ---------------------------------------------------------------------------------------

_BOUNDARIES: dict[str, Any] = {
    "fill": "constant",
    "pad": "constant",
    "wrap": "wrap",
    "circular": "wrap",
    "symm": "symmetric",
    "symmetric": "symmetric",
}


_CONJUGATE = complex(scipy.signal.correlate2d([[1j]], [[1, 1]], "valid")[0, 0]) == -1j
"""Whether SciPy's correlation within the second matrix is the conjugate of what it should be."""


def _image(name: str, a: Any, v: Any, mode: str, boundary: Any, fill: Any) -> Any:
    """The convolution of two matrices, with something beyond the edges of the first."""
    if boundary not in _BOUNDARIES:
        raise ArgumentValueError(
            f'scipy.signal.{name}: boundary is {boundary!r}, wanted "fill", "wrap" or "symm"'
        )
    if mode == "valid":
        return convolution(a, v, mode=mode)
    padding = _BOUNDARIES[boundary]
    if padding == "constant" and not isinstance(fill, Tracer) and not fill:
        whole = convolution(a, v, mode="full")
    else:
        values: dict[str, Any] = {"constant_values": fill} if padding == "constant" else {}
        edges = [(n - 1, n - 1) for n in shape_of(v)]
        whole = convolution(np.pad(a, edges, padding, **values), v, mode="valid")
    if mode == "same":
        return _centred(whole, shape_of(a), late=name == "correlate2d")
    return whole


def _images(name: str, in1: Any, in2: Any, mode: Any) -> tuple[Any, Any]:
    a, v = _pair(name, in1, in2, mode)
    if len(shape_of(a)) != 2:
        raise ArgumentValueError(
            f"scipy.signal.{name}: in1 is {describe(a)}, wanted an array of two axes"
        )
    return a, v


@serves(scipy.signal.convolve2d)
def convolve2d(
    in1: Any, in2: Any, mode: Any = "full", boundary: Any = "fill", fillvalue: Any = 0
) -> Any:
    a, v = _images("convolve2d", in1, in2, mode)
    if mode == "valid" and _is_smaller("convolve2d", a, v):
        a, v = v, a
    return _image("convolve2d", a, v, mode, boundary, fillvalue)


@serves(scipy.signal.correlate2d)
def correlate2d(
    in1: Any, in2: Any, mode: Any = "full", boundary: Any = "fill", fillvalue: Any = 0
) -> Any:
    a, v = _images("correlate2d", in1, in2, mode)
    v = _reversed(v)
    if mode == "valid" and _is_smaller("correlate2d", a, v):
        out = _image("correlate2d", v, a, mode, boundary, fillvalue)
        return np.conj(out) if _CONJUGATE else out
    return _image("correlate2d", a, v, mode, boundary, fillvalue)
