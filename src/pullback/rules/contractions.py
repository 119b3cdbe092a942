"""Contractions: products that sum over shared axes.

Matrix multiplication is the primitive. Inner, outer, dot and tensor products, and einsum, are
compositions of it with shaping (see `pullback.numpy.contractions`). Convolution is a contraction
with a matrix that is better not written down.
"""

from __future__ import annotations

import math

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import shape_of
from pullback.core.structure import Access, Contraction, Index
from pullback.core.structure.arithmetic import summed
from pullback.core.structure.axes import common, in_front, rank_of, stretch
from pullback.core.structure.loops import along, broadcast
from pullback.errors import ArgumentValueError
from pullback.rules.complex import adjoint, conjugated
from pullback.rules.registration import rule

__all__ = ["convolve", "matmul"]


def _matmul_terms(primitive, left, right):
    """Matrices over the last two axes; a vector loses its axis, leading axes are broadcast."""
    if left[-1] != right[max(len(right) - 2, 0)]:
        raise ArgumentValueError(
            f"{primitive.name}: arguments of the shapes {left} and {right} cannot be multiplied: "
            "the last extent of the first must be that of the second along its last axis but one"
        )
    lead = common(primitive, [left[:-2], right[:-2]])
    rows, columns = left[-2:-1], right[-1:] if len(right) > 1 else ()
    shape = lead + rows + columns
    rank, batch = len(shape), len(lead)
    row, column = along(*range(batch, batch + len(rows))), along(*range(rank - len(columns), rank))
    inner = along(rank)
    a = (*broadcast(left[:-2], batch).indices, *row, *inner)
    b = (*broadcast(right[:-2], batch).indices, *inner, *column)
    result = Access(along(*range(rank)))
    return summed(shape, (*shape, left[-1]), Access(a), Access(b, 1), result)


def _matmul_batch(primitive, _size, mapped, values, _params):
    (a, b), (a_mapped, b_mapped) = values, mapped
    rank_a, rank_b = rank_of(a) - a_mapped, rank_of(b) - b_mapped
    if not b_mapped and rank_b <= 2:
        return primitive(a, b) if rank_a <= 1 or rank_b == 1 else _tall(primitive, a, b)
    if not a_mapped and rank_a == 2 and rank_b == 1:
        return primitive(b, a.T)
    # Vectors become matrices, whose extra axis is dropped from the product.
    a = np.expand_dims(a, -2) if rank_a == 1 else a
    b = np.expand_dims(b, -1) if rank_b == 1 else b
    rank = max(rank_a, rank_b, 2)
    c = primitive(stretch(a, rank) if a_mapped else a, stretch(b, rank) if b_mapped else b)
    gone = ((-2,) if rank_a == 1 else ()) + ((-1,) if rank_b == 1 else ())
    return np.squeeze(c, gone) if gone else c


def _tall(primitive, a, b):
    """A batch of matrices times one matrix: one product of the matrices on top of each other."""
    *lead, rows, inner = shape_of(a)
    c = primitive(np.reshape(a, (math.prod(lead) * rows, inner)), b)
    return np.reshape(c, (*lead, rows, shape_of(b)[1]))


@rule(np.matmul, Contraction(_matmul_terms, _matmul_batch))
def matmul(_c, a, b):
    """C = AB: Ċ = ȦB + AḂ, Ā = C̄Bᵀ, B̄ = AᵀC̄ (conjugate transposes where complex).

    A vector is a row on the left and a column on the right, and loses that axis in the result.
    Leading axes are batches and broadcast; the engine sums over those that an argument lacks.
    """
    if a.ndim == b.ndim == 2:
        pull_a, pull_b = _matrix_matrix(a, b)
    elif b.ndim == 1:
        pull_a, pull_b = _dot(a, b) if a.ndim == 1 else _matrix_vector(a, b)
    elif a.ndim == 1:
        pull_a, pull_b = _vector_matrix(a, b)
    else:
        pull_a, pull_b = _batched(a, b)
    return Linear(lambda a_dot: a_dot @ b, pull_a), Linear(lambda b_dot: a @ b_dot, pull_b)


def _matrix_matrix(a, b):
    return lambda c_bar: c_bar @ adjoint(b), lambda c_bar: adjoint(a) @ c_bar


def _dot(a, b):
    """c = Σ aᵢbᵢ."""
    return lambda c_bar: c_bar * conjugated(b), lambda c_bar: conjugated(a) * c_bar


def _matrix_vector(a, b):
    """c…ᵢ = Σⱼ a…ᵢⱼ bⱼ: Ā = c̄ bᵀ, b̄ = Aᵀc̄ summed over the batch, which is one product."""

    def pull_b(c_bar):
        return np.reshape(c_bar, (-1,)) @ conjugated(_rows(a))

    return lambda c_bar: c_bar[..., None] * conjugated(b), pull_b


def _vector_matrix(a, b):
    """c…ⱼ = Σᵢ aᵢ b…ᵢⱼ: ā = B c̄, B̄ = a c̄ᵀ."""

    def pull_a(c_bar):
        if b.ndim == 2:
            return conjugated(b) @ c_bar
        return (conjugated(b) @ c_bar[..., None])[..., 0]

    return pull_a, lambda c_bar: conjugated(a)[:, None] * c_bar[..., None, :]


def _batched(a, b):
    """One of the factors has batch axes.

    A factor that is a single matrix takes its cotangent from one product over the whole batch,
    rather than from a batch of products that is summed afterwards.
    """

    def pull_a(c_bar):
        if a.ndim > 2:
            return c_bar @ adjoint(b)
        return _columns(c_bar) @ conjugated(_columns(b)).T

    def pull_b(c_bar):
        if b.ndim > 2:
            return adjoint(a) @ c_bar
        return conjugated(_rows(a)).T @ _rows(c_bar)

    return pull_a, pull_b


def _rows(a):
    """The matrices of a batch on top of each other."""
    *batch, columns = a.shape
    return np.reshape(a, (math.prod(batch), columns))


def _columns(a):
    """The matrices of a batch next to each other."""
    rows, *batch = (a := np.moveaxis(a, -2, 0)).shape
    return np.reshape(a, (rows, math.prod(batch)))


# -- convolution ----------------------------------------------------------------------------------


def _convolve_terms(primitive, left, right):
    """Vectors of m and n elements, which make one of m + n − 1."""
    (m,), (n,) = left or (1,), right or (1,)
    if not m or not n:
        raise ArgumentValueError(
            f"{primitive.name}: got vectors of {m} and {n} elements, wanted one or more of each"
        )
    v = Access(along(1) if right else (), 1)
    result = Access((Index(0, ((0, 1), (1, 1))),))
    return summed((m + n - 1,), (m, n), Access(along(0) if left else ()), v, result)


def _convolve_batch(_primitive, size, mapped, values, _params):
    """One matrix product: the windows of one factor, padded with zeros, times the other."""
    a, v = (in_front(x, size, mapped=one) for x, one in zip(values, mapped, strict=True))
    m, n = shape_of(a)[1], shape_of(v)[1]
    padded = np.pad(a, ((0, 0), (n - 1, n - 1)))
    windows = padded[:, np.arange(m + n - 1)[:, None] + np.arange(n)]
    return np.squeeze(windows @ np.expand_dims(np.flip(v, 1), -1), -1)


@rule(np.convolve, Contraction(_convolve_terms, _convolve_batch))
def convolve(_c, a, v):
    """cₖ = Σᵢ aᵢvₖ₋ᵢ for all k where there are terms: ċ = ȧ∗v + a∗v̇, and āᵢ = Σₖ c̄ₖvₖ₋ᵢ.

    The pullback is the convolution with the other factor reversed (and conjugated), of which the
    part without incomplete overlap is taken.
    """
    return (
        Linear(lambda a_dot: convolve(a_dot, v), lambda c_bar: _correlated(c_bar, v, a.shape[0])),
        Linear(lambda v_dot: convolve(a, v_dot), lambda c_bar: _correlated(c_bar, a, v.shape[0])),
    )


def _correlated(c_bar, v, count):
    start = v.shape[0] - 1
    return convolve(c_bar, conjugated(v[::-1]))[start : start + count]
