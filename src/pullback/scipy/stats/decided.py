"""What is decided for the names of `scipy.stats` that nothing else is said of."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import scipy.stats
from scipy.stats import rv_continuous, rv_discrete

from pullback.core.primitive import Primitive
from pullback.numpy.decisions import Kind, decide, decisions
from pullback.scipy.decisions import constant, refused
from pullback.scipy.first_step import give_first_step
from pullback.scipy.stats.densities import normalized_gen_harmonic
from pullback.scipy.stats.statistics import RANKED
from pullback.scipy.stats.vectorial import refusing

__all__: list[str] = []

constant(scipy.stats, RANKED, "depends on the order of the data alone")
constant(
    scipy.stats,
    "BootstrapMethod CensoredData MonteCarloMethod PermutationMethod barnard_exact binomtest "
    "boschloo_exact fisher_exact poisson_means_test spearmanrho tiecorrect",
    "takes counts, ranks or options, which nothing can be differentiated with respect to",
)

_STATISTIC = (
    "Write the statistic with NumPy's functions, and its p-value with a distribution's sf or cdf, "
    "which have derivatives; or detach the data with pullback.stop_gradient(x)"
)
refused(
    scipy.stats,
    "anderson anderson_ksamp bayes_mvs binned_statistic_2d binned_statistic_dd chi2_contingency "
    "cramervonmises cumfreq dunnett ecdf epps_singleton_2samp expectile false_discovery_control "
    "ks_1samp kstest lmoment logrank mode multiscale_graphcorr mvsdist quantile_test relfreq "
    "shapiro siegelslopes sobol_indices tukey_hsd wasserstein_distance_nd",
    _STATISTIC,
)
refused(
    scipy.stats,
    "bootstrap monte_carlo_test permutation_test power",
    "It draws samples: draw indices outside of the function, as rng.integers(n, size=(m, n)), and "
    "compute the statistic of x[indices], which has a derivative",
)
refused(
    scipy.stats,
    "boxcox_normmax boxcox_normplot fit goodness_of_fit ppcc_max ppcc_plot probplot "
    "yeojohnson_normmax yeojohnson_normplot",
    "It fits plain data, step by step. Minimise the negative logarithm of the likelihood, as "
    "boxcox_llf and logpdf give it, and differentiate its minimum by the rule of an implicit "
    "function",
)

refused(scipy.stats, "find_repeats", "Call numpy.unique(x, return_counts=True)")
_OLDER = (
    "Use the distributions with methods, as scipy.stats.norm.logpdf(x, loc, scale), which have "
    "derivatives; a mixture is logsumexp of their logarithms and those of its weights"
)
_NEWER = (
    "Binomial Logistic Mixture Normal Uniform abs exp log make_distribution order_statistic "
    "truncate"
)
refused(scipy.stats, _NEWER, _OLDER)

_MULTIVARIATE = (
    "matrix_t multivariate_hypergeom normal_inverse_gamma ortho_group random_correlation "
    "random_table special_ortho_group uniform_direction unitary_group"
)
decide(
    scipy.stats,
    _MULTIVARIATE,
    Kind.REFUSED,
    "Write its logarithm with NumPy's functions and those of scipy.special, such as gammaln",
)
decide(
    scipy.stats,
    "Covariance rv_histogram",
    Kind.REFUSED,
    "Hand the matrix itself to the distribution, as cov=; of a histogram take np.interp",
)
decide(
    scipy.stats,
    "mstats",
    Kind.REFUSED,
    "Use scipy.stats itself on the elements that are not masked",
)
decide(
    scipy.stats,
    "contingency qmc sampling",
    Kind.CONSTANT,
    "counts, points and draws, which are plain",
)
decide(scipy.stats, "rv_continuous rv_discrete", Kind.PASSED, "its distributions are served")


def _refuse_methods(name: str, cls: type) -> None:
    """Refuse all that a class of SciPy's does with traced values."""
    for base in cls.__mro__[:-1]:
        if not base.__module__.startswith("scipy.stats."):
            continue
        for method, function in list(vars(base).items()):
            if type(function) is FunctionType and (method[0] != "_" or method == "__init__"):
                ending = "" if method == "__init__" else f".{method}"
                give_first_step(function, refusing(f"scipy.stats.{name}{ending}"))


for _name in (*_MULTIVARIATE.split(), "Mixture", "Normal"):
    _found: Any = getattr(scipy.stats, _name, None)
    if _found is not None:
        _refuse_methods(_name, _found if isinstance(_found, type) else type(_found))


# -- the univariate distributions ------------------------------------------------------------------

_COUNTS = "hypergeom nhypergeom randint"
constant(scipy.stats, _COUNTS, "its argument and its parameters are counts")
_WITHOUT_RULES = (
    "irwinhall kstwo landau levy_stable nchypergeom_fisher nchypergeom_wallenius "
    "poisson_binom studentized_range"
)
if not isinstance(normalized_gen_harmonic, Primitive):  # an older release, which has it in Python
    _WITHOUT_RULES += " zipfian"
decide(
    scipy.stats,
    _WITHOUT_RULES,
    Kind.REFUSED,
    "Detach its arguments with pullback.stop_gradient, or write its density with a sum or an "
    "integral by a quadrature",
)


_VECTORIAL = (
    "dirichlet dirichlet_multinomial gaussian_kde invwishart matrix_normal multinomial "
    "multivariate_normal multivariate_t vonmises_fisher wishart"
)


def _decide_distributions() -> None:
    for name in scipy.stats.__all__:
        value = getattr(scipy.stats, name)
        path = f"scipy.stats.{name}"
        if isinstance(value, rv_continuous | rv_discrete) and path not in decisions:
            decide(scipy.stats, name, Kind.DIFFERENTIABLE, "by the methods of distributions")
    for name in _VECTORIAL.split():
        decide(scipy.stats, name, Kind.DIFFERENTIABLE, "by its methods")


_decide_distributions()
