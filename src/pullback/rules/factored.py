"""Solving with matrices that are triangular, or have been factorised already.

Matrices are the last two axes; leading axes are batches. These are no functions of NumPy's: the
derivatives of factorisations and `pullback.simplify` put them in the place of general solutions,
which factorise anew. LAPACK's routines are called through SciPy, for a single matrix; a batch is
left to NumPy, which solves all of it at once.

The operator is T⁻¹, or T⁻ᴴ with ``adjoint``. Of X = T⁻¹B it is Ẋ = T⁻¹(Ḃ − ṪX), B̄ = T⁻ᴴX̄ and
T̄ = −B̄Xᴴ; of X = T⁻ᴴB it is Ẋ = T⁻ᴴ(Ḃ − ṪᴴX), B̄ = T⁻¹X̄ and T̄ = −XB̄ᴴ.
"""

from __future__ import annotations

import functools

import numpy as np

from pullback.core.linear import Linear
from pullback.core.shapes import shape_of
from pullback.core.structure import rowwise
from pullback.rules.complex import adjoint as adjoint_of
from pullback.rules.registration import constant, rule
from pullback.rules.triangles import triangle

__all__ = ["factorise", "is_single", "outer", "routine", "solve_factored", "triangular_solve"]


def outer(x, y):
    """XY, by products alone where X is one column."""
    return x * y if shape_of(x)[-1] == 1 else x @ y


def _maps(solve, x, *, adjoint, part=lambda t: t):
    """The linear maps in the matrix, of which only a part counts, and in the right-hand side."""

    def pushforward(t_dot):
        t_dot = part(t_dot)
        return -solve((adjoint_of(t_dot) if adjoint else t_dot) @ x, adjoint)

    def pull_b(x_bar):
        return solve(x_bar, not adjoint)

    def pullback(x_bar):
        b_bar = pull_b(x_bar)
        return part(outer(-x, adjoint_of(b_bar)) if adjoint else outer(-b_bar, adjoint_of(x)))

    return Linear(pushforward, pullback), Linear(lambda b_dot: solve(b_dot, adjoint), pull_b)


def is_single(*matrices):
    """Whether there is no batch, and something in each, of a dtype that LAPACK knows."""
    return all(x.ndim == 2 and x.size and x.dtype.char in "fdFD" for x in matrices)


def routine(name, *matrices):
    """LAPACK's routine of a name for these matrices."""
    return _routine_of(name, np.result_type(*matrices))


@functools.cache
def _routine_of(name, dtype):
    from scipy.linalg import get_lapack_funcs

    return get_lapack_funcs((name,), dtype=dtype)[0]


# -- triangular matrices --------------------------------------------------------------------------


def _triangular_solve(t, b, *, lower=True, adjoint=False):
    if not is_single(t, b):
        whole = triangle(t, lower=lower)
        return np.linalg.solve(adjoint_of(whole) if adjoint else whole, b)
    trtrs = routine("trtrs", t, b)
    if trtrs.typecode in "sd":
        # The columns of the transpose lie one after the other, as LAPACK wants them.
        x, info = trtrs(t.T, b, lower=not lower, trans=not adjoint)
    else:
        x, info = trtrs(t, b, lower=lower, trans=2 if adjoint else 0)
    if info:
        raise np.linalg.LinAlgError("Singular matrix")
    return np.ascontiguousarray(x)


@rule(_triangular_solve, rowwise("(n,n),(n,k)->(n,k)", lambda n, k: n**2 * k, apart="k"))
def triangular_solve(x, t, _b, *, lower=True, adjoint=False):
    """X = T⁻¹B or T⁻ᴴB for a triangular T, of which the other triangle is not read.

    A singular T raises ``LinAlgError``.
    """

    def solve(b, adjoint):
        return triangular_solve(t, b, lower=lower, adjoint=adjoint)

    return _maps(solve, x, adjoint=adjoint, part=lambda t: triangle(t, lower=lower))


# -- factorised matrices --------------------------------------------------------------------------


def _factorise(a):
    if not is_single(a):
        return np.array(a), np.zeros(shape_of(a)[:-1], np.int64)
    factors, places, info = routine("getrf", a)(a)
    if info > 0:
        raise np.linalg.LinAlgError("Singular matrix")
    return factors, places.astype(np.int64)


factorise = constant(
    _factorise,
    rowwise("(n,n)->(n,n),(n)", lambda n: 2 * n**3 // 3, multiple=True),
    name="factorise",
)
"""The factors P, L and U of A, for `solve_factored`, which knows the derivative."""


def _solve_factored(a, factors, places, b, *, adjoint=False):
    if not is_single(a, factors, b):
        return np.linalg.solve(adjoint_of(a) if adjoint else a, b)
    getrs = routine("getrs", factors, b)
    # LAPACK doesn't check where rows are to go; what is made up to learn of a dtype may be outside.
    places = np.clip(places, 0, len(places) - 1).astype(np.int32)
    x, _ = getrs(factors, places, b, trans=2 if adjoint else 0)
    return np.ascontiguousarray(x)


@rule(
    _solve_factored,
    rowwise("(n,n),(n,n),(n),(n,k)->(n,k)", lambda n, k: 2 * n**2 * k, apart="k"),
    name="solve_factored",
)
def solve_factored(x, a, factors, places, _b, *, adjoint=False):
    """X = A⁻¹B or A⁻ᴴB, from `factorise` of A. It is a function of A and B alone."""

    def solve(b, adjoint):
        return solve_factored(a, factors, places, b, adjoint=adjoint)

    of_a, of_b = _maps(solve, x, adjoint=adjoint)
    return of_a, None, None, of_b
