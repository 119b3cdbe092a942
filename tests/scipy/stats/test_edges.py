"""Ends of supports, parameters that are not valid, dtypes, batches, graphs, tails and programs."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.special
import scipy.stats as st

import pullback as pb
from pullback.errors import NoRuleError
from tests.scipy.stats.gradients import assert_gradient

X = np.array([-1.0, 0.0, 0.5, 2.0, 7.0, np.nan])


def test_outside_of_the_support_values_are_scipys_and_derivatives_zero():
    for name, shapes in {
        "gamma": (2.5,),
        "beta": (2.0, 3.0),
        "uniform": (),
        "pareto": (2.0,),
    }.items():
        d = getattr(st, name)
        for method in ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf"):
            f = getattr(d, method)
            value, tangent = pb.jvp(
                lambda x, f=f, shapes=shapes: f(x, *shapes), (X,), (np.ones_like(X),)
            )
            np.testing.assert_array_equal(np.isfinite(value), np.isfinite(f(X, *shapes)))
            np.testing.assert_allclose(value, f(X, *shapes), rtol=1e-14)
            low, high = d.support(*shapes)
            assert not np.any(tangent[(low > X) | (high < X)])


def test_parameters_that_are_not_valid_give_nan_and_harm_no_others():
    scales = np.array([1.0, -1.0, 2.0])
    value, pull = pb.vjp(lambda s: st.norm.logpdf(0.3, 0.1, s), scales)
    np.testing.assert_array_equal(value, st.norm.logpdf(0.3, 0.1, scales))
    bar = pull(np.array([1.0, 0.0, 1.0]))[0]
    z = 0.2 / scales
    np.testing.assert_allclose(bar[[0, 2]], ((z * z - 1) / scales)[[0, 2]], rtol=1e-14)
    shapes = np.array([2.0, -1.0])
    total = pb.grad(lambda t: np.sum(st.gamma.logpdf(1.5, shapes * 1.0, t)[:1]))(0.2)
    assert np.isfinite(total)


def test_results_have_scipys_dtypes_and_shapes():
    for dtype in (np.float32, np.float64):
        x = np.array([[0.5], [2.0]], dtype)
        out = pb.vjp(lambda x: st.norm.logpdf(x, np.zeros(3), 2), x)[0]
        plain = st.norm.logpdf(x, np.zeros(3), 2)
        assert out.dtype == plain.dtype and out.shape == plain.shape
        assert pb.grad(lambda x: np.sum(st.norm.logpdf(x)))(x).dtype == dtype


def test_batches_graphs_and_second_order():
    def f(x, a, scale):
        return st.gamma.logpdf(x, a, scale=scale)

    x = np.array([0.5, 1.5, 4.0])
    slopes = pb.vmap(pb.grad(f, argnums=1), in_axes=(0, None, None))(x, 2.5, 1.3)
    expected = np.log(x / 1.3) - scipy.special.digamma(2.5)
    np.testing.assert_allclose(slopes, expected, rtol=1e-13)
    curve = pb.grad(pb.grad(f, argnums=1), argnums=1)(1.5, 2.5, 1.3)
    np.testing.assert_allclose(curve, -scipy.special.polygamma(1, 2.5), rtol=1e-13)
    compiled = pb.compile(pb.grad(lambda a: np.sum(f(x, a, 1.3))))
    np.testing.assert_allclose(compiled(2.5), np.sum(expected), rtol=1e-13)
    h = pb.hessian(lambda t: np.sum(st.norm(t[0], t[1]).logsf(x)))(np.array([0.3, 1.7]))
    np.testing.assert_allclose(h, h.T, rtol=1e-12)


def test_integers_by_nature_say_so():
    for call, name in (
        (
            lambda k: st.poisson.logpmf(k, 1.5),
            r"poisson\.logpmf: its argument k.* integer by nature",
        ),
        (lambda n: st.binom.pmf(2, n, 0.3), r"binom\.pmf: the derivative with respect to n"),
    ):
        with pytest.raises(NoRuleError, match=name):
            pb.vjp(call, 3.0)[1](1.0)
    assert pb.vmap(lambda k: st.poisson.pmf(k, 1.5))(np.arange(3.0)).shape == (3,)


def test_tails_of_the_normal_distribution():
    x = np.concatenate([-np.logspace(-3, 2, 50), np.logspace(-3, 4, 50)])
    slopes = pb.vjp(st.norm.logsf, x)[1](np.ones(100))[0]
    with mpmath.workdps(40):
        exact = [
            float(-mpmath.npdf(t) / (mpmath.erfc(mpmath.mpf(t) / mpmath.sqrt(2)) / 2)) for t in x
        ]
    np.testing.assert_allclose(slopes, exact, rtol=1e-12)


def test_gamma_and_t_in_their_shapes_over_their_domains():
    a, x = np.logspace(-3, 4, 100), np.logspace(-4, 3, 100)[::-1]
    slopes = pb.vjp(lambda a: st.gamma.logpdf(x, a), a)[1](np.ones(100))[0]
    exact = [float(mpmath.log(t) - mpmath.digamma(s)) for s, t in zip(a, x, strict=True)]
    np.testing.assert_allclose(slopes, exact, rtol=1e-12, atol=1e-12)
    slopes = pb.vjp(lambda m: st.poisson.logpmf(np.arange(100), m), a)[1](np.ones(100))[0]
    np.testing.assert_allclose(slopes, np.arange(100) / a - 1, rtol=1e-12)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda t: st.ncf.logpdf(0.5, t, 2, 0.2), "scipy.stats.ncf.logpdf met .* argument dfn"),
        (lambda t: st.ncf(t, 2, 0.2).cdf(0.5), "scipy.stats.ncf.cdf: .* dfn|ncfdtr: .* dfn"),
        (lambda t: st.ncf.mean(t, 2.5, 0.2), "scipy.stats.ncf.mean met .* argument dfn"),
        (lambda t: st.ncf.ppf(0.3, t, 2, 0.2), r"scipy.stats.ncf.ppf.* dfn|ncfdtri: .* dfn"),
        (
            lambda t: st.gausshyper.cdf(0.5, t, 3.0, 2.0, 5.0),
            "scipy.stats.gausshyper.cdf: the derivative with respect to a has no rule",
        ),
    ],
)
def test_errors_name_the_method_that_was_called(call, name):
    with pytest.raises(NoRuleError, match=name):
        pb.grad(call)(3.0)
    with pytest.raises(NoRuleError, match=name):
        pb.jvp(call, (3.0,), (1.0,))


def test_probabilities_of_listed_values_are_refused():
    x = np.arange(3)
    with pytest.raises(NoRuleError, match=r"scipy.stats.rv_discrete: .*values.* \(3,\).*np.sum"):
        pb.grad(lambda p: st.rv_discrete(values=(x, p)).mean())(np.array([0.2, 0.3, 0.5]))
    assert st.rv_discrete(values=(x, [0.2, 0.3, 0.5])).mean() == 1.3


def test_densities_have_slopes_at_the_ends_of_their_supports():
    """x − x² near 0 for a = 2, −1 for a = 1, infinite between; likewise where 1 − x is small."""
    for d, shapes, x, first, second in (
        (st.gamma, (2.0,), 0.0, 1.0, -2.0),
        (st.gamma, (1.0,), 0.0, -1.0, 1.0),
        (st.gamma, (1.5,), 0.0, np.inf, -np.inf),
        (st.gamma, (2.5,), 0.0, 0.0, np.inf),
        (st.chi2, (4.0,), 0.0, 0.25, -0.25),
        (st.chi2, (5.0,), 0.0, 0.0, np.inf),
        (st.beta, (2.0, 2.0), 0.0, 6.0, -12.0),
        (st.beta, (2.0, 2.0), 1.0, -6.0, -12.0),
        (st.beta, (3.0, 3.0), 1.0, 0.0, 60.0),
    ):
        f = d(*shapes).pdf
        value, slope = pb.jvp(f, (x,), (1.0,))
        assert value == f(x)
        np.testing.assert_allclose([slope, pb.grad(f)(x)], first, rtol=1e-14)
        np.testing.assert_allclose(pb.grad(pb.grad(f))(x), second, rtol=1e-14)
    for shapes, x, slope in (((0.5, 0.5), 0.0, -np.inf), ((0.5, 0.5), 1.0, np.inf)):
        assert pb.grad(lambda x, shapes=shapes: st.beta.pdf(x, *shapes))(x) == slope


def test_the_inverse_gamma_distribution_near_zero():
    x = np.array([1e-300, 1e-200, 0.5])
    for method in ("pdf", "cdf", "sf", "logsf"):
        slopes = pb.vjp(lambda x, m=method: getattr(st.invgamma, m)(x, 2.2), x)[1](np.ones(3))[0]
        assert not np.any(slopes[:2]) and np.isfinite(slopes[2])


def test_the_variance_on_a_circle():
    """By κ, of the density exp(κ cos x), a quotient of sums over one turn."""
    x = np.linspace(-np.pi, np.pi, 200_001)

    def variance(kappa):
        weights = np.exp(kappa * np.cos(x))
        weights[[0, -1]] *= 0.5
        return np.sum(x * x * weights) / np.sum(weights)

    expected = (variance(2.001) - variance(1.999)) / 2e-3
    np.testing.assert_allclose(pb.grad(st.vonmises.var)(2.0), expected, rtol=1e-6)


def test_logarithms_of_tails_too_small_for_a_reciprocal():
    """First and second derivatives where F is below 10⁻³⁰⁸, in both modes, and near 10⁻¹⁷⁰."""
    mpmath.mp.dps = 40

    def gamma(a, x):
        return mpmath.log(mpmath.gammainc(a, x, regularized=True))

    def beta(b, x):
        return mpmath.log(mpmath.betainc(b, 3, 0, 1 - mpmath.mpf(x), regularized=True))

    for f, exact, x, shape in (
        (st.gamma.logsf, gamma, np.array([724.0, 200.0]), 3.3),
        (lambda x, b: st.beta.logsf(x, 3.0, b), beta, np.array([1 - 3 * 2.0**-38, 0.99]), 28.5),
    ):
        assert_tail(lambda s, f=f, x=x: f(x, s), exact, x, shape)


def assert_tail(f, exact, x, shape):
    def derivative(n, t):
        return float(mpmath.diff(lambda s: exact(s, t), shape, n))

    first, second = ([derivative(n, t) for t in x] for n in (1, 2))
    s, one = np.full(2, shape), np.ones(2)
    value = f(s)
    assert value[0] < -708.5 and -400 < value[1] < -100

    def slope(s):
        return pb.vjp(f, s)[1](one)[0]

    # Of a number of that size the first has some 8 digits, and so has its logarithm's slope.
    for found in (slope(s), pb.jvp(f, (s,), (one,))[1]):
        np.testing.assert_allclose(found[1], first[1], rtol=1e-12)
        np.testing.assert_allclose(found[0], first[0], rtol=1e-6)
    for found in (pb.jvp(slope, (s,), (one,))[1], pb.compile(pb.grad(lambda s: sum(slope(s))))(s)):
        np.testing.assert_allclose(found, second, rtol=1e-5)


# -- programs --------------------------------------------------------------------------------------


def test_a_survival_likelihood():
    times, seen = np.array([0.5, 1.2, 2.0, 3.1]), np.array([1.0, 0.0, 1.0, 0.0])

    def loss(t):
        frozen = st.norm(loc=t[0], scale=np.exp(t[1]))
        return -np.sum(seen * frozen.logpdf(times) + (1 - seen) * frozen.logsf(times))

    assert_gradient(loss, [1.0, 0.3], 1e-8)


def test_a_mixture_of_gaussians():
    data = np.array([-1.0, 0.2, 0.4, 2.5])

    def loss(t):
        log_w = scipy.special.log_softmax(t[:2])
        parts = log_w + st.norm.logpdf(data[:, None], t[2:4], np.exp(t[4:]))
        return -np.sum(scipy.special.logsumexp(parts, axis=1))

    assert_gradient(loss, [0.3, -0.2, -1.0, 1.5, 0.1, -0.3], 1e-8)


def test_a_gaussian_process():
    s, y = np.linspace(0, 1, 5), np.array([0.1, 0.5, 0.2, -0.3, -0.1])

    def loss(t):
        k = np.exp(-0.5 * ((s[:, None] - s) / np.exp(t[0])) ** 2) + np.exp(t[1]) * np.eye(5)
        return -st.multivariate_normal.logpdf(y, np.zeros(5), k)

    assert_gradient(loss, [-1.0, -2.0], 1e-7)


@pytest.mark.parametrize(
    ("distribution", "shapes", "q", "slope"),
    [
        (st.norm, (), 1.0, np.inf),
        (st.norm, (), 0.0, np.inf),
        (st.uniform, (), 1.0, 1.0),
        (st.expon, (), 0.0, 1.0),
        (st.expon, (), 1.0, np.inf),
        (st.beta, (2.0, 3.0), 0.0, np.inf),
    ],
)
def test_quantiles_at_the_ends_have_the_slopes_of_their_side(distribution, shapes, q, slope):
    with np.errstate(divide="ignore", invalid="ignore"):
        value, change = pb.jvp(lambda q: distribution.ppf(q, *shapes), (q,), (1.0,))
        assert value == distribution.ppf(q, *shapes)
        assert change == slope
        assert pb.grad(lambda q: distribution.ppf(q, *shapes, scale=2.0))(q) == 2 * slope
        assert pb.grad(lambda q: distribution.isf(q, *shapes))(1 - q) == -slope
