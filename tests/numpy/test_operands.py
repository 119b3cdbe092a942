"""Arrays, scalars and nested lists of tracers are accepted wherever NumPy takes an array."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from pullback.numpy.operands import operand, refuse


def test_nested_lists_of_traced_and_plain_numbers_become_one_array():
    def f(x):
        return operand([[x[0], 1.0], (x[1], 2)])

    x = np.array([3.0, 4.0])
    out, push = pb.linearize(f, x)
    np.testing.assert_array_equal(out, [[3, 1], [4, 2]])
    np.testing.assert_array_equal(push(np.array([5.0, 6.0])), [[5, 0], [6, 0]])


def test_what_is_an_array_stays_itself():
    for x in (np.ones(2), np.float32(1.0), 2, 2.0, 1j, True):
        assert operand(x) is x
    np.testing.assert_array_equal(operand([1, 2]), np.array([1, 2]), strict=True)


def test_a_refusal_names_function_argument_value_and_remedy():
    words = r"np\.sum: the argument order \('Z'\) is not supported .*; leave it out"
    with pytest.raises(pb.ArgumentTypeError, match=words):
        refuse("np.sum", "order", "Z", "leave it out")


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.dot(x, [1.0, 2.0]),
        lambda x: np.inner([1.0, 2.0], x),
        lambda x: np.einsum("i,i", x, [1.0, 2.0]),
        lambda x: np.outer([1, 2], x),
        lambda x: np.tensordot(x, [1.0, 2.0], 1),
        lambda x: np.kron([1.0, 2.0], x),
        lambda x: np.linalg.solve([[2.0, 0.0], [0.0, 4.0]], x),
        lambda x: np.convolve(x, [1.0, 2.0]),
    ],
)
def test_functions_take_lists_beside_traced_arrays(function):
    x = np.array([3.0, 5.0])
    out, push = pb.linearize(function, x)
    np.testing.assert_allclose(out, function(x), rtol=1e-15, strict=True)
    np.testing.assert_allclose(push(x), function(x), rtol=1e-15)
