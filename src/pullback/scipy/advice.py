"""What to do in place of calling a function of SciPy's, or of NumPy's, that has no rule."""

from __future__ import annotations

import numpy as np

from pullback.numpy.decisions import Kind, decide_module, decision_of, decisions
from pullback.numpy.foreign import GENERAL, advice
from pullback.numpy.protocol import array_functions

__all__ = ["for_numpy", "for_scipy"]

_WRAPPED = "wrap it with @pullback.primitive and give it a rule"
_TRANSFORM = "Write it with the transforms of scipy.fft, such as fft and dct, which have rules"

FAMILIES = {
    "scipy.cluster": f"Detach the data with pullback.stop_gradient(x), or {_WRAPPED}",
    "scipy.fft": _TRANSFORM,
    "scipy.fftpack": _TRANSFORM,
    "scipy.integrate": (
        "Call quad, nquad or solve_ivp, which have derivatives; or write a quadrature as a sum "
        "over its nodes, which np.polynomial.legendre.leggauss(n) gives, and a method for "
        "differential equations as a loop over its steps, in Python or with pullback.fori_loop or "
        "pullback.scan"
    ),
    "scipy.interpolate": (
        "Make an interpolator of the traced data, as CubicSpline(x, y) or make_interp_spline(x, y),"
        f" which has derivatives, and leave its attributes as they are; or {_WRAPPED}"
    ),
    "scipy.linalg": f"Write it with the functions of numpy.linalg, or {_WRAPPED}",
    "scipy.ndimage": (
        "Write it with functions that have a rule, such as correlate, gaussian_filter and "
        "map_coordinates; or with NumPy's functions, such as np.pad and sliding_window_view; or "
        f"{_WRAPPED}"
    ),
    "scipy.optimize": (
        "Call minimize, root, least_squares or another solver that has the derivatives of its "
        "solution; or put this call into a function of what the equations depend on, under "
        "@pullback.implicit(condition), a function of the solution and the same arguments that "
        "vanishes"
    ),
    "scipy.signal": (
        f"Write it with functions that have a rule, such as scipy.signal.convolve and lfilter; or "
        f"{_WRAPPED}; that of a filter, which is linear, is pullback.Linear(f) with the function "
        "itself"
    ),
    "scipy.sparse": (
        "Sparse matrices multiply traced values, A @ x, and have traced elements, "
        "csr_array((data, indices, indptr)); for anything else make them dense, A.toarray()"
    ),
    "scipy.sparse.linalg": (
        "Hand over what is traced as an array, or as a matrix with traced elements, "
        "csr_array((data, indices, indptr)), to spsolve, factorized, cg, gmres and their kin; "
        f"otherwise {_WRAPPED}"
    ),
    "scipy.spatial": (
        "Write it with NumPy's functions, distances as np.sqrt(np.sum((x - y) ** 2, axis=-1)); or "
        f"{_WRAPPED}"
    ),
    "scipy.special": (
        "Write it with the ufuncs of scipy.special that have a rule, such as gammaln, erf, jv and "
        f"ndtr; or {_WRAPPED}"
    ),
    "scipy.stats": (
        "Write a density, or better its logarithm, with NumPy's functions and the ufuncs of "
        "scipy.special that have a rule, such as gammaln, xlogy, ndtr and log_ndtr; a statistic "
        f"with np.mean and np.std; or {_WRAPPED}"
    ),
}
"""What to do instead, in sentences, by the beginning of the name; the longest one counts."""

OF_DISTRIBUTIONS = {
    "fit_loc_scale": "Write it with the mean and the standard deviation of the data",
    "rvs": (
        "Draw u = rng.uniform(size=n) outside of the function, and call ppf(u, *shapes, loc, "
        "scale), which has a derivative; or write loc + scale * z, where z is plain"
    ),
}
"""What to do instead of calling methods of SciPy's distributions."""

NAMESAKES = frozenset({"scipy.linalg", "scipy.signal", "scipy.integrate"})
"""Modules whose functions NumPy has under the same names, so far as it has them."""


def for_scipy(name: str) -> str:
    """What to do instead of calling SciPy's function of this public name."""
    decision = decisions.get(name) or decisions.get(name.rpartition(".")[0])
    if decision is not None and decision.kind is Kind.REFUSED:
        return decision.reason
    family, _, function = name.rpartition(".")
    if family.startswith("scipy.stats.") and function in OF_DISTRIBUTIONS:
        return OF_DISTRIBUTIONS[function]
    for module in (np, np.linalg) if family in NAMESAKES else ():
        if getattr(module, function, None) in array_functions:
            return f"Call {module.__name__}.{function}, which has a rule"
    if family == "scipy.special.cython_special":
        return f"Call scipy.special.{function}, which takes what is traced if it has a rule"
    families = [each for each in FAMILIES if name.startswith(each + ".")]
    return FAMILIES[max(families, key=len)] if families else GENERAL


def for_numpy(name: str) -> str:
    """What to do instead of calling NumPy's function of this name."""
    decision = decision_of(name)
    if decision is not None and decision.kind is Kind.REFUSED:
        return decision.reason
    return GENERAL


advice["scipy"] = for_scipy
advice["numpy"] = for_numpy

for _module, _family in {
    "scipy.cluster.hierarchy": "scipy.cluster",
    "scipy.cluster.vq": "scipy.cluster",
}.items():
    decide_module(_module, Kind.REFUSED, FAMILIES[_family])
