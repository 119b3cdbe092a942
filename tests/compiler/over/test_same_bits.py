"""Chunks give the bits of a call with all samples, however often they are gone through."""

from __future__ import annotations

import numpy as np
import optree
import pytest

import pullback as pb
from tests.compiler.over.programs import Case, random_case

CASES = {
    # A phase does again what read a copy of the inputs in an earlier one.
    "a copy": Case.of(
        [
            ("product", 0, 0), ("product", 0, 0), ("column", 0, 0), ("layer", 0, 0),
            ("column", 0, 3), ("product of sums", 0, 1), ("max", 0, 1), ("product of sums", 1, 1),
        ],
        (12_345, 24, 7), np.float32, True,
    ),
    # A matrix that two phases need lies row by row: the sum of a row is taken in that order.
    "a matrix": Case.of(
        [
            ("product of sums", 0, 0), ("layer", 0, 0), ("mean", 1, 0), ("sum", 1, 0),
            ("softplus", 0, 1), ("max", 0, 1), ("rows", 1, 1), ("max", 0, 1),
        ],
        (12_345, 5, 4), np.float32, True,
    ),
    **{f"random {seed}": random_case(seed) for seed in (0, 1)},
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::pullback.IndependentOutputWarning")
@pytest.mark.parametrize("name", CASES)
def test_chunks_give_the_bits_of_a_call(name: str) -> None:
    case = CASES[name]
    compiled = pb.compile(case.function(), split=[None, 0, 0])
    arguments = case.parameters, case.x, case.y
    report = compiled.report(*arguments)
    if report.samples != len(case.y):
        return  # it isn't split along them
    wanted = compiled(*arguments)
    for blocks in (1, 2):
        size = report.block * blocks
        starts = range(0, len(case.y), size)
        chunks = [(case.x[i : i + size].copy(), case.y[i : i + size].copy()) for i in starts]
        found = compiled.over(chunks, axes=0, samples=len(case.y))(case.parameters)
        pairs = zip(optree.tree_leaves(wanted), optree.tree_leaves(found), strict=True)
        for one, other in pairs:
            assert np.asarray(one).tobytes() == np.asarray(other).tobytes()


def test_the_programs_are_gone_through_several_times() -> None:
    for name in ("a copy", "a matrix"):
        case = CASES[name]
        report = pb.compile(case.function()).report(case.parameters, case.x, case.y)
        assert report.phases > 1
        assert report.samples == len(case.y)
