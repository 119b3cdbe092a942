"""scipy.fftpack on traced arrays: every function against its own matrix."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fftpack

import pullback as pb
from pullback.errors import ArgumentTypeError, ArgumentValueError, NoRuleError
from tests.grouping import together
from tests.linear_maps import assert_linear, matrix_of

RNG = np.random.default_rng(9)
REAL, COMPLEX = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4)) + 1j * RNG.normal(size=(3, 4))

LINES = [{}, {"n": 5, "axis": 0}, {"n": 3, "overwrite_x": False}, {"n": 1}, {"n": 2}]
PLANES = [{}, {"shape": (5, 2)}, {"shape": (5,), "axes": (1,)}]
TYPES = [{"type": 1}, {"type": 3, "norm": "ortho"}, {"type": 4}]
CALLS = [
    pytest.param(name, keywords, id=f"{name}-{number}")
    for names, options in [
        (("fft", "ifft", "rfft", "irfft"), LINES),
        (("fftn", "ifftn", "fft2", "ifft2"), PLANES),
        (("dct", "idct", "dst", "idst"), [*LINES, *TYPES]),
        (("dctn", "idctn", "dstn", "idstn"), [*PLANES, *TYPES]),
    ]
    for name in names
    for number, keywords in enumerate(options)
]


@together()
@pytest.mark.parametrize(("name", "keywords"), CALLS)
def test_every_transform_is_its_matrix(name, keywords):
    function = getattr(scipy.fftpack, name)
    if name == "fft2" and keywords.get("shape") == (5,):
        keywords = {"shape": (5, 5), "axes": (0, 1)}
    if name in ("fft2", "ifft2") and "shape" in keywords and "axes" not in keywords:
        keywords = {**keywords, "axes": (0, 1)}

    def f(x):
        return function(x + 0, **keywords)

    assert_linear(f, REAL)
    if name in ("fft", "ifft", "fftn", "ifftn", "dct", "idst", "dctn"):
        assert_linear(f, COMPLEX)
    np.testing.assert_allclose(pb.vmap(f)(np.stack([REAL, REAL**2]))[1], f(REAL**2), rtol=1e-11)


def test_refusals_say_what_to_use():
    x = np.sin(2 * np.pi * np.arange(8) / 8)
    with pytest.raises(NoRuleError, match=r"scipy\.fftpack\.diff .*scipy\.fft\.ifft\(factors"):
        pb.vjp(scipy.fftpack.diff, x)
    factors = 1j * 8 * np.fft.fftfreq(8)

    def slope(x):
        return np.real(scipy.fft.ifft(factors * scipy.fft.fft(x)))

    np.testing.assert_allclose(slope(x), scipy.fftpack.diff(x), atol=1e-14)
    (x_bar,) = pb.vjp(slope, x)[1](x)
    matrix = matrix_of(slope, x)
    np.testing.assert_allclose(x_bar, matrix.T @ x, atol=1e-13)


def test_errors_name_the_function_and_what_came():
    with pytest.raises(ArgumentTypeError, match=r"scipy\.fftpack\.rfft: .* complex"):
        pb.vjp(scipy.fftpack.rfft, COMPLEX)
    with pytest.raises(ArgumentValueError, match=r"scipy\.fftpack\.fftn: got the shape \(2,\)"):
        pb.vjp(lambda x: scipy.fftpack.fftn(x, (2,)), REAL)
