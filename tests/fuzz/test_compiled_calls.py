"""A fixed sample of the random calls of compiled functions, and what once went wrong."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.compiler.speed import quickly
from tests.fuzz.compiled_calls import fault_of

TESTS, FUNCTIONS = 4, 6


@pytest.mark.parametrize("part", range(TESTS))
def test_random_calls(part):
    for seed in range(part * FUNCTIONS, (part + 1) * FUNCTIONS):
        with quickly():
            fault = fault_of(seed, calls=12)
        assert fault is None, f"number {seed}\n{fault}"


def test_results_without_arrays():
    f = pb.compile(lambda x, y: [])
    assert f([], np.ones(2)) == f([], np.ones(2)) == []


def test_dtypes_that_machine_code_has_not():
    f = pb.compile(lambda x: x * 2)
    with pytest.raises(TypeError, match=r"compile of f: the argument x has the dtype .*astype"):
        f(np.ones(3, np.longdouble))
    g = pb.compile(lambda x: np.sum(x.astype(np.longdouble) * 3).astype(float))
    assert g(np.ones(3)) == 9.0


def test_constants_that_lie_anyhow():
    raw = np.arange(65, dtype=np.uint8)[1:].view(np.float64)
    swapped = np.arange(40.0).astype(">f8")
    f = pb.compile(lambda x: np.sum(raw * 0.0) + x @ swapped)
    assert f(np.ones(40)) == 780.0
