"""Numbers with units beside traced values: they keep their unit and the derivative."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import pullback as pb


class Quantity:
    """A magnitude and a unit, with the operators of a library of units."""

    __array_priority__ = 17

    def __init__(self, magnitude, units):
        self.magnitude, self.units = magnitude, units

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.magnitude, dtype=dtype)

    def __mul__(self, other):
        return Quantity(self.magnitude * other, self.units)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return Quantity(self.magnitude / other, self.units)

    def __rtruediv__(self, other):
        return Quantity(other / self.magnitude, f"1/{self.units}")

    def __add__(self, other):
        raise ValueError(f"{self.units} and no unit were to be added")

    __radd__ = __sub__ = __rsub__ = __add__


X = np.array([1.0, 2.0, 3.0])
LENGTHS = {"array": np.array([0.5, 1.0, 2.0]), "number": 2.0}


@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
def test_units_are_kept_on_either_side(length):
    metres = Quantity(length, "m")
    for operate in (operator.mul, operator.truediv):
        for f in (lambda x: operate(x, metres), lambda x: operate(metres, x)):  # noqa: B023

            def loss(x, f=f):
                y = f(x)
                assert y.units == (f(X).units)
                return np.sum(y.magnitude)

            step = 1e-6 * np.eye(3)
            wanted = [(loss(X + e) - loss(X - e)) / 2e-6 for e in step]
            np.testing.assert_allclose(pb.grad(loss)(X), wanted, rtol=1e-8)
            np.testing.assert_allclose(pb.jvp(loss, (X,), (X,))[1], X @ wanted, rtol=1e-8)
    for f in (lambda x: x + metres, lambda x: metres - x):
        with pytest.raises(ValueError, match="m and no unit were to be added"):
            pb.grad(lambda x, f=f: np.sum(f(x).magnitude))(X)


def test_units_beside_arrays_made_inside():
    metres = Quantity(2.0, "m")

    def f(x):
        y = np.ones(3) * metres
        assert type(y) is Quantity
        return np.sum(x * y.magnitude)

    np.testing.assert_array_equal(pb.grad(f)(X), [2.0, 2.0, 2.0])
