"""The cheapest cut of a network."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pullback.graph.flow import Network

NODES = 7
edges = st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1), st.integers(0, 9))


@given(st.lists(edges, max_size=20))
def test_no_cut_is_cheaper(made):
    network = Network()
    for _ in range(2, NODES):
        network.node()
    for start, end, capacity in made:
        network.connect(start, end, capacity)

    def weight(late):
        return sum(capacity for start, end, capacity in made if late[end] and not late[start])

    late = network.sink_side()
    assert late[Network.SINK]
    assert not late[Network.SOURCE]
    cuts = [(False, True, *rest) for rest in itertools.product([False, True], repeat=NODES - 2)]
    least = min(map(weight, cuts))
    assert weight(late) == least
    # Of those that are as cheap it is the one next to the sink.
    for cut in cuts:
        if weight(cut) == least:
            assert all(behind or not here for here, behind in zip(late, cut, strict=True))
