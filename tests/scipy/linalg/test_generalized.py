"""The eigenvalue problem of two matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import pullback as pb
from tests.scipy.derivatives import assert_served

RNG = np.random.default_rng(0)
A = RNG.normal(size=(4, 4)) + np.diag(np.arange(4.0))
B = np.eye(4) + 0.2 * RNG.normal(size=(4, 4))
SYMMETRIC = A + A.T
MASS = B @ B.T


def summed(w, v):
    """Of all pairs, whose order is the solver's own, and does not depend on a phase."""
    return np.sum(np.exp(0.3 * w) * np.abs(v) ** 2, axis=-1)


@pytest.mark.parametrize(
    "f",
    [
        lambda a, b: summed(scipy.linalg.eigvals(a, b), 1.0),
        lambda a, b: summed(*scipy.linalg.eig(a, b)),
        lambda a, b: summed(*scipy.linalg.eig(a, b, left=True)[:2]),
        lambda a, b: summed(*scipy.linalg.eig(a + 1j * b, b)),
    ],
    ids=["values", "right", "left", "complex"],
)
def test_values_and_vectors(f):
    assert_served(f, A, B, tolerance=1e-6)


def test_real_values_have_real_vectors_with_scipys_signs():
    w, v = scipy.linalg.eig(SYMMETRIC, MASS)
    found, _ = pb.vjp(lambda b: scipy.linalg.eig(SYMMETRIC, b), MASS)
    assert np.array_equal(found[0], w) and np.array_equal(found[1], v)
    assert found[1].dtype == v.dtype == np.float64


def test_refusals():
    with pytest.raises(pb.ArgumentTypeError, match=r"linalg\.eig: homogeneous_eigvals with b"):
        pb.vjp(lambda b: scipy.linalg.eig(A, b, homogeneous_eigvals=True), B)
    with pytest.raises(pb.ArgumentTypeError, match=r"linalg\.eig: left vectors of two matrices"):
        pb.vjp(lambda b: scipy.linalg.eig(A, b, left=True, right=False), B)
