"""What every function of scipy.linalg is held to: SciPy's own result, and its derivatives.

Values, shapes and dtypes are those of the plain call. First derivatives in both directions, and
the derivatives of the gradient, are compared with extrapolated central differences; maps over
examples with a loop; recorded graphs with what they were recorded from.
"""

from __future__ import annotations

import numpy as np

import pullback as pb
from tests.numpy.agreement import assert_derivative, assert_same, directions, leaves

__all__ = ["assert_served"]


def projected(function, *args):
    """A sum over the results, with fixed weights, as a function of arguments to differentiate."""
    rng = np.random.default_rng(3)
    weights = [directions(rng, y) for y in leaves(function(*args))]

    def loss(*xs):
        results = leaves(function(*xs))
        return sum(np.sum(np.real(np.conj(w) * y)) for w, y in zip(weights, results, strict=True))

    return loss


def assert_served(function, *args, rtol=1e-11, narrow=2e-3, compiled=False, second=True):
    """Everything about `function` at arguments in double precision, all of them differentiated."""
    assert_derivative(function, *args, rtol=rtol)
    everywhere = tuple(range(len(args)))
    gradient = pb.grad(projected(function, *args), argnums=everywhere)
    expected = gradient(*args)
    if second:
        assert_derivative(gradient, *args, rtol=rtol)
    _assert_mapped(function, args, rtol)
    assert_same(pb.trace(function, *args)(*args), function(*args), rtol)
    assert_same(pb.trace(gradient, *args)(*args), expected, 100 * rtol)
    if compiled:
        assert_same(pb.compile(gradient)(*args), expected, 100 * rtol)
    if narrow:
        _assert_narrow(function, args, expected, narrow)


def _assert_mapped(function, args, rtol):
    stacks = [np.stack([x, x * (1 + 1 / 64)]) for x in args]
    mapped = leaves(pb.vmap(function)(*stacks))
    for number in (0, 1):
        one = leaves(function(*(x[number] for x in stacks)))
        for got, expected in zip(mapped, one, strict=True):
            scale = rtol * np.max(np.abs(expected), initial=1e-300)
            np.testing.assert_allclose(np.asarray(got)[number], expected, rtol=rtol, atol=scale)


def _assert_narrow(function, args, expected, narrow):
    """Single precision stays what it is in SciPy, and derivatives are near those in double."""
    half = [x.astype(np.complex64 if x.dtype.kind == "c" else np.float32) for x in args]
    plain, (out, pull) = function(*half), pb.vjp(function, *half)
    assert_same(out, plain, narrow)
    rng = np.random.default_rng(3)
    bars = [directions(rng, y).astype(np.result_type(y)) for y in leaves(plain)]
    bars = bars[0] if isinstance(out, np.ndarray | np.generic) else type(out)(bars)
    for got, want, x in zip(pull(bars), expected, half, strict=True):
        assert got.dtype == x.dtype
        scale = narrow * np.max(np.abs(want), initial=1e-300)
        np.testing.assert_allclose(got, want, rtol=narrow, atol=scale)
