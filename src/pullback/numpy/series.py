"""NumPy's polynomials and other series: `numpy.polynomial`.

They are written in Python, and their own code follows traced values: see
:mod:`pullback.numpy.callers`. Zeros at the end of their coefficients it trims. Those that are
traced are kept here, as that they are zero does not say that their derivative is; a series may
then have more coefficients than NumPy's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial import chebyshev, hermite, hermite_e, laguerre, legendre, polynomial
from numpy.polynomial import polyutils as pu

from pullback.core.tracing import is_plain
from pullback.numpy.decisions import Kind, decide, decide_module
from pullback.numpy.fitting import least_squares
from pullback.numpy.operands import operand
from pullback.numpy.protocol import are_constant, array_functions
from pullback.numpy.registration import implements, with_names
from pullback.numpy.rewriting import Namespace

__all__ = ["SERIES"]

SERIES = (chebyshev, hermite, hermite_e, laguerre, legendre, polynomial, pu)


def _trimmed(seq: Any) -> Any:
    """The coefficients without the zeros at their end, if no derivative is lost with them."""
    return pu.trimseq(seq) if are_constant(seq) else seq


class _Linalg:
    lstsq = staticmethod(least_squares)


class _Fitting(Namespace):
    linalg = _Linalg


_NAMES: dict[str, Any] = {"trimseq": _trimmed, "np": _Fitting()}
_NAMES["as_series"] = with_names(pu.as_series, **_NAMES)
implements(pu.trimseq)(_trimmed)
implements(pu.as_series)(_NAMES["as_series"])
for _name in ("trimcoef", "getdomain", "_add", "_div", "_fit", "_fromroots", "_pow", "_sub"):
    _function = vars(pu).get(_name)
    if _function is not None:
        implements(_function)(with_names(_function, **_NAMES))


@implements(pu.mapdomain)
def mapdomain(x: Any, old: Any, new: Any) -> Any:
    """Of points, or of a series, which takes part in arithmetic as an object does."""
    offset, scale = pu.mapparms(old, new)
    if not is_plain(x, np.polynomial.polynomial.ABCPolyBase):  # type: ignore[attr-defined]
        x = operand(x)
    return offset + scale * x


for _module in SERIES:
    for _name in _module.__all__:
        _function = getattr(_module, _name)
        if hasattr(_function, "__wrapped__"):  # NumPy 2.4 dispatches some of them
            array_functions[_function] = with_names(_function)
    decide_module(_module.__name__, Kind.PASSED, "NumPy's own code, which follows traced values")

decide_module("numpy.polynomial", Kind.PASSED, "NumPy's own code, which follows traced values")
decide(np.polynomial, "set_default_printstyle", Kind.CONSTANT, "makes text")
decide(pu, "format_float", Kind.CONSTANT, "makes text")
