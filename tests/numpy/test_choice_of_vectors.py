"""Vectors of equal values within other transformations, and what depends on their choice."""

from __future__ import annotations

import math

import numpy as np
import pytest

import pullback as pb
from tests.numpy.spectra import daleckii_krein, degenerate, hermitian, traced_hermitian

C = np.arange(9.0).reshape(3, 3) ** 1.5


def exponential(a):
    w, v = np.linalg.eigh(traced_hermitian(a))
    return (v * np.exp(w)) @ v.T


def loss(a):
    return np.sum(exponential(a) * C)


def by_loop(a):
    w, v = np.linalg.eigh(traced_hermitian(a))
    return np.sum(
        pb.fori_loop(
            0, 3, lambda i, s: s + np.exp(w[i]) * np.outer(v[:, i], v[:, i]), np.zeros((3, 3))
        )
        * C
    )


def in_place(a):
    w, v = np.linalg.eigh(traced_hermitian(a))
    out = np.zeros((3, 3))
    for i in range(3):
        out += np.exp(w[i]) * np.outer(v[:, i], v[:, i])
    return np.sum(out * C)


PROGRAMS = {
    "checkpoint": pb.checkpoint(loss),
    "checkpoint of a part": lambda a: np.sum(pb.checkpoint(exponential)(a) * C),
    "checkpoint after": lambda a: np.sum(
        pb.checkpoint(lambda w, v: (v * np.exp(w)) @ v.T)(*np.linalg.eigh(traced_hermitian(a))) * C
    ),
    "cond": lambda a: pb.cond(a[0, 0] > 0, loss, lambda a: 0 * np.sum(a), a),
    "checkpoint of cond": pb.checkpoint(
        lambda a: pb.cond(a[0, 0] > 0, loss, lambda a: 0 * np.sum(a), a)
    ),
    "loop after": by_loop,
    "written in place": in_place,
    "vmap within": lambda a: np.sum(pb.vmap(exponential)(np.stack([a, np.eye(3)]))[0] * C),
    "jacobian within": lambda a: np.sum(pb.jacobian(lambda x: exponential(a) @ x)(np.ones(3)) * C),
    "two of them": lambda a: np.sum(exponential(a) @ exponential(-a) @ exponential(a) * C),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_within_other_transformations(name):
    rng = np.random.default_rng(7)
    rotated, _ = degenerate(rng, [1, 1, 2])
    for a in (rotated, np.eye(3), np.diag([2.0, 1.0, 2.0])):
        e = rng.normal(size=(3, 3))
        bar = daleckii_krein(np.exp, np.exp, a, hermitian(C))[1]
        program = PROGRAMS[name]
        np.testing.assert_allclose(pb.grad(program)(a), bar, rtol=1e-10, atol=1e-11)
        dot = pb.pushforward(program, (a,), (e,))[1]
        np.testing.assert_allclose(dot, np.sum(bar * e), rtol=1e-10)
        dot = pb.linearize(program, a)[1](e)
        np.testing.assert_allclose(dot, np.sum(bar * e), rtol=1e-10)


UNGUARDED = {
    "root": (np.sqrt, lambda w: 0.5 / np.sqrt(w)),
    "inverse": (lambda w: 1 / w, lambda w: -1 / w**2),
    "logarithm": (np.log, lambda w: 1 / w),
}


@pytest.mark.parametrize("name", UNGUARDED)
def test_infinite_derivatives_at_values_that_are_left_out(name):
    """The zeros of what was not taken stay zeros beside an infinitesimal, in every mode."""
    f, slope = UNGUARDED[name]
    rng = np.random.default_rng(15)

    def left_out(f):
        return lambda w: np.where(w > 0.1, f(np.where(w > 0.1, w, 1.0)), 0.0)

    def function(a):
        w, v = np.linalg.eigh(traced_hermitian(a))
        return (v * np.where(w > 0.1, f(w), 0.0)) @ v.T

    def of_singular_values(a):
        u, s, vh = np.linalg.svd(traced_hermitian(a))
        return (u * np.where(s > 0.1, f(s), 0.0)) @ vh

    exact = [np.diag(w) for w in ([0.0, 2.0, 2.0], [0.0, 0.0, 2.0], [2.0, 0.0, 2.0])]
    for a in (*exact, degenerate(rng, [2, 2, 3])[0]):
        e = rng.normal(size=(3, 3)) * [[0, 1, 1], [1, 0, 1], [1, 0, 0]]
        _, dot = daleckii_krein(left_out(f), left_out(slope), a, hermitian(e))
        _, bar = daleckii_krein(left_out(f), left_out(slope), a, hermitian(C))
        for g in (function, of_singular_values):
            with np.errstate(all="ignore"):
                got = [
                    (pb.vjp(g, a)[1](C)[0], bar),
                    (pb.grad(pb.checkpoint(lambda a, g=g: np.sum(g(a) * C)))(a), bar),
                    (pb.pushforward(g, (a,), (e,))[1], dot),
                    (pb.linearize(g, a)[1](e), dot),
                    *(
                        (np.tensordot(pb.jacobian(g, mode=mode)(a), e, 2), dot)
                        for mode in ("forward", "reverse")
                    ),
                ]
            for found, expected in got:
                np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-11)


def test_equal_values_are_no_singular_points():
    a, _ = degenerate(np.random.default_rng(16), [1, 1, 2])
    bar = daleckii_krein(np.exp, np.exp, a, hermitian(C))[1]
    with pb.strict():
        np.testing.assert_allclose(pb.grad(loss)(a), bar, rtol=1e-10)
        dot = pb.pushforward(loss, (a,), (np.diag([1.0, 0, 0]),))[1]
    np.testing.assert_allclose(dot, bar[0, 0], rtol=1e-10)


def test_examples_with_and_without_equal_eigenvalues():
    rng = np.random.default_rng(8)
    a = np.stack([degenerate(rng, w)[0] for w in ([1, 1, 2], [1, 2, 3], [2, 2, 2])])
    expected = daleckii_krein(np.exp, np.exp, a, hermitian(C))[1]
    got = pb.vmap(pb.grad(loss))(a)
    np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-12)
    got = pb.grad(lambda a: np.sum(pb.vmap(loss)(a)))(a)
    np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-12)


def test_gradients_by_what_a_gradient_at_equal_eigenvalues_is_weighed_with():
    rng = np.random.default_rng(9)
    a, _ = degenerate(rng, [1, 1, 2])
    e = rng.normal(size=(3, 3))

    def slope(c):
        return np.sum(pb.grad(lambda a: np.sum(exponential(a) * c))(a) * e)

    expected = daleckii_krein(np.exp, np.exp, a, hermitian(e))[1]
    np.testing.assert_allclose(pb.grad(slope)(C), expected, rtol=1e-11)


def test_matrices_beside_their_decompositions():
    rng = np.random.default_rng(14)

    def energy(a):
        return np.sum(exponential(-a) * traced_hermitian(a))

    def separately(a):
        w, v = np.linalg.eigvalsh(traced_hermitian(a)), np.linalg.eigh(traced_hermitian(a))[1]
        return np.sum(((v * np.exp(-w)) @ v.T) * traced_hermitian(a))

    def quotients(a):
        v = np.linalg.eigh(traced_hermitian(a))[1]
        return np.sum(np.diag(v.T @ traced_hermitian(a) @ v) ** 3)

    for a in (degenerate(rng, [1, 1, 2])[0], np.eye(3)):
        e = rng.normal(size=(3, 3))
        slope, _ = daleckii_krein(lambda w: (1 - w) * np.exp(-w), np.cos, a, a)
        for function, bar in ((energy, slope), (separately, slope), (quotients, 3 * a @ a)):
            np.testing.assert_allclose(pb.grad(function)(a), bar, rtol=1e-11, atol=1e-12)
            dot = pb.pushforward(function, (a,), (e,))[1]
            np.testing.assert_allclose(dot, np.sum(bar * e), rtol=1e-11, atol=1e-12)


def test_ties_of_the_largest_value_are_split_evenly():
    for function in (
        lambda a: np.max(np.linalg.eigvalsh(a)),
        lambda a: np.linalg.norm(a, 2),
        lambda a: np.max(np.linalg.eigh(a)[0]),
    ):
        np.testing.assert_allclose(pb.grad(function)(np.eye(3)), np.eye(3) / 3, atol=1e-15)


def test_values_are_those_of_numpy_up_to_the_choice():
    for w in ([1, 1, 2], [3, 3, 3]):
        a, _ = degenerate(np.random.default_rng(10), w)
        (w, v), _ = pb.vjp(lambda a: tuple(np.linalg.eigh(a)), a)
        np.testing.assert_allclose(w, np.linalg.eigh(a)[0], rtol=1e-15)
        np.testing.assert_allclose((v * w) @ v.T, a, rtol=1e-14, atol=1e-14)
        np.testing.assert_allclose(v.T @ v, np.eye(3), rtol=1e-14, atol=1e-14)
        (u, s, vh), _ = pb.vjp(lambda a: tuple(np.linalg.svd(a[:, :2], full_matrices=False)), a)
        expected = np.linalg.svd(a[:, :2], full_matrices=False)[1]
        np.testing.assert_allclose(s, expected, rtol=1e-15)
        np.testing.assert_allclose((u * s) @ vh, a[:, :2], rtol=1e-14, atol=1e-14)


def test_primitives_that_cannot_be_traced_need_not_be_for_values_alone():
    @pb.primitive
    def exps(w):
        return np.array([math.exp(x) for x in w])

    @exps.rule
    def exps_rule(y, w):
        return np.array([math.exp(x) for x in w])

    a, _ = degenerate(np.random.default_rng(11), [1, 1, 2])
    got = pb.grad(lambda a: np.sum(exps(np.linalg.eigh(traced_hermitian(a))[0])))(a)
    expected = daleckii_krein(np.exp, np.exp, a, a)[0]
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


# -- what depends on the choice -------------------------------------------------------------------


def eigenvectors(a):
    return np.linalg.eigh(a)[1]


def by_quotients(a):
    """A function of the matrix, but not one of a matrix beside its decomposition."""
    v = eigenvectors(traced_hermitian(a))
    return np.sum((v * np.exp(np.diag(v.T @ traced_hermitian(a) @ v))) @ v.T * C)


def by_two_decompositions(a):
    """Values of one with the vectors of another one, each with its own directions."""
    w, u = np.linalg.eigvalsh(traced_hermitian(a)), np.linalg.svd(traced_hermitian(a))[0]
    return np.sum((u * np.exp(w[::-1])) @ u.T * C)


def by_quotients_of_another(a):
    """The same, where the matrix comes out of a decomposition of its own."""
    v, (u, s, vh) = eigenvectors(traced_hermitian(a)), np.linalg.svd(traced_hermitian(a))
    return np.sum((v * np.diag(v.T @ ((u * s) @ vh) @ v)) @ v.T * C)


CHOICES = {
    "cubes": lambda a: np.sum(eigenvectors(a) ** 3),
    "an element": lambda a: eigenvectors(a)[0, 0] ** 4 + eigenvectors(a)[1, 0] ** 4,
    "a modulus": lambda a: np.max(np.abs(eigenvectors(a)[:, 1])),
    "weights": lambda a: np.sum((eigenvectors(a) * np.arange(3.0)) @ eigenvectors(a).T * C),
    "half a space": lambda a: np.sum(eigenvectors(a)[:, :1] @ eigenvectors(a)[:, :1].T * C),
    "weighed by what vanishes": lambda a: (
        np.sum(np.linalg.eigvalsh(a) - np.linalg.eigvalsh(a)[0]) * eigenvectors(a)[0, 0] ** 2
    ),
    "by the trace": lambda a: (
        np.trace(a - a[0, 0]) * eigenvectors(a)[0, 0] ** 2 + np.sum(eigenvectors(a)[0] ** 4)
    ),
    "quotients": by_quotients,
    "quotients of another": by_quotients_of_another,
    "two decompositions": by_two_decompositions,
    "left vectors": lambda a: np.sum(np.linalg.svd(a)[0] ** 3),
    "right vectors": lambda a: np.sum(np.linalg.svd(a).Vh ** 3),
    "within a body": pb.checkpoint(lambda a: np.sum(eigenvectors(a) ** 3)),
}


@pytest.mark.parametrize("name", CHOICES)
def test_what_depends_on_the_choice_has_no_derivative(name):
    function = CHOICES[name]
    rng = np.random.default_rng(12)
    for a in (np.eye(3), np.diag([1.0, 1.0 + 1e-16, 3.0]), degenerate(rng, [1, 1, 2])[0]):
        with pytest.raises(pb.ArgumentValueError, match=r"np\.linalg\.[^:]+: .*equal to rounding"):
            pb.grad(function)(a)
        for _ in range(2):
            e = hermitian(rng.normal(size=(3, 3)))
            assert np.isnan(pb.pushforward(function, (a,), (e,))[1])
            assert np.isnan(pb.linearize(function, a)[1](e))


def test_vectors_that_vanish_with_their_values():
    """At 0 this does not depend on the vectors, but beside it, it does."""
    for a in (np.zeros((2, 2)), np.zeros((3, 3))):

        def function(a):
            w, v = np.linalg.eigh(a)
            return np.sum(w) * v[0, 0] ** 2

        with pytest.raises(pb.ArgumentValueError, match="equal to rounding"):
            pb.grad(function)(a)
        assert np.isnan(pb.pushforward(function, (a,), (np.ones_like(a),))[1])


def test_vectors_of_no_singular_value_in_a_larger_space():
    a = np.zeros((3, 2))
    a[0, 0] = 1.0
    with pytest.raises(pb.ArgumentValueError, match=r"svd.*equal to rounding"):
        pb.grad(lambda a: np.sum(np.linalg.svd(a, full_matrices=False)[0] ** 3))(a)


def test_cotangents_made_of_the_vectors_are_not_trusted():
    """They are stationary by construction: what precedes them is not seen."""
    a, _ = degenerate(np.random.default_rng(13), [1, 1, 2])
    (w, v), pull = pb.vjp(lambda a: tuple(np.linalg.eigh(traced_hermitian(a))), a)
    with pytest.raises(pb.ArgumentValueError, match="equal to rounding"):
        pull((np.exp(w) * np.diag(v.T @ C @ v), 2 * hermitian(C) @ v * np.exp(w)))
    np.testing.assert_allclose(pull((np.ones(3), None))[0], np.eye(3), atol=1e-14)


def test_what_would_take_more_than_first_derivatives_is_refused():
    a = np.eye(3)
    e = np.diag([1.0, 2.0, 3.0])

    def root(a):
        w, v = np.linalg.eigh(a)
        return (v * np.sqrt(w)) @ v.T

    with pytest.raises(pb.ArgumentValueError, match="decomposition of what follows another one"):
        pb.grad(lambda a: np.sum(root(root(a)) * C))(a)
    assert np.isnan(pb.pushforward(lambda a: np.sum(root(root(a)) * C), (a,), (e,))[1])
    with pytest.raises(pb.ArgumentValueError, match="second"):
        pb.hvp(loss, (a,), (e,))
    _, pull = pb.vjp(loss, a)
    with pytest.raises(pb.NoRuleError, match="differentiated or recorded once more"):
        pb.grad(lambda c: np.sum(pull(c)[0]))(1.0)
