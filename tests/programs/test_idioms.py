"""Ordinary programs, unmodified: right in both modes, recorded, and in batches."""

from __future__ import annotations

import pytest

import pullback as pb
from tests.programs import flows, kernels, robotics
from tests.programs.idioms import PROGRAMS as IDIOMS

PROGRAMS = [*IDIOMS, *robotics.PROGRAMS, *flows.PROGRAMS, *kernels.PROGRAMS]


def of(programs):
    return pytest.mark.parametrize("program", programs, ids=lambda program: program.name)


@of(PROGRAMS)
def test_values_and_derivatives(program):
    program.assert_value()
    program.assert_reverse()
    program.assert_forward()
    program.assert_second_order()


@of([program for program in PROGRAMS if program.branches is None])
def test_gradients_have_graphs_and_come_in_batches(program):
    program.assert_recorded()
    program.assert_batched()


@of([program for program in PROGRAMS if program.branches is not None])
def test_programs_that_look_at_values_say_so_where_there_are_none(program):
    """The error, and its reason, and not a graph of one of the branches."""
    with pytest.raises(pb.DataDependenceError, match="condition of an if or a while"):
        program.assert_recorded()
    with pytest.raises(pb.DataDependenceError, match="differs from one example to the next"):
        program.assert_batched()
