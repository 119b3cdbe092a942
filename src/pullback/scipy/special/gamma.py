"""The functions of `scipy.special` about the gamma function that are written in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.special

from pullback.core.shapes import dtype_of
from pullback.core.tracing import Tracer, known, strip
from pullback.errors import ArgumentTypeError, ArgumentValueError
from pullback.numpy.operands import operand
from pullback.rules.special import gamma as rules
from pullback.scipy.first_step import serves
from pullback.transforms.arguments import describe

__all__ = ["comb", "factorial", "factorial2", "multigammaln", "perm", "polygamma", "zeta"]


@serves(scipy.special.polygamma)
def polygamma(n: Any, x: Any) -> Any:
    """The derivatives of order n of the digamma function, for constant orders."""
    if isinstance(n, Tracer) or dtype_of(np.asarray(n)).kind not in "iuf":
        raise _order("polygamma", "n", n, "an order")
    orders = np.asarray(n)
    if np.any(orders != np.floor(orders)) or np.any(orders < 0):
        raise _order("polygamma", "n", n, "an order")
    x = operand(x)
    if dtype_of(x).kind == "c":
        raise ArgumentTypeError(
            f"scipy.special.polygamma: x has dtype {dtype_of(x)}, wanted real numbers, which is "
            "all that SciPy's function takes"
        )
    each = {int(order): _polygamma(int(order), x) for order in np.unique(orders)}
    if len(each) == 1 and not orders.ndim:
        return each[int(orders)]
    found: Any = 0
    for order, value in each.items():
        found = np.where(orders == order, value, found)
    return found


def _polygamma(order: int, x: Any) -> Any:
    return rules.polygamma(x, n=order) if order else rules.digamma(x)


@serves(scipy.special.zeta)
def zeta(x: Any, q: Any = None, out: Any = None) -> Any:
    """ζ(x, q), differentiated with respect to q."""
    _refuse_out(out, "zeta")
    return rules.riemann(operand(x)) if q is None else rules.hurwitz(operand(x), operand(q))


@serves(scipy.special.multigammaln)
def multigammaln(a: Any, d: Any) -> Any:
    """The logarithm of the multivariate gamma function of dimension d."""
    if isinstance(d, Tracer):
        raise _order("multigammaln", "d", d, "a dimension")
    if np.ndim(d) or np.floor(d) != d:
        raise ValueError("d should be a positive integer (dimension)")
    d = int(d)
    a = operand(a)
    if known(a) and np.any(np.less_equal(strip(a), 0.5 * (d - 1))):
        raise ValueError(f"condition a ({a}) > 0.5 * (d-1) ({0.5 * (d - 1)}) not met")
    constant = (d * (d - 1) * 0.25) * np.log(np.pi)
    terms = np.stack([rules.gammaln(a - (j - 1.0) / 2) for j in range(1, d + 1)])
    return constant + np.sum(terms, axis=0)


_REAL_REPETITION = bool(scipy.special.comb(0.5, 2.0, repetition=True))
"""Whether the running SciPy counts repetitions of less than one thing as binomial coefficients."""


@serves(scipy.special.comb)
def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """N over k as a function of real numbers; 0 where SciPy's is by definition."""
    _refuse_exact(exact, "comb")
    N, k = operand(N), operand(k)
    if repetition and not _REAL_REPETITION:
        return comb(N + k - 1, k)
    if repetition:
        one = np.equal(k, 0) & np.greater_equal(N, 0)
        return np.where(one, 1.0, scipy.special.binom(np.where(one, 1.0, N + k - 1), k))
    kept = np.less_equal(k, N) & np.greater_equal(N, 0) & np.greater_equal(k, 0)
    return np.where(kept, scipy.special.binom(N, k), 0.0)


@serves(scipy.special.perm)
def perm(N: Any, k: Any, exact: bool = False) -> Any:
    """Γ(N + 1)/Γ(N − k + 1) as a function of real numbers; 0 where SciPy's is by definition."""
    _refuse_exact(exact, "perm")
    N, k = operand(N), operand(k)
    kept = np.less_equal(k, N) & np.greater_equal(N, 0) & np.greater_equal(k, 0)
    return np.where(kept, scipy.special.poch(N - k + 1, k), 0.0)


@serves(scipy.special.factorial)
def factorial(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    """Γ(n + 1), and 0 for n < 0 unless it is extended."""
    _refuse_exact(exact, "factorial")
    n = operand(n)
    if extend == "complex":
        return scipy.special.gamma(n + 1)
    _require_zero(extend, n, "factorial")
    return np.where(np.less(n, 0), 0, scipy.special.gamma(np.where(np.less(n, 0), 0, n) + 1))


@serves(scipy.special.factorial2)
def factorial2(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    """n!!, of which only the extension to complex numbers is a function of real ones."""
    _refuse_exact(exact, "factorial2")
    return _multifactorial(n, 2, extend, "factorial2")


@serves(scipy.special.factorialk)
def factorialk(n: Any, k: Any, exact: bool = False, extend: str = "zero") -> Any:
    """n!(k), of which only the extension to complex numbers is a function of real ones."""
    _refuse_exact(exact, "factorialk")
    if isinstance(k, Tracer):
        raise _order("factorialk", "k", k, "a step")
    return _multifactorial(n, k, extend, "factorialk")


def _multifactorial(n: Any, k: Any, extend: str, name: str) -> Any:
    """k^((n − 1)/k)·Γ(n/k + 1)/Γ(1/k + 1)."""
    if extend != "complex":
        x = operand(n)
        raise ArgumentValueError(
            f"scipy.special.{name}: n of dtype {dtype_of(x)} is traced and extend is {extend!r}: "
            'the function of integers has no derivative; pass extend="complex" for the smooth one'
        )
    n = operand(n)
    scale = np.power(k, -1 / k) * scipy.special.rgamma(1 / k + 1)
    return np.power(k, n / k) * scipy.special.gamma(n / k + 1) * scale


def _require_zero(extend: str, n: Any, name: str) -> None:
    if extend != "zero":
        raise ValueError(
            f"argument `extend` must be either 'zero' or 'complex', received: {extend}"
        )
    if dtype_of(n).kind == "c":
        raise ArgumentTypeError(
            f"scipy.special.{name}: n has dtype {dtype_of(n)}, which requires extend='complex'"
        )


def _refuse_exact(exact: bool, name: str) -> None:
    if exact:
        raise ArgumentValueError(
            f"scipy.special.{name}: exact is {exact!r}, and exact results are integers, which have "
            "no derivative; leave it out, or detach the arguments with pullback.stop_gradient"
        )


def _refuse_out(out: Any, name: str) -> None:
    if out is not None:
        raise ArgumentTypeError(
            f"scipy.special.{name}: out is {describe(out)}, wanted None where an argument is "
            "traced; assign the result instead"
        )


def _order(name: str, argument: str, value: Any, what: str) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"scipy.special.{name}: {argument} is {describe(value)}, wanted {what} that is an integer "
        f"of at least 0 and not traced: there is no derivative with respect to it; detach it with "
        "pullback.stop_gradient, or give it as a number"
    )
