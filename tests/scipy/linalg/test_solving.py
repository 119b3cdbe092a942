"""Solving, inverting and determinants under SciPy's names."""

from __future__ import annotations

import inspect
import itertools
from types import FunctionType

import numpy as np
import pytest
import scipy.linalg as sl

import pullback as pb
from tests.scipy.linalg.agreement import assert_served, stacked

RNG = np.random.default_rng(21)


def regular(*shape, imaginary=False):
    noise = RNG.normal(size=shape) + (1j * RNG.normal(size=shape) if imaginary else 0)
    return 2 * np.eye(shape[-1]) + 0.3 * noise


def definite(*shape, imaginary=False):
    a = regular(*shape, imaginary=imaginary)
    return a @ np.conj(np.swapaxes(a, -1, -2))


def columns(*shape, imaginary=False):
    return RNG.normal(size=shape) + (1j * RNG.normal(size=shape) if imaginary else 0)


STRUCTURES = [
    None, "general", "gen", "banded", "diagonal", "tridiagonal", "upper triangular",
    "lower triangular", "symmetric", "sym", "hermitian", "her", "positive definite", "pos",
]  # fmt: skip


@pytest.mark.parametrize("structure", STRUCTURES)
def test_solve_of_every_structure(structure):
    a, b = definite(4, 4), columns(4)
    if structure in ("symmetric", "hermitian"):
        a = a - 3 * np.eye(4)
    for lower, transposed in itertools.product((False, True), (False, True)):
        assert_served(
            lambda a, b, low=lower, t=transposed: sl.solve(
                a, b, lower=low, assume_a=structure, transposed=t
            ),
            a, b, second=not lower, narrow=0 if lower else 2e-3,
        )  # fmt: skip
    if structure not in ("banded",):
        assert_served(
            lambda a, b: sl.solve(a, b, assume_a=structure),
            definite(3, 3, imaginary=True), columns(3, 2, imaginary=True), second=False,
        )  # fmt: skip


@pytest.mark.parametrize("shapes", [((2, 3, 3), (3, 2)), ((2, 3, 3), (3,)), ((3, 3), (2, 3, 1)),
                                    ((1, 1), (1, 2))])  # fmt: skip
def test_batches_of_equations(shapes):
    a, b = regular(*shapes[0]), columns(*shapes[1])
    signature = "(n,n),(n)->(n)" if b.ndim == 1 else "(n,n),(n,k)->(n,k)"
    for f in (sl.solve, sl.solve_triangular, lambda a, b: sl.cho_solve((a, True), b)):
        assert_served(stacked(f, signature), a, b, second=False)


@pytest.mark.parametrize("trans", [0, 1, 2, "N", "T", "C"])
def test_solve_triangular(trans):
    for lower, unit, imaginary in itertools.product((False, True), repeat=3):
        a, b = regular(3, 3, imaginary=imaginary), columns(3, 2, imaginary=imaginary)

        def solved(a, b, lower=lower, unit=unit):
            return sl.solve_triangular(a, b, trans=trans, lower=lower, unit_diagonal=unit)

        assert_served(solved, a, b, second=not imaginary and trans in (0, 1), compiled=trans == 1)
        a_bar, _ = pb.vjp(solved, a, b)[1](np.ones_like(b))
        unread = np.triu(a_bar, 1) if lower else np.tril(a_bar, -1)
        assert not np.any(unread) and np.any(a_bar)
        assert np.any(np.diag(a_bar)) is not np.True_ or not unit


def test_what_is_not_read_may_be_anything():
    a, b = definite(3, 3), columns(3)
    spoilt = a + np.triu(np.full((3, 3), np.nan), 1)
    for solved in (
        lambda a: sl.solve_triangular(a, b, lower=True, check_finite=False),
        lambda a: sl.cho_solve(sl.cho_factor(a, True, check_finite=False), b, check_finite=False),
    ):
        expected = pb.vjp(solved, a)[1](np.ones(3))[0]
        np.testing.assert_allclose(pb.vjp(solved, spoilt)[1](np.ones(3))[0], expected)
    with pytest.raises(ValueError, match="infs or NaNs"):
        pb.grad(lambda a: np.sum(sl.cho_factor(a, True)[0]))(spoilt)


@pytest.mark.parametrize("lower", [False, True])
def test_factors_and_what_solves_with_them(lower):
    for imaginary in (False, True):
        a, b = definite(4, 4, imaginary=imaginary), columns(4, 2, imaginary=imaginary)
        a = a + np.triu(np.full((4, 4), 0.1), 1)
        real = not imaginary
        assert_served(lambda a: sl.cholesky(a, lower=lower), a, second=real)
        assert_served(lambda a: sl.cho_factor(a, lower=lower)[0], a, second=real)
        assert_served(
            lambda a, b: sl.cho_solve(sl.cho_factor(a, lower), b), a, b, second=real, compiled=real
        )
    out, _ = pb.vjp(lambda a: sl.cho_factor(a, lower)[0], a)
    plain = sl.cho_factor(a, lower)[0]
    other = np.triu_indices(4, 1) if lower else np.tril_indices(4, -1)
    np.testing.assert_array_equal(out[other], plain[other])
    np.testing.assert_array_equal(out[other], a[other])


def test_inverses_of_every_structure():
    a = definite(3, 3)
    if "assume_a" not in inspect.signature(sl.inv).parameters:
        for f in (sl.inv, pb.jacobian(sl.inv)):
            with pytest.raises(TypeError, match=r"inv\(\) got an unexpected keyword .*'assume_a'"):
                f(a, assume_a="sym")
        return
    triangles = ("upper triangular", "lower triangular")
    for structure in (None, "general", "diagonal", *triangles, "pos", "sym", "her"):
        for lower in (False, True):
            assert_served(
                lambda a, s=structure, low=lower: sl.inv(a, assume_a=s, lower=low), a, second=False
            )
    for structure in ("banded", "tridiagonal"):
        with pytest.raises(ValueError, match="not a recognized matrix structure"):
            pb.grad(lambda a, s=structure: np.sum(sl.inv(a, assume_a=s)))(a)


def test_inverses_determinants_and_norms():
    for a in (regular(3, 3), regular(2, 3, 3), regular(2, 2, imaginary=True)):
        assert_served(stacked(sl.inv, "(n,n)->(n,n)"), a)
        assert_served(sl.det, a)
        for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
            assert_served(
                lambda a, o=order: sl.norm(a, o, axis=(-2, -1), keepdims=True), a, second=False
            )
    for order in (None, 1, -1, 2, 2.5, np.inf, -np.inf):
        assert_served(lambda a, o=order: sl.norm(a, o), columns(4), second=False)
    assert_served(sl.norm, regular(2, 3, 3))


def test_pseudo_inverses():
    for a in (columns(4, 2), columns(2, 4), columns(3, 3, imaginary=True)):
        assert_served(sl.pinv, a, second=False)
    graded = np.diag([3.0, 1.0, 1e-3]) + 1e-5 * RNG.normal(size=(3, 3))
    for keywords in ({"atol": 0.01}, {"rtol": 0.01}, {"atol": 0.005, "rtol": 0.001}):
        out, _ = pb.vjp(lambda a, k=keywords: sl.pinv(a, **k), graded)
        np.testing.assert_allclose(out, sl.pinv(graded, **keywords), rtol=1e-12, atol=1e-12)
        out, _ = pb.vjp(lambda a, k=keywords: sl.pinvh(a, **k), graded)
        np.testing.assert_allclose(out, sl.pinvh(graded, **keywords), rtol=1e-12, atol=1e-12)
        ranks = []
        pb.grad(
            lambda a, k=keywords, r=ranks: np.sum(
                (lambda pair: r.append(pair[1]) or pair[0])(sl.pinv(a, return_rank=True, **k))
            )
        )(graded)
        assert ranks == [sl.pinv(graded, return_rank=True, **keywords)[1]] == [2]
    for lower in (True, False):
        assert_served(lambda a, low=lower: sl.pinvh(a, lower=low), definite(3, 3), second=False)
        assert_served(
            lambda a, low=lower: sl.pinvh(a, lower=low), definite(3, 3, imaginary=True),
            second=False,
        )  # fmt: skip


def test_pinv_with_a_tolerance_is_a_function_of_the_values_above_it():
    rng = np.random.default_rng(23)
    a = rng.normal(size=(4, 3))
    s = np.linalg.svdvals(a)
    h = a.T @ a
    for f, x in (
        (lambda a: sl.pinv(a, atol=(s[1] + s[2]) / 2), a),
        (lambda a: sl.pinv(a, rtol=(s[1] + s[2]) / 2 / s[0]), a),
        (lambda a: sl.pinv(a), a),
        (lambda a: sl.pinvh(a + a.T, atol=s[1] ** 2 + s[2] ** 2), h),
    ):
        assert_served(f, x, second=False)
        pb.check(f, x)
        np.testing.assert_allclose(pb.compile(f)(x), f(x), rtol=1e-11, atol=1e-12)


def test_questions_about_a_matrix_that_is_followed_are_answered():
    a = np.triu(np.arange(1.0, 10).reshape(3, 3))

    def f(a):
        assert sl.bandwidth(a) == (0, 2)
        assert not sl.issymmetric(a, 1e-9)
        assert sl.ishermitian(a=a + a.T, rtol=1e-9)
        return np.sum(a**2)

    if not isinstance(sl.bandwidth, FunctionType):  # it is compiled in older releases
        with pytest.raises(pb.NoRuleError, match=r"scipy\.linalg\.bandwidth"):
            pb.grad(f)(a)
        return
    np.testing.assert_array_equal(pb.grad(f)(a), 2 * a)
    with pytest.raises(pb.DataDependenceError, match=r"scipy\.linalg\.bandwidth.*mapped"):
        pb.vmap(sl.bandwidth)(np.stack([a, a.T]))


def test_pinv_of_a_matrix_of_lower_rank_has_second_derivatives_with_a_tolerance():
    rng = np.random.default_rng(29)
    u, v = rng.normal(size=(4, 2)), rng.normal(size=(2, 4))
    x = np.array([1.0, 2.0])
    for options in ({"atol": 1e-3}, {"rtol": 1e-4}):
        f = pb.hessian(lambda x, k=options: np.sum(sl.pinv((u * x) @ v, **k) ** 2))
        g = pb.hessian(lambda x: np.sum(np.linalg.pinv((u * x) @ v) ** 2))
        np.testing.assert_allclose(f(x), g(x), rtol=1e-9)
