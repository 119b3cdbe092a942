"""Orthonormal bases: the QR factorisation, and what completes a basis.

Matrices are the last two axes; leading axes are batches. Sources: S. F. Walter and L. Lehmann,
*Algorithmic differentiation of linear algebra functions with application in optimum experimental
design*, 2010; for complex matrices D. A. O. Roberts and L. R. Roberts, *QR and LQ decomposition
matrix backpropagation algorithms for square, wide, and deep matrices*, 2020.
"""

from __future__ import annotations

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.structure import rowwise
from pullback.core.tracing import known, strip
from pullback.errors import ArgumentValueError
from pullback.rules.complex import adjoint
from pullback.rules.factored import triangular_solve
from pullback.rules.registration import constant, rule
from pullback.rules.shaping import diagonal, embed_diagonal

__all__ = ["basis", "complement", "qr", "singular_basis"]


def _qr(a):
    return tuple(np.linalg.qr(a))


def _real_diagonal(a):
    """The diagonal matrix of what is real on the diagonal of A."""
    return embed_diagonal(np.real(diagonal(a)), shape=shape_of(a)[-2:])


@rule(_qr, rowwise("(m,n)->(m,n),(n,n)", lambda m, n: 4 * m * n**2, multiple=True))
def qr(y, _a):
    """A = QR of at least as many rows as columns, R with a real diagonal: with W = ȦR⁻¹, X = QᴴW,

    Y is the upper triangle of X, with the real part of its diagonal, and the lower one, mirrored;
    Q̇ = W − QY, Ṙ = YR. With M = R̄Rᴴ − QᴴQ̄ and its upper triangle mirrored, Ā = (Q̄ + QM)R⁻ᴴ. Where
    columns depend on each other Q is not determined, and an error is raised; in recorded bodies it
    is ``LinAlgError``.
    """
    q, r = y
    _require_independent(r)

    def over_r(b, adjoint_of_r):
        """BR⁻¹, or BR⁻ᴴ."""
        return adjoint(triangular_solve(r, adjoint(b), lower=False, adjoint=not adjoint_of_r))

    def pushforward(a_dot):
        w = over_r(a_dot, adjoint_of_r=False)
        x = adjoint(q) @ w
        turned = np.triu(x, 1) + adjoint(np.tril(x, -1)) + _real_diagonal(x)
        return w - q @ turned, turned @ r

    def pullback(bars):
        q_bar, r_bar = bars
        inside = 0 if r_bar is None else np.triu(r_bar) @ adjoint(r)
        if q_bar is not None:
            inside = inside - adjoint(q) @ q_bar
        upper = np.triu(inside, 1)
        w_bar = q @ (upper + adjoint(upper) + _real_diagonal(inside))
        return over_r(w_bar if q_bar is None else w_bar + q_bar, adjoint_of_r=True)

    return Linear(pushforward, pullback)


def _require_independent(r):
    if not known(r):
        return
    sizes = np.abs(np.diagonal(strip(r), axis1=-2, axis2=-1))
    largest = np.max(sizes, axis=-1, keepdims=True, initial=0)
    if np.any(sizes <= np.finfo(sizes.dtype).eps * largest) and sizes.size:
        raise ArgumentValueError(
            "np.linalg.qr: the derivative is asked for where columns of the matrix, of shape "
            f"{shape_of(r)[-2:]} in R, depend on each other, so that Q is not determined; "
            "write what is wanted with np.linalg.pinv or np.linalg.svd, which know the derivatives "
            "of matrices of the same rank"
        )


# -- bases of the whole space ---------------------------------------------------------------------


def _basis(a):
    return np.linalg.qr(a, "complete")[0]


basis = constant(_basis, rowwise("(m,n)->(m,m)", lambda m, n: 4 * m**2 * n), name="basis")
"""An orthonormal basis that starts with the columns' space, for `complement`, which knows more."""


def _singular_basis(a):
    u, _, vh = np.linalg.svd(a)
    return u, vh


singular_basis = constant(
    _singular_basis,
    rowwise("(m,n)->(m,m),(n,n)", lambda m, n: 14 * m * n * max(m, n), multiple=True),
    name="singular_basis",
)
"""All left and right singular vectors, those of no singular value too, for `complement`."""


def _complement(_q, n, *, name="np.linalg.qr"):
    return np.array(n)


@rule(_complement, rowwise("(m,k),(m,p)->(m,p)", lambda m, k, p: m * p))
def complement(n, q, _n, *, name="np.linalg.qr"):
    """N, vectors that complete those of Q to an orthonormal basis of the space.

    They are any basis of what Q leaves, which is determined. Of what depends on that space alone,
    NᴴN̄ is Hermitian and Q̄ = −N N̄ᴴQ; where it is not, the pullback raises an error, or gives NaN
    where elements are not known. Tangents are NaN. A single real vector is known up to its sign,
    and has Ṅ = −QQ̇ᴴN.
    """
    single = shape_of(n)[-1] == 1 and dtype_of(n).kind != "c"

    def pushforward(q_dot):
        if single:
            return -q @ (adjoint(q_dot) @ n)
        return np.full_like(n, np.nan) + 0 * np.sum(q_dot, axis=(-2, -1), keepdims=True)

    def pullback(n_bar):
        inside = adjoint(n) @ n_bar
        odd = np.max(np.abs(inside - adjoint(inside)), axis=(-2, -1), keepdims=True, initial=0)
        size = np.max(np.abs(n_bar), axis=(-2, -1), keepdims=True, initial=0)
        most = 1000 * shape_of(n)[-2] * np.finfo(dtype_of(n)).eps * size
        lost = np.greater(odd, most) | np.isnan(odd)
        if known(lost) and np.any(strip(lost)):
            raise ArgumentValueError(
                f"{name}: the derivative is asked for of vectors that the matrix does not "
                "determine, those outside of the space of the others; use the others alone, by "
                "full_matrices=False for svd and mode='reduced' or 'economic' for qr, or a "
                "function of the space such as the projector N @ N.T"
            )
        q_bar = -n @ (adjoint(n_bar) @ q)
        return np.where(lost, np.nan, q_bar)

    return Linear(pushforward, pullback), None
