"""Scalar kernels of complex numbers, for what primitives that act element by element do.

Arithmetic is that of pairs (`pullback.compiler.lowering.pairs`). Functions are put together from
real ones of the parts, such that intermediate values overflow only where the result does, and are
infinite, undefined or of either sign where NumPy's are.
"""

from __future__ import annotations

import math

from pullback.compiler.loops import Const, Expr
from pullback.compiler.lowering.arrays import number
from pullback.compiler.lowering.pairs import COMPLEX, constant, pair, parts
from pullback.compiler.lowering.scalars import KERNELS, Kernel
from pullback.compiler.lowering.scope import Scope

__all__ = ["COMPLEX_KERNELS"]

_GENERIC = (
    "add subtract multiply divide negative square reciprocal equal not_equal where strong_multiply "
    "masked_multiply ratio one_minus_square logical_and logical_or logical_xor logical_not "
    "positive stop_gradient astype"
)
"""Kernels that know nothing of real numbers but their arithmetic."""

_SHIFT = {"float64": 700.0, "float32": 80.0}
"""From where on exp(x) is taken in two factors: before it overflows."""

_SCALES = {"float64": (2.0**-960, 2.0**960), "float32": (2.0**-100, 2.0**100)}
"""Below and above what a number is scaled before its root is taken."""

_MOST_FACTORS = 99
"""Up to which exponent a power is a product."""


def _number(x: Expr, value: float) -> Const:
    """A number that goes with x."""
    return Const(value, COMPLEX.get(x.dtype, x.dtype))


# -- parts ----------------------------------------------------------------------------------------


def _real(scope: Scope, dtype: str, z: Expr) -> Expr:
    return parts(z)[0]


def _imaginary(scope: Scope, dtype: str, z: Expr) -> Expr:
    return parts(z)[1]


def _conjugate(scope: Scope, dtype: str, z: Expr) -> Expr:
    x, y = parts(z)
    return pair(x, scope.op("negative", y))


def _from_parts(scope: Scope, dtype: str, x: Expr, y: Expr) -> Expr:
    return pair(x, y)


def _is_real(scope: Scope, dtype: str, z: Expr) -> Expr:
    return scope.op("equal", parts(z)[1], _number(z, 0.0))


def _is_complex(scope: Scope, dtype: str, z: Expr) -> Expr:
    return scope.op("not_equal", parts(z)[1], _number(z, 0.0))


def _test(name: str) -> Kernel:
    def kernel(scope: Scope, dtype: str, z: Expr) -> Expr:
        return scope.op(name, z)

    return kernel


def _absolute(scope: Scope, dtype: str, z: Expr) -> Expr:
    return scope.op("hypot", *parts(z))


def _sign(scope: Scope, dtype: str, z: Expr) -> Expr:
    """z/|z|; the direction of the part that is infinite, if one is."""
    x, y = parts(z)
    zero, one = _number(z, 0.0), _number(z, 1.0)
    length = scope.op("hypot", x, y)
    infinite = [scope.op("isinf", part) for part in (x, y)]
    either, both = scope.op("logical_or", *infinite), scope.op("logical_and", *infinite)
    limits = [
        scope.op("select", each, scope.op("copysign", one, part), zero)
        for each, part in zip(infinite, (x, y), strict=True)
    ]
    undefined = _number(z, math.nan)
    divisor = scope.op("select", either, scope.op("select", both, undefined, one), length)
    divisor = scope.op("select", scope.op("equal", length, zero), one, divisor)
    found = [
        scope.op("divide", scope.op("select", either, limit, part), divisor)
        for limit, part in zip(limits, (x, y), strict=True)
    ]
    return pair(*found)


# -- exponentials and logarithms ------------------------------------------------------------------


def _angle(scope: Scope, regardless: Expr, y: Expr) -> Expr:
    """An angle; 0 for one that is not finite, where it does not matter."""
    unknown = scope.op("logical_and", regardless, scope.op("logical_not", scope.op("isfinite", y)))
    return scope.op("select", unknown, _number(y, 0.0), y)


def _turned(scope: Scope, x: Expr, y: Expr) -> Expr:
    """e^x (cos y + i sin y), where a real number stays real."""
    zero = _number(x, 0.0)
    angle = _angle(scope, scope.op("equal", x, _number(x, -math.inf)), y)
    shift = _SHIFT[x.dtype]
    large = scope.op("greater", x, _number(x, shift))
    taken = scope.op("select", large, _number(x, shift), zero)
    first = scope.op("exp", scope.op("subtract", x, taken))
    rest = scope.op("select", large, _number(x, math.exp(shift)), _number(x, 1.0))

    def scaled(part: Expr) -> Expr:
        return scope.op("multiply", scope.op("multiply", first, part), rest)

    imaginary = scaled(scope.op("sin", angle))
    real_number = scope.op("equal", angle, zero)
    return pair(scaled(scope.op("cos", angle)), scope.op("select", real_number, angle, imaginary))


def _exp(scope: Scope, dtype: str, z: Expr) -> Expr:
    return _turned(scope, *parts(z))


def _exp2(scope: Scope, dtype: str, z: Expr) -> Expr:
    return _turned(
        scope, *(scope.op("multiply", part, _number(z, math.log(2))) for part in parts(z))
    )


def _expm1(scope: Scope, dtype: str, z: Expr) -> Expr:
    """(e^x − 1) cos y − 2 sin²(y/2), and the imaginary part of e^z."""
    x, y = parts(z)
    half = scope.op("sin", scope.op("multiply", y, _number(z, 0.5)))
    less = scope.op("multiply", _number(z, 2.0), scope.op("multiply", half, half))
    most = scope.op("multiply", scope.op("expm1", x), scope.op("cos", y))
    return pair(scope.op("subtract", most, less), parts(_turned(scope, x, y))[1])


def _log_of(scope: Scope, x: Expr, y: Expr, above: Expr) -> Expr:
    """log |x + iy| + i·angle, where `above` is |x| − 1.

    Near the unit circle the first is ½ log(1 + (|x|² − 1) + y²), with the larger part as x.
    """
    a, b = (scope.op("absolute", part) for part in (x, y))
    length = scope.op("hypot", x, y)
    one, half = _number(x, 1.0), _number(x, 0.5)
    first = scope.op("greater_equal", a, b)
    large, small = scope.op("select", first, a, b), scope.op("select", first, b, a)
    over = scope.op("select", first, above, scope.op("subtract", b, one))
    squares = scope.op("multiply", over, scope.op("add", large, one))
    squares = scope.op("add", squares, scope.op("multiply", small, small))
    near = scope.op(
        "logical_and",
        scope.op("greater", length, half),
        scope.op("less", length, _number(x, 2.0)),
    )
    beside = scope.op("select", near, squares, _number(x, 0.0))
    real = scope.op(
        "select",
        near,
        scope.op("multiply", half, scope.op("log1p", beside)),
        scope.op("log", length),
    )
    return pair(real, scope.op("arctan2", y, x))


def _log(scope: Scope, dtype: str, z: Expr) -> Expr:
    x, y = parts(z)
    above = scope.op("subtract", scope.op("absolute", x), _number(z, 1.0))
    return _log_of(scope, x, y, above)


def _log1p(scope: Scope, dtype: str, z: Expr) -> Expr:
    """The logarithm of 1 + x + iy, where 1 + x less 1 is x."""
    x, y = parts(z)
    one = _number(z, 1.0)
    moved = scope.op("add", x, one)
    positive = scope.op("greater_equal", moved, _number(z, 0.0))
    beyond = scope.op("subtract", scope.op("negative", moved), one)
    return _log_of(scope, moved, y, scope.op("select", positive, x, beyond))


def _scaled_log(base: float) -> Kernel:
    """The logarithm to a base."""

    def kernel(scope: Scope, dtype: str, z: Expr) -> Expr:
        factor = constant(complex(1 / math.log(base)), dtype)
        return scope.op("multiply", _log(scope, dtype, z), factor)

    return kernel


# -- roots and powers -----------------------------------------------------------------------------


def _sqrt(scope: Scope, dtype: str, z: Expr) -> Expr:
    """t = √(½(|x| + |z|)) and |y|/2t, in the order that the sign of x says, with the sign of y.

    A number so large or small that parts of this would be lost is scaled by a power of 4 before.
    """
    zero, one, half = (_number(z, value) for value in (0.0, 1.0, 0.5))
    given = parts(z)
    low, high = _SCALES[COMPLEX[z.dtype]]
    size = scope.op("maximum", *(scope.op("absolute", part) for part in given))
    tiny = scope.op("less", size, _number(z, low))
    huge = scope.op("greater", size, _number(z, high))

    def choice(small: float, large: float) -> Expr:
        rest = scope.op("select", huge, _number(z, large), one)
        return scope.op("select", tiny, _number(z, small), rest)

    scale, back = choice(2.0**60, 2.0**-60), choice(2.0**-30, 2.0**30)
    x, y = (scope.op("multiply", part, scale) for part in given)
    sum_ = scope.op("add", scope.op("absolute", x), scope.op("hypot", x, y))
    t = scope.op("sqrt", scope.op("multiply", half, sum_))
    none = scope.op("equal", t, zero)
    other = scope.op("divide", scope.op("absolute", y), scope.op("add", t, t))
    other = scope.op("select", none, zero, other)
    right = scope.op("logical_not", scope.op("less", x, zero))
    real = scope.op("multiply", scope.op("select", right, t, other), back)
    size = scope.op("multiply", scope.op("select", right, other, t), back)
    imaginary = scope.op("copysign", size, y)
    infinite = scope.op("isinf", y)
    return pair(
        scope.op("select", infinite, _number(z, math.inf), real),
        scope.op("select", infinite, y, imaginary),
    )


def _power(scope: Scope, dtype: str, z: Expr, p: Expr) -> Expr:
    """Powers with small integers that are known are products; others are e^(p log z)."""
    u, v = parts(p)
    if not isinstance(u, Const) or not isinstance(v, Const) or v.value:
        return _any_power(scope, dtype, z, p)
    if u.value == 0.5:
        return _sqrt(scope, dtype, z)
    if not abs(u.value) <= _MOST_FACTORS or u.value != int(u.value):
        return _any_power(scope, dtype, z, p)
    exponent = abs(int(u.value))
    result: Expr | None = None
    factor = z
    while exponent:
        if exponent & 1:
            result = factor if result is None else scope.op("multiply", result, factor)
        exponent >>= 1
        if exponent:
            factor = scope.op("multiply", factor, factor)
    one = number(scope, 1, dtype)
    if result is None:
        return one
    return scope.op("divide", one, result) if u.value < 0 else result


def _any_power(scope: Scope, dtype: str, z: Expr, p: Expr) -> Expr:
    """e^(p log z); of 0 it is 0 for Re p > 0 and undefined for others, but 1 for p = 0."""
    zero, one = number(scope, 0, dtype), number(scope, 1, dtype)
    positive = scope.op("greater", parts(p)[0], _number(p, 0.0))
    nothing = scope.op("equal", z, zero)
    base = scope.op("select", nothing, one, z)
    found = _exp(scope, dtype, scope.op("multiply", p, _log(scope, dtype, base)))
    undefined = constant(complex(math.nan, math.nan), dtype)
    of_zero = scope.op("select", positive, zero, undefined)
    found = scope.op("select", nothing, of_zero, found)
    return scope.op("select", scope.op("equal", p, zero), one, found)


# -- sines and hyperbolic sines -------------------------------------------------------------------


def _sinh(scope: Scope, dtype: str, z: Expr) -> Expr:
    """sinh x cos y + i cosh x sin y."""
    x, y = parts(z)
    return _product(scope, (x, y), "sinh", "cosh")


def _cosh(scope: Scope, dtype: str, z: Expr) -> Expr:
    """cosh x cos y + i sinh x sin y."""
    x, y = parts(z)
    return _product(scope, (x, y), "cosh", "sinh")


def _product(scope: Scope, z: tuple[Expr, Expr], first: str, second: str) -> Expr:
    """Where a factor is 0 the product is, whatever the other one."""
    x, y = z
    zero = _number(x, 0.0)
    real = scope.op("multiply", scope.op(first, x), scope.op("cos", y))
    sine, other = scope.op("sin", y), scope.op(second, x)
    either = scope.op("logical_or", scope.op("equal", sine, zero), scope.op("equal", other, zero))
    signs = scope.op("copysign", zero, scope.op("multiply", *(
        scope.op("copysign", _number(x, 1.0), each) for each in (sine, other)
    )))  # fmt: skip
    return pair(real, scope.op("select", either, signs, scope.op("multiply", other, sine)))


def _quarter(function: Kernel) -> Kernel:
    """A function f(iz)/i of z."""

    def kernel(scope: Scope, dtype: str, z: Expr) -> Expr:
        x, y = parts(z)
        u, v = parts(function(scope, dtype, pair(scope.op("negative", y), x)))
        return pair(v, scope.op("negative", u))

    return kernel


def _cos(scope: Scope, dtype: str, z: Expr) -> Expr:
    x, y = parts(z)
    return _cosh(scope, dtype, pair(scope.op("negative", y), x))


def _tanh(scope: Scope, dtype: str, z: Expr) -> Expr:
    """With t = tan y and s = sinh x: ((1 + t²) s √(1 + s²) + i t)/(1 + (1 + t²) s²).

    Where s² would overflow, and tanh x is ±1: the imaginary part is 4 sin y cos y e^(−2|x|).
    """
    x, y = parts(z)
    y = _angle(scope, scope.op("isinf", x), y)
    one, limit = _number(z, 1.0), _number(z, 22.0)
    far = scope.op("greater", scope.op("absolute", x), limit)
    t, s = scope.op("tan", y), scope.op("sinh", scope.op("select", far, limit, x))
    beta = scope.op("add", one, scope.op("multiply", t, t))
    square = scope.op("multiply", s, s)
    root = scope.op("sqrt", scope.op("add", one, square))
    divisor = scope.op("add", one, scope.op("multiply", beta, square))
    near = [
        scope.op("divide", scope.op("multiply", beta, scope.op("multiply", s, root)), divisor),
        scope.op("divide", t, divisor),
    ]
    decay = scope.op("exp", scope.op("multiply", _number(z, -2.0), scope.op("absolute", x)))
    waves = scope.op("multiply", scope.op("sin", y), scope.op("cos", y))
    rest = scope.op("multiply", scope.op("multiply", _number(z, 4.0), waves), decay)
    ends = [scope.op("copysign", one, x), rest]
    return pair(*(scope.op("select", far, *both) for both in zip(ends, near, strict=True)))


_FUNCTIONS: dict[str, Kernel] = {
    "real": _real,
    "imag": _imaginary,
    "conjugate": _conjugate,
    "from_parts": _from_parts,
    "isreal": _is_real,
    "iscomplex": _is_complex,
    "isnan": _test("isnan"),
    "isinf": _test("isinf"),
    "isfinite": _test("isfinite"),
    "absolute": _absolute,
    "sign": _sign,
    "exp": _exp,
    "exp2": _exp2,
    "expm1": _expm1,
    "log": _log,
    "log2": _scaled_log(2),
    "log10": _scaled_log(10),
    "log1p": _log1p,
    "sqrt": _sqrt,
    "power": _power,
    "float_power": _power,
    "sinh": _sinh,
    "cosh": _cosh,
    "tanh": _tanh,
    "sin": _quarter(_sinh),
    "cos": _cos,
    "tan": _quarter(_tanh),
}

COMPLEX_KERNELS: dict[str, Kernel] = {
    **{name: KERNELS[name] for name in _GENERIC.split()},
    **_FUNCTIONS,
}
"""By the name of the primitive; of complex numbers, or with a complex result."""
