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
    airye,
    bessel,
    bessel_relatives,
    beta_distributions,
    box_cox,
    elliptic,
    error_functions,
    gamma_distributions,
    hypergeometric,
    incomplete_beta,
    incomplete_gamma,
    integral_functions,
    kolmogorov,
    noncentral,
    orthogonal_polynomials,
    scaled_bessel,
    special,
    spherical_bessel,
    student,
)
from pullback.rules import softmax as rules
from pullback.rules.custom import stop_gradient
from pullback.rules.registration import ufunc_behind
from pullback.scipy import gamma_wrappers, special_decisions, special_wrappers
from pullback.scipy.first_step import serves

__all__ = [
    "FAMILIES",
    "gamma_wrappers",
    "log_softmax",
    "logsumexp",
    "softmax",
    "special_decisions",
    "special_wrappers",
]

FAMILIES = (
    airye, bessel, bessel_relatives, beta_distributions, box_cox, elliptic, error_functions,
    gamma_distributions, hypergeometric, incomplete_beta, incomplete_gamma, integral_functions,
    kolmogorov, noncentral, orthogonal_polynomials, scaled_bessel, special, spherical_bessel,
    student,
)  # fmt: skip
"""The rules that are loaded with this module."""


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
    x = operand(a)
    is_complex = dtype_of(x).kind == "c" or (b is not None and dtype_of(operand(b)).kind == "c")
    if b is None and not return_sign and not is_complex:
        return rules.logsumexp(x, axis=axis, keepdims=keepdims)
    top = np.max(np.real(stop_gradient(x)), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0).astype(dtype_of(top))
    terms = np.exp(x - top) if b is None else operand(b) * np.exp(x - top)
    total = np.sum(terms, axis=axis, keepdims=keepdims)
    if not keepdims:
        top = np.squeeze(top, axis=axis)
    if return_sign:
        size = np.abs(total)
        return np.log(size) + top, total / size if is_complex else np.sign(total)
    return np.log(total) + top


@serves(scipy.special.softmax)
def softmax(x: Any, axis: Any = None) -> Any:
    """exp x / Σ exp x."""
    x = operand(x)
    if dtype_of(x).kind != "c":
        return rules.softmax(x, axis=axis)
    terms = np.exp(x - np.max(np.real(stop_gradient(x)), axis=axis, keepdims=True))
    return terms / np.sum(terms, axis=axis, keepdims=True)


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
