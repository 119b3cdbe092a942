"""Spectral decompositions: Hermitian eigenvalue problems and singular values.

Eigenvalues and singular values that are simple are differentiable, and so are sums over equal
ones. Vectors are differentiable where their eigenvalue is simple, up to a sign, or for complex
matrices a phase, of which a meaningful result does not depend. Where eigenvalues are equal to
rounding the vectors are arbitrary: their pullback raises an error, and their tangents are NaN.

Source: M. Giles, *An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation*, Oxford 2008; for complex matrices S. Wan and S. Zhang, *Automatic
differentiation for complex valued SVD*, 2019.
"""

from __future__ import annotations

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import shape_of
from pullback.core.tracer import known, strip
from pullback.errors import ArgumentValueError
from pullback.rules import operation_counts as counts
from pullback.rules import shape_rules as shapes
from pullback.rules.batching import with_ranks
from pullback.rules.registration import rule
from pullback.rules.shaping import diagonal, embed_diagonal

__all__ = ["eigh", "pinv", "svd"]


def _adjoint(a):
    """Aᴴ."""
    a = a.mT
    return np.conj(a) if a.dtype.kind == "c" else a


def _matrix(on):
    """The diagonal matrix with this diagonal."""
    n = shape_of(on)[-1]
    return embed_diagonal(on, shape=(n, n))


def _gaps(w, scale):
    """wⱼ − wᵢ for i ≠ j, 1 on the diagonal; and where the difference is no more than rounding."""
    off = ~np.eye(shape_of(w)[-1], dtype=bool)
    gaps = w[..., None, :] - w[..., :, None]
    tiny = 4 * shape_of(w)[-1] * np.finfo(w.dtype).eps * np.abs(scale)
    equal = off & np.less_equal(np.abs(gaps), np.expand_dims(tiny, (-2, -1)))
    return np.where(off & ~equal, gaps, 1), off, equal


def _inverse_gaps(w, scale):
    """Fᵢⱼ = 1/(wⱼ − wᵢ), 0 on the diagonal, NaN where eigenvalues are equal."""
    gaps, off, equal = _gaps(w, scale)
    return np.where(equal, np.nan, np.where(off, 1 / gaps, 0)).astype(w.dtype)


def _require_simple(name, factors):
    if known(factors) and np.isnan(strip(factors)).any():
        raise ArgumentValueError(
            f"{name}: the derivative of the vectors is asked for where some of the values are "
            "equal to rounding, so that the vectors are not determined; use the values alone, or "
            "a function of the matrix that needs no decomposition (inv, solve, matrix_power)"
        )


# -- Hermitian matrices ---------------------------------------------------------------------------


def _eigh(a, *, uplo="L"):
    return tuple(np.linalg.eigh(a, uplo))


@rule(
    _eigh,
    name="eigh",
    batch=with_ranks(2),
    shape=shapes.eigensystem,
    operations=counts.eigensystem,
    multiple=True,
)
def eigh(y, _a, *, uplo="L"):
    """AV = V diag(w): ẇ = diag(VᴴȦV), V̇ = V(F ∘ VᴴȦV), Fᵢⱼ = 1/(wⱼ − wᵢ), Fᵢᵢ = 0.

    Ā = V(diag(w̄) + F ∘ VᴴV̄)Vᴴ. NumPy reads one triangle of A, `uplo`, and takes the other one to be
    its mirror image; the derivative is that of this function, so Ā is triangular.
    """
    triangle = np.tril if uplo == "L" else np.triu
    beside = -1 if uplo == "L" else 1
    w, v = y
    factors = _inverse_gaps(w, np.max(np.abs(w), axis=-1, initial=0))

    def pushforward(a_dot):
        strict = triangle(a_dot, beside)
        a_dot = strict + _adjoint(strict) + _matrix(np.real(diagonal(a_dot)))
        inside = _adjoint(v) @ a_dot @ v
        return np.real(diagonal(inside)), v @ (factors * inside)

    def pullback(bars):
        w_bar, v_bar = bars
        inside = 0 if w_bar is None else _matrix(w_bar)
        if v_bar is not None:
            _require_simple("np.linalg.eigh", factors)
            inside = inside + factors * (_adjoint(v) @ v_bar)
        whole = v @ inside @ _adjoint(v)
        whole = 0.5 * (whole + _adjoint(whole))
        return 2 * triangle(whole) - _matrix(diagonal(whole))

    return Linear(pushforward, pullback)


# -- singular values ------------------------------------------------------------------------------


def _svd(a):
    return tuple(np.linalg.svd(a, full_matrices=False))


@rule(
    _svd,
    name="svd",
    batch=with_ranks(2),
    shape=shapes.singular_system,
    operations=counts.singular_system,
    multiple=True,
)
def svd(y, _a):
    """A = U diag(s) Vᴴ, with min(m, n) singular values: with P = UᴴȦV and Fᵢⱼ = 1/(sⱼ² − sᵢ²),

    ṡ = Re diag(P), U̇ = U(F ∘ (PS + SPᴴ) + D) + (ȦV − UP)S⁻¹ and
    V̇ = V(F ∘ (SP + PᴴS) − D) + (ȦᴴU − VPᴴ)S⁻¹, D = i Im diag(P)/(2s). The last terms vanish where
    U, or V, is square.
    """
    u, s, vh = y
    v = _adjoint(vh)
    squares = s * s
    factors = _inverse_gaps(squares, np.max(squares, axis=-1, initial=0))
    columns = s[..., None, :]
    rows = s[..., :, None]
    tall, wide = shape_of(u)[-2] > shape_of(s)[-1], shape_of(v)[-2] > shape_of(s)[-1]
    complex_valued = u.dtype.kind == "c"

    def pushforward(a_dot):
        p = _adjoint(u) @ a_dot @ v
        ph = _adjoint(p)
        turn = _matrix(0.5j * np.imag(diagonal(p)) / s) if complex_valued else 0
        u_dot = u @ (factors * (p * columns + rows * ph) + turn)
        v_dot = v @ (factors * (rows * p + ph * columns) - turn)
        if tall:
            u_dot = u_dot + (a_dot @ v - u @ p) / columns
        if wide:
            v_dot = v_dot + (_adjoint(a_dot) @ u - v @ ph) / columns
        return u_dot, np.real(diagonal(p)), _adjoint(v_dot)

    def pullback(bars):
        u_bar, s_bar, vh_bar = bars
        inside = 0 if s_bar is None else _matrix(s_bar)
        outside = 0
        if u_bar is not None or vh_bar is not None:
            _require_simple("np.linalg.svd", factors)
        turn = 0
        if u_bar is not None:
            x = _adjoint(u) @ u_bar
            turned = factors * x
            inside = inside + (turned + _adjoint(turned)) * columns
            turn = turn + np.imag(diagonal(x))
            if tall:
                outside = outside + ((u_bar - u @ x) / columns) @ vh
        if vh_bar is not None:
            v_bar = _adjoint(vh_bar)
            x = vh @ v_bar
            turned = factors * x
            inside = inside + rows * (turned + _adjoint(turned))
            turn = turn - np.imag(diagonal(x))
            if wide:
                outside = outside + u @ _adjoint((v_bar - v @ x) / columns)
        if complex_valued and not (u_bar is None and vh_bar is None):
            inside = inside + _matrix(0.5j * turn / s)
        return u @ inside @ vh + outside

    return Linear(pushforward, pullback)


def _pinv(a, *, rcond=None, hermitian=False):
    options = {} if rcond is None else {"rcond": rcond}
    return np.linalg.pinv(a, hermitian=hermitian, **options)


@rule(
    _pinv,
    name="pinv",
    batch=with_ranks(2),
    shape=shapes.pseudoinverse,
    operations=counts.pseudoinverse,
)
def pinv(y, a, *, rcond=None, hermitian=False):
    """Y = A⁺: Ẏ = −YȦY + YYᴴȦᴴ(I − AY) + (I − YA)ȦᴴYᴴY, where the rank of A stays the same.

    G. H. Golub and V. Pereyra, *The differentiation of pseudo-inverses and nonlinear least squares
    problems whose variables separate*, SIAM J. Numer. Anal. 10, 1973. Where the rank changes, A⁺ is
    not continuous; the derivative given is that along matrices of the same rank.
    """
    yh = _adjoint(y)

    def outside_range(b):
        """B(I − AY)."""
        return b - (b @ a) @ y

    def outside_rows(b):
        """(I − YA)B."""
        return b - y @ (a @ b)

    def pushforward(a_dot):
        ah = _adjoint(a_dot)
        return outside_range(y @ yh @ ah) + outside_rows(ah @ yh @ y) - y @ a_dot @ y

    def pullback(y_bar):
        bh = _adjoint(y_bar)
        left = bh @ (y @ yh)
        right = (yh @ y) @ bh
        left = left - _adjoint(y) @ (_adjoint(a) @ left)
        right = right - (right @ _adjoint(a)) @ _adjoint(y)
        return left + right - yh @ y_bar @ yh

    return Linear(pushforward, pullback)
