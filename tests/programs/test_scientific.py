"""Programs as scientists write them with NumPy and SciPy, against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import pullback as pb
from benchmarks.workloads.scientific import PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
def test_derivatives_are_those_of_the_function(name: str) -> None:
    program = PROGRAMS[name]()
    function, arguments = program.function, program.arguments
    pb.check(function, *arguments, order=2)
    value, gradient = pb.value_and_grad(function, program.argnums)(*arguments)
    assert_allclose(value, function(*arguments), rtol=1e-13)
    compiled = pb.compile(pb.grad(function, program.argnums))(*arguments)
    for eager, native in zip(gradient, compiled, strict=True):
        assert_allclose(native, eager, rtol=1e-8, atol=1e-9 * np.max(np.abs(eager)))
