"""Recursive filters of scipy.signal on traced arrays."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal as s

import pullback as pb
from pullback.errors import ArgumentTypeError, ArgumentValueError
from tests.grouping import together
from tests.linear_maps import assert_same

RNG = np.random.default_rng(14)
X = RNG.normal(size=(3, 5))
FILTERS = {
    "recursive": (RNG.normal(size=3), np.array([1.0, 0.3, -0.2])),
    "long denominator": (RNG.normal(size=2), np.array([2.0, 0.3, 0.2, -0.1])),
    "long numerator": (RNG.normal(size=4), np.array([3.0, 0.4])),
    "finite": (RNG.normal(size=4), np.array([2.0])),
    "complex": (RNG.normal(size=3) + 1j, np.array([2.0, 0.3j])),
}


def answer(b, a, x, zi):
    """The answer of a filter along the last axis as it is defined, and the final state."""
    order = max(len(a), len(b)) - 1
    b, a = (np.append(c, np.zeros(order + 1 - len(c))) / a[0] for c in (b, a))
    state, out = [zi[..., i] for i in range(order)], []
    for n in range(x.shape[-1]):
        y = b[0] * x[..., n] + (state[0] if order else 0)
        following = [*state[1:], 0]
        state = [following[i] + b[i + 1] * x[..., n] - a[i + 1] * y for i in range(order)]
        out.append(y)
    return np.stack(out, -1), np.stack(state, -1)


@together()
@pytest.mark.parametrize("name", FILTERS)
def test_against_the_definition(name):
    b, a = FILTERS[name]
    order = max(len(a), len(b)) - 1
    zi = RNG.normal(size=(3, order))

    def ours(b, a, x, zi):
        return s.lfilter(b, a, x, zi=zi)

    out, pull = pb.vjp(ours, b, a, X, zi)
    for each, plain in zip(out, ours(b, a, X, zi), strict=True):
        assert_same(each, plain)
    theirs, other = pb.vjp(answer, b, a, X, zi)
    bars = tuple(RNG.normal(size=each.shape) + 0 * each for each in theirs)
    for bar in (bars, (bars[0], 0 * bars[1]), (0 * bars[0], bars[1])):
        for ours_bar, theirs_bar in zip(pull(bar), other(bar), strict=True):
            assert ours_bar.dtype == theirs_bar.dtype
            np.testing.assert_allclose(ours_bar, theirs_bar, rtol=1e-11, atol=1e-12)
    dots = tuple(RNG.normal(size=each.shape) for each in (b, a, X, zi))
    push = [pb.pushforward(f, (b, a, X, zi), dots)[1] for f in (ours, answer)]
    for ours_dot, theirs_dot in zip(*push, strict=True):
        np.testing.assert_allclose(ours_dot, theirs_dot, rtol=1e-11, atol=1e-12)


@together()
@pytest.mark.parametrize("name", FILTERS)
def test_axes_second_order_batches_graphs_and_compiled_code(name):
    b, a = FILTERS[name]

    def f(b, a, x):
        return s.lfilter(b, a, x, axis=0)

    assert_same(pb.vjp(f, b, a, X)[0], f(b, a, X))

    def loss(b, a, x):
        return np.sum(np.abs(f(b, a, x)) ** 4)

    def defined(b, a, x):
        zi = np.zeros((x.shape[1], max(len(a), len(b)) - 1))
        return np.sum(np.abs(answer(b, a, x.T, zi)[0]) ** 4)

    dots = tuple(RNG.normal(size=each.shape) for each in (b, a, X))
    gradient = pb.grad(loss, (0, 1, 2))
    expected = pb.pushforward(pb.grad(defined, (0, 1, 2)), (b, a, X), dots)[1]
    forward = pb.pushforward(gradient, (b, a, X), dots)[1]
    again = pb.grad(lambda *xs: pb.pushforward(loss, xs, dots)[1], (0, 1, 2))(b, a, X)
    for one, other, right in zip(forward, again, expected, strict=True):
        scale = np.max(np.abs(right))
        np.testing.assert_allclose(one, right, rtol=1e-9, atol=1e-10 * scale)
        np.testing.assert_allclose(other, right, rtol=1e-9, atol=1e-10 * scale)
    plain = gradient(b, a, X)
    for axes in ((0, 0, 0), (None, None, 0), (0, None, None)):
        rows = [
            np.stack([each, 1.01 * each]) if axis == 0 else each
            for each, axis in zip((b, a, X), axes, strict=True)
        ]
        for batch, one in zip(pb.vmap(gradient, in_axes=axes)(*rows), plain, strict=True):
            np.testing.assert_allclose(batch[0], one, rtol=1e-10, atol=1e-11)
    for ours, one in zip(pb.compile(gradient)(b, a, X), plain, strict=True):
        np.testing.assert_allclose(ours, one, rtol=1e-10, atol=1e-11)


def test_sections():
    sos = s.butter(4, 0.3, output="sos")
    zi = RNG.normal(size=(2, 3, 2))
    out, pull = pb.vjp(lambda q, x, zi: s.sosfilt(q, x, zi=zi), sos, X, zi)
    for each, plain in zip(out, s.sosfilt(sos, X, zi=zi), strict=True):
        assert each.dtype == plain.dtype
        np.testing.assert_allclose(each, plain, rtol=1e-12, atol=1e-13)

    def cascade(q, x, zi):
        first, end = answer(q[0, :3], q[0, 3:], x, zi[0])
        second, last = answer(q[1, :3], q[1, 3:], first, zi[1])
        return second, np.stack([end, last])

    bars = tuple(RNG.normal(size=each.shape) for each in out)
    q_bar, *others = pull(bars)
    right, *theirs = pb.vjp(cascade, sos, X, zi)[1](bars)
    np.testing.assert_allclose(q_bar[:, [0, 1, 2, 4, 5]], right[:, [0, 1, 2, 4, 5]], rtol=1e-10)
    for ours, each in zip(others, theirs, strict=True):
        np.testing.assert_allclose(ours, each, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(
        pb.vjp(lambda x: s.sosfilt(sos, x, axis=0), X)[0], s.sosfilt(sos, X, axis=0), rtol=1e-12
    )


def test_states_and_quotients():
    b, a = FILTERS["long denominator"]
    for arguments in ((b, a, X[0], X[1]), (b, a, X[0, :1], X[1, :2]), (b, a, X[0])):
        out, pull = pb.vjp(s.lfiltic, *arguments)
        plain = s.lfiltic(*arguments)
        assert out.dtype == plain.dtype
        np.testing.assert_allclose(out, plain, rtol=1e-13, atol=1e-15)
        dots = tuple(RNG.normal(size=each.shape) for each in arguments)
        step = 1e-6
        ahead, behind = (
            s.lfiltic(*(x + h * d for x, d in zip(arguments, dots, strict=True)))
            for h in (step, -step)
        )
        bar = RNG.normal(size=out.shape)
        inner = sum(np.sum(x * y) for x, y in zip(pull(bar), dots, strict=True))
        np.testing.assert_allclose(inner, bar @ (ahead - behind) / (2 * step), rtol=1e-7)
    signal, divisor = RNG.normal(size=6), np.array([2.0, 0.5, -0.3])
    (quotient, rest), pull = pb.vjp(s.deconvolve, signal, divisor)
    for ours, plain in zip((quotient, rest), s.deconvolve(signal, divisor), strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-12, atol=1e-14)
    # signal = divisor ∗ quotient + rest, where only the last elements of the rest are not zero
    signal_bar, _ = pull((np.ones(4), np.zeros(6)))
    assert np.all(signal_bar[4:] == 0)
    with np.errstate(all="ignore"):
        short = pb.vjp(lambda x: s.deconvolve(x, np.ones(9)), signal)[0]
    assert len(short[0]) == 0


def test_an_arma_likelihood():
    """The conditional likelihood of an ARMA(2, 1) process; a filter gives the innovations."""
    data = s.lfilter([1.0, 0.4], [1.0, -0.5, 0.2], RNG.normal(size=60))

    def likelihood(p):
        phi, theta, log_sigma = p[:2], p[2:3], p[3]
        one = np.ones(1)
        innovations = s.lfilter(np.concatenate([one, -phi]), np.concatenate([one, theta]), data)
        return np.sum(0.5 * (innovations / np.exp(log_sigma)) ** 2 + log_sigma)

    p = np.array([0.4, -0.1, 0.3, 0.2])
    pb.check(likelihood, p)
    step = 1e-5
    expected = [
        (likelihood(p + step * e) - likelihood(p - step * e)) / (2 * step) for e in np.eye(4)
    ]
    np.testing.assert_allclose(pb.grad(likelihood)(p), expected, rtol=1e-6)
    np.testing.assert_allclose(
        pb.compile(pb.grad(likelihood))(p), pb.grad(likelihood)(p), rtol=1e-10
    )


def test_single_precision_and_errors():
    x = X.astype(np.float32)
    out, pull = pb.vjp(lambda x: s.lfilter([0.5, 0.2], [1.0, 0.3], x), x)
    assert out.dtype == s.lfilter([0.5, 0.2], [1.0, 0.3], x).dtype
    assert pull(out)[0].dtype == np.float32
    b = np.array([0.5, 0.2], np.float32)
    assert_same(pb.vjp(lambda x: s.lfilter(b, b, x), x)[0], s.lfilter(b, b, x))
    for f, error, words in [
        (lambda x: s.lfilter([], [1.0], x), ArgumentValueError, r"lfilter: b is"),
        (lambda x: s.lfilter([1.0], [0.0, 1.0], x), ArgumentValueError, "begins with 0"),
        (
            lambda x: s.lfilter([1.0], [1.0], x[0, 0]),
            ArgumentValueError,
            r"lfilter: x is .*one axis",
        ),
        (
            lambda x: s.lfilter([1.0, 2.0], [1.0], x, zi=np.zeros((3, 2))),
            ArgumentValueError,
            r"lfilter: zi is .*wanted one of shape \(3, 1\)",
        ),
        (lambda x: s.lfilter(b, b, x.astype(np.float16)), ArgumentTypeError, None),
        (lambda x: s.sosfilt(x, x), ArgumentValueError, r"sosfilt: sos is .*sections, 6"),
    ]:
        if words is not None:
            with pytest.raises(error, match=words):
                pb.vjp(f, X)
    half = b.astype(np.float16)
    with pytest.raises(ArgumentTypeError, match=r"scipy\.signal\.lfilter: .*float16"):
        pb.vjp(lambda x: s.lfilter(half, half, x), X.astype(np.float16))
