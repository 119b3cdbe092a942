"""The eigenvalue problem of two matrices, AV = BVW, and pairs that another solver has found."""

from __future__ import annotations

from typing import Any

import numpy as np

from pullback.core.shapes import dtype_of
from pullback.numpy.factorisations import only_real
from pullback.rules import eigenvalues, linalg
from pullback.rules.chosen_vectors import generalized_pairs
from pullback.rules.complex import adjoint
from pullback.rules.custom import stop_gradient
from pullback.rules.implicit.polishing import anchored

__all__ = ["generalized", "matched", "nearest"]


def generalized(a: Any, b: Any, *, left: bool, right: bool) -> Any:
    """Values and vectors as SciPy gives them, with the derivatives of those of B⁻¹A.

    Of a vector the length is 1, and the phase is one that the derivative does not depend on.
    """
    values, left_ones, right_ones = generalized_pairs(a, b)
    w, v = eigenvalues.eig(linalg.solve(b, a))
    place = nearest(w, values)
    w = anchored(values, np.take_along_axis(w, place, -1))
    if not (left or right):
        return w
    v = np.take_along_axis(v, place[..., None, :], -1)
    found = []
    if left:
        found.append(matched(adjoint(linalg.inv(b @ v)), left_ones))
    if right:
        found.append(matched(v, right_ones))
    real = dtype_of(b).kind != "c" and only_real(a, w)
    return w, *((np.real(x) for x in found) if real else found)


def nearest(w: Any, values: Any) -> Any:
    """Where among `w` the values are that another solver has found."""
    apart = np.abs(stop_gradient(values)[..., :, None] - stop_gradient(w)[..., None, :])
    return np.argmin(apart, axis=-1)


def matched(v: Any, vectors: Any) -> Any:
    """Columns of length 1 with the phases, and the values, that another solver has found."""
    v = v / np.sqrt(np.sum(np.real(v * np.conj(v)), axis=-2, keepdims=True))
    overlap = stop_gradient(np.sum(np.conj(v) * vectors, axis=-2, keepdims=True))
    return anchored(vectors, v * np.where(np.equal(overlap, 0), 1, np.sign(overlap)))
