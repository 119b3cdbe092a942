"""Equal eigenvalues and singular values: what does not depend on the vectors chosen for them.

The oracles are closed forms that need no choice: the theorem of Daleckii and Krein with divided
differences, which are derivatives where values are equal (for singular values of the matrix
[[0, A], [Aᴴ, 0]], whose eigenvalues they are), resolvents, and Sylvester's equation.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg

import pullback as pb


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def hermitian(x):
    return (x + adjoint(x)) / 2


def traced_hermitian(a):
    return (a + np.conj(a).mT) / 2 if a.dtype.kind == "c" else (a + a.mT) / 2


def normal(rng, shape, dtype):
    x = rng.normal(size=shape)
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.normal(size=shape)
    return x.astype(dtype)


def unitary(rng, shape, dtype, count):
    """Orthonormal columns: unit vectors for some seeds, where much is zero or stationary."""
    if rng.random() < 0.3:
        return np.broadcast_to(np.eye(shape[-1], dtype=dtype), shape)[..., :count]
    return np.linalg.qr(normal(rng, shape, dtype))[0][..., :count]


def daleckii_krein(f, slope, a, direction):
    """f(A) of a Hermitian matrix, and its derivative along a Hermitian direction."""
    w, v = np.linalg.eigh(a)
    gaps = w[..., None, :] - w[..., :, None]
    same = np.abs(gaps) < 1e-4
    middle = slope((w[..., None, :] + w[..., :, None]) / 2)
    values = f(w)
    divided = (values[..., None, :] - values[..., :, None]) / np.where(same, 1, gaps)
    inside = np.where(same, middle, divided) * (adjoint(v) @ direction @ v)
    return (v * values[..., None, :]) @ adjoint(v), v @ inside @ adjoint(v)


def of_singular_values(f, slope, a, direction):
    """U f(S) Vᴴ for an odd f, and its derivative."""
    m, n = a.shape[-2:]

    def dilated(x):
        top = np.concatenate([np.zeros((*x.shape[:-2], m, m)), x], -1)
        return np.concatenate([top, np.concatenate([adjoint(x), np.zeros((n, n))[None]], -1)], -2)

    def dilate(x):
        flat = x.reshape(-1, m, n)
        rows = [np.block([[np.zeros((m, m)), y], [adjoint(y), np.zeros((n, n))]]) for y in flat]
        return np.reshape(rows, (*x.shape[:-2], m + n, m + n))

    found = daleckii_krein(f, slope, dilate(a), dilate(direction))
    return [x[..., :m, m:] for x in found]


def assert_derivatives(function, a, direction, cotangent, expected, dot, bar, rtol):
    """All modes against the value, the tangent and the cotangent that are known."""
    scale = max(1.0, np.max(np.abs(dot)), np.max(np.abs(bar)))

    def close(got, wanted):
        np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol * scale)

    def loss(a):
        return np.sum(np.real(np.conj(cotangent) * function(a)))

    out, pull = pb.vjp(function, a)
    close(out, expected)
    close(pull(cotangent)[0], bar)
    close(pb.grad(loss)(a), bar)
    close(pb.pushforward(function, (a,), (direction,))[1], dot)
    close(pb.linearize(function, a)[1](direction), dot)
    close(pb.linearize(loss, a)[1](direction), np.sum(np.real(np.conj(cotangent) * dot)))


def assert_jacobians(function, a, direction, dot, rtol):
    forward, reverse = (pb.jacobian(function, mode=mode)(a) for mode in ("forward", "reverse"))
    scale = max(1.0, np.max(np.abs(dot)))
    np.testing.assert_allclose(forward, reverse, rtol=rtol, atol=rtol * scale)
    got = np.tensordot(forward, direction, axes=direction.ndim)
    np.testing.assert_allclose(got, dot, rtol=rtol, atol=rtol * scale)


FUNCTIONS = {
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda w: 1 / w),
    "sqrt": (np.sqrt, lambda w: 0.5 / np.sqrt(w)),
    "inverse": (lambda w: 1 / w, lambda w: -1 / w**2),
    "vanishing": (lambda w: (w - 1) * np.log(w), lambda w: np.log(w) + 1 - 1 / w),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float64, np.complex128, np.float32, np.complex64])
def test_functions_of_hermitian_matrices(name, dtype):
    rng = np.random.default_rng(len(name))
    f, slope = FUNCTIONS[name]
    rtol = 1e-10 if np.finfo(dtype).eps < 1e-10 else 2e-3

    def function(a):
        w, v = np.linalg.eigh(traced_hermitian(a), uplo)
        return (v * f(w)[..., None, :]) @ np.conj(v).mT

    for number in range(6):
        uplo = "LU"[number % 2]
        n, lead = rng.integers(1, 6), [(), (2,)][number // 2 % 2]
        w = rng.choice([0.5, 1.0, 1.0, 2.0], size=(*lead, n))
        v = unitary(rng, (*lead, n, n), dtype, n)
        a = hermitian((v * w[..., None, :]) @ adjoint(v)).astype(dtype)
        direction, cotangent = (normal(rng, a.shape, dtype) for _ in range(2))
        out, dot = daleckii_krein(f, slope, a, hermitian(direction))
        _, bar = daleckii_krein(f, slope, a, hermitian(cotangent))
        assert_derivatives(function, a, direction, cotangent, out, dot, hermitian(bar), rtol)
        if dtype is np.float64 and name != "sqrt":
            assert_jacobians(function, a, direction, dot, rtol)


ODD = {
    "sin": (np.sin, np.cos),
    "cube": (lambda s: s**3, lambda s: 3 * s**2),
    "low rank": (
        lambda s: np.where(np.abs(s) > 1.2, s, 0),
        lambda s: np.where(np.abs(s) > 1.2, 1.0, 0),
    ),
    "pseudo-inverse": (
        lambda s: np.where(np.abs(s) > 0.1, 1 / np.where(np.abs(s) > 0.1, s, 1), 0),
        lambda s: np.where(np.abs(s) > 0.1, -1 / np.where(np.abs(s) > 0.1, s, 1) ** 2, 0),
    ),
    "polar factor": (lambda s: np.where(np.abs(s) > 0.1, np.sign(s), 0), lambda s: 0 * s),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("dtype", [np.float64, np.complex128, np.float32])
def test_functions_of_singular_values(name, dtype):
    """Equal ones and zeros, of tall, wide and square matrices."""
    rng = np.random.default_rng(len(name))
    f, slope = ODD[name]
    rtol = 1e-10 if np.finfo(dtype).eps < 1e-10 else 2e-3

    def function(a):
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return (u * f(s)[..., None, :]) @ vh

    for number in range(7):
        m, n = rng.integers(1, 5, size=2)
        lead, count = [(), (2,)][number % 2], min(m, n)
        s = -np.sort(-rng.choice([0.0, 0.5, 1.0, 2.0, 2.0], size=(*lead, count)), axis=-1)
        u, v = (unitary(rng, (*lead, k, k), dtype, count) for k in (m, n))
        a = ((u * s[..., None, :]) @ adjoint(v)).astype(dtype)
        direction, cotangent = (normal(rng, a.shape, dtype) for _ in range(2))
        out, dot = of_singular_values(f, slope, a, direction)
        _, bar = of_singular_values(f, slope, a, cotangent)
        assert_derivatives(function, a, direction, cotangent, out, dot, bar, rtol)
        if dtype is np.float64 and number < 3:
            assert_jacobians(function, a, direction, dot, rtol)


def degenerate(rng, w):
    """A symmetric matrix with these eigenvalues, and its parts."""
    v = np.linalg.qr(rng.normal(size=(len(w), len(w))))[0]
    return hermitian((v * np.array(w, float)) @ v.T), v


def test_projectors_against_their_resolvents():
    rng = np.random.default_rng(1)
    a, v = degenerate(rng, [1, 1, 2, 4, 4])
    e = hermitian(rng.normal(size=(5, 5)))

    def projector(columns):
        def of(a):
            v = np.linalg.eigh(traced_hermitian(a))[1][:, columns]
            return v @ v.T

        return of

    for columns, value in ((slice(0, 2), 1.0), (slice(3, None), 4.0)):
        p = v[:, columns] @ v[:, columns].T
        rest = np.linalg.pinv(value * np.eye(5) - a, rcond=1e-8)
        dot = p @ e @ rest + rest @ e @ p
        assert_derivatives(projector(columns), a, e, e, p, dot, dot, 1e-12)


def test_a_determined_vector_beside_equal_eigenvalues():
    rng = np.random.default_rng(2)
    a, _ = degenerate(rng, [1, 1, 2])
    e = hermitian(rng.normal(size=(3, 3)))

    def vector(a):
        v = np.linalg.eigh(traced_hermitian(a))[1][:, 2]
        return v * np.sign(v[0])

    expected = vector(a)
    rest = np.linalg.pinv(2 * np.eye(3) - a, rcond=1e-8)
    bar = hermitian(np.outer(rest @ e[0], expected))
    assert_derivatives(vector, a, e, e[0], expected, rest @ e @ expected, bar, 1e-12)


def test_independent_solvers_agree():
    rng = np.random.default_rng(3)
    a, _ = degenerate(rng, [1, 1, 1, 3])
    e = hermitian(rng.normal(size=(4, 4)))

    def through(f):
        def of(a):
            w, v = np.linalg.eigh(traced_hermitian(a))
            return (v * f(w)) @ v.T

        return of

    exp, exp_dot = scipy.linalg.expm_frechet(a, e)
    assert_derivatives(through(np.exp), a, e, e, exp, exp_dot, exp_dot, 1e-11)
    root = scipy.linalg.sqrtm(a)
    root_dot = scipy.linalg.solve_sylvester(root, root, e)
    assert_derivatives(through(np.sqrt), a, e, e, root, root_dot, root_dot, 1e-11)
    # The polar factor U of A = UP has U̇ = UX with XP + PX = UᵀȦ − ȦᵀU.
    u, p = scipy.linalg.polar(2 * scipy.linalg.expm(e - np.triu(e)) @ a)
    e = rng.normal(size=(4, 4))
    x = scipy.linalg.solve_sylvester(p, p, u.T @ e - e.T @ u)

    def polar(a):
        u, _, vh = np.linalg.svd(a)
        return u @ vh

    np.testing.assert_allclose(
        pb.pushforward(polar, (u @ p,), (e,))[1], u @ x, rtol=1e-10, atol=1e-12
    )


def test_second_derivatives_of_functions_of_eigenvalues():
    rng = np.random.default_rng(4)
    for w in ([1, 1, 1], [1, 1, 2], [-1, -1, 3, 3]):
        rotated, _ = degenerate(rng, w)
        n = len(w)
        for a in (rotated, np.diag(np.array(w, float))):
            e = rng.normal(size=(n, n))
            _, expected = daleckii_krein(np.exp, np.exp, a, hermitian(e))

            def total(a):
                return np.sum(np.exp(np.linalg.eigvalsh(traced_hermitian(a))))

            def along(a, e=e):
                return pb.pushforward(total, (a,), (e,))[1]

            for got in (
                pb.hvp(total, (a,), (e,))[0],
                np.tensordot(pb.hessian(total)(a), e, axes=2),
                np.tensordot(pb.jacobian(pb.grad(total), mode="reverse")(a), e, axes=2),
                pb.grad(along)(a),
            ):
                np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-12)
            slope = daleckii_krein(np.exp, np.exp, a, a)[0]
            np.testing.assert_allclose(along(a), np.sum(slope * e), rtol=1e-11)
            second = pb.pushforward(along, (a,), (e,))[1]
            np.testing.assert_allclose(second, np.sum(expected * e), rtol=1e-11)


def test_second_derivatives_of_functions_of_singular_values():
    rng = np.random.default_rng(5)
    for shape, s in (((3, 3), [2, 1, 1]), ((4, 3), [1, 1, 0]), ((2, 3), [0, 0])):
        u, v = (np.linalg.qr(rng.normal(size=(n, n)))[0][:, : len(s)] for n in shape)
        a, e = (u * np.array(s, float)) @ v.T, rng.normal(size=shape)

        def energy(a):
            return np.sum(np.cos(np.linalg.svdvals(a)))

        _, expected = of_singular_values(lambda s: -np.sin(s), lambda s: -np.cos(s), a, e)
        got = pb.hvp(energy, (a,), (e,))[0]
        np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-12)


def test_third_derivatives_of_determinants():
    """Their rule is a function of singular values and vectors."""
    e = np.random.default_rng(6).normal(size=(3, 3))

    def second(a):
        return pb.hvp(np.linalg.det, (a,), (e,))[0]

    got = pb.pushforward(second, (np.eye(3),), (e,))[1]
    h = 1e-3  # det is a polynomial of degree 3: central differences are exact
    expected = (second(np.eye(3) + h * e) - second(np.eye(3) - h * e)) / (2 * h)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


# -- within other transformations -----------------------------------------------------------------

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
