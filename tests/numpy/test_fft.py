"""numpy.fft on traced arrays: every function against its own matrix, and through every mode."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import pullback as pb
from tests.grouping import together
from tests.linear_maps import assert_linear, assert_same

RNG = np.random.default_rng(7)
REAL, COMPLEX = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))

LINES = [
    {},
    {"n": 3},
    {"n": 7, "axis": 0},
    {"n": 8, "norm": "ortho"},
    {"axis": -2, "norm": "forward"},
    {"n": 1, "norm": "backward"},
]
PLANES = [
    {},
    {"s": (2, 5), "axes": (0, 1)},
    {"s": (-1, 6), "axes": (1, 0), "norm": "ortho"},
    {"axes": (-1,), "norm": "forward"},
    {"axes": (1, 1)},
    {"s": (5, 3), "axes": (0, 0)},
]
OF_REALS = {"rfft", "ihfft", "rfftn", "rfft2"}
CALLS = [
    pytest.param(name, keywords, id=f"{name}-{number}")
    for names, options in [
        (("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"), LINES),
        (("fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2"), PLANES),
    ]
    for name in names
    for number, keywords in enumerate(options)
]


@together()
@pytest.mark.parametrize(("name", "keywords"), CALLS)
def test_every_transform_is_its_matrix(name, keywords):
    def f(x):
        return getattr(np.fft, name)(x, **keywords)

    assert_linear(f, REAL)
    if name not in OF_REALS:
        assert_linear(f, COMPLEX)


@together()
@pytest.mark.parametrize(("name", "keywords"), CALLS)
def test_batches_graphs_and_compiled_code(name, keywords):
    rows = np.stack([REAL, 2 * REAL + 1, REAL**2])

    def f(x):
        return np.abs(getattr(np.fft, name)(x, **keywords)) ** 2

    expected = np.stack([f(row) for row in rows])
    np.testing.assert_allclose(pb.vmap(f)(rows), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(pb.trace(f, REAL)(REAL), expected[0], rtol=1e-13, atol=1e-13)

    def total(x):
        return np.sum(f(x) ** 2)

    gradient = pb.grad(total)
    np.testing.assert_allclose(
        pb.trace(gradient, REAL)(REAL), gradient(REAL), rtol=1e-12, atol=1e-11
    )


def test_compiled():
    def loss(k, b):
        return np.sum(np.real(np.fft.ifft2(np.fft.fft2(k) * np.fft.fft2(b, s=(3, 4), axes=(0, 1)))))

    def squared(k, b):
        return loss(k, b) ** 2 + np.sum(np.fft.irfft(np.fft.rfft(k, 5) ** 2) ** 2)

    gradient = pb.grad(squared, argnums=(0, 1))
    for ours, expected in zip(
        pb.compile(gradient)(REAL, REAL[:2, :3]), gradient(REAL, REAL[:2, :3]), strict=True
    ):
        np.testing.assert_allclose(ours, expected, rtol=1e-11)


@together()
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_second_order(name):
    x, u = REAL[0], REAL[1]

    def f(x):
        return np.sum(np.abs(getattr(np.fft, name)(x, 5) + 0.3j) ** 4)

    def slope(x):
        return pb.pushforward(f, (x,), (u,))[1]

    step = 1e-4
    expected = (pb.grad(f)(x + step * u) - pb.grad(f)(x - step * u)) / (2 * step)
    for second in (pb.grad(slope)(x), pb.hessian(f)(x) @ u):
        np.testing.assert_allclose(second, expected, atol=1e-7 * np.max(np.abs(expected)))


def test_dtypes():
    for dtype in (np.float32, np.longdouble, np.complex64, np.clongdouble):
        for name in ("fft", "ifft", "irfft", "hfft", "fftn", "irfftn"):
            f = getattr(np.fft, name)
            x = COMPLEX[0].astype(dtype) if np.dtype(dtype).kind == "c" else REAL[0].astype(dtype)
            y, pull = pb.vjp(f, x)
            assert_same(y, f(x))
            assert pull(y)[0].dtype == dtype
    x = REAL.astype(np.float32)
    assert pb.vjp(np.fft.rfft, x)[0].dtype == np.fft.rfft(x).dtype == np.complex64


def test_shifts_and_frequencies():
    for axes in (None, 0, (0, 1), [-1]):
        assert_linear(lambda x, axes=axes: np.fft.fftshift(x, axes), REAL)
        assert_linear(lambda x, axes=axes: np.fft.ifftshift(x, axes=axes), COMPLEX)
    for frequencies in (np.fft.fftfreq, np.fft.rfftfreq):
        value, slope = pb.pushforward(lambda d, f=frequencies: f(5, d), (0.5,), (1.0,))
        np.testing.assert_allclose(value, frequencies(5, 0.5))
        np.testing.assert_allclose(slope, -frequencies(5, 0.5) / 0.5)


def test_out():
    def f(x):
        y = np.zeros((3, 4), complex)
        np.fft.fft(x, out=y)
        return np.sum(np.abs(y) ** 2)

    np.testing.assert_allclose(pb.grad(f)(REAL), 8 * REAL)


def test_a_frequency_filter_against_differences():
    mask = np.exp(-(np.fft.rfftfreq(9) ** 2) * 20)

    def f(x):
        return np.sum(np.sin(np.fft.irfft(np.fft.rfft(x) * mask, 9)))

    x = RNG.normal(size=9)
    pb.check(f, x)


def test_errors_name_the_function_and_what_came():
    for f, words in {
        lambda x: np.fft.rfft(x * 1j): r"np\.fft\.rfft: .* complex128 and shape \(3, 4\).*real",
        lambda x: np.fft.fft(x, 0): r"np\.fft\.fft: got 0 points",
        lambda x: np.fft.fft(x, norm="no"): r"np\.fft\.fft: norm is 'no'",
        lambda x: np.fft.irfft(x[:, :1]): r"np\.fft\.irfft: got 0 points",
        lambda x: np.fft.fftn(x, s=(1, 2), axes=(0,)): r"np\.fft\.fftn: got s of 2 .* for 1 axes",
        lambda x: np.fft.fft(x, axis=2): "axis 2 is out of bounds",
    }.items():
        with pytest.raises((ValueError, TypeError), match=words):
            pb.vjp(f, REAL)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for s in ((2, 2), (None, 3)):
            with pytest.raises(DeprecationWarning, match=r"np\.fft\.fftn"):
                pb.vjp(lambda x, s=s: np.fft.fftn(x, s, (0, 1) if None in s else None), REAL)
