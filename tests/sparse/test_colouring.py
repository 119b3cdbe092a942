"""Colourings of known matrices, and that any colouring tells all entries apart."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from pullback.sparse.colouring import coloured, peeled, symmetric
from pullback.sparse.compression import compressed, compressed_symmetric
from pullback.sparse.pattern import csr


def boolean(matrix) -> sp.csr_array:
    found = sp.csr_array(matrix)
    found.sort_indices()
    return csr(found.indices, found.indptr, found.shape)


def tridiagonal(n: int):
    return boolean(sp.diags_array([np.ones(n - 1), np.ones(n), np.ones(n - 1)], offsets=[-1, 0, 1]))


def five_points(n: int):
    line, one = tridiagonal(n).astype(float), sp.eye_array(n)
    return boolean(sp.kron(line, one) + sp.kron(one, line))


def arrow(n: int):
    matrix = np.eye(n)
    matrix[0] = matrix[:, 0] = 1
    return boolean(matrix)


def random(seed: int):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 30, 2)
    matrix = rng.random((m, n)) < rng.choice([0.05, 0.2, 0.6])
    matrix[rng.random(m) < 0.1] = True
    return boolean(matrix)


def test_known_numbers_of_colours() -> None:
    assert coloured(tridiagonal(60), 0).count == 3
    assert 5 <= coloured(five_points(12), 0).count <= 7
    assert compressed(arrow(30), (1, 1))[0] == 3
    assert compressed_symmetric(arrow(30), 1)[0] == 2
    assert compressed_symmetric(tridiagonal(30), 1)[0] == 3
    assert compressed_symmetric(boolean(np.eye(7)), 1)[0] == 1


def test_compiled_loops_colour_as_python_does(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = five_points(10)
    by_python = coloured(matrix, 0), symmetric(matrix, 0)
    monkeypatch.setattr("pullback.sparse.kernels.SMALL", 0)
    monkeypatch.setattr("pullback.sparse.colouring.WORTH_A_STAR", 0)
    for found, wanted in zip((coloured(matrix, 0), symmetric(matrix, 0)), by_python, strict=True):
        assert np.array_equal(found.colours, wanted.colours)


@pytest.mark.parametrize("seed", range(40))
def test_each_entry_is_alone_in_its_product(seed: int) -> None:
    matrix = random(seed)
    rng = np.random.default_rng(seed)
    values = matrix.toarray() * rng.normal(size=matrix.shape)
    score, found = compressed(matrix, tuple(rng.choice([1.0, 3.0], 2)))
    assert score > 0 or not matrix.nnz
    forward = np.stack([values @ (found.forward == c) for c in range(found.forwards)] or [[]])
    reverse = np.stack([(found.reverse == c) @ values for c in range(found.reverses)] or [[]])
    got = [
        (reverse if way else forward)[product, place]
        for way, product, place in zip(found.directions, found.products, found.places, strict=True)
    ]
    np.testing.assert_allclose(got, values[matrix.toarray()], rtol=1e-12)


@pytest.mark.parametrize("seed", range(40))
def test_each_entry_of_a_symmetric_matrix_is_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    matrix = rng.random((n, n)) < rng.choice([0.02, 0.1, 0.4])
    matrix[: rng.integers(0, 2)] = True
    matrix = boolean(matrix | matrix.T)
    values = rng.normal(size=(n, n))
    values = matrix.toarray() * (values + values.T)
    _, found = compressed_symmetric(matrix, 1)
    forward = np.stack([values @ (found.forward == c) for c in range(found.forwards)] or [[]])
    got = forward[found.products, found.places] if matrix.nnz else np.zeros(0)
    np.testing.assert_allclose(got, values[matrix.toarray()], rtol=1e-12)


def test_rows_are_peeled_where_that_takes_less() -> None:
    assert peeled(np.array([1, 9, 2, 9]), 1, 1) == (2, 4.0)
    assert peeled(np.array([3, 3, 3]), 1, 1) == (0, 3.0)
    assert peeled(np.array([9, 1]), 100, 1) == (0, 9.0)
    assert peeled(np.zeros(0, int), 1, 1) == (0, 0.0)
