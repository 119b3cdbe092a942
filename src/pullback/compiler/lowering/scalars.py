"""Scalar kernels: what primitives that act element by element do with one element of each argument.

A line of a table says which operation it is, or how it is put together from some. What has no entry
is decomposed into what has one (`pullback.compiler.decomposition`), or stays a call.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pullback.compiler.loops import Const, Expr
from pullback.compiler.lowering.arrays import number
from pullback.compiler.lowering.scope import Scope

__all__ = ["BITS", "KERNELS", "TESTS", "Kernel", "dtype_name"]

Kernel = Callable[..., Expr]
"""``kernel(scope, dtype, *args, **params)``, of arguments of one dtype, and the result's dtype."""


def _is_real(dtype: str) -> bool:
    return dtype.startswith("float")


# -- operations by their own name -----------------------------------------------------------------


def _operation(name: str) -> Kernel:
    def kernel(scope: Scope, dtype: str, *args: Expr) -> Expr:
        return scope.op(name, *args)

    return kernel


_FLOATING = (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh "
    "arccosh arctanh cbrt sqrt arctan2 hypot logaddexp logaddexp2 divide copysign nextafter "
    "erf erfc expit gammaln digamma xlogy xlog1py fmod log_expit"
)
_ANY = "maximum minimum fmax fmin floor_divide remainder"
BITS = "bitwise_and bitwise_or bitwise_xor left_shift right_shift invert"
TESTS = "equal not_equal less less_equal greater greater_equal"


def _arithmetic(name: str, logical: str) -> Kernel:
    """Of booleans a sum is "or", a product "and"."""

    def kernel(scope: Scope, dtype: str, *args: Expr) -> Expr:
        return scope.op(logical if dtype == "bool" else name, *args)

    return kernel


def _same(scope: Scope, dtype: str, x: Expr, *_: Expr, **__: Any) -> Expr:
    return x


def _rounding(name: str) -> Kernel:
    def kernel(scope: Scope, dtype: str, x: Expr) -> Expr:
        return scope.op(name, x) if _is_real(dtype) else x

    return kernel


def _negative(scope: Scope, dtype: str, x: Expr) -> Expr:
    return scope.op("negative", x)


def _absolute(scope: Scope, dtype: str, x: Expr) -> Expr:
    return x if dtype.startswith(("u", "b")) else scope.op("absolute", x)


def _square(scope: Scope, dtype: str, x: Expr) -> Expr:
    return scope.op("multiply", x, x)


def _reciprocal(scope: Scope, dtype: str, x: Expr) -> Expr:
    return scope.op("divide", number(scope, 1, dtype), x)


def _power(scope: Scope, dtype: str, x: Expr, p: Expr) -> Expr:
    """Small integer powers are products, as NumPy has the square; the others are a function."""
    exponent = p.value if isinstance(p, Const) else None
    if exponent == 1:
        return x
    if exponent == 2:
        return scope.op("multiply", x, x)
    if not _is_real(dtype):
        return _integer_power(scope, dtype, x, exponent)
    if exponent == 0:
        return number(scope, 1, dtype)
    if exponent == 0.5:
        return _half_power(scope, dtype, x)
    if exponent == -1:
        return _reciprocal(scope, dtype, x)
    if exponent == 3:
        return scope.op("multiply", scope.op("multiply", x, x), x)
    if exponent == 4:
        square = scope.op("multiply", x, x)
        return scope.op("multiply", square, square)
    return scope.op("power", x, p)


def _half_power(scope: Scope, dtype: str, x: Expr) -> Expr:
    """The root, of −∞ and −0 as a power has it."""
    root = scope.op("sqrt", scope.op("add", x, number(scope, 0, dtype)))
    least = scope.op("equal", x, number(scope, -math.inf, dtype))
    return scope.op("select", least, number(scope, math.inf, dtype), root)


def _integer_power(scope: Scope, dtype: str, x: Expr, exponent: Any) -> Expr:
    assert isinstance(exponent, int)
    result: Expr = number(scope, 1, dtype)
    while exponent:
        if exponent & 1:
            result = scope.op("multiply", result, x)
        exponent >>= 1
        if exponent:
            x = scope.op("multiply", x, x)
    return result


def _where(scope: Scope, dtype: str, condition: Expr, a: Expr, b: Expr) -> Expr:
    return scope.op("select", condition, a, b)


def _sign(scope: Scope, dtype: str, x: Expr) -> Expr:
    zero, one = number(scope, 0, dtype), number(scope, 1, dtype)
    positive = scope.op("select", scope.op("greater", x, zero), one, zero)
    if dtype.startswith("u"):
        return positive
    below = scope.op("select", scope.op("less", x, zero), number(scope, -1, dtype), positive)
    if not _is_real(dtype):
        return below
    return scope.op("select", scope.op("isnan", x), x, below)


def _heaviside(scope: Scope, dtype: str, x: Expr, at_zero: Expr) -> Expr:
    zero, one = number(scope, 0, dtype), number(scope, 1, dtype)
    found = scope.op("select", scope.op("greater", x, zero), one, zero)
    found = scope.op("select", scope.op("equal", x, zero), at_zero, found)
    return scope.op("select", scope.op("isnan", x), x, found)


def _strong(scope: Scope, dtype: str, x: Expr, y: Expr) -> Expr:
    """x·y, and 0 where either is."""
    zero = number(scope, 0, dtype)
    neither = scope.op(
        "logical_and", scope.op("not_equal", x, zero), scope.op("not_equal", y, zero)
    )
    return scope.op("select", neither, scope.op("multiply", x, y), zero)


def _masked(scope: Scope, dtype: str, x: Expr, y: Expr, mask: Expr) -> Expr:
    """x·y, and 0 where y is 0 outside of the mask."""
    zero = number(scope, 0, dtype)
    kept = scope.op("logical_or", mask, scope.op("not_equal", y, zero))
    return scope.op("select", kept, scope.op("multiply", x, y), zero)


def _ratio(scope: Scope, dtype: str, x: Expr, r: Expr) -> Expr:
    zero = number(scope, 0, dtype)
    return scope.op("select", scope.op("equal", r, zero), zero, scope.op("divide", x, r))


def _one_minus_square(scope: Scope, dtype: str, x: Expr) -> Expr:
    one = number(scope, 1, dtype)
    return scope.op("multiply", scope.op("subtract", one, x), scope.op("add", one, x))


def _logistic_slope(scope: Scope, dtype: str, x: Expr) -> Expr:
    e = scope.op("exp", scope.op("negative", scope.op("absolute", x)))
    rest = scope.op("add", number(scope, 1, dtype), e)
    return scope.op("divide", e, scope.op("multiply", rest, rest))


def _scaled(factor: float) -> Kernel:
    def kernel(scope: Scope, dtype: str, x: Expr) -> Expr:
        return scope.op("multiply", x, number(scope, factor, dtype))

    return kernel


def _test(name: str) -> Kernel:
    """Of floating-point numbers; integers are finite numbers."""

    def kernel(scope: Scope, dtype: str, x: Expr) -> Expr:
        if not _is_real(x.dtype):
            if name == "signbit":
                return scope.op("less", x, number(scope, 0, x.dtype))
            return Const(name == "isfinite", "bool")
        return scope.op(name, x)

    return kernel


def _logical(name: str) -> Kernel:
    def kernel(scope: Scope, dtype: str, *args: Expr) -> Expr:
        truths = [
            x if x.dtype == "bool" else scope.op("not_equal", x, number(scope, 0, x.dtype))
            for x in args
        ]
        return scope.op(name, *truths)

    return kernel


KERNELS: dict[str, Kernel] = {
    **{name: _operation(name) for name in (*_FLOATING.split(), *_ANY.split())},
    **{name: _operation(name) for name in (*BITS.split(), *TESTS.split())},
    **{name: _rounding(name) for name in ("floor", "ceil", "trunc", "rint")},
    **{name: _test(name) for name in ("isnan", "isfinite", "isinf", "signbit")},
    **{f"logical_{name}": _logical(f"logical_{name}") for name in ("and", "or", "xor", "not")},
    **dict.fromkeys(("positive", "stop_gradient", "real", "conjugate", "astype"), _same),
    **dict.fromkeys(("degrees", "rad2deg"), _scaled(180 / math.pi)),
    **dict.fromkeys(("radians", "deg2rad"), _scaled(math.pi / 180)),
    "add": _arithmetic("add", "logical_or"),
    "subtract": _operation("subtract"),
    "multiply": _arithmetic("multiply", "logical_and"),
    "negative": _negative,
    "absolute": _absolute,
    "fabs": _absolute,
    "square": _square,
    "reciprocal": _reciprocal,
    "power": _power,
    "float_power": _power,
    "where": _where,
    "sign": _sign,
    "heaviside": _heaviside,
    "strong_multiply": _strong,
    "masked_multiply": _masked,
    "ratio": _ratio,
    "one_minus_square": _one_minus_square,
    "logistic": _operation("expit"),
    "logistic_slope": _logistic_slope,
}
"""By the name of the primitive."""


@functools.cache
def dtype_name(dtype: np.dtype[Any]) -> str:
    """The name of a dtype, which NumPy puts together anew each time."""
    return str(dtype)
