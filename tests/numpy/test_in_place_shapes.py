"""``y.shape = shape``, and writes through diagonals of `numpy.einsum`: NumPy's aliasing rules.

What comes out is NumPy's, and the derivatives are those of its results, by differences.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import pullback as pb

X = np.array([0.5, -1.0, 2.0, 0.3, -0.7, 1.1])
W = np.arange(1.0, 7.0)


def shaped(x):
    y = x * 2
    y.shape = (2, 3)
    return np.sum(y[1] * W[:3])


def views_keep_theirs(x):
    y = x * 2
    v = y[1:]
    u = v[1:]
    y.shape = (2, 3)
    y[1, 1] = 7.0 * x[0]
    v[0] = x[5] ** 2
    u[0] = x[3]
    return np.sum(y * y * W.reshape(2, 3)) + np.sum(u * v[:4])


def made_inside(x):
    y = np.zeros(6)
    v = y[2:]
    y.shape = (3, 2)
    y[0] = x[:2]
    v[1] = x[4] * x[4]
    return np.sum(y * W.reshape(3, 2) ** 2) + np.sum(v * W[:4])


def a_view(x):
    y = x.copy()
    v = y[1:5]
    v.shape = (2, 2)
    v[0, 1] *= 3 * x[0]
    return np.sum(y * W * y)


def again_and_again(x):
    y = x.copy()
    y.shape = (3, 2)
    t = y.T
    y.shape = 6
    y[0] = 9 * x[1]
    y.shape = (1, -1)
    return np.sum(t * W.reshape(2, 3)) + np.sum(y**2)


def a_column(x):
    y = np.zeros((2, 3))
    y[0] = x[:3]
    z = y[:, 1]
    y.shape = (3, 2)
    z[0] = x[5] * x[5]
    return np.sum(y * W.reshape(3, 2))


def diagonal(x):
    y = np.outer(x[:3], x[3:])
    d = np.einsum("ii->i", y)
    d *= d
    y[0, 0] += x[1]
    return np.sum(y * W[:3]) + np.sum(d**2)


def transposed_diagonals(x):
    y = (x[:4] * x[1]).reshape(2, 2, 1) * x[4:]
    d = np.einsum("iji->ji", y)
    d[0, 1] = x[0] ** 3
    d[1] += 1.0
    y[1] *= 2.0
    return np.sum(y * W[:2]) + np.sum(d * d)


PROGRAMS = (
    shaped, views_keep_theirs, made_inside, a_view, again_and_again, a_column, diagonal,
    transposed_diagonals,
)  # fmt: skip


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
def test_programs(f):
    step = 1e-6
    slope = np.array([(f(X + d) - f(X - d)) / (2 * step) for d in np.eye(6) * step])
    value, gradient = pb.value_and_grad(f)(X)
    assert_allclose(value, f(X))
    batch = np.stack([X, 2 * X])
    assert_allclose(pb.trace(f, X)(X), f(X))
    assert_allclose(pb.vmap(f)(batch), [f(X), f(2 * X)])
    for found in (
        gradient,
        pb.jacobian(f, mode="forward")(X),
        pb.vmap(pb.grad(f))(batch)[0],
        pb.trace(pb.grad(f), X)(X),
        pb.grad(pb.checkpoint(f))(X),
        pb.grad(lambda x: pb.fori_loop(0, 1, lambda _, s: s + f(x), 0.0))(X),
    ):
        assert_allclose(found, slope, rtol=1e-6, atol=1e-7)


def test_shapes_that_would_need_a_copy_or_do_not_fit():
    def f(x):
        with pytest.raises(ValueError, match=r"without being copied; write y = y\.reshape"):
            x.reshape(2, 3).T.shape = 6
        with pytest.raises(ValueError, match="cannot reshape array of size 6"):
            x.shape = 5
        with pytest.raises(TypeError, match="immutable"):
            x[0].shape = 1
        return np.sum(x)

    pb.grad(f)(X)
    pb.vmap(f)(X[None])
