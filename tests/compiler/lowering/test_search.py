"""The search in sorted arrays, in loops and as machine code, finds what NumPy finds."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.compiler.compiled import compile
from tests.compiler.interpreted import interpreted

VALUES = np.array([-np.inf, -1.0, 0.0, -0.0, 0.5, 3.0, 7.0, 99.0, np.inf, np.nan]).reshape(2, 5)


@pytest.mark.parametrize("side", ["left", "right"])
def test_places_are_those_of_numpy(side):
    rng = np.random.default_rng(0)
    arrays = [
        np.sort(rng.integers(-4, 9, size=n)) / 2 for n in (0, 1, 2, 3, 9, 16, 17, 31, 32, 100)
    ]
    arrays += [np.array([-np.inf, 0.0, 1.0, np.nan]), np.append(np.arange(30.0), [np.nan, np.nan])]
    for a in arrays:
        expected = np.searchsorted(a, VALUES, side)
        graph = pb.trace(lambda a, x: np.searchsorted(a, x, side), a, VALUES)
        (found,), lowered = interpreted(graph, (a, VALUES))
        assert not lowered.calls
        compiled = compile(lambda a, x: np.searchsorted(a, x, side))(a, VALUES)
        for one in (found, compiled):
            assert one.dtype == expected.dtype
            np.testing.assert_array_equal(one, expected)


def test_dtypes_are_compared_as_numpy_compares_them():
    a, x = np.arange(40), np.array([[-3, 7], [39, 50]])

    def function(a, x):
        return [np.searchsorted(a, x), np.searchsorted(a, x / 2.0), np.searchsorted(a / 3.0, 7)]

    for one, other in zip(compile(function)(a, x), function(a, x), strict=True):
        np.testing.assert_array_equal(one, other)
        assert type(one) is type(other)


def test_what_is_looked_up_where_it_belongs():
    knots = np.linspace(0.0, 1.0, 20)
    x = np.linspace(-0.1, 1.1, 50)

    def function(y, x, knots):
        i = np.clip(np.searchsorted(knots, x) - 1, 0, 18)
        return np.sum(y[i] + (y[i + 1] - y[i]) * (x - knots[i]) * 19)

    gradient = pb.value_and_grad(function, argnums=(0, 1))
    args = (knots**2, x, knots)
    (value, bars), (expected, others) = compile(gradient)(*args), gradient(*args)
    np.testing.assert_allclose(value, expected)
    for one, other in zip(bars, others, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
