"""Multivariate distributions and density estimates."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats as st

import pullback as pb
from pullback.errors import NoRuleError
from tests.scipy.stats.gradients import assert_gradient, symmetric

RNG = np.random.default_rng(0)
A = RNG.normal(size=(3, 3))
C, M, X = A @ A.T + np.eye(3), RNG.normal(size=3), RNG.normal(size=(4, 3))
W, R, Y = C + 0.3 * np.eye(3), C[:2, :2], RNG.normal(size=(2, 3))
SINGULAR = np.outer(M, M) + np.outer(A[0], A[0])
ALPHA, P = np.array([0.5, 2, 3]), np.array([0.2, 0.5, 0.3])
DATA, POINTS = RNG.normal(size=(2, 7)), RNG.normal(size=(2, 3))
NORMAL, T = st.multivariate_normal, st.multivariate_t


def simplex(t):
    return np.exp(t) / np.sum(np.exp(t))


CASES = {
    "normal in x": (lambda x: NORMAL.logpdf(x, M, C), X),
    "normal in mean": (lambda m: NORMAL.pdf(X, m, C), M),
    "normal in cov": (lambda c: NORMAL.logpdf(X, M, symmetric(c)), C),
    "normal of a number": (lambda c: NORMAL.logpdf(X, M, c), 1.3),
    "normal of a diagonal": (lambda c: NORMAL.logpdf(X, M, c), [1.3, 2, 0.5]),
    "normal in one dimension": (lambda x: NORMAL.logpdf(x, 0.3, 2.0), [0.3, 0.5]),
    "frozen normal in x": (lambda x: NORMAL(M, C).logpdf(x), X),
    "frozen normal in mean": (lambda m: NORMAL(m, C).pdf(X), M),
    "frozen normal in cov": (lambda c: NORMAL(M, cov=symmetric(c)).logpdf(X), C),
    "singular normal in x": (
        lambda t: NORMAL.logpdf(t[0] * M + t[1] * A[0], np.zeros(3), SINGULAR, True), [0.3, 0.5]
    ),
    "singular normal in mean": (
        lambda t: NORMAL.pdf(0.2 * M, t[0] * M, SINGULAR, allow_singular=True), [0.3]
    ),
    "normal of a Covariance": (
        lambda x: NORMAL.logpdf(x, M, st.Covariance.from_diagonal([1, 2, 3.0])), X
    ),
    "normal entropy": (lambda c: NORMAL.entropy(M, symmetric(c)), C),
    "frozen normal entropy": (lambda c: NORMAL(M, symmetric(c)).entropy(), C),
    "normal cdf": (lambda x: NORMAL.cdf(x, 0.3, 2.0), [0.3, 0.5]),
    "t in x": (lambda x: T.logpdf(x, M, C, 2.5), X),
    "t in df": (lambda df: T.pdf(X, M, C, df), 3.5),
    "t in shape": (lambda s: T.logpdf(X, M, symmetric(s), 3.5), C),
    "frozen t": (lambda m: T(m, C, 3.5).logpdf(X), M),
    "t entropy": (lambda df: T.entropy(None, C, df), 3.5),
    "matrix normal in X": (lambda x: st.matrix_normal.logpdf(x, None, R, C), Y),
    "matrix normal in rows": (lambda r: st.matrix_normal.logpdf(Y, Y / 2, symmetric(r), C), R),
    "matrix normal frozen": (lambda c: st.matrix_normal(Y / 2, R, symmetric(c)).pdf(Y), C),
    "Dirichlet in x": (lambda x: st.dirichlet.logpdf(x, ALPHA), P[:2]),
    "Dirichlet in alpha": (lambda a: st.dirichlet.pdf(np.stack([P, P[::-1]], 1), a), ALPHA),
    "frozen Dirichlet": (lambda a: st.dirichlet(a).logpdf(P), ALPHA),
    "Dirichlet entropy": (lambda a: st.dirichlet.entropy(a), ALPHA),
    "Dirichlet variance": (lambda a: st.dirichlet(a).var(), ALPHA),
    "multinomial": (lambda t: st.multinomial.logpmf([[3, 1, 2], [0, 6, 0]], 6, simplex(t)), P),
    "frozen multinomial": (lambda t: st.multinomial(6, simplex(t)).pmf([3, 1, 2]), P),
    "multinomial covariance": (lambda t: st.multinomial.cov(6, simplex(t))[0, :2], P),
    "Dirichlet multinomial": (lambda a: st.dirichlet_multinomial.logpmf([3, 1, 2], a, 6), ALPHA),
    "kernels in points": (lambda x: st.gaussian_kde(DATA).logpdf(x), POINTS),
    "kernels in data": (lambda d: st.gaussian_kde(d)(POINTS), DATA),
    "kernels in weights": (
        lambda w: st.gaussian_kde(DATA, weights=w).evaluate(POINTS), np.arange(1.0, 8)
    ),
    "kernels by Silverman": (lambda x: st.gaussian_kde(DATA[0], "silverman").pdf(x), POINTS[0]),
}  # fmt: skip

for _name in ("wishart", "invwishart"):
    _w = getattr(st, _name)
    CASES |= {
        f"{_name} in X": (lambda x, w=_w: w.logpdf(symmetric(x), 4.5, C), W),
        f"{_name} in scale": (
            lambda c, w=_w: w.logpdf(np.stack([W, C], -1), 4.5, symmetric(c)), C
        ),
        f"frozen {_name}": (lambda c, w=_w: w(4.5, symmetric(c)).pdf(W), C),
        f"{_name} entropy": (lambda c, w=_w: w.entropy(4.5, symmetric(c)), C),
    }  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_gradients(name):
    assert_gradient(*CASES[name])


def test_wishart_in_its_degrees_of_freedom():
    slope = pb.grad(lambda df: st.wishart.logpdf(W, df, C))(4.5)
    ends = [st.wishart.logpdf(W, 4.5 + s, C) for s in (1e-4, -1e-4)]
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / 2e-4, rtol=1e-6)


def test_two_dimensions_have_a_distribution_function():
    value, pull = pb.vjp(lambda x: NORMAL.cdf(x, M[:2], R), X[:, :2])
    np.testing.assert_allclose(value, NORMAL.cdf(X[:, :2], M[:2], R), rtol=1e-6)
    s = np.sqrt(np.diag(R))
    r = R[0, 1] / (s[0] * s[1])
    h, k = ((X[:, :2] - M[:2]) / s).T
    expected = st.norm.pdf(h) * st.norm.cdf((k - r * h) / np.sqrt(1 - r * r)) / s[0]
    np.testing.assert_allclose(pull(np.ones(4))[0][:, 0], expected, rtol=1e-12)


def test_batches_and_graphs():
    def f(x, c):
        return NORMAL.logpdf(x, M, c)

    covs = np.stack([C, W])
    loop = np.stack([pb.grad(lambda c: f(X[0], c))(each) for each in covs])
    batch = pb.vmap(lambda c: pb.grad(lambda c: f(X[0], c))(c))(covs)
    np.testing.assert_allclose(batch, loop, rtol=1e-10)
    traced = pb.trace(pb.grad(f, argnums=1), X[0], C)(X[0], C)
    np.testing.assert_allclose(traced, loop[0], rtol=1e-10)


def test_what_is_refused():
    for name, call in {
        "multivariate_normal.rvs": lambda m: NORMAL(m).rvs(),
        "multivariate_normal.cdf": lambda m: NORMAL.cdf(m, np.zeros(3)),
        "multivariate_normal.logpdf": lambda m: NORMAL.logpdf(X, np.zeros(3), np.outer(m, m), True),
        "gaussian_kde.integrate_box_1d": lambda m: st.gaussian_kde(m).integrate_box_1d(0, 1),
        "multivariate_t.cdf": lambda m: T.cdf(m, np.zeros(3)),
        "Normal": lambda m: st.Normal(mu=m[0]).logpdf(1.0),
    }.items():
        with pytest.raises(NoRuleError, match=rf"scipy\.stats\.{name}"):
            pb.vjp(call, M)
