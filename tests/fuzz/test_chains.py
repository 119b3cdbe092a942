"""A fixed sample of the random chains; `make fuzz` runs as many as there is time for."""

from __future__ import annotations

import pytest

from tests.fuzz.chains import BODIES, MODES, PIECES, Chain, draw, fault_of

TESTS, CHAINS = 2, 100


@pytest.mark.parametrize("part", range(TESTS))
def test_random_chains(part):
    """In bodies, derivatives are those of Python's loops and conditions."""
    faults = {}
    for seed in range(part * CHAINS, (part + 1) * CHAINS):
        chain = draw(seed)
        fault = fault_of(chain)
        if fault is not None:
            faults[seed] = chain, fault
    assert not faults


@pytest.mark.parametrize("body", BODIES)
def test_a_border_between_what_vanishes_and_a_pole(body):
    """On either side of it; elements on which nothing depends stay zero."""
    chains = [
        *(Chain(((body, ("square",)), pole), "zeros and one", mode)
          for pole in ("root", "xlogy") for mode in ("f", "r")),
        *(Chain((inner, (body, ("root",))), "zeros and one", mode)
          for inner in ("square", "nothing") for mode in ("f", "r", "rf", "trace r")),
    ]  # fmt: skip
    assert not [(chain, fault) for chain in chains if (fault := fault_of(chain)) is not None]


def test_chains_have_every_kind_of_part():
    text = " ".join(str(draw(seed)) for seed in range(TESTS * CHAINS))
    assert all(f"'{name}'" in text for name in (*PIECES, *BODIES, *MODES))
