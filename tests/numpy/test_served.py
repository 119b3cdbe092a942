"""np.r_, np.c_, np.mgrid and np.ogrid of traced values, and of plain ones inside a function."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy import c_, r_
from numpy.testing import assert_array_equal

import pullback as pb
from tests.numpy.agreement import assert_derivative

RNG = np.random.default_rng(17)

X = RNG.normal(size=3)
A = RNG.normal(size=(3, 2))

JOINS = {
    "numbers beside": lambda x, a: np.r_[x, 0, 1.5, x[:1]],
    "a number alone": lambda x, a: np.r_[x[0]],
    "lists": lambda x, a: np.r_[[1, 2], x, [x[0], 3.0]],
    "nothing traced": lambda x, a: np.r_[0, 1.5, np.ones(2)],
    "ranges": lambda x, a: np.r_[0:1:3j, x, 0:4],
    "to a traced end": lambda x, a: np.r_[0 : x[0] : 4j],
    "columns": lambda x, a: np.c_[x, a, np.ones(3)],
    "columns of a range": lambda x, a: np.c_[x, 0:3],
    "rows": lambda x, a: np.r_[a, np.eye(2)],
    "axis": lambda x, a: np.r_["1", a, a**2],
    "axis, ranks": lambda x, a: np.r_["0,2", x, x],
    "axis, ranks, place": lambda x, a: np.r_["0,2,0", x, x],
    "last axis": lambda x, a: np.r_["-1", a, a],
    "complex": lambda x, a: np.r_[x, 1j],
    "imported names": lambda x, a: r_[c_[x, a].ravel(), x],
}


@pytest.mark.parametrize("join", JOINS.values(), ids=JOINS)
def test_joins_are_numpys(join):
    """Values, dtypes and shapes in every mode, and derivatives."""
    expected = join(X, A)

    def probed(x, a):
        out = join(x, a)
        assert isinstance(out, np.ndarray)
        assert (out.dtype, out.shape) == (expected.dtype, expected.shape)
        return out

    assert_derivative(probed, X, A)
    assert_array_equal(pb.vmap(probed)(np.stack([2 * X, X]), np.stack([-A, A]))[1], expected)
    assert_array_equal(pb.trace(probed, X, A)(X, A), expected)


def test_precision_is_numpys():
    """Numbers adapt to the precision of arrays; arrays and lists do not."""
    x = X.astype(np.float32)
    for join in (lambda x: np.r_[x, 2.0, 1], lambda x: np.r_[x, [0.5]], lambda x: np.c_[x, x]):
        out, pull = pb.vjp(join, x)
        assert out.dtype == join(x).dtype
        assert pull(out)[0].dtype == np.float32


def test_parts_of_what_is_joined_are_numbers():
    """A part in which nothing is traced is no array of objects."""

    def f(x):
        rotation = np.c_[np.eye(2), x][:, :2]
        assert rotation.dtype == np.float64
        return np.sum(rotation @ x)

    assert_array_equal(pb.grad(f)(np.array([1.0, 2.0])), [1, 1])


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.r_[0:1:3j],
        lambda: np.r_[1.0, 2.0, 3.0],
        lambda: np.c_[[1.0, 2.0, 3.0]],
        lambda: np.mgrid[0:1:3j],
        lambda: np.mgrid[0:2:3j, 0:1:2j][0],
        lambda: np.ogrid[0:1:3j],
        lambda: np.ogrid[0:2:3j, 0:1:2j][0],
        lambda: np.ogrid[0:2:2j, 0:1:3j][1].T,
    ],
)
def test_what_they_make_can_be_written_to(make):
    def f(x):
        y = make()
        y[1:] *= x
        y[0] = x**2
        return np.sum(y)

    plain = make()
    slope = plain[1:].sum() + 2 * 3.0 * plain[0].size
    assert pb.grad(f)(3.0) == slope
    assert pb.pushforward(f, (3.0,), (1.0,))[1] == slope


def test_integers_of_a_grid_can_be_indices():
    def f(x):
        i, j = np.mgrid[0:2, 0:2]
        assert type(i) is np.ndarray
        return np.sum(x[i, j] * [[1, 2], [3, 4]]) + np.sum(x[np.r_[0, 1], 0])

    assert_array_equal(pb.grad(f)(A[:2]), [[2, 2], [4, 4]])


def test_what_is_served_says_that_it_is_numpys():
    def f(x):
        assert np.r_ == outside and outside == np.r_ and hash(np.r_) == hash(outside)
        assert pickle.loads(pickle.dumps(np.r_)) == np.r_
        assert repr(np.mgrid) == repr(grid)
        with pytest.raises(ValueError, match="special directives must be the first entry"):
            np.r_[x, "r"]
        with pytest.raises(ValueError, match="need at least one array"):
            np.r_[()]
        return x

    outside, grid = np.r_, np.mgrid
    pb.grad(f)(1.0)
    assert np.r_ is outside and r_ is outside and np.mgrid is grid


def test_names_of_matrices_are_the_callers():
    def f(x):
        left, right = np.eye(2), np.ones((2, 1))
        with pytest.warns(PendingDeprecationWarning):
            assert np.r_["left, right"].shape == (2, 3)
        assert left.shape[0] == right.shape[0]
        return x

    pb.grad(f)(1.0)
