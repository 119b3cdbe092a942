"""Matrices that are made of few numbers, under SciPy's names. All are linear, but for quotients."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from pullback.core.shapes import dtype_of, shape_of
from pullback.core.tracing import known, strip
from pullback.errors import ArgumentValueError
from pullback.numpy.operands import operand
from pullback.rules.banded import toeplitz_matrix
from pullback.rules.shaping import reshape
from pullback.scipy.first_step import serves
from pullback.scipy.linalg.arguments import fixed

__all__ = ["block_diag", "circulant", "toeplitz"]


def _line(x: Any) -> Any:
    """At least one axis."""
    x = operand(x)
    return x if len(shape_of(x)) else reshape(x, shape=(1,))


@serves(scipy.linalg.toeplitz)
def toeplitz(c: Any, r: Any = None) -> Any:
    c = _line(c)
    return toeplitz_matrix(c, np.conj(c) if r is None else _line(r))


@serves(scipy.linalg.hankel)
def hankel(c: Any, r: Any = None) -> Any:
    c = reshape(_line(c), shape=(-1,))
    r = np.zeros_like(c) if r is None else reshape(_line(r), shape=(-1,))
    rows, columns = shape_of(c)[0], shape_of(r)[0]
    numbers = np.concatenate([c, r[1:]])
    return numbers[np.arange(rows)[:, None] + np.arange(columns)]


@serves(scipy.linalg.circulant)
def circulant(c: Any) -> Any:
    c = _line(c)
    n = shape_of(c)[-1]
    return c[..., (np.arange(n)[:, None] - np.arange(n)) % max(n, 1)]


@serves(scipy.linalg.companion)
def companion(a: Any) -> Any:
    a = _line(a)
    n = shape_of(a)[-1]
    if n < 2:
        raise ValueError("The length of `a` along the last axis must be at least 2.")
    _require_leading(a, "The first coefficient(s) of `a` (i.e. elements of `a[..., 0]`)")
    first = -a[..., 1:] / (1.0 * a[..., 0:1])
    below = np.broadcast_to(
        np.eye(n - 2, n - 1, dtype=dtype_of(first)), (*shape_of(a)[:-1], n - 2, n - 1)
    )
    return np.concatenate([first[..., None, :], below], axis=-2)


def _require_leading(a: Any, what: str) -> None:
    if known(a) and np.any(np.equal(strip(a)[..., 0], 0)):
        raise ValueError(f"{what} must not be zero.")


@serves(scipy.linalg.leslie)
def leslie(f: Any, s: Any) -> Any:
    f, s = _line(f), _line(s)
    n = shape_of(f)[-1]
    if n != shape_of(s)[-1] + 1 or n < 2:
        raise ArgumentValueError(
            f"scipy.linalg.leslie: got f of shape {shape_of(f)} and s of shape {shape_of(s)}, "
            "wanted at least one number in s and one more in f"
        )
    lead = np.broadcast_shapes(shape_of(f)[:-1], shape_of(s)[:-1])
    first = np.broadcast_to(f, (*lead, n))[..., None, :]
    kept = np.eye(n - 1, n, dtype=dtype_of(s)) * np.broadcast_to(s, (*lead, n - 1))[..., :, None]
    return np.concatenate([first, kept], axis=-2)


@serves(scipy.linalg.fiedler)
def fiedler(a: Any) -> Any:
    a = _line(a)
    if not shape_of(a)[-1]:
        return np.asarray([], float)
    return np.abs(a[..., :, None] - a[..., None, :])


@serves(scipy.linalg.fiedler_companion)
def fiedler_companion(a: Any) -> Any:
    a = _line(a)
    count = shape_of(a)[-1]
    _require_leading(a, "Leading coefficient")
    if count < 2:
        return np.zeros_like(a, shape=(*shape_of(a)[:-1], 0))
    a = a / a[..., :1]
    if count == 2:
        return -a[..., -1:, None]
    n = count - 1
    ones, places = np.zeros((n, n)), np.zeros((n, n), int)
    ones[range(3, n, 2), range(1, n - 2, 2)] = 1
    places[range(2, n, 2), range(1, n - 1, 2)] = range(3, count, 2)
    ones[range(0, n - 2, 2), range(2, n, 2)] = 1
    places[range(0, n - 1, 2), range(1, n, 2)] = range(2, count, 2)
    places[0, 0], ones[1, 0] = 1, 1
    return np.where(places > 0, -a[..., places], ones.astype(dtype_of(a)))


@serves(scipy.linalg.convolution_matrix)
def convolution_matrix(a: Any, n: int, mode: str = "full") -> Any:
    a, n = _line(a), fixed(n, "scipy.linalg.convolution_matrix", "n")
    length = shape_of(a)[-1]
    if n <= 0:
        raise ValueError("n must be a positive integer.")
    if not length:
        raise ValueError("len(a) must be at least 1.")
    if mode not in ("full", "valid", "same"):
        raise ValueError("'mode' argument must be one of ('full', 'valid', 'same')")
    places = np.arange(length + n - 1)[:, None] - np.arange(n)
    trim = min(n, length) - 1
    first = {"full": 0, "same": trim // 2, "valid": trim}[mode]
    last = {"full": 0, "same": trim - trim // 2, "valid": trim}[mode]
    places = places[first : len(places) - last]
    inside = (places >= 0) & (places < length)
    found = a[..., np.where(inside, places, 0)]
    return np.where(inside, found, np.zeros((), dtype_of(a)))


@serves(scipy.linalg.khatri_rao)
def khatri_rao(a: Any, b: Any) -> Any:
    a, b = operand(a), operand(b)
    if len(shape_of(a)) < 2 or len(shape_of(b)) < 2 or shape_of(a)[-1] != shape_of(b)[-1]:
        raise ArgumentValueError(
            f"scipy.linalg.khatri_rao: got arrays of shapes {shape_of(a)} and {shape_of(b)}, "
            "wanted matrices with the same number of columns"
        )
    product = a[..., :, None, :] * b[..., None, :, :]
    lead, (rows, more, columns) = shape_of(product)[:-3], shape_of(product)[-3:]
    return reshape(product, shape=(*lead, rows * more, columns))


@serves(scipy.linalg.block_diag)
def block_diag(*arrs: Any) -> Any:
    blocks = [operand(each) for each in arrs]
    blocks = [x if len(shape_of(x)) > 1 else reshape(x, shape=(1, -1)) for x in blocks]
    lead = np.broadcast_shapes(*(shape_of(x)[:-2] for x in blocks))
    dtype = np.result_type(*map(dtype_of, blocks))
    widths = [shape_of(x)[-1] for x in blocks]
    rows, before = [], 0
    for block, width in zip(blocks, widths, strict=True):
        height = shape_of(block)[-2]
        block = np.broadcast_to(block, (*lead, height, width))
        left = np.zeros((*lead, height, before), dtype)
        right = np.zeros((*lead, height, sum(widths) - before - width), dtype)
        rows.append(np.concatenate([left, block, right], axis=-1))
        before += width
    return np.concatenate(rows, axis=-2)


@serves(scipy.linalg.diagsvd)
def diagsvd(s: Any, M: int, N: int) -> Any:
    s = _line(s)
    n = shape_of(s)[-1]
    if n not in (M, N):
        raise ValueError("Length of s must be M or N.")
    rows, columns = np.arange(M)[:, None], np.arange(N)
    return np.where(rows == columns, s[..., np.minimum(rows, n - 1)], np.zeros((), dtype_of(s)))


if hasattr(scipy.linalg, "kron"):  # older releases have NumPy's functions under their own names
    serves(scipy.linalg.kron)(np.kron)
