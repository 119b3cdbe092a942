"""Spectral decompositions: Hermitian eigenvalue problems and singular values.

Eigenvalues and singular values that are simple are differentiable, and so are sums over equal
ones. Vectors are differentiable where their eigenvalue is simple, up to a sign, or for complex
matrices a phase, of which a meaningful result does not depend. Where eigenvalues are equal to
rounding the vectors are arbitrary, and a derivative goes on with others than NumPy's. What does not
depend on them (functions of a matrix, projectors, parts of low rank, vectors of other eigenvalues)
has its first derivatives. For what does, the pullback raises an error, and tangents are NaN; so it
is with second derivatives of what is computed with the vectors. While a graph is recorded, before
anything is known of eigenvalues, all this waits until it runs; second derivatives are NaN in either
direction then. See `pullback.rules.equal_values` and `pullback.rules.postponed`.

Source: M. Giles, *An extended collection of matrix derivative results for forward and reverse mode
algorithmic differentiation*, Oxford 2008; for complex matrices S. Wan and S. Zhang, *Automatic
differentiation for complex valued SVD*, 2019.
"""

from __future__ import annotations

import functools

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import shape_of
from pullback.core.structure import rowwise
from pullback.core.tracing import known
from pullback.rules.complex import adjoint
from pullback.rules.equal_values import (
    NONE,
    apart,
    equal,
    may_separate,
    outside,
    parts,
    require_determined,
    separated,
    settled,
    skew,
    some_equal,
    some_vanishing,
    turn,
    turn_outside,
    vanishing,
)
from pullback.rules.postponed import Postponed, Undecided, postpone
from pullback.rules.registration import rule
from pullback.rules.shaping import diagonal, embed_diagonal
from pullback.rules.triangles import folded, places

__all__ = ["eigh", "pinv", "svd"]


def _matrix(on):
    """The diagonal matrix with this diagonal."""
    n = shape_of(on)[-1]
    return embed_diagonal(on, shape=(n, n))


def _inverse(divisor, where_not):
    """1/divisor, and 0 where that is not wanted."""
    if where_not is NONE:
        return 1 / divisor
    return 1 / np.where(where_not, np.inf, divisor)


def _without(factors, mask):
    """The factors, and NaN where the mask is true."""
    return factors if mask is NONE else np.where(mask, np.nan, factors)


def _lost(y, mask):
    """What is not known of the derivative with these results; it waits, or it is nowhere."""
    return NONE if type(y) is Undecided else mask


def _differences(w):
    """wⱼ − wᵢ."""
    return w[..., None, :] - w[..., :, None]


def _sums(s):
    """sᵢ + sⱼ."""
    return s[..., None, :] + s[..., :, None]


# -- Hermitian matrices ---------------------------------------------------------------------------


def _eigh(a, *, uplo="L", driver=None):
    """By NumPy, or by a `driver` of LAPACK's, which may choose other signs of vectors."""
    if driver is None or not a.size:
        return tuple(np.linalg.eigh(a, uplo))
    from scipy.linalg import eigh

    places = list(np.ndindex(a.shape[:-2]))
    found = [eigh(a[i], lower=uplo == "L", driver=driver, check_finite=False) for i in places]
    return tuple(np.stack(x).reshape(*a.shape[:-2], *x[0].shape) for x in zip(*found, strict=True))


def _separate_eigh(outs, args, interpreter):
    """Equal eigenvalues as w + εβ, and their vectors turned."""
    w, v = outs
    if not may_separate(interpreter, args[0], w):
        return outs
    if not known(w) or type(interpreter.infinitesimal) is Postponed:
        return postpone(interpreter, outs, lambda: some_equal(w))
    same = equal(w)
    if same is NONE:
        return outs
    v = v @ turn(v, same)
    return apart(interpreter, w, same, np.any(same, axis=-1), (v, v @ skew(v, same)))


@rule(
    _eigh,
    rowwise("(n,n)->(n),(n,n)", lambda n: 9 * n**3, multiple=True),
    separate=_separate_eigh,
)
def eigh(y, _a, *, uplo="L", driver=None):
    """AV = V diag(w): ẇ = diag(VᴴȦV), V̇ = V(F ∘ VᴴȦV), Fᵢⱼ = 1/(wⱼ − wᵢ), Fᵢᵢ = 0.

    Ā = V(diag(w̄) + F ∘ VᴴV̄)Vᴴ. NumPy reads one triangle of A, `uplo`, and takes the other one to be
    its mirror image; the derivative is that of this function, so Ā is triangular.
    """
    v = y[1]
    w, changes = parts(y[0])
    if changes is None:

        def factors():
            same = equal(w)
            return _without(_reciprocal_differences(w, same), _lost(y, same))

        return _of_eigh(v, factors, uplo)
    (v,) = settled(y[0], v)
    same = equal(w)
    regular = _reciprocal_differences(w, same)
    singular = [_inverse(_differences(change), ~same) for change in changes]
    maps = [_of_eigh(v, functools.partial(_itself, x), uplo) for x in (regular, *singular)]
    return separated("np.linalg.eigh", y[0], 0, *maps)


def _itself(x):
    return x


def _reciprocal_differences(w, same):
    """1/(wⱼ − wᵢ), and 0 for values that are equal, as those on the diagonal are."""
    on = places(shape_of(w)[-1])[0]
    return _inverse(_differences(w), on if same is NONE else same | on)


def _of_eigh(v, factors, uplo):
    """The map with the factors F that a function makes, which are those of the vectors alone."""

    def pushforward(a_dot):
        strict = np.tril(a_dot, -1) if uplo == "L" else np.triu(a_dot, 1)
        a_dot = strict + adjoint(strict) + _matrix(np.real(diagonal(a_dot)))
        inside = adjoint(v) @ a_dot @ v
        return np.real(diagonal(inside)), v @ (factors() * inside)

    def pullback(bars):
        w_bar, v_bar = bars
        if v_bar is None:
            whole = (v * w_bar[..., None, :]) @ adjoint(v)
        else:
            made = factors()
            require_determined("np.linalg.eigh", made)
            inside = made * (adjoint(v) @ v_bar)
            whole = v @ (inside if w_bar is None else inside + _matrix(w_bar)) @ adjoint(v)
            whole = 0.5 * (whole + adjoint(whole))
        return folded(whole, lower=uplo == "L")

    return Linear(pushforward, pullback)


# -- singular values ------------------------------------------------------------------------------


def _svd_count(m, n):
    """14mn² + 8n³ for m ≥ n; G. H. Golub and C. F. Van Loan, *Matrix Computations*, 2013."""
    return 14 * m * n * min(m, n) + 8 * min(m, n) ** 3


def _svd(a):
    return tuple(np.linalg.svd(a, full_matrices=False))


def _separate_svd(outs, args, interpreter):
    """Equal singular values, and those that are 0, as s + εβ; their vectors turned."""
    u, s, vh = outs
    if not may_separate(interpreter, args[0], s):
        return outs
    if not known(s) or type(interpreter.infinitesimal) is Postponed:
        return postpone(interpreter, outs, lambda: some_equal(s) | some_vanishing(s))
    same, zero = equal(s), vanishing(s)
    if same is NONE and zero is NONE:
        return outs
    left, v = turn(u, same), adjoint(vh)
    right = left
    if zero is not NONE:
        # Those of 0 are chosen apart from each other on either side, and from all of the space that
        # the others leave.
        right = np.where(zero[..., None, :], turn(u, same, 1.0), left)
        u, v = turn_outside(u, zero), turn_outside(v, zero)
    u, v = u @ left, v @ right
    left = right = skew(u, same)
    u_turned = v_turned = 0
    if zero is not NONE:
        right = np.where(zero[..., None, :], skew(u, same, 1.0), left)
        u_turned, v_turned = outside(u, zero), outside(v, zero)
    u_turned, v_turned = u @ left + u_turned, v @ right + v_turned
    member = zero if same is NONE else zero | np.any(same, axis=-1)
    s, u, v = apart(interpreter, s, same, member, (u, u_turned), (v, v_turned))
    return u, s, adjoint(v)


@rule(
    _svd,
    rowwise("(m,n)->(m,k),(k),(k,n)", _svd_count, multiple=True),
    separate=_separate_svd,
)
def svd(y, _a):
    """A = U diag(s) Vᴴ, with min(m, n) singular values: with UᴴȦV = H + K, H Hermitian and K

    skew, ṡ = diag H, Gᵢⱼ = 1/(sⱼ − sᵢ), Gᵢᵢ = 0 and Kᵢⱼ divided by sᵢ + sⱼ in L,
    U̇ = U(G ∘ H + L) + (I − UUᴴ)ȦVS⁻¹ and V̇ = V(G ∘ H − L) + (I − VVᴴ)ȦᴴUS⁻¹. The last terms
    vanish where U, or V, is square.
    """
    u, _, vh = y
    s, changes = parts(y[1])
    same, zero = equal(s), vanishing(s)
    both = NONE if zero is NONE else zero[..., :, None] & zero[..., None, :]
    factors = [
        _reciprocal_differences(s, same),
        _inverse(_sums(s), both),
        _inverse(s, zero),
    ]
    if changes is None:
        # Without an imaginary part, nothing on the diagonal of K is divided.
        lost = both & (same | (u.dtype.kind == "c"))
        rest = zero & (_tall(u) | _tall(adjoint(vh)))
        masks = [_lost(y, mask) for mask in (same, lost, rest)]
        return _of_svd(u, vh, list(map(_without, factors, masks)))
    u, vh = settled(y[1], u, vh)
    singular = [
        [
            _inverse(_differences(change), ~same),
            _inverse(_sums(change), ~both),
            _inverse(change, ~zero),
        ]
        for change in changes
    ]
    maps = [_of_svd(u, vh, each) for each in (factors, *singular)]
    return separated("np.linalg.svd", y[1], 1, *maps)


def _tall(u):
    """Whether there is more space than vectors."""
    return shape_of(u)[-2] > shape_of(u)[-1]


def _of_svd(u, vh, factors):
    """The map with these factors: of H, of K, and of what lies outside the vectors' space."""
    v = adjoint(vh)
    by_differences, by_sums, by_values = factors
    by_values = by_values[..., None, :]
    tall, wide = _tall(u), _tall(v)

    def pushforward(a_dot):
        p = adjoint(u) @ a_dot @ v
        ph = adjoint(p)
        even, odd = 0.5 * by_differences * (p + ph), 0.5 * by_sums * (p - ph)
        u_dot, v_dot = u @ (even + odd), v @ (even - odd)
        if tall:
            u_dot = u_dot + (a_dot @ v - u @ p) * by_values
        if wide:
            v_dot = v_dot + (adjoint(a_dot) @ u - v @ ph) * by_values
        return u_dot, np.real(diagonal(p)), adjoint(v_dot)

    def pullback(bars):
        u_bar, s_bar, vh_bar = bars
        inside = 0 if s_bar is None else _matrix(s_bar)
        if u_bar is None and vh_bar is None:
            return u @ inside @ vh
        for each in factors:
            require_determined("np.linalg.svd", each)
        x = y = rest = 0
        if u_bar is not None:
            x = adjoint(u) @ u_bar
            if tall:
                rest = rest + ((u_bar - u @ x) * by_values) @ vh
            x = 0.5 * (x - adjoint(x))
        if vh_bar is not None:
            v_bar = adjoint(vh_bar)
            y = vh @ v_bar
            if wide:
                rest = rest + u @ adjoint((v_bar - v @ y) * by_values)
            y = 0.5 * (y - adjoint(y))
        inside = inside + by_differences * (x + y) + by_sums * (x - y)
        return u @ inside @ vh + rest

    return Linear(pushforward, pullback)


def _pinv(a, *, rcond=None, hermitian=False):
    options = {} if rcond is None else {"rcond": rcond}
    return np.linalg.pinv(a, hermitian=hermitian, **options)


@rule(_pinv, rowwise("(m,n)->(n,m)", lambda m, n: _svd_count(m, n) + 2 * m * n * min(m, n)))
def pinv(y, a, *, rcond=None, hermitian=False):
    """Y = A⁺: Ẏ = −YȦY + YYᴴȦᴴ(I − AY) + (I − YA)ȦᴴYᴴY, where the rank of A stays the same.

    G. H. Golub and V. Pereyra, *The differentiation of pseudo-inverses and nonlinear least squares
    problems whose variables separate*, SIAM J. Numer. Anal. 10, 1973. Where the rank changes, A⁺ is
    not continuous; the derivative given is that along matrices of the same rank. Singular values
    that `rcond` takes for 0 have to be small beside the others.
    """
    yh = adjoint(y)

    def outside_range(b):
        """B(I − AY)."""
        return b - (b @ a) @ y

    def outside_rows(b):
        """(I − YA)B."""
        return b - y @ (a @ b)

    def pushforward(a_dot):
        ah = adjoint(a_dot)
        return outside_range(y @ yh @ ah) + outside_rows(ah @ yh @ y) - y @ a_dot @ y

    def pullback(y_bar):
        bh = adjoint(y_bar)
        left = bh @ (y @ yh)
        right = (yh @ y) @ bh
        left = left - adjoint(y) @ (adjoint(a) @ left)
        right = right - (right @ adjoint(a)) @ adjoint(y)
        return left + right - yh @ y_bar @ yh

    return Linear(pushforward, pullback)
