"""Checks in a library's code that ask about values that are not known."""

from __future__ import annotations

import warnings
from types import FunctionType, ModuleType

import numpy as np
import pytest

import pullback as pb
from pullback.errors import DataDependenceError

LIBRARY = ModuleType("scipy.made_up")


def raising(x):
    if x > 0:
        raise ValueError("x is positive")
    return 2 * x


def raising_otherwise(x):
    if not x > 0:
        raise ValueError("x is not positive")
    return 2 * x


def one_of_two(x):
    if x < 0 or x > 1:
        raise ValueError("x is outside")
    return 2 * x


def one_error_of_two(x, kind="a"):
    if x < 0:
        if kind == "a":
            raise ValueError("x is negative")
        raise TypeError("x is negative")
    return 2 * x


def warning(x):
    if abs(x) < 45:
        warnings.warn("x is small", stacklevel=2)
    return 2 * x


def last(x):
    if x > 0:
        return 2 * x
    raise ValueError("x is not positive")


def deciding(x):
    if x > 0:
        return 2 * x
    return 3 * x


def in_a_library(function):
    names = {**function.__globals__, "__name__": LIBRARY.__name__}
    return FunctionType(function.__code__, names, None, function.__defaults__)


@pytest.mark.parametrize(
    "function",
    [raising, raising_otherwise, one_of_two, one_error_of_two, warning, last],
)
def test_a_check_is_passed_where_the_value_is_not_known(function):
    checked = in_a_library(function)
    np.testing.assert_array_equal(pb.vmap(checked)(np.array([0.5, 50.0])), [1.0, 100.0])
    assert pb.trace(checked, 0.5)(0.25) == 0.5
    assert pb.trace(pb.grad(checked), 0.5)(0.5) == 2.0
    with pytest.raises(DataDependenceError):  # not in the user's own code
        pb.vmap(function)(np.array([0.5, 50.0]))


def test_what_is_known_is_checked():
    with pytest.raises(ValueError, match="x is positive"):
        pb.grad(in_a_library(raising))(1.0)


def test_a_decision_between_two_values_is_refused():
    for transform in (pb.vmap, lambda f: pb.trace(lambda x: f(x[0]), np.ones(2))):
        with pytest.raises(DataDependenceError):
            transform(in_a_library(deciding))(np.array([0.5, 50.0]))
