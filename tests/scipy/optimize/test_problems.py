"""Solutions that SciPy finds, as functions of a parameter, against mpmath's solutions."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import pullback as pb
from tests.grouping import together
from tests.scipy.optimize.problems import FITS, MINIMA, PROGRAMS, ROOTS, exact

A = 1.3


def check(problem):
    """First and second order in both modes; the value is SciPy's to the bit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy's own
        expected = problem.solve(A)
        (value, first), (forward, second) = pb.pushforward(
            pb.value_and_grad(problem.solve), (A,), (1.0,)
        )
    assert value == expected
    np.testing.assert_allclose(first, exact(problem, A, 1), rtol=1e-9)
    np.testing.assert_allclose(forward, first, rtol=1e-12)
    np.testing.assert_allclose(second, exact(problem, A, 2), rtol=1e-8)


@together("name")
@pytest.mark.parametrize("name", ROOTS)
def test_roots(name):
    check(ROOTS[name])


@together("name")
@pytest.mark.parametrize("name", MINIMA)
def test_minima(name):
    check(MINIMA[name])


@together("name")
@pytest.mark.parametrize("name", FITS)
def test_fits(name):
    check(FITS[name])


@together("name")
@pytest.mark.parametrize("name", PROGRAMS)
def test_linear_programs(name):
    check(PROGRAMS[name])
