"""Contractions: products that sum over shared axes.

Matrix multiplication is the primitive. Inner, outer, dot and tensor products, and einsum, are
compositions of it with shaping (see `pullback.numpy.contractions`). Convolution is a contraction
with a matrix that is better not written down.
"""

from __future__ import annotations

import math

import numpy as np

from pullback.core.linear import Linear
from pullback.rules.registration import rule

__all__ = ["convolve", "matmul"]


@rule(np.matmul)
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


def _conjugate(a):
    return np.conj(a) if a.dtype.kind == "c" else a


def _adjoint(a):
    """The (conjugate) transpose over the last two axes."""
    a = a.mT
    return np.conj(a) if a.dtype.kind == "c" else a


def _matrix_matrix(a, b):
    return lambda c_bar: c_bar @ _adjoint(b), lambda c_bar: _adjoint(a) @ c_bar


def _dot(a, b):
    """c = Σ aᵢbᵢ."""
    return lambda c_bar: c_bar * _conjugate(b), lambda c_bar: _conjugate(a) * c_bar


def _matrix_vector(a, b):
    """c…ᵢ = Σⱼ a…ᵢⱼ bⱼ: Ā = c̄ bᵀ, b̄ = Aᵀc̄ summed over the batch, which is one product."""

    def pull_b(c_bar):
        return np.reshape(c_bar, (-1,)) @ _conjugate(_rows(a))

    return lambda c_bar: c_bar[..., None] * _conjugate(b), pull_b


def _vector_matrix(a, b):
    """c…ⱼ = Σᵢ aᵢ b…ᵢⱼ: ā = B c̄, B̄ = a c̄ᵀ."""

    def pull_a(c_bar):
        return (_conjugate(b) @ c_bar[..., None])[..., 0]

    return pull_a, lambda c_bar: _conjugate(a)[:, None] * c_bar[..., None, :]


def _batched(a, b):
    """One of the factors has batch axes.

    A factor that is a single matrix takes its cotangent from one product over the whole batch,
    rather than from a batch of products that is summed afterwards.
    """

    def pull_a(c_bar):
        if a.ndim > 2:
            return c_bar @ _adjoint(b)
        return _columns(c_bar) @ _conjugate(_columns(b)).T

    def pull_b(c_bar):
        if b.ndim > 2:
            return _adjoint(a) @ c_bar
        return _conjugate(_rows(a)).T @ _rows(c_bar)

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


@rule(np.convolve)
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
    return convolve(c_bar, _conjugate(v[::-1]))[start : start + count]
