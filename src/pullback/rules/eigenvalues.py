"""Eigenvalues and vectors of matrices that need not be Hermitian.

Eigenvalues that are simple are differentiable, and so are their vectors in the normalisation of
LAPACK's ``geev``, of length 1 and with a real number in the place that has the largest modulus.
Where two places share it, the phase jumps between neighbouring matrices: there, what depends on the
phase is refused. Of equal eigenvalues a function that treats them alike has a derivative, if there
are as many vectors; all else is refused. Tangents of what is refused are NaN, and so it is, in
either direction, in bodies that are recorded before elements are known.

Source: M. Giles, *An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation*, Oxford 2008, section 3.1; for the condition of an eigenvalue, by which
equal ones are recognised, G. H. Golub and C. F. Van Loan, *Matrix Computations*, 4th edition, 2013,
section 7.2.
"""

from __future__ import annotations

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.structure import rowwise
from pullback.core.tracing import known, strip
from pullback.errors import ArgumentValueError
from pullback.rules.complex import adjoint
from pullback.rules.linalg import inv, solve
from pullback.rules.registration import rule
from pullback.rules.shaping import diagonal, embed_diagonal

__all__ = ["eig"]


def _eig(a):
    w, v = np.linalg.eig(a)
    wide = np.result_type(w.dtype, np.complex64)
    return w.astype(wide), v.astype(wide)


def _undetermined(what, remedy):
    return ArgumentValueError(
        f"np.linalg.eig: the derivative is asked for of {what}; {remedy}, or a function of the "
        "matrix that needs no eigenvectors (trace, det, inv, solve, scipy.linalg.expm)"
    )


def _equal_ones():
    return _undetermined(
        "eigenvalues that are equal to rounding, or of their vectors, which are not determined "
        "one by one there",
        "use what treats equal eigenvalues alike, such as their sum",
    )


def _spacing(a_size, w, left, v):
    """What differences between eigenvalues are rounding, for each pair."""
    n = shape_of(w)[-1]
    conditions = np.sqrt(np.sum(np.abs(left) ** 2, axis=-1)) * np.sqrt(
        np.sum(np.abs(v) ** 2, axis=-2)
    )
    conditions = conditions[..., :, None] + conditions[..., None, :]
    return 4 * n * np.finfo(dtype_of(w)).eps * a_size * conditions


@rule(_eig, rowwise("(n,n)->(n),(n,n)", lambda n: 25 * n**3, multiple=True))
def eig(y, a):
    """AV = V diag(w): with P = V⁻¹ȦV, ẇ = diag P, and V̇ = V(F ∘ P), Fᵢⱼ = 1/(wⱼ − wᵢ), Fᵢᵢ = 0,

    but for a multiple of each vector, which keeps its length and the phase of its largest element.
    Ā = V⁻ᴴ(diag(w̄) + conj(F) ∘ VᴴŪ)Vᴴ, with the cotangents Ū of vectors before that.
    """
    w, v = y
    real = dtype_of(a).kind != "c"
    try:
        left = inv(v)
    except np.linalg.LinAlgError:
        raise _equal_ones() from None
    size = np.max(np.abs(a), axis=(-2, -1), keepdims=True, initial=0)
    steps = w[..., None, :] - w[..., :, None]
    on = np.eye(shape_of(w)[-1], dtype=bool)
    same = np.less_equal(np.abs(steps), _spacing(size, w, left, v)) & ~on
    factors = np.where(same, np.nan, 0) + np.where(same | on, 0, 1 / np.where(same | on, 1, steps))
    place, largest, tied = _largest(v, real)

    def pushforward(a_dot):
        inside = left @ a_dot @ v
        w_dot = np.where(np.any(same, axis=-1), np.nan, diagonal(inside))
        moved = v @ (factors * inside)
        along = np.real(np.sum(np.conj(v) * moved, axis=-2, keepdims=True))
        turned = np.imag(np.take_along_axis(moved, place, -2)) / largest
        turned = np.where(tied, np.nan, turned)
        return w_dot, moved - v * (along + 1j * turned)

    def pullback(bars):
        w_bar, v_bar = bars
        inside = 0
        if w_bar is not None:
            uneven = np.abs(w_bar[..., None, :] - w_bar[..., :, None])
            most = 1e3 * np.finfo(dtype_of(w)).eps * np.max(np.abs(w_bar), axis=-1, initial=0)
            lost = np.any(same & ~np.less_equal(uneven, most[..., None, None]), axis=-1)
            if known(lost) and np.any(strip(lost)):
                raise _equal_ones()
            w_bar = np.where(lost, np.nan, w_bar)
            inside = inside + embed_diagonal(w_bar, shape=shape_of(v)[-2:])
        if v_bar is not None:
            if known(same) and np.any(strip(same)):
                raise _equal_ones()
            inside = inside + np.conj(factors) * (adjoint(v) @ before(v_bar))
        a_bar = solve(adjoint(v), inside @ adjoint(v))
        return np.real(a_bar) if real else a_bar

    def before(v_bar):
        """The cotangent before vectors are scaled."""
        overlap = np.sum(np.conj(v) * v_bar, axis=-2, keepdims=True)
        phase = np.imag(overlap)
        size = np.max(np.abs(v_bar), axis=-2, keepdims=True, initial=0)
        most = 1e3 * shape_of(v)[-1] * np.finfo(dtype_of(w)).eps * size
        lost = tied & np.greater(np.abs(phase), most)
        if known(lost) and np.any(strip(lost)):
            raise _undetermined(
                "what depends on the phase of an eigenvector, where two of its elements share the "
                "largest modulus, so that LAPACK's choice jumps",
                "use what does not depend on the phase, as |v| or np.outer(v, v.conj())",
            )
        phase = np.where(lost, np.nan, np.where(tied, 0, phase))
        marked = np.equal(np.arange(shape_of(v)[-2])[:, None], place)
        return v_bar - v * np.real(overlap) - 1j * np.where(marked, phase / largest, 0)

    return Linear(pushforward, pullback)


def _largest(v, real):
    """The place of each vector's largest element, that element, and whether others are as large.

    Real eigenvalues of real matrices have real vectors, which have no phase.
    """
    sizes = np.abs(v)
    place = np.argmax(sizes, axis=-2)[..., None, :]
    largest = np.real(np.take_along_axis(v, place, -2))
    most = np.max(sizes, axis=-2, keepdims=True, initial=0)
    near = np.greater_equal(sizes, most * (1 - 64 * np.finfo(dtype_of(sizes)).eps))
    tied = np.greater(np.sum(near, axis=-2, keepdims=True), 1)
    if real:
        tied = tied & np.any(np.not_equal(np.imag(v), 0), axis=-2, keepdims=True)
    return place, largest, tied
