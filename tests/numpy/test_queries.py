"""What NumPy says about a traced array it says about the array itself."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

X = np.ones((2, 3), np.float32)


@pytest.mark.parametrize(
    "query",
    [
        np.shape,
        np.ndim,
        np.size,
        lambda x: np.size(x, 1),
        np.result_type,
        lambda x: np.result_type(x, 1.0),
        lambda x: np.result_type(x, np.float64(1.0), np.int8),
        lambda x: np.can_cast(x.dtype, np.float64),
        lambda x: np.min_scalar_type(x[0, 0]),
        lambda x: np.common_type(x, np.arange(3)),
        lambda x: np.may_share_memory(x, x[1:]),
        lambda x: np.may_share_memory(x[:1], x[1:]),
        lambda x: np.shares_memory(x.T, x),
        lambda x: np.shares_memory(x * 1.0, x),
        lambda x: np.shape([x, x]),
        lambda x: len(x),
    ],
)
def test_queries(query):
    assert_answer(query, query(X))


@pytest.mark.parametrize("shown", [np.array2string, np.array_repr, np.array_str])
def test_text(shown):
    assert_answer(shown, f"Tracer({shown(X)})")
    assert_answer(lambda x: shown(x[0, 0], precision=2), f"Tracer({shown(np.asarray(X[0, 0]))})")
    assert_answer(lambda x: shown(np.zeros(3)), shown(np.zeros(3)))


def test_size_along_several_axes():
    """NumPy's older releases count along one axis only."""
    assert_answer(lambda x: np.size(x, (0, -1)), 6)


def assert_answer(query, expected):
    """The answer to `query` about a traced array, in both modes, and its type."""
    answers = []

    def f(x):
        answers.append(query(x))
        return pb.grad(lambda x: np.sum(x) * (answers.append(query(x)) is None))(x).sum()

    pb.pushforward(f, (X,), (X,))
    assert answers == [expected] * 2
    assert {type(answer) for answer in answers} == {type(expected)}
