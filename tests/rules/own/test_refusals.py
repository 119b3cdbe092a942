"""What is left of an error after which something else is tried."""

from __future__ import annotations

import numpy as np

import pullback as pb
from pullback.rules.own.refusals import in_words


def test_words_and_no_traceback_of_it_or_its_causes():
    inner = outer = None
    try:
        try:
            raise KeyError("a")
        except KeyError as error:
            inner = error
            raise ValueError("b") from error
    except ValueError as error:
        outer = error
    assert in_words(outer) == "ValueError: b"
    assert outer.__traceback__ is inner.__traceback__ is None


def test_errors_that_are_their_own_context():
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__context__ = other, one
    assert in_words(one) == "ValueError: one"


def test_nothing_that_was_traced_is_kept_by_an_error():
    @pb.primitive
    def f(x):
        return np.array([float(each) for each in x])

    f.rule(lambda _y, x: np.array([float(each) for each in x]))
    graph = pb.trace(pb.grad(lambda x: np.sum(f(x))), np.ones(3))
    np.testing.assert_array_equal(graph(np.arange(3.0)), np.arange(3.0))
