"""scipy.fft on traced arrays: every function against its own matrix, and through every mode."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import scipy.fft
from scipy.fft import fft as bound_before_pullback

import pullback as pb
from pullback.errors import ArgumentTypeError, ArgumentValueError
from tests.grouping import together
from tests.linear_maps import assert_linear, assert_same

RNG = np.random.default_rng(8)
REAL, COMPLEX = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))

LINES = [
    {},
    {"n": 3, "overwrite_x": True},
    {"n": 7, "axis": 0, "workers": 2},
    {"n": 8, "norm": "ortho"},
    {"axis": -2, "norm": "forward"},
]
PLANES = [
    {},
    {"s": (2, 5), "axes": (0, 1)},
    {"s": (-1, 6), "axes": (1, 0), "norm": "ortho", "workers": 1},
    {"axes": (-1, -2), "norm": "forward"},
    {"s": (6,), "axes": (0,), "overwrite_x": True},
]
TYPES = [{}, {"type": 1}, {"type": 3, "norm": "ortho"}, {"type": 4, "norm": "forward"}]
FLAGS = [{"norm": "ortho", "orthogonalize": False}, {"type": 3, "orthogonalize": True}]
OF_REALS = {f"{name}{ending}" for name in ("rfft", "ihfft") for ending in ("", "2", "n")}
CALLS = [
    pytest.param(name, keywords, id=f"{name}-{number}")
    for names, options in [
        (("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"), LINES),
        (("fftn", "ifftn", "rfftn", "irfftn", "hfftn", "ihfftn"), [*PLANES, {"s": (5,)}]),
        (("fft2", "ifft2", "rfft2", "irfft2", "hfft2", "ihfft2"), PLANES[:4]),
        (("dct", "idct", "dst", "idst"), [*LINES, *TYPES, *FLAGS]),
        (("dctn", "idctn", "dstn", "idstn"), [*PLANES, *TYPES, *FLAGS]),
    ]
    for name in names
    for number, keywords in enumerate(options)
]


@together()
@pytest.mark.parametrize(("name", "keywords"), CALLS)
def test_every_transform_is_its_matrix(name, keywords):
    def f(x):
        return getattr(scipy.fft, name)(x + 0, **keywords)  # which may be overwritten

    assert_linear(f, REAL)
    if name not in OF_REALS:
        assert_linear(f, COMPLEX)


@together()
@pytest.mark.parametrize(("name", "keywords"), CALLS)
def test_batches_and_graphs(name, keywords):
    rows = np.stack([REAL, 2 * REAL + 1, REAL**2])

    def f(x):
        return np.abs(getattr(scipy.fft, name)(x + 0, **keywords)) ** 2

    expected = np.stack([f(row) for row in rows])
    np.testing.assert_allclose(pb.vmap(f)(rows), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(pb.trace(f, REAL)(REAL), expected[0], rtol=1e-13, atol=1e-13)


@together()
@pytest.mark.parametrize("name", ["fft", "irfft", "hfftn", "dct", "idstn", "fht"])
def test_second_order_and_compiled(name):
    others = (0.1, 0.5) if name == "fht" else ()

    def f(x):
        return np.sum(np.abs(getattr(scipy.fft, name)(x, *others) + 0.5) ** 4)

    step, gradient = 1e-5, pb.grad(f)
    expected = (gradient(REAL + step) - gradient(REAL - step)) / (2 * step)
    ones = np.ones_like(REAL)
    second = pb.pushforward(gradient, (REAL,), (ones,))[1]
    tolerance = 1e-7 * np.max(np.abs(expected))
    np.testing.assert_allclose(second, expected, atol=tolerance)
    again = pb.grad(lambda x: pb.pushforward(f, (x,), (ones,))[1])(REAL)
    np.testing.assert_allclose(again, second, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(pb.compile(gradient)(REAL), gradient(REAL), rtol=1e-11, atol=1e-11)


def test_dtypes():
    for dtype in (np.float32, np.longdouble, np.complex64, np.clongdouble):
        for name in ("fft", "ifftn", "irfft", "hfft", "dct", "idst", "dctn"):
            f = getattr(scipy.fft, name)
            x = COMPLEX.astype(dtype) if np.dtype(dtype).kind == "c" else REAL.astype(dtype)
            y, pull = pb.vjp(f, x)
            assert_same(y, f(x))
            assert pull(y)[0].dtype == dtype


def test_hankel():
    for bias in (0.0, 0.3):
        for f in (scipy.fft.fht, scipy.fft.ifht):
            assert_linear(lambda a, f=f, b=bias: f(a, 0.1, 0.5, offset=0.05, bias=b), REAL)
    with pytest.raises(ArgumentTypeError, match=r"scipy\.fft\.fht: the argument mu, .*stop_grad"):
        pb.grad(lambda mu: np.sum(scipy.fft.fht(REAL, 0.1, mu)))(0.5)


def test_names_bound_before_threads_and_plain_calls():
    expected = pb.grad(lambda x: np.sum(np.abs(scipy.fft.fft(x)) ** 2))(REAL)
    np.testing.assert_allclose(expected, 8 * REAL, rtol=1e-14)
    gradient = pb.grad(lambda x: np.sum(np.abs(bound_before_pullback(x)) ** 2))
    np.testing.assert_array_equal(gradient(REAL), expected)
    found = []
    thread = threading.Thread(target=lambda: found.append(gradient(REAL)))
    thread.start()
    thread.join()
    np.testing.assert_array_equal(found[0], expected)
    with scipy.fft.set_workers(2), scipy.fft.set_backend("scipy", only=False):
        np.testing.assert_array_equal(scipy.fft.fft([1.0, 2.0]), [3, -1])
    assert pb.grad(lambda x: x * scipy.fft.dct([1.0, 2.0])[0])(1.0) == 6


def test_shifts_frequencies_and_lengths():
    assert_linear(scipy.fft.fftshift, REAL)
    assert_linear(lambda x: scipy.fft.ifftshift(x, axes=(1,)), REAL)
    value, slope = pb.pushforward(lambda d: scipy.fft.fftfreq(5, d), (0.5,), (1.0,))
    np.testing.assert_allclose(slope, -value / 0.5)
    assert pb.grad(lambda x: x * scipy.fft.next_fast_len(13, real=True))(1.0) == 15


def test_errors_name_the_function_and_what_came():
    for f, error, words in [
        (lambda x: scipy.fft.rfft(x * 1j), ArgumentTypeError, r"rfft: x is .*complex128.* real"),
        (lambda x: scipy.fft.fft(x, 0), ArgumentValueError, r"fft: got \[0\] points"),
        (lambda x: scipy.fft.fft(x, norm="no"), ArgumentValueError, r"fft: norm is 'no'"),
        (lambda x: scipy.fft.dct(x, 5), ArgumentValueError, r"dct: type is 5"),
        (lambda x: scipy.fft.fftn(x, (2, 2), 0), ArgumentValueError, r"fftn: got 2 extents"),
        (lambda x: scipy.fft.fftn(x, axes=(1, -1)), ArgumentValueError, "each of them once"),
        (lambda x: scipy.fft.rfftn(x, axes=()), ArgumentValueError, r"rfftn: got no axes"),
        (lambda x: scipy.fft.fft(x, plan=3), ArgumentTypeError, r"fft: got a plan"),
    ]:
        with pytest.raises(error, match=words):
            pb.vjp(f, REAL)
