"""Programs of many arguments and results: more addresses than are read when the code begins."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.compiler.llvm import emission


def scaled(d, k):
    return {name: x * 2.0 + k for name, x in d.items()}


def looped(d, k):
    """Arguments that a loop reads, and one of its own by each side of a choice."""

    def body(carry, x):
        return {name: carry[name] * 0.5 + x[name] for name in d}, None

    found = pb.scan(body, {name: x[0] * 0.0 for name, x in d.items()}, d)[0]
    return pb.cond(k > 0, lambda: found, lambda: {name: x[1] for name, x in d.items()})


@pytest.mark.parametrize("function", [scaled, looped])
@pytest.mark.parametrize("at_once", [8, 10_000])
def test_addresses_are_read_where_they_are_used_or_at_once(function, at_once, monkeypatch):
    monkeypatch.setattr(emission, "_AT_ONCE", at_once)
    rng = np.random.default_rng(0)
    d = {f"k{i}": rng.normal(size=2) for i in range(12)}
    compiled = pb.compile(function)
    for k in (1.5, -1.5):
        found, wanted = compiled(d, k), function(d, k)
        for name in d:
            np.testing.assert_allclose(found[name], wanted[name], rtol=1e-15)


def test_more_leaves_than_addresses_that_are_read_at_once():
    d = {f"k{i}": float(i) for i in range(emission._AT_ONCE + 10)}
    found = pb.compile(scaled)(d, 1.0)
    assert found == scaled(d, 1.0)
