"""Functions of BLAS and LAPACK are found, called through their addresses, and checked before."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from pullback.compiler import libraries
from pullback.compiler.libraries import address_of, is_available
from pullback.compiler.lowering.external import routine
from pullback.errors import PullbackError

SYMBOLS = [
    routine(name, dtype, 1)
    for name in ("gemm", "gemv", "trsm", "trsv", "getrf", "getri", "getrs", "potrf")
    for dtype in ("float64", "float32")
]


def test_all_that_is_called_is_there():
    assert None not in SYMBOLS
    assert len({address_of(symbol) for symbol in SYMBOLS}) == len(SYMBOLS)


def test_an_address_is_that_of_the_function():
    rng = np.random.default_rng(0)
    a, x, y = rng.normal(size=(3, 4)), rng.normal(size=4), np.zeros(3)
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 11)(
        address_of("scipy.linalg.cython_blas.dgemv")
    )
    m, n, one = (np.array([i], np.int32) for i in (4, 3, 1))
    letter, scale = np.array([ord("T")], np.uint8), np.ones(1)
    given = (letter, m, n, scale, a, m, x, one, scale, y, one)
    call(*[each.ctypes.data for each in given])
    np.testing.assert_allclose(y, a @ x)


@pytest.mark.parametrize(
    "symbol",
    ["scipy.linalg.cython_blas.nothing", "scipy.linalg.cython_lapack.dgees", "numpy.linalg.inv"],
)
def test_what_cannot_be_called_is_refused(symbol):
    assert not is_available(symbol)
    with pytest.raises(PullbackError, match=symbol):
        address_of(symbol)


def test_integers_that_do_not_fit_are_left_to_numpy():
    assert routine("gemm", "float64", libraries.LARGEST) is not None
    assert routine("gemm", "float64", 3, libraries.LARGEST + 1) is None
