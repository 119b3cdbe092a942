"""The functions of `scipy.special`.

Its ufuncs dispatch by themselves, to the rules that are loaded here. Functions written in Python do
not: those that follow take a first step.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np
import scipy.special

from pullback.core.shapes import dtype_of
from pullback.errors import ArgumentTypeError
from pullback.numpy.operands import operand
from pullback.rules import (
    bessel,
    beta_distributions,
    gamma_distributions,
    incomplete_beta,
    incomplete_gamma,
    kolmogorov,
    noncentral,
    special,
    student,
)
from pullback.rules import softmax as rules
from pullback.rules.custom import stop_gradient
from pullback.rules.registration import ufunc_behind
from pullback.scipy import gamma_wrappers
from pullback.scipy.first_step import serves

__all__ = [
    "bessel",
    "beta_distributions",
    "gamma_distributions",
    "gamma_wrappers",
    "incomplete_beta",
    "incomplete_gamma",
    "kolmogorov",
    "log_softmax",
    "logsumexp",
    "noncentral",
    "softmax",
    "special",
    "student",
]


for _function in [each for each in vars(scipy.special).values() if type(each) is FunctionType]:
    # With SCIPY_ARRAY_API in the environment, functions that look for a namespace hide the ufuncs.
    _ufunc = ufunc_behind(_function)
    if _ufunc is not _function:
        serves(_function)(_ufunc)


@serves(scipy.special.logsumexp)
def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """log |Σ b exp a|, and with `return_sign` the sign of the sum."""
    x = _require_real(operand(a), "logsumexp")
    if b is None and not return_sign:
        return rules.logsumexp(x, axis=axis, keepdims=keepdims)
    top = np.max(stop_gradient(x), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0).astype(dtype_of(x))
    terms = np.exp(x - top) if b is None else operand(b) * np.exp(x - top)
    total = np.sum(terms, axis=axis, keepdims=keepdims)
    if not keepdims:
        top = np.squeeze(top, axis=axis)
    if return_sign:
        return np.log(np.abs(total)) + top, np.sign(total)
    return np.log(total) + top


@serves(scipy.special.softmax)
def softmax(x: Any, axis: Any = None) -> Any:
    """exp x / Σ exp x."""
    return rules.softmax(_require_real(operand(x), "softmax"), axis=axis)


@serves(scipy.special.log_softmax)
def log_softmax(x: Any, axis: Any = None) -> Any:
    """x − log Σ exp x."""
    return rules.log_softmax(_require_real(operand(x), "log_softmax"), axis=axis)


def _require_real(x: Any, name: str) -> Any:
    if dtype_of(x).kind == "c":
        raise ArgumentTypeError(
            f"scipy.special.{name}: the array has dtype {dtype_of(x)} and is being differentiated; "
            "the rule is for real arrays: write it with np.exp, np.sum and np.log"
        )
    return x
