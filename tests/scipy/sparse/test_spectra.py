"""Parts of spectra, and functions of sparse matrices with traced elements."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as sl

import pullback as pb
from tests.scipy.derivatives import assert_served

N = 6
RNG = np.random.default_rng(0)
GENERAL = RNG.normal(size=(N, N)) + np.diag(2.0 * np.arange(N))
SYMMETRIC = GENERAL + GENERAL.T
MASS = np.eye(N) + 0.1 * SYMMETRIC @ SYMMETRIC.T / N
START, SCALE = np.ones(N), np.array(1.3)
BAND = sp.csc_array(np.triu(np.tril(GENERAL, 1), -1) + 4 * np.eye(N))


def moved(x, t):
    return sp.csr_array(x) * t + sp.diags_array(np.arange(N) * 1.0) * t**2


SPECTRA = {
    "largest": lambda t: sl.eigsh(moved(SYMMETRIC, t), 2, v0=START)[0],
    "smallest": lambda t: sl.eigsh(moved(SYMMETRIC, t), 2, which="SA", v0=START)[0],
    "near": lambda t: sl.eigsh(
        moved(SYMMETRIC, t), 2, sigma=0.1, v0=START, return_eigenvectors=False
    ),
    "vectors": lambda t: np.abs(sl.eigsh(moved(SYMMETRIC, t), 2, v0=START)[1]),
    "two matrices": lambda t: sl.eigsh(moved(SYMMETRIC, t), 2, sp.csc_array(MASS) * t, v0=START)[0],
    "their vectors": lambda t: np.abs(
        sl.eigsh(moved(SYMMETRIC, t), 2, sp.csc_array(MASS) * t, v0=START)[1]
    ),
    "a dense one": lambda t: sl.eigsh(SYMMETRIC * t + t**2 * np.eye(N), 2, v0=START)[0],
    "not symmetric": lambda t: np.abs(sl.eigs(moved(GENERAL, t), 2, v0=START)[0]),
    "singular": lambda t: sl.svds(moved(GENERAL, t)[:, :5], 2, v0=START[:5])[1],
    "left singular": lambda t: np.abs(sl.svds(moved(GENERAL, t)[:, :5], 2, v0=START[:5])[0]),
    "without vectors": lambda t: sl.svds(
        moved(GENERAL, t), 2, v0=START, return_singular_vectors=False
    ),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_parts_of_spectra(name):
    assert_served(SPECTRA[name], SCALE, tolerance=1e-6)


def test_vectors_have_the_signs_that_scipy_gives_them():
    def vectors(t):
        return sl.eigsh(moved(SYMMETRIC, t), 2, v0=START)[1]

    np.testing.assert_allclose(pb.vjp(vectors, SCALE)[0], vectors(SCALE), atol=1e-12)


FUNCTIONS = {
    "inv": lambda t: sl.inv(BAND * t).toarray(),
    "inv of a matrix": lambda t: sl.inv(sp.csc_matrix(BAND) * t).toarray(),
    "expm": lambda t: sl.expm(BAND * (0.1 * t)).toarray(),
    "matrix_power": lambda t: sl.matrix_power(BAND * t, 3).toarray(),
    "expm_multiply": lambda t: sl.expm_multiply(BAND * (0.1 * t), t * START),
    "expm_multiply in times": lambda t: sl.expm_multiply(
        BAND * (0.1 * t), np.eye(N)[:, :2], start=0.0, stop=1.0, num=3
    ),
    "expm_multiply of a constant": lambda t: sl.expm_multiply(
        0.1 * BAND, t * START, start=0.0, stop=1.0, num=3, endpoint=False
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_a_matrix(name):
    assert_served(FUNCTIONS[name], SCALE)


def test_results_have_the_classes_that_scipy_gives_them():
    for make in (sp.csc_array, sp.csc_matrix):
        matrix = make(BAND)
        for function in (sl.inv, sl.expm, lambda x: sl.matrix_power(x, 2)):
            found: list = []

            def keep(t, function=function, matrix=matrix, found=found):
                found.append(function(matrix * t))
                return t

            pb.vjp(keep, 1.0)
            plain = function(matrix)
            assert isinstance(found[0], sp.sparray) == isinstance(plain, sp.sparray)
            assert found[0].format == plain.format
