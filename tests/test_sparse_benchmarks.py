"""The benchmarks of sparse matrices: problems are the same for all sides, and what is reported."""

from __future__ import annotations

import numpy as np

import pullback as pb
from benchmarks.sparse import command, problems, sides

FIGURES = {
    "pullback": {"pattern": 0.04, "prepare": 0.2, "values": 0.005},
    "pullback, compiled": {"pattern": 0.04, "prepare": 0.4, "values": 0.003},
    "CasADi SX": {"pattern": 0.4, "prepare": 4.0, "values": 0.01},
}


def test_problems_have_the_sparse_derivatives_of_dense_ones() -> None:
    small = [
        problems.reaction_diffusion(4),
        problems.band(7),
        problems.adjustment(2, 4, 9),
        problems.adjustment(2, 4, 9, hessian=True),
    ]
    for problem in small:
        f, x = problem.spelled(np), problem.example
        side = sides.ours(problem, compiled=False)
        dense = (pb.hessian if problem.hessian else pb.jacobian)(f)(x)
        found = side.prepare()()
        assert found.nnz <= side.pattern() <= found.nnz + x.size
        wanted = np.reshape(dense, found.shape)
        np.testing.assert_allclose(found.toarray(), wanted, atol=1e-9 * np.abs(wanted).max())


def test_a_table_shows_ours_beside_the_others() -> None:
    beside = "   ours ÷ this: 0.100, 0.050, 0.500; compiled 0.300"
    assert command.as_text("a problem", FIGURES).splitlines()[1:] == [
        "                           pattern     prepare      values",
        "  pullback                40.00 ms   200.00 ms     5.00 ms",
        "  pullback, compiled      40.00 ms   400.00 ms     3.00 ms",
        f"  CasADi SX              400.00 ms  4000.00 ms    10.00 ms{beside}",
    ]


def test_growth_is_measured_for_each_size() -> None:
    found = command.measured_growth([50, 100], 1)
    assert [*found] == [50, 100]
    assert all(set(row) == set(command.STAGES) for row in found.values())
    assert command.growth_as_text(found).count("\n") == 3
