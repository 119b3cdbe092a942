"""arcsin, arccos, arctan and arctan2: r + r³P(r²) of an r up to ½, or up to 1 for the tangent."""

from __future__ import annotations

from pullback.compiler.elementary.coefficients import ARCSIN, ARCTAN
from pullback.compiler.elementary.constants import PI
from pullback.compiler.elementary.polynomials import polynomial
from pullback.compiler.elementary.registry import elementary, single
from pullback.compiler.elementary.values import Body, Value

__all__: list[str] = []


def _arcsine(f: Body, r: Value, square: Value) -> Value:
    """arcsin(r) − r."""
    return square * r * polynomial(f, square, ARCSIN[f.dtype])


@single("arcsin")
@elementary("arcsin")
def arcsin(f: Body, x: Value) -> Value:
    """Beyond ½ it is π/2 − 2 arcsin √((1 − x)/2)."""
    half_pi, low = PI[f.dtype][0] / 2, PI[f.dtype][1] / 2
    size = f.absolute(x)
    large = size > 0.5
    square = f.select(large, f.fma(size, -0.5, 0.5), size * size)
    r = f.select(large, f.sqrt(square), size)
    more = _arcsine(f, r, square)
    start = f.fma(r, -2.0, half_pi)
    result = f.select(
        large, start + f.fma(more, -2.0, low + ((half_pi - start) - (r + r))), r + more
    )
    return f.copysign(result, x)


@single("arccos")
@elementary("arccos")
def arccos(f: Body, x: Value) -> Value:
    """π/2 − arcsin(x), or beyond ½ the double of arcsin √((1 − |x|)/2), or π less that."""
    pi, low = PI[f.dtype][:2]
    size = f.absolute(x)
    large, negative = size > 0.5, x < 0.0
    square = f.select(large, f.fma(size, -0.5, 0.5), size * size)
    r = f.select(large, f.sqrt(square), x)
    more = _arcsine(f, r, square)
    twice = f.fma(more, 2.0, r + r)
    near = pi / 2 - (r + (more - low / 2))
    far = f.fma(r + (more - low / 2), -2.0, pi)
    return f.select(large, f.select(negative, far, twice), near)


def _arctangent(f: Body, q: Value) -> Value:
    """arctan(q) − q for |q| ≤ 1."""
    square = q * q
    return square * q * polynomial(f, square, ARCTAN[f.dtype])


@single("arctan")
@elementary("arctan")
def arctan(f: Body, x: Value) -> Value:
    """Beyond 1 it is π/2 less that of the inverse."""
    size = f.absolute(x)
    large = size > 1.0
    q = f.select(large, -1.0, size) / f.select(large, size, 1.0)
    base = f.select(large, PI[f.dtype][0] / 2, 0.0)
    low = f.select(large, PI[f.dtype][1] / 2, 0.0)
    return f.copysign(base + (q + (_arctangent(f, q) + low)), x)


@single("arctan2")
@elementary("arctan2", 2)
def arctan2(f: Body, y: Value, x: Value) -> Value:
    """That of the smaller one over the larger one, reflected at π/4 and at π/2."""
    inf, (pi, low, _) = float("inf"), PI[f.dtype]
    a, b = f.absolute(y), f.absolute(x)
    steep = a > b
    large, small = f.larger(a, b), f.smaller(a, b)
    large = f.select(large.equals(0.0), 1.0, large)
    q = f.select(small.equals(inf), 1.0, small / large)
    left = f.bits(x) < 0
    # Reflected once the angle counts backwards, reflected twice forwards again.
    q = f.select(~steep & left | steep & ~left, -q, q)
    base = f.select(steep, pi / 2, f.select(left, pi, 0.0))
    rest = f.select(steep, low / 2, f.select(left, low, 0.0))
    result = f.copysign(base + (q + (_arctangent(f, q) + rest)), y)
    return f.select(f.unordered(x, y), float("nan"), result)
