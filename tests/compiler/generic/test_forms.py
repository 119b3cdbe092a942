"""Programs known by their numbers are those that lowering gives, size by size."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.compiler.stages import Stages
from tests.compiler.test_sizes_compiled import PROGRAMS, ordered

SIZES = (9, 13, 22, 30, 41, 57, 64, 100, 150, 257, 1000)


def staged(program, n):
    arguments = PROGRAMS[program](n)
    function = pb.value_and_grad(program, argnums=tuple(range(len(arguments))))
    return Stages(pb.trace(function, *arguments))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_known_program_is_the_lowered_one(program):
    first, other = staged(program, SIZES[0]), staged(program, SIZES[1])
    _, forms = other.for_any(first)
    if forms is None:
        assert any(type(hole.value) is np.ndarray for hole in other.outline.holes)
        return
    if not forms.gives(first.outline.holes, first.for_any(other)[0].known):
        # A sorting network has its steps from its size by other means: it is lowered each time.
        assert program is ordered
        return
    for n in SIZES[2:]:
        one = staged(program, n)
        if one.outline.key != first.outline.key:
            continue
        known = forms.at(one.outline.holes)
        if known is not None:
            lowered = one.for_any(first)[0].known
            assert known.numbers == lowered.numbers
            assert known.equals(lowered)
            assert known.room.layout() == lowered.room.layout()


def test_sizes_that_are_looked_at_are_kept_apart():
    """What is decided by a size is decided again for each."""

    def f(x):
        return np.sum(np.roll(x, 5) * x)

    def at(n):
        return Stages(pb.trace(pb.grad(f), np.ones(n)))

    first, other = at(40), at(90)
    _, forms = other.for_any(first)
    assert forms is not None
    for n in (*range(6, 20), 1000):
        one = at(n)
        if one.outline.key == first.outline.key:
            known = forms.at(one.outline.holes)
            assert known is None or known.equals(one.for_any(first)[0].known)
