"""``out=`` and ``where=``: results that are stored in arrays that the function has made."""

from __future__ import annotations

import numpy as np
import pytest

import pullback as pb

X = np.linspace(-1.3, 1.7, 12).reshape(3, 4)
ROW = X[0]

CALLS = {
    "sum": lambda x, out: np.sum(x, axis=0, out=out),
    "sum of a method": lambda x, out: x.sum(0, out=out),
    "prod": lambda x, out: np.prod(x, axis=0, out=out),
    "mean, by position": lambda x, out: np.mean(x, 0, None, out),
    "max": lambda x, out: np.max(x, axis=0, out=out),
    "std": lambda x, out: np.std(x, axis=0, out=out),
    "cumsum": lambda x, out: np.cumsum(x[1], out=out),
    "take, by position": lambda x, out: np.take(x[0], [2, 0, 1, 1], 0, out),
    "clip": lambda x, out: np.clip(x[0], -0.5, 0.5, out=out),
    "dot": lambda x, out: np.dot(ROW[:3], x, out=out),
    "dot, by position": lambda x, out: np.dot(ROW[:3], x, out),
    "einsum": lambda x, out: np.einsum("ij,i->j", x, ROW[:3], out=out),
    "concatenate": lambda x, out: np.concatenate([x[0, :1], x[1, :3]], out=out),
    "stack": lambda x, out: np.stack([x[0, 0], x[1, 1], 2.0, x[0, 0]], out=out),
    "median": lambda x, out: np.median(x, axis=0, out=out),
    "trace": lambda x, out: np.trace(x[:, :3, None] * np.ones(4), out=out),
    "a ufunc": lambda x, out: np.multiply(x[0], x[1], out=out),
    "a ufunc, by position": lambda x, out: np.exp(x[2], out),
    "a ufunc of a list": lambda x, out: np.sin([x[0, 0], 0.5, x[1, 1], x[0, 2]], out=out),
    "a ufunc, reduced": lambda x, out: np.add.reduce(x, out=out),
    "where": lambda x, out: np.sin(x[0], out=out, where=x[1] > 0.0),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_array_that_was_given_holds_the_result(call):
    """Value and both derivatives, by central differences, of what the array holds afterwards."""
    seen = []

    def f(x):
        out = np.full(4, 0.25)
        returned = call(x, out)
        seen.append(returned is out)
        return out * np.arange(1.0, 5.0)

    x_dot = np.cos(np.arange(12.0)).reshape(3, 4)
    expected = f(X)
    aliases = seen.pop()
    out, out_dot = pb.pushforward(f, (X,), (x_dot,))
    np.testing.assert_allclose(out, expected, rtol=1e-14)
    assert seen == [aliases]
    h = 1e-6
    differences = (f(X + h * x_dot) - f(X - h * x_dot)) / (2 * h)
    np.testing.assert_allclose(out_dot, differences, rtol=1e-7, atol=1e-8)
    _, pull = pb.vjp(f, X)
    bar = np.array([0.5, -1.0, 2.0, 0.25])
    np.testing.assert_allclose(np.sum(pull(bar)[0] * x_dot), bar @ out_dot, rtol=1e-12)
    examples = np.stack([X, X * X, 0.5 - X])
    np.testing.assert_allclose(pb.vmap(f)(examples), list(map(f, examples)), rtol=1e-12)
    np.testing.assert_allclose(pb.trace(f, X)(X), expected, rtol=1e-14)


def test_an_array_from_outside_cannot_hold_the_result():
    for call in (
        lambda x: np.sum(x, axis=0, out=ROW.copy()),
        lambda x: np.multiply(ROW, [x[0, 0], 1.0, 2.0, x[0, 1]], out=ROW.copy()),
    ):
        with pytest.raises(pb.DetachedError, match=r"plain ndarray of shape \(4,\).*np\.zeros"):
            pb.vjp(call, X)


def test_a_result_that_does_not_fit_is_refused():
    with pytest.raises(pb.ArgumentValueError, match=r"numpy\.sum.*\(4,\).*\(3,\)"):
        pb.vjp(lambda x: np.sum(x, axis=0, out=np.zeros(3)), X)
    with pytest.raises(pb.ArgumentTypeError, match=r"numpy\.sum.*complex128.*float64"):
        pb.vjp(lambda x: np.sum(x * 1j, axis=0, out=np.zeros(4)), X)
