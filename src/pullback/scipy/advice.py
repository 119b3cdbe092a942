"""What to do in place of calling a function of SciPy's, or of NumPy's, that has no rule."""

from __future__ import annotations

import numpy as np

from pullback.numpy.decisions import Kind, decisions
from pullback.numpy.foreign import GENERAL, advice
from pullback.numpy.protocol import array_functions

__all__ = ["for_numpy", "for_scipy"]

_LINEAR = (
    "wrap it with @pullback.primitive and let its rule return pullback.Linear(f), where f is the "
    "function itself, as it is linear"
)
_WRAPPED = "wrap it with @pullback.primitive and give it a rule"
_SOLVER = (
    "wrap the call with @pullback.primitive, with what the equations depend on among its "
    "arguments, and give it the rule of an implicit function: where F(z, p) = 0, "
    "∂z/∂p = −(∂F/∂z)⁻¹ ∂F/∂p"
)
_TRANSFORM = "Write it with the transforms of scipy.fft, such as fft and dct, which have rules"

FAMILIES = {
    "scipy.cluster": f"Detach the data with pullback.stop_gradient(x), or {_WRAPPED}",
    "scipy.fft": _TRANSFORM,
    "scipy.fftpack": _TRANSFORM,
    "scipy.integrate": (
        "Write a quadrature as a sum over its nodes, which np.polynomial.legendre.leggauss(n) "
        "gives, and a method for differential equations as a loop over its steps, in Python or "
        "with pullback.fori_loop or pullback.scan; or wrap the call with @pullback.primitive, "
        "with the parameters among its arguments, and give it a rule"
    ),
    "scipy.interpolate": (
        "Interpolate linearly with np.interp, which has a rule; or wrap the call with "
        "@pullback.primitive and let its rule return the derivative, as that of a spline, "
        "spline.derivative()(x)"
    ),
    "scipy.linalg": f"Write it with the functions of numpy.linalg, or {_WRAPPED}",
    "scipy.ndimage": (
        f"Write it with NumPy's functions, such as np.pad and sliding_window_view; or {_WRAPPED}; "
        "that of a filter, which is linear, is pullback.Linear(f) with the function itself"
    ),
    "scipy.optimize": f"Solvers are not differentiated step by step: {_SOLVER}",
    "scipy.signal": (
        f"Write it with functions that have a rule, such as scipy.signal.convolve and lfilter; or "
        f"{_WRAPPED}; that of a filter, which is linear, is pullback.Linear(f) with the function "
        "itself"
    ),
    "scipy.sparse": (
        "A sparse array holds no traced values, and multiplies none: put the product into a "
        "function with @pullback.primitive, and let its rule return "
        "pullback.Linear(lambda v: A @ v, lambda v: A.T @ v); or multiply by A.toarray()"
    ),
    "scipy.sparse.linalg": f"Where it solves equations {_SOLVER}; otherwise {_WRAPPED}",
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

NAMESAKES = frozenset({"scipy.linalg", "scipy.signal", "scipy.integrate"})
"""Modules whose functions NumPy has under the same names, so far as it has them."""

SOLVES = frozenset({
    "cho_factor", "cho_solve", "lu_factor", "lu_solve", "lu", "solve_triangular", "solve_banded",
    "solveh_banded", "solve_toeplitz", "solve_circulant", "cho_solve_banded", "cholesky_banded",
})  # fmt: skip
"""Factorisations, and what solves with them."""


def for_scipy(name: str) -> str:
    """What to do instead of calling SciPy's function of this public name."""
    decision = decisions.get(name)
    if decision is not None and decision.kind is Kind.REFUSED:
        return decision.reason
    family, _, function = name.rpartition(".")
    for module in (np, np.linalg) if family in NAMESAKES else ():
        if getattr(module, function, None) in array_functions:
            return f"Call {module.__name__}.{function}, which has a rule"
    if family == "scipy.linalg" and function in SOLVES:
        return f"Call numpy.linalg.solve(A, b), which has a rule; or {_WRAPPED}"
    if family == "scipy.optimize" and function.startswith(("minimize", "fmin")):
        return (
            "Minimisation is not differentiated step by step: minimise outside of the function; "
            f"or, with F the gradient of what is minimised, {_SOLVER}"
        )
    if family == "scipy.special.cython_special":
        return f"Call scipy.special.{function}, which takes what is traced if it has a rule"
    families = [each for each in FAMILIES if name.startswith(each + ".")]
    return FAMILIES[max(families, key=len)] if families else GENERAL


def for_numpy(name: str) -> str:
    """What to do instead of calling NumPy's function of this name."""
    return GENERAL


advice["scipy"] = for_scipy
advice["numpy"] = for_numpy
