"""The statistics, and p-values, of `scipy.stats`."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats as st

import pullback as pb
from pullback.errors import DataDependenceError, NoRuleError
from tests.scipy.stats.gradients import assert_gradient

RNG = np.random.default_rng(3)
X, Y, M = (RNG.uniform(0.5, 3, size=shape) for shape in (9, 9, (4, 5)))
P = X / np.sum(X)


def total(out):
    if isinstance(out, tuple | list):
        weights = (1, 0.7, 1.3, 0.9, 0.4, 0.2)
        return sum(c * np.sum(total(v)) for c, v in zip(weights, out, strict=False))
    if hasattr(out, "statistic") and not hasattr(out, "dtype"):
        return np.sum(out.statistic) + 0.5 * np.sum(out.pvalue)
    return np.sum(out)


OF_ONE = [
    "gmean", "hmean", "skew", "kurtosis", "sem", "variation", "iqr", "zscore", "gzscore", "gstd",
    "circmean", "circvar", "entropy", "median_abs_deviation", "tmean", "differential_entropy",
    "describe", "circstd", "kstat", "kstatvar", "tvar", "tstd", "tsem", "jarque_bera", "skewtest",
    "kurtosistest", "normaltest", "sigmaclip",
]  # fmt: skip
OF_TWO = [
    "pearsonr", "linregress", "ttest_ind", "ttest_rel", "wasserstein_distance", "energy_distance",
    "f_oneway", "alexandergovern", "bartlett", "levene", "zmap", "entropy", "theilslopes",
    "pointbiserialr",
]  # fmt: skip
BY_AXIS = OF_ONE[:16]
OTHERS = {
    "pmean": (lambda x: st.pmean(x, 2.5), X),
    "weighted gmean": (lambda w: st.gmean(X, weights=w), Y),
    "third moment": (lambda x: st.moment(x, 3), X),
    "trim_mean": (lambda x: st.trim_mean(x, 0.2), X),
    "directions": (lambda x: total(st.directional_stats(x).mean_direction), M),
    "boxcox_llf": (lambda x: st.boxcox_llf(0.3, x), X),
    "boxcox_llf in lmbda": (lambda lmbda: st.boxcox_llf(lmbda, X), 0.3),
    "yeojohnson": (lambda x: st.yeojohnson(x, 0.3), X - 1.5),
    "yeojohnson_llf": (lambda x: st.yeojohnson_llf(0.3, x), X - 1.5),
    "chisquare": (lambda y: total(st.chisquare(P, y / np.sum(y))), Y),
    "power_divergence": (lambda x: total(st.power_divergence(x, lambda_=0.5)), X),
    "ttest_1samp": (lambda x: total(st.ttest_1samp(x, 1.3)), X),
    "mean of ttest_1samp": (lambda m: total(st.ttest_1samp(X, m)), 1.3),
    "Welch's test": (lambda x: total(st.ttest_ind(x, Y, equal_var=False)), X),
    "combine_pvalues": (lambda x: total(st.combine_pvalues(x / 4)), X),
    "weights of a distance": (lambda w: st.wasserstein_distance(X, Y, w, Y), X * 1.1),
}
if hasattr(st, "quantile"):
    OTHERS["quantile"] = (lambda x: st.quantile(x, 0.3), X)


@pytest.mark.parametrize("name", OF_ONE)
def test_statistics_of_one_sample(name):
    f = getattr(st, name)
    assert_gradient(lambda x: total(f(x)), X, 1e-6)
    if name in BY_AXIS:
        assert_gradient(lambda x: total(f(x, axis=1)), M, 1e-6)


@pytest.mark.parametrize("name", OF_TWO)
def test_statistics_of_two_samples(name):
    f = getattr(st, name)
    assert_gradient(lambda x: total(f(x, Y)), X, 1e-6)
    assert_gradient(lambda y: total(f(X, y)), Y, 1e-6)


@pytest.mark.parametrize("name", OTHERS)
def test_other_statistics(name):
    assert_gradient(*OTHERS[name], tolerance=1e-6)


def test_the_order_of_data_is_a_constant():
    for f in (st.spearmanr, st.kendalltau, st.mannwhitneyu, st.wilcoxon, st.ks_2samp):
        value, gradient = pb.value_and_grad(lambda x, f=f: total(f(x, Y)) * x[0])(X)
        np.testing.assert_allclose(value, total(f(X, Y)) * X[0])
        np.testing.assert_allclose(gradient, np.eye(9)[0] * total(f(X, Y)))
    with pytest.raises(DataDependenceError, match=r"scipy\.stats\.spearmanr"):
        pb.vmap(lambda x: st.spearmanr(x, Y)[0] * x)(np.stack([X, Y]))


def test_what_is_refused():
    for name in ("bootstrap", "anderson", "kstest", "boxcox_normmax", "siegelslopes", "lmoment"):
        with pytest.raises(NoRuleError, match=rf"scipy\.stats\.{name} met"):
            pb.vjp(lambda x, name=name: getattr(st, name)(x, Y), X)
