"""Products of matrices that BLAS forms: any that are large, however their operands lie."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import pullback as pb
from pullback.compiler.compiled import compile
from pullback.compiler.loops import text
from pullback.compiler.lowering import lower, products
from tests.compiler.interpreted import interpreted

RNG = np.random.default_rng(0)

LARGE = [
    ("AB", lambda a, b: a @ b, (10, 11), (11, 12)),
    ("AᵀB", lambda a, b: a.T @ b, (11, 10), (11, 12)),
    ("ABᵀ", lambda a, b: a @ b.T, (10, 11), (12, 11)),
    ("AᵀBᵀ", lambda a, b: a.T @ b.T, (11, 10), (12, 11)),
    ("transposed", lambda a, b: (a @ b).T + 1, (10, 11), (11, 12)),
    ("batch", lambda a, b: a @ b, (3, 10, 11), (3, 11, 12)),
    ("one of a batch", lambda a, b: a @ b, (10, 11), (3, 11, 12)),
    ("rows of two axes", lambda a, b: a @ b, (3, 2, 30, 11), (11, 12)),
    ("rows of axes apart", lambda a, b: np.einsum("ibk,kj->bij", a, b), (10, 3, 11), (11, 12)),
    ("slices", lambda a, b: a[:, 1:11] @ b[::2], (10, 12), (20, 12)),
    ("no steps of 1", lambda a, b: a[:, ::2] @ b[:, ::3], (10, 12), (6, 36)),
    ("backwards", lambda a, b: a[::-1] @ b, (10, 11), (11, 12)),
    ("computed", lambda a, b: np.tanh(a) @ (2 * b), (10, 11), (11, 12)),
    ("terms of two axes", lambda a, b: np.tensordot(a, b, 2), (10, 4, 5), (4, 5, 12)),
    ("result turned", lambda a, b: np.einsum("ik,kj->ji", a, b), (10, 11), (11, 12)),
    ("Ax", lambda a, b: a @ b, (30, 40), (40,)),
    ("Aᵀx", lambda a, b: a.T @ b, (40, 30), (40,)),
    ("xA", lambda a, b: b @ a, (40, 30), (40,)),
    ("x with steps", lambda a, b: a @ b[::2], (30, 40), (80,)),
    ("x backwards", lambda a, b: a @ b[::-1], (30, 40), (40,)),
    ("a column", lambda a, b: a @ b, (30, 40), (40, 1)),
    ("a row", lambda a, b: b @ a, (40, 30), (1, 40)),
    ("x for each A", lambda a, b: np.einsum("bij,bj->bi", a, b), (3, 30, 40), (3, 40)),
]
OTHER = [
    ("no terms", np.outer, (30,), (40,)),
    ("no matrices", np.convolve, (300,), (40,)),
    ("one sum", lambda a, b: np.einsum("ij,ij->", a, b), (30, 40), (30, 40)),
    ("a diagonal", lambda a, b: np.einsum("ii,ij->ij", a, b), (30, 30), (30, 40)),
    ("narrow", lambda a, b: a @ b, (300, 2), (2, 300)),
]


@pytest.fixture
def small(monkeypatch):
    """Take small products for large ones."""
    for name in ("_CUBE", "_DOTS", "_VECTOR"):
        monkeypatch.setattr(products, name, 500)
    for name in ("_WIDE", "_WIDE_DOTS"):
        monkeypatch.setattr(products, name, 3)


def uses_blas(function, *args):
    return "cython_blas" in text(lower(pb.trace(function, *args)).program)


def numbers(shape, dtype):
    drawn = RNG.normal(size=shape)
    if dtype.startswith("complex"):
        drawn = drawn + 1j * RNG.normal(size=shape)
    return drawn.astype(dtype)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "complex64"])
def test_products_by_blas_have_the_value_of_numpys(dtype):
    for large, (name, function, *shapes) in [(x in LARGE, x) for x in (*LARGE, *OTHER)]:
        args = [numbers(shape, dtype) for shape in shapes]
        expected = function(*args)
        rtol = 1e4 * np.finfo(dtype).eps
        (found,), lowered = interpreted(pb.trace(function, *args), args)
        assert ("cython_blas" in text(lowered.program)) == large, name
        for one in (found, compile(function)(*args)):
            assert one.dtype == expected.dtype
            np.testing.assert_allclose(one, expected, rtol, rtol * np.max(np.abs(expected)), name)


def test_only_large_products_are_handed_on():
    def product(a, b):
        return a @ b

    def dots(a, b):
        return a @ b.T

    for function, shapes, handed_on in (
        (product, [(256, 256), (256, 256)], True), (product, [(64, 64), (64, 64)], False),
        (product, [(100000, 16), (16, 16)], False), (dots, [(96, 96), (96, 96)], True),
        (dots, [(32, 2000), (32, 2000)], False), (product, [(1000, 1000), (1000,)], True),
        (product, [(500, 500), (500,)], False), (product, [(5000, 256, 2), (2, 256)], False),
    ):  # fmt: skip
        args = [np.broadcast_to(1.0, shape).copy() for shape in shapes]
        assert uses_blas(function, *args) == handed_on, shapes


@pytest.mark.parametrize("threads", [1, 2])
def test_a_large_product_and_its_gradient(threads):
    """Also by threads of BLAS, of which processes that share out the tests have one."""
    a, b = RNG.normal(size=(256, 256)), RNG.normal(size=(256, 256))
    both = pb.value_and_grad(lambda a, b: np.sum(np.sin(a @ b / 16)), argnums=(0, 1))
    with threadpool_limits(threads, user_api="blas"):
        value, gradients = compile(both)(a, b)
        expected, others = both(a, b)
    np.testing.assert_allclose(value, expected, rtol=1e-10)
    for one, other in zip(gradients, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)
