"""The integrals that the incomplete gamma and beta functions are, and their moments.

Both are an integral from 0 to infinity of the exponential of a concave function E that starts
with 0 and falls, and whose derivatives in the parameters are factors to the integrand of one sign:
nothing cancels, so Gauss's rule, on the interval in which exp E falls to rounding, is as accurate
as the integrand in the tails as in the middle.
"""

from __future__ import annotations

import numpy as np

from pullback.errors import ArgumentTypeError
from pullback.rules.special.cancellation import expm1_less_linear, log1p_less_linear

__all__ = ["beta_moments", "gamma_moments", "gauss_legendre", "in_blocks"]

_DEPTH = 40.0
_BLOCK = 1024
_SMOOTH = 6.0
_PANEL = 3.0


def gauss_legendre(order):
    """The nodes and weights of Gauss's quadrature on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    return (1 + nodes) / 2, weights / 2


_WHOLE, _PART = gauss_legendre(44), gauss_legendre(20)


def in_blocks(function, *args):
    """A function of arrays of one axis, over all elements of these, in blocks that fit a cache.

    It is called with double precision, and its result is of the widest dtype among the arguments,
    at least single. As SciPy's functions, it takes none that is wider than double precision.
    """
    args = np.broadcast_arrays(*args)
    dtype = np.result_type(*args, np.float32)
    if dtype not in (np.float32, np.float64):
        raise ArgumentTypeError(
            f"a distribution's derivative in a shape got arguments of dtype {dtype}, wanted real "
            "ones of at most 64 bits; convert them with x.astype(float)"
        )
    flat = [np.asarray(x, np.float64).ravel() for x in args]
    size = flat[0].size
    found = np.empty(size)
    with np.errstate(all="ignore"):
        for start in range(0, size, _BLOCK):
            found[start : start + _BLOCK] = function(*(x[start : start + _BLOCK] for x in flat))
        return found.reshape(args[0].shape).astype(dtype)[()]


def gamma_moments(slope, x, order, *, upper):
    """∫₀^∞ (±v)ᵏ exp(−slope·v − x·φ(±v)) dv with φ(v) = eᵛ − 1 − v, for k = 0, …, order.

    With the upper sign and slope = x − a this is Γ(a, x)·eˣ/xᵃ and its derivatives in a; with the
    lower one and slope = a − x it is γ(a, x)·eˣ/xᵃ and its derivatives.
    """
    if upper:  # φ(v) ≥ v²/2 and v⁴/24 and v⁶/720, so that each of these is beyond the end
        end = np.minimum(np.sqrt(2 * _DEPTH / x), (24 * _DEPTH / x) ** 0.25)
        end = np.minimum(end, (720 * _DEPTH / x) ** (1 / 6))
        end = np.where(slope > 0, np.minimum(end, _DEPTH / np.abs(slope)), end)
    else:  # φ(−v) ≥ v²/3 for v ≤ 1, beyond which it is at least v/e
        near, far = np.sqrt(3 * _DEPTH / x), _DEPTH / np.maximum(slope + x / np.e, 1e-300)
        end = np.where(slope > 0, np.minimum(np.maximum(near, far), _DEPTH / np.abs(slope)), far)
        end = np.where(near < 1, np.minimum(near, end), end)
    sign = 1.0 if upper else -1.0
    for _ in range(4):  # Newton's method on a convex function, from beyond its zero
        height = slope * end + x * expm1_less_linear(sign * end)
        rise = slope + x * np.abs(np.expm1(sign * end))
        end = end - np.maximum(height - _DEPTH, 0) / rise
    nodes, weights = _WHOLE
    v = end[:, None] * nodes
    values = np.exp(-slope[:, None] * v - x[:, None] * expm1_less_linear(sign * v))
    return _moments(values * (weights * end[:, None]), [sign * v], [(k,) for k in range(order + 1)])


def beta_moments(parameters, ends, slope, orders):
    """∫₀^∞ λⁱμʲ exp(a·λ + b·μ) dv for each (i, j) of `orders`, which is B(x; a, b)/(xᵃ(1−x)ᵇ).

    Here λ = log(t/x) and μ = log((1 − t)/(1 − x)), where v is how far t is below x in log-odds;
    `ends` are x and 1 − x, and `slope` is a·(1 − x) − b·x. With the convex function
    K(v) = log(1 − x + x·e⁻ᵛ) + x·v, the exponent a·λ + b·μ is −slope·v − (a + b)·K(v).
    """
    (a, b), (x, y) = parameters, ends
    n = a + b
    small = x <= 0.5
    least, sign = np.where(small, x, y), np.where(small, -1.0, 1.0)

    def excess(v, least, sign):
        curved = expm1_less_linear(sign * v)
        z = least * (sign * v + curved)
        far = z > 0.5
        near = log1p_less_linear(np.where(far, 0.0, z)) + least * curved
        return np.where(far, np.log1p(z) - sign * least * v, near)

    def share(v):
        """t(v) = x·e⁻ᵛ/(1 − x + x·e⁻ᵛ)."""
        fallen = x * np.exp(-v)
        return fallen / (y + fallen)

    # Past any place the height grows at least by its slope there, for K is convex.
    end = np.where(slope > 0, _DEPTH / np.abs(slope), np.inf)
    spread = n * x * y
    middle = np.maximum(np.log(x / y), 0.0)  # how far it is to t = 1/2
    near = np.broadcast_to(np.array([[0.25], [1.0], [4.0], [16.0]]), (4, x.size))
    guess = np.concatenate([near, [middle + 1, middle + 6]])
    rise = slope + n * (x - share(guess))
    height = slope * guess + n * excess(guess, least, sign)
    bound = guess + np.maximum(_DEPTH - height, 0) / np.maximum(rise, 1e-300)
    end = np.minimum(end, np.where(rise > 0, bound, np.inf).min(axis=0))
    end = np.where(spread > 4e4, np.minimum(end, 4 * np.sqrt(_DEPTH / spread)), end)
    end = np.where(np.isfinite(end), end, 1.0)
    for _ in range(5):
        height = slope * end + n * excess(end, least, sign)
        end = end - np.maximum(height - _DEPTH, 0) / (slope + n * (x - share(end)))

    def moments(chosen, v, weights):
        total, s, up = n[chosen, None], slope[chosen, None], sign[chosen, None] * v
        values = np.exp(-s * v - total * excess(v, least[chosen, None], sign[chosen, None]))
        smaller = -np.log1p(least[chosen, None] * np.expm1(up))  # μ for x ≤ 1/2, else λ
        other = up + smaller
        below = small[chosen, None]
        factors = [np.where(below, other, smaller), np.where(below, smaller, other)]
        return _moments(values * weights, factors, orders)

    found = {order: np.empty_like(x) for order in orders}
    panels = np.select([end <= _SMOOTH, end <= 5 * _PANEL, end <= 15 * _PANEL], [1, 5, 15], 30)
    for number in np.unique(panels):
        chosen = panels == number
        v, weights = _whole(end[chosen]) if number == 1 else _panels(end[chosen], number)
        for order, values in moments(chosen, v, weights).items():
            found[order][chosen] = values
    return found


def _whole(end):
    nodes, weights = _WHOLE
    return end[:, None] * nodes, end[:, None] * weights


def _panels(end, number):
    """Gauss's rule on panels, which the poles of the logistic function beside the axis require.

    The last ones are at most 3 long, the poles π away. What comes before them is a plateau, on
    which the integrand is an exponential to rounding.
    """
    nodes, weights = _PART
    tail = np.minimum(end, number * _PANEL)
    before, length = end - tail, tail / number
    starts = before[:, None] + length[:, None] * np.arange(number)
    lengths = np.repeat(length[:, None], number, axis=1)
    if before.any():
        starts = np.concatenate([np.zeros_like(before)[:, None], starts], axis=1)
        lengths = np.concatenate([before[:, None], lengths], axis=1)
    v = starts[:, :, None] + lengths[:, :, None] * nodes
    scaled = lengths[:, :, None] * weights
    return v.reshape(end.size, -1), scaled.reshape(end.size, -1)


def _moments(values, factors, orders):
    found = {}
    for order in orders:
        product = values
        for factor, power in zip(factors, order, strict=True):
            for _ in range(power):
                product = product * factor
        found[order] = product.sum(axis=1)
    return found
