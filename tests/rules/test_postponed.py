"""Decompositions in recorded derivatives: as without a recording, whatever the values are."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb
from tests.numpy.spectra import daleckii_krein, hermitian, normal, traced_hermitian, unitary

C = np.random.default_rng(20).normal(size=(3, 3))


def exponential(a, c=C):
    w, v = np.linalg.eigh(traced_hermitian(a))
    return np.sum(((v * np.exp(w)) @ np.conj(v).mT * c).real)


def projector(a):
    v = np.linalg.eigh(traced_hermitian(a))[1][..., :2]
    return np.sum((v @ v.mT) * C)


def beside(a):
    """A vector of the largest value, whose sign doesn't show."""
    w, v = np.linalg.eigh(traced_hermitian(a))
    v = v[:, -1] * np.where(v[0, -1] > 0, 1.0, -1.0)
    return v[1] * v[2] + w[0] * w[1]


def cubes(a):
    u, s, vh = np.linalg.svd(a)
    return np.sum(((u * s**3) @ vh) * C)


def low_rank(a):
    u, s, vh = np.linalg.svd(a)
    return np.sum((u[:, :1] * s[:1]) @ vh[:1] * C)


def values(a):
    return np.sum(np.linalg.eigvalsh(traced_hermitian(a)) ** 4) + np.prod(np.linalg.svdvals(a))


def written(a):
    """Elements of the vectors decide on indices, and are written in place."""
    w, v = np.linalg.eigh(traced_hermitian(a))
    out = np.zeros((3, 3))
    for i in np.argsort(-w):
        out += w[i] ** 3 * np.outer(v[:, i], v[:, i])
    return np.sum(out * C)


def looped(a):
    """Whose matrix comes from the carry."""
    return np.sum(pb.scan(lambda c, _: (0.5 * c + exponential(c) * C, None), a, length=2)[0])


def looped_while(a):
    return pb.while_loop(lambda c: c[1] < 2, lambda c: (c[0] + exponential(a), c[1] + 1), (0.0, 0))[
        0
    ]


FUNCTIONS = [exponential, projector, beside, cubes, low_rank, values, written, looped, looped_while]
REPEATED = {projector: [1, 1, 2], beside: [1, 1, 2], low_rank: [-1, 1, 2]}


def outcome(derivative, *args):
    """What comes out, or the class of the error."""
    try:
        return derivative(*args)
    except pb.PullbackError as error:
        return type(error)


def assert_same(got, expected):
    if isinstance(got, type) or isinstance(expected, type):
        assert got is expected
    else:
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-11)


def points(rng, function):
    """Matrices with equal values, and without, in each basis."""
    rows = [[1.0, 1.0, 2.0], [2.0, 2.0, 2.0], [0.0, 0.0, 1.0], [1.0, 1.3, 2.0]]
    rows = [rows[3], REPEATED[function]] if function in REPEATED else rows
    for w in rows:
        v = np.eye(3) if rng.random() < 0.3 else unitary(rng, (3, 3), float, 3)
        yield (v * np.array(w)) @ v.T


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_recorded_derivatives_are_those_of_the_values(function):
    rng = np.random.default_rng(len(function.__name__))
    e, shape = normal(rng, (3, 3), float), pb.ShapeDtype((3, 3))

    def slope(a, e):
        return pb.pushforward(function, (a,), (e,))[1]

    def linear(a, e):
        return pb.linearize(function, a)[1](e)

    gradient = pb.trace(pb.grad(function), shape)
    slopes = [pb.trace(f, shape, shape) for f in (slope, linear)]
    of_many = pb.trace(pb.vmap(pb.grad(function)), pb.ShapeDtype((2, 3, 3)))
    distinct = np.diag([0.7, 1.4, 2.5]) + 0.1 * hermitian(e)
    for a in points(rng, function):
        expected = pb.grad(function)(a)
        assert np.isfinite(expected).all()
        assert_same(gradient(a), expected)
        assert_same(pb.checkpoint(pb.grad(function))(a), expected)
        for each in slopes:
            assert_same(each(a, e), np.sum(expected * e))
        both = np.stack([distinct, a])
        assert_same(of_many(both)[1], expected)
        assert_same(pb.vmap(gradient)(both)[1], expected)


def test_compiled_derivatives_are_those_of_the_values():
    def both(a):
        return exponential(a) + cubes(a) + pb.cond(a[0, 0] > 0, values, exponential, a)

    rng = np.random.default_rng(21)
    e = normal(rng, (3, 3), float)
    gradient = pb.compile(pb.grad(both))
    slope = pb.compile(lambda a, e: pb.pushforward(projector, (a,), (e,))[1])
    for a in points(rng, both):
        assert_same(gradient(a), pb.grad(both)(a))
    for a in points(rng, projector):
        assert_same(slope(a, e), np.sum(pb.grad(projector)(a) * e))
    with pytest.raises(pb.ArgumentValueError, match="equal to rounding"):
        pb.compile(pb.grad(lambda a: np.linalg.eigh(a)[1][0, 0]))(np.eye(3))


CHOICES = {
    "an element": lambda a: np.linalg.eigh(a)[1][0, 0] ** 4,
    "half a space": lambda a: np.sum(np.linalg.eigh(a)[1][:, :1] ** 2 * C[:, :1]),
    "left vectors": lambda a: np.sum(np.linalg.svd(a)[0] ** 3),
}


@pytest.mark.parametrize("name", CHOICES)
def test_what_depends_on_the_choice_raises_when_it_runs(name):
    function, a, e = CHOICES[name], np.eye(3), np.diag([1.0, 2.0, 3.0])
    graph = pb.trace(pb.grad(function), a)
    with pytest.raises(pb.ArgumentValueError, match="equal to rounding"):
        graph(a)
    apart = np.diag([2.0, 1.0, 3.0])
    assert_same(graph(apart), pb.grad(function)(apart))
    slope = pb.trace(lambda a, e: pb.pushforward(function, (a,), (e,))[1], a, e)
    assert np.isnan(slope(a, e))


def test_second_derivatives():
    """Of functions of values they are right, as without a recording; else NaN, or an error."""
    a = np.diag([1.0, 1.0, 2.0])
    expected = pb.hessian(values)(a)
    assert np.isfinite(expected).all()
    graph = pb.trace(pb.grad(values), a)
    for got in (
        pb.trace(pb.hessian(values), a)(a),
        pb.jacobian(graph)(a),
        pb.jacobian(graph, mode="forward")(a),
        pb.hessian(pb.checkpoint(values))(a),
    ):
        assert_same(got, expected)
    assert np.isnan(pb.trace(pb.hessian(exponential), a)(a)).any()
    with pytest.raises(pb.ArgumentValueError, match="second"):
        pb.jacobian(pb.trace(pb.grad(exponential), a))(a)


def test_what_a_recorded_derivative_is_weighed_with_is_differentiated():
    rng = np.random.default_rng(22)
    a, e = np.diag([1.0, 1.0, 2.0]), normal(rng, (3, 3), float)

    def slope(c, a):
        return np.sum(pb.grad(exponential)(a, c) * e)

    expected = daleckii_krein(np.exp, np.exp, a, hermitian(e))[1]
    assert_same(pb.grad(pb.trace(slope, C, a))(C, a), expected)
    assert_same(pb.trace(pb.grad(slope), C, a)(C, a), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_dtypes(dtype):
    rng = np.random.default_rng(23)
    v = unitary(rng, (3, 3), dtype, 3)
    a = ((v * np.array([1.0, 1.0, 2.0])) @ np.conj(v).T).astype(dtype)
    got, expected = pb.trace(pb.grad(exponential), a)(a), pb.grad(exponential)(a)
    assert got.dtype == a.dtype and np.isfinite(got).all()
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_roots_of_values_that_are_left_out():
    """The zeros of what was not taken stay zeros beside an infinitesimal, in a recording too."""

    def function(a):
        w, v = np.linalg.eigh(traced_hermitian(a))
        return np.sum(((v * np.where(w > 0.1, np.sqrt(w), 0.0)) @ v.mT) * C)

    a = np.diag([0.0, 2.0, 2.0])
    with np.errstate(all="ignore"):
        expected = pb.grad(function)(a)
        assert np.isfinite(expected).all()
        assert_same(pb.trace(pb.grad(function), a)(a), expected)


def test_matrices_that_follow_several_arguments_and_constants_of_outer_recordings():
    a, b = np.diag([1.0, 0.5, 2.0]), np.diag([0.0, 0.5, 0.0])

    def function(a, b, scale):
        return exponential(scale * a + b.T) * np.sum(b) + a[0, 1]

    def both(a, b, scale):
        return pb.grad(lambda *row: function(*row, scale), argnums=(0, 1))(a, b)

    expected = both(a, b, 1.0)
    for got in (pb.trace(both, a, b, 1.0)(a, b, 1.0), pb.checkpoint(both)(a, b, 1.0)):
        for x, y in zip(got, expected, strict=True):
            assert np.isfinite(y).all()
            assert_same(x, y)
