"""Filters between which elements are put in or left out, and filters by rank."""

from __future__ import annotations

import math
import operator
import warnings
from typing import Any

import numpy as np
import scipy.signal
from numpy.lib.array_utils import normalize_axis_index

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import Tracer
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.conversion import convert, inexact
from pullback.numpy.operands import operand, refuse, require_known
from pullback.rules.convolution import convolution
from pullback.rules.shaping import concatenate
from pullback.scipy.first_step import serves
from pullback.scipy.signal.filtering import coefficients
from pullback.transforms.arguments import describe

__all__ = ["ranked"]


# -- between elements -----------------------------------------------------------------------------

_EXTENSIONS: dict[str, Any] = {
    "constant": "constant",
    "symmetric": "symmetric",
    "reflect": "reflect",
    "edge": "edge",
    "wrap": "wrap",
    "periodic": "wrap",
}


@serves(scipy.signal.upfirdn)
def upfirdn(
    h: Any,
    x: Any,
    up: Any = 1,
    down: Any = 1,
    axis: Any = -1,
    mode: Any = "constant",
    cval: Any = 0,
) -> Any:
    """Every `down`-th element of the convolution of h with x, between whose elements are zeros."""
    h, x = coefficients("upfirdn", "h", h), operand(x)
    up, down = (operator.index(require_known("upfirdn", "up and down", n)) for n in (up, down))
    if up < 1 or down < 1:
        raise ArgumentValueError(f"scipy.signal.upfirdn: got up={up} and down={down}, wanted ≥ 1")
    if mode not in _EXTENSIONS:
        refuse("scipy.signal.upfirdn", "mode", mode, f"use one of {sorted(_EXTENSIONS)}")
    dtype = np.result_type(dtype_of(h), dtype_of(x), np.float32)
    h, x = convert(h, dtype), convert(x, dtype)
    axis = normalize_axis_index(axis, len(shape_of(x)))
    taps, n = shape_of(h)[0], shape_of(x)[axis]
    count = ((n - 1) * up + taps - 1) // down + 1
    edge = 0
    if mode != "constant" or isinstance(cval, Tracer) or cval:
        edge = -(-(taps - 1) // up)
        widths = [(edge * (i == axis),) * 2 for i in range(len(shape_of(x)))]
        values: dict[str, Any] = {"constant_values": cval} if mode == "constant" else {}
        x = np.pad(x, widths, _EXTENSIONS[mode], **values)
    x = _spread(np.moveaxis(x, axis, -1), up)
    whole = _full(x, h)[..., edge * up :]
    missing = (count - 1) * down + 1 - shape_of(whole)[-1]
    if missing > 0:
        edges = np.zeros((*shape_of(whole)[:-1], missing), dtype)
        whole = concatenate(whole, edges, axis=-1)
    return np.moveaxis(whole[..., : (count - 1) * down + 1 : down], -1, axis)


def _full(x: Any, h: Any) -> Any:
    return convolution(x, np.reshape(h, (1,) * (len(shape_of(x)) - 1) + (-1,)), mode="full")


def _spread(x: Any, up: int) -> Any:
    """Zeros between the elements along the last axis."""
    if up == 1:
        return x
    *lead, n = shape_of(x)
    zeros = np.zeros((*lead, n, up - 1), dtype_of(x))
    rows = concatenate(np.expand_dims(x, -1), zeros, axis=-1)
    return np.reshape(rows, (*lead, n * up))[..., : (n - 1) * up + 1]


# -- by rank --------------------------------------------------------------------------------------


def ranked(x: Any, domain: Any, rank: int) -> Any:
    """For each element the one of this rank among those around it; beyond the edges are zeros."""
    padded = np.pad(x, [(n // 2, n // 2) for n in domain.shape])
    windows = np.lib.stride_tricks.sliding_window_view(padded, domain.shape)
    lead = shape_of(x)
    rows = np.reshape(windows, (*lead, domain.size))[..., np.flatnonzero(domain)]
    return np.sort(rows, axis=-1)[..., rank]


def _require_precision(name: str, x: Any) -> Any:
    x = inexact(operand(x))
    if dtype_of(x) not in (np.float32, np.float64):
        raise ArgumentTypeError(
            f"scipy.signal.{name}: got {describe(x)}, wanted single or double precision"
        )
    return x


def _sizes(name: str, kernel_size: Any, rank: int) -> list[int]:
    given = require_known(name, "kernel_size", 3 if kernel_size is None else kernel_size)
    sizes = [int(n) for n in np.broadcast_to(np.asarray(given), (rank,))]
    if any(n % 2 != 1 for n in sizes):
        raise ArgumentValueError(
            f"scipy.signal.{name}: kernel_size is {kernel_size}, wanted odd numbers"
        )
    return sizes


@serves(scipy.signal.medfilt)
def medfilt(volume: Any, kernel_size: Any = None) -> Any:
    """The median of the elements around each."""
    x = np.atleast_1d(_require_precision("medfilt", volume))
    sizes = _sizes("medfilt", kernel_size, len(shape_of(x)))
    if any(n > extent for n, extent in zip(sizes, shape_of(x), strict=True)):
        warnings.warn(
            f"scipy.signal.medfilt: kernel_size {tuple(sizes)} exceeds the shape {shape_of(x)}; "
            "beyond the edges are zeros",
            stacklevel=2,
        )
    return ranked(x, np.ones(sizes, bool), math.prod(sizes) // 2)


@serves(scipy.signal.medfilt2d)
def medfilt2d(input: Any, kernel_size: Any = 3) -> Any:
    """The median of the elements around each, of a matrix."""
    x = _require_precision("medfilt2d", input)
    sizes = _sizes("medfilt2d", kernel_size, 2)
    return ranked(x, np.ones(sizes, bool), math.prod(sizes) // 2)


@serves(scipy.signal.order_filter)
def order_filter(a: Any, domain: Any, rank: Any) -> Any:
    """The element of a rank among those around each that the domain marks."""
    x = _require_precision("order_filter", a)
    domain = np.asarray(require_known("order_filter", "domain", domain))
    if any(n % 2 != 1 for n in domain.shape) or domain.ndim != len(shape_of(x)):
        raise ArgumentValueError(
            f"scipy.signal.order_filter: domain has the shape {domain.shape}, wanted odd extents "
            f"along each of the axes of an array of shape {shape_of(x)}"
        )
    return ranked(x, domain, operator.index(rank))
