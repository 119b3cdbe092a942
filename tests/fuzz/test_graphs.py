"""A fixed sample of the random graphs; `make fuzz` runs as many as there is time for."""

from __future__ import annotations

import pytest

from tests.compiler.speed import quickly
from tests.fuzz.graphs import draw, fault_of

TESTS, GRAPHS = 6, 8


@pytest.mark.parametrize("part", range(TESTS))
def test_random_graphs(part):
    for seed in range(part * GRAPHS, (part + 1) * GRAPHS):
        graph = draw(seed)
        with quickly():
            fault = fault_of(graph)
        assert fault is None, f"number {seed}\n{graph}\n{fault}"


def test_programs_are_long_and_use_every_kind_of_step():
    graphs = [draw(seed) for seed in range(TESTS * GRAPHS)]
    assert max(len(graph.steps) for graph in graphs) == 60
    assert len({step.name for graph in graphs for step in graph.steps}) > 30
