"""Constants with the same elements are one, whatever their size."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.graph.interning import LARGE, MOST_ALIKE, Interned
from pullback.graph.variable import Variable
from pullback.passes.common import share_equal
from pullback.passes.simplification import simplify
from tests.passes.inspection import names

SHAPE = (130, 90)
rng = np.random.default_rng(3)
A = rng.standard_normal(SHAPE)


def changed(array, place, value):
    out = array.copy()
    out[place] = value
    return out


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int64", "i1"])
def test_what_is_equal(dtype):
    array = np.resize((A * 50).astype(dtype), (300, 290))
    assert array.nbytes > LARGE
    constants = Interned()

    def find(value):
        variable = Variable(value.shape, value.dtype, array=True)
        found, turned = constants.find(value, variable)
        return found is not variable, turned

    assert find(array) == (False, False)
    assert find(array) == find(array.copy()) == find(np.asfortranarray(array)) == (True, False)
    assert find(array.T) == find(array.T.copy()) == (True, True)
    assert find(changed(array, (3, 7), 100)) == (False, False)
    assert find(changed(array, (0, 0), 100)) == (False, False)
    assert find(changed(array, (3, 7), 100).T) == (True, True)
    assert find(array[:, :289]) == find(array.astype(">c16")) == (False, False)
    assert find(array.ravel()) == (False, False)
    assert find(array.ravel().copy()) == (True, False)


def test_bits_are_compared():
    zeros, minus, nan = np.zeros(SHAPE), -np.zeros(SHAPE), np.full(SHAPE, np.nan)
    constants = Interned()
    variables = [Variable(SHAPE, np.dtype(float), array=True) for _ in range(4)]
    for value, variable in zip((zeros, minus, nan), variables, strict=False):
        assert constants.find(value, variable) == (variable, False)
    assert constants.find(nan.copy(), variables[3]) == (variables[2], False)


def test_many_that_agree_in_what_is_compared_first():
    constants = Interned()
    for number in range(2 * MOST_ALIKE):
        array = changed(A, (1, 2), number)
        variable = Variable(SHAPE, array.dtype, array=True)
        assert constants.find(array, variable) == (variable, False)
    assert len(*constants._large.values()) == MOST_ALIKE


def test_in_a_graph():
    copy, turned = A.copy(), A.T.copy()

    def f(x, y):
        return A @ x, copy @ (2 * x), turned @ y, (x @ turned) * 1.0

    x, y = rng.standard_normal(SHAPE[1]), rng.standard_normal(SHAPE[0])
    graph = pb.trace(f, x, y)
    for new in (share_equal(graph), simplify(graph)):
        new.verify()
        assert len(new.constants) == 1
        assert names(new).count("transpose") == 1
        for got, wanted in zip(new(x, y), graph(x, y), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)
    assert str(simplify(simplify(graph))) == str(simplify(graph))
