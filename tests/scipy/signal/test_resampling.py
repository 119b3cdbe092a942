"""Filters between which elements are put in or left out, and filters by rank."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal as s

import pullback as pb
from pullback.errors import ArgumentTypeError, ArgumentValueError
from tests.grouping import together
from tests.linear_maps import matrix_of, real_vector

RNG = np.random.default_rng(15)
X, H = RNG.normal(size=(3, 7)), RNG.normal(size=4)


@together()
@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"up": 2, "down": 3},
        {"up": 3, "axis": 0},
        {"down": 2, "mode": "symmetric"},
        {"up": 2, "mode": "edge", "axis": -2},
        {"up": 3, "down": 2, "mode": "wrap"},
        {"mode": "reflect", "down": 5},
        {"up": 2, "cval": 1.5},
    ],
)
def test_upfirdn(keywords):
    for h in (H, H[:1], H + 1j * H[::-1]):

        def f(h, x):
            return s.upfirdn(h, x, **keywords)

        expected = f(h, X)
        out, pull = pb.vjp(f, h, X)
        assert out.dtype == expected.dtype
        np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-14)
        bar = RNG.normal(size=out.shape).astype(out.dtype)
        still = f(h, 0 * X)
        for one, move, zero, x_bar in zip(
            (h, X), (lambda c: f(c, X), lambda x, h=h: f(h, x)), (0, still), pull(bar), strict=True
        ):
            matrix = matrix_of(lambda x, move=move, zero=zero: move(x) - zero, one)
            np.testing.assert_allclose(
                real_vector(x_bar), matrix.T @ real_vector(bar), rtol=1e-11, atol=1e-12
            )
    x = X.astype(np.float32)
    assert pb.vjp(lambda x: s.upfirdn(H.astype(np.float32), x, 2), x)[0].dtype == np.float32


@together()
@pytest.mark.parametrize(
    "f",
    [
        lambda x: s.medfilt(x, 3),
        lambda x: s.medfilt(x),
        lambda x: s.medfilt(x, [1, 5]),
        lambda x: s.medfilt2d(x),
        lambda x: s.medfilt2d(x, [3, 1]),
        lambda x: s.order_filter(x, np.ones((3, 3)), 0),
        lambda x: s.order_filter(x, np.array([[0, 1, 0], [1, 1, 1], [0, 1, 1]]), 2),
    ],
)
def test_ranks(f):
    expected = f(X)
    out, pull = pb.vjp(f, X)
    np.testing.assert_array_equal(out, expected)
    # Each element of the result is one of the array, or a zero beyond its edges.
    picks = (expected[..., None, None] == X).astype(float)
    bar = RNG.normal(size=out.shape)
    np.testing.assert_allclose(pull(bar)[0], np.tensordot(bar, picks, 2), rtol=1e-14)
    np.testing.assert_array_equal(pb.vmap(f)(np.stack([X, -X]))[1], f(-X))
    np.testing.assert_array_equal(pb.trace(f, X)(X), expected)


@together()
@pytest.mark.parametrize(
    ("f", "error", "words"),
    [
        (lambda x: s.upfirdn(H, x, 0), ArgumentValueError, r"upfirdn: got up=0"),
        (lambda x: s.upfirdn(x, x), ArgumentValueError, r"upfirdn: h is .*vector"),
        (lambda x: s.upfirdn(H, x, mode="line"), ArgumentTypeError, r"upfirdn: .*mode"),
        (lambda x: s.medfilt(x, 2), ArgumentValueError, r"medfilt: kernel_size is 2"),
        (lambda x: s.medfilt(x * 1j), ArgumentTypeError, r"medfilt: .*complex128.*precision"),
        (lambda x: s.order_filter(x, [1, 1], 0), ArgumentValueError, r"order_filter: domain"),
    ],
)
def test_errors_name_the_function_and_what_came(f, error, words):
    with pytest.raises(error, match=rf"scipy\.signal\.{words}"):
        pb.vjp(f, X)


def test_kernels_larger_than_the_array():
    with pytest.warns(UserWarning, match="exceeds the shape"):
        out = pb.vjp(lambda x: s.medfilt(x, 5), X)[0]
    with pytest.warns(UserWarning, match="exceeds"):
        np.testing.assert_array_equal(out, s.medfilt(X, 5))
