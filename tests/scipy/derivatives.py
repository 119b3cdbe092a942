"""A function of SciPy's on traced arrays, beside itself on plain ones and differences."""

from __future__ import annotations

import numpy as np

import pullback as pb
from tests.linear_maps import real_vector

__all__ = ["assert_served", "slopes"]


def slopes(f, args, dots):
    """Central differences along a direction, extrapolated."""

    def slope(h):
        ahead = f(*(x + h * dot for x, dot in zip(args, dots, strict=True)))
        behind = f(*(x - h * dot for x, dot in zip(args, dots, strict=True)))
        return (np.asarray(ahead) - np.asarray(behind)) / (2 * h)

    wide, near = slope(2e-4), slope(1e-4)
    return near + (near - wide) / 3


def like(x, rng):
    w = rng.normal(size=np.shape(x))
    return w + 1j * rng.normal(size=np.shape(x)) if np.iscomplexobj(x) else w


def assert_served(f, *args, exact=False, mapped=True, tolerance=1e-7):
    """The value, with both derivatives, a second one, a batch and a graph.

    What is no number counts as zero for the derivatives, and is where it is on plain arrays.

    Parameters
    ----------
    exact : bool
        Whether the value is SciPy's to the last bit.
    mapped : bool
        Whether the arguments may be mapped, and recorded.
    """
    rng = np.random.default_rng(7)

    def finite(*xs):
        out = f(*xs)
        return np.where(np.isnan(out), 0.0, out)

    expected = np.asarray(f(*args))
    whole = pb.pushforward(f, args, tuple(map(np.ones_like, args)))[0]
    assert whole.dtype == expected.dtype and whole.shape == expected.shape
    scale = np.max(np.abs(np.nan_to_num(expected)), initial=1e-300)
    np.testing.assert_allclose(whole, expected, rtol=0, atol=0 if exact else 1e-11 * scale)

    dots = tuple(like(x, rng) for x in args)
    out, pull = pb.vjp(finite, *args)
    out_dot = pb.pushforward(finite, args, dots)[1]
    differences = slopes(finite, args, dots)
    size = 1 + np.max(np.abs(differences), initial=0.0)
    np.testing.assert_allclose(out_dot, differences, rtol=0, atol=tolerance * size)
    bar = like(out, rng)
    back = pull(bar)
    inner = sum(np.sum(np.real(np.conj(x) * y)) for x, y in zip(back, dots, strict=True))
    np.testing.assert_allclose(
        inner, real_vector(bar) @ real_vector(out_dot), rtol=1e-9, atol=1e-10 * size
    )

    def pushed(*xs):
        return pb.pushforward(finite, xs, dots)[1]

    second = pb.pushforward(pushed, args, dots)[1]
    differences = slopes(pushed, args, dots)
    size = 1 + np.max(np.abs(differences), initial=0.0)
    np.testing.assert_allclose(second, differences, rtol=0, atol=10 * tolerance * size)
    if mapped:
        rows = [np.stack([x, 1.001 * x]) for x in args]
        apart = np.stack([f(*(x[i] for x in rows)) for i in range(2)])
        np.testing.assert_allclose(pb.vmap(f)(*rows), apart, rtol=0, atol=1e-11 * scale)
        graph = pb.trace(f, *args)
        np.testing.assert_allclose(graph(*args), expected, rtol=0, atol=1e-11 * scale)
