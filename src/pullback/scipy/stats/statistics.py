"""The statistics of `scipy.stats`: SciPy's own code, with NumPy's functions as they are served.

What depends on the order of the data alone is a constant: SciPy's own code runs on the values.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
import scipy.stats

from pullback.core.shapes import shape_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import DataDependenceError
from pullback.scipy.first_step import first_traced, give_first_step, plain, serves
from pullback.scipy.stats.copies import copied

__all__ = ["COPIED", "RANKED"]

COPIED = (
    "alexandergovern bartlett binned_statistic boxcox boxcox_llf chisquare circmean circstd "
    "circvar combine_pvalues describe differential_entropy directional_stats energy_distance "
    "entropy f_oneway gmean gstd gzscore hmean iqr jarque_bera kstat kstatvar kurtosis "
    "kurtosistest levene linregress median_abs_deviation moment normaltest obrientransform "
    "pearsonr pmean pointbiserialr power_divergence quantile scoreatpercentile sem sigmaclip skew "
    "skewtest theilslopes tmax tmean tmin trim1 trim_mean trimboth tsem tstd ttest_1samp ttest_ind "
    "ttest_ind_from_stats ttest_rel tvar variation wasserstein_distance yeojohnson yeojohnson_llf "
    "zmap zscore"
)
"""Functions whose own code runs on traced values, with NumPy's functions as they are served."""

RANKED = (
    "ansari bws_test chatterjeexi cramervonmises_2samp fligner friedmanchisquare kendalltau "
    "kruskal ks_2samp mannwhitneyu median_test mood page_trend_test percentileofscore rankdata "
    "ranksums somersd spearmanr weightedtau wilcoxon brunnermunzel"
)
"""Functions of the order of data alone."""


def _functions(names: str) -> dict[str, Any]:
    found = {name: getattr(scipy.stats, name, None) for name in names.split()}
    return {name: f for name, f in found.items() if type(f) is FunctionType}


def _copy(function: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return copied(function)(*args, **kwargs)

    return call


for _function in _functions(COPIED).values():
    serves(_function)(_copy(_function))


def _mapped(x: Any) -> bool:
    """Whether a traced value differs from example to example of a batch."""
    while type(x) is Tracer:
        if x._interpreter.only_maps and x._payload is not None:
            return True
        x = x._value
    return False


def _values(x: Any, name: str) -> Any:
    """What is traced, as the plain values that it has."""
    if type(x) is Tracer:
        if not known(x) or _mapped(x):
            raise DataDependenceError(
                f"scipy.stats.{name}: an argument of dtype {x.dtype} and shape {shape_of(x)} is "
                "mapped or recorded, so that the order of its elements is not known; call the "
                "function outside of vmap and trace"
            )
        return strip(x)
    if isinstance(x, list | tuple) and first_traced(x) is not None:
        return type(x)(_values(each, name) for each in x)
    if isinstance(x, np.ndarray) and x.dtype.hasobject and first_traced((x,)) is not None:
        return np.array([_values(each, name) for each in x.flat], dtype=float).reshape(x.shape)
    return x


def _ranked(name: str, function: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        given = [_values(x, name) for x in args]
        return plain(function)(*given, **{key: _values(x, name) for key, x in kwargs.items()})

    return call


for _name, _function in _functions(RANKED).items():
    give_first_step(_function, _ranked(_name, _function))
