"""Axes that lowering has merged with that of the samples are taken apart, and results stay."""

from __future__ import annotations

import math

import numpy as np
import pytest

import pullback as pb
from pullback.compiler.fusion import fuse
from pullback.compiler.loops import Kernel, interpret, verify
from pullback.compiler.lowering import lower
from pullback.compiler.split.lying import Lying
from pullback.compiler.split.unmerging import surveyed
from pullback.compiler.stages import Stages

RNG = np.random.default_rng(3)
SAMPLES = 70


def of_rows(w, x):
    return np.sum(np.tanh(np.tanh(x @ w) @ w) ** 2)


@pytest.mark.parametrize(("shape", "axis"), [((SAMPLES, 5, 3), 0), ((5, SAMPLES, 3), 1)])
def test_samples_have_axes_of_their_own(shape, axis):
    x, w = RNG.normal(size=shape), RNG.normal(size=(3, 3))
    graph = Stages(pb.trace(pb.value_and_grad(of_rows), w, x)).graph
    lowered = lower(graph, in_loops=True)
    program = fuse(lowered.program)
    merged = [a.extent for kernel in program.body for a in getattr(kernel, "axes", ())]
    assert 5 * SAMPLES in merged
    step = int(np.prod(shape[axis + 1 :]))
    survey = surveyed(program, SAMPLES, {"x1": Lying(step, SAMPLES)})
    verify(survey.program)
    kernels = [each for each in survey.program.body if isinstance(each, Kernel)]
    kernels = [each for each in kernels if math.prod(a.extent for a in each.axes) >= SAMPLES]
    assert len(kernels) > 3
    assert all(id(kernel) in survey.axes for kernel in kernels)
    assert all(survey.accesses(kernel) is not None for kernel in kernels)
    values = [w.ravel(), x.ravel(), *lowered.constants]
    for one, other in zip(
        interpret(survey.program, values), interpret(program, values), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_an_index_that_is_a_value():
    """It is put together again."""

    def f(x):
        return np.sum(np.tanh(x).reshape(-1) * np.arange(2.0 * SAMPLES))

    x = RNG.normal(size=(SAMPLES, 2))
    graph = Stages(pb.trace(f, x)).graph
    lowered = lower(graph, in_loops=True)
    survey = surveyed(fuse(lowered.program), SAMPLES, {"x0": Lying(2, SAMPLES)})
    verify(survey.program)
    (found,) = interpret(survey.program, [x.ravel(), *lowered.constants])
    np.testing.assert_allclose(found[0], f(x), rtol=1e-12)


def test_report_of_sequences():
    """Their samples are the axis that most is done along."""
    x, w = RNG.normal(size=(30_000, 5, 3)), RNG.normal(size=(3, 3))
    compiled = pb.compile(pb.value_and_grad(of_rows))
    report = compiled.report(w, x)
    assert report.phases == 1 and report.scratch < 4e6
    value, slope = compiled(w, x)
    expected, expected_slope = pb.value_and_grad(of_rows)(w, x)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    np.testing.assert_allclose(slope, expected_slope, rtol=1e-10)
