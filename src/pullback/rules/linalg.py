"""Linear algebra: solving, inverting, determinants and the Cholesky factorisation.

Matrices are the last two axes; leading axes are batches. The formulas are those of M. Giles, *An
extended collection of matrix derivative results for forward and reverse mode algorithmic
differentiation*, Oxford 2008; Aᴴ is the conjugate transpose. The counts of operations are those of
G. H. Golub and C. F. Van Loan, *Matrix Computations*, 4th edition, 2013, to leading order.
"""

from __future__ import annotations

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import shape_of
from pullback.core.structure import rowwise
from pullback.rules.complex import adjoint, conjugated
from pullback.rules.factored import outer, triangular_solve
from pullback.rules.kept_factors import inverse_by_factors, solve_by_factors
from pullback.rules.registration import rule
from pullback.rules.shaping import diagonal, embed_diagonal, reshape
from pullback.rules.spectral import svd
from pullback.rules.triangles import halved, symmetrised, triangle

__all__ = ["cholesky", "cofactors", "det", "inv", "slogdet", "solve"]


def _inner(a, b):
    """Σ aᵢⱼbᵢⱼ for each matrix of a batch."""
    return np.sum(a * b, axis=(-2, -1))


def _scaled(c, a):
    """c·A with a scalar for each matrix of a batch."""
    return reshape(c, shape=(*shape_of(c), 1, 1)) * a


def _elimination(n):
    return 2 * n**3 // 3


# -- solving --------------------------------------------------------------------------------------


@rule(np.linalg.inv, rowwise("(n,n)->(n,n)", lambda n: 2 * n**3))
def inv(y, _a):
    """Y = A⁻¹: Ẏ = −Y Ȧ Y, Ā = −Yᴴ Ȳ Yᴴ. A singular A raises ``LinAlgError``, as in NumPy."""
    return Linear(
        lambda a_dot: -(y @ a_dot @ y),
        lambda y_bar: -(adjoint(y) @ y_bar @ adjoint(y)),
    )


@rule(
    np.linalg.solve,
    rowwise("(n,n),(n,k)->(n,k)", lambda n, k: _elimination(n) + 2 * n**2 * k, apart="k"),
)
def solve(x, a, _b):
    """AX = B: AẊ = Ḃ − ȦX, AᴴB̄ = X̄, Ā = −B̄Xᴴ, where B is a batch of matrices.

    A singular A raises ``LinAlgError``, as in NumPy.
    """

    def pull_b(x_bar):
        found = solve_by_factors(a, x_bar)
        return solve(adjoint(a), x_bar) if found is None else found

    return (
        Linear(
            lambda a_dot: -solve(a, a_dot @ x),
            lambda x_bar: outer(-pull_b(x_bar), adjoint(x)),
        ),
        Linear(lambda b_dot: solve(a, b_dot), pull_b),
    )


# -- determinants ---------------------------------------------------------------------------------


@rule(np.linalg.det, rowwise("(n,n)->()", _elimination, generic=True))
def det(_y, a):
    """y = det A: ẏ = Σ cof(A)ᵢⱼ Ȧᵢⱼ, with the matrix of cofactors; at a singular A as well."""
    minors = cofactors(a)
    return Linear(
        lambda a_dot: _inner(minors, a_dot),
        lambda y_bar: _scaled(y_bar, conjugated(minors)),
    )


def _without(s, count):
    """∏ₖ sₖ over all k but one (or two) of the last axis, for each one (or pair), i = j gives 0."""
    n = s.shape[-1]
    left_out = np.eye(n, dtype=bool)
    if count == 1:
        return np.prod(np.where(left_out, 1, s[..., None, :]), axis=-1)
    pairs = left_out[:, None, :] | left_out[None, :, :]
    products = np.prod(np.where(pairs, 1, s[..., None, None, :]), axis=-1)
    return np.where(left_out, 0, products)


def _cofactors_count(n):
    """A singular value decomposition, two determinants, products without each value, a product."""
    return 22 * n**3 + 2 * _elimination(n) + 3 * n**3


def _cofactors(a):
    u, s, vh = np.linalg.svd(a)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    c = (u * _without(s, 1)[..., None, :]) @ vh
    return sign[..., None, None] * (conjugated(c))


@rule(_cofactors, rowwise("(n,n)->(n,n)", _cofactors_count))
def cofactors(_c, a):
    """C = cof(A), the derivative of det A; for a regular A it is det(A) A⁻ᵀ.

    With the singular value decomposition A = U diag(s) Vᴴ and σ = det(U) det(Vᴴ),
    conj(C) = conj(σ) U diag(∏ₖ≠ᵢ sₖ) Vᴴ. Its derivative, taken at the diagonal matrix, with
    B = Uᴴ Ȧ V and Pᵢⱼ = ∏ₖ≠ᵢ,ⱼ sₖ, has Σₖ Pᵢₖ Bₖₖ on the diagonal and −Pᵢⱼ Bⱼᵢ off it. There is no
    division, so it is exact at singular matrices of any rank.
    """
    u, s, vh = svd(a)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    products = _without(s, 2)

    def derivative(b):
        on = (products @ diagonal(b)[..., None])[..., 0]
        return embed_diagonal(on, shape=shape_of(b)[-2:]) - products * b.mT

    def pushforward(a_dot):
        b = derivative(adjoint(u) @ a_dot @ adjoint(vh))
        return _scaled(sign, np.conj(u) @ b @ np.conj(vh))

    def pullback(c_bar):
        b = derivative(u.mT @ c_bar @ vh.mT)
        return u @ _scaled(np.conj(sign), b) @ vh

    return Linear(pushforward, pullback)


def _slogdet(a):
    return tuple(np.linalg.slogdet(a))


@rule(_slogdet, rowwise("(n,n)->(),()", _elimination, multiple=True))
def slogdet(y, a):
    """(s, ℓ) with det A = s eˡ: ℓ̇ = Re tr(A⁻¹Ȧ), ṡ = i s Im tr(A⁻¹Ȧ), which is 0 for a real A.

    Ā = (ℓ̄ + i Im(conj(s) s̄)) A⁻ᴴ. A singular A, where ℓ is −∞, raises ``LinAlgError``.
    """
    sign = y[0]
    inverse = inverse_by_factors(a)
    if inverse is None:
        inverse = inv(a)

    def pushforward(a_dot):
        trace = _inner(inverse.mT, a_dot)
        if trace.dtype.kind != "c":
            return None, trace
        return 1j * sign * np.imag(trace), np.real(trace)

    def pullback(bars):
        sign_bar, log_bar = bars
        complex_valued = inverse.dtype.kind == "c"
        if log_bar is None and (sign_bar is None or not complex_valued):
            return None
        total = 0 if log_bar is None else log_bar
        if complex_valued and sign_bar is not None:
            total = total + 1j * np.imag(np.conj(sign) * sign_bar)
        return _scaled(total, adjoint(inverse))

    return Linear(pushforward, pullback)


# -- factorisations -------------------------------------------------------------------------------


@rule(np.linalg.cholesky, rowwise("(n,n)->(n,n)", lambda n: n**3 // 3))
def cholesky(factor, _a):
    """A = LLᴴ: L̇ = L φ(L⁻¹ȦL⁻ᴴ), where φ takes the lower triangle and half of the diagonal.

    NumPy reads the lower triangle of A and takes the upper one to be its mirror image; the
    derivative is that of this function, so Ā is lower triangular. It is undefined, and NumPy raises
    ``LinAlgError``, where A is not positive definite.
    """

    def forward(b):
        return triangular_solve(factor, b, lower=True, adjoint=False)

    def back(b):
        return triangular_solve(factor, b, lower=True, adjoint=True)

    def pushforward(a_dot):
        strict = np.tril(a_dot, -1)
        on = np.real(diagonal(a_dot)) if a_dot.dtype.kind == "c" else diagonal(a_dot)
        a_dot = strict + adjoint(strict) + embed_diagonal(on, shape=shape_of(a_dot)[-2:])
        inside = forward(adjoint(forward(a_dot)))
        return factor @ halved(adjoint(inside))

    def pullback(l_bar):
        inside = halved(adjoint(factor) @ triangle(l_bar))
        whole = adjoint(back(adjoint(back(inside))))
        return symmetrised(whole)

    return Linear(pushforward, pullback)
