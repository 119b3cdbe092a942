"""Gaussian elimination: the factors of a matrix whose rows are exchanged.

Matrices are the last two axes; leading axes are batches. The order of the rows is constant where
the factors are differentiable.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from pullback.core.linear import Linear
from pullback.core.shapes import shape_of
from pullback.core.structure import rowwise
from pullback.rules.complex import adjoint
from pullback.rules.factored import triangular_solve
from pullback.rules.registration import constant, rule
from pullback.rules.shaping import reshape

__all__ = ["lu_factors", "permutation", "rows_in"]


def _permutation(pivots):
    found = np.broadcast_to(np.arange(pivots.shape[-1]), pivots.shape).copy()
    rows = (x.reshape(-1, found.shape[-1]) for x in (found, pivots))
    for each, places in zip(*rows, strict=True):
        for i, j in enumerate(np.clip(places, 0, len(each) - 1)):
            each[[i, j]] = each[[j, i]]
    return found


permutation = constant(_permutation, rowwise("(n)->(n)", lambda n: n), name="permutation")
"""The order of rows that LAPACK's exchanges lead to."""


def rows_in(x: Any, order: Any) -> Any:
    """The rows of matrices in an order that each of them has."""
    order = reshape(order, shape=(*shape_of(order), 1))
    missing = len(shape_of(x)) - len(shape_of(order))
    if missing > 0:
        order = order[(None,) * missing]
    elif missing < 0:
        x = x[(None,) * -missing]
    return np.take_along_axis(x, order, -2)


def _eliminated(a):
    rows = len(a)
    (getrf,) = scipy.linalg.get_lapack_funcs(("getrf",), (a,))
    if not a.size:
        return np.empty_like(a), np.arange(0, dtype=np.int32), np.arange(rows)
    factors, pivots, _ = getrf(a)
    order = np.arange(rows)
    for i, j in enumerate(pivots):
        order[[i, j]] = order[[j, i]]
    return np.ascontiguousarray(factors), pivots, order


def _lu_factors(a):
    lead = a.shape[:-2]
    if not lead:
        return _eliminated(a)
    parts = [_eliminated(each) for each in a.reshape(-1, *a.shape[-2:])]
    if not parts:
        parts = [_eliminated(np.ones(a.shape[-2:], a.dtype))]
        return tuple(np.empty((*lead, *x.shape), x.dtype) for x in parts[0])
    return tuple(np.stack(x).reshape(*lead, *x[0].shape) for x in zip(*parts, strict=True))


def _lu_count(m, n):
    return m * n * min(m, n)


@rule(_lu_factors, rowwise("(m,n)->(m,n),(k),(m)", _lu_count, multiple=True))
def lu_factors(y, _a):
    """PA = LU, with L below the diagonal, beside the exchanges of rows and the order they lead to.

    Where A is square, F = L⁻¹PȦU⁻¹ has the strict lower triangle L⁻¹L̇ and the upper one U̇U⁻¹, so
    that Ā = PᵀL⁻ᴴ(tril(LᴴL̄, −1) + triu(ŪUᴴ))U⁻ᴴ. More rows A₂ have L₂ = A₂U⁻¹, and more columns
    U₂ = L⁻¹A₂. A singular square part raises ``LinAlgError``. S. F. Walter and L. Lehmann,
    *Algorithmic differentiation of linear algebra functions with application in optimum
    experimental design*, 2010; F. de Hoog, R. Anderssen and M. Lukas, *Differentiation of matrix
    functionals using triangular factorization*, Math. Comp. 80, 2011.
    """
    factors, _, order = y
    rows, columns = shape_of(factors)[-2:]
    few = min(rows, columns)
    inner = factors[..., :few, :few]
    lower = np.tril(inner, -1) + np.eye(few, dtype=inner.dtype)
    upper, below, beside = np.triu(inner), factors[..., few:, :few], factors[..., :few, few:]

    def under(b, *, adjoint):
        """L⁻¹B, or L⁻ᴴB."""
        return triangular_solve(lower, b, lower=True, adjoint=adjoint)

    def over(b, *, adjoint_of_u):
        """BU⁻¹, or BU⁻ᴴ."""
        found = triangular_solve(upper, adjoint(b), lower=False, adjoint=not adjoint_of_u)
        return adjoint(found)

    def pushforward(a_dot):
        a_dot = rows_in(a_dot, order)
        inside = over(under(a_dot[..., :few, :few], adjoint=False), adjoint_of_u=False)
        l_dot, u_dot = lower @ np.tril(inside, -1), np.triu(inside) @ upper
        found = l_dot + u_dot
        if rows > few:
            rest = over(a_dot[..., few:, :few] - below @ u_dot, adjoint_of_u=False)
            found = np.concatenate([found, rest], axis=-2)
        if columns > few:
            rest = under(a_dot[..., :few, few:] - l_dot @ beside, adjoint=False)
            found = np.concatenate([found, rest], axis=-1)
        return found, None, None

    def pullback(bars):
        bar = bars[0]
        l_bar, u_bar = np.tril(bar[..., :few, :few], -1), np.triu(bar[..., :few, :few])
        if rows > few:
            below_bar = over(bar[..., few:, :few], adjoint_of_u=True)
            u_bar = u_bar - adjoint(below) @ below_bar
        if columns > few:
            beside_bar = under(bar[..., :few, few:], adjoint=True)
            l_bar = l_bar - beside_bar @ adjoint(beside)
        inside = np.tril(adjoint(lower) @ l_bar, -1) + np.triu(u_bar @ adjoint(upper))
        a_bar = over(under(inside, adjoint=True), adjoint_of_u=True)
        if rows > few:
            a_bar = np.concatenate([a_bar, below_bar], axis=-2)
        if columns > few:
            a_bar = np.concatenate([a_bar, beside_bar], axis=-1)
        return rows_in(a_bar, np.argsort(order, axis=-1))

    return Linear(pushforward, pullback)
