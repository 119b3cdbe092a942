"""All of SciPy's distributions: a derivative is right or refused, by name, and never wrong."""

from __future__ import annotations

import pytest

from pullback.errors import NoRuleError
from tests.scipy.stats.methods import CONTINUOUS, DISCRETE, disagreement, subjects

UNSTABLE = {"fatiguelife", "erlang", "kappa4", "norminvgauss"}
"""Distributions whose shapes in SciPy's list leave no room for differences, or take long."""

WHOLE = {
    "bernoulli": (), "betabinom": ("n",), "betanbinom": ("n",), "binom": ("n",),
    "boltzmann": ("N",), "zipfian": ("n",),
}  # fmt: skip
COUNTED = {"hypergeom", "nhypergeom", "randint", "nchypergeom_fisher", "nchypergeom_wallenius"}
EVERY = (
    "pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf", "mean", "var", "std", "entropy",
    "median", "moment", "support",
)  # fmt: skip
FIRST_TIER = [
    "norm", "t", "gamma", "beta", "expon", "chi2", "uniform", "lognorm", "weibull_min", "laplace",
    "logistic", "invgamma", "f", "cauchy", "halfnorm", "pareto", "rayleigh", "gumbel_r",
    "gumbel_l", "truncnorm",
]  # fmt: skip


def trials(found, tolerance):
    """What is wrong among methods of a distribution, and what is said where one is refused."""
    wrong, refused = [], []
    for subject in found:
        try:
            wrong.append(disagreement(subject, tolerance))
        except NoRuleError as error:
            refused.append(str(error))
    return list(filter(None, wrong)), refused


@pytest.mark.parametrize("name", sorted(set(CONTINUOUS) - UNSTABLE))
def test_densities_are_right_or_refused(name):
    wrong, refused = trials(subjects(name, ("logpdf", "cdf")), 1e-6)
    assert not wrong
    assert all("scipy." in text for text in refused)


@pytest.mark.parametrize("name", FIRST_TIER)
def test_every_method_of_the_common_ones_is_right(name):
    found = [
        each
        for each in subjects(name, EVERY)
        if not (each.method in ("mean", "var", "std", "moment") and name in ("cauchy", "pareto"))
    ]
    wrong, refused = trials(found, 2e-6)
    assert not wrong
    assert not refused


@pytest.mark.parametrize("name", sorted(set(DISCRETE) - COUNTED - {"poisson_binom"}))
def test_discrete_ones_are_right_or_refused_in_their_parameters(name):
    methods = ("pmf", "logpmf", "cdf", "logcdf", "sf", "logsf", "mean", "var", "entropy")
    found = [
        each
        for each in subjects(name, methods)
        if each.argument not in ("x", "loc", *WHOLE.get(name, ()))
    ]
    wrong, refused = trials(found, 1e-6)
    assert not wrong
    assert all("scipy." in text for text in refused)
    if name in ("poisson", "binom", "bernoulli", "nbinom", "geom"):
        assert not refused
