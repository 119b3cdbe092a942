"""Matrix equations: of Sylvester and of Riccati.

Matrices are the last two axes; leading axes are batches. The derivatives are those of implicit
functions: what solves the linearised equation is a Sylvester or Lyapunov equation in its turn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from pullback.core.linear import Linear
from pullback.core.shapes import dtype_of, shape_of
from pullback.core.structure import rowwise
from pullback.rules.complex import adjoint
from pullback.rules.linalg import solve
from pullback.rules.registration import rule
from pullback.rules.shaping import reshape

__all__ = ["discrete_lyapunov", "each_of", "lapacks", "riccati", "sylvester"]


def lapacks(*dtypes):
    """The dtype in which LAPACK computes with arrays of these."""
    common = np.result_type(*dtypes)
    if common.kind == "c":
        return np.dtype(np.complex64 if common.itemsize <= 8 else np.complex128)
    return np.dtype(np.float32 if common.kind == "f" and common.itemsize <= 4 else np.float64)


def each_of(function, *matrices):
    """A function of matrices at each place of a batch, in a precision of LAPACK's."""
    dtype = lapacks(*(x.dtype for x in matrices))
    matrices = tuple(x.astype(dtype, copy=False) for x in matrices)
    if all(x.ndim == 2 for x in matrices):
        return np.ascontiguousarray(function(*matrices))
    lead = np.broadcast_shapes(*(x.shape[:-2] for x in matrices))
    parts = [np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in matrices]
    results = [function(*(x[place] for x in parts)) for place in np.ndindex(lead)]
    if not results:
        sample = function(*(np.eye(*x.shape[-2:], dtype=x.dtype) for x in matrices))
        return np.empty((*lead, *sample.shape), sample.dtype)
    return np.stack(results).reshape(*lead, *results[0].shape)


def _sylvester(a, b, q):
    return each_of(scipy.linalg.solve_sylvester, a, b, q)


def _sylvester_count(m, n):
    return 25 * (m**3 + n**3) + 5 * m * n * (m + n)


@rule(_sylvester, rowwise("(m,m),(n,n),(m,n)->(m,n)", _sylvester_count))
def sylvester(x, a, b, _q):
    """AX + XB = Q: with AʰΛ + ΛBᴴ = X̄, Q̄ = Λ, Ā = −ΛXᴴ and B̄ = −XᴴΛ."""

    def pull(x_bar):
        return sylvester(adjoint(a), adjoint(b), x_bar)

    return (
        Linear(
            lambda a_dot: -sylvester(a, b, a_dot @ x),
            lambda x_bar: -(pull(x_bar) @ adjoint(x)),
        ),
        Linear(
            lambda b_dot: -sylvester(a, b, x @ b_dot),
            lambda x_bar: -(adjoint(x) @ pull(x_bar)),
        ),
        Linear(lambda q_dot: sylvester(a, b, q_dot), pull),
    )


DIRECT = 10
"""From how many rows on a discrete Lyapunov equation is solved by a continuous one, as in SciPy."""


def discrete_lyapunov(a: Any, q: Any, *, direct: bool | None = None) -> Any:
    """AXAᴴ − X + Q = 0, by n² equations or by a continuous Lyapunov equation.

    G. Kitagawa, *An algorithm for solving the matrix equation X = FXF′ + S*, Int. J. Control 25,
    1977; for the bilinear transformation P. Hr. Petkov et al., *Computational Methods for Linear
    Control Systems*, 1991.
    """
    dtype = lapacks(dtype_of(a), dtype_of(q))
    a, q = a.astype(dtype), q.astype(dtype)
    n = shape_of(a)[-1]
    eye = np.eye(n, dtype=dtype)
    if n < DIRECT if direct is None else direct:
        product = a[..., :, None, :, None] * np.conj(a)[..., None, :, None, :]
        square = reshape(product, shape=(*shape_of(a)[:-2], n * n, n * n))
        flat = reshape(q, shape=(*shape_of(q)[:-2], n * n, 1))
        found = solve(np.eye(n * n, dtype=dtype) - square, flat)
        return reshape(found, shape=(*shape_of(found)[:-2], n, n))
    inverse = np.linalg.inv(adjoint(a) + eye)
    b = (adjoint(a) - eye) @ inverse
    c = 2 * np.linalg.inv(a + eye) @ q @ inverse
    return sylvester(adjoint(b), b, -c)


def _riccati(a, b, q, r, *, discrete=False, balanced=True):
    name = "solve_discrete_are" if discrete else "solve_continuous_are"
    found = getattr(scipy.linalg, name)

    def one(a, b, q, r):
        return found(a, b, _even(q), _even(r), balanced=balanced)

    return each_of(one, a, b, q, r)


def _even(a):
    """The Hermitian part."""
    return 0.5 * (a + adjoint(a))


@rule(
    _riccati,
    rowwise("(n,n),(n,m),(n,n),(m,m)->(n,n)", lambda n, m: 25 * (2 * n + m) ** 3),
)
def riccati(x, a, b, _q, r, *, discrete=False, balanced=True):
    """AᴴX + XA − XBR⁻¹BᴴX + Q = 0, or AᴴXA − X − AᴴXB(R + BᴴXB)⁻¹BᴴXA + Q = 0 if `discrete`,

    with the Hermitian parts of Q and R.

    With K = R⁻¹BᴴX and W = X, or K = (R + BᴴXB)⁻¹BᴴXA and W = X(A − BK), what X does not change
    by itself is G = ȦᴴW + WᴴȦ − WᴴḂK − KᴴḂᴴW + KᴴṘK + Q̇, and with C = A − BK it is
    CᴴẊ + ẊC = −G, or Ẋ − CᴴẊC = G. J. R. Magnus and H. Neudecker, *Matrix Differential Calculus*,
    2019; T.-C. Kao and G. Hennequin, *Automatic differentiation of Sylvester, Lyapunov, and
    algebraic Riccati equations*, 2020.
    """
    a, b, r = (each.astype(lapacks(dtype_of(each))) for each in (a, b, r))
    left, r = adjoint(b) @ x, _even(r)
    gain = solve(r + left @ b, left @ a) if discrete else solve(r, left)
    closed = a - b @ gain
    w = x @ closed if discrete else x

    def push(g):
        if discrete:
            return discrete_lyapunov(adjoint(closed), g)
        return -sylvester(adjoint(closed), closed, g)

    def pull(x_bar):
        if discrete:
            return discrete_lyapunov(closed, x_bar)
        return -sylvester(closed, adjoint(closed), x_bar)

    def twice(g):
        return g + adjoint(g)

    return (
        Linear(
            lambda a_dot: push(twice(adjoint(w) @ a_dot)),
            lambda x_bar: w @ twice(pull(x_bar)),
        ),
        Linear(
            lambda b_dot: push(-twice(adjoint(w) @ b_dot @ gain)),
            lambda x_bar: -(w @ twice(pull(x_bar)) @ adjoint(gain)),
        ),
        Linear(lambda q_dot: push(_even(q_dot)), lambda x_bar: _even(pull(x_bar))),
        Linear(
            lambda r_dot: push(adjoint(gain) @ _even(r_dot) @ gain),
            lambda x_bar: gain @ _even(pull(x_bar)) @ adjoint(gain),
        ),
    )
