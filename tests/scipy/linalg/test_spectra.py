"""Eigenvalues, singular values and orthogonal factorisations under SciPy's names."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg as sl

import pullback as pb
from tests.numpy.agreement import assert_derivative
from tests.scipy.linalg.agreement import assert_served, stacked

RNG = np.random.default_rng(24)


def normal(*shape, imaginary=False):
    return RNG.normal(size=shape) + (1j * RNG.normal(size=shape) if imaginary else 0)


def apart(n, imaginary=False):
    return 0.2 * normal(n, n, imaginary=imaginary) + np.diag(np.arange(1.0, n + 1))


def definite(n, imaginary=False):
    a = np.eye(n) + 0.2 * normal(n, n, imaginary=imaginary)
    return a @ np.conj(a.T)


def unsigned(function):
    """Values, and products of vectors' elements: their signs jump between neighbouring matrices."""

    def products(*args):
        w, v = function(*args)
        return w, v[..., :1, :] * v

    return products


# -- Hermitian problems ---------------------------------------------------------------------------


@pytest.mark.parametrize("lower", [True, False])
def test_eigh(lower):
    a = apart(4)
    assert_served(unsigned(lambda a: sl.eigh(a, lower=lower)), a)
    assert_served(lambda a: sl.eigvalsh(a, lower=lower), a, compiled=lower)
    stack = np.stack([a, 2 * a])
    vectors = stacked(lambda a: sl.eigh(a, lower=lower), "(n,n)->(n),(n,n)")
    assert_served(unsigned(vectors), stack, second=False)
    for driver in (None, "ev", "evd", "evr", "evx"):
        for keywords in ({}, {"subset_by_index": [1, 2]}, {"subset_by_value": [1.5, 3.6]}):
            if keywords and driver in ("ev", "evd"):
                continue

            def decomposed(a, keywords={"driver": driver, **keywords}):  # noqa: B006
                return sl.eigh(a, lower=lower, **keywords)

            out, _ = pb.vjp(decomposed, a)
            for got, expected in zip(out, decomposed(a), strict=True):
                np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)
            assert_derivative(unsigned(decomposed), a, rtol=1e-12)
    parts = unsigned(lambda a: sl.eigh(a, lower=lower, subset_by_index=[1, 2]))
    assert_served(parts, a, second=False)
    assert_served(lambda a: sl.eigvalsh(a, lower=lower, subset_by_index=[0, 1]), a, second=False)
    complex_one = apart(3, imaginary=True)

    def free_of_phases(a):
        w, v = sl.eigh(a, lower=lower)
        return w, np.abs(v), (v * w**2) @ np.conj(v.T)

    assert_served(free_of_phases, complex_one, second=False)
    np.testing.assert_array_equal(
        pb.vjp(lambda a: sl.eigh(a)[1], complex_one)[0], sl.eigh(complex_one)[1]
    )


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("lower", [True, False])
def test_generalized_problems(kind, lower):
    a, b = apart(4), definite(4)

    def whole(a, b):
        return sl.eigh(a, b, type=kind, lower=lower)

    def part(a, b):
        return sl.eigh(a, b, type=kind, lower=lower, subset_by_index=[1, 3])

    for each in (whole, part):
        for got, expected in zip(pb.vjp(each, a, b)[0], each(a, b), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)
    assert_served(unsigned(whole), a, b, rtol=1e-10, second=lower)
    assert_served(unsigned(part), a, b, rtol=1e-10, second=False)
    assert_served(
        lambda a, b: sl.eigvalsh(a, b, type=kind, lower=lower, subset_by_index=[1, 3]), a, b,
        rtol=1e-10, second=False,
    )  # fmt: skip
    a, b = apart(3, imaginary=True), definite(3, imaginary=True)

    def free_of_phases(a, b):
        w, v = sl.eigh(a, b, type=kind, lower=lower)
        return w, np.abs(v)

    assert_served(free_of_phases, a, b, rtol=1e-10, second=False)


def test_equal_eigenvalues_of_a_generalized_problem():
    """exp of B⁻¹A, at A = 2B, where all eigenvalues are 2."""
    b, weights = definite(3), normal(3, 3)

    def by_vectors(a):
        w, v = sl.eigh((a + a.T) / 2, b)
        return np.sum(weights * ((v * np.exp(w)) @ v.T))

    expected = np.exp(2) * np.linalg.inv(b) @ (weights + weights.T) / 2 @ np.linalg.inv(b)
    np.testing.assert_allclose(pb.grad(by_vectors)(2 * b), expected, rtol=1e-9)
    with pytest.raises(pb.ArgumentValueError, match="equal to rounding"):
        pb.grad(lambda a: np.sum(sl.eigh(a, b)[1] ** 3))(2 * b)


def test_arguments_of_eigh():
    a = apart(3)
    for keywords, words in (
        ({"driver": "qr"}, "is unknown"),
        ({"driver": "gv"}, "requires input b"),
        ({"driver": "ev", "subset_by_index": [0, 1]}, "cannot compute subsets"),
        ({"subset_by_index": [0, 1], "subset_by_value": [0, 1]}, "Either index or value"),
        ({"subset_by_index": [0, 3]}, "indices are not valid"),
        ({"subset_by_value": [2.0, 1.0]}, "bounds are not valid"),
    ):
        with pytest.raises(ValueError, match=words):
            pb.vjp(lambda a, k=keywords: sl.eigh(a, **k), a)
        with pytest.raises(ValueError, match=words):
            sl.eigh(a, **keywords)
    with pytest.raises(pb.DataDependenceError, match="subset_by_index"):
        pb.trace(lambda a: sl.eigvalsh(a, subset_by_value=[0, 1]), a)
    with pytest.raises(pb.DataDependenceError, match="different numbers"):
        pb.vmap(lambda a: sl.eigvalsh(a, subset_by_value=[1.5, 9]))(np.stack([a, 2 * a]))


# -- other problems -------------------------------------------------------------------------------

PAIR = np.array([[1.0, -2.0, 0.1], [0.5, 1.2, 0.3], [0.2, -0.1, 4.0]])


def test_eig():
    for a in (apart(3), PAIR, apart(3, imaginary=True)):
        for left, right in ((False, True), (True, False), (True, True)):
            assert_derivative(
                lambda a, le=left, ri=right: sl.eig(a, left=le, right=ri), a, rtol=1e-11
            )
        assert_derivative(sl.eigvals, a, rtol=1e-12)
        assert_derivative(lambda a: sl.eigvals(a, homogeneous_eigvals=True), a, rtol=1e-12)
        assert_derivative(lambda a: sl.eig(a, left=False, right=False), a, rtol=1e-12)
    values = pb.vjp(lambda a, b: sl.eigvals(a, b), apart(3), definite(3))[0]
    assert values.dtype == np.complex128


# -- orthogonal factorisations --------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
@pytest.mark.parametrize("imaginary", [False, True])
def test_qr_and_rq(shape, imaginary):
    a = normal(*shape, imaginary=imaginary)
    real = not imaginary
    for mode in ("economic", "r"):
        assert_served(lambda a, m=mode: sl.qr(a, mode=m), a, second=real)
        assert_served(lambda a, m=mode: sl.rq(a, mode=m), a, second=False)
        assert_derivative(lambda a, m=mode: sl.qr(a, mode=m, pivoting=True)[:-1], a, rtol=1e-12)
    if shape[0] <= shape[1]:
        assert_served(sl.qr, a, second=False)
        assert_served(lambda a: sl.qr(a, pivoting=True)[:2], a, second=False)
    if shape[0] >= shape[1]:
        assert_served(sl.rq, a, second=False)
    for keywords in ({}, {"pivoting": True}):
        out, _ = pb.vjp(lambda a, k=keywords: (*sl.qr(a, **k), *sl.rq(a)), a)
        for got, expected in zip(out, (*sl.qr(a, **keywords), *sl.rq(a)), strict=True):
            assert got.dtype == expected.dtype
            np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_singular_values(shape):
    a = normal(*shape)
    assert_served(lambda a: sl.svd(a, full_matrices=False), a)
    assert_served(sl.svdvals, a)
    assert_served(lambda a: sl.svd(a, compute_uv=False, lapack_driver="gesvd"), a, second=False)
    assert_served(lambda a: sl.svd(a)[1], a, second=False)
    for side in ("left", "right"):
        for each in (a, normal(*shape, imaginary=True)):
            assert_served(lambda a, s=side: sl.polar(a, s), each, second=False)
    with pytest.raises(pb.ArgumentTypeError, match="lapack_driver='gesvd'"):
        pb.vjp(lambda a: sl.svd(a, lapack_driver="gesvd"), a)


def test_spaces():
    a, weights = normal(4, 2), normal(4, 4)

    def inside(a):
        u = sl.orth(a)
        return u @ u.T

    def outside(a):
        n = sl.null_space(a.T)
        return n @ n.T

    expected = pb.grad(lambda a: np.sum(weights * (a @ np.linalg.pinv(a))))(a)
    for sign, projector in ((1, inside), (-1, outside)):
        got = pb.grad(lambda a, p=projector: np.sum(weights * p(a)))(a)
        np.testing.assert_allclose(sign * got, expected, rtol=1e-10, atol=1e-12)
    assert_derivative(sl.orth, a, rtol=1e-12)
    np.testing.assert_allclose(pb.vjp(sl.null_space, a.T)[0], sl.null_space(a.T), rtol=1e-13)
    with pytest.raises(pb.ArgumentValueError, match=r"scipy\.linalg\.null_space.*not determine"):
        pb.grad(lambda a: np.sum(sl.null_space(a.T) ** 3))(a)
    with pytest.raises(pb.DataDependenceError, match=r"scipy\.linalg\.orth"):
        pb.trace(sl.orth, a)
    assert_derivative(sl.orthogonal_procrustes, a, normal(4, 2), rtol=1e-12)
    assert_derivative(sl.subspace_angles, a, normal(4, 2), rtol=1e-11)
    assert_derivative(sl.subspace_angles, a, a[:, :1] + 0.2 * normal(4, 1), rtol=1e-11)


def test_least_squares():
    for imaginary in (False, True):
        for shape in ((5, 3), (3, 5), (3, 3)):
            for more in ((), (2,)):
                a = normal(*shape, imaginary=imaginary)
                b = normal(shape[0], *more, imaginary=imaginary)
                for driver in (None, "gelsy", "gelss"):
                    parts = [0, 1, 3] if shape[0] > shape[1] and driver != "gelsy" else [0]
                    assert_served(
                        lambda a, b, d=driver, p=parts: tuple(
                            sl.lstsq(a, b, lapack_driver=d)[i] for i in p
                        ),
                        a, b, second=False, rtol=1e-10,
                    )  # fmt: skip
                seen, plain = [], sl.lstsq(a, b)
                pb.vjp(lambda a, b=b, s=seen: s.extend(sl.lstsq(a, b)) or a, a)
                assert seen[2] == plain[2]
                assert np.shape(seen[1]) == np.shape(plain[1])
    with pytest.raises(pb.ArgumentValueError, match=r"scipy\.linalg\.lstsq.*rank 1"):
        pb.vjp(lambda a: sl.lstsq(a, np.ones(3)), np.ones((3, 2)))


def test_pairs_of_generalised_eigenvalues_are_refused():
    with pytest.raises(
        pb.PullbackError, match=r"scipy\.linalg\.eigvals: homogeneous_eigvals.*call"
    ):
        pb.vjp(lambda a: sl.eigvals(a, np.eye(2), homogeneous_eigvals=True), np.eye(2))


def test_left_vectors_keep_single_precision():
    a = (np.diag([1.0, 2.0, 4.0]) + 0.1 * np.ones((3, 3))).astype(np.float32)
    plain = sl.eig(a, left=True)
    value, _ = pb.vjp(lambda a: sl.eig(a, left=True), a)
    assert [x.dtype for x in value] == [x.dtype for x in plain]
