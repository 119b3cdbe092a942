"""Logarithms of sums of powers: the larger one's, and that of what the smaller one adds."""

from __future__ import annotations

from pullback.compiler.elementary.constants import LN2, LOG2E
from pullback.compiler.elementary.doubled import Pair, fast_two_sum, product, two_product, two_sum
from pullback.compiler.elementary.exponentials import exponential, times_power_of_two
from pullback.compiler.elementary.formats import format_of
from pullback.compiler.elementary.logarithms import log1p_parts
from pullback.compiler.elementary.registry import elementary, single
from pullback.compiler.elementary.values import Body, Value

__all__: list[str] = []


def _log1p_exp(f: Body, x: Value, low: Value | None = None) -> Pair:
    """log(1 + exp(x + low)) for x ≤ 0."""
    limit = format_of(f).logarithms[0]
    if low is not None:
        low = f.select(x > limit, low, 0.0)
    power = exponential(f, f.larger(limit, x), low)
    small = Pair(*(times_power_of_two(f, part, power.shifted) for part in power.mantissa()))
    return log1p_parts(f, fast_two_sum(*small))


def _distance(f: Body, x: Value, y: Value, largest: Value) -> Pair:
    """The smaller one less the larger one."""
    distance, error = two_sum(f.smaller(x, y), -largest)
    return Pair(f.select(x.equals(y), 0.0, distance), error)


def _sum(f: Body, x: Value, y: Value, largest: Value, correction: Pair) -> Value:
    """`largest` + `correction`, or what there is at infinity."""
    total, error = two_sum(largest, correction.hi)
    finite = f.absolute(largest) < float("inf")
    result = f.select(finite, total + (error + correction.lo), largest)
    return f.select(f.unordered(x, y), float("nan"), result)


@single("logaddexp")
@elementary("logaddexp", 2)
def logaddexp(f: Body, x: Value, y: Value) -> Value:
    """M + log(1 + exp(m − M)) with the larger M and the smaller m."""
    largest = f.larger(x, y)
    return _sum(f, x, y, largest, _log1p_exp(f, *_distance(f, x, y, largest)))


@single("logaddexp2")
@elementary("logaddexp2", 2)
def logaddexp2(f: Body, x: Value, y: Value) -> Value:
    """M + log(1 + 2ᵐ⁻ᴹ)/log 2."""
    (ln2, ln2_rest), (log2e, log2e_rest) = LN2[f.dtype], LOG2E[f.dtype]
    largest = f.larger(x, y)
    distance, error = _distance(f, x, y, largest)
    high, low = two_product(f, distance, ln2)
    low = f.fma(error, ln2, f.fma(distance, ln2_rest, low))
    log = fast_two_sum(*_log1p_exp(f, high, low))
    factor = Pair(f.constant(log2e), f.constant(log2e_rest))
    return _sum(f, x, y, largest, product(f, log, factor))


@single("log_expit")
@elementary("log_expit")
def log_expit(f: Body, x: Value) -> Value:
    """The smaller one of x and 0, less log(1 + exp(−|x|)): no sign differs."""
    log, rest = _log1p_exp(f, -f.absolute(x))
    total, error = two_sum(f.smaller(0.0, x), -log)
    # A sum that is 0 is negative as well.
    result = -f.absolute(total + (error - rest))
    return f.select(x > float("-inf"), result, x)
