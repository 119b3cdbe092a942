"""Convolution over several axes, term by term."""

from __future__ import annotations

import math

import numpy as np
import scipy.signal

from pullback.core.linear import Linear
from pullback.core.shapes import shape_of
from pullback.core.structure import Access, Contraction, Index
from pullback.core.structure.arithmetic import summed
from pullback.core.structure.axes import in_front, listed
from pullback.core.structure.loops import along
from pullback.errors import ArgumentValueError
from pullback.rules.complex import conjugated
from pullback.rules.registration import rule

__all__ = ["convolution"]


def _terms(primitive, left, right, *, mode="full"):
    """Arrays of m and n elements along an axis make m + n − 1, or m − n + 1 without the edges."""
    if len(left) != len(right) or not math.prod(left) or not math.prod(right):
        raise ArgumentValueError(
            f"{primitive.name}: got arrays of the shapes {listed([left, right])}, wanted as many "
            "axes of each, and one or more elements"
        )
    rank = len(left)
    outer, inner = range(rank), range(rank, 2 * rank)
    if mode == "full":
        shape = tuple(m + n - 1 for m, n in zip(left, right, strict=True))
        whole = tuple(Index(0, ((i, 1), (k, 1))) for i, k in zip(outer, inner, strict=True))
        reads, result, extents = along(*outer), whole, left
    else:
        if any(m < n for m, n in zip(left, right, strict=True)):
            raise ArgumentValueError(
                f"{primitive.name}: got arrays of the shapes {listed([left, right])}, of which "
                "the first is to be as large as the second along each axis"
            )
        shape = extents = tuple(m - n + 1 for m, n in zip(left, right, strict=True))
        reads = tuple(
            Index(n - 1, ((i, 1), (k, -1))) for i, k, n in zip(outer, inner, right, strict=True)
        )
        result = along(*outer)
    v = Access(along(*inner), 1)
    return summed(shape, (*extents, *right), Access(reads), v, Access(result))


def _batch(primitive, size, mapped, values, params):
    """An axis more of the array that is mapped; if both are, a product with the windows of one."""
    if not all(mapped):
        a, v = (x if one else np.expand_dims(x, 0) for x, one in zip(values, mapped, strict=True))
        if params["mode"] == "valid" and mapped[1]:  # the first must be the larger one
            return np.flip(_windowed(in_front(values[0], size, mapped=False), v), ())
        return primitive(a, v, **params)
    a, v = values
    if params["mode"] == "full":
        edges = [(n - 1, n - 1) for n in shape_of(v)[1:]]
        a = np.pad(a, [(0, 0), *edges])
    return _windowed(a, v)


def _windowed(a, v):
    """The part without edges for each example, as one matrix product."""
    size, *extents = shape_of(v)
    axes = tuple(range(1, len(extents) + 1))
    windows = np.lib.stride_tricks.sliding_window_view(a, tuple(extents), axis=axes)
    shape = shape_of(windows)[1 : len(extents) + 1]
    count = math.prod(extents)
    rows = np.reshape(windows, (size, math.prod(shape), count))
    column = np.reshape(np.flip(v, axes), (size, count, 1))
    return np.reshape(rows @ column, (size, *shape))


def _convolution(a, v, *, mode):
    dtype = np.result_type(a, v)
    if dtype.char in "?e":  # which SciPy takes for vectors only
        wide = scipy.signal.convolve(a.astype(np.float32), v.astype(np.float32), mode, "direct")
        return wide.astype(dtype)
    if a.ndim == 1:
        return np.convolve(a, v, mode)  # as SciPy does after a few questions
    return scipy.signal.convolve(a, v, mode, "direct")


@rule(_convolution, Contraction(_terms, _batch))
def convolution(_c, a, v, *, mode):
    """cₖ = Σᵢ aᵢvₖ₋ᵢ, for all k where there are terms, or for those of which none is missing.

    ċ = ȧ∗v + a∗v̇. With ã the array reversed along each axis, and conjugated: where all k are kept,
    ā is the part of c̄∗ṽ, and v̄ that of c̄∗ã, without incomplete sums; where those without are left
    out, ā is all of c̄∗ṽ, and v̄ the part of ã∗c̄ without.
    """
    other = "valid" if mode == "full" else "full"

    def pull_v(c_bar):
        if mode == "full":
            return convolution(c_bar, _reversed(a), mode="valid")
        return convolution(_reversed(a), c_bar, mode="valid")

    return (
        Linear(
            lambda a_dot: convolution(a_dot, v, mode=mode),
            lambda c_bar: convolution(c_bar, _reversed(v), mode=other),
        ),
        Linear(lambda v_dot: convolution(a, v_dot, mode=mode), pull_v),
    )


def _reversed(x):
    return conjugated(np.flip(x))
