"""Complex numbers: pairs of real expressions, and what operations do with both.

An element of a complex array is the expression ``Op("pair", (re, im), dtype)``. Only the lowering
knows it: statements are made of its parts, and in memory these lie side by side, in a buffer of
real numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pullback.compiler.loops import Const, Expr, Name, Op, Scalar

__all__ = [
    "COMPLEX",
    "PAIRED",
    "all_parts",
    "constant",
    "converted_pair",
    "names",
    "pair",
    "part_of",
    "parts",
    "width",
]

COMPLEX = {"complex128": "float64", "complex64": "float32"}
"""The complex dtypes, each with that of its parts."""

_PAIRS = {part: dtype for dtype, part in COMPLEX.items()}

Do = Callable[..., Expr]
"""``do(name, *args)`` is the value of an operation, on real numbers or pairs."""


def part_of(dtype: str) -> str:
    """The dtype of the parts of a number, which a real one has one of."""
    return COMPLEX.get(dtype, dtype)


def width(dtype: str) -> int:
    """How many parts a number has."""
    return 2 if dtype in COMPLEX else 1


def pair(real: Expr, imaginary: Expr) -> Op:
    """A complex number."""
    return Op("pair", (real, imaginary), _PAIRS[real.dtype])


def parts(value: Expr) -> tuple[Expr, ...]:
    """The real and the imaginary part; a real number alone."""
    if value.dtype not in COMPLEX:
        return (value,)
    assert isinstance(value, Op)
    return value.args


def all_parts(values: Iterable[Expr]) -> list[Expr]:
    """The parts of some numbers, one after the other."""
    return [each for value in values for each in parts(value)]


def names(scalars: Sequence[Scalar], dtype: str) -> tuple[Expr, ...]:
    """The numbers whose parts have these names."""
    found = [Name(scalar.name, scalar.dtype) for scalar in scalars]
    if dtype not in COMPLEX:
        return tuple(found)
    return tuple(pair(*both) for both in zip(found[::2], found[1::2], strict=True))


def constant(value: Any, dtype: str) -> Expr:
    """A number of Python's."""
    if dtype not in COMPLEX:
        return Const(value, dtype)
    part = COMPLEX[dtype]
    return pair(Const(float(value.real), part), Const(float(value.imag), part))


def converted_pair(do: Do, convert: Do, value: Expr, dtype: str) -> Expr:
    """The value in a dtype, where it is complex or becomes so: ``convert(value, dtype)`` otherwise.

    A complex number becomes its real part, or the answer whether it is not 0.
    """
    if dtype not in COMPLEX:
        real, imaginary = parts(value)
        if dtype != "bool":
            return convert(real, dtype)
        return do("logical_or", convert(real, dtype), convert(imaginary, dtype))
    part = COMPLEX[dtype]
    real, imaginary = (*parts(value), Const(0.0, part))[:2]
    return pair(convert(real, part), convert(imaginary, part))


# -- operations -----------------------------------------------------------------------------------


def _each(name: str) -> Callable[..., Expr]:
    """The same for both parts."""

    def rule(do: Do, *args: Expr) -> Expr:
        return pair(*(do(name, *both) for both in zip(*map(parts, args), strict=True)))

    return rule


def _real(value: Expr) -> Expr | None:
    """The real part of a number that is known to have no other one."""
    real, imaginary = parts(value)
    return real if isinstance(imaginary, Const) and imaginary.value == 0 else None


def _multiply(do: Do, a: Expr, b: Expr) -> Expr:
    """Four products, or two where a factor is real."""
    if _real(a) is not None:
        a, b = b, a
    (x, y), (u, v) = parts(a), parts(b)
    scale = _real(b)
    if scale is not None:
        return pair(do("multiply", x, scale), do("multiply", y, scale))
    real = do("subtract", do("multiply", x, u), do("multiply", y, v))
    return pair(real, do("add", do("multiply", x, v), do("multiply", y, u)))


def _divide(do: Do, a: Expr, b: Expr) -> Expr:
    """Smith's quotient: the larger part of the divisor is divided by, so that nothing overflows.

    With a divisor u + iv, |u| ≥ |v|, and r = v/u that is ((x + yr) + i(y − xr))/(u + vr); where
    |u| < |v|, it is that of −i·a and −i·b. What is divided by 0 is divided by +0.
    """
    (x, y), (u, v) = parts(a), parts(b)
    scale = _real(b)
    if scale is not None:
        return pair(do("divide", x, scale), do("divide", y, scale))
    zero, one = Const(0.0, u.dtype), Const(1.0, u.dtype)
    first = do("greater_equal", do("absolute", u), do("absolute", v))
    large, small = do("select", first, u, v), do("select", first, v, u)
    along, across = do("select", first, x, y), do("select", first, y, x)
    none = do("equal", large, zero)
    ratio = do("select", none, zero, do("divide", small, large))
    large = do("select", none, zero, large)
    scale = do("divide", one, do("add", large, do("multiply", small, ratio)))
    real = do("add", along, do("multiply", across, ratio))
    given = do("multiply", along, ratio)
    imaginary = do(
        "subtract", do("select", first, across, given), do("select", first, given, across)
    )
    return pair(do("multiply", real, scale), do("multiply", imaginary, scale))


def _select(do: Do, condition: Expr, a: Expr, b: Expr) -> Expr:
    return pair(*(do("select", condition, *both) for both in zip(parts(a), parts(b), strict=True)))


def _test(name: str, joining: str) -> Callable[..., Expr]:
    def rule(do: Do, *args: Expr) -> Expr:
        return do(joining, *(do(name, *both) for both in zip(*map(parts, args), strict=True)))

    return rule


PAIRED: dict[str, Callable[..., Expr]] = {
    "add": _each("add"),
    "subtract": _each("subtract"),
    "negative": _each("negative"),
    "multiply": _multiply,
    "divide": _divide,
    "select": _select,
    "equal": _test("equal", "logical_and"),
    "not_equal": _test("not_equal", "logical_or"),
    "isnan": _test("isnan", "logical_or"),
    "isinf": _test("isinf", "logical_or"),
    "isfinite": _test("isfinite", "logical_and"),
}
"""Operations on pairs by operations on their parts: ``rule(do, *args)``."""
