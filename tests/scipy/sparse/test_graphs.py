"""scipy.sparse.csgraph with traced weights."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.csgraph as graphs

import pullback as pb
from tests.scipy.sparse.test_operators import check

WEIGHTS = np.random.default_rng(2).random((4, 4))
WEIGHTS[0] = WEIGHTS[:, 0] = 0  # a vertex on its own
GRAPH = sp.csr_array(WEIGHTS)


def of(data):
    return sp.csr_array((data, GRAPH.indices, GRAPH.indptr), shape=(4, 4))


@pytest.mark.parametrize(
    "options",
    [{}, {"normed": True}, {"use_out_degree": True}, {"normed": True, "symmetrized": True}],
)
def test_the_laplacian(options):
    whole = WEIGHTS[1:, 1:] if "normed" in options else WEIGHTS
    check("dense", lambda w: graphs.laplacian(w, **options), whole, bits=False)
    check("sparse", lambda d: graphs.laplacian(of(d), **options), GRAPH.data, bits=False)
    check(
        "degrees",
        lambda d: graphs.laplacian(of(d), return_diag=True, **options)[1],
        GRAPH.data,
        bits=False,
    )


def test_what_is_passed_through_and_what_is_refused():
    gradient = pb.grad(lambda d: np.sum(sp.find(of(d))[2] ** 2))
    np.testing.assert_array_equal(gradient(GRAPH.data), 2 * GRAPH.data)
    for call, words in {
        lambda d: graphs.shortest_path(of(d)): r"csgraph\.shortest_path met .*weights",
        lambda d: graphs.minimum_spanning_tree(of(d)): "minimum_spanning_tree met",
        lambda d: graphs.csgraph_to_dense(of(d)): r"csgraph_to_dense met .*csr_array",
        lambda d: graphs.laplacian(of(d), form="lo"): "laplacian: form and dtype",
        lambda d: graphs.laplacian(of(d)[:2]): r"laplacian: csgraph has shape \(2, 4\)",
    }.items():
        with pytest.raises(pb.PullbackError, match=words):
            pb.vjp(call, GRAPH.data)
